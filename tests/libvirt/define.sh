# SPDX-License-Identifier: LGPL-2.1-or-later
# define, create, dumpxml and edit behave as if libvirt knew the element, and what is stored is stock-valid.
. "$(dirname "$0")/functions.sh"

kvm able
stand_in
daemon_start plugin

for state in on off; do
    domain "$state" "<boot_zeroed_memory state='$state'/>" >in.xml
    passes "define, state='$state'" virsh define in.xml
    passes "dumpxml, state='$state'" virsh dumpxml --inactive "$state"
    has "dumpxml shows it" out "      <boot_zeroed_memory state='$state'/>"
    lacks "dumpxml shows nothing of the stored form" out "bootzero"
    lacks "dumpxml shows no argument" out "qemu:"
    has "the stored form has the marker" "/etc/libvirt/qemu/$state.xml" \
        "<bootzero:boot_zeroed_memory state=\"$state\"/>"
    lacks "the stored form has no element" "/etc/libvirt/qemu/$state.xml" "<boot_zeroed_memory"
    passes "the stored form is valid" virt-xml-validate "/etc/libvirt/qemu/$state.xml" domain
done
has "the stored form has the arguments" /etc/libvirt/qemu/on.xml "<qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"
lacks "off has no arguments" /etc/libvirt/qemu/off.xml "qemu:"

# What goes out can come in, and changes nothing.
passes "dumpxml" virsh dumpxml --inactive on
cp out first.xml
cp /etc/libvirt/qemu/on.xml stored.xml
passes "define what dumpxml gave" virsh define first.xml
same "the stored form is as before" stored.xml /etc/libvirt/qemu/on.xml
passes "define it with --validate" virsh define --validate first.xml
passes "dumpxml again" virsh dumpxml --inactive on
same "dumpxml is as before" first.xml out

# The stored form is an input too: libvirt's own file, as backups have it.
passes "define the stored form" virsh define stored.xml
same "it is stored as before" stored.xml /etc/libvirt/qemu/on.xml

# Beside other enlightenments, the elements stay with them.
domain beside "<relaxed state='on'/>
      $caps_on
      $zeroed_on" >in.xml
passes "define beside relaxed" virsh define in.xml
passes "dumpxml" virsh dumpxml --inactive beside
for element in "<relaxed state='on'/>" "$caps_on" "$zeroed_on"; do
    has "dumpxml shows $element" out "      $element"
done

# A domain that defined nothing else in <hyperv> keeps what it had of metadata and arguments.
domain_more="
  <metadata>
    <app:mine xmlns:app='http://example.com/app'>kept</app:mine>
  </metadata>"
domain kept "$zeroed_on" | sed "s|^</domain>|  <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n\
    <qemu:arg value='-name'/>\n    <qemu:arg value='debug-threads=on'/>\n  </qemu:commandline>\n</domain>|" >in.xml
domain_more=
passes "define beside metadata and arguments" virsh define in.xml
passes "dumpxml" virsh dumpxml --inactive kept
has "its metadata are there" out "<app:mine xmlns:app=\"http://example.com/app\">kept</app:mine>"
has "its arguments are there" out "<qemu:arg value='debug-threads=on'/>"
lacks "nothing else is" out "bootzero"
lacks "no argument of the provider is" out "hv-xmm-input"
has "the element is" out "$zeroed_on"

# virsh edit, whose editor gets and gives the user's form.
cat >editor.sh <<'END'
#!/bin/sh
cp "$1" "$HOME/edited.xml"
sed -i "s/boot_zeroed_memory state='on'/boot_zeroed_memory state='off'/" "$1"
END
chmod +x editor.sh
passes "edit on -> off" env EDITOR="$HOME/editor.sh" virsh edit on
has "the editor saw the element" edited.xml "$zeroed_on"
lacks "the editor saw nothing of the stored form" edited.xml "bootzero"
passes "dumpxml" virsh dumpxml --inactive on
has "the change is there" out "$zeroed_off"
lacks "the arguments are gone" /etc/libvirt/qemu/on.xml "qemu:"
sed -i "s|^sed .*|sed -i '/boot_zeroed_memory/d; /hyperv/d' \"\$1\"|" editor.sh
passes "edit it away" env EDITOR="$HOME/editor.sh" virsh edit on
lacks "the element is gone" /etc/libvirt/qemu/on.xml "boot_zeroed_memory"
lacks "the marker is gone" /etc/libvirt/qemu/on.xml "bootzero"
sed -i "s|^sed .*|sed -i \"s,<acpi/>,<acpi/><hyperv><boot_zeroed_memory state='maybe'/></hyperv>,\" \"\$1\"|" editor.sh
# Only on a terminal does virsh say what was wrong, and ask.
EDITOR="$HOME/editor.sh" on_terminal "virsh edit on" n
has "edit to a wrong state" out \
    "error: XML error: Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'."
lacks "nothing of it was stored" /etc/libvirt/qemu/on.xml "maybe"

# Running: the live XML shows the element too, of a defined domain and of a transient one.
domain running "$zeroed_on" >in.xml
passes "define" virsh define in.xml
passes "start" virsh start running
for what in "" "--inactive" "--migratable" "--security-info"; do
    passes "dumpxml $what" virsh dumpxml $what running
    has "the element is there" out "      $zeroed_on"
    lacks "nothing of the stored form is" out "bootzero"
done
has "QEMU got the property" /proc/"$(cat /run/libvirt/qemu/running.pid)"/cmdline "x86_64-cpu.hv-xmm-input=on"
passes "destroy" virsh destroy running
domain transient "$zeroed_on" >in.xml
passes "create" virsh create in.xml
passes "dumpxml" virsh dumpxml transient
has "the element is there" out "      $zeroed_on"
passes "destroy" virsh destroy transient
domain transient "$zeroed_on" >in.xml
passes "create --validate" virsh create --validate in.xml
passes "destroy" virsh destroy transient

# Since libvirt 12.1 (11.9 without children) a mode takes what the host has and the user does not say; it is expanded at start.
domain model "<relaxed state='off'/>" | sed "s/mode='custom'/mode='host-model'/" >plain.xml
if virsh define plain.xml >/dev/null 2>&1; then
    domain model "<relaxed state='off'/>
      $zeroed_on" | sed "s/mode='custom'/mode='host-model'/" >in.xml
    passes "define, mode='host-model'" virsh define in.xml
    passes "dumpxml" virsh dumpxml model
    has "the mode is there" out "<hyperv mode='host-model'>"
    has "the element is" out "      $zeroed_on"
    passes "start" virsh start model
    passes "dumpxml of the running guest" virsh dumpxml model
    has "the mode is expanded" out "<hyperv mode='custom'>"
    has "the element is there" out "      $zeroed_on"
    passes "managedsave" virsh managedsave model
    passes "start" virsh start model
    passes "destroy" virsh destroy model
fi

daemon_stop

# A daemon without the plugin has the domains, valid, and starts them.
daemon_start
passes "a stock daemon has the domain" virsh dumpxml --inactive running
has "it sees the stored form" out "<bootzero:boot_zeroed_memory state=\"on\"/>"
passes "a stock daemon starts it" virsh start running
passes "destroy" virsh destroy running
domain new "$zeroed_on" >in.xml
refused "a stock daemon does not know the element" \
    "unsupported configuration: unsupported HyperV Enlightenment feature: boot_zeroed_memory" virsh define in.xml
daemon_stop

# And the plugin has them again.
daemon_start plugin
passes "dumpxml" virsh dumpxml --inactive running
has "the element is there again" out "      $zeroed_on"
daemon_stop
finish
