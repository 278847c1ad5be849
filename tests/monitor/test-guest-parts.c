/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest's endpoint says of the guest: who it is, and what memory it has. */
#include <glib.h>
#include <string.h>

#include "qemu/identity.h"
#include "qemu/memory-map.h"

#define GIB (1ull << 30)
#define MIB (1ull << 20)
#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

/* words: with a space for each NUL. */
static void identifies(const char *words, const char *name, const char *uuid)
{
    g_autofree char *line = g_strdelimit(g_strdup(words), " ", '\0');
    struct bz_identity identity;

    bz_identity_parse(&identity, line, strlen(words) + 1);
    g_assert_cmpstr(identity.name, ==, name);
    g_assert_cmpstr(identity.uuid, ==, uuid);
}

static void identity(void)
{
    g_autofree char *long_name = g_strnfill(300, 'n');
    g_autofree char *long_words = g_strdup_printf("qemu -name %s", long_name);
    g_autofree char *cut_name = g_strndup(long_name, 255);

    identifies("qemu -name guest=win11,debug-threads=on -uuid 4DEA22B3-1D52-D8F3-2516-782E98AB3FA0", "win11", UUID);
    identifies("qemu --name win11 --uuid " UUID, "win11", UUID);
    identifies("qemu -name debug-threads=on,guest=a,,b,process=x", "a,b", "");
    identifies("qemu -name a,,,process=x", "a,", "");
    identifies("qemu -name guest=", "", "");
    identifies("qemu -uuid none -name", "", "");
    identifies("qemu -uuid 4dea22b3-1d52-d8f3-2516-782e98ab3fa", "", "");
    identifies("qemu -uuid ../../../../../../../../../../../etc/xy", "", "");
    identifies("qemu", "", "");
    identifies(long_words, cut_name, "");

    struct bz_identity unterminated;
    bz_identity_parse(&unterminated, "qemu\0-name\0win11", 16);
    g_assert_cmpstr(unterminated.name, ==, "");
}

static struct bz_slots slots;
static struct bz_spans boot;

static void slot(guint32 id, guint64 gpa, guint64 size, guint64 host, gboolean is_boot)
{
    struct bz_slot new_slot = {.id = id, .gpa = gpa, .size = size, .host = host};

    g_assert_true(bz_slots_set(&slots, new_slot));
    if (is_boot)
        g_assert_true(bz_spans_add(&boot, bz_slot_host(&new_slot)));
}

static void part(const struct bz_memory_map *map, guint i, guint64 start, guint64 size, const char *reason)
{
    g_assert_cmpuint(i, <, map->count);
    g_assert_cmphex(map->parts[i].start, ==, start);
    g_assert_cmphex(map->parts[i].size, ==, size);
    g_assert_cmpstr(map->parts[i].reason, ==, reason);
}

static void memory(void)
{
    static struct bz_memory_map map;

    slot(0, 0, 640 << 10, 100 * GIB, TRUE);
    slot(1, 768 << 10, 3 * GIB - (768 << 10), 100 * GIB + (768 << 10), TRUE);
    slot(2, 4 * GIB, GIB, 103 * GIB, TRUE);
    slot(3, 8 * GIB, GIB, 200 * GIB, FALSE); /* hot-plugged */

    bz_memory_map_make(&map, &slots, &boot, UINT64_MAX, NULL);
    g_assert_cmpuint(map.count, ==, 5);
    part(&map, 0, 0, 640 << 10, "firmware uses the first MiB");
    part(&map, 1, 768 << 10, 256 << 10, "firmware uses the first MiB");
    part(&map, 2, MIB, 3 * GIB - MIB, NULL);
    part(&map, 3, 4 * GIB, GIB, NULL);
    part(&map, 4, 8 * GIB, GIB, "it was not there when the guest started");

    bz_memory_map_make(&map, &slots, &boot, 4 * GIB, "nvdimm");
    part(&map, 3, 4 * GIB, GIB, "nvdimm");
    bz_slots_clear(&slots);
    bz_spans_clear(&boot);
}

/* More slots than a map has parts: what is more is left out. */
static void many(void)
{
    static struct bz_memory_map map;

    for (guint32 i = 0; i < 2 * BZ_MEMORY_PARTS; i++)
        slot(i, (2 * i + 1) * MIB, MIB, (2 * i + 1) * GIB, TRUE);
    bz_memory_map_make(&map, &slots, &boot, UINT64_MAX, NULL);
    g_assert_cmpuint(map.count, ==, BZ_MEMORY_PARTS);
    bz_slots_clear(&slots);
    bz_spans_clear(&boot);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest/identity", identity);
    g_test_add_func("/guest/memory", memory);
    g_test_add_func("/guest/many-slots", many);
    return g_test_run();
}
