# SPDX-License-Identifier: LGPL-2.1-or-later
# The configuration file is read when it is needed and again when it changes, while the daemon runs.
. "$(dirname "$0")/functions.sh"

kvm able
daemon_start plugin
domain a "$zeroed_on" >in.xml
stored=/etc/libvirt/qemu/a.xml

stand_in
passes "define" virsh define in.xml
has "the properties are those of the file" $stored "x86_64-cpu.hv-xmm-input=on"

passes "dumpxml" virsh dumpxml --inactive a
lacks "the property is not shown" out "hv-xmm-input"

configure 'provider = qemu' 'ext-query-caps-property = hv-avic' 'boot-zeroed-mem-property = hv-tlbflush-ext'
passes "dumpxml after a change" virsh dumpxml --inactive a
has "what is not bootzero's any more is shown" out "hv-xmm-input"
passes "define after a change" virsh define in.xml
has "the properties are those of the new file" $stored "x86_64-cpu.hv-tlbflush-ext=on"

: >bootzero-qemu.so
configure "provider-library = $work/bootzero-qemu.so"
domain a "<relaxed state='on'/>
      $zeroed_on" >in.xml
passes "define with the other provider" virsh define in.xml
lacks "the properties are gone" $stored "hv-tlbflush-ext"
has "the library is there" $stored "<qemu:env name='LD_PRELOAD' value='$work/bootzero-qemu.so'/>"

# A file that cannot be understood: said where it is needed, and only there.
broken()
{
    refused "$1, define" "internal error: $BZ_CONFIG_FILE: $2" virsh define in.xml
    refused "$1, create" "internal error: $BZ_CONFIG_FILE: $2" virsh create in.xml
    passes "dumpxml still works" virsh dumpxml --inactive a
    has "it shows what is stored" out "<bootzero:boot_zeroed_memory state=\"on\"/>"
    domain plain >plain.xml
    passes "other domains still work" virsh define plain.xml
}
configure 'provider = nonsense'
broken "wrong value" "invalid value for 'provider': 'nonsense': must be auto, qemu or preload"
has "the log says why" "$daemon_log" "a domain's XML is shown as it is stored: $BZ_CONFIG_FILE: "
configure 'proveider = qemu'
broken "unknown key" "unknown key 'proveider' in [bootzero]: must be one of provider, ext-query-caps-property, \
boot-zeroed-mem-property, provider-library, probe-timeout, cache-directory, runtime-directory, track-seconds"

rm "$BZ_CONFIG_FILE"
passes "dumpxml without a file" virsh dumpxml --inactive a
has "the element is there again" out "      $zeroed_on"
passes "define without a file" virsh define in.xml
daemon_stop
finish
