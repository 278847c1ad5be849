#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The benchmark of define and dumpxml: starts pairs of a stock libvirtd and one with the plugin, each in a sandbox, and
# has define-bench compare them.
#
#   define.sh BUILD_DIR
#
# Prints JSON, [{"name", "value", "unit", "goal", "anchor"}], on stdout, and the times behind it on stderr.
# Exit status: 0; 77 when there can be no sandbox here, with the reason on stderr; other: failed.
set -euo pipefail

[ $# = 1 ] || { echo "usage: define.sh BUILD_DIR" >&2; exit 2; }
build=$(cd "$1" && pwd)
tests=$(cd "$(dirname "$0")/../libvirt" && pwd)

export BZ_PLUGIN=$build/plugin/libvirt/bootzero-libvirt.so
export BZ_SEAMS=$build/tests/libvirt/seams.so
BZ_CONFIG_FILE=$(sed -n 's/^#define BZ_CONFIG_FILE "\(.*\)"$/\1/p' "$build/config.h")
export BZ_CONFIG_FILE
# On tmpfs where there is one: libvirt syncs what it defines, and disks are noisy.
base=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/bootzero-bench.XXXXXX")
daemons=() uris=()
trap 'kill -KILL "${daemons[@]}" 2>/dev/null || true; wait; rm -rf "$base"' EXIT

# start NAME [plugin]: a daemon in a sandbox, which lives until its stdin closes.
serve='. "$0/functions.sh"; kvm able; stand_in; daemon_start "$@"; touch "$BZ_SANDBOX/ready"; cat >/dev/null; daemon_stop'
start()
{
    local name=$1
    shift
    "$tests/sandbox" --root "$base/$name" bash -c "$serve" "$tests" "$@" <"$base/end" >&2 &
    daemons+=("$!")
    uris+=("qemu+unix:///system?socket=$base/$name/run/libvirt/libvirt-sock")
}

mkfifo "$base/end"
for pair in 1 2 3; do
    start "stock$pair"
    start "plugin$pair" plugin
done
exec 3>"$base/end"
for pair in 1 2 3; do
    for name in "stock$pair" "plugin$pair"; do
        until [ -e "$base/$name/ready" ]; do
            for daemon in "${daemons[@]}"; do
                kill -0 "$daemon" 2>/dev/null || wait "$daemon"
            done
            sleep 0.1
        done
    done
done
"$build/tests/bench/define-bench" "${uris[@]}" >"$base/figures.json"

# A daemon that ended badly makes no figures.
exec 3>&-
for daemon in "${daemons[@]}"; do
    wait "$daemon"
done
cat "$base/figures.json"
