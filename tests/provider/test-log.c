/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/log.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "check.h"

static char text[1 << 16];
static int captured;

static void capture(void)
{
    captured = memfd_create("stderr", 0);
    CHECK(dup2(captured, STDERR_FILENO) == STDERR_FILENO);
}

static const char *lines(void)
{
    ssize_t got = pread(captured, text, sizeof text - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    return text;
}

static unsigned count_lines(void)
{
    unsigned n = 0;
    for (const char *c = lines(); *c; c++)
        n += *c == '\n';
    return n;
}

static void one_line_each(void)
{
    capture();
    bz_log("%s of %d", "one", 2);
    bz_log("forged\nbootzero: line\033[2J");
    CHECK_TEXT(lines(), "bootzero: one of 2\nbootzero: forged?bootzero: line?[2J\n");
}

static void cut_to_a_line(void)
{
    char huge[5000];

    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    capture();
    bz_log("%s", huge);
    CHECK_EQUAL(count_lines(), 1);
    CHECK(strlen(lines()) <= 512);
}

/* What did not fit is lost, but the next line is one. */
static void cut_by_a_full_disk(void)
{
    struct rlimit before, full;

    capture();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    full = (struct rlimit){ 20, before.rlim_max };
    setrlimit(RLIMIT_FSIZE, &full);
    bz_log("first line, which is cut");
    bz_log("lost");
    setrlimit(RLIMIT_FSIZE, &before);
    bz_log("second line");
    bz_log("third line");
    CHECK_TEXT(lines(), "bootzero: first line\nbootzero: second line\nbootzero: third line\n");
}

static void changes_only(void)
{
    capture();
    for (unsigned i = 0; i < 3; i++) {
        bz_log_outcome(0x8002, 0, "", "success %u", i);
        bz_log_outcome(0x8001, 0, "", "caps %u", i);
    }
    bz_log_outcome(0x8002, 0, "shared", "declined");
    bz_log_outcome(0x8002, 6, "shared", "refused");
    bz_log_outcome(0x8002, 6, "shared", "refused again");
    bz_log_outcome(0x8002, 0, "", "success at last");
    CHECK_TEXT(lines(), "bootzero: success 0\nbootzero: caps 0\nbootzero: declined\nbootzero: refused\n"
                        "bootzero: success at last\n");
}

static void bounded(void)
{
    capture();
    for (unsigned i = 0; i < 10000; i++)
        bz_log_outcome(0x8002, (uint16_t)(i % 7), "", "again");
    CHECK_EQUAL(count_lines(), BZ_LOG_GUEST_LINES + 1);
    CHECK_CONTAINS(lines(), "bootzero: 64 lines written for this guest: no more will follow\n");
}

CHECK_MAIN(CASE(one_line_each), CASE(cut_to_a_line), CASE(cut_by_a_full_disk), CASE(changes_only), CASE(bounded))
