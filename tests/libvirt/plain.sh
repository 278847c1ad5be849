# SPDX-License-Identifier: LGPL-2.1-or-later
# What has nothing of bootzero's is libvirt's alone: same files, same output, same errors, with and without the plugin.
. "$(dirname "$0")/functions.sh"

kvm unable
# A broken configuration must not matter to it either.
configure 'provider = nonsense'

domain plain "<relaxed state='on'/>" >plain.xml
domain odd | sed -e 's|<acpi/>|<!-- a comment -->\n\n<acpi   />|' \
    -e "s|</domain>|<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg value=\"-name\"/><qemu:arg value='guest=a\&amp;b'/></qemu:commandline></domain>|" >odd.xml
domain_more="<description>no boot_zeroed_memory, no ext_query_caps &lt;boot_zeroed_memory state='on'/></description>"
domain mention "<!-- $zeroed_on --><relaxed state='on'/>" >mention.xml
domain_more=
printf '%s' "<domain type='kvm'><name>x</name>" >unclosed.xml
domain twice | sed 's|<acpi/>|<acpi/></features>|' >mismatch.xml
domain bad "<relaxed state='maybe'/>" >maybe.xml
domain bad "<boot_zeroed/>" >unknown.xml
printf '%s' "<domain><features><hyperv>$zeroed_on</features></domain>" >with-element.xml
printf '%s' "not xml, boot_zeroed_memory" >text.xml
: >empty.xml

# Every file, through a daemon; what it stored, showed and said goes to the folder.
pass_all()
{
    mkdir "$1"
    local file
    for file in plain odd mention unclosed mismatch maybe unknown with-element text empty; do
        virsh define $file.xml >"$1/$file.define" 2>&1
        virsh create $file.xml >"$1/$file.create" 2>&1
        virsh destroy "$file" >/dev/null 2>&1
    done
    for file in plain odd mention; do
        virsh dumpxml --inactive $file >"$1/$file.dumpxml" 2>&1
        cp /etc/libvirt/qemu/$file.xml "$1/$file.stored"
    done
    virsh start plain >"$1/start" 2>&1
    virsh destroy plain >/dev/null 2>&1
    for file in plain odd mention; do
        virsh undefine $file >/dev/null 2>&1
    done
    sed -i 's/[0-9T:.-]\{20,\}Z/TIME/g' "$1"/*
}

daemon_start
pass_all stock
daemon_stop
daemon_start plugin hook
pass_all plugin
daemon_stop

for file in stock/*; do
    same "as stock: ${file#stock/}" "$file" "plugin/${file#stock/}"
done
has "the files were stored" plugin/plain.stored "<relaxed state='on'/>"
has "malformed XML is refused in libvirt's words" plugin/with-element.define "Opening and ending tag mismatch"
has "text is refused in libvirt's words" plugin/text.define "Start tag expected, '<' not found"

# Unaffected domains start, run and end as they did, beside hook and plugin.
configure
daemon_start plugin hook
for type in kvm qemu; do
    domain "run-$type" "" $type >in.xml
    passes "define, type='$type'" virsh define in.xml
    passes "start" virsh start "run-$type"
    passes "destroy" virsh destroy "run-$type"
done

# A refused request leaves the daemon as it was.
passes "list" virsh list --all
daemon_stop
finish
