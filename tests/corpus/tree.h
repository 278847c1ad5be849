/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML as a tree, changed without any of the code under test. */
#pragma once
#include <glib.h>
#include <libxml/tree.h>

/* All *.xml below folder, sorted. Strings are owned by the array. */
GPtrArray *corpus_files(const char *folder);

/* NULL when it is not well-formed. Blank text is left out; nothing is loaded from elsewhere. */
xmlDoc *corpus_parse(const char *text);

gboolean corpus_is_domain(const xmlDoc *doc);

/*
 * Makes it a domain that may have boot_zeroed_memory: KVM, x86_64, no launchSecurity, no file behind its memory,
 * <hyperv> with a list, and an enlightenment. TRUE when there was something to change but for the enlightenment.
 */
gboolean corpus_allow(xmlDoc *doc);

/* <boot_zeroed_memory state='STATE'/> as the last of <features><hyperv>, which are made when they are missing. */
void corpus_insert(xmlDoc *doc, const char *state);

/* Takes it out again, with an empty <hyperv mode='custom'>, <features>, <metadata> it leaves. */
void corpus_remove(xmlDoc *doc);

/* As text. Free with g_free(). */
char *corpus_format(xmlDoc *doc);

/* What it means: canonical XML, with the children of <features> in a fixed order, which has no meaning. Free with
 * g_free(). */
char *corpus_canonical(const char *text);

/* How many nodes an XPath expression finds; prefix b is bootzero's, q is QEMU's. */
int corpus_count(const char *text, const char *expression);
