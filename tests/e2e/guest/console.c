/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"
#include "port.h"
#include <stdarg.h>

#define COM1 0x3f8
#define FIFO 16

/* Both ports cost an exit to QEMU; so a full transmit FIFO is written for each look at the line status. */
static unsigned room;

void console_init(void)
{
    port_write8(COM1 + 1, 0);    /* no interrupts */
    port_write8(COM1 + 3, 3);    /* 8 bits, no parity, one stop bit */
    port_write8(COM1 + 2, 0x07); /* FIFO on and empty */
    port_write8(COM1 + 4, 3);
}

static void put(char c)
{
    if (room == 0) {
        while ((port_read8(COM1 + 5) & 0x20) == 0)
            ;
        room = FIFO;
    }
    port_write8(COM1, (uint8_t) c);
    room--;
}

bool console_poll(char *byte)
{
    if ((port_read8(COM1 + 5) & 1) == 0)
        return false;
    *byte = (char) port_read8(COM1);
    return true;
}

char console_wait(void)
{
    char byte;

    while (!console_poll(&byte))
        __asm__ volatile("pause");
    return byte;
}

static void put_number(uint64_t number, unsigned base)
{
    char text[20];
    unsigned length = 0;

    do {
        text[length++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    while (length > 0)
        put(text[--length]);
}

void out(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    for (const char *c = format; *c != '\0'; c++) {
        if (*c != '%') {
            put(*c);
            continue;
        }
        c++;
        if (*c == 'c') {
            put((char) va_arg(arguments, int));
        } else if (*c == 's') {
            for (const char *text = va_arg(arguments, const char *); *text != '\0'; text++)
                put(*text);
        } else if (*c == 'l') {
            c++;
            put_number(va_arg(arguments, uint64_t), *c == 'x' ? 16 : 10);
        } else {
            put(*c);
        }
    }
    va_end(arguments);
}
