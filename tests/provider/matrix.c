/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The soundness matrix: every kind of guest memory, written by everyone who can, through what happens in a guest's life.
 * A real KVM guest asks, the provider answers from in front of the real kernel, and then the content of every page is
 * compared: one page that was reported and is not zero fails the test. So does less than 99 % of the untouched pages:
 * those that are zero and that the host has not filled, which it does when memory is locked, pinned or made of large
 * pages, and when a hole of a file is read. Each cell is a process, and a line of output.
 *
 * matrix [BACKEND [WRITER [EVENT]]]
 *
 * Each of them may be "all". Without arguments cells in which more than one of the three is rare are left out.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix.h"
#include "vmm.h"

#define PAGES (MATRIX_SIZE / MATRIX_PAGE)
#define HUGE_PAGES 320 /* of all cells that run at once, copies after a fork too */

static bool filled[PAGES];

void matrix_fill(size_t start, size_t size, bool by_host)
{
    memset(filled + start / MATRIX_PAGE, by_host, size / MATRIX_PAGE);
}

/* --- one cell --- */

enum outcome { SOUND, UNSOUND, IMPRECISE, NOT_POSSIBLE, BROKEN };

static bool reported[PAGES];

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, MATRIX_PAGE - 1) == 0;
}

/* False when a range is not of this memory. */
static bool take_answer(const struct bz_hv_boot_zeroed_memory *answer)
{
    for (uint64_t i = 0; i < answer->range_count; i++) {
        uint64_t start = answer->ranges[i].start_page, count = answer->ranges[i].page_count;
        if (start < VMM_BASE / MATRIX_PAGE || count > PAGES || start - VMM_BASE / MATRIX_PAGE + count > PAGES)
            return false;
        memset(reported + (start - VMM_BASE / MATRIX_PAGE), 1, count);
    }
    return true;
}

static bool is(const struct writer *writer, const char *name)
{
    return strcmp(writer->name, name) == 0;
}

static void fill_around(uint64_t page, size_t unit)
{
    matrix_fill(page * MATRIX_PAGE / unit * unit, unit, true);
}

/* Writes, and notes what the host fills for that: a hole that is read, also beneath a private copy of it. */
static bool write_pages(const struct backend *backend, const struct memory *memory, const struct writer *writer,
                        unsigned first)
{
    bool reads = is(writer, "guest-reads-first");

    for (uint64_t page = first; backend->read_fills && page < MATRIX_WRITTEN / MATRIX_PAGE; page += 31) {
        if (reads || !memory->shared)
            fill_around(page, backend->read_fills);
        if (reads)
            fill_around(page + 1, backend->read_fills);
    }
    /* Of huge pages only the file as a whole tells whether it has content. */
    if (memory->huge && is(writer, "second-mapping"))
        matrix_fill(0, MATRIX_SIZE, true);
    return writer->write(memory, first);
}

static enum outcome judge(const struct memory *memory, const struct backend *backend, const struct event *event,
                          char *text, size_t size)
{
    bool nothing_expected = backend->promise == NOTHING || event->ends_all;
    size_t unsound = 0, found = 0, untouched = 0, total = 0;

    for (size_t unit = 0; unit < PAGES; unit += backend->unit / MATRIX_PAGE) {
        bool is_untouched = true;
        size_t here = 0;
        for (size_t page = unit; page < unit + backend->unit / MATRIX_PAGE; page++) {
            bool page_is_zero = is_zero(memory->host + page * MATRIX_PAGE);
            is_untouched = is_untouched && page_is_zero && !filled[page];
            here += reported[page];
            unsound += reported[page] && !page_is_zero;
        }
        total += here;
        untouched += is_untouched ? backend->unit / MATRIX_PAGE : 0;
        found += is_untouched ? here : 0;
    }
    snprintf(text, size, "reported %5zu of %5zu untouched pages, and %5zu that are zero%s", found, untouched,
             total - found - unsound, unsound ? ", UNSOUND" : "");
    if (unsound > 0 || (nothing_expected && total > 0))
        return UNSOUND;
    return backend->promise == PRECISE && !nothing_expected && found * 100 < untouched * 99 ? IMPRECISE : SOUND;
}

static enum outcome run_cell(const struct backend *backend, const struct writer *writer, const struct event *event,
                             char *text, size_t size)
{
    static struct bz_hv_boot_zeroed_memory answer;
    struct memory memory = { .fd = -1 };

    matrix_pin_early = writer->pins_early;
    vmm_create();
    if (!backend->make(&memory))
        return NOT_POSSIBLE;
    memory.huge = memory.fd >= 0 && backend->unit == MATRIX_HUGE;
    vmm_start(memory.host, MATRIX_SIZE, memory.slots ? memory.slots : 1);
    /* All that was populated, unless it is still known what of it was written. */
    if (backend->populated && (memory.shared || writer->pins_early))
        matrix_fill(0, MATRIX_SIZE, true);
    if (!write_pages(backend, &memory, writer, 3))
        return NOT_POSSIBLE;
    if (event->last && !write_pages(backend, &memory, writer, 5))
        return NOT_POSSIBLE;
    if (backend->populated && event->ends_tracking)
        matrix_fill(0, MATRIX_SIZE, true);
    if (!event->happen(&memory))
        return NOT_POSSIBLE;
    /* The first write to what was given back takes all of a large page. */
    if (memory.large && event->discards)
        matrix_fill(MATRIX_HUGE, MATRIX_HUGE, true);
    if (!event->last && !write_pages(backend, &memory, writer, 5))
        return NOT_POSSIBLE;
    if (vmm_ask(&answer) != 0 || !take_answer(&answer)) {
        snprintf(text, size, "no answer, or one that is wrong");
        return BROKEN;
    }
    return judge(&memory, backend, event, text, size);
}

/* --- the matrix --- */

/* Cells wait for the kernel more than they work: several run at once, and are collected in the order of their start. */
#define AT_ONCE 16

struct result {
    enum outcome outcome;
    char text[100];
};

static struct running {
    const struct backend *backend;
    const struct writer *writer;
    const struct event *event;
    pid_t child;
    int channel;
} window[AT_ONCE];
static unsigned started, collected, counts[BROKEN + 1];

static void collect_cell(void)
{
    static const char *const names[] = { "ok  ", "FAIL", "FAIL", "    ", "FAIL" };
    const struct running *cell = &window[collected++ % AT_ONCE];
    struct result result = { .outcome = BROKEN, .text = "ended by itself" };

    waitpid(cell->child, NULL, 0);
    if (read(cell->channel, &result, sizeof result) != (ssize_t)sizeof result)
        result.outcome = BROKEN;
    close(cell->channel);
    counts[result.outcome]++;
    if (result.outcome != NOT_POSSIBLE)
        printf("%s %-24s %-17s %-20s %s%s\n", names[result.outcome], cell->backend->name, cell->writer->name,
               cell->event->name, result.text, result.outcome == IMPRECISE ? ", TOO FEW" : "");
}

static void start_cell(const struct backend *backend, const struct writer *writer, const struct event *event)
{
    struct result result = { .outcome = BROKEN };
    int channel[2];

    if (started - collected == AT_ONCE)
        collect_cell();
    fflush(stdout);
    if (pipe2(channel, O_CLOEXEC) != 0)
        abort();
    pid_t child = fork();
    if (child == 0) {
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        alarm(120);
        result.outcome = run_cell(backend, writer, event, result.text, sizeof result.text);
        _exit(write(channel[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    close(channel[1]);
    window[started++ % AT_ONCE] = (struct running){ backend, writer, event, child, channel[0] };
}

/*
 * Huge pages that can be taken while this runs: the host's limit is raised and lowered again, under a lock that others
 * who do the same wait for.
 */
static const char overcommit[] = "/proc/sys/vm/nr_overcommit_hugepages";
static long overcommit_before = -1;

static void write_number(const char *path, long number)
{
    char text[32];
    int fd = open(path, O_WRONLY | O_CLOEXEC), length = snprintf(text, sizeof text, "%ld\n", number);

    if (fd >= 0) {
        ssize_t ignored = write(fd, text, (size_t)length);
        (void)ignored;
        close(fd);
    }
}

static void give_huge_pages_back(void)
{
    if (overcommit_before >= 0)
        write_number(overcommit, overcommit_before);
}

static void stop(int number)
{
    give_huge_pages_back();
    _exit(128 + number);
}

static void get_huge_pages(void)
{
    int lock = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (lock < 0 || flock(lock, LOCK_EX) != 0)
        return;
    overcommit_before = matrix_number_in(overcommit);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    if (overcommit_before >= 0)
        write_number(overcommit, overcommit_before + HUGE_PAGES);
}

static bool is_wanted(int argc, char **argv, int at, const char *name)
{
    return argc <= at || strcmp(argv[at], name) == 0 || strcmp(argv[at], "all") == 0;
}

int main(int argc, char **argv)
{
    const char *why;

    if (!vmm_possible(&why)) {
        printf("skipped: %s\n", why);
        return 77;
    }
    get_huge_pages();
    for (size_t b = 0; b < matrix_n_backends; b++)
        for (size_t w = 0; w < matrix_n_writers; w++)
            for (size_t e = 0; e < matrix_n_events; e++) {
                const struct backend *backend = &matrix_backends[b];
                const struct writer *writer = &matrix_writers[w];
                if (argc == 1 && backend->rare + writer->rare + matrix_events[e].rare > 1)
                    continue;
                if (is_wanted(argc, argv, 1, backend->name) && is_wanted(argc, argv, 2, writer->name) &&
                    is_wanted(argc, argv, 3, matrix_events[e].name) && (backend->populated || !writer->pins_early))
                    start_cell(backend, writer, &matrix_events[e]);
            }
    while (collected < started)
        collect_cell();
    give_huge_pages_back();
    printf("%u cells sound, %u unsound, %u not precise, %u broken; %u that cannot be here\n", counts[SOUND],
           counts[UNSOUND], counts[IMPRECISE], counts[BROKEN], counts[NOT_POSSIBLE]);
    return counts[SOUND] > 0 && counts[UNSOUND] + counts[IMPRECISE] + counts[BROKEN] == 0 ? 0 : 1;
}
