/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a QMP client sent, taken apart: {"execute": NAME, "arguments": {...}, "id": ANY}, and nothing else. What is wrong with
 * it is refused in QEMU's words. Light: libc alone, since plugin/qemu links it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/json.h"

#define BZ_QMP_NAME_SIZE 256 /* bytes of a name, as errors show it */

struct bz_qmp_request {
    const struct bz_json *json; /* parsed; set before anything here is called */
    unsigned arguments;         /* the index of their value; 0 when there are none */
    const char *id;             /* its text in json, NULL without */
    size_t id_length;
    char name[BZ_QMP_NAME_SIZE];
};

/* Why not, in words; the class is GenericError until the caller sets another. */
struct bz_qmp_refusal {
    const char *class;
    char text[BZ_QMP_NAME_SIZE + 100];
};

/* False, so that it can be returned. */
bool bz_qmp_refuse(struct bz_qmp_refusal *refusal, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether the value of this index is of this kind. */
bool bz_qmp_request_is(const struct bz_qmp_request *request, unsigned index, enum bz_json_kind kind);

void bz_qmp_request_find_id(struct bz_qmp_request *request);

/* The name and the arguments. */
bool bz_qmp_request_read(struct bz_qmp_request *request, struct bz_qmp_refusal *refusal);

/* A command takes one argument at most: this one. *found is its value's index, 0 when it was not given. */
bool bz_qmp_request_argument(const struct bz_qmp_request *request, const char *allowed, unsigned *found,
                             struct bz_qmp_refusal *refusal);
