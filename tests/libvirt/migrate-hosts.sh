# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest that has the feature keeps it wherever it goes: between hosts with the plugin and stock ones, and from a saved
# image. A host that cannot give it what it had refuses it with one line, and the guest stays what and where it was.
. "$(dirname "$0")/functions.sh"
. "$(dirname "$0")/hosts.sh"

told=hv-xmm-input=on
started_without="the guest was started without it, and what it was told may not change while it runs or is saved: start it anew"
too_old="KVM of kernel $(uname -r) does not forward extended hypercalls: Linux 6.3 or newer is needed"
cannot="'boot_zeroed_memory' hyperv feature is not available:"
virsh_at()
{
    local host=$1
    shift
    virsh -q -c "${!host}" "$@"
}

# told_at WHAT HOST TEXT [STATUS]: QEMU of guest a has it in its command line or its environment; not, with STATUS 1.
told_at()
{
    local process
    process=/proc/$(cat "$hosts/$2/run/libvirt/qemu/a.pid" 2>/dev/null || echo none)
    tr '\0' '\n' <"$process/cmdline" >out 2>err
    tr '\0' '\n' <"$process/environ" >>out 2>>err
    grep -qF -- "$3" out
    [ $? = "${4:-0}" ]
    result $? "$1: $3"
}

is_at()
{
    [ "$(virsh_at "$1" domstate a 2>/dev/null)" = running ]
    result $? "it runs at $1"
}

# unharmed GUEST-XML: guest a is at the source as it was, and the destination does not know it.
unharmed()
{
    is_at source
    virsh_at source dumpxml a >now.xml 2>&1
    same "it is what it was" "$1" now.xml
    ! virsh_at destination dominfo a >out 2>&1
    result $? "the destination has nothing of it"
}

# hook_refuses WHAT OPERATION TEXT COMMAND...: the hook's line is the end of what libvirt says.
hook_refuses()
{
    local what=$1 operation=$2 text=$3
    shift 3
    ! "$@" >out 2>err </dev/null &&
        grep -F 'error: Hook script execution failed: ' err | grep -F "/bootzero a $operation begin -" |
        grep -q "exit status 1: bootzero: unsupported configuration: $(printf '%s' "$text" | sed 's/[].[*^$\\]/\\&/g')\$"
    result $? "$what: $text"
}

# A tunnelled migration that the destination refuses, for whatever reason, leaves libvirt's source with freed memory, which it
# then uses: a daemon may end by that, also one without bootzero. Seen with 11.3 and 12.8; 9.0 is sound.
tunnelled=yes
case $("$daemon_program" --version) in
*" 9.0."*) ;;
*) tunnelled= ;;
esac

go() { virsh_at source migrate --live --unsafe a "$destination" "$@"; }
back() { virsh_at destination migrate --live --unsafe a "$source" "$@"; }

for host in source destination; do
    on $host kvm able
    on $host stand_in
done
hosts_start "plugin hook" ""

# There and back again, where the other is stock.
domain a "$zeroed_on" >on.xml
virsh_at source define on.xml
passes "start" virsh_at source start a
virsh_at source dumpxml --migratable a >migratable.xml
has "the migratable form has the element" migratable.xml "      $zeroed_on"
passes "to a stock host" go --xml migratable.xml
told_at "QEMU at the stock host" destination $told
virsh_at destination dumpxml a >stored.xml
has "the stock host has the stored form" stored.xml '<bootzero:boot_zeroed_memory state="on"/>'
lacks "and not the element" stored.xml "<boot_zeroed_memory"
virsh_at destination dumpxml --inactive a >inactive.xml
passes "it is valid" virt-xml-validate inactive.xml domain
passes "from a stock host, peer to peer" back --p2p
told_at "QEMU at the host with the plugin" source $told
virsh_at source dumpxml a >out
has "the element is there" out "      $zeroed_on"
lacks "nothing of the stored form is" out "bootzero:"

# Saved here, restored there.
passes "save" virsh_at source save a "$work/image"
passes "restore at the stock host" virsh_at destination restore image
told_at "QEMU at the stock host" destination $told
passes "save at the stock host" virsh_at destination save a "$work/image"
virsh_at source save-image-dumpxml "$work/image" >image.xml
has "the image has the element" image.xml "      $zeroed_on"
passes "restore" virsh_at source restore "$work/image" --xml image.xml
told_at "QEMU at the host with the plugin" source $told
passes "managedsave" virsh_at source managedsave a
host_stop source
host_start source
host_answers source
passes "start of a managed save without the plugin" virsh_at source start a
told_at "QEMU" source $told
passes "managedsave without the plugin" virsh_at source managedsave a
host_stop source
host_start source plugin hook
host_answers source
passes "start of that with the plugin" virsh_at source start a
told_at "QEMU" source $told

# A domain without anything of ours is between them what it is between stock hosts.
domain plain "<relaxed state='off'/>" >plain.xml
virsh_at destination create plain.xml >out
virsh_at destination dumpxml --inactive plain >expected.xml
passes "a plain domain from a stock host" virsh_at destination migrate --live --unsafe plain "$source"
virsh_at source dumpxml --inactive plain >plain.xml
same "it is what it was" expected.xml plain.xml
virsh_at source destroy plain >out

# A stock host with the hook, where something is missing.
host_stop destination
host_start destination hook
host_answers destination
virsh_at source dumpxml a >guest.xml
on destination kvm old
refusal="host 'destination' cannot take the guest: $cannot"
hook_refuses "an old kernel" migrate "$refusal $too_old" go
unharmed guest.xml
hook_refuses "an old kernel, peer to peer${tunnelled:+ and tunnelled}" migrate "$refusal $too_old" go --p2p ${tunnelled:+--tunnelled}
unharmed guest.xml
on destination kvm able

# ... an emulator without the properties, as one host may have another build of it under the same name
mkdir -p "$hosts/source/var/lib/libvirt/bin" "$hosts/destination/var/lib/libvirt/bin"
emulator=/var/lib/libvirt/bin/qemu-system-x86_64
ln -s /usr/bin/qemu-system-x86_64 "$hosts/source$emulator"
cat >"$hosts/destination$emulator" <<'EMULATOR'
#!/bin/sh
case "$*" in
"-machine none "*"-qmp stdio") /usr/bin/qemu-system-x86_64 "$@" | sed -u s/hv-xmm-input/hv-other/ ;;
*) exec /usr/bin/qemu-system-x86_64 "$@" ;;
esac
EMULATOR
chmod 755 "$hosts/destination$emulator"
virsh_at source destroy a >out
domain a "$zeroed_on" kvm x86_64 $emulator >other.xml
virsh_at source create other.xml >out
virsh_at source dumpxml a >guest.xml
hook_refuses "an emulator without the property" migrate "$refusal emulator '$emulator' (QEMU \
$(qemu-system-x86_64 --version | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')) has no CPU property \
'hv-xmm-input', which provider 'qemu' needs: use provider 'preload' or a QEMU that has it" go
unharmed guest.xml
virsh_at source destroy a >out
virsh_at source undefine a >out

# ... and the provider's library
library=/var/lib/libvirt/bootzero/bootzero-qemu.so
mkdir "$(dirname "$hosts/source$library")"
cat "$BZ_PROVIDER" >"$hosts/source$library"
on source configure 'provider = preload' "provider-library = $library" 'ext-query-caps-property = hv-avic' \
    'boot-zeroed-mem-property = hv-xmm-input'
domain a "<avic state='on'/>
      $zeroed_on" >preload.xml
passes "create with provider preload" virsh_at source create preload.xml
told_at "QEMU" source "LD_PRELOAD=$library"
virsh_at source dumpxml a >guest.xml
hook_refuses "no library" migrate "$refusal provider library '$library': No such file or directory: install bootzero's \
provider, or correct provider-library in bootzero.conf; or take provider 'qemu', which this host has: give migrate \
--xml, restore --xml or managedsave-define what 'virt-bootzero translate' makes here of the guest's XML" go
unharmed guest.xml
virsh_at source dumpxml --migratable a >migratable.xml
kvm able # and configured as the destination: a translation there
stand_in
passes "the remedy it names" env LD_PRELOAD="${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_SEAMS" "$VIRT_BOOTZERO" translate migratable.xml
mv out translated.xml
passes "migrate with that" go --xml translated.xml
told_at "QEMU has the other provider" destination $told
lacks "and not the first" out "bootzero-qemu.so"
is_at destination
virsh_at destination destroy a >out

# A host with the plugin says so before the hook, and chooses the provider that it has.
host_stop destination
host_start destination plugin hook
host_answers destination
passes "create with provider preload" virsh_at source create preload.xml
virsh_at source dumpxml a >guest.xml
virsh_at source dumpxml --migratable a >migratable.xml
on destination kvm unable
no_hyperv="KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV"
for way in "" --p2p ${tunnelled:+"--p2p --tunnelled"} "--xml migratable.xml"; do
    # shellcheck disable=SC2086
    refused "no Hyper-V there${way:+, $way}" "unsupported configuration: $refusal $no_hyperv" go $way
done
unharmed guest.xml
on destination kvm able
on source kvm unable # of which the running guest knows nothing
passes "migrate, with XML from a host that could not start it" go --xml migratable.xml
on source kvm able
told_at "QEMU has the provider of this host" destination $told
lacks "and not the other's" out "bootzero-qemu.so"
passes "and back" back
told_at "QEMU has the provider of that host" source "LD_PRELOAD=$library"
lacks "and not the other's" out "$told"
virsh_at source dumpxml a >now.xml
sed "s/ id='[0-9]*'//" guest.xml >guest-without-id.xml
sed "s/ id='[0-9]*'//" now.xml >now-without-id.xml
same "its XML is what it was" guest-without-id.xml now-without-id.xml

# A definition may go where it cannot start.
on destination kvm old
virsh_at source define preload.xml >out
passes "migrate --offline" virsh_at source migrate --offline --persistent a "$destination"
virsh_at destination dumpxml a >out
has "the element is there" out "      $zeroed_on"
virsh_at destination undefine a >out
on destination kvm able

# Saved, and the host has lost what it takes. The image stays as it is.
passes "save" virsh_at source save a "$work/image"
cp image image.before
refusal="host 'source' cannot take the guest: $cannot"
on source kvm old
hook_refuses "restore" restore "$refusal $too_old" virsh_at source restore image
virsh_at source save-image-dumpxml image >image.xml
refused "restore --xml" "unsupported configuration: $refusal $too_old" virsh_at source restore image --xml image.xml
passes "save-image-define takes it along" virsh_at source save-image-define image image.xml
same "the image is what it was" image.before image
on source kvm able
passes "restore" virsh_at source restore image
told_at "QEMU" source "LD_PRELOAD=$library"
passes "managedsave" virsh_at source managedsave a
cp "$hosts/source/var/lib/libvirt/qemu/save/a.save" image.before
on source kvm old
hook_refuses "start of a managed save" prepare "$refusal $too_old" virsh_at source start a
[ "$(virsh_at source list --all --with-managed-save --name)" = a ]
result $? "it is still saved"
same "the image is what it was" image.before "$hosts/source/var/lib/libvirt/qemu/save/a.save"
on source kvm able
passes "start of a managed save" virsh_at source start a
passes "managedsave" virsh_at source managedsave a
mv "$hosts/source$library" bootzero-qemu.so
on source stand_in
hook_refuses "start of a managed save, with another provider" prepare "$refusal provider library '$library': No such \
file or directory: install bootzero's provider, or correct provider-library in bootzero.conf; or take provider 'qemu', \
which this host has: give migrate --xml, restore --xml or managedsave-define what 'virt-bootzero translate' makes here of \
the guest's XML" virsh_at source start a
virsh_at source managedsave-dumpxml a >image.xml
passes "the remedy it names" virsh_at source managedsave-define a image.xml
passes "start of a managed save" virsh_at source start a
told_at "QEMU has the other provider" source $told
mv bootzero-qemu.so "$hosts/source$library"
on source configure "provider-library = $library" 'ext-query-caps-property = hv-avic' 'provider = preload' \
    'boot-zeroed-mem-property = hv-xmm-input'
virsh_at source destroy a >out
virsh_at source undefine a >out

# A guest that was started without what it asks for, where nothing refused that, does not get it on the way.
on source kvm old
virsh_at source define preload.xml >out
host_stop source
host_start source
host_answers source
passes "start where nothing refuses it" virsh_at source start a
told_at "QEMU knows nothing of it" source "BOOTZERO=" 1
host_stop source
host_start source plugin
host_answers source
on source kvm able
virsh_at source dumpxml a >guest.xml
has "the element is there" guest.xml "      $zeroed_on"
virsh_at source dumpxml --migratable a >migratable.xml
refusal="unsupported configuration: host 'destination' cannot take the guest: $cannot $started_without"
refused "migrate" "$refusal" go
refused "migrate --p2p --xml" "$refusal" go --p2p --xml migratable.xml
unharmed guest.xml
passes "save --xml" virsh_at source save a "$work/image" --xml migratable.xml
refused "restore --xml" "${refusal/destination/source}" virsh_at source restore image --xml migratable.xml
passes "save-image-define" virsh_at source save-image-define image migratable.xml
passes "restore" virsh_at source restore image
told_at "QEMU knows nothing of it" source "BOOTZERO=" 1
virsh_at source destroy a >out
virsh_at source define preload.xml >out
hosts_stop

# Between stock hosts, with the plugin in the client: the guest's own provider goes with it, whatever the client's machine
# has.
with_plugin()
{
    LD_PRELOAD=${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_PLUGIN:$BZ_SEAMS virsh -q "$@"
}
hosts_start "" ""
kvm unable
stand_in
passes "start at a stock host" virsh_at source start a
told_at "QEMU" source "LD_PRELOAD=$library"
with_plugin -c "$source" dumpxml --migratable a >migratable.xml
has "the element is there" migratable.xml "      $zeroed_on"
sed "s/zeroed_memory state='on'/zeroed_memory state='off'/" migratable.xml >off.xml
refused "migrate --xml, changed" "unsupported configuration: State of HyperV enlightenment feature 'boot_zeroed_memory' \
differs: source: 'on', destination: 'off'" with_plugin -c "$source" migrate --live --unsafe a "$destination" --xml off.xml
passes "migrate --xml" with_plugin -c "$source" migrate --live --unsafe a "$destination" --xml migratable.xml
told_at "QEMU" destination "LD_PRELOAD=$library"
hosts_stop
finish
