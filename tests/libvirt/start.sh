# SPDX-License-Identifier: LGPL-2.1-or-later
# Where this host cannot do it: define is accepted, as libvirt does for any feature; start and create are refused with
# the reason. And what is started has nothing of the plugin in it. What the hook says where there is no plugin, and what is
# mended at start, is in refresh.sh.
. "$(dirname "$0")/functions.sh"

# start_refused WHAT NAME TEXT
start_refused()
{
    refused "$1" "unsupported configuration: $3" virsh start "$2"
    [ "$(virsh domstate "$2" | head -1)" = "shut off" ]
    result $? "it is shut off"
}

cannot="'boot_zeroed_memory' hyperv feature is not available:"
no_hyperv="$cannot KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV"
too_old="$cannot KVM of kernel $(uname -r) does not forward extended hypercalls: Linux 6.3 or newer is needed"

stand_in
daemon_start plugin hook
for answer in unable old; do
    kvm $answer
    [ $answer = old ] && reason=$too_old || reason=$no_hyperv
    domain a "$zeroed_on" >in.xml
    passes "define, KVM $answer" virsh define in.xml
    passes "dumpxml" virsh dumpxml --inactive a
    has "the element is there" out "      $zeroed_on"
    has "only the marker is stored" /etc/libvirt/qemu/a.xml '<bootzero:boot_zeroed_memory state="on"/>'
    lacks "only the marker" /etc/libvirt/qemu/a.xml "qemu:"
    passes "it is valid" virt-xml-validate /etc/libvirt/qemu/a.xml domain
    has "the log says what define accepted" "$daemon_log" "warning : bootzero"
    has "and why" "$daemon_log" "$reason"
    start_refused "start, KVM $answer" a "$reason"
    domain b "$zeroed_on" >in.xml
    refused "create, KVM $answer" "unsupported configuration: $reason" virsh create in.xml
done

# What needs nothing of the host is started all the same.
domain off "$zeroed_off" >in.xml
passes "define, state='off'" virsh define in.xml
passes "start" virsh start off
passes "destroy" virsh destroy off
passes "create, state='off'" virsh create in.xml
passes "destroy" virsh destroy off

# ext_query_caps alone is the same feature of KVM.
domain caps "$caps_on" >in.xml
refused "create, ext_query_caps" "unsupported configuration: ${too_old/boot_zeroed_memory/ext_query_caps}" \
    virsh create in.xml

# A host that has learnt it since
kvm able
passes "start" virsh start a
has "the arguments are stored" /etc/libvirt/qemu/a.xml "<qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"
passes "destroy" virsh destroy a

# A host that has unlearnt it: the arguments are there, and QEMU would take them and do nothing.
kvm unable
start_refused "start with arguments, KVM unable" a "$no_hyperv"

# A provider that has gone.
kvm able
configure 'provider = qemu' 'boot-zeroed-mem-property = hv-no-such-thing'
domain gone "$zeroed_on" >in.xml
refused "create, no such property" "unsupported configuration: $cannot emulator '/usr/bin/qemu-system-x86_64' (QEMU \
$(qemu-system-x86_64 --version | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')) has no CPU property \
'hv-no-such-thing', which provider 'qemu' needs: use provider 'preload' or a QEMU that has it" virsh create in.xml
: >bootzero-qemu.so
configure "provider-library = $work/bootzero-qemu.so"
refused "create, no other enlightenment" "unsupported configuration: $cannot provider 'preload' needs another \
enlightenment, for QEMU to offer Hyper-V at all: add one to <hyperv>, for example <relaxed state='on'/>" virsh create in.xml
domain gone "<relaxed state='on'/>
      $zeroed_on" >in.xml
passes "define with the library" virsh define in.xml
rm bootzero-qemu.so
start_refused "start without the library" gone "$cannot provider library '$work/bootzero-qemu.so': No such file or directory: \
install bootzero's provider, or correct provider-library in bootzero.conf"

# The plugin stays in the daemon: neither hooks nor QEMU inherit it, and what else was preloaded they do.
stand_in
mkdir -p /etc/libvirt/hooks/qemu.d
cat >/etc/libvirt/hooks/qemu.d/00-environment <<END
#!/bin/sh
env >>$work/hook-environment
END
chmod +x /etc/libvirt/hooks/qemu.d/00-environment
daemon_stop
daemon_start plugin hook
passes "start" virsh start a
pid=$(cat /run/libvirt/qemu/a.pid)
tr '\0' '\n' <"/proc/$pid/environ" >qemu-environment
for who in hook qemu; do
    lacks "the plugin is not in the environment of $who" $who-environment "bootzero-libvirt"
    has "another preloaded library is" $who-environment "$BZ_SEAMS"
done
lacks "the plugin is not in QEMU" "/proc/$pid/maps" "bootzero-libvirt"
has "the plugin is in the daemon" "/proc/$daemon_pid/maps" "bootzero-libvirt"
passes "destroy" virsh destroy a
daemon_stop
finish
