/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random sequences of what QEMU, the kernel and a hostile guest do, against a model of what must come of it: slots of
 * both address spaces that appear, overlap, are renumbered, logged and refused; memory that is written, given back,
 * populated in advance and registered with userfaultfd; resets; calls with any input to any place from any vCPU. Every
 * answer is compared page by page, every status with the specification.
 *
 * test-provider-fuzz [SEED [STEPS]]; without arguments, seeds 1 to SEEDS. With BOOTZERO_FUZZ_SECONDS in the environment,
 * for so long, with seeds that nobody had before:
 *
 *   BOOTZERO_FUZZ_SECONDS=600 meson test -C build-asan -t 0 provider-fuzz
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "check.h"
#include "machine.h"
#include "qemu/abi-kvm.h"

#define SEEDS 60
#define STEPS 400
#define ANONYMOUS_PAGES 1024u
#define PAGES (ANONYMOUS_PAGES + 256u) /* the rest is of a memfd */
#define SLOTS 48
#define SPACE (24 * MIB)
#define TOP_ID 0x10000
#define VCPUS 3

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct slot {
    bool used;
    unsigned flags, first, pages; /* of the pool */
    uint64_t gpa;
};

static uint64_t state;
static uint8_t *parts[2];
/* Of the pool. Unsure: registered with userfaultfd once; faulting: it is now. */
static bool written[PAGES], boot[PAGES], unsure[PAGES], faulting[PAGES];
static bool reported[SPACE / PAGE];
static struct slot slots[2][SLOTS]; /* by address space */
static bool boot_is_over, is_encrypted;
static bool is_populated; /* some of it, in advance: which of the rest can be told then is not modelled */
static struct kvm_regs registers;
static int vcpus[VCPUS], userfaultfd;

static unsigned pick(unsigned below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % below;
}

static uint8_t *page_at(unsigned page)
{
    return page < ANONYMOUS_PAGES ? parts[0] + page * PAGE : parts[1] + (page - ANONYMOUS_PAGES) * PAGE;
}

static void make_memory(void)
{
    int fd = memfd_create("guest", MFD_CLOEXEC);

    parts[0] = machine_memory(ANONYMOUS_PAGES * PAGE);
    CHECK(ftruncate(fd, (PAGES - ANONYMOUS_PAGES) * PAGE) == 0);
    parts[1] = mmap(NULL, (PAGES - ANONYMOUS_PAGES) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(parts[1] != MAP_FAILED);
}

static void write_page(unsigned page)
{
    memset(page_at(page), (int)(page % 251) + 1, PAGE);
    written[page] = true;
}

static void discard_page(unsigned page)
{
    CHECK(madvise(page_at(page), PAGE, page < ANONYMOUS_PAGES ? MADV_DONTNEED : MADV_REMOVE) == 0);
    written[page] = false;
}

/* Some pages of the anonymous part. */
static void pick_pages(unsigned *first, unsigned *count)
{
    *first = pick(ANONYMOUS_PAGES);
    *count = 1 + pick(ANONYMOUS_PAGES - *first < 200 ? ANONYMOUS_PAGES - *first : 200);
}

static void populate(void)
{
    unsigned first, count;

    pick_pages(&first, &count);
    is_populated |= madvise(page_at(first), count * PAGE, MADV_POPULATE_WRITE) == 0;
}

/* Memory that is registered, but not protected: nothing has to wait. */
static void userfaults(void)
{
    unsigned first, count;

    pick_pages(&first, &count);
    struct uffdio_range range = { (uintptr_t)page_at(first), count * PAGE };
    struct uffdio_register wanted = { .range = range, .mode = UFFDIO_REGISTER_MODE_WP };
    bool on = pick(2);
    int result = on ? ioctl(userfaultfd, UFFDIO_REGISTER, &wanted) : ioctl(userfaultfd, UFFDIO_UNREGISTER, &range);
    CHECK(result == 0 || !on);
    for (unsigned i = first; result == 0 && i < first + count; i++) {
        unsure[i] |= on;
        faulting[i] = on;
    }
}

/* --- slots --- */

static bool is_ram(const struct slot *slot)
{
    return slot->used && !(slot->flags & (KVM_MEM_READONLY | KVM_MEM_GUEST_MEMFD));
}

/* By either request; the older one knows no guest_memfd. */
static int change_slot(uint32_t id, const struct slot *slot, unsigned request)
{
    struct bz_kvm_memory_region2 region = { .slot = id,
                                            .flags = slot->flags,
                                            .guest_phys_addr = slot->gpa,
                                            .memory_size = slot->pages * (uint64_t)PAGE,
                                            .userspace_addr = (uintptr_t)page_at(slot->first) };

    return ioctl(machine.vm, request, &region);
}

static bool may_be_set(unsigned space, unsigned id, const struct slot *slot)
{
    const struct slot *old = &slots[space][id];

    if (slot->pages == 0)
        return old->used;
    if (old->used && old->pages != slot->pages)
        return false;
    for (unsigned i = 0; i < SLOTS; i++) {
        const struct slot *other = &slots[space][i];
        if (i != id && other->used && slot->gpa < other->gpa + other->pages * PAGE &&
            other->gpa < slot->gpa + slot->pages * PAGE)
            return false;
    }
    return true;
}

static void set_slot(void)
{
    unsigned space = pick(8) == 0, id = pick(SLOTS);
    struct slot slot = { .used = true };
    static const unsigned flags[] = { 0, 0, 0, 0, KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY, KVM_MEM_GUEST_MEMFD };

    if (pick(3)) {
        slot.pages = 1 + pick(pick(4) ? 64 : 512);
        slot.flags = flags[pick(7)];
        slot.first = pick(pick(4) ? ANONYMOUS_PAGES : PAGES);
        unsigned end = slot.first < ANONYMOUS_PAGES ? ANONYMOUS_PAGES : PAGES;
        if (slot.pages > end - slot.first)
            slot.pages = end - slot.first;
        slot.gpa = (uint64_t)pick(SPACE / PAGE - slot.pages) * PAGE;
    }
    /* The same memory once more, with other flags: how dirty logging is switched. */
    if (slots[space][id].used && pick(2)) {
        unsigned new_flags = flags[pick(5)];
        slot = slots[space][id];
        slot.flags = (slot.flags & ~KVM_MEM_LOG_DIRTY_PAGES) | new_flags;
    }
    unsigned request =
        slot.flags & KVM_MEM_GUEST_MEMFD || pick(2) ? KVM_SET_USER_MEMORY_REGION2 : KVM_SET_USER_MEMORY_REGION;
    bool refused = pick(16) == 0;
    if (refused)
        fake_kvm_fail_once(request, ENOMEM);
    bool expected = !refused && may_be_set(space, id, &slot);
    int result = change_slot(space * TOP_ID + id, &slot, request);
    CHECK_EQUAL(result == 0, expected);
    if (!expected)
        return;
    slot.used = slot.pages > 0;
    slots[space][id] = slot;
    for (unsigned i = 0; space == 0 && !boot_is_over && is_ram(&slot) && i < slot.pages; i++)
        boot[slot.first + i] = true;
}

static void load_registers(void)
{
    CHECK_EQUAL(ioctl(machine.vcpu, KVM_SET_REGS, &registers), 0);
    for (unsigned i = 0; i < SLOTS; i++)
        boot_is_over |= slots[0][i].used;
}

/* The machine is reset, or is given the state of another one. Neither is about memory. */
static void load_system_registers(void)
{
    struct kvm_sregs sregs = { .apic_base = pick(4) ? 0x100 : 0 };

    if (pick(2))
        sregs.cs = (struct kvm_segment){ .selector = 0xf000, .base = 0xffff0000 };
    CHECK_EQUAL(ioctl(vcpus[pick(VCPUS)], KVM_SET_SREGS, &sregs), 0);
}

static const struct slot *slot_at(uint64_t gpa)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        const struct slot *slot = &slots[0][i];
        if (slot->used && gpa >= slot->gpa && gpa - slot->gpa < slot->pages * (uint64_t)PAGE)
            return slot;
    }
    return NULL;
}

/* --- calls --- */

static uint64_t expected_status(uint64_t input, uint64_t output)
{
    uint64_t size = (input & 0xffff) == 0x8001 ? 8 : 0xff8;
    const struct slot *slot = slot_at(output);

    if ((input & 0xffff) != 0x8001 && (input & 0xffff) != 0x8002)
        return REACHED_MONITOR;
    if (input & 1 << 16)
        return BZ_HV_INVALID_PARAMETER;
    if (input >> 16)
        return BZ_HV_INVALID_HYPERCALL_INPUT;
    if (output % 8 || output % PAGE + size > PAGE || output >> 40)
        return BZ_HV_INVALID_ALIGNMENT;
    if (slot == NULL || !is_ram(slot))
        return BZ_HV_INVALID_PARAMETER;
    bool waits = faulting[slot->first + (unsigned)(output / PAGE - slot->gpa / PAGE)];
    return waits || slot->flags & KVM_MEM_LOG_DIRTY_PAGES ? BZ_HV_ACCESS_DENIED : BZ_HV_SUCCESS;
}

static void compare_answer(const struct bz_hv_boot_zeroed_memory *answer, unsigned output_page, bool failed)
{
    bool all_fit = answer->range_count < BZ_HV_MAX_RANGES && !is_populated && !failed;

    memset(reported, 0, sizeof reported);
    CHECK(answer->range_count <= (failed ? 0 : BZ_HV_MAX_RANGES));
    for (uint64_t i = 0; i < answer->range_count; i++)
        for (uint64_t j = 0; j < answer->ranges[i].page_count; j++) {
            uint64_t page = answer->ranges[i].start_page + j;
            CHECK(page < SPACE / PAGE && !reported[page]);
            reported[page % (SPACE / PAGE)] = true;
        }
    for (uint64_t page = 0; page < SPACE / PAGE; page++) {
        const struct slot *slot = slot_at(page * PAGE);
        unsigned of_pool = slot ? slot->first + (unsigned)(page - slot->gpa / PAGE) : 0;
        bool expected = slot && is_ram(slot) && page >= MIB / PAGE && boot[of_pool] && !written[of_pool] &&
                        !unsure[of_pool] && !is_encrypted && of_pool != output_page;
        if (reported[page] ? !expected : expected && all_fit) {
            printf("page 0x%" PRIx64 " is %sreported\n", page, reported[page] ? "" : "not ");
            CHECK(reported[page] == expected);
            return;
        }
    }
}

static void call(void)
{
    uint64_t input = 0x8001 + pick(2), output = (uint64_t)pick(SPACE / PAGE) * PAGE;

    if (pick(4) == 0)
        output += pick(PAGE);
    if (pick(8) == 0)
        input |= 1ull << pick(64);
    if (pick(16) == 0)
        output |= 1ull << pick(64);
    uint64_t expected = expected_status(input, output);
    unsigned vcpu = pick(VCPUS);
    boot_is_over = true;
    if (pick(32) == 0) {
        /* A signal that comes before, or KVM refuses: the call is not even made. */
        machine.run->immediate_exit = pick(2);
        if (!machine.run->immediate_exit)
            fake_kvm_fail_once(KVM_RUN, EAGAIN);
        CHECK_EQUAL(machine_call(input, output), RUN_FAILED);
        machine.run->immediate_exit = 0;
        return;
    }
    unsigned failed_before = fake_kvm_failed_scans();
    if (pick(32) == 0)
        fake_kvm_fail_scans_from(1 + pick(4), EIO);
    CHECK_EQUAL(vcpu ? machine_call_on(vcpus[vcpu], input, output) : machine_call(input, output), expected);
    fake_kvm_fail_scans_from(0, 0);
    if (expected != BZ_HV_SUCCESS)
        return;

    const struct slot *slot = slot_at(output);
    unsigned page = slot->first + (unsigned)(output / PAGE - slot->gpa / PAGE);
    if (input == 0x8002) {
        static struct bz_hv_boot_zeroed_memory answer;
        memcpy(&answer, page_at(page) + output % PAGE, sizeof answer);
        compare_answer(&answer, page, fake_kvm_failed_scans() > failed_before);
    }
    write_page(page);
}

/* Pages that were written hold what was written, the others nothing: no answer went astray. */
static void compare_memory(void)
{
    for (unsigned page = 0; page < PAGES; page++) {
        const uint8_t *at = page_at(page);
        CHECK(at[0] == (written[page] ? page % 251 + 1 : 0) && memcmp(at, at + 1, PAGE - 1) == 0);
        if (check_failures)
            return;
    }
}

static void encrypt(void)
{
    CHECK_EQUAL(ioctl(machine.vm, KVM_MEMORY_ENCRYPT_OP, NULL), 0);
    is_encrypted = true;
}

static void play(unsigned seed, unsigned steps)
{
    struct uffdio_api api = { .api = UFFD_API };

    state = seed * 0x9e3779b97f4a7c15ull;
    machine_create("boot-zeroed-mem=on");
    machine_cpuid();
    vcpus[0] = machine.vcpu;
    for (unsigned i = 1; i < VCPUS; i++)
        vcpus[i] = ioctl(machine.vm, KVM_CREATE_VCPU, i);
    make_memory();
    userfaultfd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    bool has_userfaults = seed % 3 == 0 && userfaultfd >= 0 && ioctl(userfaultfd, UFFDIO_API, &api) == 0;
    bool populates = seed % 4 == 0;
    for (unsigned step = 0; step < steps && check_failures == 0; step++) {
        unsigned what = pick(100);
        /* Memory is protected until the first answer. */
        if (populates && step == 3)
            populate();
        else if (has_userfaults && step >= steps / 10 && step < steps / 10 + 3)
            userfaults();
        else if (what < 45)
            set_slot();
        else if (what < 60)
            write_page(pick(PAGES));
        else if (what < 70)
            discard_page(pick(PAGES));
        else if (what < 71 || step == steps / 4)
            load_registers();
        else if (what < 73)
            load_system_registers();
        else if (what < 74 && has_userfaults)
            userfaults();
        else if (what < 75 && populates)
            populate();
        else if (step == steps - steps / 8 && seed % 5 == 0)
            encrypt();
        else if (step > steps / 8)
            call();
        if (check_failures)
            printf("at step %u of seed %u\n", step, seed);
    }
    compare_memory();
}

static unsigned argument_seed, argument_steps = STEPS;

static void one_seed(void)
{
    play(argument_seed, argument_steps);
}

int main(int argc, char **argv)
{
    const struct check_case one = CASE(one_seed);
    const char *seconds = getenv("BOOTZERO_FUZZ_SECONDS");
    unsigned first = argc > 1 ? (unsigned)atoi(argv[1]) : 1, last = argc > 1 ? first : SEEDS;
    time_t end = time(NULL);

    if (argc > 2)
        argument_steps = (unsigned)atoi(argv[2]);
    if (seconds) {
        first = (unsigned)end;
        end += atoi(seconds);
    }
    for (argument_seed = first; seconds ? time(NULL) < end : argument_seed <= last; argument_seed++)
        if (check_run_case(&one) != 0) {
            printf("FAILED with seed %u: repeat it with that as argument\n", argument_seed);
            return 1;
        }
    printf("ok      %u sequences of %u steps\n", argument_seed - first, argument_steps);
    return 0;
}
