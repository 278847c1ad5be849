#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The benchmark of define and dumpxml: starts a stock libvirtd and one with the plugin, each in a sandbox, and has
# define-bench compare them.
#
#   define.sh BUILD_DIR
#
# Prints JSON, [{"name", "value", "unit", "goal"}], on stdout, and the times behind it on stderr.
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
trap 'exec 3>&- 4>&-; wait; rm -rf "$base"' EXIT

# start NAME [plugin]: a daemon in a sandbox, which lives until its stdin closes.
serve='. "$0/functions.sh"; kvm able; stand_in; daemon_start "$@"; touch "$BZ_SANDBOX/ready"; cat >/dev/null; daemon_stop'
start()
{
    local name=$1
    shift
    "$tests/sandbox" --root "$base/$name" bash -c "$serve" "$tests" "$@" >&2
}

await()
{
    until [ -e "$base/$1/ready" ]; do
        kill -0 "$2" 2>/dev/null || { wait "$2" || exit; }
        sleep 0.1
    done
}

mkfifo "$base/stock.in" "$base/plugin.in"
start stock <"$base/stock.in" &
stock=$!
exec 3>"$base/stock.in"
start plugin plugin <"$base/plugin.in" 3>&- &
plugin=$!
exec 4>"$base/plugin.in"
await stock "$stock"
await plugin "$plugin"

uri()
{
    echo "qemu+unix:///system?socket=$base/$1/run/libvirt/libvirt-sock"
}
"$build/tests/bench/define-bench" "$(uri stock)" "$(uri plugin)" >"$base/figures.json"

# A daemon that ended badly makes no figures.
exec 3>&- 4>&-
wait "$stock"
wait "$plugin"
cat "$base/figures.json"
