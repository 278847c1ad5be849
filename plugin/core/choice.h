/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The choice of provider for one domain on this host.
 *
 *   auto     qemu when the emulator has the boot-zeroed-mem property; else preload
 *   qemu     the emulator itself tracks memory and answers; needs the CPU property of what the domain turns on
 *   preload  a stock emulator with bootzero-qemu.so answers
 *
 * Either needs a KVM with Hyper-V emulation that forwards extended hypercalls (kernel 6.3): without, QEMU accepts the
 * properties and does nothing, so QEMU's word is not enough. Preload also needs the Hyper-V CPUID leaves, which QEMU
 * only sets up for a guest that has another enlightenment. The qemu provider does not see what vhost-user and virtiofs
 * daemons write, so it is not for guests whose memory is shared.
 *
 * Every refusal reads "'boot_zeroed_memory' hyperv feature is not available: REASON: REMEDY" ('ext_query_caps' when the
 * domain turns on that alone).
 */
#pragma once
#include "core/configuration.h"
#include "core/domain.h"

typedef struct {
    BzProvider provider;            /* QEMU or PRELOAD */
    char *cpu_type;                 /* qemu: the QOM type the properties are set on, "x86_64-cpu" */
    char *ext_query_caps_property;  /* qemu; NULL when the emulator has none: hv-boot-zeroed-mem then implies it */
    char *boot_zeroed_mem_property; /* qemu; NULL when the emulator has none and the domain does not need it */
    char *library;                  /* preload: absolute path */
} BzChoice;

void bz_choice_free(BzChoice *choice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BzChoice, bz_choice_free)

/*
 * Chooses for the domain. wish overrides the configuration's provider unless it is BZ_PROVIDER_NONE.
 * NULL with BZ_ERROR_UNSUPPORTED and the reason when no provider can serve this domain here.
 */
BzChoice *bz_choose(const BzDomain *domain, const BzConfiguration *configuration, BzProvider wish, GError **error);

/*
 * For another host, which the caller knows to have provider QEMU or PRELOAD: what the configuration names, without a
 * look at this host. NULL with BZ_ERROR_UNSUPPORTED when the domain itself rules it out.
 */
BzChoice *bz_choose_for_another_host(const BzDomain *domain, const BzConfiguration *configuration, BzProvider provider,
                                     GError **error);

/*
 * The choice that made the arguments of former, the stored form of a guest that runs or is saved: its provider and its
 * library, whether this host has them or not. former must have arguments. Errors as bz_choose_for_another_host().
 */
BzChoice *bz_choice_of(const BzDomain *former, const BzConfiguration *configuration, GError **error);

/*
 * At start: whether what the stored form of the domain asks for, by the arguments that are there, works on this host
 * now. It makes no choice of its own, so a change of the configuration does not stop a guest that would run.
 * FALSE with BZ_ERROR_UNSUPPORTED; where a new choice would work, the text names the command that makes it. Only for domains whose features want something (bz_features_wants_ext_query_caps).
 */
gboolean bz_choice_still_holds(const BzDomain *domain, const BzConfiguration *configuration, GError **error);

/*
 * The same for a guest that goes on here, after a migration or from a saved image: what it was told may not change, so
 * it is also refused when it was started without arguments (bz_choice_may_continue).
 */
gboolean bz_choice_continues(const BzDomain *domain, const BzConfiguration *configuration, GError **error);

/*
 * FALSE with BZ_ERROR_UNSUPPORTED when former, the stored form of a guest that runs or is saved, has no arguments: it
 * was started without what its features want.
 */
gboolean bz_choice_may_continue(const BzDomain *former, GError **error);
