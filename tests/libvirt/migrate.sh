# SPDX-License-Identifier: LGPL-2.1-or-later
# The same migrations between two stock hosts with an enlightenment libvirt knows, and between two with bootzero and
# boot_zeroed_memory, give the same transcript but for the name: every way to migrate, and every refusal to change the
# guest on the way.
. "$(dirname "$0")/functions.sh"
. "$(dirname "$0")/hosts.sh"

known=avic
declare -A uri=([source]=$source [destination]=$destination)

# on.xml, off.xml, default.xml (the element is not there) and none.xml (no enlightenment is).
make()
{
    domain a "<relaxed state='off'/><$1 state='on'/>" >on.xml
    sed "s/<$1 state='on'/<$1 state='off'/" on.xml >off.xml
    sed "s/<$1 [^>]*>//" on.xml >default.xml
    domain a >none.xml
}

# at HOST VIRSH-ARGUMENT...
at()
{
    local host=$1
    shift
    echo "$host\$ virsh ${*/#qemu*hosts/...}"
    virsh -q -c "${uri[$host]}" "$@" </dev/null 2>&1 | sed '/^$/d'
}

# The lines of an XML that could tell the two apart.
show()
{
    at "$@" | grep -E "\\$|domain|hyperv|relaxed|$element|bootzero|qemu:|^error" | sed "s/ id='[0-9]*'//"
}

# Where the guest is, and what QEMU was told there.
where()
{
    local host
    for host in source destination; do
        virsh -q -c "${uri[$host]}" list --all --persistent | sed "s/^ *[0-9-]* */$host, persistent: /"
        virsh -q -c "${uri[$host]}" list --all --transient | sed "s/^ *[0-9-]* */$host, transient: /"
        [ ! -e "$hosts/$host/run/libvirt/qemu/a.pid" ] ||
            echo "QEMU of $host has it: $(tr '\0' '\n' <"/proc/$(cat "$hosts/$host/run/libvirt/qemu/a.pid")/cmdline" |
                grep -cE "$told")"
    done
}

go() { at source migrate --unsafe a "$destination" "$@"; }
back() { at destination migrate --unsafe a "$source" "$@"; }

migrations()
{
    local state way
    at source define on.xml
    go --offline
    for state in off default none on; do
        go --offline --persistent --xml $state.xml
    done
    where
    show destination dumpxml a
    at destination undefine a
    go --offline --persistent --p2p --undefinesource
    show destination dumpxml a
    back --offline --persistent --undefinesource --persistent-xml off.xml
    show source dumpxml a
    at source define on.xml
    where

    at source start a
    for state in off default none; do
        go --live --xml $state.xml
        go --live --p2p --xml $state.xml
        go --live --p2p --tunnelled --xml $state.xml
    done
    go --live --direct
    go --live --p2p --tunnelled --persistent --xml on.xml --persistent-xml maybe.xml
    where
    go --live
    where
    show destination dumpxml a
    show destination dumpxml --inactive a
    virsh -c "$destination" dumpxml --migratable a >migratable.xml
    grep -E "domain|hyperv|relaxed|$element|bootzero|qemu:" migratable.xml
    back --live --p2p --tunnelled --xml migratable.xml
    where
    go --live --p2p --persistent --undefinesource
    where
    show destination dumpxml --inactive a
    back --live --p2p --xml on.xml --persistent --persistent-xml off.xml --undefinesource
    where
    show source dumpxml a
    show source dumpxml --inactive a
    go --live --xml on.xml --persistent-xml default.xml --persistent
    where
    show destination dumpxml a
    show destination dumpxml --inactive a
    at destination destroy a
    at destination undefine a
    at source define off.xml
    at source start a
    go --live --p2p --xml on.xml
    go --live --p2p --xml off.xml --suspend
    where
    show destination dumpxml a
    at destination destroy a
    at source undefine a
}

transcript()
{
    element=$1 told=$2
    make "$element"
    sed "s/'on'/'maybe'/" on.xml >maybe.xml
    migrations
}

for host in source destination; do
    on $host kvm able
    on $host stand_in
done
hosts_start "" ""
transcript $known hv-$known=on >stock.txt 2>&1
hosts_stop
hosts_start "plugin hook" "plugin hook"
transcript boot_zeroed_memory hv-xmm-input=on >plugin.txt 2>&1
hosts_stop

for text in "State of HyperV enlightenment feature 'avic' differs: source: 'on', destination: 'off'" \
    "State of HyperV enlightenment feature 'avic' differs: source: 'on', destination: 'default'" \
    "State of HyperV enlightenment feature 'avic' differs: source: 'off', destination: 'on'" \
    "State of feature 'hyperv' differs: source: 'on', destination: 'default'" \
    "QEMU of destination has it: 1" "QEMU of source has it: 1" "QEMU of destination has it: 0" \
    "destination, transient: a   running" "destination, persistent: a   shut off"; do
    has "stock says: $text" stock.txt "$text"
done
sed "s/$known/boot_zeroed_memory/g" stock.txt >expected.txt
same "bootzero's transcript is the stock one" expected.txt plugin.txt
finish
