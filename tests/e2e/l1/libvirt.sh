# SPDX-License-Identifier: LGPL-2.1-or-later
# A libvirtd of L1's own, and domains like examples/win11.xml whose system is the test guest. Sourced after lib.sh.

PLUGIN=$(echo /usr/lib/*/bootzero/bootzero-libvirt.so)
EXAMPLE=/bootzero/examples/win11.xml
HOOK=/etc/libvirt/hooks/qemu.d/bootzero
DOMAIN_LOG=/var/log/libvirt/qemu
export LIBVIRT_DEFAULT_URI=qemu:///system

# Debian's unprivileged user where /dev/kvm is ours to open for it.
if [ "$BOOTZERO_L1" = nested ]; then QEMU_USER=libvirt-qemu; else QEMU_USER=root; fi

configure_libvirtd() {
    mkdir -p /var/lib/guests /var/log/libvirt
    # QEMU's user must reach the guests, which only root may otherwise.
    cp "$GUEST" /var/lib/guests/guest
    chmod 755 /var/lib/guests
    chmod 644 /var/lib/guests/guest
    cat >/etc/libvirt/libvirtd.conf <<END
auth_unix_rw = "none"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
END
    cat >/etc/libvirt/qemu.conf <<END
user = "$QEMU_USER"
group = "$QEMU_USER"
security_driver = "none"
stdio_handler = "file"
END
}

# start_libvirtd [WRAPPER...]: with the plugin unless PLUGIN is empty, and waits until it answers.
start_libvirtd() {
    env ${PLUGIN:+"LD_PRELOAD=$PLUGIN"} "$@" libvirtd >/tmp/libvirtd.out 2>&1 &
    LIBVIRTD=$!
    start_waited=0
    until virsh -q uri >/dev/null 2>&1; do
        start_waited=$((start_waited + 1))
        if [ $start_waited = 1200 ] || ! kill -0 $LIBVIRTD; then
            echo "libvirtd does not answer"
            cat /tmp/libvirtd.out /var/log/libvirt/libvirtd.log
            return 1
        fi
        sleep 0.2
    done
}

stop_libvirtd() {
    kill $LIBVIRTD
    wait $LIBVIRTD
    true
}

# domain NAME MIB WORDS: XML with the features of the example, the element among them.
domain() {
    cat <<END
<domain type='kvm'>
  <name>$1</name>
  <memory unit='MiB'>$2</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>/var/lib/guests/guest</kernel>
    <cmdline>$3</cmdline>
  </os>
$(sed -n -e '/<features>/,/<\/features>/p' -e '/<cpu /p' -e '/<clock /,/<\/clock>/p' "$EXAMPLE")
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <serial type='file'>
      <source path='/var/lib/guests/$1.out'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
END
}

# The same XML without the element.
without_element() { grep -v '<boot_zeroed_memory'; }

# wait_done NAME: until the guest has printed its last line. wait_line NAME TEXT: or another one that starts with TEXT.
wait_done() { wait_line "$1" "done "; }
wait_line() {
    done_waited=0
    until grep -q "^$2" "/var/lib/guests/$1.out" 2>/dev/null; do
        done_waited=$((done_waited + 1))
        if [ $done_waited = 3000 ]; then
            echo "$1 has not ended in 600 s"
            cat "/var/lib/guests/$1.out" "$DOMAIN_LOG/$1.log"
            return 1
        fi
        sleep 0.2
    done
}

# wait_off NAME: until libvirt has seen that the guest is off.
wait_off() {
    off_waited=0
    until [ "$(virsh -q domstate "$1" 2>&1 | head -n 1)" = "shut off" ]; do
        off_waited=$((off_waited + 1))
        [ $off_waited -lt 1200 ] || { echo "$1 is still $(virsh domstate "$1")"; return 1; }
        sleep 0.2
    done
}

# run_domain NAME: starts it and waits for the guest's last line.
run_domain() {
    rm -f "/var/lib/guests/$1.out"
    virsh -q start "$1" && wait_done "$1"
}

# refused TEXT COMMAND...: it fails, and its error has TEXT.
refused() {
    refused_text=$1
    shift
    if refused_output=$("$@" 2>&1); then
        echo "it was not refused: $refused_output"
        return 1
    fi
    echo "$refused_output"
    echo "$refused_output" | grep -qF -- "$refused_text" || { echo "the error lacks: $refused_text"; return 1; }
}

# has TEXT COMMAND...: its output has TEXT. lacks: it has not.
has() {
    has_text=$1
    shift
    has_output=$("$@" 2>&1) || { echo "$has_output"; return 1; }
    echo "$has_output" | grep -qF -- "$has_text" || { echo "$has_output"; echo "there is no $has_text"; return 1; }
}
lacks() {
    has_text=$1
    shift
    has_output=$("$@" 2>&1) || { echo "$has_output"; return 1; }
    ! echo "$has_output" | grep -F -- "$has_text" || { echo "$has_output"; return 1; }
}

# measure ROUNDS NAME...: creates each domain from /tmp/NAME.xml and prints what it took when its guest halts for good:
# the process's resident memory, and the clock ticks its vCPU's thread ran.
measure() {
    measure_rounds=$1
    shift
    for measure_round in $(seq "$measure_rounds"); do
        for measure_name; do
            rm -f "/var/lib/guests/$measure_name.out"
            virsh -q create "/tmp/$measure_name.xml" && wait_done "$measure_name" || return 1
            measure_pid=$(cat "/run/libvirt/qemu/$measure_name.pid")
            # The name in parentheses may have spaces: what follows is counted from its end.
            measure_vcpu=$(grep -l '^CPU 0/KVM' /proc/"$measure_pid"/task/*/comm)
            measure_ticks=$(sed 's/.*) //' "${measure_vcpu%/comm}/stat" | awk '{ print $12 + $13 }')
            measure_rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$measure_pid/status")
            echo "zeroing element=$measure_name round=$measure_round rss-kb=$measure_rss ticks=$measure_ticks" \
                "zeroed-pages=$(value "/var/lib/guests/$measure_name.out" zeroed pages)" \
                "result=$(value "/var/lib/guests/$measure_name.out" done result)"
            virsh -q destroy "$measure_name"
        done
    done
}

# The states of one guest in the order they came to `virt-bootzero watch >/tmp/watch.out`, without those that came twice.
states() { sed -n "s/^[0-9:]*  $1  \([a-z]*\), generation.*/\1/p" /tmp/watch.out | uniq | tr '\n' ' '; }
# saw GUEST "STATE... "
saw() {
    [ "$(states "$1")" = "$2" ] || { echo "seen: $(states "$1")"; cat /tmp/watch.out; return 1; }
}
