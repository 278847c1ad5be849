/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of core/domain.h that works on an outline, for those that go on to edit it.
 */
#pragma once
#include "core/domain.h"
#include "core/marker.h"
#include "core/outline.h"

/* What the next step needs besides the facts. */
typedef struct {
    int marker; /* node, or BZ_NODE_NONE */
    BzWritten written;
} BzDomainNodes;

/*
 * The next domain of a document after the node `after` (BZ_NODE_NONE: the first), BZ_NODE_NONE at the end. A document
 * is a <domain>, or the <domainsnapshot> or <domaincheckpoint> with the <domain> and <inactiveDomain> it was made of.
 */
int bz_domain_next(const BzOutline *outline, int after);

/*
 * As bz_domain_parse(), for the <domain> element at index `domain` of an outline. Elements that are neither in
 * <hyperv> nor in <metadata> are refused.
 */
BzDomain *bz_domain_read(const BzOutline *outline, int domain, const BzConfiguration *configuration,
                         BzDomainNodes *nodes, GError **error);
