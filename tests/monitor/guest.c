/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest to order, on the fake KVM, with the provider preloaded: reads commands from standard input, one a line, and
 * answers each with a line.
 *
 *   guest MIB -name guest=NAME -uuid UUID     BOOTZERO in the environment
 *
 *   8001           asks for the capabilities          -> status
 *   8002           asks for zeroed memory             -> status
 *   8002 N         the same N times                   -> the last status
 *   bad            8002 with output across a page     -> status
 *   migrate on|off logs writes to memory, or not      -> ok
 *   write          writes to all memory               -> ok
 *   sregs boot     loads registers as a reset does    -> ok
 *   sregs other    ... of another vCPU at its start   -> ok
 *   sregs saved    ... of a boot processor that was running -> ok
 *   run            runs                               -> ok
 *   log            what the provider wrote to stderr  -> it, then "."
 */
#include <sys/ioctl.h>

#include "check.h"
#include "machine.h"

#define OUT (2 * MIB)

static void load_sregs(uint64_t base, uint64_t apic_base)
{
    struct kvm_sregs sregs = { .cs = { .selector = 0xf000, .base = base }, .apic_base = apic_base };

    CHECK_EQUAL(ioctl(machine.vcpu, KVM_SET_SREGS, &sregs), 0);
}

static void log_writes(bool on)
{
    machine_slot(1, on ? KVM_MEM_LOG_DIRTY_PAGES : 0, MIB, machine.ram_size - MIB, machine.ram + MIB);
}

static void obey(const char *line)
{
    unsigned times = 1;

    if (sscanf(line, "8002 %u", &times) == 1 || strcmp(line, "8002") == 0) {
        uint64_t status = 0;
        for (unsigned i = 0; i < times; i++)
            status = machine_call(0x8002, OUT);
        printf("%" PRIu64 "\n", status);
    } else if (strcmp(line, "8001") == 0) {
        printf("%" PRIu64 "\n", machine_call(0x8001, OUT));
    } else if (strcmp(line, "bad") == 0) {
        printf("%" PRIu64 "\n", machine_call(0x8002, OUT + 16));
    } else if (strcmp(line, "log") == 0) {
        printf("%s.\n", machine_log());
    } else {
        if (strcmp(line, "migrate on") == 0)
            log_writes(true);
        else if (strcmp(line, "migrate off") == 0)
            log_writes(false);
        else if (strcmp(line, "write") == 0)
            memset(machine.ram, 1, machine.ram_size);
        else if (strcmp(line, "run") == 0)
            machine_call(0x1, OUT);
        else if (strcmp(line, "sregs boot") == 0)
            load_sregs(0xffff0000, 0xfee00900);
        else if (strcmp(line, "sregs other") == 0)
            load_sregs(0xffff0000, 0xfee00800);
        else if (strcmp(line, "sregs saved") == 0)
            load_sregs(0xf0000, 0xfee00900);
        else
            printf("unknown command: ");
        printf("%s\n", check_failures ? "failed" : "ok");
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[80];

    machine_start(getenv("BOOTZERO"), (size_t)atoi(argv[1]) * MIB);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    return check_failures > 0;
}
