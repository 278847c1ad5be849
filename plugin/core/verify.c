/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/verify.h"

#include <string.h>

#include "core/error.h"
#include "core/json-stream.h"
#include "core/kvm-probe.h"
#include "core/members.h"

#define KVM_DEVICE "/dev/kvm"

/* On every machine type: the board makes its processors before anything else that has no place of its own. */
#define FIRST_VCPU "/machine/unattached/device[0]"

#define ANSWER_SIZE_MAX 65536
#define ANSWER_DEPTH_MAX 16

static JsonObject *parse(const char *answer, GError **error)
{
    g_autoptr(BzJsonStream) stream = bz_json_stream_new(ANSWER_SIZE_MAX, ANSWER_DEPTH_MAX);
    JsonObject *object = NULL;

    bz_json_stream_append(stream, answer, strlen(answer));
    if (bz_json_stream_next(stream, &object, error) && !object)
        g_set_error_literal(error, BZ_ERROR, BZ_ERROR_FAILED, "its answer is cut off");
    return object;
}

/* Of the CPU in general: a property it does not have is no other error for QEMU than any. */
static gboolean is_no_such_property(JsonObject *answer)
{
    JsonObject *failure = bz_member_object(answer, "error");
    const char *text = failure ? bz_member_text(failure, "desc") : NULL;

    return text && g_str_has_prefix(text, "Property '") && g_str_has_suffix(text, "' not found");
}

static BzVerdict verify_property(const char *property, BzMonitorAsk ask, gpointer data, char **reason)
{
    g_autofree char *command = g_strdup_printf("{\"execute\": \"qom-get\", \"arguments\": {\"path\": \"" FIRST_VCPU "\", "
                                               "\"property\": \"%s\"}}",
                                               property);
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = ask(command, data, &error);
    g_autoptr(JsonObject) object = answer ? parse(answer, &error) : NULL;
    gboolean value = FALSE;

    if (!object) {
        *reason = g_strdup_printf("QEMU does not tell of its CPU property '%s': %s", property, error->message);
        return BZ_VERDICT_UNKNOWN;
    }
    if (bz_member_boolean(object, "return", &value)) {
        if (value)
            return BZ_VERDICT_HAS;
        *reason = g_strdup_printf("QEMU has the CPU property '%s', but it is off: remove from <qemu:commandline> what turns "
                                  "it off", property);
        return BZ_VERDICT_OFF;
    }
    if (is_no_such_property(object)) {
        *reason = g_strdup_printf("QEMU has no CPU property '%s': use provider 'preload' or a QEMU that has it", property);
        return BZ_VERDICT_LACKS;
    }
    *reason = g_strdup_printf("QEMU does not tell of its CPU property '%s'", property);
    return BZ_VERDICT_UNKNOWN;
}

static BzVerdict verify_kvm(char **reason)
{
    g_autoptr(BzKvmProbe) kvm = bz_kvm_probe(KVM_DEVICE);

    if (kvm->extended_hypercalls)
        return BZ_VERDICT_HAS;
    *reason = g_strdup(kvm->reason);
    return kvm->available ? BZ_VERDICT_OFF : BZ_VERDICT_UNKNOWN;
}

BzVerdict bz_verify_qemu(const BzFeatures *features, const BzConfiguration *configuration, BzMonitorAsk ask, gpointer data,
                         char **reason)
{
    gboolean wants_memory = features->boot_zeroed_memory == BZ_STATE_ON;
    BzVerdict verdict = BZ_VERDICT_HAS;

    *reason = NULL;
    if (wants_memory)
        verdict = verify_property(configuration->boot_zeroed_mem_property, ask, data, reason);
    if (verdict == BZ_VERDICT_HAS) {
        verdict = verify_property(configuration->ext_query_caps_property, ask, data, reason);
        /* QEMU's first proposal has only the other, which implies this. */
        if (wants_memory && verdict == BZ_VERDICT_LACKS) {
            g_clear_pointer(reason, g_free);
            verdict = BZ_VERDICT_HAS;
        }
    }
    return verdict == BZ_VERDICT_HAS ? verify_kvm(reason) : verdict;
}
