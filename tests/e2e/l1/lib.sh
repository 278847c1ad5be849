# SPDX-License-Identifier: LGPL-2.1-or-later
# What the jobs share. Sourced by a job, which runs in L1 only: jobs change the machine they run on.
[ -n "$BOOTZERO_L1" ] && [ -e /bootzero/job ] || { echo "this job runs only in L1: use tests/e2e/nested" >&2; exit 1; }

GUEST=/bootzero/guest
PROVIDER=$(echo /usr/lib/*/bootzero/bootzero-qemu.so)
CPU=host,hv-relaxed,hv-vpindex,hv-time
QEMU=qemu-system-x86_64
QEMU_10="/opt/qemu-10/usr/bin/qemu-system-x86_64 -L /opt/qemu-10/usr/share/qemu -L /opt/qemu-10/usr/share/seabios"
OVMF=/usr/share/OVMF/OVMF_CODE_4M.fd
OVMF_SMM=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
OVMF_VARS=/usr/share/OVMF/OVMF_VARS_4M.fd
# OVMF's handler of interrupts writes CR8, and when another interrupt waits then, the emulation that L1 runs on aborts. With
# the interrupt controller in QEMU (7.2, as 10 has none) L1's KVM has such writes for itself.
OVMF_MACHINE=
OVMF_GLOBAL=
if [ "$BOOTZERO_L1" = nested ]; then
    OVMF_MACHINE=kernel-irqchip=off
    OVMF_GLOBAL=x86_64-cpu.kvm-asyncpf-int=off
fi
passed=0
failed=0

say() { echo "[$(cut -d ' ' -f 1 /proc/uptime)] $*"; }

# check NAME COMMAND...: one check; its output is shown when it fails.
check() {
    check_name=$1
    shift
    if check_output=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "ok   $check_name"
    else
        failed=$((failed + 1))
        echo "FAIL $check_name: $*"
        [ -z "$check_output" ] || echo "$check_output" | sed 's/^/     /'
    fi
}

# Ends the job.
conclude() {
    echo "checks: $passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
    exit
}

# value FILE RECORD KEY: of the last line in FILE that starts with RECORD (one or more words), the word after KEY=.
value() {
    awk -v record="$2" -v key="$3=" 'index($0, record " ") == 1 {
        for (i = 1; i <= NF; i++) if (index($i, key) == 1) found = substr($i, length(key) + 1)
    } END { sub(/\r$/, "", found); print found }' "$1"
}

# is FILE RECORD KEY VALUE...: the value is one of those.
is() {
    is_value=$(value "$1" "$2" "$3")
    is_what="$2 $3"
    shift 3
    for is_wanted; do
        [ "$is_value" != "$is_wanted" ] || return 0
    done
    echo "$is_what is '$is_value', not '$*'"
    return 1
}

# at_least NUMBER MINIMUM
at_least() {
    [ "$1" -ge "$2" ] || { echo "$1 is less than $2"; return 1; }
}

# show FILE: guest output, of many ranges and wrong calls only the first.
show() {
    awk '{ sub(/\r$/, "") } /^(range|hostile) / { if (++seen[$1 asked] > 3) { left++; next } } /^call/ { asked++ }
        NF { print "     " $0 } END { if (left) print "     (" left " lines more)" }' "$1"
}

# await COMMAND...: until it succeeds, at most four minutes: the machine is emulated, and may be busy.
await() {
    await_waited=0
    until "$@" >/dev/null 2>&1; do
        await_waited=$((await_waited + 1))
        [ $await_waited -lt 1200 ] || { echo "never: $*"; return 1; }
        sleep 0.2
    done
}

# boot OUT WORDS [QEMU-ARGUMENT...]: boots the guest with WORDS on its command line and waits for QEMU to end.
# PRELOAD, BOOTZERO_WORDS, WRAP, QEMU, MACHINE and CPU choose how. Gives QEMU's exit code.
boot() {
    boot_out=$1 boot_words=$2
    shift 2
    # shellcheck disable=SC2086
    env ${PRELOAD:+"LD_PRELOAD=$PRELOAD"} ${BOOTZERO_WORDS:+"BOOTZERO=$BOOTZERO_WORDS"} \
        timeout -s KILL "${LIMIT:-600}" $WRAP $QEMU -M "${MACHINE:-q35},accel=kvm" -cpu "$CPU" \
        -nodefaults -display none -serial "file:$boot_out" -kernel "$GUEST" -append "$boot_words" "$@" \
        >"$boot_out.qemu" 2>&1
    boot_code=$?
    [ $boot_code = 0 ] || { echo "QEMU ended with $boot_code"; cat "$boot_out.qemu"; }
    return $boot_code
}
