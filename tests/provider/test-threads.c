/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All vCPUs ask without pause, rightly and wrongly, while the monitor takes slots away, uses their memory for itself, and
 * switches dirty logging. Nothing may be written that is not the guest's, and the monitor must get its turn. Also built
 * with the thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "check.h"
#include "machine.h"

#define VCPUS 4
#define SIZE (32 * MIB)
#define BLOCK (256 * KIB)
#define COMING_AND_GOING (64 * MIB) /* slot 2 */
#define SOMETIMES_LOGGED (96 * MIB) /* slot 3 */
#define CHANGES 300

static atomic_bool stop;
static atomic_ulong answered, refused, wrong;
static uint8_t *coming_and_going, *sometimes_logged;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 33;
}

/* A call at random: half of them are in order. */
static void ask_once(int vcpu, uint64_t own_page, uint64_t *state)
{
    static const uint64_t places[] = { COMING_AND_GOING, SOMETIMES_LOGGED, 0xa0000, SIZE, UINT64_MAX - 4095, 1ull << 45 };
    uint64_t input = 0x8001 + next_random(state) % 2, output = own_page;

    if (next_random(state) % 2) {
        output = places[next_random(state) % 6] + next_random(state) % 64 * PAGE;
        if (next_random(state) % 8 == 0)
            output += next_random(state) % PAGE;
        if (next_random(state) % 8 == 0)
            input |= 1ull << (16 + next_random(state) % 48);
    }
    uint64_t status = machine_call_on(vcpu, input, output);
    if (status == BZ_HV_SUCCESS)
        answered++;
    else if (status == BZ_HV_INVALID_HYPERCALL_INPUT || status == BZ_HV_INVALID_ALIGNMENT ||
             status == BZ_HV_INVALID_PARAMETER || status == BZ_HV_ACCESS_DENIED)
        refused++;
    else
        wrong++;
    if (status != BZ_HV_SUCCESS && output == own_page)
        wrong++;
}

static void *run_vcpu(void *opaque)
{
    unsigned number = (unsigned)(uintptr_t)opaque;
    int vcpu = number == 0 ? machine.vcpu : ioctl(machine.vm, KVM_CREATE_VCPU, number);
    uint64_t state = number + 1;

    if (vcpu < 0)
        wrong++;
    while (!stop)
        ask_once(vcpu, 4 * MIB + number * 16 * PAGE, &state);
    return NULL;
}

/* Memory that is the monitor's own for a moment: whatever the guest asks, it stays. */
static void expect_untouched(uint8_t *memory, uint8_t value)
{
    memset(memory, value, BLOCK);
    usleep(100);
    CHECK(memory[0] == value && memcmp(memory, memory + 1, BLOCK - 1) == 0);
}

static void change_slots(void)
{
    CHECK_EQUAL(machine_slot(2, 0, COMING_AND_GOING, 0, NULL), 0);
    expect_untouched(coming_and_going, 0xc5);
    CHECK_EQUAL(madvise(coming_and_going, BLOCK, MADV_DONTNEED), 0);
    CHECK_EQUAL(machine_slot(2, 0, COMING_AND_GOING, BLOCK, coming_and_going), 0);

    CHECK_EQUAL(machine_slot(3, KVM_MEM_LOG_DIRTY_PAGES, SOMETIMES_LOGGED, BLOCK, sometimes_logged), 0);
    expect_untouched(sometimes_logged, 0x5c);
    CHECK_EQUAL(machine_slot(3, 0, SOMETIMES_LOGGED, BLOCK, sometimes_logged), 0);
}

static void vcpus_and_slot_changes(void)
{
    pthread_t threads[VCPUS];
    struct timespec start, end;

    machine_create("boot-zeroed-mem=on");
    machine_cpuid();
    machine.ram = machine_memory(SIZE);
    machine.ram_size = SIZE;
    coming_and_going = machine_memory(BLOCK);
    sometimes_logged = machine_memory(BLOCK);
    CHECK_EQUAL(machine_slot(0, 0, 0, 640 * KIB, machine.ram), 0);
    CHECK_EQUAL(machine_slot(1, 0, MIB, SIZE - MIB, machine.ram + MIB), 0);
    CHECK_EQUAL(machine_slot(2, 0, COMING_AND_GOING, BLOCK, coming_and_going), 0);
    CHECK_EQUAL(machine_slot(3, 0, SOMETIMES_LOGGED, BLOCK, sometimes_logged), 0);

    for (uintptr_t i = 0; i < VCPUS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, run_vcpu, (void *)i), 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < CHANGES / 4; i++)
        change_slots();
    clock_gettime(CLOCK_MONOTONIC, &end);
    while (answered < 100)
        usleep(1000);
    stop = true;
    for (unsigned i = 0; i < VCPUS; i++)
        pthread_join(threads[i], NULL);

    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    printf("# %u changes of slots in %.2f s, %lu calls answered, %lu refused\n", CHANGES, seconds,
           (unsigned long)answered, (unsigned long)refused);
    CHECK_EQUAL(wrong, 0);
    CHECK(answered > 0 && refused > 0);
    CHECK(seconds < 30);
    CHECK_EQUAL(machine_call(0x8002, 8 * MIB), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer = machine_answer(8 * MIB);
    machine_check_answer(&answer);
}

CHECK_MAIN(CASE(vcpus_and_slot_changes))
