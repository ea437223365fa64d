/* Classes of characters, as the patterns of tokenizers name them.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UNICODE_H
#define SFU_UNICODE_H

#include <glib.h>

/* \s, \p{L}, \p{N}, and what is left; by Unicode 16, whatever GLib knows. */
typedef enum { SFU_CHAR_SPACE, SFU_CHAR_LETTER, SFU_CHAR_NUMBER, SFU_CHAR_OTHER } SfuCharClass;
SfuCharClass sfu_char_class(gunichar c);

#endif
