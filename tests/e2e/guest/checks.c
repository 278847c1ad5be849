/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

/* A dirtied page carries this and its own number: nothing but touch_pages writes both. */
#define MARK 0x64656863756f7421ul
#define REPORTED_TO_TOUCH 64

ZeroedMemory answer __attribute__((aligned(4096)));
static Range sorted[MAX_RANGES]; /* the answer by ascending start, clipped to what a page number can be */
static uint64_t sorted_count;
static uint64_t touched_later[MAX_RANGES]; /* what touch_reported dirtied */
static uint64_t touched_later_count;
static ZeroedMemory quiet[2] __attribute__((aligned(4096))); /* of ask_until_refused() */
static uint64_t mask __attribute__((aligned(8)));

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool inside(Range range, uint64_t page)
{
    return page >= range.start && page - range.start < range.count;
}

static bool reported(uint64_t page)
{
    for (uint64_t i = 0; i < sorted_count && sorted[i].start <= page; i++) {
        if (inside(sorted[i], page))
            return true;
    }
    return false;
}

static void sort_answer(void)
{
    sorted_count = 0;
    for (uint64_t i = 0; i < answer.count; i++) {
        uint64_t at = sorted_count++;

        while (at > 0 && sorted[at - 1].start > answer.range[i].start) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        sorted[at] = answer.range[i];
    }
}

void ask(void)
{
    uint64_t status, begin, ticks;

    mask = ~0ul;
    status = hv_call(HV_QUERY_CAPABILITIES, 0, (uint64_t) &mask);
    out("call code=0x8001 status=%lu", status & 0xffff);
    if (status == 0)
        out(" mask=0x%lx", mask);
    else
        out(" written=%lu", (uint64_t) (mask != ~0ul));
    out(" result=0x%lx\n", status);

    answer.count = ~0ul;
    answer.beyond = MARK;
    begin = read_tsc();
    status = hv_call(HV_GET_BOOT_ZEROED_MEMORY, 0, (uint64_t) &answer);
    ticks = read_tsc() - begin;
    out("call code=0x8002 status=%lu", status & 0xffff);
    if (status == 0)
        out(" ranges=%lu", answer.count);
    else
        out(" written=%lu", (uint64_t) (answer.count != ~0ul));
    out(" result=0x%lx tsc=%lu\n", status, ticks);
    if (status != 0)
        answer.count = 0;
    if (answer.count > MAX_RANGES) {
        out("error text=\"%lu ranges are more than an answer holds\"\n", answer.count);
        finish("failed", false);
    }
    for (uint64_t i = 0; i < answer.count; i++)
        out("range number=%lu start=0x%lx pages=%lu\n", i, answer.range[i].start, answer.range[i].count);
    sort_answer();
}

/* Into two pages in turn, each filled before: so the last good answer is known from all that went before it. */
void ask_until_refused(void)
{
    uint64_t times = 0, status;

    do {
        ZeroedMemory *page = &quiet[times++ % 2];

        for (uint64_t i = 0; i < PAGE_SIZE / 8; i++)
            ((volatile uint64_t *) page)[i] = ~times;
        status = hv_call(HV_GET_BOOT_ZEROED_MEMORY, 0, (uint64_t) page) & 0xffff;
        if (times == 1)
            out("asking\n");
    } while (status == 0);
    out("asked times=%lu status=%lu written=%lu\n", times, status,
        (uint64_t) (quiet[(times - 1) % 2].count != ~times));
}

uint64_t answers_sum(void)
{
    const ZeroedMemory *pages[] = {&answer, &quiet[0], &quiet[1]};
    uint64_t sum = 0;

    for (unsigned i = 0; i < 3; i++) {
        for (uint64_t word = 0; word < PAGE_SIZE / 8; word++)
            sum = (sum << 1 | sum >> 63) ^ ((const volatile uint64_t *) pages[i])[word];
    }
    return sum;
}

/*
 * The part of a region that is dirtied: not this program nor the page after it, which notes the reset, and not the
 * last MiB, where the firmware has its temporary memory again after a reset.
 */
static Range spread_range(unsigned region)
{
    Range own = own_pages();
    uint64_t start = ram[region].start, end = start + ram[region].count - smaller(ram[region].count, 256);

    if (inside(ram[region], own.start))
        start = own.start + own.count + 1;
    return (Range) {start, end > start ? end - start : 0};
}

/* The i-th of n pages spread evenly. */
static uint64_t spread_page(uint64_t i, uint64_t n)
{
    uint64_t all = 0, index;

    for (unsigned region = 0; region < ram_regions; region++)
        all += spread_range(region).count;
    index = all / n * i + all / n / 2;
    for (unsigned region = 0; region < ram_regions; region++) {
        Range range = spread_range(region);

        if (index < range.count)
            return range.start + index;
        index -= range.count;
    }
    return spread_range(0).start;
}

bool is_touched(uint64_t page, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (spread_page(i, n) == page)
            return true;
    }
    return false;
}

void touch_pages(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t page = spread_page(i, n);

        page_at(page)[i % 512] = MARK;
        page_at(page)[(i + 1) % 512] = page;
    }
}

bool touched_intact(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t page = spread_page(i, n);

        if (page_at(page)[i % 512] != MARK || page_at(page)[(i + 1) % 512] != page)
            return false;
    }
    return true;
}

void touch_reported(void)
{
    for (uint64_t i = 0; i < answer.count && i < REPORTED_TO_TOUCH && touched_later_count < MAX_RANGES; i++) {
        uint64_t page = answer.range[i].start + answer.range[i].count / 2;

        if (page * PAGE_SIZE >= mapped_end || inside(lent.pages, page))
            continue;
        page_at(page)[0] = MARK;
        touched_later[touched_later_count++] = page;
    }
}

static uint64_t nonzero_bytes(uint64_t page)
{
    const volatile uint64_t *words = page_at(page);
    uint64_t bytes = 0;

    for (unsigned i = 0; i < PAGE_SIZE / 8; i++) {
        for (uint64_t word = words[i]; word != 0; word >>= 8)
            bytes += (word & 0xff) != 0;
    }
    return bytes;
}

/* The pages of range where QEMU's machines have no RAM to report: below 1 MiB, and devices and flash below 4 GiB. */
static uint64_t never_ram(Range range)
{
    static const Range places[] = {{0, 0x100}, {0xe0000, 0x20000}};
    uint64_t pages = 0;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t start = range.start > places[i].start ? range.start : places[i].start;
        uint64_t end = smaller(range.start + range.count, places[i].start + places[i].count);

        pages += end > start ? end - start : 0;
    }
    return pages;
}

uint64_t claim_reported(uint64_t *pages, uint64_t n)
{
    uint64_t claimed = 0;

    for (uint64_t i = 0; i < answer.count && claimed < n; i++) {
        uint64_t step = answer.range[i].count / n;

        for (uint64_t j = 0; step > 0 && j < n && claimed < n && touched_later_count < MAX_RANGES; j++) {
            pages[claimed] = answer.range[i].start + j * step;
            touched_later[touched_later_count++] = pages[claimed++];
        }
    }
    /* Of a guest that was told of none, others. */
    for (; claimed < n && touched_later_count < MAX_RANGES; claimed++)
        touched_later[touched_later_count++] = pages[claimed] = spread_page(2 * claimed + 1, 2 * n) + 1;
    return claimed;
}

bool all_written(const uint64_t *pages, uint64_t n, bool full)
{
    uint64_t written = 0;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t bytes = nonzero_bytes(pages[i]);

        written += full ? bytes == PAGE_SIZE : bytes > 0;
    }
    out("written pages=%lu of=%lu\n", written, n);
    return n > 0 && written == n;
}

bool check_answer(uint64_t touched, bool read_pages)
{
    Range own = own_pages();
    uint64_t lent_dirty = 0, lent_reported = 0, lent_wrong = 0;
    uint64_t pages = 0, bytes = 0, outside = 0, overlap = 0, dirty = 0, mine = 0, order = 0, read = 0, rom = 0;
    bool intact = answer.beyond == MARK;

    for (uint64_t i = 0; i < sorted_count; i++) {
        Range range = sorted[i];
        uint64_t mapped = mapped_end / PAGE_SIZE;
        uint64_t readable = range.start < mapped ? smaller(range.count, mapped - range.start) : 0;

        pages += range.count;
        outside += range.count - readable;
        rom += never_ram(range);
        if (i > 0 && sorted[i - 1].start + sorted[i - 1].count > range.start)
            overlap++;
        if (i > 0 && answer.range[i].count > answer.range[i - 1].count)
            order++;
        for (uint64_t page = range.start; read_pages && page < range.start + readable; page++, read++)
            bytes += nonzero_bytes(page);
    }
    /* Pages of ours that hold nothing are not there any more after a migration, and may well be reported. */
    for (uint64_t page = own.start; page < own.start + own.count; page++)
        mine += reported(page) && nonzero_bytes(page) > 0;
    for (uint64_t i = 0; i < touched; i++)
        dirty += reported(spread_page(i, touched));
    for (uint64_t i = 0; i < touched_later_count; i++)
        dirty += reported(touched_later[i]);

    for (uint64_t page = plugged.start; page < plugged.start + plugged.count; page++)
        outside += reported(page);
    for (uint64_t i = 0; i < lent.pages.count; i++) {
        lent_dirty += lent.dirty[i];
        lent_reported += reported(lent.pages.start + i);
        lent_wrong += lent.dirty[i] && reported(lent.pages.start + i);
    }

    if (lent.pages.count > 0)
        out("lent pages=%lu dirty=%lu reported=%lu\n", lent.pages.count, lent_dirty, lent_reported);
    out("check reported=%lu read=%lu nonzero-bytes=%lu outside=%lu overlapping=%lu unordered=%lu dirty-reported=%lu "
        "own-reported=%lu never-ram=%lu beyond-intact=%lu\n",
        pages, read, bytes, outside, overlap, order, dirty, mine, rom, (uint64_t) intact);
    out("pages ram=%lu own=%lu touched=%lu untouched=%lu reported=%lu\n", ram_pages, own.count,
        touched + touched_later_count, ram_pages - own.count - touched - touched_later_count, pages);
    return bytes == 0 && outside == 0 && overlap == 0 && order == 0 && dirty == 0 && mine == 0 && rom == 0 &&
        lent_wrong == 0 && intact;
}

static void zero_pages(uint64_t from, uint64_t to)
{
    uint64_t *at = page_at(from);
    uint64_t words = (to - from) * (PAGE_SIZE / 8);

    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(0ul) : "memory");
}

/* The end of the reported range or of our own pages that hold page, else page itself. */
static uint64_t skip(uint64_t page)
{
    Range own = own_pages();

    if (inside(own, page))
        return own.start + own.count;
    for (uint64_t i = 0; i < sorted_count && sorted[i].start <= page; i++) {
        if (inside(sorted[i], page))
            return sorted[i].start + sorted[i].count;
    }
    return page;
}

/* The next page from page on that skip() would skip, at most end. */
static uint64_t stop(uint64_t page, uint64_t end)
{
    Range own = own_pages();

    if (own.start > page)
        end = smaller(end, own.start);
    for (uint64_t i = 0; i < sorted_count; i++) {
        if (sorted[i].start > page)
            return smaller(end, sorted[i].start);
    }
    return end;
}

void zero_unreported(void)
{
    uint64_t zeroed = 0, begin = read_tsc();

    for (unsigned region = 0; region < ram_regions; region++) {
        uint64_t end = ram[region].start + ram[region].count;

        for (uint64_t page = ram[region].start; page < end;) {
            uint64_t next = skip(page);

            if (next == page) {
                next = stop(page, end);
                zero_pages(page, next);
                zeroed += next - page;
            }
            page = next;
        }
    }
    out("zeroed pages=%lu tsc=%lu\n", zeroed, read_tsc() - begin);
}
