/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All processors call without pause, with input at random and output wherever an address can point, while the first of
 * them opens and closes memory by the chip set's registers. Whoever runs the machine may reset it meanwhile.
 *
 * RAM is in blocks of 2 MiB. Odd ones are for output, each page for one processor; even ones are quiet: nobody may
 * write there, so what was dirtied before stays, and the rest is zero at any time.
 */
#include "guest.h"
#include "pci.h"

#define MAX_CPUS 8
#define BLOCK_PAGES 512
#define LOCAL_APIC 0xfee00000ul
#define COMMAND 0x300
#define TRAMPOLINE 0x8000ul
#define CANARY 0x5a5a5a5a5a5a5a5aul

extern const uint8_t ap_start[], ap_end[];
extern volatile uint32_t ap_count;
void ap_main(uint32_t number);

typedef struct {
    uint64_t calls, answered, refused, unexpected, overrun, untrue;
    uint64_t what[3]; /* of the first that was wrong: input, output, result */
    uint64_t random;
    volatile bool over;
    uint64_t frame[3 * 512] __attribute__((aligned(4096))); /* its own page for output, between two that stay */
    uint64_t before[512];
} Processor;

static Processor processors[MAX_CPUS] __attribute__((aligned(4096)));
static volatile bool stop;
static bool calling; /* else only busy */
static uint64_t touched, cpus;

static uint64_t random(Processor *self)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return self->random;
}

static void note_wrong(Processor *self, uint64_t *counter, uint64_t input, uint64_t output, uint64_t result)
{
    if (self->unexpected + self->overrun + self->untrue == 0) {
        self->what[0] = input;
        self->what[1] = output;
        self->what[2] = result;
    }
    (*counter)++;
}

/* --- memory --- */

/* RAM that firmware does not use again after a reset, and this program does not occupy. */
static bool is_free(uint64_t page)
{
    Range own = own_pages();

    if (page >= own.start && page <= own.start + own.count)
        return false;
    for (unsigned i = 0; i < ram_regions; i++) {
        if (page >= ram[i].start && page + 256 < ram[i].start + ram[i].count)
            return page * PAGE_SIZE < mapped_end;
    }
    return false;
}

static bool is_for_output(uint64_t page)
{
    return page / BLOCK_PAGES % 2 == 1 && is_free(page) && !is_touched(page, touched);
}

/* A page for output of this processor alone; 0 when chance found none. */
static uint64_t output_page(Processor *self)
{
    uint64_t number = (uint64_t) (self - processors);

    for (unsigned tries = 0; tries < 50; tries++) {
        const Range *region = &ram[random(self) % ram_regions];
        uint64_t page = region->start + random(self) % region->count;

        page = (page & ~7ul) + number;
        if (is_for_output(page))
            return page;
    }
    return 0;
}

static bool is_zero(uint64_t page)
{
    for (unsigned i = 0; i < 512; i++) {
        if (page_at(page)[i] != 0)
            return false;
    }
    return true;
}

/* The pages of the quiet blocks that hold anything though nobody dirtied them. */
static uint64_t not_quiet(void)
{
    uint64_t found = 0;

    for (unsigned i = 0; i < ram_regions; i++) {
        for (uint64_t page = ram[i].start; page < ram[i].start + ram[i].count; page++) {
            if (page / BLOCK_PAGES % 2 == 0 && is_free(page) && !is_touched(page, touched) && !is_zero(page))
                found++;
        }
    }
    return found;
}

/* --- calls --- */

/* Some pages of an answer that must be zero now and for good, being in quiet blocks; and never its own. */
static bool is_true(Processor *self, const ZeroedMemory *given, uint64_t own)
{
    if (given->count > MAX_RANGES)
        return false;
    for (uint64_t i = 0; i < given->count; i++) {
        if (own >= given->range[i].start && own - given->range[i].start < given->range[i].count)
            return false;
    }
    for (unsigned i = 0; given->count > 0 && i < 4; i++) {
        Range range = given->range[random(self) % given->count];
        uint64_t page = range.start + random(self) % range.count;

        if (range.count == 0 || page < 256)
            return false;
        if (page / BLOCK_PAGES % 2 == 0 && is_free(page) && !is_zero(page))
            return false;
    }
    return true;
}

static uint64_t count_call(Processor *self, uint64_t input, uint64_t output)
{
    uint64_t result = hv_call(input, random(self), output);
    uint64_t status = result & 0xffff;

    self->calls++;
    if (status == 0)
        self->answered++;
    else if (status <= 6)
        self->refused++;
    else
        note_wrong(self, &self->unexpected, input, output, result);
    return status;
}

/*
 * Into memory that is this processor's alone: only the bytes of the output may change, and those only by an answer, which a
 * call that is in order always gets.
 */
static void call_into(Processor *self, uint64_t input, uint64_t *memory, uint64_t pages, uint64_t output, bool in_order)
{
    uint64_t size = (input & 0xffff) == HV_QUERY_CAPABILITIES ? 8 : 0xff8;
    uint64_t middle = pages == 3 ? 512 : 0;

    for (unsigned i = 0; pages == 1 && i < 512; i++)
        self->before[i] = memory[i];
    for (unsigned i = 0; pages == 3 && i < 3 * 512; i++)
        memory[i] = CANARY;

    uint64_t status = count_call(self, input, output);

    if (in_order && status != 0)
        note_wrong(self, &self->unexpected, input, output, status);
    for (unsigned i = 0; i < pages * 512; i++) {
        uint64_t at = (uint64_t) &memory[i], was = pages == 3 ? CANARY : self->before[i];
        bool is_output = status == 0 && at + 8 > output && at < output + size;

        if (memory[i] != was && !is_output)
            note_wrong(self, &self->overrun, input, output, status);
    }
    if (status == 0 && size == 8 && *(uint64_t *) output != 1)
        note_wrong(self, &self->untrue, input, output, status);
    if (status == 0 && size != 8 && !is_true(self, (const ZeroedMemory *) output, (uint64_t) &memory[middle] / PAGE_SIZE))
        note_wrong(self, &self->untrue, input, output, status);
}

static void call_once(Processor *self)
{
    static const uint64_t nowhere[] = {
        0xe0000, 0xf0000, 0xfffe0000, 0xfffc0000,          /* firmware: read-only, or open for a moment */
        0xa0000, LOCAL_APIC, 0xfec00000, 0xfed00000,       /* devices */
        0xe0000000, 0xfd000000, 0xb0000000, 0x80000000,    /* buses, video memory */
    };
    uint64_t input = random(self) % 8 != 0 ? HV_GET_BOOT_ZEROED_MEMORY : HV_QUERY_CAPABILITIES;
    uint64_t *frame = self->frame, own = (uint64_t) &frame[512], page;

    switch (random(self) % 12) {
    case 0: case 1: case 2:
        call_into(self, input, frame, 3, own + random(self) % 2 * 8, true);
        break;
    case 3: /* crosses the page, or does not, and is aligned, or not */
        call_into(self, input, frame, 3, own + random(self) % PAGE_SIZE, false);
        break;
    case 4: /* bits that must not be there */
        call_into(self, input | 1ul << (16 + random(self) % 48), frame, 3, own, false);
        break;
    case 5:
        call_into(self, random(self), frame, 3, own, false);
        break;
    case 6: case 7: case 8: /* in the middle of what is being reported */
        page = output_page(self);
        if (page != 0)
            call_into(self, input, page_at(page), 1, page * PAGE_SIZE + random(self) % 2 * 8, true);
        break;
    case 9:
        count_call(self, input, nowhere[random(self) % (sizeof nowhere / sizeof nowhere[0])] + random(self) % 4 * PAGE_SIZE);
        break;
    case 10: /* beyond RAM */
        count_call(self, input, mapped_end + (random(self) % (1ul << 40) & ~7ul));
        break;
    default: /* no address at all: above 2^52 */
        count_call(self, input, random(self) | 1ul << 63);
    }
}

/* --- the chip set --- */

/*
 * 0xc0000 to 0xeffff becomes ROM or RAM in pieces (PAM), system management memory is shown and hidden (SMRAM), the video
 * memory comes and goes. Not 0xf0000: it grows together with the RAM of this program, which QEMU 7.2 takes away for a
 * moment while other processors run in it. And not from 0xd8000 on where the machine is a q35, whose reset leaves those
 * pieces as they are: SeaBIOS has its stack and its code there when it is reset.
 */
static void move_memory(Processor *self)
{
    bool is_q35 = pci_read(0, 0) == 0x29c08086;
    uint32_t video;

    switch (random(self) % 3) {
    case 0: /* PAM1 to PAM6 are the six bytes after PAM0 */
        for (unsigned i = 1; i <= (is_q35 ? 3 : 6); i++)
            pci_write_byte(0, (is_q35 ? 0x90 : 0x59) + i, (uint8_t) (random(self) & 0x33));
        break;
    case 1:
        pci_write_byte(0, is_q35 ? 0x9d : 0x72, random(self) % 2 ? 0x4a : 0x0a);
        break;
    default:
        for (video = 1; video < 8 && pci_read(video, 8) >> 16 != 0x0300; video++)
            ;
        if (video < 8)
            pci_write_byte(video, 4, (uint8_t) (random(self) & 2));
    }
}

/* --- processors --- */

static void run(Processor *self)
{
    while (!stop) {
        if (calling)
            call_once(self);
        else
            self->calls++;
    }
    self->over = true;
}

void ap_main(uint32_t number)
{
    exceptions_use();
    if (number < cpus)
        run(&processors[number]);
    halt_forever();
}

static void wait_ticks(uint64_t ticks)
{
    for (uint64_t begin = read_tsc(); read_tsc() - begin < ticks;)
        __asm__ volatile("pause");
}

static void start_others(void)
{
    volatile uint32_t *command = (volatile uint32_t *) (LOCAL_APIC + COMMAND);

    for (unsigned i = 0; i < (unsigned) (ap_end - ap_start); i++)
        ((uint8_t *) TRAMPOLINE)[i] = ap_start[i];
    *command = 0xc4500; /* INIT to all others */
    wait_ticks(20000000);
    *command = 0xc4600 | TRAMPOLINE / PAGE_SIZE; /* start-up */
    for (unsigned i = 0; i < 1000 && ap_count < cpus - 1; i++)
        wait_ticks(10000000);
}

bool storm(const Options *options)
{
    Processor *self = &processors[0];
    uint64_t quiet, overrun = 0, untrue = 0, unexpected = 0;
    char byte;

    calling = !options->spin;
    touched = options->touch;
    cpus = options->cpus < MAX_CPUS ? options->cpus : MAX_CPUS;
    for (unsigned i = 0; i < cpus; i++)
        processors[i].random = ((options->storm + i * 0x9e3779b97f4a7c15ul) ^ read_tsc() << 32) | 1;
    start_others();
    out("storm cpus=%lu\n", (uint64_t) ap_count + 1);
    while (!console_poll(&byte)) {
        for (unsigned i = 0; calling && i < 4; i++)
            call_once(self);
        if (calling)
            move_memory(self);
    }
    stop = true;
    for (unsigned i = 1; i < cpus && i <= ap_count; i++) {
        while (!processors[i].over)
            __asm__ volatile("pause");
    }
    for (unsigned i = 0; i < cpus; i++) {
        const Processor *one = &processors[i];

        out("storm cpu=%lu calls=%lu answered=%lu refused=%lu unexpected=%lu overrun=%lu untrue=%lu\n", (uint64_t) i,
            one->calls, one->answered, one->refused, one->unexpected, one->overrun, one->untrue);
        if (one->unexpected + one->overrun + one->untrue != 0)
            out("error text=\"input 0x%lx, output 0x%lx, status 0x%lx\"\n", one->what[0], one->what[1], one->what[2]);
        overrun += one->overrun;
        untrue += one->untrue;
        unexpected += one->unexpected;
    }
    quiet = not_quiet();
    out("storm total overrun=%lu untrue=%lu unexpected=%lu not-quiet=%lu\n", overrun, untrue, unexpected, quiet);
    return overrun + untrue + unexpected + quiet == 0 && ap_count + 1 >= cpus;
}
