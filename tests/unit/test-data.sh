#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is installed beside the programs: completion, configuration, manual pages.
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

check() # WHAT EXPECTED ACTUAL
{
    if [ "$2" = "$3" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s\n  expected: %s\n  actual:   %s\n' "$1" "$2" "$3"
        failed=1
    fi
}

# --- bash completion: what the words so far are completed to ---
# shellcheck source=/dev/null
source "$BOOTZERO_DATA/bash-completion/virt-bootzero"
complete_words()
{
    COMP_WORDS=("$VIRT_BOOTZERO" "$@")
    COMP_CWORD=$#
    _virt_bootzero
    echo "${COMPREPLY[*]:-}"
}
check 'commands' 'enable disable edit refresh translate validate schema probe status watch map' "$(complete_words '')"
check 'a command that has begun' 'probe' "$(complete_words p)"
check 'a command behind -c' 'probe' "$(complete_words -c qemu:///system pr)"
check 'options of the program' '--connect' "$(complete_words --c)"
check 'options of a command' '--emulator' "$(complete_words probe --e)"
check 'providers' 'qemu preload' "$(complete_words translate --provider '')"
touch "$scratch/guest.xml"
virsh() { local IFS=" "; echo "$*" >> "$scratch/virsh"; printf '%s\n' win10 'win 11' linux ''; }
check 'domains' 'win10 win 11' "$(complete_words -c qemu:///session enable w)"
check 'domains are asked for' '-q -c qemu:///session list --all --persistent --name' "$(cat "$scratch/virsh")"
check 'folders' "$scratch/folder" "$(mkdir "$scratch/folder"; complete_words schema --to "$scratch/")"
check 'files' "$scratch/guest.xml" "$(complete_words validate "$scratch/gu")"

# --- the configuration is installed once, and never over the administrator's ---
install=$BOOTZERO_DATA/install-configuration.sh
echo shipped > "$scratch/shipped"
DESTDIR=$scratch/root "$install" "$scratch/shipped" /etc/bootzero > /dev/null
check 'configuration installed' shipped "$(cat "$scratch/root/etc/bootzero/bootzero.conf")"
echo changed > "$scratch/root/etc/bootzero/bootzero.conf"
check 'configuration kept' "Keeping $scratch/root/etc/bootzero/bootzero.conf" \
    "$(DESTDIR=$scratch/root "$install" "$scratch/shipped" /etc/bootzero)"
check 'configuration unchanged' changed "$(cat "$scratch/root/etc/bootzero/bootzero.conf")"

# --- the manual names every command, option and key there is ---
missing=
for command in $("$VIRT_BOOTZERO" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p'); do
    grep -q "^\*\*$command\*\*" "$BOOTZERO_MAN/virt-bootzero.1.rst" || missing+=" $command"
    for option in $("$VIRT_BOOTZERO" "$command" --help | sed -nE 's/^  (-[a-z], )?(--[a-z-]+).*/\2/p'); do
        [ "$option" = --help ] || grep -qF -- "**$option**" "$BOOTZERO_MAN/virt-bootzero.1.rst" || missing+=" $command $option"
    done
done
echo '[bootzero]
x = y' > "$scratch/unknown"
keys=$({ BOOTZERO_CONFIG=$scratch/unknown "$VIRT_BOOTZERO" probe 2>&1 || :; } | sed -n 's/.*must be one of //p' | tr -d ,)
check 'keys are told' provider "${keys%% *}"
for key in $keys; do
    grep -qF "**$key** = " "$BOOTZERO_MAN/bootzero.conf.5.rst" || missing+=" $key"
done
check 'not in the manual' '' "$missing"

exit "$failed"
