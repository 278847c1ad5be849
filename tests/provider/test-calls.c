/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two calls, everything that is not one of them, and what the guest may do wrong. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"
#include "machine.h"

#define ON "ext-query-caps=on,boot-zeroed-mem=on"
#define OUT (2 * MIB)

static uint64_t u64_at(uint64_t gpa)
{
    uint64_t value;
    memcpy(&value, machine.ram + gpa, sizeof value);
    return value;
}

static bool nothing_written(uint64_t page)
{
    return false;
}

static bool odd_written(uint64_t page)
{
    return page >= 512 && page < 900 && page % 2;
}

static void capabilities(void)
{
    machine_start(ON, 8 * MIB);
    memset(machine.ram + OUT, 0x77, 3 * PAGE);
    CHECK_EQUAL(machine_call(0x8001, OUT + PAGE + 0x18), BZ_HV_SUCCESS);
    CHECK_EQUAL(u64_at(OUT + PAGE + 0x18), 1);
    CHECK_EQUAL(u64_at(OUT + PAGE + 0x10), 0x7777777777777777);
    CHECK_EQUAL(u64_at(OUT + PAGE + 0x20), 0x7777777777777777);
    CHECK_TEXT(machine_log(),
               "bootzero: version " BZ_VERSION ", offering the guest ext-query-caps and boot-zeroed-mem\n"
               "bootzero: the guest asked for its extended capabilities (0x8001): 0x1\n");
}

static void ranges(void)
{
    machine_start(ON, 16 * MIB);
    machine_expect_exactly(OUT, nothing_written);
    CHECK_CONTAINS(machine_log(), "bootzero: the guest asked for boot-zeroed memory (0x8002) and got 2 ranges, "
                                  "15724544 of 15728640 bytes, in ");
    for (uint64_t page = 512; page < 900; page++)
        if (page % 2)
            machine.ram[page * PAGE + page] = 1;
    machine_expect_exactly(OUT, odd_written);
    /* The page of the former answer is written memory now. */
    CHECK_EQUAL(machine_call(0x8002, OUT + 2 * PAGE), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer = machine_answer(OUT + 2 * PAGE);
    CHECK_EQUAL(machine_reported(&answer, OUT, OUT + 4 * PAGE), 0);
}

/* Of the page the answer goes to, exactly 0xff8 bytes are written. */
static void whole_answer_is_written(void)
{
    machine_start(ON, 8 * MIB);
    for (uint64_t offset = 0; offset <= 8; offset += 8) {
        memset(machine.ram + OUT, 0x77, 3 * PAGE);
        CHECK_EQUAL(machine_call(0x8002, OUT + PAGE + offset), BZ_HV_SUCCESS);
        struct bz_hv_boot_zeroed_memory answer = machine_answer(OUT + PAGE + offset);
        machine_check_answer(&answer);
        CHECK_EQUAL(answer.range_count, 2);
        CHECK_EQUAL(u64_at(OUT + PAGE + (offset ? 0 : 0xff8)), 0x7777777777777777);
        CHECK_EQUAL(u64_at(OUT + PAGE - 8), 0x7777777777777777);
        CHECK_EQUAL(u64_at(OUT + 2 * PAGE), 0x7777777777777777);
    }
}

static void largest_ranges_remain(void)
{
    machine_start(ON, 64 * MIB);
    /* 1,000 ranges of 1 to 16 pages each. */
    uint64_t page = MIB / PAGE + 1, sizes[17] = { 0 };
    for (unsigned i = 0; i < 1000; i++) {
        machine.ram[page * PAGE] = 1;
        sizes[1 + i * 7 % 16]++;
        page += 1 + 1 + i * 7 % 16;
    }
    /* The rest of memory is written: only those ranges and the first page are left. */
    memset(machine.ram + page * PAGE, 1, machine.ram_size - page * PAGE);
    CHECK_EQUAL(machine_call(0x8002, machine.ram_size - PAGE), BZ_HV_SUCCESS);
    struct bz_hv_boot_zeroed_memory answer = machine_answer(machine.ram_size - PAGE);
    machine_check_answer(&answer);
    CHECK_EQUAL(answer.range_count, 255);
    uint64_t at = 0;
    for (unsigned size = 16; size > 0 && at < 255; size--)
        for (uint64_t i = 0; i < sizes[size] && at < 255; i++)
            CHECK_EQUAL(answer.ranges[at++].page_count, size);
}

/* A second call after a reset, or after memory was given back, gets the truth of that moment. */
static void nothing_is_cached(void)
{
    machine_start(ON, 16 * MIB);
    machine_expect_exactly(OUT, nothing_written);
    for (uint64_t page = 513; page < 900; page += 2)
        machine.ram[page * PAGE] = 1;
    machine_expect_exactly(OUT, odd_written);
    CHECK(madvise(machine.ram + MIB, 15 * MIB, MADV_DONTNEED) == 0);
    machine_expect_exactly(OUT, nothing_written);
}

static void extended_capabilities_alone(void)
{
    machine_start("ext-query-caps=on", 8 * MIB);
    memset(machine.ram + OUT, 0x77, PAGE);
    CHECK_EQUAL(machine_call(0x8001, OUT), BZ_HV_SUCCESS);
    CHECK_EQUAL(u64_at(OUT), 0);
    CHECK_EQUAL(machine_call(0x8002, OUT), REACHED_MONITOR);
    CHECK_EQUAL(fake_kvm_cpuid(machine.vcpu)->entries[2].ebx, 0x100020);
}

static void check_inert(const char *bootzero)
{
    machine_start(bootzero, 8 * MIB);
    CHECK_EQUAL(machine_call(0x8001, OUT), REACHED_MONITOR);
    CHECK_EQUAL(machine_call(0x8002, OUT), REACHED_MONITOR);
    CHECK_EQUAL(fake_kvm_cpuid(machine.vcpu)->entries[2].ebx, 0x20);
    CHECK_EQUAL(fake_kvm_count(KVM_CHECK_EXTENSION), 0);
    CHECK_TEXT(machine_log(), "");
}

static void off_without_the_variable(void)
{
    check_inert(NULL);
}

static void off_when_empty(void)
{
    check_inert("");
}

static void off_when_off(void)
{
    check_inert("ext-query-caps=off,boot-zeroed-mem=off");
}

static void wrong_configuration_refuses_the_vm(void)
{
    machine_create(NULL); /* the capture of stderr, and a VM that is not looked at */
    setenv("BOOTZERO", "boot-zeroed-mem=yes", 1);
    errno = 0;
    CHECK_EQUAL(ioctl(machine.kvm, KVM_CREATE_VM, 0), -1);
    CHECK_EQUAL(errno, EINVAL);
    CHECK_EQUAL(fake_kvm_count(KVM_CREATE_VM), 1);
    CHECK_TEXT(machine_log(), "bootzero: BOOTZERO: 'boot-zeroed-mem' has the value 'yes': "
                              "allowed values are 'on' and 'off'\n");
}

static void a_vm_the_kernel_refuses(void)
{
    setenv("BOOTZERO", ON, 1);
    int kvm = open("/dev/kvm", O_RDWR);
    fake_kvm_fail_once(KVM_CREATE_VM, EINTR);
    CHECK_EQUAL(ioctl(kvm, KVM_CREATE_VM, 0), -1);
    CHECK_EQUAL(errno, EINTR);
    /* QEMU tries again. */
    machine_start(ON, 8 * MIB);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    CHECK(machine_answer(OUT).range_count > 0);
}

static void other_calls_are_the_monitors(void)
{
    static const uint64_t others[] = { 0x0, 0x5c, 0x5d, 0x8000, 0x8003, 0x8041, 0xffff, 0x1008001000, 0x800100000000 };

    machine_start(ON, 8 * MIB);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK_EQUAL(machine_call(others[i], OUT), (others[i] & 0xffff) == 0x8001 ? 3 : REACHED_MONITOR);
}

static int exits_with(int vcpu_fd, struct kvm_run *run, void *opaque)
{
    memcpy(run, opaque, sizeof *run);
    return 0;
}

static void other_exits_are_the_monitors(void)
{
    struct kvm_run exit = { 0 };

    machine_start(ON, 8 * MIB);
    fake_kvm_set_guest(exits_with, &exit);
    for (uint32_t reason = 0; reason < 64; reason++) {
        for (uint32_t type = 0; type < 5; type++) {
            exit.exit_reason = reason;
            exit.hyperv.type = type;
            exit.hyperv.u.hcall.input = 0x8002;
            exit.hyperv.u.hcall.params[1] = OUT;
            exit.hyperv.u.hcall.result = 0xdead;
            if (reason == KVM_EXIT_HYPERV && type == KVM_EXIT_HYPERV_HCALL)
                continue;
            unsigned runs = fake_kvm_count(KVM_RUN);
            CHECK_EQUAL(ioctl(machine.vcpu, KVM_RUN, 0), 0);
            CHECK_EQUAL(fake_kvm_count(KVM_RUN), runs + 1);
            CHECK(memcmp(machine.run, &exit, sizeof exit) == 0);
        }
    }
}

static int always_fails(int vcpu_fd, struct kvm_run *run, void *opaque)
{
    /* What an earlier exit left behind must not be taken for a call. */
    run->exit_reason = KVM_EXIT_HYPERV;
    run->hyperv.type = KVM_EXIT_HYPERV_HCALL;
    run->hyperv.u.hcall.input = 0x8002;
    run->hyperv.u.hcall.params[1] = OUT;
    run->hyperv.u.hcall.result = 0xdead;
    return *(int *)opaque;
}

static void errors_of_kvm_run_are_the_monitors(void)
{
    static const int errors[] = { EINTR, EAGAIN, EFAULT, ENOEXEC, ENOSYS, EPERM };

    machine_start(ON, 8 * MIB);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        fake_kvm_set_guest(always_fails, (void *)&errors[i]);
        errno = 0;
        CHECK_EQUAL(ioctl(machine.vcpu, KVM_RUN, 0), -1);
        CHECK_EQUAL(errno, errors[i]);
        CHECK_EQUAL(machine.run->hyperv.u.hcall.result, 0xdead);
    }
    CHECK_EQUAL(u64_at(OUT), 0);
}

/* The guest's call, then a signal for QEMU while the answer is made. */
static int call_then_kick(int vcpu_fd, struct kvm_run *run, void *opaque)
{
    always_fails(vcpu_fd, run, &(int){ 0 });
    run->immediate_exit = 1;
    return 0;
}

static void a_kick_while_answering(void)
{
    machine_start(ON, 8 * MIB);
    fake_kvm_set_guest(call_then_kick, NULL);
    errno = 0;
    CHECK_EQUAL(ioctl(machine.vcpu, KVM_RUN, 0), -1);
    CHECK_EQUAL(errno, EINTR);
    /* The answer is there for the next KVM_RUN to deliver, and immediate_exit is the monitor's to clear. */
    CHECK_EQUAL(machine.run->hyperv.u.hcall.result, BZ_HV_SUCCESS);
    CHECK_EQUAL(machine.run->immediate_exit, 1);
    CHECK_EQUAL(machine_answer(OUT).range_count, 2);
}

static int call_then_error(int vcpu_fd, struct kvm_run *run, void *opaque)
{
    int *step = opaque;
    return (*step)++ ? ENOMEM : always_fails(vcpu_fd, run, &(int){ 0 });
}

static void an_error_after_the_answer(void)
{
    int step = 0;

    machine_start(ON, 8 * MIB);
    fake_kvm_set_guest(call_then_error, &step);
    CHECK_EQUAL(ioctl(machine.vcpu, KVM_RUN, 0), -1);
    CHECK_EQUAL(errno, ENOMEM);
    CHECK_EQUAL(step, 2);
}

static void hostile_input(void)
{
    const struct {
        uint64_t input, output;
        uint64_t status;
    } wrong[] = {
        { 0x8002 | 1ull << 16, OUT, BZ_HV_INVALID_PARAMETER },         /* fast */
        { 0x8002 | 1ull << 17, OUT, BZ_HV_INVALID_HYPERCALL_INPUT },   /* variable header */
        { 0x8002 | 1ull << 31, OUT, BZ_HV_INVALID_HYPERCALL_INPUT },   /* nested */
        { 0x8002 | 1ull << 32, OUT, BZ_HV_INVALID_HYPERCALL_INPUT },   /* rep count */
        { 0x8001 | 0xfffull << 48, OUT, BZ_HV_INVALID_HYPERCALL_INPUT }, /* rep start index */
        { 0x8001 | 1ull << 63, OUT, BZ_HV_INVALID_HYPERCALL_INPUT },   /* reserved */
        { 0x8002, OUT + 1, BZ_HV_INVALID_ALIGNMENT },
        { 0x8002, OUT + 16, BZ_HV_INVALID_ALIGNMENT },                 /* crosses into the next page */
        { 0x8001, OUT + 0xffc, BZ_HV_INVALID_ALIGNMENT },
        { 0x8002, 1ull << 40, BZ_HV_INVALID_ALIGNMENT },               /* beyond the 40 bits of CPUID */
        { 0x8002, UINT64_MAX - 0xfff, BZ_HV_INVALID_ALIGNMENT },
        { 0x8002, (1ull << 40) - PAGE, BZ_HV_INVALID_PARAMETER },      /* no memory there */
        { 0x8002, 8 * MIB, BZ_HV_INVALID_PARAMETER },                  /* the first page after RAM */
        { 0x8002, 0xa0000, BZ_HV_INVALID_PARAMETER },                  /* the hole below 1 MiB */
        { 0x8001, 0xfee00000, BZ_HV_INVALID_PARAMETER },               /* MMIO */
    };

    machine_start(ON, 8 * MIB);
    uint8_t *before = machine_memory(8 * MIB);
    memset(machine.ram, 0x33, 8 * MIB);
    memset(before, 0x33, 8 * MIB);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK_EQUAL(machine_call(wrong[i].input, wrong[i].output), wrong[i].status);
    CHECK(memcmp(machine.ram, before, 8 * MIB) == 0);
    CHECK_CONTAINS(machine_log(), "bootzero: refused a call 0x18002 with output at 0x200000: status 5\n");
    /* The last page of RAM, and memory below 1 MiB, are good places for an answer. */
    CHECK_EQUAL(machine_call(0x8002, 8 * MIB - PAGE), BZ_HV_SUCCESS);
    CHECK_EQUAL(machine_call(0x8002, 0), BZ_HV_SUCCESS);
}

static void the_log_stays_small(void)
{
    machine_start(ON, 8 * MIB);
    for (unsigned i = 0; i < 3000; i++)
        machine_call(0x8002, i % 3 ? OUT + i % 5 : 0xa0000);
    unsigned lines = 0;
    for (const char *c = machine_log(); *c; c++)
        lines += *c == '\n';
    CHECK_EQUAL(lines, 1 + 64 + 1);
}

static void physical_bits_when_cpuid_does_not_tell(void)
{
    machine_create(ON);
    machine.ram = machine_memory(8 * MIB);
    machine.ram_size = 8 * MIB;
    CHECK_EQUAL(machine_slot(0, 0, 0, 8 * MIB, machine.ram), 0);
    CHECK_EQUAL(machine_call(0x8001, 1ull << 51), BZ_HV_INVALID_PARAMETER);
    CHECK_EQUAL(machine_call(0x8001, 1ull << 52), BZ_HV_INVALID_ALIGNMENT);
}

static void cpuid_of_the_guest(void)
{
    struct kvm_cpuid2 *few = calloc(1, sizeof *few + 2 * sizeof few->entries[0]);

    machine_start(ON, 8 * MIB);
    CHECK_EQUAL(fake_kvm_cpuid(machine.vcpu)->nent, 4);
    CHECK_EQUAL(fake_kvm_cpuid(machine.vcpu)->entries[2].ebx, 0x100020);
    CHECK_EQUAL(fake_kvm_cpuid(machine.vcpu)->entries[0].eax, 0x40000005);

    few->nent = 2;
    few->entries[0].function = 0x40000000;
    few->entries[1].function = 1;
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQUAL(ioctl(machine.vcpu, KVM_SET_CPUID2, few), 0);
    CHECK_EQUAL(fake_kvm_cpuid(machine.vcpu)->nent, 2);
    CHECK_EQUAL(fake_kvm_cpuid(machine.vcpu)->entries[1].ebx, 0);
    CHECK_TEXT(machine_log(),
               "bootzero: version " BZ_VERSION ", offering the guest ext-query-caps and boot-zeroed-mem\n"
               "bootzero: the guest has no Hyper-V CPUID leaves, so it cannot ask: add an enlightenment such as "
               "hv-relaxed\n");

    fake_kvm_fail_once(KVM_SET_CPUID2, E2BIG);
    CHECK_EQUAL(ioctl(machine.vcpu, KVM_SET_CPUID2, few), -1);
    CHECK_EQUAL(errno, E2BIG);
    free(few);
}

static void a_kernel_without_hyperv(void)
{
    fake_kvm_set_hyperv(false);
    machine_start(ON, 8 * MIB);
    CHECK_CONTAINS(machine_log(), "bootzero: this kernel's KVM has no Hyper-V emulation: the guest cannot ask\n");
}

/* QEMU passes requests through an int: those with the highest bit set arrive with all upper bits set. */
static void requests_with_extended_sign(void)
{
    machine_start(ON, 8 * MIB);
    machine_expect_exactly(OUT, nothing_written);
    CHECK_EQUAL((unsigned long)(int)KVM_MEMORY_ENCRYPT_OP, 0xffffffffc008aeba);
    CHECK_EQUAL(ioctl(machine.vm, (unsigned long)(int)KVM_MEMORY_ENCRYPT_OP, NULL), 0);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    CHECK_EQUAL(machine_answer(OUT).range_count, 0);
}

/* A vCPU that could not be set up is closed, and its descriptor's number comes again. */
static void a_descriptor_comes_again(void)
{
    machine_start(ON, 8 * MIB);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    for (unsigned i = 0; i < 3; i++) {
        int vcpu = ioctl(machine.vm, KVM_CREATE_VCPU, 1 + i);
        CHECK_EQUAL(machine_call_on(vcpu, 0x8001, OUT), BZ_HV_SUCCESS);
        CHECK_EQUAL(machine_call_on(vcpu, 0x8003, OUT), REACHED_MONITOR);
        close(vcpu);
    }
}

/* The number of a vCPU that was closed comes again as that of another VM: what the old one stopped for is not its. */
static void a_descriptor_comes_again_in_another_vm(void)
{
    static const struct kvm_run old_exit = { .exit_reason = KVM_EXIT_HYPERV,
                                             .hyperv = { .type = KVM_EXIT_HYPERV_HCALL,
                                                         .u.hcall = { .input = 0x8001, .params = { 0, OUT } } } };

    machine_start(ON, 8 * MIB);
    int vm = ioctl(machine.kvm, KVM_CREATE_VM, 0);
    int vcpu = ioctl(machine.vm, KVM_CREATE_VCPU, 1);
    struct kvm_run *old = mmap(NULL, sizeof *old, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    memcpy(old, &old_exit, sizeof old_exit);
    close(vcpu);
    CHECK_EQUAL(ioctl(vm, KVM_CREATE_VCPU, 0), vcpu);
    unsigned runs = fake_kvm_count(KVM_RUN);
    struct kvm_run exit = { .exit_reason = KVM_EXIT_HLT };
    fake_kvm_set_guest(exits_with, &exit);
    CHECK_EQUAL(ioctl(vcpu, KVM_RUN, 0), 0);
    CHECK_EQUAL(fake_kvm_count(KVM_RUN), runs + 1);
    CHECK_EQUAL(u64_at(OUT), 0);
}

/* Between calls nothing runs but the caller's own request: no thread, and not one system call. */
static void nothing_between_calls(void)
{
    const struct kvm_run exit = { .exit_reason = KVM_EXIT_HLT };
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    SKIP("a sanitizer makes system calls, and has threads, of its own");
#endif
    machine_start(ON, 8 * MIB);
    CHECK_EQUAL(machine_call(0x8001, OUT), BZ_HV_SUCCESS);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    int tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    struct stat about;
    CHECK(fstat(tasks, &about) == 0 && about.st_nlink == 3);
    fake_kvm_set_guest(exits_with, (void *)&exit);
    if (check_failures)
        return;
    fflush(NULL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        SKIP("no seccomp here");
    for (unsigned i = 0; i < 1000; i++)
        if (ioctl(machine.vcpu, KVM_RUN, 0) != 0)
            _exit(1);
    _exit(0);
}

/* One part of memory is scanned well and another is not: then nothing is reported at all. */
static void a_scan_that_fails_halfway(void)
{
    machine_create(ON);
    machine_cpuid();
    machine.ram = machine_memory(16 * MIB);
    machine.ram_size = 16 * MIB;
    CHECK_EQUAL(machine_slot(0, 0, 0, 4 * MIB, machine.ram), 0);
    CHECK_EQUAL(machine_slot(1, 0, 4 * MIB, 4 * MIB, machine.ram + 4 * MIB), 0);
    CHECK_EQUAL(machine_slot(2, 0, 9 * MIB, 7 * MIB, machine.ram + 9 * MIB), 0);
    machine.ram[6 * MIB] = 1;
    for (unsigned failing = 1; failing <= 3; failing++) {
        fake_kvm_fail_scans_from(failing, EIO);
        CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
        struct bz_hv_boot_zeroed_memory answer = machine_answer(OUT);
        CHECK_EQUAL(answer.range_count, 0);
        machine_check_answer(&answer);
    }
    CHECK_CONTAINS(machine_log(), "got no range: PAGEMAP_SCAN: Input/output error\n");
    fake_kvm_fail_scans_from(0, 0);
    CHECK_EQUAL(machine_call(0x8002, OUT), BZ_HV_SUCCESS);
    CHECK_EQUAL(machine_answer(OUT).range_count, 4);
}

static void a_kernel_without_pagemap_scan(void)
{
    machine_start(ON, 16 * MIB);
    fake_kvm_fail_scans_from(1, ENOTTY);
    machine_expect_exactly(OUT, nothing_written);
    CHECK_CONTAINS(machine_log(), " us by pagemap\n");
}

CHECK_MAIN(CASE(capabilities), CASE(ranges), CASE(whole_answer_is_written), CASE(largest_ranges_remain),
           CASE(nothing_is_cached), CASE(extended_capabilities_alone), CASE(off_without_the_variable),
           CASE(off_when_empty), CASE(off_when_off), CASE(wrong_configuration_refuses_the_vm),
           CASE(a_vm_the_kernel_refuses), CASE(other_calls_are_the_monitors), CASE(other_exits_are_the_monitors),
           CASE(errors_of_kvm_run_are_the_monitors), CASE(a_kick_while_answering), CASE(an_error_after_the_answer),
           CASE(hostile_input), CASE(the_log_stays_small), CASE(physical_bits_when_cpuid_does_not_tell),
           CASE(cpuid_of_the_guest), CASE(a_kernel_without_hyperv), CASE(requests_with_extended_sign),
           CASE(a_descriptor_comes_again), CASE(a_descriptor_comes_again_in_another_vm), CASE(nothing_between_calls),
           CASE(a_scan_that_fails_halfway), CASE(a_kernel_without_pagemap_scan))
