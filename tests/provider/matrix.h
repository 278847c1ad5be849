/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The soundness matrix: kinds of guest memory, who writes it, and what happens to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATRIX_PAGE 4096u
#define MATRIX_HUGE (2u << 20)
#define MATRIX_SIZE (8u << 20)
/* All writes are in the first half, so that memory in large pages has some left that is untouched. */
#define MATRIX_WRITTEN (4u << 20)

struct memory {
    uint8_t *host; /* MATRIX_SIZE bytes */
    int fd;        /* the file behind, -1 without */
    uint64_t offset;
    bool shared;
    bool huge;      /* pages of a file of huge pages */
    bool large;     /* pages that the kernel makes large by itself */
    unsigned slots; /* how many it is given to the guest in; 0 is one */
};

struct backend {
    const char *name;
    size_t unit;     /* written in part is written: the page size */
    enum { PRECISE, SOME, NOTHING } promise; /* 99 % of what is untouched, what can be told, no range at all */
    size_t read_fills; /* reading a byte fills so much around it, if it was a hole */
    bool populated;    /* in advance */
    /* False when such memory is not to be had here. Called between vmm_create() and vmm_start(). */
    bool (*make)(struct memory *memory);
    bool rare; /* of what is rare in a cell there is one at most, unless asked for */
};

struct writer {
    const char *name;
    /* Writes something other than zero to the pages of memory whose index is first modulo 31. False when it cannot. */
    bool (*write)(const struct memory *memory, unsigned first);
    bool pins_early; /* before memory is populated */
    bool rare;
};

struct event {
    const char *name;
    bool ends_tracking; /* of memory that was populated in advance: nobody knows any more what of it was written */
    bool ends_all;      /* nothing may be reported from then on */
    bool last;          /* after all writes */
    bool discards;      /* what is then written again */
    bool rare;
    bool (*happen)(const struct memory *memory);
};

extern const struct backend matrix_backends[];
extern const size_t matrix_n_backends;
extern const struct writer matrix_writers[];
extern const size_t matrix_n_writers;
extern const struct event matrix_events[];
extern const size_t matrix_n_events;

/*
 * The host has given these bytes of memory pages of their own, whether anyone writes them or not, so they are untouched no
 * more; or, with by_host false, has taken them back.
 */
void matrix_fill(size_t start, size_t size, bool by_host);

/* The number in a file; -1 without. */
long matrix_number_in(const char *path);

/* Pins the first half of memory, as a device that is passed through does, and writes through the pin. */
bool matrix_pin(const struct memory *memory);
bool matrix_write_through_pin(unsigned first);

/* When set, backends that populate in advance pin before they do. */
extern bool matrix_pin_early;
