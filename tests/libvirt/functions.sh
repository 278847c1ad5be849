# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by each test of this folder, which runs inside a sandbox. A test is a list of checks; each prints a line, and
# a failed one also what it saw. The test goes on, and `finish` gives the exit status.
#
# Environment: see daemon.sh; BZ_SEAMS: seams.so; BZ_CONFIG_FILE: where the plugin looks for its configuration.

set -u
. "$(dirname "${BASH_SOURCE[0]}")/daemon.sh"

export BZ_DAEMON_PRELOAD=$BZ_SEAMS
export LIBVIRT_DEFAULT_URI=qemu:///system
export LC_ALL=C
work=$HOME
cd "$work"
checks=0 failed=0

result()
{
    checks=$((checks + 1))
    if [ "$1" = 0 ]; then
        echo "ok - $2"
    else
        echo "NOT OK - $2"
        failed=$((failed + 1))
        sed 's/^/    /' out err 2>/dev/null
    fi
}

# passes WHAT COMMAND...: the command succeeds. Its output is in ./out and ./err.
passes()
{
    local what=$1
    shift
    "$@" >out 2>err </dev/null
    result $? "$what"
}

# refused WHAT TEXT COMMAND...: the command fails, and one line of its stderr is "error: TEXT", to the letter.
refused()
{
    local what=$1 text=$2
    shift 2
    if "$@" >out 2>err </dev/null; then
        result 1 "$what: not refused"
    else
        grep -qFx "error: $text" err
        result $? "$what: error: $text"
    fi
}

# on_terminal COMMAND ANSWER...: runs it on a terminal and gives the next answer whenever it asks. What is seen there is in out.
on_terminal()
{
    local command=$1 asked=0 tries answer
    shift
    : >out
    for answer; do
        asked=$((asked + 1))
        for tries in $(seq 300); do
            [ "$(grep -oF '?]:' out | wc -l)" -lt $asked ] || break
            sleep 0.1
        done
        echo "$answer"
    done | script -qec "$command" /dev/null >out 2>&1
}

# has WHAT FILE TEXT, lacks WHAT FILE TEXT: plain text within a line.
has()
{
    grep -qF -- "$3" "$2"
    result $? "$1"
}

lacks()
{
    ! grep -qF -- "$3" "$2"
    result $? "$1"
}

# same WHAT FILE FILE: byte for byte.
same()
{
    local difference status=0
    difference=$(diff -a "$2" "$3") || status=1
    result "$status" "$1${difference:+
$difference}"
}

finish()
{
    echo "$((checks - failed)) checks passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

# What KVM says of Hyper-V to the daemon and its hook (kvm-answers.c): able, old or unable.
kvm_file=/run/bootzero-test-kvm
kvm()
{
    echo "$1" >"$kvm_file"
}

# configure LINE...: the plugin's configuration; without a line there is no file.
configure()
{
    rm -f "$BZ_CONFIG_FILE"
    [ $# = 0 ] || printf '%s\n' '[bootzero]' "$@" >"$BZ_CONFIG_FILE"
}

# The provider that a stock QEMU and any KVM can run: two enlightenments that are there stand in for QEMU's own.
# They are ones that need nothing of KVM to be switched on.
stand_in()
{
    configure 'provider = qemu' 'ext-query-caps-property = hv-avic' 'boot-zeroed-mem-property = hv-xmm-input'
}

# domain NAME [HYPERV [TYPE [ARCH [EMULATOR]]]] >FILE: a small domain XML, with a uuid made of the name. HYPERV is the
# content of <hyperv>, none without it. Further elements: $domain_more.
domain_more=
domain()
{
    local name=$1 hyperv=${2:-} type=${3:-kvm} arch=${4:-x86_64} emulator=${5:-/usr/bin/qemu-system-x86_64}
    cat <<-END
	<domain type='$type'>
	  <name>$name</name>
	  <uuid>$(printf '%s' "$name" | md5sum | sed 's/\(.\{8\}\)\(....\).\(...\).\(...\)\(.\{12\}\).*/\1-\2-4\3-8\4-\5/')</uuid>
	  <memory unit='KiB'>65536</memory>
	  <os>
	    <type arch='$arch' machine='pc'>hvm</type>
	  </os>
	  <features>
	    <acpi/>${hyperv:+
	    <hyperv mode='custom'>
	      $hyperv
	    </hyperv>}
	  </features>$domain_more
	  <devices>
	    <emulator>$emulator</emulator>
	    <controller type='usb' index='0' model='none'/>
	    <memballoon model='none'/>
	  </devices>
	</domain>
	END
}

zeroed_on="<boot_zeroed_memory state='on'/>"
zeroed_off="<boot_zeroed_memory state='off'/>"
caps_on="<ext_query_caps state='on'/>"
caps_off="<ext_query_caps state='off'/>"
