# SPDX-License-Identifier: LGPL-2.1-or-later
# Guests that run beside the job, which talks to them by their serial port and to QEMU by its monitor. Sourced after
# lib.sh.

dir=/tmp/life
mkdir -p $dir
WRAP=/bootzero/thp-off
MIB=32
PERCENT=99 # of the untouched pages, in the first answer
LIMIT=240 # seconds for each thing that is waited for: the machine is emulated, and may be busy

# start NAME WORDS QEMU-ARGUMENT...: a guest with its serial port and monitor in pipes.
start() {
    start_name=$1 start_words=$2
    shift 2
    for start_pipe in serial monitor; do
        mkfifo $dir/$start_name.$start_pipe.in $dir/$start_name.$start_pipe.out
        cat $dir/$start_name.$start_pipe.out >$dir/$start_name.$start_pipe &
    done
    # shellcheck disable=SC2086
    env LD_PRELOAD="$PROVIDER" BOOTZERO=boot-zeroed-mem=on timeout -s KILL 900 $WRAP $QEMU -M q35,accel=kvm -cpu "$CPU" \
        -nodefaults -display none -serial pipe:$dir/$start_name.serial -monitor pipe:$dir/$start_name.monitor \
        -kernel "$GUEST" -append "$start_words" -m $MIB,slots=2,maxmem=512M "$@" >$dir/$start_name.log 2>&1 &
}

# until_true COMMAND...: waits until it is.
until_true() {
    until_end=$(($(cut -d . -f 1 /proc/uptime) + LIMIT))
    until "$@"; do
        [ "$(cut -d . -f 1 /proc/uptime)" -lt $until_end ] || return 1
        sleep 0.1
    done
}

has_times() { [ "$(grep -cF -- "$2" "$1")" -ge "$3" ]; }

# sees NAME TEXT [TIMES]: waits until the guest has printed the text so often.
sees() {
    until_true has_times $dir/$1.serial "$2" "${3:-1}" || { echo "no '$2' from $1"; state $1; return 1; }
}

# state NAME: what is known of a guest that does not come on.
state() {
    grep -v ^range $dir/$1.serial | tail -n 20
    cat $dir/$1.log
    for state_of in "info status" "info migrate" "info registers"; do
        tell $1 "$state_of"
    done
    sleep 3
    # Without what the monitor's line editor draws.
    sed 's/.*\x1b\[K//' $dir/$1.monitor | grep -vE '^(XMM|FPR|DR|[A-Z]S )' | tail -n 40
}

# A pipe without a reader, because QEMU ended, must not hold the job up.
put() { timeout 30 tee "$1" >/dev/null || echo "nobody reads $1"; }
tell() { echo "$2" | put $dir/$1.monitor.in; }
# go_on NAME [LETTERS]: to the next question, after the events of these letters.
go_on() { echo "$2" | put $dir/$1.serial.in; }

# answers NAME COMMAND TEXT: asks the monitor until it says the text.
asked() {
    tell "$1" "$2"
    sleep 0.5
    has_times $dir/$1.monitor "$3" 1
}
answers() {
    until_true asked "$1" "$2" "$3" ||
        { echo "'$2' does not say '$3'"; tail -n 20 $dir/$1.monitor; cat $dir/$1.log; return 1; }
}
# runs NAME: only then are its devices loaded. A byte that comes before is lost with what they were.
runs() { answers "$1" "info status" "VM status: running"; }
migrated() { answers "$1" "info migrate" "Migration status: completed"; }

# listens PATH: waits for the socket of an incoming migration.
listens() { until_true [ -S "$1" ] || { echo "nothing listens on $1"; return 1; }; }

# log_has NAME TEXT
log_has() { grep -qF -- "$2" $dir/$1.log || { echo "the log lacks '$2'"; cat $dir/$1.log; return 1; }; }

# good NAME: the last answer broke no promise.
good() {
    is $dir/$1.serial "call code=0x8002" status 0 && is $dir/$1.serial check nonzero-bytes 0 &&
        is $dir/$1.serial check dirty-reported 0 && is $dir/$1.serial check own-reported 0
}

# ended NAME: the guest ended by itself and found all promises kept and its pages as it left them.
ended() {
    sees $1 "done result=" && is $dir/$1.serial "done" result ok && good "$1" ||
        { grep -v ^range $dir/$1.serial; cat $dir/$1.log; return 1; }
}

# reports NAME PERCENT: of the pages that the guest has not written.
reports() {
    reports_of=$(value $dir/$1.serial pages untouched)
    reports_got=$(value $dir/$1.serial pages reported)
    echo "reported $reports_got of $reports_of untouched pages"
    at_least $((reports_got * 100)) $((reports_of * $2))
}

# lent NAME DIRTY MINIMUM MAXIMUM: of the 256 pages that the guest dirtied first, so many are still dirty, and reported.
lent() {
    is $dir/$1.serial lent dirty "$2" || return 1
    lent_reported=$(value $dir/$1.serial lent reported)
    [ "$lent_reported" -ge "$3" ] && [ "$lent_reported" -le "$4" ] ||
        { echo "$lent_reported of them are reported, not $3 to $4"; return 1; }
}

# first NAME: the guest was answered once and waits.
first() {
    check "$1: asks" sees $1 "waiting round=2"
    check "$1: is answered" good "$1"
    check "$1: what is untouched" reports "$1" $PERCENT
}

# parts NAME...: runs those that the job's command line names, or all.
parts() {
    for part; do
        [ -z "$wanted" ] || case " $wanted " in *" $part "*) ;; *) continue ;; esac
        say "$part"
        $part
    done
    say end
    conclude
}
wanted=$*
