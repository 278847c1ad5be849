/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/capabilities.h"

#include <libxml/parser.h>
#include <string.h>

#include "core/choice.h"
#include "core/validate.h"
#include "libvirt/report.h"
#include "libvirt/settings.h"

/* The text of an element that is a child of the root; NULL when there is none. */
static char *child_text(xmlNode *root, const char *name)
{
    for (xmlNode *node = root->children; node != NULL; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0) {
            xmlChar *content = xmlNodeGetContent(node);
            char *text = g_strdup((const char *)content);

            xmlFree(content);
            return text;
        }
    }
    return NULL;
}

/* A domain as general as can be, of the kind the capabilities speak of: what holds for it holds for others. */
static BzDomain *typical_domain(const char *xml)
{
    xmlDoc *doc = xmlReadDoc((const xmlChar *)xml, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    BzDomain *domain = NULL;

    if (root != NULL) {
        domain = g_new0(BzDomain, 1);
        domain->features.boot_zeroed_memory = BZ_STATE_ON;
        domain->has_elements = TRUE;
        domain->hyperv_mode = BZ_HYPERV_CUSTOM;
        domain->enlightenments_on = 1; /* so the preload provider wants it; the user is free to add one */
        domain->emulator = child_text(root, "path");
        domain->type = child_text(root, "domain");
        domain->arch = child_text(root, "arch");
    }
    xmlFreeDoc(doc);
    return domain;
}

static gboolean could_start(const char *xml)
{
    g_autoptr(BzDomain) domain = typical_domain(xml);
    g_autoptr(BzSettings) settings = NULL;
    g_autoptr(BzChoice) choice = NULL;
    g_autoptr(GError) error = NULL;

    if (domain == NULL || !bz_validate(domain, NULL, NULL))
        return FALSE;
    settings = bz_settings_get(&error);
    if (settings == NULL) {
        bz_report_warning("boot_zeroed_memory is not in the domain capabilities: %s", error->message);
        return FALSE;
    }
    choice = bz_choose(domain, settings->configuration, BZ_PROVIDER_NONE, NULL);
    return choice != NULL;
}

/*
 * The end of libvirt's list of hyperv features, at the start of the line with </enum>; NULL when there is no list:
 * then this libvirt or this emulator has no Hyper-V features at all.
 */
static const char *end_of_features(const char *xml)
{
    const char *hyperv = strstr(xml, "<hyperv supported='yes'>");
    const char *hyperv_end = hyperv != NULL ? strstr(hyperv, "</hyperv>") : NULL;
    const char *list = hyperv != NULL ? strstr(hyperv, "<enum name='features'>\n") : NULL;
    const char *end = list != NULL ? strstr(list, "</enum>") : NULL;

    if (end == NULL || end > hyperv_end)
        return NULL;
    while (end[-1] == ' ')
        end--;
    return end;
}

char *bz_capabilities_advertise(char *xml)
{
    const char *end = xml != NULL ? end_of_features(xml) : NULL;
    g_autofree char *indent = NULL;
    char *advertised;

    if (end == NULL || !could_start(xml))
        return xml;
    indent = g_strnfill(strspn(end, " ") + 2, ' ');
    advertised = g_strdup_printf("%.*s%s<value>" BZ_ELEMENT_BOOT_ZEROED_MEMORY "</value>\n"
                                 "%s<value>" BZ_ELEMENT_EXT_QUERY_CAPS "</value>\n%s",
                                 (int)(end - xml), xml, indent, indent, end);
    g_free(xml);
    return advertised;
}
