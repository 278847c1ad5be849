#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A stock QEMU with the provider preloaded starts, runs and ends as without it, in each way libvirt and people start it.
# Usage: test-qemu.sh PROVIDER
set -u

provider=$(realpath "$1")
qemu=${QEMU:-qemu-system-x86_64}
dir=$(mktemp -d)
daemon=
failures=0
on=ext-query-caps=on,boot-zeroed-mem=on
sandbox=on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny

cleanup() {
    [ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT

fail() {
    echo "FAILED: $1"
    sed 's/^/    /' "$dir/err" "$dir/out" 2>/dev/null
    failures=$((failures + 1))
}

has() { grep -qF -- "$2" "$dir/$1" || fail "$3: no '$2' in std$1"; }
lacks() { ! grep -qF -- "$2" "$dir/$1" || fail "$3: unexpected '$2' in std$1"; }

# start WHAT BOOTZERO ARGUMENTS...: runs QEMU until its QMP says that it is running, then quits it.
start() {
    local what=$1 bootzero=$2
    shift 2
    printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"query-status"}' '{"execute":"quit"}' |
        env BOOTZERO="$bootzero" LD_PRELOAD="$provider" timeout 30 "$qemu" -m 64 -nodefaults -display none \
            -qmp stdio "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    echo "ran: $what: $status"
}

running() {
    [ "$status" = 0 ] || fail "$1: exit status $status"
    has out '"status": "running"' "$1"
}

command -v "$qemu" >/dev/null || { echo "skipped: no $qemu"; exit 77; }
[ -r /dev/kvm ] && [ -w /dev/kvm ] || { echo "skipped: /dev/kvm cannot be opened"; exit 77; }

banner="bootzero: version"

start kvm "$on" -accel kvm -cpu host
running kvm
has err "$banner" kvm

start "kvm, sandbox, two vCPUs, q35" "$on" -accel kvm -cpu host -M q35 -smp 2 -sandbox "$sandbox"
running "sandbox"
has err "$banner" "sandbox"

start "Hyper-V enlightenment" "$on" -accel kvm -cpu host,hv-relaxed
running "Hyper-V enlightenment"
has err "$banner" "Hyper-V enlightenment"

start "without the variable" "" -accel kvm -cpu host
running "without the variable"
lacks err bootzero "without the variable"

start tcg "$on" -accel tcg
running tcg
lacks err bootzero tcg

start "wrong configuration" boot-zeroed-mem=maybe -accel kvm -cpu host
[ "$status" = 1 ] || fail "wrong configuration: exit status $status"
has err "bootzero: BOOTZERO: 'boot-zeroed-mem' has the value 'maybe': allowed values are 'on' and 'off'" "wrong configuration"
has err "failed to initialize kvm: Invalid argument" "wrong configuration"

# -daemonize forks, then root and user are left: the provider has its files open all the same.
if [ "$(id -u)" = 0 ]; then
    mkdir "$dir/empty"
    chmod 755 "$dir"
    BOOTZERO=$on LD_PRELOAD=$provider timeout 30 "$qemu" -m 64 -nodefaults -display none -accel kvm -cpu host \
        -sandbox on,obsolete=deny,resourcecontrol=deny -daemonize -runas nobody -chroot "$dir/empty" -pidfile "$dir/pid" >"$dir/out" 2>"$dir/err"
    status=$?
    echo "ran: daemonize, runas, chroot: $status"
    daemon=$(cat "$dir/pid" 2>/dev/null)
    [ "$status" = 0 ] || fail "daemonize: exit status $status"
    has err "$banner" daemonize
    if [ -n "$daemon" ] && kill -0 "$daemon"; then
        [ "$(stat -c %U "/proc/$daemon")" = nobody ] || grep -q '^Uid:\s65534' "/proc/$daemon/status" ||
            fail "daemonize: the user was not changed"
        readlink /proc/"$daemon"/fd/* >"$dir/out"
        # As seen from the process itself: a descriptor of before the fork would name another process.
        has out "/proc/$daemon/pagemap" daemonize
        has out "/proc/$daemon/maps" daemonize
        kill "$daemon"
        for _ in $(seq 50); do
            kill -0 "$daemon" 2>/dev/null || break
            sleep 0.1
        done
        ! kill -0 "$daemon" 2>/dev/null || fail "daemonize: does not end on SIGTERM"
        daemon=
    else
        fail "daemonize: QEMU is gone"
    fi
else
    echo "not root: -runas and -chroot were not tried"
fi

[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
