# SPDX-License-Identifier: LGPL-2.1-or-later
# qemu:///session: a user's own daemon, started by hand or by the first client, with the plugin in the daemon, in the
# client, or in both. What is shown, stored and started is the same. QEMU itself is started, with the provider's library.
. "$(dirname "$0")/functions.sh"

# A user who has a session, /dev/kvm, and files of his own: what was built may lie where only root can read.
session=/run/session
mkdir -p $session/{home,runtime,config/libvirt,cache,lib}
cp "$BZ_PLUGIN" "$BZ_SEAMS" $session/lib
cp "$BZ_PROVIDER" $session/lib/bootzero-qemu.so
[ -z "$BZ_LIBASAN" ] || cp -L "$BZ_LIBASAN" $session/lib
plugin=${BZ_LIBASAN:+$session/lib/libasan.so:}$session/lib/$(basename "$BZ_PLUGIN")
seams=$session/lib/$(basename "$BZ_SEAMS")
provider=$session/lib/bootzero-qemu.so
log=$session/libvirtd.log
touch $log
echo "user:x:1001:1001::$session/home:/bin/sh" >>/etc/passwd
echo "user:x:1001:" >>/etc/group
echo "log_outputs = \"3:file:$log\"" >$session/config/libvirt/libvirtd.conf
printf '%s\n' 'stdio_handler = "file"' 'security_driver = "none"' 'namespaces = [ ]' >$session/config/libvirt/qemu.conf
chown -R 1001:1001 $session
chmod 0700 $session/runtime
chown root:root $session $session/lib/* $session/lib
cp -a /dev/kvm /run/kvm
chmod 0666 /run/kvm
mount --bind /run/kvm /dev/kvm
export LIBVIRT_DEFAULT_URI=qemu:///session
unset BZ_DAEMON_PRELOAD
stored=$session/config/libvirt/qemu
install -D "$BZ_HOOK" /etc/libvirt/hooks/qemu.d/bootzero

# user [VARIABLE=VALUE...] COMMAND...
user()
{
    setpriv --reuid 1001 --regid 1001 --clear-groups env HOME=$session/home XDG_RUNTIME_DIR=$session/runtime \
        XDG_CONFIG_HOME=$session/config XDG_CACHE_HOME=$session/cache "$@"
}

# client [plugin] ARGUMENT...: virsh, with or without the plugin.
client()
{
    if [ "$1" = plugin ]; then
        shift
        user LD_PRELOAD="$plugin:$seams" virsh "$@"
    else
        user LD_PRELOAD="$seams" virsh "$@"
    fi
}

session_pid()
{
    cat $session/runtime/libvirt/libvirtd.pid 2>/dev/null
}

session_stop()
{
    local pid tries
    pid=$(session_pid)
    kill "$pid" || exit
    # Nobody waits for one that a client started.
    for tries in $(seq 300); do
        grep -q '^State:[^Z]*$' "/proc/$pid/status" 2>/dev/null || break
        sleep 0.1
    done
    [ "$tries" != 300 ]
    result $? "the session's daemon ends"
    rm -f $session/runtime/libvirt/libvirt-sock
}

# in_daemon|not_in_daemon: the plugin
in_daemon() { has "the plugin is in the daemon" "/proc/$(session_pid)/maps" "bootzero-libvirt"; }
not_in_daemon() { lacks "the plugin is not in the daemon" "/proc/$(session_pid)/maps" "bootzero-libvirt"; }

no_hyperv="KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV"

# lives CLIENT: a domain's life, with the plugin on either side. CLIENT: plugin, or empty.
lives()
{
    local pid socket
    passes "define${1:+, plugin in the client}" client $1 define in.xml
    has "the marker is stored" $stored/a.xml '<bootzero:boot_zeroed_memory state="on"/>'
    has "the library is" $stored/a.xml "<qemu:env name='LD_PRELOAD' value='$provider'/>"
    has "the endpoint is in the session's folder" $stored/a.xml "qmp=$session/runtime/bootzero/"
    passes "dumpxml" client $1 dumpxml a
    has "the element is there" out "      $zeroed_on"
    lacks "nothing of the stored form is" out "bootzero"
    passes "domcapabilities" client $1 domcapabilities
    has "they have the element" out "<value>boot_zeroed_memory</value>"
    kvm unable
    ! client $1 start a >out 2>err && grep -qF "$no_hyperv" err
    result $? "start where it cannot work: $no_hyperv"
    kvm able
    passes "start" client $1 start a
    pid=$(cat $session/runtime/libvirt/qemu/run/a.pid)
    lacks "the plugin is not in QEMU" "/proc/$pid/maps" "bootzero-libvirt"
    # With sanitizers there is no provider that QEMU could load.
    if [ -z "$BZ_LIBASAN" ]; then
        has "the provider is" "/proc/$pid/maps" "$provider"
        socket=$(echo $session/runtime/bootzero/*.qmp)
        [ -S "$socket" ]
        result $? "the guest has its endpoint: $socket"
    fi
    passes "destroy" client $1 destroy a
    passes "undefine" client $1 undefine a
    domain b "<boot_zeroed_memory state='maybe'/>" >wrong.xml
    refused "wrong state" "XML error: Invalid value for attribute 'state' in element 'boot_zeroed_memory': 'maybe'." \
        client $1 define wrong.xml
}

kvm able
configure "provider-library = $provider"
domain a "<relaxed state='on'/>
      $zeroed_on" >in.xml

# Started by hand, as a service of the user would.
user LD_PRELOAD="$plugin:$seams" libvirtd >>$log 2>&1 &
for tries in $(seq 300); do
    [ ! -S $session/runtime/libvirt/libvirt-sock ] || break
    sleep 0.1
done
lives ""
in_daemon
lives plugin
session_stop

# Started by the client, which does not hand its plugin on: it does all by itself.
lives plugin
not_in_daemon
passes "define" client plugin define in.xml
passes "another client's dumpxml" client dumpxml a
has "it sees the stored form" out '<bootzero:boot_zeroed_memory state="on"/>'
refused "another client does not know the element" \
    "unsupported configuration: unsupported HyperV Enlightenment feature: boot_zeroed_memory" client define in.xml
kvm unable
! client start a >out 2>err && grep -qF "Hook script execution failed" err && grep -qF "$no_hyperv" err
result $? "the hook refuses what cannot work: $no_hyperv"
kvm able
passes "it starts the domain all the same" client start a
# The hook knows a managed save image by its file, which is where the daemon's XDG_CONFIG_HOME says.
passes "managedsave" client managedsave a
cp $stored/save/a.save image
kvm unable
! client start a >out 2>err && grep -F "/bootzero a prepare begin -" err | grep -qF "$no_hyperv"
result $? "start of a managed save: $no_hyperv"
same "the image is what it was" image $stored/save/a.save
kvm able
passes "start of a managed save" client start a
passes "destroy" client destroy a
session_stop

# Started by the client, which was told of a daemon with the plugin: as bootzero-libvirt(8) says.
mkdir $session/daemons
cat >$session/daemons/libvirtd <<END
#!/bin/sh
exec env LD_PRELOAD=$plugin:$seams $(command -v libvirtd) "\$@"
END
chmod 755 $session/daemons/libvirtd
export LIBVIRTD_PATH=$session/daemons
passes "what the client's plugin stored" client dumpxml a
has "the daemon's shows" out "      $zeroed_on"
in_daemon
passes "undefine" client undefine a
lives ""
lives plugin
session_stop
finish
