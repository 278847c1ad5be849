/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/args.h"

#include <string.h>

#include "core/layout.h"

#define VARIABLE "BOOTZERO"

static const char *const cpu_types[] = {"x86_64-cpu", "i386-cpu"};

/* Everything of ours below one domain. */
typedef struct {
    GPtrArray *globals; /* values of our -global, in order */
    GArray *nodes;      /* int: elements that are ours as a whole */
    char *variable;     /* value of BOOTZERO */
    char *library;      /* ours in LD_PRELOAD */
    int preload;        /* the LD_PRELOAD that also holds, or only holds, something of the user's */
    char *rest;         /* that something, as written */
} Ours;

static void ours_clear(Ours *ours)
{
    g_ptr_array_unref(ours->globals);
    g_array_unref(ours->nodes);
    g_free(ours->variable);
    g_free(ours->library);
    g_free(ours->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ours, ours_clear)

static gboolean is_our_global(const char *value, const BzConfiguration *configuration)
{
    const char *properties[] = {configuration->ext_query_caps_property, configuration->boot_zeroed_mem_property};

    for (guint t = 0; t < G_N_ELEMENTS(cpu_types); t++) {
        for (guint p = 0; p < G_N_ELEMENTS(properties); p++) {
            g_autofree char *name = g_strdup_printf("%s.%s=", cpu_types[t], properties[p]);

            if (g_str_has_prefix(value, name))
                return TRUE;
        }
    }
    return FALSE;
}

/* Splits our library off an LD_PRELOAD value, which ld.so separates by colons and spaces. */
static void split_preload(const char *value, char **library, char **rest)
{
    const char *at = value;

    *library = *rest = NULL;
    while (*at) {
        gsize length = strcspn(at, ": ");
        g_autofree char *item = g_strndup(at, length);

        if (g_str_has_suffix(item, "/" BZ_PROVIDER_LIBRARY_NAME)) {
            const char *after = at + length;
            g_autofree char *before = g_strndup(value, at - value);

            *library = g_steal_pointer(&item);
            if (*after)
                after++; /* the separator that prepending put there */
            *rest = g_strconcat(before, after, NULL);
            return;
        }
        at += length + (at[length] != '\0');
    }
    *rest = g_strdup(value);
}

static void find_in_env(const BzOutline *outline, int node, Ours *ours)
{
    const char *name = bz_outline_attribute(outline, node, "name");
    const char *value = bz_outline_attribute(outline, node, "value");

    if (g_strcmp0(name, VARIABLE) == 0) {
        g_free(ours->variable);
        ours->variable = g_strdup(value ? value : "");
        g_array_append_val(ours->nodes, node);
    } else if (g_strcmp0(name, "LD_PRELOAD") == 0 && value && ours->preload == BZ_NODE_NONE) {
        g_autofree char *library = NULL, *rest = NULL;

        split_preload(value, &library, &rest);
        if (library && !*rest) {
            g_array_append_val(ours->nodes, node);
        } else {
            ours->preload = node;
            ours->rest = g_steal_pointer(&rest);
        }
        if (library) {
            g_free(ours->library);
            ours->library = g_steal_pointer(&library);
        }
    }
}

static void find_in_commandline(const BzOutline *outline, int commandline, const BzConfiguration *configuration,
                                Ours *ours)
{
    int before = BZ_NODE_NONE; /* a -global whose value comes next */
    int node = BZ_NODE_NONE;

    while ((node = bz_outline_child(outline, commandline, node, BZ_NS_QEMU, NULL)) != BZ_NODE_NONE) {
        const char *value = bz_outline_attribute(outline, node, "value");

        if (bz_outline_is(outline, node, BZ_NS_QEMU, "env")) {
            find_in_env(outline, node, ours);
        } else if (bz_outline_is(outline, node, BZ_NS_QEMU, "arg") && value) {
            if (before != BZ_NODE_NONE && is_our_global(value, configuration)) {
                g_array_append_val(ours->nodes, before);
                g_array_append_val(ours->nodes, node);
                g_ptr_array_add(ours->globals, g_strdup(value));
                before = BZ_NODE_NONE;
            } else {
                before = strcmp(value, "-global") == 0 ? node : BZ_NODE_NONE;
            }
        }
    }
}

static void find_ours(const BzOutline *outline, int domain, const BzConfiguration *configuration, Ours *ours)
{
    int commandline = BZ_NODE_NONE;

    ours->globals = g_ptr_array_new_with_free_func(g_free);
    ours->nodes = g_array_new(FALSE, FALSE, sizeof(int));
    ours->preload = BZ_NODE_NONE;
    while ((commandline = bz_outline_child(outline, domain, commandline, BZ_NS_QEMU, "commandline")) != BZ_NODE_NONE)
        find_in_commandline(outline, commandline, configuration, ours);
}

void bz_args_find(const BzOutline *outline, int domain, const BzConfiguration *configuration, BzArgsFound *found)
{
    g_auto(Ours) ours = {0};

    find_ours(outline, domain, configuration, &ours);
    found->has_globals = ours.globals->len > 0;
    found->has_env = ours.variable != NULL;
    found->library = g_steal_pointer(&ours.library);
}

void bz_args_found_clear(BzArgsFound *found)
{
    g_clear_pointer(&found->library, g_free);
}

/* --- what should be there --- */

static GPtrArray *wanted_globals(const BzFeatures *features, const BzChoice *choice)
{
    GPtrArray *globals = g_ptr_array_new_with_free_func(g_free);

    if (!choice || choice->provider != BZ_PROVIDER_QEMU)
        return globals;
    if (choice->ext_query_caps_property) /* the first proposal for QEMU has one property, which implies the other */
        g_ptr_array_add(globals, g_strdup_printf("%s.%s=on", choice->cpu_type, choice->ext_query_caps_property));
    if (features->boot_zeroed_memory == BZ_STATE_ON)
        g_ptr_array_add(globals, g_strdup_printf("%s.%s=on", choice->cpu_type, choice->boot_zeroed_mem_property));
    return globals;
}

/*
 * The folder of the endpoint's socket, not its path: the provider finds the UUID on QEMU's command line. So a
 * definition without one can have an endpoint, and a copy of a definition has its own. The time is only there when it is
 * not the provider's own default.
 */
static char *wanted_variable(const BzFeatures *features, const BzChoice *choice, const BzConfiguration *configuration)
{
    const char *directory = configuration->runtime_directory;

    if (!choice || choice->provider != BZ_PROVIDER_PRELOAD)
        return NULL;
    GString *words = g_string_new("ext-query-caps=on");
    if (features->boot_zeroed_memory == BZ_STATE_ON)
        g_string_append(words, ",boot-zeroed-mem=on");
    if (directory)
        g_string_append_printf(words, ",qmp=%s/", directory);
    if (features->boot_zeroed_memory == BZ_STATE_ON && configuration->track_seconds != BZ_TRACK_SECONDS)
        g_string_append_printf(words, ",track-seconds=%u", configuration->track_seconds);
    return g_string_free(words, FALSE);
}

static gboolean same_strings(const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++)
        if (strcmp(a->pdata[i], b->pdata[i]) != 0)
            return FALSE;
    return TRUE;
}

static char *format_args(const GPtrArray *globals, const char *prefix, const char *indent)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < globals->len; i++) {
        g_autofree char *value = g_markup_escape_text(globals->pdata[i], -1);

        g_string_append_printf(text, "%s<%sarg value='-global'/>%s<%sarg value='%s'/>", i ? indent : "", prefix,
                               indent, prefix, value);
    }
    return g_string_free(text, FALSE);
}

static char *format_env(const char *library, const char *variable, const char *prefix, const char *indent)
{
    GString *text = g_string_new(NULL);

    if (library) {
        g_autofree char *escaped = g_markup_escape_text(library, -1);

        g_string_append_printf(text, "<%senv name='LD_PRELOAD' value='%s'/>%s", prefix, escaped, indent);
    }
    g_string_append_printf(text, "<%senv name='" VARIABLE "' value='%s'/>", prefix, variable);
    return g_string_free(text, FALSE);
}

/* "qemu:" for <qemu:commandline>, "" where the namespace is the default one. */
static char *prefix_of(const BzOutline *outline, int node)
{
    const char *name = bz_outline_source(outline) + bz_outline_node(outline, node)->start + 1;
    gsize length = strcspn(name, ": \t\r\n/>");

    return name[length] == ':' ? g_strndup(name, length + 1) : g_strdup("");
}

static gboolean is_ours(const Ours *ours, int node)
{
    for (guint i = 0; i < ours->nodes->len; i++)
        if (g_array_index(ours->nodes, int, i) == node)
            return TRUE;
    return FALSE;
}

/* Nothing would be left in it: every element is ours, and there is no comment between them. */
static gboolean is_all_ours(const BzOutline *outline, int commandline, const Ours *ours)
{
    const char *text = bz_outline_source(outline);
    gsize at = bz_outline_node(outline, commandline)->open_end;
    int child = BZ_NODE_NONE;

    while ((child = bz_outline_any_child(outline, commandline, child)) != BZ_NODE_NONE) {
        if (!is_ours(ours, child) || !bz_is_blank(text, at, bz_outline_node(outline, child)->start))
            return FALSE;
        at = bz_outline_node(outline, child)->end;
    }
    return bz_is_blank(text, at, bz_outline_node(outline, commandline)->close_start);
}

/*
 * libvirt declares the namespace at <domain> as long as the domain has a command line of its own; take it away with
 * the last thing that used it. A declaration the user made is left: then ours was on the removed element itself.
 */
static void remove_declaration(BzEdits *edits, const BzOutline *outline, int domain, int commandline)
{
    const char *text = bz_outline_source(outline);
    const BzNode *removed = bz_outline_node(outline, commandline);
    const BzNode *around = bz_outline_node(outline, domain);
    gsize start, end;

    if (bz_outline_attribute_span(outline, commandline, "xmlns:qemu", &start, &end) ||
        !bz_outline_attribute_span(outline, domain, "xmlns:qemu", &start, &end) ||
        strncmp(text + start, BZ_NS_QEMU, end - start) != 0)
        return;
    for (const char *use = strstr(text + around->start, "qemu:"); use && (gsize)(use - text) < around->end;
         use = strstr(use + 1, "qemu:"))
        if ((gsize)(use - text) < removed->start || (gsize)(use - text) >= removed->end)
            return;
    while (text[start] != 'x')
        start--;
    bz_edits_remove_with_indent(edits, start, end + 1);
}

static void remove_ours(BzEdits *edits, const BzOutline *outline, int domain, const Ours *ours, int refilled,
                        gboolean keep_empty)
{
    int commandline = BZ_NODE_NONE;

    while ((commandline = bz_outline_child(outline, domain, commandline, BZ_NS_QEMU, "commandline")) !=
           BZ_NODE_NONE) {
        const BzNode *node = bz_outline_node(outline, commandline);
        int child = bz_outline_any_child(outline, commandline, BZ_NODE_NONE);

        if (child == BZ_NODE_NONE)
            continue; /* empty, but the user's */
        if (commandline != refilled && is_all_ours(outline, commandline, ours)) {
            if (keep_empty) {
                bz_edits_replace(edits, node->open_end - 1, node->end, "/>");
            } else {
                bz_edits_remove_with_indent(edits, node->start, node->end);
                remove_declaration(edits, outline, domain, commandline);
            }
            continue;
        }
        for (; child != BZ_NODE_NONE; child = bz_outline_any_child(outline, commandline, child))
            if (is_ours(ours, child))
                bz_edits_remove_with_indent(edits, bz_outline_node(outline, child)->start,
                                            bz_outline_node(outline, child)->end);
    }
}

/* Puts our library in front of the user's own LD_PRELOAD, or takes it away from there. */
static void edit_preload(BzEdits *edits, const BzOutline *outline, const Ours *ours, const char *library)
{
    gsize start, end;
    g_autofree char *escaped = library ? g_markup_escape_text(library, -1) : NULL;
    g_autofree char *rest = g_markup_escape_text(ours->rest, -1);
    g_autofree char *value = library ? g_strdup_printf("%s:%s", escaped, rest) : g_strdup(rest);

    if (bz_outline_attribute_span(outline, ours->preload, "value", &start, &end))
        bz_edits_replace(edits, start, end, value);
}

static void insert_wanted(BzEdits *edits, const BzOutline *outline, int domain, int commandline,
                          const GPtrArray *globals, const char *library, const char *variable)
{
    g_autofree char *indent = NULL, *prefix = NULL, *inner = NULL, *text = NULL;
    int after = BZ_NODE_NONE;

    if (commandline == BZ_NODE_NONE) {
        g_autofree char *outer = bz_layout_child_indent(outline, domain);

        indent = g_strconcat(outer, *outer ? "  " : "", NULL);
        inner = variable ? format_env(library, variable, "qemu:", indent) : format_args(globals, "qemu:", indent);
        text = g_strdup_printf("<qemu:commandline xmlns:qemu='" BZ_NS_QEMU "'>%s%s%s</qemu:commandline>", indent,
                               inner, outer);
        bz_layout_insert_child(edits, outline, domain, bz_outline_last_child(outline, domain), text);
        return;
    }
    indent = bz_layout_child_indent(outline, commandline);
    prefix = prefix_of(outline, commandline);
    inner = variable ? format_env(library, variable, prefix, indent) : format_args(globals, prefix, indent);
    /* the schema wants every arg before the first env */
    for (int child = BZ_NODE_NONE;
         (child = bz_outline_child(outline, commandline, child, BZ_NS_QEMU, variable ? NULL : "arg")) != BZ_NODE_NONE;)
        after = child;
    bz_layout_insert_child(edits, outline, commandline, after, inner);
}

void bz_args_edit(BzEdits *edits, const BzOutline *outline, int domain, const BzConfiguration *configuration,
                  const BzFeatures *features, const BzChoice *choice, gboolean keep_empty, gboolean *was_empty)
{
    g_auto(Ours) ours = {0};
    g_autoptr(GPtrArray) globals = wanted_globals(features, choice);
    g_autofree char *variable = wanted_variable(features, choice, configuration);
    const char *library = variable ? choice->library : NULL;
    int commandline = bz_outline_child(outline, domain, BZ_NODE_NONE, BZ_NS_QEMU, "commandline");
    gboolean wanted = variable || globals->len > 0;

    if (was_empty)
        *was_empty = commandline != BZ_NODE_NONE &&
                     bz_outline_any_child(outline, commandline, BZ_NODE_NONE) == BZ_NODE_NONE;
    find_ours(outline, domain, configuration, &ours);
    if (same_strings(globals, ours.globals) && g_strcmp0(variable, ours.variable) == 0 &&
        g_strcmp0(library, ours.library) == 0)
        return;

    remove_ours(edits, outline, domain, &ours, wanted ? commandline : BZ_NODE_NONE, keep_empty);
    if (ours.preload != BZ_NODE_NONE) {
        edit_preload(edits, outline, &ours, library);
        library = NULL;
    }
    if (wanted)
        insert_wanted(edits, outline, domain, commandline, globals, library, variable);
}
