/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a guest's endpoint is: the socket file, made so that nobody else's is taken away and nobody who may not use it can,
 * and removed when QEMU ends.
 */
#pragma once

/*
 * Listens at path; one that ends in '/' is a folder, in which the socket is called UUID.qmp. A socket that nobody serves is
 * replaced. uuid is "" where QEMU was started without. Returns the listener, which does not block and stays the module's, or
 * -1 after a line in the log that says why not.
 */
int bz_endpoint_listen(const char *path, const char *uuid);

/* There will be no endpoint after all, because of this errno: a line in the log, and neither listener nor file remain. */
void bz_endpoint_unlisten(int error);
