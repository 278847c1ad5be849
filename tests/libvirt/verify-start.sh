# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest of the qemu provider is looked at when it runs: QEMU has to say that it has what the domain asks for, and KVM
# that it can do its part. One that boots without is stopped, one that was restored is not.
. "$(dirname "$0")/functions.sh"

cannot="unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available: the guest was started without it:"
is_off="QEMU has the CPU property 'hv-xmm-input', but it is off: remove from <qemu:commandline> what turns it off"
ext_is_off=${is_off/xmm-input/avic}

# commandline ARGUMENT...: a domain with the user's own arguments for QEMU.
commandline()
{
    local argument
    echo "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
    for argument in "$@"; do echo "<qemu:arg value='$argument'/>"; done
    echo "</qemu:commandline>"
}

# make HYPERV ARGUMENT...: in.xml
make()
{
    local hyperv=$1
    shift
    { domain a "$hyperv" | sed '$d'; commandline "$@"; echo '</domain>'; } >in.xml
}

gone()
{
    ! virsh domstate a 2>/dev/null | grep -q running
    result $? "$1: it does not run"
}

# says_no TEXT: neither a definition that is started nor a creation is left running.
says_no()
{
    passes "define" virsh define in.xml
    refused "start" "$1" virsh start a
    gone "start"
    refused "start --paused" "$1" virsh start --paused a
    gone "start --paused"
    virsh undefine a >/dev/null
    refused "create" "$1" virsh create in.xml
    refused "it is not there" "failed to get domain 'a'" virsh domstate a
}

kvm able
stand_in
daemon_start plugin hook

make "$zeroed_on"
passes "what QEMU has: create" virsh create in.xml
virsh destroy a >/dev/null
make "$zeroed_on" -cpu qemu64,hv-xmm-input=off
says_no "$cannot $is_off"
make "$zeroed_on" -cpu qemu64,hv-avic=off
says_no "$cannot $ext_is_off"
make "$caps_on" -cpu qemu64,hv-avic=off
says_no "${cannot/boot_zeroed_memory/ext_query_caps} $ext_is_off"
make "$zeroed_off" -cpu qemu64,hv-xmm-input=off,hv-avic=off
passes "what is not asked for need not be there: create" virsh create in.xml
virsh destroy a >/dev/null

# A QEMU that lists a property and does not have it. libvirt must not hear of it, or it would not start.
cat >liar <<END
#!/bin/bash
case "\$*" in
"-machine none "*"-qmp stdio") /usr/bin/qemu-system-x86_64 "\$@" | sed -u 's/hv-xmm-input/hv-made-up/g' ;;
*)
    arguments=()
    for argument; do
        [[ \$argument != *hv-made-up* ]] || { unset 'arguments[-1]'; continue; }
        arguments+=("\$argument")
    done
    exec /usr/bin/qemu-system-x86_64 "\${arguments[@]}"
    ;;
esac
END
chmod 755 liar
configure 'provider = qemu' 'ext-query-caps-property = hv-avic' 'boot-zeroed-mem-property = hv-made-up'
domain a "$zeroed_on" kvm x86_64 "$work/liar" >in.xml
says_no "$cannot QEMU has no CPU property 'hv-made-up': use provider 'preload' or a QEMU that has it"
# QEMU's first proposal has no property for the other one.
configure 'provider = qemu' 'ext-query-caps-property = hv-made-up' 'boot-zeroed-mem-property = hv-avic'
passes "one property implies the other: create" virsh create in.xml
virsh destroy a >/dev/null

# KVM, which QEMU does not ask
stand_in
cat >/etc/libvirt/hooks/qemu.d/99-kvm <<'END'
#!/bin/sh
[ "$2" != started ] || [ ! -e /run/forget ] || echo unable >/run/bootzero-test-kvm
END
chmod 755 /etc/libvirt/hooks/qemu.d/99-kvm
daemon_stop
daemon_start plugin hook
no_kvm="KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV"
touch /run/forget
make "$zeroed_on"
refused "KVM cannot: create" "$cannot $no_kvm" virsh create in.xml
gone "create"
rm /run/forget
kvm able

# What was saved is not lost.
virsh define in.xml >/dev/null
virsh start a >/dev/null
virsh managedsave a >/dev/null
touch /run/forget
passes "restored where KVM cannot" virsh start a
has "the log says so" "$daemon_log" "domain 'a' runs without 'boot_zeroed_memory' hyperv feature, which it asks for: $no_kvm"
[ "$(virsh domstate a | head -1)" = running ]
result $? "it runs"
rm /run/forget
kvm able
has "libvirt tells that QEMU was asked" "$daemon_log" "tainted: custom-monitor"
virsh destroy a >/dev/null
virsh undefine a >/dev/null
daemon_stop
finish
