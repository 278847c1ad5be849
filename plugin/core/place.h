/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The elements put where libvirt would write them: into <features><hyperv>, which is made when it is missing. */
#pragma once
#include "core/edit.h"
#include "core/element.h"
#include "core/marker.h"
#include "core/outline.h"

/* domain has none of the wanted elements. written tells how a new <hyperv> looks. */
void bz_place_elements(BzEdits *edits, const BzOutline *outline, int domain, const BzFeatures *wanted,
                       BzWritten written);
