#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs bootzero.conf where there is none: one that is there belongs to the administrator.
# usage: install-configuration.sh FILE DIRECTORY
set -eu
target="${DESTDIR:-}$2/bootzero.conf"
if [ -e "$target" ]; then
    echo "Keeping $target"
else
    install -D -m 644 "$1" "$target"
fi
