# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by what runs inside a sandbox: starts and stops its libvirtd.
#
#   daemon_start [plugin] [hook]    a stock daemon without either word
#   daemon_stop
#
# Environment: BZ_PLUGIN, BZ_HOOK: what was built; BZ_LIBASAN: the runtime it needs when it is instrumented;
# BZ_DAEMON_PRELOAD: more to preload, after them; BZ_LIBVIRT_DAEMON: libvirtd, which is the default, or virtqemud.

daemon_program=${BZ_LIBVIRT_DAEMON:-libvirtd}
daemon_socket=/run/libvirt/$([ "$daemon_program" = libvirtd ] && echo libvirt || echo "$daemon_program")-sock
daemon_pid=
daemon_log=/var/log/libvirt/libvirtd.log

daemon_configure()
{
    cat >"/etc/libvirt/$daemon_program.conf" <<-END
	auth_unix_ro = "none"
	auth_unix_rw = "none"
	log_outputs = "3:file:$daemon_log"
	END
    # For clients: Debian's look for libvirtd alone.
    [ "$daemon_program" = libvirtd ] || echo 'remote_mode = "direct"' >/etc/libvirt/libvirt.conf
    # Guests run as root, because of /dev/kvm, and without what needs other daemons.
    cat >/etc/libvirt/qemu.conf <<-END
	user = "root"
	group = "root"
	dynamic_ownership = 0
	remember_owner = 0
	security_driver = "none"
	stdio_handler = "file"
	namespaces = [ ]
	cgroup_controllers = [ ]
	END
}

daemon_start()
{
    local preload= word
    rm -f /etc/libvirt/hooks/qemu.d/bootzero
    for word in "$@"; do
        case $word in
        plugin) preload=${BZ_LIBASAN:+$BZ_LIBASAN:}$BZ_PLUGIN ;;
        hook) install -D "$BZ_HOOK" /etc/libvirt/hooks/qemu.d/bootzero ;;
        *) echo "daemon_start: $word?" >&2; exit 1 ;;
        esac
    done
    [ -e /etc/libvirt/qemu.conf ] || daemon_configure
    preload=$preload${BZ_DAEMON_PRELOAD:+:$BZ_DAEMON_PRELOAD}
    env ${preload:+LD_PRELOAD="${preload#:}"} "$daemon_program" >>"$daemon_log" 2>&1 &
    daemon_pid=$!

    local tries
    for tries in $(seq 300); do
        [ ! -S "$daemon_socket" ] || ! virsh -q -c qemu:///system list >/dev/null 2>&1 || return 0
        kill -0 "$daemon_pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "$daemon_program did not come up:" >&2
    cat "$daemon_log" >&2
    exit 1
}

daemon_stop()
{
    local status=0
    kill "$daemon_pid"
    wait "$daemon_pid" || status=$?
    rm -f "$daemon_socket"
    # 0 when it ended by itself on SIGTERM. An AddressSanitizer report ends it with another status.
    [ "$status" = 0 ] || { echo "$daemon_program ended with status $status:" >&2; cat "$daemon_log" >&2; exit 1; }
}
