/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "check.h"

static void expect(const char *line, uint64_t start, uint64_t end, enum bz_memory_kind kind)
{
    struct bz_mapping mapping;

    printf("# %s\n", line);
    CHECK(bz_mapping_parse(line, &mapping));
    CHECK_EQUAL(mapping.span.start, start);
    CHECK_EQUAL(mapping.span.end, end);
    CHECK_EQUAL(mapping.kind, kind);
}

static void lines(void)
{
    expect("7f0000000000-7f0040000000 rw-p 00000000 00:00 0 ", 0x7f0000000000, 0x7f0040000000,
           BZ_MEMORY_PRIVATE_ANONYMOUS);
    expect("7f0000000000-7f0040000000 rw-p 00000000 00:00 0", 0x7f0000000000, 0x7f0040000000,
           BZ_MEMORY_PRIVATE_ANONYMOUS);
    expect("1000-2000 rw-p 00000000 00:00 0                          [anon:guest ram]", 0x1000, 0x2000,
           BZ_MEMORY_PRIVATE_ANONYMOUS);
    expect("1000-2000 rwxp 00000000 00:00 0 ", 0x1000, 0x2000, BZ_MEMORY_PRIVATE_ANONYMOUS);
    expect("1000-2000 rw-s 00000000 00:01 2049     /dev/zero (deleted)", 0x1000, 0x2000, BZ_MEMORY_SHARED);
    expect("1000-2000 rw-s 00000000 00:01 7        /memfd:memory-backend-memfd (deleted)", 0x1000, 0x2000,
           BZ_MEMORY_SHARED);
    expect("1000-2000 rw-s 00000000 00:01 7        [anon_shmem:ram]", 0x1000, 0x2000, BZ_MEMORY_SHARED);
    expect("1000-2000 rw-p 00000000 fe:01 1234     /var/lib/ram file with spaces", 0x1000, 0x2000,
           BZ_MEMORY_PRIVATE_FILE);
    expect("1000-2000 rw-p 00000000 00:0f 53       /anon_hugepage (deleted)", 0x1000, 0x2000, BZ_MEMORY_PRIVATE_FILE);
    expect("1000-2000 rw-p 00000000 00:0f 0        /no/inode", 0x1000, 0x2000, BZ_MEMORY_PRIVATE_FILE);
    expect("1000-2000 ---p 00000000 00:00 0 ", 0x1000, 0x2000, BZ_MEMORY_INACCESSIBLE);
    expect("1000-2000 r--s 00000000 00:01 7        /memfd:rom", 0x1000, 0x2000, BZ_MEMORY_INACCESSIBLE);
    expect("1000-2000 r--p 00000000 00:01 7        /memfd:rom", 0x1000, 0x2000, BZ_MEMORY_INACCESSIBLE);
    expect("1000-2000 r--p 00000000 00:00 0 ", 0x1000, 0x2000, BZ_MEMORY_INACCESSIBLE);
    expect("1000-2000 r--p 00000000 00:00 0        [vvar]", 0x1000, 0x2000, BZ_MEMORY_INACCESSIBLE);
    expect("1000-2000 rw-p 00000000 00:00 0        [heap]", 0x1000, 0x2000, BZ_MEMORY_INACCESSIBLE);
    expect("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0      [vsyscall]", 0xffffffffff600000,
           0xffffffffff601000, BZ_MEMORY_INACCESSIBLE);
}

static void which_file(void)
{
    struct bz_mapping mapping;

    CHECK(bz_mapping_parse("1000-2000 rw-s 7f000000000 fe:1a 18446744073709551615 /memfd:x", &mapping));
    CHECK_EQUAL(mapping.offset, 0x7f000000000);
    CHECK_EQUAL(mapping.device, makedev(0xfe, 0x1a));
    CHECK_EQUAL(mapping.inode, UINT64_MAX);
}

static void not_lines(void)
{
    static const char *const wrong[] = {
        "",
        "\n",
        "-",
        "1000",
        "1000-",
        "1000-2000",
        "1000-2000 ",
        "1000-2000 rw-p",
        "1000-2000 rw-p 0 00:00",
        "1000-2000 rw-p 0 00:00 x",
        "1000-2000 rw- 00000000 00:00 0",
        "1000-2000 rw-x 00000000 00:00 0",
        "-1000-2000 rw-p 00000000 00:00 0",
        "2000-1000 rw-p 00000000 00:00 0",
        "1000-1000 rw-p 00000000 00:00 0",
        "11112222333344445-2 rw-p 00000000 00:00 0",
        "1000 2000 rw-p 00000000 00:00 0",
        "hello-world rw-p 00000000 00:00 0",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct bz_mapping mapping;
        printf("# %s\n", wrong[i]);
        CHECK(!bz_mapping_parse(wrong[i], &mapping));
    }
}

static int file_of(const char *text)
{
    int fd = memfd_create("maps", 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    return fd;
}

static void only_what_overlaps(void)
{
    int file = file_of("1000-2000 rw-p 00000000 00:00 0 \n"
                         "3000-5000 rw-s 00000000 00:01 9 /x\n"
                         "5000-6000 rw-p 00000000 00:00 0 \n"
                         "7000-8000 rw-p 00000000 00:00 0 \n");
    struct bz_mappings list = { 0 };
    char why[160] = "";

    for (unsigned again = 0; again < 2; again++) {
        CHECK(bz_mappings_read(file, (struct bz_span){ 0x4000, 0x7000 }, &list, why, sizeof why));
        CHECK_EQUAL(list.count, 2);
        CHECK_EQUAL(list.items[0].span.start, 0x3000);
        CHECK_EQUAL(list.items[0].kind, BZ_MEMORY_SHARED);
        CHECK_EQUAL(list.items[1].span.end, 0x6000);
    }
    bz_mappings_clear(&list);
    close(file);
}

static void errors_leave_nothing(void)
{
    struct bz_mappings list = { 0 };
    char why[160] = "";
    int file = file_of("1000-2000 rw-p 00000000 00:00 0 \nrubbish\n");

    CHECK(!bz_mappings_read(file, (struct bz_span){ 0, 0x9000 }, &list, why, sizeof why));
    CHECK_TEXT(why, "a line of /proc/self/maps is not understood: 'rubbish'");
    CHECK_EQUAL(list.count, 0);
    close(file);

    file = open("/proc/self", O_RDONLY); /* a directory: reading fails */
    CHECK(!bz_mappings_read(file, (struct bz_span){ 0, 0x9000 }, &list, why, sizeof why));
    CHECK_TEXT(why, "cannot read /proc/self/maps: Is a directory");
    close(file);
    bz_mappings_clear(&list);
}

/* The real file: memory of each kind is told apart. */
static void of_this_process(void)
{
    const size_t size = 1 << 20;
    int fd = memfd_create("test", 0);
    CHECK(ftruncate(fd, (off_t)size) == 0);
    const struct {
        void *address;
        enum bz_memory_kind kind;
    } known[] = {
        { mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), BZ_MEMORY_PRIVATE_ANONYMOUS },
        { mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), BZ_MEMORY_SHARED },
        { mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), BZ_MEMORY_SHARED },
        { mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), BZ_MEMORY_PRIVATE_FILE },
        { mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), BZ_MEMORY_INACCESSIBLE },
    };
    int maps = open("/proc/self/maps", O_RDONLY);
    struct bz_mappings list = { 0 };
    char why[160] = "";

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint64_t start = (uintptr_t)known[i].address;
        CHECK(bz_mappings_read(maps, (struct bz_span){ start, start + size }, &list, why, sizeof why));
        CHECK_EQUAL(list.count, 1);
        CHECK(list.items[0].span.start <= start && list.items[0].span.end >= start + size);
        CHECK_EQUAL(list.items[0].kind, known[i].kind);
    }
    bz_mappings_clear(&list);
    close(maps);
}

/* Each read shows the mappings of that moment. */
static void changes_are_seen(void)
{
    const size_t size = 1 << 20;
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct bz_span span = { (uintptr_t)memory, (uintptr_t)memory + size };
    int maps = open("/proc/self/maps", O_RDONLY);
    struct bz_mappings list = { 0 };
    char why[160] = "";

    CHECK(bz_mappings_read(maps, span, &list, why, sizeof why));
    CHECK(list.count == 1 && list.items[0].kind == BZ_MEMORY_PRIVATE_ANONYMOUS);
    CHECK(mmap(memory, size / 2, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == memory);
    CHECK(bz_mappings_read(maps, span, &list, why, sizeof why));
    CHECK(list.count == 2 && list.items[0].kind == BZ_MEMORY_SHARED);
    munmap(memory, size);
    CHECK(bz_mappings_read(maps, span, &list, why, sizeof why));
    CHECK_EQUAL(list.count, 0);
    close(maps);
    CHECK(!bz_mappings_read(maps, span, &list, why, sizeof why));
    CHECK_TEXT(why, "cannot read /proc/self/maps: Bad file descriptor");
    bz_mappings_clear(&list);
}

CHECK_MAIN(CASE(lines), CASE(which_file), CASE(not_lines), CASE(only_what_overlaps), CASE(errors_leave_nothing), CASE(of_this_process),
           CASE(changes_are_seen))
