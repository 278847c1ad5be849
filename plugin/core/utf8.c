/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/utf8.h"

size_t bz_utf8_sequence(const char *text, size_t length)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = (unsigned char)(length > 0 ? text[0] : 0xff);
    size_t wanted = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;

    if (wanted == 1)
        return 1;
    if (first < 0xc2 || first > 0xf4 || length < wanted)
        return 0;
    unsigned code_point = first & (0x7fu >> wanted);
    for (size_t i = 1; i < wanted; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
        code_point = code_point << 6 | ((unsigned char)text[i] & 0x3f);
    }
    if (code_point < least[wanted] || code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000))
        return 0;
    return wanted;
}

size_t bz_utf8_encode(unsigned code_point, char *to)
{
    if (code_point < 0x80) {
        to[0] = (char)code_point;
        return 1;
    }
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    to[0] = (char)(marks[length] | code_point);
    return length;
}
