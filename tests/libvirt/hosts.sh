# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced after functions.sh by a test between two hosts, `source` and `destination`.
#
#   hosts_start "[plugin] [hook]" "[plugin] [hook]"      what source has, and what destination has
#   hosts_stop
#   on HOST COMMAND...: kvm, configure or stand_in of functions.sh
#
# The URIs of the daemons are in $source and $destination, their logs and other files in $hosts/HOST: for example
# $hosts/source/etc/libvirt/qemu/GUEST.xml.

hosts=$BZ_SANDBOX/hosts
source="qemu+unix:///system?socket=$hosts/source/run/libvirt/libvirt-sock"
destination="qemu+unix:///system?socket=$hosts/destination/run/libvirt/libvirt-sock"
mkdir -p "$hosts/source" "$hosts/destination"
# QEMU connects to a host by its name.
printf "127.0.0.%s\n" "1 source" "2 destination" >>/etc/hosts
declare -A host_pid

on()
{
    local BZ_CONFIG_FILE=$hosts/$1$BZ_CONFIG_FILE kvm_file=$hosts/$1$kvm_file
    shift
    mkdir -p "$(dirname "$BZ_CONFIG_FILE")" "$(dirname "$kvm_file")"
    "$@"
}

host_start()
{
    local name=$1 tries
    shift
    rm -f "$hosts/$name/stdin"
    mkfifo "$hosts/$name/stdin"
    "$(dirname "$0")/host" "$name" "$@" <>"$hosts/$name/stdin" &
    host_pid[$name]=$!
}

host_answers()
{
    local tries
    for tries in $(seq 400); do
        [ ! -e "$hosts/$1/ready" ] || return 0
        kill -0 "${host_pid[$1]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "host $1 did not come up" >&2
    exit 1
}

host_stop()
{
    echo stop >"$hosts/$1/stdin"
    wait "${host_pid[$1]}" || exit
}

hosts_start()
{
    # shellcheck disable=SC2086
    host_start source $1
    # shellcheck disable=SC2086
    host_start destination $2
    host_answers source
    host_answers destination
}

hosts_stop()
{
    host_stop source
    host_stop destination
}
