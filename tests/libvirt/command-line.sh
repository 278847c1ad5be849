# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-bootzero's commands for domains: the same with a daemon that has the plugin and with one that has not.
. "$(dirname "$0")/functions.sh"

bz()
{
    LD_PRELOAD="${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_SEAMS" "$VIRT_BOOTZERO" "$@"
}

# said WHAT TEXT: stdout of the last command is exactly this, and stderr is empty.
said()
{
    printf '%s\n' "$2" >expected
    [ ! -s err ] && cmp -s expected out
    result $? "$1: $2"
}

# user_form DOMAIN FILE, with any daemon
user_form()
{
    virsh dumpxml --inactive --security-info "$1" | bz translate --reverse | sed '/^$/d' >"$2"
}

# editor SED-SCRIPT, as the user's
editor()
{
    printf '%s\n' '#!/bin/sh' 'cp "$2" "$HOME/seen.xml"' "[ \"\$1\" = --option ] && exec sed -i \"$1\" \"\$2\"" >"$HOME/the editor"
    chmod +x "$HOME/the editor"
    export EDITOR="'$HOME/the editor' --option"
}
unset VISUAL
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
running="Domain 'a' is running: the change takes effect when it has been shut down and is started again"

for plugin in "" plugin; do
    kvm able
    stand_in
    # The hook gets what is preloaded into the daemon, and may be instrumented.
    preload=$BZ_SEAMS
    [ -n "$plugin" ] || preload=${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_SEAMS
    BZ_DAEMON_PRELOAD=$preload daemon_start $plugin hook
    echo "--- ${plugin:-no plugin}"

    # Everything but the element stays, passwords too.
    domain a "<relaxed state='on'/>" | sed "s|<memballoon.*|&\n    <graphics type='vnc' port='-1' passwd='se\&lt;cret'/>|" >a.xml
    virsh define a.xml >/dev/null
    user_form a before.xml
    passes "enable" bz enable a
    said "it says so" "Domain 'a' changed: boot_zeroed_memory is enabled"
    user_form a after.xml
    has "the element is there" after.xml "      $zeroed_on"
    has "the password is" after.xml "se&lt;cret"
    grep -v boot_zeroed_memory after.xml >rest.xml
    same "all else is as before" before.xml rest.xml
    has "the arguments are stored" /etc/libvirt/qemu/a.xml "<qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"
    passes "the stored form is valid" virt-xml-validate /etc/libvirt/qemu/a.xml domain
    cp /etc/libvirt/qemu/a.xml stored.xml
    passes "enable again" bz enable a
    said "nothing to do" "Domain 'a' not changed: boot_zeroed_memory is enabled already"
    same "nothing done" stored.xml /etc/libvirt/qemu/a.xml
    passes "by uuid" bz enable "$(virsh domuuid a)"
    passes "disable" bz disable a
    said "it says so" "Domain 'a' changed: boot_zeroed_memory is disabled"
    user_form a after.xml
    has "the state is off" after.xml "      $zeroed_off"
    grep -v boot_zeroed_memory after.xml >rest.xml
    same "all else is as before" before.xml rest.xml
    lacks "no argument is stored" /etc/libvirt/qemu/a.xml "hv-xmm-input"
    passes "disable again" bz disable a
    said "nothing to do" "Domain 'a' not changed: boot_zeroed_memory is disabled already"

    # Guests that run or are saved go on with what they have.
    passes "start" virsh start a
    passes "enable a running domain" bz enable "$(virsh domid a)"
    said "it says when" "Domain 'a' changed: boot_zeroed_memory is enabled
$running"
    virsh dumpxml a | bz translate --reverse >live.xml
    has "the guest goes on without" live.xml "$zeroed_off"
    user_form a after.xml
    has "the definition has it" after.xml "$zeroed_on"
    passes "managed save" virsh managedsave a
    passes "disable a saved domain" bz disable a
    said "it says when" "Domain 'a' changed: boot_zeroed_memory is disabled
Domain 'a' has a managed save image: the change takes effect when it has been restored, shut down and is started again"
    virsh managedsave-remove a >/dev/null
    domain transient >in.xml
    virsh create in.xml >/dev/null
    refused "transient" "unsupported configuration: domain 'transient' is transient and has no definition to change: define it \
first, or create it anew from changed XML" bz enable transient
    virsh destroy transient >/dev/null
    refused "no such domain" "failed to get domain 'none': Domain not found: no domain with matching name 'none'" bz enable none

    # What a domain must not have is refused in the same words, and nothing is stored.
    domain tcg "<relaxed state='on'/>" qemu >in.xml
    virsh define in.xml >/dev/null
    cp /etc/libvirt/qemu/tcg.xml stored.xml
    for command in "enable tcg" "edit tcg"; do
        editor "s,<relaxed state='on'/>,&$zeroed_on,"
        refused "TCG: $command" "unsupported configuration: 'boot_zeroed_memory' hyperv feature needs KVM, and the domain has \
type='qemu': set type='kvm' or remove the feature" bz $command
    done
    same "nothing was stored" stored.xml /etc/libvirt/qemu/tcg.xml
    rm -f "$TMPDIR"/*

    # edit
    bz enable a >/dev/null
    editor "s/boot_zeroed_memory state='on'/boot_zeroed_memory state='off'/"
    passes "edit" bz edit a
    said "it says so" "Domain 'a' XML configuration edited."
    has "the editor saw the element" seen.xml "      $zeroed_on"
    lacks "and nothing of the stored form" seen.xml bootzero
    has "and the password" seen.xml "se&lt;cret"
    user_form a after.xml
    has "the change is there" after.xml "$zeroed_off"
    same "and nothing else" <(sed "s/state='on'/state='x'/; s/state='off'/state='x'/" seen.xml) \
        <(sed "s/state='on'/state='x'/; s/state='off'/state='x'/" after.xml)
    passes "edit, changing nothing" bz edit a
    said "it says so" "Domain 'a' XML configuration not changed."
    editor "/boot_zeroed_memory/d; s|<acpi/>|&<apic/>|"
    passes "edit it away, and something else" bz edit a
    lacks "nothing of it is left" /etc/libvirt/qemu/a.xml bootzero
    has "the rest is" /etc/libvirt/qemu/a.xml "<apic/>"
    editor "s|<relaxed state='on'/>|&$zeroed_on|"
    passes "edit it in" env VISUAL="$EDITOR" EDITOR=false bash -c "$(declare -f bz); bz edit a"
    user_form a after.xml
    has "it is there" after.xml "      $zeroed_on"
    passes "start" virsh start a
    editor "/boot_zeroed_memory/d"
    passes "edit a running domain" bz edit a
    said "it says when" "Domain 'a' XML configuration edited.
$running"
    virsh destroy a >/dev/null
    [ -z "$(ls "$TMPDIR")" ]
    result $? "no file was left behind"

    # Nothing that was edited is lost.
    cp /etc/libvirt/qemu/a.xml stored.xml
    editor "s|<relaxed state='on'/>|&<boot_zeroed_memory state='maybe'/>|"
    refused "edit to a wrong state" \
        "XML error: Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'." bz edit a
    kept=$(sed -n "s/^The edited text is in '\(.*\)'$/\1/p" err)
    has "the text is kept: $kept" "$kept" "<boot_zeroed_memory state='maybe'/>"
    [ "$(stat -c %a "$kept")" = 600 ]
    result $? "for its user alone"
    rm -f "$kept"
    editor "s|</domain>||"
    bz edit a >out 2>err </dev/null
    [ $? = 1 ]
    result $? "edit to what is not XML"
    kept=$(sed -n "s/^The edited text is in '\(.*\)'$/\1/p" err)
    lacks "the text is kept: $kept" "$kept" "</domain>"
    rm -f "$kept"
    refused "an editor that fails" "internal error: editor 'exit 3;': Child process exited with code 3; set VISUAL or EDITOR to \
another one" env EDITOR="exit 3;" bash -c "$(declare -f bz); bz edit a"
    [ -z "$(ls "$TMPDIR")" ]
    result $? "of a text that was not edited nothing is kept"
    cat >other.sh <<-'END2'
	#!/bin/sh
	sed -i "s|<acpi/>||" "$1"
	virsh dumpxml --inactive --security-info a | sed "s|<apic/>|<apic/><pae/>|" >other.xml
	virsh define other.xml >/dev/null
	END2
    chmod +x other.sh
    refused "someone else was faster" "internal error: domain 'a' was changed by someone else meanwhile: edit it again, from \
what it is now" env EDITOR="$work/other.sh" bash -c "$(declare -f bz); bz edit a"
    rm -f "$TMPDIR"/*
    # On a terminal it asks.
    editor "s|</os>|&<strange/>|"
    on_terminal "$(declare -f bz); bz edit a" n
    has "the schema refuses" out "error: XML document failed to validate against schema: "
    has "it asks" out "Failed. Try again? [y,n,i,?]: "
    has "n: the text is kept" out "The edited text is in '$TMPDIR/virt-bootzero-"
    rm -f "$TMPDIR"/*
    on_terminal "$(declare -f bz); bz edit a" '?' i
    has "?: help" out "n - no, keep the edited text in its file and leave the domain as it is"
    has "i: without validation" out "Domain 'a' XML configuration edited."
    editor "s|</os>|&<strange/>|"
    passes "--skip-validate" bz edit --skip-validate a
    rm -f "$TMPDIR"/*

    # refresh
    passes "refresh without the feature" bz refresh a
    said "it says so" "Domain 'a' not changed: boot_zeroed_memory is not enabled, so it needs no provider"
    kvm unable
    bz enable a >out 2>err
    result $? "enable on a host that cannot"
    [ -n "$plugin" ] || has "it warns" err "warning: 'boot_zeroed_memory' hyperv feature is not available: KVM on this host has \
no Hyper-V emulation"
    has "it is stored" /etc/libvirt/qemu/a.xml "<bootzero:boot_zeroed_memory state=\"on\"/>"
    lacks "without arguments" /etc/libvirt/qemu/a.xml "hv-xmm-input"
    if [ -z "$plugin" ]; then
        bz refresh a >out 2>err
        [ $? = 1 ]
        result $? "refresh on a host that cannot"
        has "it says why" err "error: unsupported configuration: 'boot_zeroed_memory' hyperv feature is not available: KVM on \
this host has no Hyper-V emulation"
    fi
    kvm able
    if [ -z "$plugin" ]; then
        virsh start a >out 2>err </dev/null
        [ $? = 1 ]
        result $? "the start of it is refused"
        has "with the remedy" err "the domain was defined when this host could not provide it, and now it can: virt-bootzero \
refresh 'a'"
        user_form a before.xml
        bash -c "$(declare -f bz); $(sed -n "s/.*: virt-bootzero \(refresh .*\)/bz \1/p" err)" >out 2>err
        result $? "the remedy"
        said "it names the change" "Domain 'a' refreshed: no provider -> provider qemu"
        user_form a after.xml
        same "nothing else changed" before.xml after.xml
        passes "it helps: start" virsh start a
        virsh destroy a >/dev/null
        kvm unable
        bz disable a >/dev/null 2>&1
        bz enable a >/dev/null 2>&1
        kvm able
    fi
    passes "refresh on a host that can" bz refresh a
    if [ -n "$plugin" ]; then
        said "it says so" "Domain 'a' refreshed: its libvirt has bootzero's plugin and chose the provider again"
    else
        said "it names the change" "Domain 'a' refreshed: no provider -> provider qemu"
        passes "refresh again" bz refresh a
        said "all is right" "Domain 'a' not changed: provider qemu is right"
        library=$work/bootzero-qemu.so
        touch "$library"
        configure 'provider = preload' "provider-library = $library" 'ext-query-caps-property = hv-avic' \
            'boot-zeroed-mem-property = hv-xmm-input'
        passes "refresh to another provider" bz refresh a
        said "it names the change" "Domain 'a' refreshed: provider qemu -> provider preload ($library)"
        has "the arguments are stored" /etc/libvirt/qemu/a.xml "<qemu:env name='LD_PRELOAD' value='$library'/>"
        lacks "the others are gone" /etc/libvirt/qemu/a.xml "hv-xmm-input"
        mkdir "$work/there"
        mv "$library" "$work/there"
        configure 'provider = preload' "provider-library = $work/there/bootzero-qemu.so"
        passes "refresh after the library moved" bz refresh a
        said "it names the change" \
            "Domain 'a' refreshed: provider preload ($library) -> provider preload ($work/there/bootzero-qemu.so)"
        stand_in
    fi
    has "the arguments are stored" /etc/libvirt/qemu/a.xml "<qemu:"

    # Another host, as far as the URI tells.
    printf '%s\n' '#!/bin/sh' 'while [ "$1" != -- ]; do shift; done' 'shift 2' 'exec sh -c "$*"' >fake-ssh
    chmod +x fake-ssh
    there="qemu+ssh://other/system?command=$work/fake-ssh"
    domain b "<relaxed state='on'/>" >in.xml
    virsh define in.xml >/dev/null
    if [ -n "$plugin" ]; then
        passes "enable elsewhere" bz -c "$there" enable b
        said "it says so" "Domain 'b' changed: boot_zeroed_memory is enabled"
    else
        cp /etc/libvirt/qemu/b.xml stored.xml
        bz -c "$there" enable b >out 2>err
        [ $? = 1 ]
        result $? "elsewhere, without the plugin and without a provider"
        has "it says what to do" err "has no plugin of bootzero that would choose a provider: name what its host has with \
--provider preload or --provider qemu"
        same "nothing was stored" stored.xml /etc/libvirt/qemu/b.xml
        passes "enable elsewhere" bz -c "$there" enable --provider qemu b
        has "the arguments are stored" /etc/libvirt/qemu/b.xml "<qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"
        editor "s|<acpi/>|&<apic/>|"
        passes "edit elsewhere" bz -c "$there" edit b
        has "the arguments stayed" /etc/libvirt/qemu/b.xml "<qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"
        passes "refresh elsewhere" bz -c "$there" refresh --provider preload b
        has "it names the change" out "Domain 'b' refreshed: provider qemu -> provider preload ("
    fi
    for name in a b tcg; do virsh undefine $name >/dev/null; done
    daemon_stop
done
finish
