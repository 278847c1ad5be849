# SPDX-License-Identifier: LGPL-2.1-or-later
# XML made to harm: too long, too deep, entities that expand or that read files and the network. Always in reach of the
# plugin's gate, so always with the element. The daemon refuses it and goes on.
. "$(dirname "$0")/functions.sh"

kvm able
stand_in
daemon_start plugin
domain hostile "$zeroed_on" >good.xml

# remote_refuses WHAT: define and create fail somehow, soon, and the daemon still serves.
refuses()
{
    local command
    for command in define create; do
        timeout 60 virsh $command in.xml >out 2>err </dev/null
        [ $? = 1 ]
        result $? "$1, $command: $(grep -m1 '^error: ' err | tail -c +8 | cut -c1-70)"
    done
    passes "the daemon still serves" virsh define good.xml
    passes "undefine" virsh undefine hostile
}

awk 'BEGIN { for (i = 0; i < 10 * 1024 * 1024 / 64; i++) printf "<!-- %56d -->", i }' >filler
sed '/<features>/{
r filler
N
}' good.xml >in.xml
[ "$(wc -c <in.xml)" -gt 10485760 ]
result $? "the long one is over 10 MB"
refuses "10 MB"

# As much as libvirt's protocol lets through, or nearly.
head -c 4000000 filler | sed 's/<!--[^>]*$//' >shorter
sed '/<features>/{
r shorter
N
}' good.xml >in.xml
timeout 60 virsh define in.xml >out 2>err </dev/null
result $? "4 MB of comments is only long"
virsh undefine hostile >/dev/null 2>&1

awk 'BEGIN { for (i = 0; i < 100000; i++) printf "<a>"; for (i = 0; i < 100000; i++) printf "</a>" }' >deep
sed '/<features>/{
r deep
N
}' good.xml >in.xml
refuses "100,000 levels"

# An entity that would expand to gigabytes.
{
    echo '<!DOCTYPE domain [<!ENTITY a0 "ha">'
    for i in $(seq 30); do echo "<!ENTITY a$i \"&a$((i - 1));&a$((i - 1));\">"; done
    echo ']>'
    sed 's|<name>hostile|<name>\&a30;|' good.xml
} >in.xml
refused "billion laughs" "XML error: the document type declares an entity, which domain XML has no use for: remove the \
DOCTYPE" virsh define in.xml
refuses "billion laughs"

# Entities that read a file or the network, in text, attribute and document type. The canary would be the domain's name.
echo canary >"$work/canary"
laugh()
{
    { echo "$1"; sed "s|<name>hostile|<name>$2|" good.xml; } >in.xml
}
for system in "file://$work/canary" "$work/canary" "http://127.0.0.1:8765/canary" "ftp://127.0.0.1:8765/canary"; do
    laugh "<!DOCTYPE domain [<!ENTITY x SYSTEM '$system'>]>" '\&x;'
    refused "external entity $system" "XML error: the document type declares an entity, which domain XML has no use \
for: remove the DOCTYPE" virsh define in.xml
    laugh "<!DOCTYPE domain [<!ENTITY % x SYSTEM '$system'> %x;]>" 'hostile'
    refuses "external parameter entity $system"
    laugh "<!DOCTYPE domain SYSTEM '$system'>" 'hostile'
    refuses "external subset $system"
done

# The same under strace: neither the file nor a socket is touched by the daemon for any of them.
if command -v strace >/dev/null; then
    strace -f -qq -p "$daemon_pid" -e trace=open,openat,connect -o trace &
    tracer=$!
    for i in $(seq 50); do
        grep -q TracerPid:[[:space:]]*[1-9] /proc/"$daemon_pid"/status && break
        sleep 0.1
    done
    for system in "file://$work/canary" "http://127.0.0.1:8765/canary"; do
        for type in "[<!ENTITY x SYSTEM '$system'>]" "[<!ENTITY % x SYSTEM '$system'> %x;]" "SYSTEM '$system'"; do
            laugh "<!DOCTYPE domain $type>" '\&x;'
            virsh define in.xml >>out 2>&1
        done
    done
    virsh define good.xml >>out 2>&1
    kill "$tracer"
    wait "$tracer"
    has "the trace is of this daemon" trace "hostile.xml"
    lacks "no file was read" trace "canary"
    lacks "no connection was tried" trace "8765"
else
    echo "not traced: no strace here"
fi
passes "the daemon still serves" virsh list --all
daemon_stop
finish
