# SPDX-License-Identifier: LGPL-2.1-or-later
# The same commands on a stock libvirt with an enlightenment it knows, and on bootzero with boot_zeroed_memory, give the
# same transcript but for the name: what is saved, kept in a snapshot or moved, and every refusal to change it.
. "$(dirname "$0")/functions.sh"

known=avic
disk=$work/disk.qcow2
chmod 755 "$work"
editor()
{
    printf '#!/bin/sh\ncp "%s" "$1"\n' "$work/$1.xml" >editor.sh
    chmod +x editor.sh
}

# A daemon that cannot ask the firmware makes up its host's UUID, anew at each start.
say()
{
    echo "\$ $*"
    "$@" </dev/null 2>&1 | sed '/^$/d; s/the same host .*/the same host/'
}

# The lines of an XML that could tell the two apart.
show()
{
    echo "\$ $*"
    "$@" 2>&1 </dev/null | grep -E 'domain|inactiveDomain|hyperv|relaxed|avic|boot_zeroed|bootzero|qemu:|^error|mine'
}

# What QEMU itself was told: the property of the stock enlightenment, or of the one that stands in for bootzero's.
told()
{
    echo "QEMU has it: $(tr '\0' '\n' <"/proc/$(cat /run/libvirt/qemu/a.pid)/cmdline" | grep -cE "$told")"
}

# with_disk: a domain XML gets the disk that snapshots need.
with_disk()
{
    sed "s|<controller|<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='$disk'/>\
<target dev='vda' bus='virtio'/></disk><controller|"
}

# make ELEMENT [OTHER]: on.xml, off.xml, default.xml (the element is not there) and none.xml (no enlightenment is).
# OTHER is what is beside it in <hyperv>.
make()
{
    domain a "${2:-}<$1 state='on'/>" | with_disk >on.xml
    sed "s/<$1 state='on'/<$1 state='off'/" on.xml >off.xml
    sed "s/<$1 [^>]*>//" on.xml >default.xml
    domain a | with_disk >none.xml
}

# refusals COMMAND...: each other state, as the last argument of COMMAND. changes: the same, and then what is there.
refusals()
{
    local state
    for state in off default none; do
        say "$@" "$state.xml"
    done
}

changes()
{
    refusals "$@"
    say "$@" on.xml
}

saved()
{
    say virsh start a
    say virsh save a image
    show virsh save-image-dumpxml image
    changes virsh save-image-define image
    refusals virsh restore --paused image --xml
    say virsh restore image --xml on.xml
    show virsh dumpxml a
    told
    refusals virsh save a image --xml
    say virsh save a image --xml on.xml
    say virsh restore image
    show virsh dumpxml a
    say virsh managedsave a
    show virsh managedsave-dumpxml a
    changes virsh managedsave-define a
    editor default
    EDITOR=$work/editor.sh say virsh managedsave-edit a
    EDITOR=$work/editor.sh say virsh save-image-edit image
    say virsh start a
    show virsh dumpxml --migratable a
    changes virsh migrate --unsafe a qemu:///system --xml
    say virsh destroy a
    rm -f image
}

snapshots()
{
    say virsh start a
    echo '<domainsnapshot><name>s1</name></domainsnapshot>' >snapshot.xml
    say virsh snapshot-create a snapshot.xml
    show virsh snapshot-dumpxml a s1
    virsh snapshot-dumpxml a s1 >s1.xml
    sed "s/<$1 state='on'/<$1 state='off'/" s1.xml >s1-off.xml
    sed "/<$1 /d" s1.xml >s1-default.xml
    sed '/<hyperv/,/<.hyperv/d' s1.xml >s1-none.xml
    sed '/<domain /,/<.domain>/d; /<inactiveDomain /,/<.inactiveDomain>/d' s1.xml >s1-bare.xml
    sed 's/s1/s2/' s1-off.xml >s2.xml
    local xml
    for xml in s1-off s1-default s1-none s1 s1-bare s2; do
        say virsh snapshot-create --redefine a $xml.xml
    done
    show virsh snapshot-dumpxml a s1
    show virsh snapshot-dumpxml a s2
    say virsh snapshot-delete --metadata a s2
    echo '<domaincheckpoint><name>c1</name></domaincheckpoint>' >checkpoint.xml
    say virsh checkpoint-create a checkpoint.xml
    show virsh checkpoint-dumpxml a c1
    virsh checkpoint-dumpxml a c1 >c1.xml
    say virsh checkpoint-create --redefine a c1.xml
    show virsh checkpoint-dumpxml a c1
    say virsh checkpoint-delete a c1
    say virsh snapshot-revert a s1
    show virsh dumpxml a
    say virsh destroy a
    say virsh snapshot-revert a s1
    show virsh dumpxml a
    show virsh dumpxml --inactive a
    told
    say virsh destroy a
    say virsh define off.xml
    say virsh start a
    told
    say virsh snapshot-revert a s1
    show virsh dumpxml a
    told
    say virsh destroy a
    say virsh snapshot-delete a s1
    say virsh define on.xml
}

metadata()
{
    say virsh metadata a urn:bootzero:domain:1
    say virsh metadata a urn:mine --config --key mine --set '<a/>'
    say virsh metadata a urn:mine
    show virsh dumpxml a
    say virsh metadata a urn:bootzero:domain:1
    say virsh metadata a urn:mine --config --remove
    show virsh dumpxml a
}

transcript()
{
    local other
    for other in "<relaxed state='off'/>" ""; do
        rm -f "$disk"
        qemu-img create -q -f qcow2 "$disk" 10M
        make "$1" "$other"
        say virsh define on.xml
        saved
        snapshots "$1"
        metadata
        show virsh domxml-from-native qemu-argv on.xml
        say virsh undefine a
    done
}

kvm able
told="hv-$known=on"
daemon_start
transcript $known >stock.txt 2>&1
daemon_stop
stand_in
told=hv-xmm-input=on
daemon_start plugin
transcript boot_zeroed_memory >plugin.txt 2>&1
passes "domxml-to-native" virsh domxml-to-native qemu-argv on.xml
has "the command line has the property" out "x86_64-cpu.hv-xmm-input=on"
passes "domxml-to-native, state='off'" virsh domxml-to-native qemu-argv off.xml
lacks "the command line does not have it" out "hv-xmm-input"
daemon_stop

for text in "State of HyperV enlightenment feature 'avic' differs: source: 'on', destination: 'off'" \
    "State of HyperV enlightenment feature 'avic' differs: source: 'on', destination: 'default'" \
    "State of feature 'hyperv' differs: source: 'on', destination: 'default'" \
    "reverted" "QEMU has it: 1" "QEMU has it: 0" "Domain snapshot s2 created" "Domain checkpoint c1 created" \
    "file image updated." "Domain restored" "XML configuration edited." "<inactiveDomain " "same host"; do
    has "stock says: $text" stock.txt "$text"
done
sed "s/$known/boot_zeroed_memory/g" stock.txt >expected.txt
same "bootzero's transcript is the stock one" expected.txt plugin.txt
finish
