/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/endpoint-socket.h"

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "qemu/log.h"

#define PATH_SIZE sizeof(((struct sockaddr_un *)NULL)->sun_path)

static struct {
    struct sockaddr_un address;
    pid_t owner; /* of the file, 0 while there is none */
    int listener;
} where = { .listener = -1 };

static bool find_path(const char *path, const char *uuid)
{
    char *to = where.address.sun_path;
    size_t length = strlen(path);
    int n;

    where.address.sun_family = AF_UNIX;
    if (length > 0 && path[length - 1] == '/') {
        if (uuid[0] == '\0') {
            bz_log("no QMP endpoint in %s: QEMU was started without -uuid", path);
            return false;
        }
        n = snprintf(to, PATH_SIZE, "%s%s.qmp", path, uuid);
    } else {
        n = snprintf(to, PATH_SIZE, "%s", path);
    }
    if ((size_t)n >= PATH_SIZE) {
        bz_log("no QMP endpoint in %s: the path is longer than %zu bytes", path, PATH_SIZE - 1);
        return false;
    }
    return true;
}

/*
 * In a user's session nobody else does; the system's folder is that of QEMU's group (tmpfiles.d/bootzero.conf). Where it
 * cannot be made errno stays: that it is not there is what an administrator needs to know.
 */
static bool make_folder(void)
{
    char folder[PATH_SIZE];
    int before = errno;

    snprintf(folder, sizeof folder, "%s", where.address.sun_path);
    if (geteuid() != 0 && (mkdir(dirname(folder), 0755) == 0 || errno == EEXIST))
        return true;
    errno = before;
    return false;
}

static bool bind_once(void)
{
    return bind(where.listener, (struct sockaddr *)&where.address, sizeof where.address) == 0;
}

static bool do_bind(void)
{
    return bind_once() || (errno == ENOENT && make_folder() && bind_once());
}

/* A socket file whose owner was killed: nobody answers there. */
static bool is_stale(void)
{
    struct stat status;
    int fd;

    if (lstat(where.address.sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool stale = connect(fd, (struct sockaddr *)&where.address, sizeof where.address) < 0 &&
                 errno == ECONNREFUSED;
    close(fd);
    return stale;
}

static bool listen_there(void)
{
    where.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (where.listener < 0)
        return false;
    /* bind() takes the mode from the socket, less the umask: never more than it is to have; then what is to be. */
    fchmod(where.listener, 0660);
    if (!do_bind()) {
        if (errno != EADDRINUSE)
            return false;
        if (!is_stale()) {
            errno = EADDRINUSE;
            return false;
        }
        if (unlink(where.address.sun_path) < 0 || !do_bind())
            return false;
    }
    where.owner = getpid();
    return chmod(where.address.sun_path, 0660) == 0 && listen(where.listener, 16) == 0;
}

/* Not after QEMU has changed its root or user, where it cannot; then the file stays, and the next start replaces it. */
static void remove_socket(void)
{
    if (where.owner && where.owner == getpid())
        unlink(where.address.sun_path);
    where.owner = 0;
}

__attribute__((destructor)) static void at_exit(void)
{
    remove_socket();
}

void bz_endpoint_unlisten(int error)
{
    bz_log("no QMP endpoint at %s: %s; the guest runs without it", where.address.sun_path,
           error == EADDRINUSE ? "something else is there" : strerror(error));
    remove_socket();
    if (where.listener >= 0)
        close(where.listener);
    where.listener = -1;
}

int bz_endpoint_listen(const char *path, const char *uuid)
{
    if (!find_path(path, uuid))
        return -1;
    if (!listen_there())
        bz_endpoint_unlisten(errno);
    return where.listener;
}
