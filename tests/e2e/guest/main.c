/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

void guest_main(uint32_t start_info);

#define DEVICE_PAGES 32

/* Left in RAM, which a reset preserves, on the page after this program. */
#define RESET_MARK 0x74657365722e7a62ul

/* What follows prefix in word, which ends at a space or NUL; NULL when word does not start with it. */
static const char *after(const char *word, const char *prefix)
{
    while (*prefix != '\0') {
        if (*word++ != *prefix++)
            return NULL;
    }
    return word;
}

static bool is_word(const char *word, const char *name)
{
    const char *rest = after(word, name);

    return rest != NULL && (*rest == '\0' || *rest == ' ');
}

static bool number_after(const char *word, const char *prefix, uint64_t *number)
{
    const char *digit = after(word, prefix);
    uint64_t value = 0;

    if (digit == NULL || *digit < '0' || *digit > '9')
        return false;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        value = value * 10 + (uint64_t) (*digit - '0');
    *number = value;
    return *digit == '\0' || *digit == ' ';
}

static bool parse(const char *line, Options *options)
{
    *options = (Options) {.repeat = 1, .cpus = 1};
    while (*line != '\0') {
        if (is_word(line, "zero"))
            options->zero = true;
        else if (is_word(line, "noverify"))
            options->noverify = true;
        else if (is_word(line, "reset"))
            options->reset = true;
        else if (is_word(line, "wait"))
            options->wait = true;
        else if (is_word(line, "spin"))
            options->spin = true;
        else if (after(line, "device=") != NULL)
            options->device = after(line, "device=");
        else if (is_word(line, "hostile"))
            options->hostile = true;
        else if (is_word(line, "end=halt"))
            options->halt = true;
        else if (*line != ' ' && !number_after(line, "touch=", &options->touch) &&
                 !number_after(line, "repeat=", &options->repeat) && !number_after(line, "storm=", &options->storm) &&
                 !number_after(line, "cpus=", &options->cpus))
            return false;
        while (*line != '\0' && *line != ' ')
            line++;
        while (*line == ' ')
            line++;
    }
    return true;
}

/* A device writes where nothing was, and the guest asks once more before it looks there itself. */
static bool ask_about_device(const Options *options)
{
    uint64_t pages[DEVICE_PAGES];
    uint64_t count = claim_reported(pages, DEVICE_PAGES);
    bool good = count == DEVICE_PAGES && device_writes(options->device, pages, count);

    ask();
    good &= check_answer(options->touch, !options->noverify);
    return all_written(pages, count, *options->device == 'd') && good;
}

static uint64_t *reset_note(void)
{
    Range own = own_pages();

    return page_at(own.start + own.count);
}

/* False when an answer is not what it was, wherever the guest runs now. */
static bool wait_to_go_on(uint64_t round)
{
    for (;;) {
        uint64_t sum = answers_sum();
        char letter;

        out("waiting round=%lu\n", round);
        letter = console_wait();
        if (answers_sum() != sum) {
            out("error text=\"an answer has changed while the guest waited\"\n");
            return false;
        }
        if (letter == '\n')
            return true;
        event(letter);
    }
}

void guest_main(uint32_t start_info)
{
    const char *line = command_line(start_info);
    Options options;
    bool good = true, again;

    console_init();
    exceptions_init();
    out("\nguest version=1 command-line=\"%s\"\n", line);
    if (!parse(line, &options) || !memory_init(start_info))
        finish("usage", false);
    for (unsigned i = 0; i < ram_regions; i++)
        out("ram number=%lu start=0x%lx pages=%lu\n", (uint64_t) i, ram[i].start, ram[i].count);
    if (options.touch > ram_pages / 4) {
        out("error text=\"touch=%lu is more than a quarter of the RAM\"\n", options.touch);
        finish("usage", false);
    }

    again = (options.reset || options.storm || options.wait) && *reset_note() == RESET_MARK;
    if (again)
        out("reset number=1\n");
    hv_detect();
    if (hv_present && options.hostile)
        hostile_before_handshake();
    if (hv_present)
        hv_handshake();
    if (!again)
        touch_pages(options.touch);
    if (hv_present && options.storm) {
        *reset_note() = RESET_MARK;
        good &= storm(&options);
    }

    for (uint64_t round = 1; hv_present && round <= options.repeat; round++) {
        if (round > 1)
            touch_reported();
        if (round > 1 && options.wait) {
            *reset_note() = RESET_MARK;
            good &= wait_to_go_on(round);
        }
        ask();
        /* Reading fills memory that is shared; with a device that is left to the end. */
        good &= check_answer(options.touch, !options.noverify && options.device == NULL);
    }
    if (hv_present && options.device != NULL)
        good &= ask_about_device(&options);
    if (!touched_intact(options.touch)) {
        out("error text=\"the pages that were dirtied first have changed\"\n");
        good = false;
    }
    if (options.reset && !again) {
        *reset_note() = RESET_MARK;
        machine_reset();
    }
    if (hv_present && options.hostile)
        hostile_calls();
    if (options.zero)
        zero_unreported();
    finish(good ? "ok" : "failed", options.halt);
}
