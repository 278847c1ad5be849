# SPDX-License-Identifier: LGPL-2.1-or-later
# Emulators that are missing, or that hang, crash or talk nonsense when they are probed. Create is refused with the
# reason; define is accepted, and start is refused by the hook. For libvirt itself they are an ordinary QEMU.
. "$(dirname "$0")/functions.sh"

kvm able
configure 'provider = qemu' 'ext-query-caps-property = hv-avic' 'boot-zeroed-mem-property = hv-xmm-input' \
    'probe-timeout = 5'

# emulator NAME COMMAND: a QEMU that runs COMMAND instead where it is started as the probe does.
emulator()
{
    cat >"$work/$1" <<-END
	#!/bin/sh
	case "\$*" in
	"-machine none "*"-qmp stdio") $2 ;;
	*) exec /usr/bin/qemu-system-x86_64 "\$@" ;;
	esac
	END
	chmod 755 "$work/$1"
}

greeting='{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}'
emulator hang 'exec sleep 1000'
emulator hang-later "echo '$greeting'; exec sleep 1000"
emulator crash 'kill -SEGV $$'
emulator fail 'echo "qemu: no such thing" >&2; exit 3'
emulator garbage 'while :; do echo "this is not QMP"; done'
emulator slow 'exec sleep 1000'
emulator flood 'while :; do echo "{\"a\": 1}"; done'
emulator deep 'head -c 100000 /dev/zero | tr "\0" "["; sleep 1000'
emulator silent 'exit 0'

cannot="'boot_zeroed_memory' hyperv feature is not available: emulator '$work"
daemon_start plugin hook

broken()
{
    local name=$1 text=$2
    domain "$name" "$zeroed_on" kvm x86_64 "$work/$name" >in.xml
    refused "$name, create" "unsupported configuration: $cannot/$name' $text" timeout 30 virsh create in.xml
    passes "$name, define" timeout 60 virsh define in.xml
    has "only the marker is stored" "/etc/libvirt/qemu/$name.xml" '<bootzero:boot_zeroed_memory state="on"/>'
    lacks "only the marker" "/etc/libvirt/qemu/$name.xml" "qemu:"
    ! timeout 30 virsh start "$name" >out 2>err && grep -qF -- "$cannot/$name' $text" err
    result $? "$name, start"
}

patience="within 5 seconds of the start of its probe: try it by hand, or raise probe-timeout in bootzero.conf"
broken hang "gave no answer to the QMP handshake $patience"
broken hang-later "gave no answer to 'qmp_capabilities' $patience"
broken crash "was killed by signal 11 (Segmentation fault) when probed"
broken fail "ended with exit status 3 when probed: qemu: no such thing"
broken silent "ended with exit status 0 when probed"
broken garbage "sent garbage: 'this is not QMP': it is not a QEMU system emulator, or broken"
broken flood "sent garbage: '{\"a\":1}': it is not a QEMU system emulator, or broken"
broken deep "sent garbage: '$(head -c 60 /dev/zero | tr '\0' '[')...': it is not a QEMU system emulator, or broken"

# One that is not there, not a program, or not root's alone is not run at all.
domain missing "$zeroed_on" kvm x86_64 "$work/missing" >in.xml
refused "missing, create" "unsupported configuration: $cannot/missing' does not exist: install it or correct <emulator>" \
    virsh create in.xml
: >"$work/file"
domain file "$zeroed_on" kvm x86_64 "$work/file" >in.xml
refused "not a program, create" "unsupported configuration: $cannot/file' is not an executable file" virsh create in.xml
emulator others "touch $work/was-run"
chmod 777 others
domain others "$zeroed_on" kvm x86_64 "$work/others" >in.xml
refused "writable for others, create" "unsupported configuration: $cannot/others' is not trusted: others can write to \
'$work/others' (mode 0777): chmod go-w it" virsh create in.xml
[ ! -e was-run ]
result $? "it was not run"

# A probe that hangs holds up nobody else. It would for a minute; it is ended here as soon as it has been shown.
configure 'provider = qemu' 'ext-query-caps-property = hv-avic' 'boot-zeroed-mem-property = hv-xmm-input' \
    'probe-timeout = 60'
domain slow "$zeroed_on" kvm x86_64 "$work/slow" >in.xml
virsh create in.xml >out 2>&1 &
slow=$!
domain other >other.xml
until probe=$(pgrep -f "sleep 1000"); do
    sleep 0.1
done
passes "another client meanwhile" virsh define other.xml
kill -0 "$slow" 2>/dev/null
result $? "the probe still hangs"
kill $probe
wait "$slow"

# No probe outlives its answer.
! pgrep -f "sleep 1000" >out
result $? "nothing of the probes is left"
daemon_stop
finish
