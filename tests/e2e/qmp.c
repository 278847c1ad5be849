/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp SOCKET COMMAND...: gives each command, which is a JSON object, to the QMP server and prints its answer, a line each.
 * For jobs in L1, which has no Python. Exit code 0 when all were obeyed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static FILE *connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) != 0)
        return NULL;
    return fdopen(fd, "r");
}

/* The answer to command, without events that come before it. */
static bool obeys(FILE *server, const char *command, bool show)
{
    static char *line;
    static size_t size;

    dprintf(fileno(server), "%s\n", command);
    while (getline(&line, &size, server) > 0) {
        if (strncmp(line, "{\"return\"", 9) != 0 && strncmp(line, "{\"error\"", 8) != 0)
            continue;
        if (show)
            fputs(line, stdout);
        return line[2] == 'r';
    }
    printf("the server has gone\n");
    return false;
}

int main(int argc, char **argv)
{
    bool good;

    if (argc < 3) {
        fprintf(stderr, "usage: qmp SOCKET COMMAND...\n");
        return 2;
    }
    alarm(60);
    FILE *server = connect_to(argv[1]);
    if (server == NULL) {
        perror(argv[1]);
        return 1;
    }
    good = obeys(server, "{\"execute\": \"qmp_capabilities\"}", false);
    for (int i = 2; good && i < argc; i++)
        good = obeys(server, argv[i], true);
    return good ? 0 : 1;
}
