# SPDX-License-Identifier: LGPL-2.1-or-later
# Domain capabilities name the elements exactly where a guest could be started with them, and are libvirt's to the byte
# otherwise.
. "$(dirname "$0")/functions.sh"

# What libvirt itself says, and the same with the two names at the end of the hyperv features.
daemon_start
virsh domcapabilities >stock.xml || exit 1
virsh domcapabilities --virttype qemu >tcg.xml || exit 1
virsh domcapabilities --arch aarch64 >aarch64.txt 2>&1
awk '/<hyperv supported=.yes.>/ { hyperv = 1 }
     hyperv && /<\/enum>/ {
         print "        <value>boot_zeroed_memory</value>"
         print "        <value>ext_query_caps</value>"
         hyperv = 0
     }
     { print }' stock.xml >wanted.xml
daemon_stop
daemon_start plugin

# advertised|hidden WHEN
advertised()
{
    passes "domcapabilities, $1" virsh domcapabilities
    same "they have both names, $1" wanted.xml out
}
hidden()
{
    passes "domcapabilities, $1" virsh domcapabilities
    same "they are libvirt's, $1" stock.xml out
}

kvm able
stand_in
advertised "provider qemu"
for arguments in "--virttype kvm" "--arch x86_64" "--machine pc" "--emulatorbin /usr/bin/qemu-system-x86_64"; do
    passes "domcapabilities $arguments" virsh domcapabilities $arguments
    same "they have both names" wanted.xml out
done
passes "domcapabilities --virttype qemu" virsh domcapabilities --virttype qemu
same "they are libvirt's" tcg.xml out
virsh domcapabilities --arch aarch64 >out 2>&1
same "another architecture is libvirt's" aarch64.txt out

kvm old
hidden "KVM without extended hypercalls"
kvm unable
hidden "KVM without Hyper-V"

kvm able
configure "provider-library = $work/missing/bootzero-qemu.so"
hidden "neither property nor library"
: >bootzero-qemu.so
configure "provider-library = $work/bootzero-qemu.so"
advertised "provider preload"
configure 'provider = qemu'
hidden "provider qemu, no such property"
configure 'provider = nonsense'
hidden "broken configuration"
has "the log says why" "$daemon_log" "boot_zeroed_memory is not in the domain capabilities: $BZ_CONFIG_FILE: "
daemon_stop
finish
