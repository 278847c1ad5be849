#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The domains of libvirt's own tests through a real libvirtd with the plugin. The files are fetched before the sandbox,
# which has no network.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# = 0 ]; then
    folder=$("$here/fetch")
    exec "$here/../libvirt/sandbox" "$0" "$folder"
fi
. "$here/../libvirt/functions.sh"
kvm able
stand_in
daemon_start plugin
status=0
# With AddressSanitizer in libvirtd all of them take eight minutes.
sample=(1000 1)
[ -z "$BZ_LIBASAN" ] || sample=(100 8)
"$DEFINE_CORPUS" "$1" "${sample[@]}" || status=1
daemon_stop
exit $status
