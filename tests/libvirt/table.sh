# SPDX-License-Identifier: LGPL-2.1-or-later
# The table of functions, and what the daemons of this machine take from libvirt: none that carries domain XML is
# missing, and none that is new goes unnoticed.
#
# others.txt has the names of those that carry none. A name in neither place is a function of a libvirt that is newer
# than this list: look what it carries, and give it a row in plugin/libvirt/interpose.c or a line in others.txt.
. "$(dirname "$0")/functions.sh"

others=$(dirname "$0")/others.txt
nm -D --defined-only "$BZ_PLUGIN" | awk '$2 == "T" && $3 ~ /^vir/ { print $3 }' | sort >table
sort -u "$others" | sed '/^#/d; /^$/d' >others
has "the plugin has functions" table virDomainDefineXML

comm -12 table others >both
[ ! -s both ]
result $? "no function is in the table and among the others: $(tr '\n' ' ' <both)"

# What only a client calls, and a daemon does not have.
clients="virDomainMigrate2 virDomainMigrate3 virDomainMigrateToURI2 virDomainMigrateToURI3"
found=0
for daemon in libvirtd virtqemud; do
    binary=$(command -v $daemon) || continue
    found=$((found + 1))
    nm -D --undefined-only "$binary" | sed -nE 's/.* (vir(Domain|Connect)[^@]*).*/\1/p' | sort -u >needed
    while read -r name; do
        grep -qx "$name" table others -h
        result $? "$daemon calls $name, which is known"
    done <needed
    while read -r name; do
        case " $clients " in *" $name "*) continue ;; esac
        grep -qx "$name" needed
        result $? "the table's $name is called by $daemon"
    done <table
done
[ "$found" -gt 0 ]
result $? "there is a daemon to look at"
finish
