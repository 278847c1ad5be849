# SPDX-License-Identifier: LGPL-2.1-or-later
# What was decided when a domain was defined and does not hold any more when it is started: QEMU got the properties or
# lost them, the provider's library has gone or moved, the kernel can no longer do it. With the plugin the start mends it;
# without, the hook names the command that does.
. "$(dirname "$0")/functions.sh"

bz()
{
    LD_PRELOAD="${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_SEAMS" "$VIRT_BOOTZERO" "$@"
}

emulator=$work/qemu
library=$work/bootzero-qemu.so
stored=/etc/libvirt/qemu/a.xml
arguments="<qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"
preload="<qemu:env name='LD_PRELOAD' value='$library'/>"
cannot="'boot_zeroed_memory' hyperv feature is not available:"

# qemu old|new: the domain's own QEMU is replaced by one that has not, or has, what stands in for QEMU's own properties.
# Both are links to one file, so that libvirt, which asks QEMU for more than bootzero does, need not ask anew.
cat >qemu-old <<'END'
#!/bin/sh
case "$0 $*" in
*"/qemu-old -machine none "*"-qmp stdio")
    /usr/bin/qemu-system-x86_64 "$@" | sed -u 's/hv-avic/no-avic/g; s/hv-xmm-input/no-xmm-input/g'
    ;;
*) exec /usr/bin/qemu-system-x86_64 "$@" ;;
esac
END
chmod 755 qemu-old
ln qemu-old qemu-new
qemu()
{
    ln -sfn "qemu-$1" "$emulator"
}

# provider LIBRARY: as an administrator has it. auto is what is not written.
provider()
{
    configure 'ext-query-caps-property = hv-avic' 'boot-zeroed-mem-property = hv-xmm-input' "provider-library = $1"
}

# given QEMU LIBRARY [OTHER]: domain a is defined where there are that QEMU and, or not, the library.
given()
{
    kvm able
    qemu "$1"
    rm -f "$library"
    [ "$2" = none ] || touch "$library"
    provider "$library"
    virsh undefine --managed-save a >/dev/null 2>&1
    domain a "<relaxed state='on'/>" kvm x86_64 "$emulator" |
        sed "s|<memballoon.*|&\n    <graphics type='vnc' port='-1' passwd='se\&lt;cret'/>|" >in.xml
    virsh define in.xml >/dev/null
    bz enable a >out 2>err
    result $? "--- with $with: defined with QEMU $1, library $2"
    cp "$stored" stored.xml
    virsh dumpxml --inactive --security-info a | bz translate --reverse >before.xml
    : >"$daemon_log"
}

stop()
{
    virsh destroy a >/dev/null
}

# runs_with ARGUMENT: so it is stored, so QEMU was started, and nothing else of the domain changed.
runs_with()
{
    local process=/proc/$(cat /run/libvirt/qemu/a.pid)
    has "stored: $1" "$stored" "$1"
    [ "$(grep -c '<qemu:[ae]' "$stored")" = "$(case $1 in "$arguments") echo 4 ;; *) echo 2 ;; esac)" ]
    result $? "and no other argument"
    virsh dumpxml --inactive --security-info a | bz translate --reverse >after.xml
    same "nothing else changed" before.xml after.xml
    tr '\0' '\n' <"$process/cmdline" >running
    tr '\0' '\n' <"$process/environ" >>running
    case $1 in
    "$arguments") has "QEMU has it" running x86_64-cpu.hv-xmm-input=on ;;
    *) has "QEMU has it" running "LD_PRELOAD=$(sed "s/.*value='\(.*\)'.*/\1/" <<<"$1")" ;;
    esac
}

refreshed="domain 'a' is started: its provider was chosen again, and it was defined with what this host has now"

# mends REASON ARGUMENT: what does not hold any more, and what is right.
mends()
{
    local command
    if [ "$with" = plugin ]; then
        passes "the start refreshes by itself" virsh start a
        has "the log says so" "$daemon_log" "$refreshed"
    else
        ! virsh start a >out 2>err && grep -F 'error: Hook script execution failed: ' err | grep -qF -- "$cannot $1"
        result $? "the hook refuses: $1"
        command=$(sed -n "s/.*: virt-bootzero \(refresh 'a'\)$/\1/p" err)
        [ -n "$command" ] && eval "bz $command" >out 2>err
        result $? "the command it names: '$command'"
        passes "start" virsh start a
    fi
    runs_with "$2"
    stop
}

# beyond REASON: nothing can mend it. That is said once; nothing is stored anew and nothing runs.
beyond()
{
    if [ "$with" = plugin ]; then
        refused "start" "unsupported configuration: $cannot $1" virsh start a
    else
        ! virsh start a >out 2>err && grep -F 'error: Hook script execution failed: ' err | grep -qF -- "$cannot $1"
        result $? "the hook refuses: $1"
        lacks "it names no command that would not help" err "virt-bootzero refresh"
    fi
    same "the domain is as it was" stored.xml "$stored"
    [ "$(virsh domstate a | head -1)" = "shut off" ]
    result $? "it is shut off"
}

version=$(qemu-system-x86_64 --version | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
no_property="emulator '$emulator-old' (QEMU $version) has no CPU property 'hv-xmm-input', which provider 'qemu' needs: use provider \
'preload' or a QEMU that has it"
no_library="provider library '$library': No such file or directory: install bootzero's provider, or correct provider-library in \
bootzero.conf"
no_kvm="KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV"

for with in nothing plugin; do
    # The hook gets what is preloaded into the daemon, and may be instrumented.
    preloaded=$BZ_SEAMS
    [ "$with" = plugin ] || preloaded=${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_SEAMS
    BZ_DAEMON_PRELOAD=$preloaded daemon_start ${with/nothing/} hook

    # QEMU gets the properties
    given old none
    lacks "nothing could be had" "$stored" "qemu:"
    qemu new
    mends "the domain was defined when this host could not provide it, and now it can: virt-bootzero refresh 'a'" "$arguments"
    cp "$stored" stored.xml
    passes "start again" virsh start a
    same "nothing more to do" stored.xml "$stored"
    stop

    # QEMU loses them
    given new there
    qemu old
    mends "$no_property; or take provider 'preload', which this host has: virt-bootzero refresh 'a'" "$preload"
    given new none
    qemu old
    beyond "$no_property"

    # the library moves, or goes
    given old there
    mkdir "$work/there"
    mv "$library" "$work/there"
    provider "$work/there/bootzero-qemu.so"
    mends "$no_library; or take provider 'preload', which this host has: virt-bootzero refresh 'a'" \
        "${preload/$work/$work/there}"
    rm -r "$work/there"
    given old there
    rm "$library"
    beyond "$no_library"
    qemu new
    mends "$no_library; or take provider 'qemu', which this host has: virt-bootzero refresh 'a'" "$arguments"

    # the kernel can no longer do it
    given new there
    kvm unable
    beyond "$no_kvm"

    # What works is started in any case; the plugin takes what is best now.
    given old there
    qemu new
    passes "start" virsh start a
    [ "$with" = plugin ] && now=$arguments || now=$preload
    runs_with "$now"
    stop
    given old there
    configure 'provider = qemu' 'boot-zeroed-mem-property = hv-xmm-input'
    passes "start, with a configuration that cannot be met" virsh start a
    same "it is as it was" stored.xml "$stored"
    stop

    if [ "$with" = plugin ]; then
        # Other ways to start, and what does not start
        for options in --paused --autodestroy; do
            given old none
            qemu new
            passes "start $options" virsh start $options a
            has "it is refreshed" "$stored" "$arguments"
            virsh destroy a >/dev/null 2>&1
        done
        given old none
        qemu new
        virsh start a >/dev/null
        cp "$stored" stored.xml
        qemu old
        refused "start of a guest that runs" "Domain is already active" virsh start a
        same "it is as it was" stored.xml "$stored"
        stop

        # Who may not define a domain does not by starting it.
        given old none
        qemu new
        refused "start, read-only" "operation forbidden: read only access prevents virDomainCreate" virsh -r start a
        same "it is as it was" stored.xml "$stored"

        # A definition that cannot be written
        mount --bind /etc/libvirt/qemu /etc/libvirt/qemu
        mount -o remount,bind,ro /etc/libvirt/qemu
        ! virsh start a >out 2>err && grep -qF "error: unsupported configuration: domain 'a' could not be refreshed (" err
        result $? "start, and /etc cannot be written"
        has "it says why" err "Read-only file system"
        has "and what mends it" err "): $cannot the domain was defined when this host could not provide it, and now it can: \
virt-bootzero refresh 'a'"
        same "nothing is lost" stored.xml "$stored"
        umount /etc/libvirt/qemu
        virsh dumpxml --inactive --security-info a >after.xml
        same "the daemon has it, too" before.xml after.xml
        passes "start, when it can" virsh start a
        stop
        given old there
        qemu new
        mount --bind /etc/libvirt/qemu /etc/libvirt/qemu
        mount -o remount,bind,ro /etc/libvirt/qemu
        passes "start of what works as it is" virsh start a
        has "the log says what did not" "$daemon_log" "domain 'a' is started as it was defined: what this host has now could not \
be put into its definition: "
        umount /etc/libvirt/qemu
        runs_with "$preload"
        stop

        # A guest in a managed save image goes on with what it has.
        given old there
        virsh start a >/dev/null
        passes "managed save" virsh managedsave a
        qemu new
        passes "restored" virsh start a
        same "the definition is as it was" stored.xml "$stored"
        has "the log says so" "$daemon_log" "domain 'a' goes on from its managed save image with what it was saved with; its \
provider is chosen again when it is started without one"
        runs_with "$preload"
        virsh managedsave a >/dev/null
        passes "booted instead" virsh start --force-boot a
        runs_with "$arguments"
        stop

        # Two at once
        given old none
        qemu new
        virsh start a >one 2>&1 </dev/null &
        virsh start a >two 2>&1 </dev/null
        wait $!
        # The slower of the two may be told so by virsh, which looks before it asks.
        sort -u one two | sed -e '/^$/d' -e "s/^error: Domain is already active/error: Failed to start domain 'a'\n\
error: Requested operation is not valid: domain is already running/" >out
        printf '%s\n' "Domain 'a' started" "error: Failed to start domain 'a'" \
            "error: Requested operation is not valid: domain is already running" | sort >expected
        same "two starts at once: one does" expected out
        runs_with "$arguments"
        stop

        # A broken configuration stops what needs it
        given new there
        echo nonsense >"$BZ_CONFIG_FILE"
        ! virsh start a >out 2>err && grep -q "^error: internal error: " err
        result $? "start, with a configuration that cannot be read"
        domain plain >in.xml
        virsh define in.xml >/dev/null
        passes "start of another domain" virsh start plain
        virsh destroy plain >/dev/null
        provider "$library"
    fi
    virsh undefine a >/dev/null
    daemon_stop
done
finish
