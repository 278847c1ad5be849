#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the preload provider costs: an answer, and each KVM_RUN.
#
#   scan.sh BUILD_DIR
#
# Prints JSON, [{"name", "value", "unit", "goal", "anchor"}], on stdout, and the figures behind it on stderr.
set -euo pipefail

[ $# = 1 ] || { echo "usage: scan.sh BUILD_DIR" >&2; exit 2; }
build=$(cd "$1" && pwd)
scan=$("$build/tests/bench/scan-bench")
run=$(LD_PRELOAD=$build/plugin/qemu/bootzero-qemu.so BOOTZERO=boot-zeroed-mem=on "$build/tests/bench/kvm-run-bench")
python3 -c 'import json, sys; print(json.dumps(json.loads(sys.argv[1]) + json.loads(sys.argv[2]), indent=2))' "$scan" "$run"
