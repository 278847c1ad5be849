/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting an element where libvirt or the user would have put it: in line with what is around it.
 */
#pragma once
#include "core/edit.h"
#include "core/outline.h"

/* A newline and the white space the node's line begins with, or two spaces a level where it has none of its own. */
char *bz_layout_indent(const BzOutline *outline, int node);

/* The same for a (new) child of node: as its last child has it, or two spaces deeper than node. */
char *bz_layout_child_indent(const BzOutline *outline, int node);

/*
 * Inserts element, an XML text without white space around it, as a child of parent: after the child `after`, or as
 * the first element for BZ_NODE_NONE. An empty parent is opened up.
 */
void bz_layout_insert_child(BzEdits *edits, const BzOutline *outline, int parent, int after, const char *element);
