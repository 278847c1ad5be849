/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests that never get a range, and those with memory that must be kept. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "asking.h"
#include "check.h"
#include "qemu/abi-kvm.h"

static void second_vm(void)
{
    machine_start(ON, SIZE);
    machine_expect_exactly(OUT, nothing_written);
    int vm = ioctl(machine.kvm, KVM_CREATE_VM, 0);
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    CHECK(vm >= 0 && vcpu >= 0);
    expect_none("got no range: this process has had a second VM\n");
    CHECK_EQUAL(machine_call_on(vcpu, 0x8002, OUT), REACHED_MONITOR);
    CHECK_EQUAL(machine_call_on(vcpu, 0x8001, OUT), REACHED_MONITOR);
    /* Its slots are not the first one's. */
    struct kvm_userspace_memory_region region = { 0, 0, 0, 0, 0 };
    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
    CHECK_EQUAL(machine_call(0x8002, 0x8000), BZ_HV_SUCCESS);
}

static void encrypted_by_request(void)
{
    machine_start(ON, SIZE);
    ioctl(machine.vm, KVM_MEMORY_ENCRYPT_OP, NULL);
    expect_none("got no range: the guest's memory is encrypted, so zero in the host is not zero in the guest\n");
}

static void encrypted_by_type(void)
{
    machine_create(NULL); /* not tracked */
    setenv("BOOTZERO", ON, 1);
    machine.vm = ioctl(machine.kvm, KVM_CREATE_VM, 4ul);
    machine.vcpu = ioctl(machine.vm, KVM_CREATE_VCPU, 0);
    machine.run = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, machine.vcpu, 0);
    machine.ram = machine_memory(SIZE);
    machine.ram_size = SIZE;
    CHECK_EQUAL(machine_slot(0, 0, 0, SIZE, machine.ram), 0);
    expect_none("got no range: the guest's memory is encrypted");
}

static void without_proc(void)
{
    if (chroot("/sys/kernel") != 0 || chdir("/") != 0)
        SKIP("chroot is not allowed here");
    machine_start(ON, SIZE);
    expect_none("got no range: cannot open /proc/self/pagemap: No such file or directory\n");
}

/* What -runas and chroot do, after the VM is there. */
static void after_chroot_and_setuid(void)
{
    machine_start(ON, SIZE);
    if (chroot("/sys/kernel") != 0 || chdir("/") != 0 || setgroups(0, NULL) != 0 || setgid(65534) != 0 ||
        setuid(65534) != 0)
        SKIP("chroot and setuid are not allowed here");
    CHECK(access("/proc/self/pagemap", R_OK) != 0);
    machine_expect_exactly(OUT, nothing_written);
}

static void in_a_forked_child(void)
{
    machine_start(ON, SIZE);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        expect_none("got no range: this process was forked from the one that created the VM\n");
        _exit(check_failures ? 1 : 0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static int add_above_4g(void)
{
    return machine_slot(2, 0, 4 * GIB, 8 * MIB, machine_memory(8 * MIB)) |
           machine_slot(3, 0, 4 * GIB - 8 * MIB, 8 * MIB, machine_memory(8 * MIB));
}

static void persistent_memory(void)
{
    start_with(add_above_4g);
    struct bz_hv_boot_zeroed_memory answer = ask();
    CHECK_EQUAL(machine_reported(&answer, 4 * GIB, 5 * GIB), 0);
    CHECK_EQUAL(machine_reported(&answer, 4 * GIB - 8 * MIB, 4 * GIB), 8 * MIB);
    CHECK_EQUAL(machine_reported(&answer, MIB, SIZE), 15 * MIB - PAGE);
    CHECK_CONTAINS(machine_log(), "left out: nothing above 4 GiB: the guest has persistent memory (nvdimm or "
                                  "virtio-pmem)\n");
}

static void no_persistent_memory(void)
{
    start_with(add_above_4g);
    expect_reported(4 * GIB, 5 * GIB, 8 * MIB);
}

/* The command line is that of the process: this one starts itself with QEMU's option. */
static void persistent_memory_on_the_command_line(void)
{
    execl("/proc/self/exe", "qemu", "persistent_memory", "-device", "nvdimm,memdev=m", (char *)NULL);
    CHECK(!"execl");
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        CASE(second_vm),
        CASE(encrypted_by_request),
        CASE(encrypted_by_type),
        CASE(without_proc),
        CASE(after_chroot_and_setuid),
        CASE(in_a_forked_child),
        CASE(no_persistent_memory),
        CASE(persistent_memory_on_the_command_line),
    };
    static const struct check_case started_by_another[] = { CASE(persistent_memory) };

    if (argc > 2)
        return check_main(2, argv, started_by_another, 1);
    return check_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
