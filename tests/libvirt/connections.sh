# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-bootzero's commands on other connections than that of command-line.sh: a user's session, whose daemon comes by itself,
# with the plugin and without; libvirt's test driver; one that may only read; and domains that go away.
. "$(dirname "$0")/functions.sh"

bz()
{
    LD_PRELOAD="${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_SEAMS" "$VIRT_BOOTZERO" "$@"
}

kvm able
stand_in
BZ_DAEMON_PRELOAD=${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_SEAMS daemon_start hook
domain a "<relaxed state='on'/>" >a.xml
virsh define a.xml >/dev/null
cp /etc/libvirt/qemu/a.xml stored.xml

read_only="qemu:///system?socket=/run/libvirt/libvirt-sock-ro"
for command in enable disable edit refresh; do
    refused "read-only: $command" "operation forbidden: virDomainGetXMLDesc with secure flag" bz -c "$read_only" $command a
    refused "$command nothing" "failed to get domain 'none': Domain not found: no domain with matching name 'none'" \
        bz $command none
done
same "nothing was stored" stored.xml /etc/libvirt/qemu/a.xml

refused "test driver: enable" "unsupported configuration: 'boot_zeroed_memory' hyperv feature needs KVM, and the domain has \
type='test': set type='kvm' or remove the feature" bz -c test:///default enable test
passes "test driver: disable" bz -c test:///default disable test
passes "test driver: refresh" bz -c test:///default refresh test
refused "no such libvirt" "internal error: unexpected qemu URI path '/none', try qemu:///system" bz -c qemu:///none enable a

# The domain goes while it is edited.
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
cat >editor.sh <<'END2'
#!/bin/sh
virsh undefine a >/dev/null
sed -i "s|<acpi/>|<apic/>|" "$1"
END2
chmod +x editor.sh
! EDITOR=$work/editor.sh bz edit a >out 2>err </dev/null && grep -q "^error: Domain not found: " err
result $? "edit of a domain that goes away"
kept=$(sed -n "s/^The edited text is in '\(.*\)'$/\1/p" err)
has "the text is kept" "$kept" "<apic/>"
daemon_stop

# A user who may open /dev/kvm, and is not root for libvirt.
export XDG_RUNTIME_DIR=$work/runtime
mkdir "$XDG_RUNTIME_DIR"
export LIBVIRT_DEFAULT_URI=qemu:///session
stored=$work/.config/libvirt/qemu/s.xml
user()
{
    unshare --user --map-user=1000 --map-group=1000 "$@"
}
virsh()
{
    LD_PRELOAD=$preload user virsh "$@"
}
user true 2>/dev/null || { echo "skipped: no user namespaces here" >&2; exit 77; }

for plugin in "" plugin; do
    # With what the client has preloaded, its daemon comes.
    preload=${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_SEAMS
    [ -z "$plugin" ] || preload=${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_PLUGIN:$BZ_SEAMS
    domain s "<relaxed state='on'/>" >s.xml
    passes "session${plugin:+ with the plugin}: define" virsh define s.xml
    passes "enable" user bash -c "$(declare -f bz); bz enable s"
    has "it is stored" "$stored" "<qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"
    passes "start" virsh start s
    virsh destroy s >/dev/null
    passes "refresh" user bash -c "$(declare -f bz); bz refresh s"
    virsh dumpxml s >out
    [ -z "$plugin" ] && shown='<bootzero:boot_zeroed_memory state="on"/>' || shown="      $zeroed_on"
    has "it is shown as $shown" out "$shown"

    # The plugin mends it at a start. Without it the system's hook, which a session runs too, says what does.
    kvm unable
    user bash -c "$(declare -f bz); bz disable s; bz enable s" >/dev/null 2>&1
    lacks "a host that cannot" "$stored" "qemu:"
    kvm able
    if [ -z "$plugin" ]; then
        ! virsh start s >out 2>err && grep -q "^error: Hook script execution failed: .*: virt-bootzero refresh 's'$" err
        result $? "the hook refuses, and names the command"
        passes "refresh" user bash -c "$(declare -f bz); bz refresh s"
    fi
    passes "start" virsh start s
    has "it is stored" "$stored" "<qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"
    virsh destroy s >/dev/null
    passes "disable" user bash -c "$(declare -f bz); bz disable s"
    lacks "nothing is left of it" "$stored" "qemu:"
    virsh undefine s >/dev/null
    pid=$(cat "$XDG_RUNTIME_DIR/libvirt/libvirtd.pid")
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
done
finish
