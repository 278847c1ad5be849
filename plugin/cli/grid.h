/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture of guest memory: equal cells of guest-physical addresses, in rows; rows without memory are left out. */
#pragma once
#include <json-glib/json-glib.h>

#define BZ_GRID_COLUMNS 64

typedef struct {
    guint64 memory;     /* bytes of memory in it; 0: a hole */
    guint64 unreported; /* of that: never reported */
    guint64 zero;       /* of the rest: zero now */
} BzCell;

typedef struct {
    guint64 address; /* of the first cell */
    BzCell cells[BZ_GRID_COLUMNS];
} BzRow;

typedef struct {
    guint64 cell_size;
    GArray *rows;      /* BzRow, by address */
    GHashTable *reasons; /* why memory is never reported -> guint64 * bytes */
    guint64 memory, zero, unreported;
} BzGrid;

/*
 * From a BootzeroZeroedRanges of schema/bootzero.json. Cells are a power of two in size, so large that there are not
 * many more than 1024. NULL when it has no memory, or is not of that form.
 */
BzGrid *bz_grid_new(JsonObject *zeroed);
void bz_grid_free(BzGrid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzGrid, bz_grid_free)

/* What a cell looks like. */
typedef enum {
    BZ_LOOK_HOLE,
    BZ_LOOK_UNREPORTED, /* most of it */
    BZ_LOOK_ZERO,       /* all of it */
    BZ_LOOK_MOSTLY_ZERO,
    BZ_LOOK_MOSTLY_TOUCHED,
    BZ_LOOK_TOUCHED, /* all of it */
} BzLook;
#define BZ_N_LOOKS (BZ_LOOK_TOUCHED + 1)

BzLook bz_cell_look(const BzCell *cell);
