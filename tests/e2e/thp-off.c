/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * thp-off COMMAND...: runs COMMAND without transparent huge pages, whatever the host's setting, which belongs to the
 * host's owner. Children inherit it. Source: prctl(2), PR_SET_THP_DISABLE.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: thp-off COMMAND...\n");
        return 2;
    }
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) {
        perror("thp-off: PR_SET_THP_DISABLE");
        return 1;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
