/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is a file's: which files' holes are believed, and by which descriptor they are looked for. */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "check.h"
#include "finding.h"

static void memory_that_cannot_be_judged(void)
{
    start();
    expect_unavailable(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                       "guest memory is not readable and writable in QEMU");
    int fd = memfd_create("guest", 0);
    CHECK(ftruncate(fd, 4 << 20) == 0);
    uint8_t *shared = file_memory(fd, MAP_SHARED, 0), *private = file_memory(fd, MAP_PRIVATE, 0);
    close(fd);
    expect_unavailable(shared, "guest memory is shared and QEMU has no descriptor of it");
    expect_unavailable(private, "guest memory is a private mapping of a file and QEMU has no descriptor of it");
}

static void holes(void)
{
    const size_t size = 4 << 20;
    int fd = memfd_create("guest", 0), again;

    start();
    CHECK(ftruncate(fd, 64 << 20) == 0);
    /* Not at the start of the file, and a file that ends before the next mapping does. */
    uint8_t *memory = file_memory(fd, MAP_SHARED, 8 << 20);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 1);
    CHECK(by_scan.zero[0] && by_scan.zero[size / PAGE - 1]);

    /* Whoever writes, it is seen: this mapping, the file, another process. */
    memory[PAGE] = 1;
    CHECK(pwrite(fd, "x", 1, (8 << 20) + 10 * PAGE) == 1);
    pid_t child = fork();
    if (child == 0) {
        memory[20 * PAGE] = 1;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, (8 << 20) + 40 * PAGE, PAGE) == 0);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 4);
    CHECK(!by_scan.zero[1] && !by_scan.zero[10] && !by_scan.zero[20] && by_scan.zero[40]);

    /* Ours is a duplicate: QEMU may close its own, and the number may come to mean another file. */
    again = memfd_create("other", 0);
    CHECK(dup2(again, fd) == fd && ftruncate(fd, 64 << 20) == 0);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 4);
    CHECK_EQUAL(files.count, 1);
}

static void beyond_the_end_of_the_file(void)
{
    int fd = memfd_create("guest", 0);

    start();
    CHECK(ftruncate(fd, (1 << 20) + 100) == 0);
    uint8_t *memory = file_memory(fd, MAP_SHARED, 0);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, 4 << 20), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 1);
    CHECK(by_scan.zero[(1 << 20) / PAGE - 1] && !by_scan.zero[(1 << 20) / PAGE]);
}

static void private_mapping_of_a_file(void)
{
    const size_t size = 4 << 20;
    int fd = memfd_create("guest", 0);

    start();
    CHECK(ftruncate(fd, 64 << 20) == 0 && pwrite(fd, "old", 3, (8 << 20) + 5 * PAGE) == 3);
    uint8_t *memory = file_memory(fd, MAP_PRIVATE, 8 << 20);
    memory[7 * PAGE] = 1;
    CHECK_EQUAL(scan(&bz_scan_private_file, &by_scan, memory, size), BZ_SCAN_DONE);
    for (size_t page = 0; page < size / PAGE; page++)
        CHECK_EQUAL(by_scan.zero[page], page != 5 && page != 7);
    /* A page given back shows the file again, which has old content. */
    memory[5 * PAGE] = 0;
    CHECK(madvise(memory, 16 * PAGE, MADV_DONTNEED) == 0);
    CHECK_EQUAL(scan(&bz_scan_private_file, &by_scan, memory, size), BZ_SCAN_DONE);
    CHECK(!by_scan.zero[5] && by_scan.zero[8] && memory[5 * PAGE] == 'o');
}

static void not_a_memfd(void)
{
    char name[] = "/var/tmp/bootzero-test-XXXXXX";
    int fd = mkstemp(name);
    struct statfs about;

    start();
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 8 << 20) == 0 && fstatfs(fd, &about) == 0);
    if (about.f_type == TMPFS_MAGIC)
        SKIP("/var/tmp is on tmpfs");
    uint8_t *shared = file_memory(fd, MAP_SHARED, 0);
    struct bz_mapping mapping = mapping_of(shared);
    bz_files_learn(&files, &mapping);
    expect_unavailable(shared, files.count ? "guest memory is a shared file that is neither a memfd nor on tmpfs"
                                           : "guest memory is shared and QEMU has no descriptor of it");
}

/* Without a reservation the mapping needs none to be there. */
static void shared_huge_pages(void)
{
    int fd = memfd_create("guest", MFD_HUGETLB);

    start();
    if (fd < 0 || ftruncate(fd, 4 << 20) != 0)
        SKIP("this kernel has no huge pages");
    uint8_t *shared = file_memory(fd, MAP_SHARED | MAP_NORESERVE, 0);
    struct bz_mapping mapping = mapping_of(shared);
    bz_files_learn(&files, &mapping);
    expect_unavailable(shared, "guest memory is shared huge pages, which others may write unseen");
}

static bool mount_on_mnt(const char *type)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "/mnt", type, 0, NULL) == 0;
}

static int file_on_mnt(void)
{
    int fd = open("/mnt/guest", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && ftruncate(fd, 8 << 20) == 0);
    return fd;
}

/* Whether its holes mean what those of the others do, nobody has looked at. */
static void another_file_system(void)
{
    start();
    if (!mount_on_mnt("ramfs"))
        SKIP("cannot mount a file system of another kind");
    int fd = file_on_mnt();
    uint8_t *private = file_memory(fd, MAP_PRIVATE, 0);
    struct bz_mapping mapping = mapping_of(private);
    bz_files_learn(&files, &mapping);
    expect_unavailable(private,
                       "guest memory is a private mapping of a file that is neither a memfd nor on tmpfs or ext4");
    expect_unavailable(file_memory(fd, MAP_SHARED, 0),
                       "guest memory is a shared file that is neither a memfd nor on tmpfs");
}

/* Of the descriptors that might be the memory's, only one is. */
static void descriptors_of_other_files(void)
{
    struct stat first, second;

    start();
    if (!mount_on_mnt("tmpfs"))
        SKIP("cannot mount a tmpfs");
    int other = file_on_mnt();
    CHECK(mount_on_mnt("tmpfs"));
    int fd = file_on_mnt();
    CHECK(other < fd && fstat(other, &first) == 0 && fstat(fd, &second) == 0);
    if (first.st_ino != second.st_ino)
        SKIP("two tmpfs do not number their files alike (Linux 5.9)");
    CHECK(pwrite(fd, "x", 1, 3 * PAGE) == 1);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, file_memory(fd, MAP_SHARED, 0), 4 << 20), BZ_SCAN_DONE);
    CHECK(by_scan.zero[2] && !by_scan.zero[3]);
}

/* Which tells nothing of the content. */
static void descriptor_of_a_path(void)
{
    int fd = memfd_create("guest", 0);
    char name[40];

    start();
    CHECK(ftruncate(fd, 4 << 20) == 0);
    uint8_t *memory = file_memory(fd, MAP_SHARED, 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int path = open(name, O_PATH | O_CLOEXEC), later = fcntl(fd, F_DUPFD_CLOEXEC, path + 1);
    CHECK(path >= 0 && later > path && close(fd) == 0);
    CHECK_EQUAL(scan(&bz_scan_shared, &by_scan, memory, 4 << 20), BZ_SCAN_DONE);
    CHECK_EQUAL(by_scan.spans, 1);
}

CHECK_MAIN(CASE(memory_that_cannot_be_judged), CASE(holes), CASE(beyond_the_end_of_the_file),
           CASE(private_mapping_of_a_file), CASE(not_a_memfd), CASE(shared_huge_pages), CASE(another_file_system),
           CASE(descriptors_of_other_files), CASE(descriptor_of_a_path))
