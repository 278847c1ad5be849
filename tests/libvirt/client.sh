# SPDX-License-Identifier: LGPL-2.1-or-later
# The plugin in the client: for daemons that have none, and beside daemons that have one.
. "$(dirname "$0")/functions.sh"

kvm able
stand_in
with_plugin()
{
    LD_PRELOAD=${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_PLUGIN:$BZ_SEAMS "$@"
}
domain a "$zeroed_on" >in.xml

for daemon in "" plugin; do
    daemon_start $daemon
    passes "define${daemon:+, $daemon in the daemon too}" with_plugin virsh define in.xml
    has "it is stored once" /etc/libvirt/qemu/a.xml "x86_64-cpu.hv-xmm-input=on"
    [ "$(grep -c hv-xmm-input /etc/libvirt/qemu/a.xml)" = 1 ]
    result $? "once"
    passes "dumpxml" with_plugin virsh dumpxml a
    has "the element is there" out "      $zeroed_on"
    lacks "nothing of the stored form is" out "bootzero"
    passes "start" with_plugin virsh start a
    passes "destroy" with_plugin virsh destroy a
    passes "undefine" with_plugin virsh undefine a
    domain b "<boot_zeroed_memory state='maybe'/>" >wrong.xml
    refused "wrong state" "XML error: Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'." \
        with_plugin virsh define wrong.xml
    domain b >plain.xml
    passes "create without the element" with_plugin virsh create plain.xml
    passes "destroy" with_plugin virsh destroy b
    daemon_stop
done

# virsh starts a program with its environment: the editor. The plugin is not for it; what else was preloaded stays.
daemon_start
with_plugin virsh define in.xml >/dev/null
EDITOR="sh -c 'echo \"LD_PRELOAD=\$LD_PRELOAD\" >\$HOME/environment' --" with_plugin virsh edit a >out 2>&1
has "the editor ran" environment "LD_PRELOAD="
lacks "the plugin is gone" environment "bootzero-libvirt.so"
has "the other is there" environment "$BZ_SEAMS"

# An interpreter loads libvirt itself, late and out of sight of the plugin. And of AddressSanitizer, whose wrappers of the
# XDR functions then wrap nothing.
if command -v python3 >/dev/null && [ -z "${BZ_LIBASAN:-}" ]; then
    virsh undefine a >/dev/null
    passes "define in an interpreter" with_plugin python3 -c "
import ctypes
library = ctypes.CDLL('libvirt.so.0')
first = ctypes.CDLL(None) # as a binding's own references are found
library.virConnectOpen.restype = ctypes.c_void_p
first.virDomainDefineXML.restype = ctypes.c_void_p
connection = ctypes.c_void_p(library.virConnectOpen(b'qemu:///system'))
assert first.virDomainDefineXML(connection, open('in.xml', 'rb').read())
"
    has "it was translated" /etc/libvirt/qemu/a.xml "bootzero:boot_zeroed_memory"
fi
daemon_stop
finish
