/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All vCPUs ask without pause, rightly and wrongly, while the monitor takes slots away, uses their memory for itself,
 * switches dirty logging and resets the machine, and someone asks the endpoint. Nothing may be written but outputs, the
 * answers must be true, and the monitor must get its turn. Also built with the thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "check.h"
#include "machine.h"

#define VCPUS 4
#define SIZE (32 * MIB)
#define BLOCK (256 * KIB)
#define COMING_AND_GOING (64 * MIB) /* slot 2 */
#define SOMETIMES_LOGGED (96 * MIB) /* slot 3 */
#define ROM (128 * MIB)             /* slot 4 */
#define CHANGES 300
/* In RAM: the vCPUs' own pages; from there memory that is reported and written to at once; the rest stays zero. */
#define OWN (4 * MIB)
#define OPEN (8 * MIB)
#define QUIET (16 * MIB)
#define CANARY 0x5a

static atomic_bool stop;
static atomic_ulong answered, refused, wrong, looked;
static uint8_t *coming_and_going, *sometimes_logged, *rom;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 33;
}

static bool all_are(const uint8_t *memory, size_t size, uint8_t value)
{
    return size == 0 || (memory[0] == value && memcmp(memory, memory + 1, size - 1) == 0);
}

static uint64_t count(uint64_t status)
{
    if (status == BZ_HV_SUCCESS)
        answered++;
    else if (status == BZ_HV_INVALID_HYPERCALL_INPUT || status == BZ_HV_INVALID_ALIGNMENT ||
             status == BZ_HV_INVALID_PARAMETER || status == BZ_HV_ACCESS_DENIED)
        refused++;
    else
        wrong++;
    return status;
}

/* Of an answer that another vCPU may make untrue only where it writes: what is said of quiet memory is so. */
static bool is_true(const struct bz_hv_boot_zeroed_memory *answer, uint64_t own, uint64_t *state)
{
    if (answer->range_count > BZ_HV_MAX_RANGES || machine_reported(answer, own & -(uint64_t)PAGE, (own | (PAGE - 1)) + 1))
        return false;
    if (machine_reported(answer, ROM, ROM + BLOCK) || machine_reported(answer, 0, MIB))
        return false;
    uint64_t page = QUIET + next_random(state) % ((SIZE - QUIET) / PAGE) * PAGE;
    return machine_reported(answer, page, page + PAGE) == PAGE && all_are(machine.ram + page, PAGE, 0);
}

/* At any offset of its own page, which lies between two that nobody may write. */
static void ask_in_order(int vcpu, uint64_t own, uint64_t *state)
{
    uint64_t input = 0x8001 + next_random(state) % 2, output = own;
    uint64_t size = input == 0x8001 ? sizeof(uint64_t) : sizeof(struct bz_hv_boot_zeroed_memory);
    bool in_order = next_random(state) % 2;

    output += in_order ? next_random(state) % 2 * 8 : next_random(state) % PAGE;
    in_order = output % 8 == 0 && output - own + size <= PAGE;
    memset(machine.ram + own - PAGE, CANARY, 3 * PAGE);
    uint64_t status = count(machine_call_on(vcpu, input, output));
    if ((status == BZ_HV_SUCCESS) != in_order)
        wrong++;
    uint64_t end = in_order ? output + size : output;
    if (!all_are(machine.ram + own - PAGE, output - own + PAGE, CANARY) ||
        !all_are(machine.ram + end, own + 2 * PAGE - end, CANARY))
        wrong++;
    if (status == BZ_HV_SUCCESS && input == 0x8002 && !is_true((void *)(machine.ram + output), output, state))
        wrong++;
}

/* A call at random: half of them are in order. */
static void ask_once(int vcpu, unsigned number, uint64_t *state)
{
    static const uint64_t places[] = { COMING_AND_GOING, SOMETIMES_LOGGED, ROM, 0xa0000, 0xfee00000, SIZE,
                                       UINT64_MAX - 4095, 1ull << 45 };
    uint64_t input = 0x8001 + next_random(state) % 2, output;

    switch (next_random(state) % 4) {
    case 0:
    case 1:
        ask_in_order(vcpu, OWN + number * 16 * PAGE, state);
        return;
    case 2: /* in what is being reported, each vCPU in pages of its own */
        output = OPEN + (next_random(state) % ((QUIET - OPEN) / PAGE / VCPUS) * VCPUS + number) * PAGE;
        if (count(machine_call_on(vcpu, 0x8002, output)) != BZ_HV_SUCCESS || machine.ram[output + PAGE - 1] != 0)
            wrong++;
        return;
    default:
        output = places[next_random(state) % 8] + next_random(state) % 64 * PAGE;
        if (next_random(state) % 8 == 0)
            output += next_random(state) % PAGE;
        if (next_random(state) % 8 == 0)
            input |= 1ull << (16 + next_random(state) % 48);
        count(machine_call_on(vcpu, input, output));
    }
}

static void *run_vcpu(void *opaque)
{
    unsigned number = (unsigned)(uintptr_t)opaque;
    int vcpu = number == 0 ? machine.vcpu : ioctl(machine.vm, KVM_CREATE_VCPU, number);
    uint64_t state = number + 1;

    if (vcpu < 0)
        wrong++;
    while (!stop)
        ask_once(vcpu, number, &state);
    return NULL;
}

/* Someone at the guest's endpoint, again and again. */
static void *look(void *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", (const char *)path);
    CHECK_EQUAL(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    FILE *server = fdopen(fd, "r");
    char *line = NULL;
    size_t size = 0;
    dprintf(fd, "{\"execute\": \"qmp_capabilities\"}\n");
    while (!stop && getline(&line, &size, server) > 0) {
        if (strstr(line, "\"event\""))
            continue;
        looked += strstr(line, "\"ranges\"") != NULL;
        dprintf(fd, "{\"execute\": \"__bootzero_query-zeroed-ranges\"}\n");
    }
    CHECK(stop);
    free(line);
    fclose(server);
    return NULL;
}

/* Memory that is the monitor's own for a moment: whatever the guest asks, it stays. */
static void expect_untouched(uint8_t *memory, uint8_t value)
{
    memset(memory, value, BLOCK);
    usleep(100);
    CHECK(all_are(memory, BLOCK, value));
}

static void change_slots(void)
{
    struct kvm_sregs reset = { .cs = { .selector = 0xf000, .base = 0xffff0000 }, .apic_base = 0xfee00900 };

    CHECK_EQUAL(machine_slot(2, 0, COMING_AND_GOING, 0, NULL), 0);
    expect_untouched(coming_and_going, 0xc5);
    CHECK_EQUAL(madvise(coming_and_going, BLOCK, MADV_DONTNEED), 0);
    CHECK_EQUAL(machine_slot(2, 0, COMING_AND_GOING, BLOCK, coming_and_going), 0);

    CHECK_EQUAL(machine_slot(3, KVM_MEM_LOG_DIRTY_PAGES, SOMETIMES_LOGGED, BLOCK, sometimes_logged), 0);
    expect_untouched(sometimes_logged, 0x5c);
    CHECK_EQUAL(machine_slot(3, 0, SOMETIMES_LOGGED, BLOCK, sometimes_logged), 0);
    CHECK_EQUAL(ioctl(machine.vcpu, KVM_SET_SREGS, &reset), 0);
}

static void vcpus_and_slot_changes(void)
{
    pthread_t threads[VCPUS], looker;
    struct timespec start, end;
    char folder[] = "/tmp/bootzero-threads-XXXXXX", path[64], bootzero[128];

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/qmp", folder);
    snprintf(bootzero, sizeof bootzero, "boot-zeroed-mem=on,qmp=%s", path);
    machine_create(bootzero);
    machine_cpuid();
    machine.ram = machine_memory(SIZE);
    machine.ram_size = SIZE;
    coming_and_going = machine_memory(BLOCK);
    sometimes_logged = machine_memory(BLOCK);
    rom = machine_memory(BLOCK);
    memset(rom, CANARY, BLOCK);
    CHECK_EQUAL(machine_slot(0, 0, 0, 640 * KIB, machine.ram), 0);
    CHECK_EQUAL(machine_slot(1, 0, MIB, SIZE - MIB, machine.ram + MIB), 0);
    CHECK_EQUAL(machine_slot(2, 0, COMING_AND_GOING, BLOCK, coming_and_going), 0);
    CHECK_EQUAL(machine_slot(3, 0, SOMETIMES_LOGGED, BLOCK, sometimes_logged), 0);

    CHECK_EQUAL(machine_slot(4, KVM_MEM_READONLY, ROM, BLOCK, rom), 0);
    CHECK_EQUAL(pthread_create(&looker, NULL, look, path), 0);
    for (uintptr_t i = 0; i < VCPUS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, run_vcpu, (void *)i), 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < CHANGES / 4; i++)
        change_slots();
    clock_gettime(CLOCK_MONOTONIC, &end);
    while (answered < 100 || looked < 3)
        usleep(1000);
    stop = true;
    for (unsigned i = 0; i < VCPUS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(looker, NULL);
    unlink(path);
    rmdir(folder);

    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    printf("# %u changes of slots in %.2f s, %lu calls answered, %lu refused, %lu looks by the endpoint\n", CHANGES,
           seconds, (unsigned long)answered, (unsigned long)refused, (unsigned long)looked);
    CHECK_EQUAL(wrong, 0);
    CHECK(answered > 0 && refused > 0);
    CHECK(seconds < 30);
    CHECK(all_are(rom, BLOCK, CANARY));
    CHECK(all_are(machine.ram + QUIET, SIZE - QUIET, 0));
    CHECK_EQUAL(machine_call(0x8002, 8 * MIB), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer = machine_answer(8 * MIB);
    machine_check_answer(&answer);
}

CHECK_MAIN(CASE(vcpus_and_slot_changes))
