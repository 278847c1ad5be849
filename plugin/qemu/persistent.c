/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/persistent.h"

#include <stdlib.h>
#include <string.h>

#include "qemu/command-line.h"

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
    const char *option, *word = NULL;
    bool is_whole;

    while (bz_command_line_next(words, size, &option, &word, &is_whole)) {
        if (bz_is_option(option, "device") && names_persistent_device(word))
            return "the guest has persistent memory (nvdimm or virtio-pmem)";
        if (bz_is_option(option, "device") && strstr(word, "virtio-mem"))
            return "the guest has memory that is plugged when it runs (virtio-mem)";
        if ((bz_is_option(option, "machine") || bz_is_option(option, "M")) && strstr(word, "nvdimm"))
            return "the guest may have persistent memory (nvdimm on its machine)";
        if (bz_is_option(word, "readconfig"))
            return "-readconfig may give the guest persistent memory";
    }
    return is_whole ? NULL : "QEMU's command line cannot be read to its end, so persistent memory cannot be excluded";
}

const char *bz_persistent_memory_of_self(void)
{
    const char *found = "QEMU's command line cannot be read, so persistent memory cannot be excluded";
    size_t size;
    char *words = bz_command_line_of_self(&size);

    if (words)
        found = bz_persistent_memory(words, size);
    free(words);
    return found;
}
