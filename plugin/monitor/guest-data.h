/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest's endpoint says, made fit to be believed: every member is checked, and nothing else is kept. */
#pragma once
#include <json-glib/json-glib.h>

#include "core/tracking-message.h"

/*
 * Each is FALSE when the data is not as schema/bootzero.json has it. The identity is the guest's own word; who asked
 * knows which guest it asked.
 */
gboolean bz_guest_data_identity(JsonObject *data, struct bz_identity *identity);
/* Of BootzeroTracking and of __bootzero_TRACKING_CHANGE; only states a guest with the preload provider can tell. */
gboolean bz_guest_data_tracking(JsonObject *data, struct bz_tracking *tracking);
/* Of BootzeroReport and of __bootzero_ZEROED_MEMORY_REPORTED. */
gboolean bz_guest_data_report(JsonObject *data, struct bz_report *report);
gboolean bz_guest_data_lost(JsonObject *data, guint64 *count);
