/* Classes of characters as in Python's re, by which AUTOMATIC1111 reads prompts.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TEXT_CLASSES_H
#define SFU_TEXT_CLASSES_H

#include <glib.h>

/* \s */
static inline gboolean sfu_is_space(gunichar c)
{
    return g_unichar_isspace(c) || (c >= 0x1c && c <= 0x1f) || c == 0x0b || c == 0x85;
}

/* \w */
static inline gboolean sfu_is_word(gunichar c)
{
    return c == '_' || g_unichar_isalnum(c);
}

/* \d: digits of any script. Its value; -1: it is none. */
static inline int sfu_digit(gunichar c)
{
    return g_unichar_type(c) == G_UNICODE_DECIMAL_NUMBER ? g_unichar_digit_value(c) : -1;
}

/* The first character from p on, before `end`, that is no space. */
static inline const char *sfu_skip_space(const char *p, const char *end)
{
    while (p < end && sfu_is_space(g_utf8_get_char(p)))
        p = g_utf8_next_char(p);
    return p;
}

#endif
