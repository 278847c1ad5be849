# SPDX-License-Identifier: LGPL-2.1-or-later
# The plugin under the thread sanitizer: threads.c says what it does.
. "$(dirname "$0")/functions.sh"

kvm able
# What the sanitizer finds ends the program at once.
passes "threads" env LD_PRELOAD="$BZ_SEAMS" TSAN_OPTIONS="halt_on_error=1:suppressions=$(dirname "$0")/threads.supp" "$BZ_THREADS"
cat out
finish
