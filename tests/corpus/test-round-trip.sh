#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The XML files of libvirt's own tests through translate and restore.
set -euo pipefail
folder=$("$(dirname "$0")/fetch")
exec "$ROUND_TRIP" "$folder" 2000
