# SPDX-License-Identifier: LGPL-2.1-or-later
# XML made to harm: too long, too deep, entities that expand or that read files and the network. Always with the
# element, so that the plugin reads it. It is refused and the daemon goes on.
. "$(dirname "$0")/functions.sh"
command -v strace >/dev/null || { echo "skipped: needs strace, to show that no file or address is opened" >&2; exit 77; }

kvm able
stand_in
daemon_start plugin
domain hostile "$zeroed_on" >good.xml

has_entity="XML error: the document type declares an entity, which domain XML has no use for: remove the DOCTYPE"
has_doctype="XML error: a document type has no place in domain XML: remove the DOCTYPE"

# both_refuse WHAT TEXT: define and create say so, soon, and the daemon still serves.
both_refuse()
{
    refused "$1, define" "$2" timeout 60 virsh define in.xml
    refused "$1, create" "$2" timeout 60 virsh create in.xml
    passes "the daemon still serves" virsh define good.xml
    passes "undefine" virsh undefine hostile
}

# stuffed FILE: the good XML with the content of FILE in it.
stuffed()
{
    sed "/<features>/r $1" good.xml
}

# 10 MB is more than virsh reads, and 6 MB more than libvirt's protocol carries: it is the client's plugin that says so.
comments()
{
    awk -v n=$(($1 / 64)) 'BEGIN { for (i = 0; i < n; i++) printf "<!-- %55d -->", i }'
}
comments 10500000 >filler
stuffed filler >in.xml
both_refuse "10 MB" "Failed to read file 'in.xml': Value too large for defined data type"
comments 6000000 >filler
stuffed filler >in.xml
for command in define create; do
    refused "6 MB, $command" "XML error: the XML is $(wc -c <in.xml) bytes long, and at most 4194304 are read: remove \
what does not belong to the domain" env LD_PRELOAD="${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_PLUGIN:$BZ_SEAMS" virsh $command in.xml
done
comments 4000000 >filler
stuffed filler >in.xml
passes "4 MB of comments is only long" timeout 60 virsh define in.xml
passes "undefine" virsh undefine hostile

awk 'BEGIN { for (i = 0; i < 100000; i++) printf "<a>"; for (i = 0; i < 100000; i++) printf "</a>" }' >deep
stuffed deep >in.xml
for command in define create; do
    timeout 60 virsh $command in.xml >out 2>&1
    has "100,000 levels are refused in libvirt's words, $command" out "Excessive depth in document"
done

# with_doctype DOCTYPE NAME
with_doctype()
{
    echo "<!DOCTYPE domain $1>"
    sed "s|<name>hostile|<name>$2|" good.xml
}

# An entity that would expand to gigabytes.
entities="<!ENTITY a0 'ha'>"
for i in $(seq 30); do
    entities="$entities <!ENTITY a$i '&a$((i - 1));&a$((i - 1));'>"
done
with_doctype "[$entities]" '\&a30;' >in.xml
both_refuse "billion laughs" "$has_entity"

# Entities that read a file or the network. The canary's content would come out as the domain's name.
echo canary >"$work/canary"
for system in "file://$work/canary" "$work/canary" "http://127.0.0.1:8765/canary" "ftp://127.0.0.1:8765/canary"; do
    with_doctype "[<!ENTITY x SYSTEM '$system'>]" '\&x;' >in.xml
    both_refuse "external entity, $system" "$has_entity"
    with_doctype "[<!ENTITY % x SYSTEM '$system'> %x;]" hostile >in.xml
    both_refuse "external parameter entity, $system" "$has_entity"
    with_doctype "SYSTEM '$system'" hostile >in.xml
    both_refuse "external subset, $system" "$has_doctype"
done

# The same under strace: for none of them does the daemon open the file or a connection.
strace -f -qq -p "$daemon_pid" -e trace=open,openat,connect -o trace &
tracer=$!
for i in $(seq 100); do
    ! grep -q 'TracerPid:[[:space:]]*[1-9]' /proc/"$daemon_pid"/status || break
    sleep 0.1
done
for system in "file://$work/canary" "http://127.0.0.1:8765/canary"; do
    for type in "[<!ENTITY x SYSTEM '$system'>]" "[<!ENTITY % x SYSTEM '$system'> %x;]" "SYSTEM '$system'"; do
        with_doctype "$type" '\&x;' >in.xml
        virsh define in.xml >>out 2>&1
    done
done
virsh define good.xml >>out 2>&1
kill "$tracer"
wait "$tracer"
has "the trace is of this daemon" trace "hostile.xml"
lacks "no file was read" trace "canary"
lacks "no connection was tried" trace "8765"
daemon_stop
finish
