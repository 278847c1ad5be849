/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a service and systemd tell each other (sd_notify(3), sd_listen_fds(3)), without its library. */
#pragma once
#include <glib.h>

/* Sends state, such as "READY=1"; does nothing where no service manager waits for it. */
void bz_notify(const char *state);

/* The socket that was bound for us; -1 when there is none. */
int bz_notify_listen_fd(void);
