/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long memory that was populated in advance is tracked, in seconds from the first time the guest runs: the key
 * track-seconds, of bootzero.conf and of the provider's variable BOOTZERO. The default is not written into domains.
 */
#pragma once

#define BZ_TRACK_SECONDS 300
#define BZ_TRACK_SECONDS_MAX 86400
