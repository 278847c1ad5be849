/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest whose vCPUs all call without pause takes no more of the host than one whose vCPUs are as busy with themselves: a
 * process beside them gets as much done. What a guest costs is on its own threads' account.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>

#include "check.h"
#include "machine.h"

#define VCPUS 4
#define SIZE (64 * MIB)
#define PAIRS 15
#define WINDOW_NS 100000000
#define LEAST_PERCENT 80

static atomic_bool stop, calling;
static atomic_ulong calls, wrong;

static void *run_vcpu(void *opaque)
{
    unsigned number = (unsigned)(uintptr_t)opaque;
    int vcpu = number == 0 ? machine.vcpu : ioctl(machine.vm, KVM_CREATE_VCPU, number);
    volatile uint64_t busy = 0;

    while (!stop) {
        if (!calling) {
            busy = busy + 1;
            continue;
        }
        wrong += machine_call_on(vcpu, 0x8002, (4 + number) * MIB) != BZ_HV_SUCCESS;
        calls++;
    }
    return NULL;
}

static pid_t start_neighbour(volatile uint64_t *done)
{
    pid_t child = fork();

    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        ++*done;
}

/* What the neighbour gets done while the vCPUs do this. */
static uint64_t progress(volatile uint64_t *done, bool while_calling)
{
    struct timespec window = { .tv_nsec = WINDOW_NS }, start, end;

    calling = while_calling;
    usleep(10000);
    clock_gettime(CLOCK_MONOTONIC, &start);
    uint64_t before = *done;
    nanosleep(&window, NULL);
    uint64_t after = *done;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t ns = (end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec;
    return (after - before) * 1000 / (uint64_t)(ns / 1000000 + 1);
}

static int compare(const void *a, const void *b)
{
    unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

    return left < right ? -1 : left > right;
}

static void beside_calls_as_beside_work(void)
{
    volatile uint64_t *done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t neighbour = start_neighbour(done);
    pthread_t threads[VCPUS];
    unsigned percent[PAIRS];

    machine_start("boot-zeroed-mem=on", SIZE);
    /* Much to look through, and more ranges than an answer holds. */
    for (uint64_t page = MIB / PAGE; page < SIZE / PAGE; page += 2)
        machine.ram[page * PAGE] = 1;
    for (uintptr_t i = 0; i < VCPUS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, run_vcpu, (void *)i), 0);
    for (unsigned i = 0; i < PAIRS; i++) {
        uint64_t result[2];
        for (unsigned j = 0; j < 2; j++)
            result[(i + j) % 2] = progress(done, (i + j) % 2);
        uint64_t ratio = result[1] * 100 / (result[0] + 1);
        percent[i] = ratio < 1000 ? (unsigned)ratio : 1000;
    }
    stop = true;
    for (unsigned i = 0; i < VCPUS; i++)
        pthread_join(threads[i], NULL);
    kill(neighbour, SIGKILL);
    waitpid(neighbour, NULL, 0);

    qsort(percent, PAIRS, sizeof percent[0], compare);
    printf("# %lu calls; beside them the neighbour gets %u %% done of what it does beside busy vCPUs (%u to %u)\n",
           (unsigned long)calls, percent[PAIRS / 2], percent[0], percent[PAIRS - 1]);
    CHECK_EQUAL(wrong, 0);
    CHECK(calls > 100);
    CHECK(percent[PAIRS / 2] >= LEAST_PERCENT);
}

CHECK_MAIN(CASE(beside_calls_as_beside_work))
