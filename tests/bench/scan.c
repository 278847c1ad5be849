/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an answer costs: that of the provider over the kernel's scan alone, and over reading pagemap, for memory that is
 * populated to 1 % in clusters of 2 MiB.
 *
 *   scan-bench
 *
 * All are asked in turn, so that what else the machine does falls on all, and as that only ever adds time, of each the
 * fiftieth that was disturbed least counts. Reading pagemap takes a hundred times as long as an answer and would hardly
 * ever be undisturbed: it is read in pieces that take about as long as one.
 *
 * Prints JSON, [{"name", "value", "unit", "goal", "anchor"}], the goal being the most it may be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "qemu/abi-pagemap.h"
#include "qemu/answer.h"
#include "sample.h"

#define GIB (1ull << 30)
#define CLUSTER (2ull << 20)
#define ROUNDS 640
#define PIECES 64

static struct bz_self self;
static struct bz_files files;
static struct bz_write_protect protect;
static struct bz_spans boot, unsure;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* size bytes of address space; of each `every` bytes below used the first 2 MiB are populated, in small pages. */
static uint8_t *memory_of(uint64_t size, uint64_t used, uint64_t every)
{
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE) != 0)
        die("memory");
    for (uint64_t at = 0; at + CLUSTER <= used; at += every)
        if (madvise(memory + at, CLUSTER, 23 /* MADV_POPULATE_WRITE */) != 0)
            die("MADV_POPULATE_WRITE");
    return memory;
}

static double answer_once(uint8_t *memory, uint64_t size)
{
    static struct bz_zeroed zeroed;
    struct bz_slot slot = { .gpa = 4 * GIB, .size = size, .host = (uintptr_t)memory };
    struct bz_slots slots = { .items = &slot, .count = 1 };
    struct bz_question question = {
        .memory = { &self, &files, &protect },
        .slots = &slots,
        .boot = &boot,
        .unsure = &unsure,
        .below_gpa = UINT64_MAX,
    };

    bz_spans_clear(&boot);
    if (!bz_spans_add(&boot, bz_slot_host(&slot)))
        die("spans");
    double started = now_ms();
    bz_answer(&question, &zeroed);
    double took = now_ms() - started;
    if (zeroed.reason[0] != '\0' || zeroed.ranges.n_kept == 0) {
        fprintf(stderr, "scan-bench: no answer: %s\n", zeroed.reason);
        exit(77);
    }
    return took;
}

/* The same question to the kernel, with nothing done to what it says. */
static double kernel_once(uint8_t *memory, uint64_t size)
{
    static struct bz_page_region regions[512];
    struct bz_pm_scan_arg arg = {
        .size = sizeof arg,
        .start = (uintptr_t)memory,
        .end = (uintptr_t)memory + size,
        .vec = (uintptr_t)regions,
        .vec_len = 512,
        .category_inverted = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_SWAPPED,
        .category_mask = BZ_PAGE_IS_SWAPPED,
        .category_anyof_mask = BZ_PAGE_IS_PRESENT | BZ_PAGE_IS_PFNZERO,
    };
    double started = now_ms();

    for (int n = 512; n == 512;) {
        n = ioctl(self.pagemap, BZ_PAGEMAP_SCAN, &arg);
        if (n < 0)
            die("PAGEMAP_SCAN");
        if (n == 512)
            arg.start = arg.walk_end > regions[n - 1].end ? arg.walk_end : regions[n - 1].end;
    }
    return now_ms() - started;
}

/* One of PIECES, which have about as much populated memory each. */
static double pagemap_once(const uint8_t *memory, uint64_t size, unsigned piece)
{
    static uint64_t entries[1 << 16];
    double started = now_ms();
    uint64_t first = (uintptr_t)memory / 4096 + size / 4096 * piece / PIECES;

    for (uint64_t page = first, end = first + size / 4096 / PIECES; page < end;) {
        uint64_t left = (end - page) * sizeof entries[0];
        ssize_t got = pread(self.pagemap, entries, left < sizeof entries ? left : sizeof entries, (off_t)(page * 8));
        if (got <= 0)
            die("pagemap");
        page += (uint64_t)got / 8;
    }
    return now_ms() - started;
}

static double undisturbed(double *values)
{
    return bz_sample(values, ROUNDS, ROUNDS / 50);
}

static const char *separator = "[";

static void print(const char *name, double value, const char *unit, double goal, const char *anchor)
{
    printf("%s\n  {\"name\": \"%s\", \"value\": %.4f, \"unit\": \"%s\", \"goal\": %g, \"anchor\": \"%s\"}", separator, name,
           value, unit, goal, anchor);
    separator = ",";
}

int main(void)
{
    const uint64_t size = 64 * GIB, large = 1024 * GIB;
    static double answers[ROUNDS], kernels[ROUNDS], sparses[ROUNDS], starts[ROUNDS], pieces[ROUNDS];
    char why[160];

    if (!bz_self_open(&self, why, sizeof why)) {
        fprintf(stderr, "scan-bench: %s\n", why);
        return 77;
    }
    uint8_t *memory = memory_of(size, size, 100 * CLUSTER);
    /* As much populated memory in sixteen times the space: all over it, and at its start. */
    uint8_t *all_over = memory_of(large, large, 1600 * CLUSTER), *at_start = memory_of(large, size, 100 * CLUSTER);
    for (unsigned i = 0; i < ROUNDS; i++) {
        /* The second finds what the first brought into the processor's caches: they change. */
        if (i % 2)
            kernels[i] = kernel_once(memory, size);
        answers[i] = answer_once(memory, size);
        if (i % 2 == 0)
            kernels[i] = kernel_once(memory, size);
        pieces[i] = pagemap_once(memory, size, i % PIECES);
        sparses[i] = answer_once(all_over, large);
        starts[i] = answer_once(at_start, large);
    }
    double answer = undisturbed(answers), kernel = undisturbed(kernels), entries = PIECES * undisturbed(pieces);
    double sparse = undisturbed(sparses), start = undisturbed(starts);
    fprintf(stderr, "64 GiB, 1 %% populated: answer %.3f ms, kernel %.3f ms, pagemap %.1f ms\n", answer, kernel, entries);
    fprintf(stderr, "1 TiB, as much populated: answer %.3f ms; all of that in the first 64 GiB: %.3f ms\n", sparse, start);
    print("scan-kernel-ratio", answer / kernel, "ratio", 1.2, "the kernel's scan alone; 64 GiB, 1 % populated");
    print("scan-pagemap-64g-ratio", answer / entries, "ratio", 0.02, "reading pagemap; 64 GiB, 1 % populated");
    print("scan-1t-ms", sparse, "ms", 15, "1 TiB with 0.64 GiB populated all over, in clusters of 2 MiB");
    print("scan-growth-ratio", start / answer, "ratio", 1.5,
          "64 GiB, 1 % populated; over it with 960 GiB untouched behind");
    printf("\n]\n");
    return 0;
}
