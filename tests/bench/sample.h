/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measurements of one thing, of which one counts. */
#pragma once

#include <stdlib.h>

static inline int bz_ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

/* The smallest is rank 0. Sorts values. */
static inline double bz_sample(double *values, size_t count, size_t rank)
{
    qsort(values, count, sizeof *values, bz_ascending);
    return values[rank];
}
