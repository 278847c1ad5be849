/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "check.h"

struct machine machine;

static int log_fd = -1;

/* --- the guest: issues the call of its vCPU, then halts --- */

struct pending {
    uint64_t input, output;
    uint64_t result;
    enum { IDLE, ISSUED, COMPLETED } state;
};
static struct pending pending[4096];

static int guest_steps(int vcpu_fd, struct kvm_run *run, void *opaque)
{
    struct pending *call = &pending[vcpu_fd];

    if (call->state == IDLE) {
        run->exit_reason = KVM_EXIT_HYPERV;
        run->hyperv.type = KVM_EXIT_HYPERV_HCALL;
        run->hyperv.u.hcall.input = call->input;
        run->hyperv.u.hcall.result = 0xdead;
        run->hyperv.u.hcall.params[0] = 0x1234567;
        run->hyperv.u.hcall.params[1] = call->output;
        call->state = ISSUED;
        return 0;
    }
    call->result = run->hyperv.u.hcall.result;
    call->state = COMPLETED;
    memset(&run->hyperv, 0xee, sizeof run->hyperv);
    run->exit_reason = KVM_EXIT_HLT;
    return 0;
}

uint64_t machine_call_on(int vcpu, uint64_t input, uint64_t output_gpa)
{
    struct pending *call = &pending[vcpu];

    *call = (struct pending){ .input = input, .output = output_gpa };
    if (ioctl(vcpu, KVM_RUN, 0) != 0)
        return RUN_FAILED;
    return call->state == COMPLETED ? call->result : REACHED_MONITOR;
}

uint64_t machine_call(uint64_t input, uint64_t output_gpa)
{
    fake_kvm_set_guest(guest_steps, NULL);
    uint64_t result = machine_call_on(machine.vcpu, input, output_gpa);
    if (result == REACHED_MONITOR) {
        CHECK_EQUAL(machine.run->exit_reason, KVM_EXIT_HYPERV);
        CHECK_EQUAL(machine.run->hyperv.u.hcall.input, input);
        CHECK_EQUAL(machine.run->hyperv.u.hcall.result, 0xdead);
    } else if (result != RUN_FAILED) {
        CHECK_EQUAL(machine.run->exit_reason, KVM_EXIT_HLT);
    }
    return result;
}

/* --- the monitor --- */

static void must(bool good, const char *what)
{
    if (!good) {
        printf("cannot go on: %s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(1);
    }
}

void machine_create(const char *bootzero)
{
    if (bootzero)
        setenv("BOOTZERO", bootzero, 1);
    else
        unsetenv("BOOTZERO");
    log_fd = memfd_create("stderr", 0);
    must(dup2(log_fd, STDERR_FILENO) == STDERR_FILENO, "dup2");
    machine.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    must(machine.kvm >= 0, "open /dev/kvm");
    machine.vm = ioctl(machine.kvm, KVM_CREATE_VM, 0);
    must(machine.vm >= 0, "KVM_CREATE_VM");
    machine.vcpu = ioctl(machine.vm, KVM_CREATE_VCPU, 0);
    must(machine.vcpu >= 0, "KVM_CREATE_VCPU");
    machine.run = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, machine.vcpu, 0);
    must(machine.run != MAP_FAILED, "mmap of kvm_run");
    fake_kvm_set_guest(guest_steps, NULL);
}

uint8_t *machine_memory(size_t size)
{
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED && madvise(memory, size, MADV_NOHUGEPAGE) == 0, "guest memory");
    return memory;
}

int machine_slot(uint32_t id, uint32_t flags, uint64_t gpa, uint64_t size, const void *host)
{
    struct kvm_userspace_memory_region region = { id, flags, gpa, size, (uintptr_t)host };

    return ioctl(machine.vm, KVM_SET_USER_MEMORY_REGION, &region);
}

void machine_cpuid(void)
{
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[4];
    } cpuid = {
        .head.nent = 4,
        .entries = { { .function = 0x40000000, .eax = 0x40000005 },
                     { .function = 0x40000001, .eax = 0x31237648 },
                     { .function = 0x40000003, .ebx = 0x20 },
                     { .function = 0x80000008, .eax = 0x3028 } },
    };
    must(ioctl(machine.vcpu, KVM_SET_CPUID2, &cpuid) == 0, "KVM_SET_CPUID2");
    /* The monitor's own copy stays as it was. */
    CHECK_EQUAL(cpuid.entries[2].ebx, 0x20);
}

void machine_start(const char *bootzero, size_t size)
{
    struct kvm_regs registers = { 0 };

    machine_create(bootzero);
    machine_cpuid();
    machine.ram = machine_memory(size);
    machine.ram_size = size;
    must(machine_slot(0, 0, 0, 640 * KIB, machine.ram) == 0, "slot 0");
    must(machine_slot(1, 0, MIB, size - MIB, machine.ram + MIB) == 0, "slot 1");
    must(ioctl(machine.vcpu, KVM_SET_REGS, &registers) == 0, "KVM_SET_REGS");
}

/* --- answers --- */

struct bz_hv_boot_zeroed_memory machine_answer(uint64_t gpa)
{
    struct bz_hv_boot_zeroed_memory answer;

    memcpy(&answer, machine.ram + gpa, sizeof answer);
    return answer;
}

uint64_t machine_reported(const struct bz_hv_boot_zeroed_memory *answer, uint64_t start, uint64_t end)
{
    uint64_t total = 0;

    for (uint64_t i = 0; i < answer->range_count && i < BZ_HV_MAX_RANGES; i++) {
        uint64_t from = answer->ranges[i].start_page * PAGE, to = from + answer->ranges[i].page_count * PAGE;
        from = from > start ? from : start;
        to = to < end ? to : end;
        total += from < to ? to - from : 0;
    }
    return total;
}

void machine_check_answer(const struct bz_hv_boot_zeroed_memory *answer)
{
    static const uint8_t zeroes[PAGE];

    CHECK(answer->range_count <= BZ_HV_MAX_RANGES);
    for (uint64_t i = 0; i < BZ_HV_MAX_RANGES; i++) {
        uint64_t start = answer->ranges[i].start_page, count = answer->ranges[i].page_count;
        if (i >= answer->range_count) {
            CHECK_EQUAL(start | count, 0);
            continue;
        }
        CHECK(count > 0 && start >= MIB / PAGE);
        CHECK(i == 0 || count <= answer->ranges[i - 1].page_count);
        for (uint64_t j = 0; j < i; j++)
            CHECK(start + count <= answer->ranges[j].start_page ||
                  answer->ranges[j].start_page + answer->ranges[j].page_count <= start);
        for (uint64_t page = start; page < start + count && page < machine.ram_size / PAGE; page++)
            CHECK(memcmp(machine.ram + page * PAGE, zeroes, PAGE) == 0);
    }
}

void machine_expect_exactly(uint64_t output_gpa, bool (*written)(uint64_t page))
{
    CHECK_EQUAL(machine_call(0x8002, output_gpa), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer = machine_answer(output_gpa & -(uint64_t)8);

    for (uint64_t page = MIB / PAGE; page < machine.ram_size / PAGE; page++) {
        bool reported = machine_reported(&answer, page * PAGE, (page + 1) * PAGE) != 0;
        bool expected = !written(page) && page != output_gpa / PAGE;
        if (reported != expected) {
            printf("page 0x%" PRIx64 " of guest memory is %sreported\n", page, reported ? "" : "not ");
            CHECK(reported == expected);
            return;
        }
    }
    CHECK_EQUAL(machine_reported(&answer, machine.ram_size, UINT64_MAX), 0);
    machine_check_answer(&answer);
}

const char *machine_log(void)
{
    static char text[1 << 16];
    ssize_t got = pread(log_fd, text, sizeof text - 1, 0);

    text[got < 0 ? 0 : got] = '\0';
    return text;
}
