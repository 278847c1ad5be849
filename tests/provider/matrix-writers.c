/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix.h"
#include "vmm.h"

/* Each writer does this for its pages. At is the offset of a byte somewhere in the page. */
typedef bool write_one(const struct memory *memory, uint64_t at);

static bool for_pages(const struct memory *memory, unsigned first, write_one *one)
{
    for (uint64_t page = first; page < MATRIX_WRITTEN / MATRIX_PAGE; page += 31)
        if (!one(memory, page * MATRIX_PAGE + page * 8 % MATRIX_PAGE))
            return false;
    return true;
}

static bool store_one(const struct memory *memory, uint64_t at)
{
    *(volatile uint8_t *)(memory->host + at) = 0x11;
    return true;
}

static bool store(const struct memory *memory, unsigned first)
{
    return for_pages(memory, first, store_one);
}

static bool guest_one(const struct memory *memory, uint64_t at)
{
    vmm_guest_writes(at);
    return true;
}

static bool guest(const struct memory *memory, unsigned first)
{
    return for_pages(memory, first, guest_one);
}

static bool guest_read_one(const struct memory *memory, uint64_t at)
{
    vmm_guest_reads(at);
    return true;
}

/* Reads first, in all pages between, and writes then. */
static bool guest_reads_first(const struct memory *memory, unsigned first)
{
    return for_pages(memory, (first + 1) % 31, guest_read_one) && for_pages(memory, first, guest_read_one) &&
           for_pages(memory, first, guest_one);
}

static bool read_one(const struct memory *memory, uint64_t at)
{
    int pipe_fds[2];
    bool good = pipe(pipe_fds) == 0 && write(pipe_fds[1], "\x22\x22", 2) == 2 &&
                read(pipe_fds[0], memory->host + at, 2) == 2;

    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return good;
}

static bool read_system_call(const struct memory *memory, unsigned first)
{
    return for_pages(memory, first, read_one);
}

static bool other_process_one(const struct memory *memory, uint64_t at)
{
    uint8_t data = 0x33;
    struct iovec from = { &data, 1 }, to = { memory->host + at, 1 };

    return process_vm_writev(getppid(), &from, 1, &to, 1, 0) == 1;
}

/* A debugger's view: another process writes to this one. */
static bool process_vm_write(const struct memory *memory, unsigned first)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(for_pages(memory, first, other_process_one) ? 0 : 1);
    return waitpid(child, &status, 0) == child && status == 0;
}

static bool proc_mem_one(const struct memory *memory, uint64_t at)
{
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    bool good = pwrite(fd, "\x44", 1, (off_t)(uintptr_t)(memory->host + at)) == 1;

    close(fd);
    return good;
}

static bool proc_mem(const struct memory *memory, unsigned first)
{
    return for_pages(memory, first, proc_mem_one);
}

/* A vhost-user process: it has the mapping too. Of private memory it writes its own copy. */
static bool other_process(const struct memory *memory, unsigned first)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(store(memory, first) ? 0 : 1);
    return waitpid(child, &status, 0) == child && status == 0;
}

static bool pwrite_one(const struct memory *memory, uint64_t at)
{
    return pwrite(memory->fd, "\x55", 1, (off_t)(memory->offset + at)) == 1;
}

static bool file_write(const struct memory *memory, unsigned first)
{
    return memory->fd >= 0 && for_pages(memory, first, pwrite_one);
}

static bool second_mapping(const struct memory *memory, unsigned first)
{
    if (memory->fd < 0)
        return false;
    struct memory other = *memory;
    other.host = mmap(NULL, MATRIX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, (off_t)memory->offset);
    if (other.host == MAP_FAILED)
        return false;
    bool good = store(&other, first);
    munmap(other.host, MATRIX_SIZE);
    return good;
}

/* A disk that bypasses the page cache reads whole pages into memory. */
static bool direct_io(const struct memory *memory, unsigned first)
{
    static const char full[MATRIX_PAGE] = { [0 ... MATRIX_PAGE - 1] = 0x88 };
    char path[] = "/var/tmp/bootzero-matrix-XXXXXX";
    int source = mkostemp(path, O_DIRECT | O_CLOEXEC);
    void *aligned = NULL;

    if (source < 0)
        return false;
    unlink(path);
    bool good = posix_memalign(&aligned, MATRIX_PAGE, MATRIX_PAGE) == 0 &&
                pwrite(source, memcpy(aligned, full, MATRIX_PAGE), MATRIX_PAGE, 0) == (ssize_t)MATRIX_PAGE;
    for (uint64_t page = first; good && page < MATRIX_WRITTEN / MATRIX_PAGE; page += 31)
        good = pread(source, memory->host + page * MATRIX_PAGE, MATRIX_PAGE, 0) == (ssize_t)MATRIX_PAGE;
    free(aligned);
    close(source);
    return good;
}

/* Into the file, by pages that are handed over. */
static bool splice_one(const struct memory *memory, uint64_t at)
{
    int pipe_fds[2];
    loff_t offset = (loff_t)(memory->offset + at / MATRIX_PAGE * MATRIX_PAGE);
    bool good = pipe(pipe_fds) == 0 && write(pipe_fds[1], "\x99\x99", 2) == 2 &&
                splice(pipe_fds[0], NULL, memory->fd, &offset, 2, 0) == 2;

    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return good;
}

static bool file_splice(const struct memory *memory, unsigned first)
{
    return memory->fd >= 0 && for_pages(memory, first, splice_one);
}

/* KVM writes guest memory from within the kernel, as vhost does. */
static bool kvm_one(const struct memory *memory, uint64_t at)
{
    return vmm_kvm_writes(at / MATRIX_PAGE * MATRIX_PAGE);
}

static bool kvm_itself(const struct memory *memory, unsigned first)
{
    return for_pages(memory, first, kvm_one);
}

/* --- a device with a pin: io_uring's registered buffers pin as VFIO does --- */

static struct {
    int fd, source;
    uint8_t *base;
    struct io_uring_params params;
    void *sq, *cq;
    struct io_uring_sqe *sqes;
} pin;

bool matrix_pin(const struct memory *memory)
{
    struct iovec buffer = { memory->host, MATRIX_WRITTEN };

    pin.base = memory->host;
    matrix_fill(0, MATRIX_WRITTEN, true);
    pin.fd = (int)syscall(SYS_io_uring_setup, 4, &pin.params);
    if (pin.fd < 0)
        return false;
    size_t sq_size = pin.params.sq_off.array + pin.params.sq_entries * sizeof(uint32_t);
    size_t cq_size = pin.params.cq_off.cqes + pin.params.cq_entries * sizeof(struct io_uring_cqe);
    pin.sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, pin.fd, IORING_OFF_SQ_RING);
    pin.cq = mmap(NULL, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, pin.fd, IORING_OFF_CQ_RING);
    pin.sqes = mmap(NULL, pin.params.sq_entries * sizeof *pin.sqes, PROT_READ | PROT_WRITE, MAP_SHARED, pin.fd,
                    IORING_OFF_SQES);
    pin.source = memfd_create("source", 0);
    return pin.sq != MAP_FAILED && pin.cq != MAP_FAILED && pin.sqes != MAP_FAILED &&
           write(pin.source, "\x66\x66\x66\x66", 4) == 4 &&
           syscall(SYS_io_uring_register, pin.fd, IORING_REGISTER_BUFFERS, &buffer, 1) == 0;
}

static uint32_t *ring(void *base, uint32_t offset)
{
    return (uint32_t *)((uint8_t *)base + offset);
}

static bool device_one(const struct memory *memory, uint64_t at)
{
    uint32_t *sq_tail = ring(pin.sq, pin.params.sq_off.tail), *cq_head = ring(pin.cq, pin.params.cq_off.head);
    uint32_t slot = *sq_tail & *ring(pin.sq, pin.params.sq_off.ring_mask);
    struct io_uring_cqe *cqes = (struct io_uring_cqe *)ring(pin.cq, pin.params.cq_off.cqes);

    pin.sqes[slot] = (struct io_uring_sqe){ .opcode = IORING_OP_READ_FIXED,
                                            .fd = pin.source,
                                            .addr = (uintptr_t)(pin.base + at),
                                            .len = 4 };
    ring(pin.sq, pin.params.sq_off.array)[slot] = slot;
    __atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, pin.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
        return false;
    int result = cqes[*cq_head & *ring(pin.cq, pin.params.cq_off.ring_mask)].res;
    __atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
    return result == 4;
}

bool matrix_write_through_pin(unsigned first)
{
    return for_pages(NULL, first, device_one);
}

static bool pinned_device(const struct memory *memory, unsigned first)
{
    if (pin.fd == 0 && !matrix_pin(memory))
        return false;
    return matrix_write_through_pin(first);
}

const struct writer matrix_writers[] = {
    { "store", .write = store },
    { "guest", .write = guest },
    { "guest-reads-first", .write = guest_reads_first },
    { "read", .write = read_system_call, .rare = true },
    { "process-vm-writev", .write = process_vm_write },
    { "proc-mem", .write = proc_mem, .rare = true },
    { "other-process", .write = other_process },
    { "pwrite", .write = file_write },
    { "second-mapping", .write = second_mapping },
    { "direct-io", .write = direct_io, .rare = true },
    { "splice", .write = file_splice, .rare = true },
    { "kvm", .write = kvm_itself, .rare = true },
    { "pinned-device", .write = pinned_device },
    { "pinned-before", .write = pinned_device, .pins_early = true },
};
const size_t matrix_n_writers = sizeof matrix_writers / sizeof matrix_writers[0];
