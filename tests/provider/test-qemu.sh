#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A stock QEMU with the provider preloaded starts, runs and ends as without it. What it answers: test-qemu-answers.py.
# Usage: test-qemu.sh PROVIDER
set -u

provider=$(realpath "$1")
qemu=${QEMU:-qemu-system-x86_64}
dir=$(mktemp -d)
failures=0
on=ext-query-caps=on,boot-zeroed-mem=on
sandbox=on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny

trap 'rm -rf "$dir"' EXIT

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

[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
