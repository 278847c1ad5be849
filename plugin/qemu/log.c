/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "qemu/abi-hyperv.h"

static void write_line(const char *format, va_list arguments)
{
    static atomic_bool was_cut; /* the last line, by a full disk: it is ended first */
    char line[512];
    bool end_last = atomic_exchange(&was_cut, false);
    int used = snprintf(line, sizeof line, "%sbootzero: ", end_last ? "\n" : "");
    int wanted = vsnprintf(line + used, sizeof line - used - 1, format, arguments);

    if (wanted < 0)
        return;
    size_t length = strlen(line);
    /* Parts of a line come from outside: what is no plain text must not move a terminal's cursor or forge a line. */
    for (size_t i = end_last; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    line[length++] = '\n';
    /* One write, so that lines of threads do not mix. Nobody is left to tell when stderr is gone. */
    ssize_t written = write(STDERR_FILENO, line, length);
    if (written < 0 ? end_last : (size_t)written < length)
        atomic_store(&was_cut, true);
}

void bz_log(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

/* The last outcome of each of the two calls. */
struct outcome {
    bool known;
    uint16_t status;
    char reason[176];
};

static bool outcome_changes(struct outcome *last, uint16_t status, const char *reason)
{
    char now[sizeof last->reason];

    snprintf(now, sizeof now, "%s", reason);
    if (last->known && last->status == status && strcmp(last->reason, now) == 0)
        return false;
    last->known = true;
    last->status = status;
    memcpy(last->reason, now, sizeof now);
    return true;
}

void bz_log_outcome(uint16_t call, uint16_t status, const char *reason, const char *format, ...)
{
    static struct outcome outcomes[2];
    static unsigned lines;
    va_list arguments;

    if (lines > BZ_LOG_GUEST_LINES ||
        !outcome_changes(&outcomes[call == BZ_HV_GET_BOOT_ZEROED_MEMORY], status, reason))
        return;
    if (lines++ == BZ_LOG_GUEST_LINES) {
        bz_log("%u lines written for this guest: no more will follow", BZ_LOG_GUEST_LINES);
        return;
    }
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}
