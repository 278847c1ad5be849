/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ACPI's S3: the firmware wakes us through the vector in the FACS.
 * Source: ACPI Specification 6.4, 5.2 "ACPI System Description Tables" and 16.3.
 */
#include "guest.h"
#include "port.h"

/* Below 1 MiB, where neither SeaBIOS nor QEMU keeps anything. */
#define WAKING_CODE_AT 0x9000ul
#define WAKING_COPY 0x9100ul
#define RSDT_IN_RSDP 16
#define HEADER_SIZE 36
#define FACS_IN_FADT 36
#define VECTOR_IN_FACS 12
#define SIGNATURE_FADT 0x50434146u /* "FACP" */
#define SIGNATURE_FACS 0x53434146u

extern const char waking_code[], waking_code_end[];
/*
 * Copies this program, writes value to port and returns when the firmware has woken the machine. A copy, because QEMU
 * loads what it got by -kernel anew when the machine wakes.
 */
void suspend_until_woken(uint16_t port, uint16_t value, void *copy);

static uint32_t word_at(uint64_t address)
{
    uint32_t word;

    memcpy(&word, (const void *) address, sizeof(word));
    return word;
}

static uint64_t find_facs(void)
{
    uint64_t rsdt = rsdp == 0 ? 0 : word_at(rsdp + RSDT_IN_RSDP);
    uint64_t end = rsdt == 0 ? 0 : rsdt + word_at(rsdt + 4);

    for (uint64_t at = rsdt + HEADER_SIZE; at < end; at += 4) {
        uint64_t table = word_at(at);

        if (word_at(table) == SIGNATURE_FADT) {
            uint64_t facs = word_at(table + FACS_IN_FADT);

            return facs != 0 && word_at(facs) == SIGNATURE_FACS ? facs : 0;
        }
    }
    return 0;
}

bool suspend(void)
{
    uint64_t facs = find_facs();
    uint32_t vector = WAKING_CODE_AT;
    /* What touch_pages() leaves alone, and the firmware needs for a start only. */
    uint64_t copy = (ram[0].start + ram[0].count - 256) * PAGE_SIZE;

    if (facs == 0)
        return false;
    memcpy((void *) WAKING_COPY, &copy, sizeof(uint32_t));
    memcpy((void *) WAKING_CODE_AT, waking_code, (size_t) (waking_code_end - waking_code));
    memcpy((void *) (facs + VECTOR_IN_FACS), &vector, sizeof(vector));
    out("suspending\n");
    suspend_until_woken(PM1A_CONTROL, PM1A_SLEEP | PM1A_S3, (void *) copy);
    /* The machine was reset: all but memory is as at its start. */
    console_init();
    exceptions_init();
    hv_handshake();
    return true;
}
