/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything is asked of libvirt as the caller, by its own functions: the XML with passwords, and a definition. So who may
 * start a domain and not define it gets no definition out of it. Such a start goes on where the stored choice still
 * works, and is refused with the command that mends it where it does not.
 *
 * Between the look at the definition and the new one somebody else could define the domain. The window is that of
 * `virsh edit`, some milliseconds, and is only there when there is something to refresh.
 */
#include "libvirt/start.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "core/choice.h"
#include "core/translate.h"
#include "core/validate.h"
#include "core/verify.h"
#include "libvirt/next.h"
#include "libvirt/report.h"
#include "libvirt/settings.h"

/* libvirt's message for what just failed, in this thread. */
static const char *libvirt_reason(void)
{
    virErrorPtr last = ASK(NULL, virGetLastError);

    return last != NULL && last->message != NULL ? last->message : "unknown error";
}

static int libvirt_code(void)
{
    virErrorPtr last = ASK(NULL, virGetLastError);

    return last != NULL ? last->code : VIR_ERR_OK;
}

static const char *name_of(virDomainPtr domain)
{
    const char *name = ASK(NULL, virDomainGetName, domain);

    return name != NULL ? name : "";
}

/* A plugin in a client must not judge another host by its own. */
static gboolean is_here(virDomainPtr domain)
{
    g_autofree char *uri = ASK(NULL, virConnectGetURI, bz_connection_of(domain));

    return uri != NULL && g_str_has_prefix(uri, "qemu:///");
}

/* --- before --- */

static BzChoice *choose(const BzDomain *domain, gpointer data, GError **error)
{
    return bz_choose(domain, data, BZ_PROVIDER_NONE, error);
}

/* Whether a guest with this stored form would run and have what it wants; the same question as the hook's. */
static gboolean still_holds(const char *xml, const BzConfiguration *configuration, GError **error)
{
    g_autoptr(BzDomain) facts = bz_domain_parse(xml, configuration, error);

    if (facts == NULL || !bz_validate(facts, NULL, error))
        return FALSE;
    return !bz_features_wants_ext_query_caps(&facts->features) || bz_choice_still_holds(facts, configuration, error);
}

/* The stored form with the provider chosen anew. NULL when that is what it has, and when nothing can be chosen. */
static char *choose_again(const char *xml, const BzConfiguration *configuration)
{
    char *stored = NULL;

    if (!bz_translate(xml, configuration, 0, choose, (gpointer)configuration, &stored, NULL, NULL))
        return NULL;
    if (stored != NULL && strcmp(stored, xml) == 0)
        g_clear_pointer(&stored, g_free);
    return stored;
}

/* Defines the domain with the provider chosen anew. FALSE, and libvirt's error is the thread's. */
static gboolean redefine(virDomainPtr domain, const BzConfiguration *configuration)
{
    g_autofree char *xml = ASK(NULL, virDomainGetXMLDesc, domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
    g_autofree char *stored = xml != NULL ? choose_again(xml, configuration) : NULL;
    virDomainPtr defined;

    if (xml == NULL)
        return FALSE;
    if (stored == NULL)
        return TRUE; /* another start was faster */
    defined = ASK(NULL, virDomainDefineXMLFlags, bz_connection_of(domain), stored, 0);
    if (defined == NULL)
        return FALSE;
    ASK(0, virDomainFree, defined);
    bz_report_warning("domain '%s' is started: its provider was chosen again, and it was defined with what this host has now",
                      name_of(domain));
    return TRUE;
}

static gboolean refuse(virDomainPtr domain, const GError *error)
{
    bz_report_error(bz_connection_of(domain), error);
    return FALSE;
}

/* xml: the stored form, without passwords. */
static gboolean refresh(virDomainPtr domain, const char *xml, const BzConfiguration *configuration)
{
    g_autofree char *stored = choose_again(xml, configuration);
    g_autofree char *failure = NULL;
    g_autoptr(GError) cause = NULL;
    gboolean holds;

    if (stored != NULL) {
        if (redefine(domain, configuration))
            return TRUE;
        /* On a read-only connection libvirt refuses the start itself. */
        if (libvirt_code() == VIR_ERR_OPERATION_DENIED)
            return TRUE;
        failure = g_strdup(libvirt_reason());
    }
    holds = still_holds(xml, configuration, &cause);
    if (failure != NULL && holds)
        bz_report_warning("domain '%s' is started as it was defined: what this host has now could not be put into its "
                          "definition: %s", name_of(domain), failure);
    else if (failure != NULL)
        g_prefix_error(&cause, "domain '%s' could not be refreshed (%s): ", name_of(domain), failure);
    return holds || refuse(domain, cause);
}

/* The image has an XML of its own, and the guest in it what it was saved with. */
static void tell_restored(virDomainPtr domain, const char *xml, const BzConfiguration *configuration)
{
    g_autofree char *stored = choose_again(xml, configuration);

    if (stored != NULL)
        bz_report_warning("domain '%s' goes on from its managed save image with what it was saved with; its provider is chosen "
                          "again when it is started without one", name_of(domain));
}

gboolean bz_start_prepare(virDomainPtr domain, unsigned int flags, BzStart *start)
{
    g_autofree char *xml = NULL;
    g_autoptr(BzSettings) settings = NULL;
    g_autoptr(GError) error = NULL;

    *start = BZ_START_PLAIN;
    if (ASK(0, virDomainIsActive, domain) != 0)
        return TRUE; /* libvirt says so */
    xml = ASK(NULL, virDomainGetXMLDesc, domain, VIR_DOMAIN_XML_INACTIVE);
    if (xml == NULL || !bz_restore_concerns(xml) || !is_here(domain))
        return TRUE;
    *start = BZ_START_BOOTS;
    if (!(flags & VIR_DOMAIN_START_FORCE_BOOT) && ASK(0, virDomainHasManagedSaveImage, domain, 0) == 1)
        *start = BZ_START_RESTORES;
    settings = bz_settings_get(&error);
    if (settings == NULL)
        return refuse(domain, error);
    if (*start == BZ_START_BOOTS)
        return refresh(domain, xml, settings->configuration);
    tell_restored(domain, xml, settings->configuration);
    return TRUE;
}

/* --- after --- */

static char *ask_qemu(const char *command, gpointer domain, GError **error)
{
    char *answer = NULL;

    if (ASK(-1, virDomainQemuMonitorCommand, domain, command, &answer, VIR_DOMAIN_QEMU_MONITOR_COMMAND_DEFAULT) < 0)
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_FAILED, libvirt_reason());
    return answer;
}

/* A guest that runs without what it was to have. */
static gboolean end(virDomainPtr domain, BzStart start, const BzDomain *facts, const char *reason, GError **error)
{
    const char *feature = facts->features.boot_zeroed_memory == BZ_STATE_ON ? BZ_ELEMENT_BOOT_ZEROED_MEMORY
                                                                            : BZ_ELEMENT_EXT_QUERY_CAPS;

    if (start == BZ_START_RESTORES || ASK(-1, virDomainDestroy, domain) < 0) {
        bz_report_warning("domain '%s' runs without '%s' hyperv feature, which it asks for: %s", name_of(domain), feature,
                          reason);
        return TRUE;
    }
    g_set_error(error, BZ_ERROR, BZ_ERROR_UNSUPPORTED,
                "'%s' hyperv feature is not available: the guest was started without it: %s", feature, reason);
    return FALSE;
}

gboolean bz_start_verify(virDomainPtr domain, BzStart start, const char *xml, GError **error)
{
    g_autofree char *live = start != BZ_START_PLAIN && xml == NULL ? ASK(NULL, virDomainGetXMLDesc, domain, 0) : NULL;
    const char *stored = live != NULL ? live : xml;
    gboolean is_ours = start != BZ_START_PLAIN && stored != NULL && bz_restore_concerns(stored);
    g_autoptr(BzSettings) settings = is_ours ? bz_settings_get(NULL) : NULL;
    g_autoptr(BzDomain) facts = settings != NULL ? bz_domain_parse(stored, settings->configuration, NULL) : NULL;
    g_autofree char *reason = NULL;

    if (facts == NULL || !facts->has_qemu_args || !bz_features_wants_ext_query_caps(&facts->features))
        return TRUE;
    switch (bz_verify_qemu(&facts->features, settings->configuration, ask_qemu, domain, &reason)) {
    case BZ_VERDICT_HAS:
        return TRUE;
    case BZ_VERDICT_OFF:
    case BZ_VERDICT_LACKS:
        return end(domain, start, facts, reason, error);
    case BZ_VERDICT_UNKNOWN:
        break;
    }
    bz_report_warning("whether domain '%s' has what it asks for was not verified: %s", name_of(domain), reason);
    return TRUE;
}
