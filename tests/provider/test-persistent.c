/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/persistent.h"

#include "check.h"

/* text has '|' where the words of the command line end. */
static const char *ask(const char *text)
{
    static char words[512];
    size_t length = strlen(text);

    memcpy(words, text, length);
    for (size_t i = 0; i < length; i++)
        if (words[i] == '|')
            words[i] = '\0';
    return bz_persistent_memory(words, length);
}

static void absent(void)
{
    CHECK(ask("qemu|-M|q35|-m|1G|") == NULL);
    CHECK(ask("qemu|-name|nvdimm|-device|virtio-balloon|") == NULL);
    CHECK(ask("qemu|-name|guest=-device|nvdimm|") == NULL);
    CHECK(ask("qemu|-object|memory-backend-ram,id=virtio-pmem|-device|pc-dimm,id=x|") == NULL);
    CHECK(ask("qemu|-device|") == NULL);
    CHECK(ask("qemu||-m||") == NULL);
}

static void present(void)
{
    const char *has = "the guest has persistent memory (nvdimm or virtio-pmem)";

    CHECK_TEXT(ask("qemu|-device|nvdimm,memdev=m,id=n|"), has);
    CHECK_TEXT(ask("qemu|--device|nvdimm,memdev=m,id=n|"), has);
    CHECK_TEXT(ask("qemu|-device|driver=nvdimm,memdev=m|"), has);
    CHECK_TEXT(ask("qemu|-m|1G|-device|virtio-pmem-pci,memdev=m|"), has);
    CHECK_TEXT(ask("qemu|-device|{\"driver\":\"nvdimm\",\"memdev\":\"m\"}|"), has);
    CHECK_TEXT(ask("qemu|-machine|q35,nvdimm=on|"), "the guest may have persistent memory (nvdimm on its machine)");
    CHECK_TEXT(ask("qemu|-M|q35,nvdimm=on|"), "the guest may have persistent memory (nvdimm on its machine)");
    CHECK_TEXT(ask("qemu|-device|virtio-mem-pci,memdev=m|"),
               "the guest has memory that is plugged when it runs (virtio-mem)");
    CHECK_TEXT(ask("qemu|-readconfig|x.cfg|"), "-readconfig may give the guest persistent memory");
}

/* A word without its end: the rest is unknown. */
static void cut_off(void)
{
    CHECK_CONTAINS(ask("qemu|-device|nvd"), "cannot be read to its end");
}

static void of_this_process(void)
{
    CHECK(bz_persistent_memory_of_self() == NULL);
}

CHECK_MAIN(CASE(absent), CASE(present), CASE(cut_off), CASE(of_this_process))
