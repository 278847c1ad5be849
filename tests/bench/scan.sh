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
# Where a process gets its page tables from decides whether a scan of them takes once or twice as long: of three the median.
for _ in 1 2 3; do
    "$build/tests/bench/scan-bench"
    LD_PRELOAD=$build/plugin/qemu/bootzero-qemu.so BOOTZERO=boot-zeroed-mem=on "$build/tests/bench/kvm-run-bench"
done | python3 -c '
import json, statistics, sys

text, runs = sys.stdin.read(), {}
while text := text.lstrip():
    figures, end = json.JSONDecoder().raw_decode(text)
    text = text[end:]
    for figure in figures:
        runs.setdefault(figure["name"], []).append(figure)
for figures in runs.values():
    figures[0]["value"] = statistics.median(figure["value"] for figure in figures)
print(json.dumps([figures[0] for figures in runs.values()], indent=2))'
