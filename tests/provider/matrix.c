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
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "matrix.h"
#include "vmm.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGES (MATRIX_SIZE / MATRIX_PAGE)
#define HUGE_PAGES 320 /* of all cells that run at once, copies after a fork too */

static bool filled[PAGES];

void matrix_fill(size_t start, size_t size)
{
    memset(filled + start / MATRIX_PAGE, true, size / MATRIX_PAGE);
}

/* --- events: each happens between the first and the second half of the writes, or after both --- */

struct event {
    const char *name;
    bool ends_tracking; /* of memory that was populated in advance: nobody knows any more what of it was written */
    bool ends_all;      /* nothing may be reported from then on */
    bool last;          /* after all writes */
    bool rare;
    bool (*happen)(const struct memory *memory);
};

static bool nothing(const struct memory *memory)
{
    return true;
}

/* A balloon, free page reporting, virtio-mem: QEMU gives memory back to the host. */
static bool discard(const struct memory *memory)
{
    const size_t start = MATRIX_HUGE;

    if (memory->shared && memory->fd >= 0 &&
        fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(memory->offset + start),
                  MATRIX_HUGE) != 0)
        return false;
    /* But of a file, and some of several slots are, only this process's copy goes. */
    if (memory->shared || (memory->fd < 0 && memory->slots == 0))
        memset(filled + start / MATRIX_PAGE, false, MATRIX_HUGE / MATRIX_PAGE);
    return madvise(memory->host + start, MATRIX_HUGE, memory->shared ? MADV_REMOVE : MADV_DONTNEED) == 0;
}

static bool asked_before(const struct memory *memory)
{
    static struct bz_hv_boot_zeroed_memory answer;

    return vmm_ask(&answer) == 0;
}

/* The firmware of a guest that was reset cuts the slots anew. */
static bool slot_recreated(const struct memory *memory)
{
    vmm_recreate_slots(0);
    return true;
}

static bool reset(const struct memory *memory)
{
    vmm_reset();
    return true;
}

/* Memory that comes while the guest runs is not boot memory: to report it would be an answer that is wrong. */
static bool dimm_plugged(const struct memory *memory)
{
    void *dimm = mmap(NULL, MATRIX_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (dimm == MAP_FAILED)
        return false;
    vmm_plug(dimm, MATRIX_HUGE);
    vmm_plug(NULL, 0);
    vmm_plug(dimm, MATRIX_HUGE);
    return true;
}

/* virtio-mem with preallocation: unplugged, and plugged again. */
static bool replugged(const struct memory *memory)
{
    bool good = discard(memory);

    matrix_fill(MATRIX_HUGE, MATRIX_HUGE);
    return good && madvise(memory->host + MATRIX_HUGE, MATRIX_HUGE, MADV_POPULATE_WRITE) == 0;
}

/* Given back whenever the host likes. */
static bool freed_lazily(const struct memory *memory)
{
    return madvise(memory->host + MATRIX_HUGE, MATRIX_HUGE, MADV_FREE) == 0 &&
           madvise(memory->host + MATRIX_HUGE, MATRIX_HUGE / 2, MADV_PAGEOUT) == 0;
}

/* As QEMU does, through ioctl(). The descriptor, or -1. */
static int register_userfaults(const struct memory *memory, uint64_t mode, uint64_t features)
{
    struct uffdio_api api = { .api = UFFD_API, .features = features };
    struct uffdio_register range = { .range = { (uintptr_t)memory->host, MATRIX_SIZE }, .mode = mode };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &range) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool unregister_userfaults(const struct memory *memory, int fd)
{
    struct uffdio_range range = { (uintptr_t)memory->host, MATRIX_SIZE };

    return ioctl(fd, UFFDIO_UNREGISTER, &range) == 0;
}

/* The source of a snapshot protects all memory, saves it, and lets go. */
static bool background_snapshot(const struct memory *memory)
{
    int fd = register_userfaults(memory, UFFDIO_REGISTER_MODE_WP, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
    struct uffdio_writeprotect protection = { { (uintptr_t)memory->host, MATRIX_SIZE }, UFFDIO_WRITEPROTECT_MODE_WP };

    return fd >= 0 && ioctl(fd, UFFDIO_WRITEPROTECT, &protection) == 0 && unregister_userfaults(memory, fd);
}

/* The destination of a migration: pages come when they are touched. Those that are there already stay. */
static bool postcopy(const struct memory *memory)
{
    static uint8_t content[MATRIX_HUGE] __attribute__((aligned(MATRIX_HUGE))) = { 0xcc };
    int fd = register_userfaults(memory, UFFDIO_REGISTER_MODE_MISSING, 0);
    size_t unit = memory->huge ? MATRIX_HUGE : MATRIX_PAGE;

    for (uint64_t at = 0; fd >= 0 && at < MATRIX_WRITTEN; at += memory->huge ? unit : 11 * unit) {
        struct uffdio_copy copy = { (uintptr_t)memory->host + at, (uintptr_t)content, unit };
        if (ioctl(fd, UFFDIO_COPY, &copy) != 0 && errno != EEXIST)
            return false;
    }
    return fd >= 0 && unregister_userfaults(memory, fd);
}

/* A child that lives on shares all pages until one side writes. It ends with its parent. */
static bool forked(const struct memory *memory)
{
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        while (getppid() == parent)
            usleep(10000);
        _exit(0);
    }
    return child > 0;
}

static bool paged_out(const struct memory *memory)
{
    return madvise(memory->host, MATRIX_SIZE, MADV_PAGEOUT) == 0;
}

static bool collapsed(const struct memory *memory)
{
    matrix_fill(0, MATRIX_WRITTEN);
    return madvise(memory->host, MATRIX_WRITTEN, MADV_COLLAPSE) == 0;
}

static bool locked(const struct memory *memory)
{
    matrix_fill(0, MATRIX_WRITTEN);
    return mlock(memory->host, MATRIX_WRITTEN) == 0;
}

/* The number in a file; -1 without. */
static long number_in(const char *path)
{
    FILE *file = fopen(path, "re");
    long number = -1;

    if (file) {
        if (fscanf(file, "%ld", &number) != 1)
            number = -1;
        fclose(file);
    }
    return number;
}

/* Only where the machine's owner has samepage merging on: waits until it went over all memory twice. */
static bool merged(const struct memory *memory)
{
    const char *scans = "/sys/kernel/mm/ksm/full_scans";

    if (number_in("/sys/kernel/mm/ksm/run") != 1 || madvise(memory->host, MATRIX_SIZE, MADV_MERGEABLE) != 0)
        return false;
    for (long start = number_in(scans), tries = 0; number_in(scans) < start + 3; tries++) {
        if (tries > 1000)
            return false;
        usleep(10000);
    }
    return true;
}

static const struct event events[] = {
    { "nothing", .last = true, .happen = nothing },
    { "discard", .last = true, .happen = discard },
    { "discard-then-write", .happen = discard },
    { "asked-before", .ends_tracking = true, .happen = asked_before },
    { "slot-recreated", .happen = slot_recreated },
    { "forked", .happen = forked },
    { "paged-out", .last = true, .happen = paged_out },
    { "collapsed", .last = true, .happen = collapsed },
    { "collapsed-then-write", .rare = true, .happen = collapsed },
    { "locked", .rare = true, .happen = locked },
    { "merged", .last = true, .happen = merged },
    { "reset", .rare = true, .happen = reset },
    { "dimm-plugged", .rare = true, .happen = dimm_plugged },
    { "replugged", .rare = true, .happen = replugged },
    { "freed-lazily", .rare = true, .last = true, .happen = freed_lazily },
    { "background-snapshot", .rare = true, .ends_all = true, .happen = background_snapshot },
    { "postcopy", .rare = true, .ends_all = true, .happen = postcopy },
};
#define N_EVENTS (sizeof events / sizeof events[0])

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
    matrix_fill(page * MATRIX_PAGE / unit * unit, unit);
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
        matrix_fill(0, MATRIX_SIZE);
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
        matrix_fill(0, MATRIX_SIZE);
    if (!write_pages(backend, &memory, writer, 3))
        return NOT_POSSIBLE;
    if (event->last && !write_pages(backend, &memory, writer, 5))
        return NOT_POSSIBLE;
    if (backend->populated && event->ends_tracking)
        matrix_fill(0, MATRIX_SIZE);
    if (!event->happen(&memory))
        return NOT_POSSIBLE;
    /* The first write to what was given back takes all of a large page. */
    if (memory.large && event->happen == discard && !event->last)
        matrix_fill(MATRIX_HUGE, MATRIX_HUGE);
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
    overcommit_before = number_in(overcommit);
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
            for (size_t e = 0; e < N_EVENTS; e++) {
                const struct backend *backend = &matrix_backends[b];
                const struct writer *writer = &matrix_writers[w];
                if (argc == 1 && backend->rare + writer->rare + events[e].rare > 1)
                    continue;
                if (is_wanted(argc, argv, 1, backend->name) && is_wanted(argc, argv, 2, writer->name) &&
                    is_wanted(argc, argv, 3, events[e].name) && (backend->populated || !writer->pins_early))
                    start_cell(backend, writer, &events[e]);
            }
    while (collected < started)
        collect_cell();
    give_huge_pages_back();
    printf("%u cells sound, %u unsound, %u not precise, %u broken; %u that cannot be here\n", counts[SOUND],
           counts[UNSOUND], counts[IMPRECISE], counts[BROKEN], counts[NOT_POSSIBLE]);
    return counts[SOUND] > 0 && counts[UNSOUND] + counts[IMPRECISE] + counts[BROKEN] == 0 ? 0 : 1;
}
