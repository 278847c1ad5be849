#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a guest that zeroes its memory costs the host with the element, over the same guest without, through libvirt.
#
#   zeroing.sh BUILD_DIR
#
# Prints JSON, [{"name", "value", "unit", "goal", "anchor"}], on stdout, and the figures behind it on stderr. The guests
# run in turn on one libvirtd; each value is the ratio of the medians of three.
set -euo pipefail

[ $# = 1 ] || { echo "usage: zeroing.sh BUILD_DIR" >&2; exit 2; }
build=$(cd "$1" && pwd)
measured=$(mktemp)
trap 'rm -f "$measured"' EXIT
"$(dirname "$0")/../e2e/nested" --build "$build" --timeout 900 zeroing 1024 3 | tee "$measured" >&2
python3 - "$measured" <<'END'
import json, statistics, sys

figures = {}
with open(sys.argv[1]) as lines:
    for line in lines:
        if not line.startswith("zeroing "):
            continue
        words = dict(word.split("=") for word in line.split()[1:])
        if words["result"] != "ok":
            sys.exit("the guest ended with result=" + words["result"])
        for name in ("rss-kb", "ticks"):
            figures.setdefault((words["element"], name), []).append(int(words[name]))
if not figures or any(len(values) < 3 for values in figures.values()):
    sys.exit("fewer than three guests of each kind were measured")
anchor = "the same guest of 1 GiB without the element, huge pages off"
items = []
for name, figure, goal in (("rss", "rss-kb", 0.05), ("ticks", "ticks", 0.10)):
    ratio = statistics.median(figures["on", figure]) / statistics.median(figures["off", figure])
    items.append({"name": f"zeroing-guest-{name}-ratio", "value": round(ratio, 4), "unit": "ratio", "goal": goal,
                  "anchor": anchor})
print(json.dumps(items, indent=2))
END
