/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest that asks for its boot-zeroed memory and checks the answer. QEMU boots it by -kernel (PVH); it runs on one
 * processor in long mode with all RAM mapped one to one, prints lines of key=value words on the first serial port and
 * powers itself off. What it does is said by words on its command line:
 *
 *   zero        after the answer, zeroes all RAM that was not reported, as Windows does
 *   noverify    does not read the reported pages (by default every one is read)
 *   touch=N     first dirties N pages spread over RAM: none of them may be reported
 *   repeat=N    asks N times, and dirties some reported pages in between: they may not be reported again
 *   wait        before each question but the first, waits for the serial port: a line feed goes on, and any letter before
 *               it lets something happen (events.c): l dirties pages out of the answer, i gives them to a balloon, d takes
 *               them back, f reports them free; p plugs virtio-mem and writes to it, u unplugs it; q asks without pause
 *               until it is refused; s suspends to memory; r resets. After any reset the guest begins again, but dirties
 *               nothing: what it dirtied before may not be reported
 *   reset       resets the machine once and asks again: pages dirtied before the reset may not be reported
 *   hostile     makes calls that are wrong in one way each and prints the status of each
 *   storm=SEED  calls at random on cpus=N processors until a byte comes on the serial port, while one of them moves
 *               memory about; no memory may change but where an answer was asked for. A reset begins it anew
 *   device=disk, device=network
 *               after the first answer, a virtio device writes into pages that were reported; then asks again
 *   spin        with storm: the processors are as busy, but do not call
 *   end=halt    halts at the end instead of powering off, for whoever wants to look at the process
 *
 * The last line is "done result=ok", or result=failed when the answer broke a promise, or result=exception.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ul
#define MAX_RANGES 255

/* Guest physical memory in pages of 4 KiB. */
typedef struct {
    uint64_t start;
    uint64_t count;
} Range;

typedef struct {
    bool zero, noverify, reset, hostile, halt, wait, spin;
    uint64_t touch, repeat, storm, cpus;
    const char *device; /* what follows device=, or NULL */
} Options;

/* console.c: the serial port. out() knows %c, %s, %lu, %lx and %%. */
void console_init(void);
/* Waits for a byte, without halting: the clock of the one who waits for the guest is not its. */
char console_wait(void);
/* A byte was there; it is taken. */
bool console_poll(char *byte);
void out(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* cpu.c: the processor, exceptions and the ways to end. */
typedef struct {
    uint32_t eax, ebx, ecx, edx;
} Cpuid;
Cpuid cpuid(uint32_t leaf);
uint64_t read_msr(uint32_t msr);
void write_msr(uint32_t msr, uint64_t value);
uint64_t read_tsc(void);
void exceptions_init(void);
void exceptions_use(void); /* on each further processor */
void halt_forever(void) __attribute__((noreturn));
void exception_report(uint64_t vector, uint64_t code, uint64_t address, uint64_t cr2) __attribute__((noreturn));
void machine_reset(void) __attribute__((noreturn));
#define PM1A_CONTROL 0x604 /* where SeaBIOS puts it on i440fx and q35 alike */
#define PM1A_SLEEP 0x2000
#define PM1A_S3 0x0400 /* what QEMU's DSDT says */
/* Prints the last line. result: "ok", "failed", "exception", "usage". */
void finish(const char *result, bool halt) __attribute__((noreturn));

/* memory.c: the RAM above 1 MiB, from the memory map. Lower memory is the firmware's and is left alone. */
#define MAX_REGIONS 32
extern Range ram[MAX_REGIONS]; /* whole usable pages, ascending */
extern unsigned ram_regions;
extern uint64_t ram_pages;  /* their sum */
extern uint64_t mapped_end; /* first address that is not mapped */
/* False, with a line that says why, when the memory map is missing or too large. */
bool memory_init(uint32_t start_info);
const char *command_line(uint32_t start_info);
/* Maps [4 GiB, end) one to one. False, with a line that says why, when that cannot be. */
bool memory_map(uint64_t end);
extern uint64_t rsdp; /* ACPI's root pointer, or 0 */
/* The pages that this program occupies: its image and its page tables. */
Range own_pages(void);
void *memset(void *at, int value, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
static inline uint64_t *page_at(uint64_t page)
{
    return (uint64_t *) (page * PAGE_SIZE);
}

/* hyperv.c: Hyper-V's interface as a guest sees it. */
#define HV_QUERY_CAPABILITIES 0x8001ul
#define HV_GET_BOOT_ZEROED_MEMORY 0x8002ul
typedef struct {
    uint64_t count;
    Range range[MAX_RANGES];
    uint64_t beyond; /* the page's last 8 bytes, which are not part of the answer */
} ZeroedMemory;
extern bool hv_present; /* the processor shows the interface "Hv#1" */
void hv_detect(void);
/* Says who we are and installs the hypercall page. */
void hv_handshake(void);
/* The instruction itself, without the hypercall page: works only where the hypervisor listens. */
uint64_t hv_raw_call(uint64_t input, uint64_t input_gpa, uint64_t output_gpa);
uint64_t hv_call(uint64_t input, uint64_t input_gpa, uint64_t output_gpa);

/* events.c: what happens while the guest waits. */
#define MAX_LENT 256
typedef struct {
    Range pages;          /* none until they were first dirtied */
    bool dirty[MAX_LENT]; /* since they were last given to the host */
} Lent;
extern Lent lent;
extern Range plugged; /* memory of virtio-mem */
void event(char which);

/* suspend.c: suspends to memory and returns when the machine was woken. False when there is no ACPI. */
bool suspend(void);

/* checks.c: one question and what must hold for the answer. */
extern ZeroedMemory answer; /* page-aligned; count is 0 unless the last ask succeeded */
/* Asks both calls and prints status, mask and ranges. */
void ask(void);
/* Asks for memory without pause and without checks, until the call is refused. */
void ask_until_refused(void);
/* Of all pages that answers were written to. */
uint64_t answers_sum(void);
/* Dirties n pages spread over RAM and remembers them by their content: call once. */
void touch_pages(uint64_t n);
/* The n pages of touch_pages still hold what was written, also after a reset. */
bool touched_intact(uint64_t n);
/* Dirties some pages out of the last answer: never to be reported again. */
void touch_reported(void);
/* Checks the last answer and prints the figures; reads each reported page when told to. False: a promise was broken. */
bool check_answer(uint64_t touched, bool read_pages);
void zero_unreported(void);

/* The page is one of touch_pages(n)'s. */
bool is_touched(uint64_t page, uint64_t n);

/* n pages, far from each other and out of the last answer as long as it has any, now counted among those never to be reported again. */
uint64_t claim_reported(uint64_t *pages, uint64_t n);
/* Each page is full of what a disk holds, or begins with what a network card wrote. */
bool all_written(const uint64_t *pages, uint64_t n, bool full);

/* device.c: kind is "disk", which holds count pages without a zero, or "network", which has as many packets to come. */
bool device_writes(const char *kind, const uint64_t *pages, uint64_t count);

/* storm.c: as the word says. The number-th boot of this storm; touched as of touch_pages. False: a promise was broken. */
bool storm(const Options *options);

/* hostile.c */
void hostile_before_handshake(void);
void hostile_calls(void);
