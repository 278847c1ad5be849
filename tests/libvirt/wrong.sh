# SPDX-License-Identifier: LGPL-2.1-or-later
# Wrong elements and domains that cannot have them: each refused, by define and by create, in libvirt's words; and domains
# that have little of them: each accepted, with a warning.
. "$(dirname "$0")/functions.sh"

kvm able
stand_in
daemon_start plugin

# The domain XML is in.xml.
both_refuse()
{
    refused "$1, define" "$2" virsh define in.xml
    refused "$1, create" "$2" virsh create in.xml
}

# wrong WHAT HYPERV TEXT [TYPE [ARCH]]
wrong()
{
    domain wrong "$2" "${@:4}" >in.xml
    both_refuse "$1" "$3"
}

for element in boot_zeroed_memory ext_query_caps; do
    wrong "state='maybe'" "<$element state='maybe'/>" \
        "XML error: Invalid value for attribute 'state' in element '$element': 'maybe'."
    wrong "state=''" "<$element state=''/>" \
        "XML error: Invalid value for attribute 'state' in element '$element': ''."
    wrong "state='ON'" "<$element state='ON'/>" \
        "XML error: Invalid value for attribute 'state' in element '$element': 'ON'."
    wrong "no state" "<$element/>" "XML error: Missing required attribute 'state' in element '$element'"
    wrong "unknown attribute" "<$element state='on' size='4'/>" \
        "XML error: Unknown attribute 'size' in element '$element': only 'state' is allowed"
    wrong "unknown child" "<$element state='on'><direct state='on'/></$element>" \
        "XML error: Unexpected element 'direct' in element '$element': it must be empty"
    wrong "text" "<$element state='on'>yes</$element>" \
        "XML error: Unexpected text in element '$element': it must be empty"
    wrong "twice" "<$element state='on'/><$element state='on'/>" \
        "XML error: element '$element' is given more than once: remove all but one"
done

wrong "dependency" "$caps_off$zeroed_on" "unsupported configuration: 'boot_zeroed_memory' hyperv feature requires \
'ext_query_caps': remove <ext_query_caps state='off'/> or set its state to 'on'"

wrong "TCG" "$zeroed_on" "unsupported configuration: 'boot_zeroed_memory' hyperv feature needs KVM, and the domain has \
type='qemu': set type='kvm' or remove the feature" qemu
for arch in aarch64 s390x; do
    wrong "$arch" "$zeroed_on" "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available for \
architecture '$arch': it needs 'x86_64' or 'i686'; remove the feature" kvm $arch
done

domain_more="
  <launchSecurity type='sev'>
    <policy>0x0003</policy>
    <cbitpos>47</cbitpos>
    <reducedPhysBits>1</reducedPhysBits>
  </launchSecurity>"
wrong "SEV" "$zeroed_on" "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with \
launchSecurity type='sev', whose guest does not read the host's zeros as zeros: remove the feature"
domain_more="
  <memoryBacking>
    <source type='file'/>
  </memoryBacking>"
wrong "memory of a file" "$zeroed_on" "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with \
memoryBacking source type='file', whose old content the guest would read: use type='memfd' or 'anonymous' or remove the feature"
domain_more=

domain wrong "$zeroed_on" | sed "s/mode='custom'/mode='passthrough'/" >in.xml
both_refuse "passthrough" "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available with hyperv \
mode='passthrough', which overrides single features: use mode='custom' or remove the feature"

domain wrong | sed "s|<acpi/>|<acpi/>$zeroed_on|" >in.xml
both_refuse "in features" \
    "XML error: element 'boot_zeroed_memory' is not allowed in element 'features': it belongs in <features><hyperv>"
domain wrong | sed "s|<devices>|<devices>$zeroed_on|" >in.xml
both_refuse "in devices" \
    "XML error: element 'boot_zeroed_memory' is not allowed in element 'devices': it belongs in <features><hyperv>"

# A marker someone wrote by hand is held to the same rules.
for content in "<b:boot_zeroed_memory state='maybe'/>|Invalid value for attribute 'state' in element \
'boot_zeroed_memory': 'maybe'." "<b:boot_zeroed_memory/>|Missing required attribute 'state' in element \
'boot_zeroed_memory'"; do
    domain_more="<metadata><b:features xmlns:b='urn:bootzero:domain:1'>${content%%|*}</b:features></metadata>"
    wrong "marker ${content%%|*}" "" "XML error: ${content#*|}"
done
domain_more=

passes "list" virsh list --all --name
[ -z "$(tr -d '\n' <out)" ]
result $? "nothing was defined or created"

# The refusals are in the daemon's log, as libvirt's own are.
has "the log has the refusal" "$daemon_log" "XML error: Invalid value for attribute 'state' in element \
'boot_zeroed_memory': 'maybe'."

# Memory that others write is no obstacle for a definition; the provider that would not see them is not started with it.
domain_more="<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
domain shared "$zeroed_on" >in.xml
passes "shared memory, define" virsh define in.xml
refused "shared memory, create" "unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available: provider \
'qemu' does not see what other processes write to the guest's memory (memoryBacking access mode='shared'): use provider \
'preload', or memory that is not shared" virsh create in.xml
virsh undefine shared >/dev/null

# What works and saves little is accepted, and the log says so.
# warned WHAT TEXT: the rest of the domain is $domain_more and $device.
warned()
{
    : >"$daemon_log"
    domain warned "$zeroed_on" | sed "s|<memballoon|$device<memballoon|" >in.xml
    passes "$1, define" virsh define in.xml
    has "$1: $2" "$daemon_log" "warning : bootzero:"
    has "it says why" "$daemon_log" "domain 'warned': $2"
    virsh undefine warned >/dev/null
}
device=
domain_more="<memoryBacking><locked/></memoryBacking>"
warned "locked" "memoryBacking locked makes all of the guest's memory resident: boot_zeroed_memory will find little to report; \
remove it to save memory"
domain_more="<memoryBacking><hugepages/></memoryBacking>"
warned "hugepages" "memoryBacking hugepages makes all of the guest's memory resident when it starts: boot_zeroed_memory saves the \
guest the time of zeroing it, and the host no memory"
domain_more="<memoryBacking><allocation mode='immediate'/></memoryBacking>"
warned "immediate" "memoryBacking allocation mode='immediate' makes all of the guest's memory resident when it starts: \
boot_zeroed_memory saves the guest the time of zeroing it, and the host no memory"
domain_more=
device="<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='1' slot='0' function='0'/></source>\
</hostdev>"
warned "VFIO" "a passed-through PCI device makes all of the guest's memory resident: boot_zeroed_memory will find little to \
report; remove the device to save memory"
device=

daemon_stop
finish
