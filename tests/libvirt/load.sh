# SPDX-License-Identifier: LGPL-2.1-or-later
# Eight clients and 20,000 calls of every kind, errors among them (load.c): each gives what it should, and the daemon's
# memory does not grow. The daemon has one arena for its allocations: with one a thread, a stock daemon's memory grows by
# some megabytes, and then not, as the threads' fragments come to fit.
. "$(dirname "$0")/functions.sh"

clients=8 calls=20000 most=2048
[ -z "$BZ_LIBASAN" ] || calls=2000
kvm able
stand_in
export MALLOC_ARENA_MAX=1
daemon_start plugin

resident()
{
    awk '/^VmRSS/ { print $2 }' "/proc/$daemon_pid/status"
}

# Until every thread, arena and cache there will be is there.
passes "warm-up" "$BZ_LOAD" qemu:///system $clients $((calls / 2)) 1
before=$(resident)
begin=$(date +%s%N)
passes "$calls calls of $clients clients" "$BZ_LOAD" qemu:///system $clients $calls 1000
ms=$((($(date +%s%N) - begin) / 1000000))
after=$(resident)
echo "# $((ms / 1000)).$((ms % 1000 / 100)) s, the daemon's memory: $before KiB before, $after KiB after"
# Under AddressSanitizer what is freed stays for a while.
[ -n "$BZ_LIBASAN" ] || [ $((after - before)) -le $most ]
result $? "it grew by $((after - before)) KiB, of at most $most"
passes "no domain is left" virsh list --all --name
[ -z "$(tr -d '\n' <out)" ]
result $? "none"
daemon_stop
finish
