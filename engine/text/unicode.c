/* Classes of characters.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "text/unicode.h"

/* Letters and numbers that came with Unicode 15.1 and 16, for a GLib that does not know them yet: with another class,
 * words would be cut elsewhere. */
static const struct {
    gunichar first, last;
    SfuCharClass class;
} newer[] = {
    {0x1c89, 0x1c8a, SFU_CHAR_LETTER},   {0xa7cb, 0xa7cd, SFU_CHAR_LETTER},   {0xa7da, 0xa7dc, SFU_CHAR_LETTER},
    {0x105c0, 0x105f3, SFU_CHAR_LETTER}, {0x10d40, 0x10d49, SFU_CHAR_NUMBER}, {0x10d4a, 0x10d65, SFU_CHAR_LETTER},
    {0x10d6f, 0x10d85, SFU_CHAR_LETTER}, {0x10ec2, 0x10ec4, SFU_CHAR_LETTER}, {0x11380, 0x11389, SFU_CHAR_LETTER},
    {0x1138b, 0x1138b, SFU_CHAR_LETTER}, {0x1138e, 0x1138e, SFU_CHAR_LETTER}, {0x11390, 0x113b5, SFU_CHAR_LETTER},
    {0x113b7, 0x113b7, SFU_CHAR_LETTER}, {0x113d1, 0x113d1, SFU_CHAR_LETTER}, {0x113d3, 0x113d3, SFU_CHAR_LETTER},
    {0x116d0, 0x116e3, SFU_CHAR_NUMBER}, {0x11bc0, 0x11be0, SFU_CHAR_LETTER}, {0x11bf0, 0x11bf9, SFU_CHAR_NUMBER},
    {0x13460, 0x143fa, SFU_CHAR_LETTER}, {0x16100, 0x1611d, SFU_CHAR_LETTER}, {0x16130, 0x16139, SFU_CHAR_NUMBER},
    {0x16d40, 0x16d6c, SFU_CHAR_LETTER}, {0x16d70, 0x16d79, SFU_CHAR_NUMBER}, {0x18cff, 0x18cff, SFU_CHAR_LETTER},
    {0x1ccf0, 0x1ccf9, SFU_CHAR_NUMBER}, {0x1e5d0, 0x1e5ed, SFU_CHAR_LETTER}, {0x1e5f0, 0x1e5f0, SFU_CHAR_LETTER},
    {0x1e5f1, 0x1e5fa, SFU_CHAR_NUMBER}, {0x2ebf0, 0x2ee5d, SFU_CHAR_LETTER},
};

SfuCharClass sfu_char_class(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_UPPERCASE_LETTER:
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
        return SFU_CHAR_LETTER;
    case G_UNICODE_DECIMAL_NUMBER:
    case G_UNICODE_LETTER_NUMBER:
    case G_UNICODE_OTHER_NUMBER:
        return SFU_CHAR_NUMBER;
    case G_UNICODE_SPACE_SEPARATOR:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return SFU_CHAR_SPACE;
    case G_UNICODE_UNASSIGNED:
        for (int i = 0; i < G_N_ELEMENTS(newer); i++)
            if (c >= newer[i].first && c <= newer[i].last)
                return newer[i].class;
        return SFU_CHAR_OTHER;
    default:
        return (c >= 9 && c <= 13) || c == 0x85 ? SFU_CHAR_SPACE : SFU_CHAR_OTHER;
    }
}
