/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/persistent.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* QEMU takes one dash or two. */
static bool is_option(const char *word, const char *option)
{
    if (*word != '-')
        return false;
    word++;
    if (*word == '-')
        word++;
    return strcmp(word, option) == 0;
}

/*
 * The value of -device is "nvdimm,...", "driver=nvdimm,..." or a JSON object; a name anywhere in it is taken for the
 * driver's. A device that is merely called so costs that guest its ranges above 4 GiB, no more.
 */
static bool names_persistent_device(const char *value)
{
    return strstr(value, "nvdimm") || strstr(value, "virtio-pmem");
}

const char *bz_persistent_memory(const char *words, size_t size)
{
    const char *end = words + size;
    const char *option = "";

    for (const char *word = words; word < end;) {
        size_t length = strnlen(word, (size_t)(end - word));
        if (word + length == end)
            return "QEMU's command line cannot be read to its end, so persistent memory cannot be excluded";
        if (is_option(option, "device") && names_persistent_device(word))
            return "the guest has persistent memory (nvdimm or virtio-pmem)";
        if ((is_option(option, "machine") || is_option(option, "M")) && strstr(word, "nvdimm"))
            return "the guest may have persistent memory (nvdimm on its machine)";
        if (is_option(word, "readconfig"))
            return "-readconfig may give the guest persistent memory";
        option = word;
        word += length + 1;
    }
    return NULL;
}

const char *bz_persistent_memory_of_self(void)
{
    const char *unknown = "QEMU's command line cannot be read, so persistent memory cannot be excluded";
    size_t used = 0, capacity = 16384;
    char *words = malloc(capacity);
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;

    while (fd >= 0 && words) {
        got = read(fd, words + used, capacity - used);
        if (got <= 0)
            break;
        used += (size_t)got;
        if (used == capacity) {
            char *more = realloc(words, capacity *= 2);
            if (more == NULL) {
                got = -1;
                break;
            }
            words = more;
        }
    }
    if (got == 0 && used > 0)
        unknown = bz_persistent_memory(words, used);
    if (fd >= 0)
        close(fd);
    free(words);
    return unknown;
}
