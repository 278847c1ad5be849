/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-bootzero: what its commands, one file each, share. A command is a line in the table of main.c.
 */
#pragma once
#include <glib.h>

/* Exit statuses. */
enum {
    BZ_EXIT_OK = 0,
    BZ_EXIT_REFUSED = 1, /* refused or failed: one line on stderr */
    BZ_EXIT_USAGE = 2,
};

typedef struct {
    const char *uri; /* -c; NULL for libvirt's default */
} BzCli;

/* argv[0] is the command's name. Gives an exit status; main() flushes stdout. */
typedef int (*BzCommandFunction)(const BzCli *cli, int argc, char **argv);

/*
 * Takes the options out of argv; entries as for GOption, or NULL. What is left behind argv[0] are the operands, of which
 * there may be at most operand_limit (-1: any number). parameters and description are for --help, which does not return.
 * FALSE after a wrong option or too many operands, told on stderr: exit with BZ_EXIT_USAGE.
 */
gboolean bz_cli_parse(int *argc, char ***argv, const char *parameters, const char *description,
                      const GOptionEntry *entries, int operand_limit);

/* "error: PREFIX: MESSAGE" on stderr; BZ_EXIT_REFUSED. */
int bz_cli_refuse(const GError *error);

/* "warning: MESSAGE" on stderr. */
void bz_cli_warn(const char *message);

/* "error: MESSAGE" and where help is, on stderr; BZ_EXIT_USAGE. */
int bz_cli_misuse(const char *format, ...) G_GNUC_PRINTF(1, 2);

int bz_command_disable(const BzCli *cli, int argc, char **argv);
int bz_command_edit(const BzCli *cli, int argc, char **argv);
int bz_command_enable(const BzCli *cli, int argc, char **argv);
int bz_command_map(const BzCli *cli, int argc, char **argv);
int bz_command_probe(const BzCli *cli, int argc, char **argv);
int bz_command_refresh(const BzCli *cli, int argc, char **argv);
int bz_command_schema(const BzCli *cli, int argc, char **argv);
int bz_command_status(const BzCli *cli, int argc, char **argv);
int bz_command_translate(const BzCli *cli, int argc, char **argv);
int bz_command_validate(const BzCli *cli, int argc, char **argv);
int bz_command_watch(const BzCli *cli, int argc, char **argv);
