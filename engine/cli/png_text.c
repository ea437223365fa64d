/* Text chunks of PNG files (PNG specification, third edition, 5.3 and 11.3.3).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <string.h>
#include <zlib.h>

#define MAX_TEXT (16 << 20)
static const guint8 signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

/* zlib data to a string; NULL if it is damaged or larger than MAX_TEXT. */
static char *inflate_text(const guint8 *data, gsize n)
{
    for (uLongf room = MAX(4 * n, 4096); room <= MAX_TEXT; room *= 4) {
        char *out = g_malloc(room + 1);
        uLongf len = room;
        const int r = uncompress((Bytef *)out, &len, data, n);
        if (r == Z_OK) {
            out[len] = 0;
            return out;
        }
        g_free(out);
        if (r != Z_BUF_ERROR)
            break;
    }
    return NULL;
}

/* Latin-1 by the letter; programs write UTF-8 all the same. Caller frees; NULL: neither. */
static char *latin1_or_utf8(const char *text, gssize n)
{
    if (g_utf8_validate(text, n, NULL))
        return n < 0 ? g_strdup(text) : g_strndup(text, (gsize)n);
    return g_convert(text, n, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
}

/* The text of one chunk's data; NULL if it is damaged or has another keyword. */
static char *chunk_text(const char *type, const guint8 *data, gsize n, const char *keyword)
{
    const gsize k = strlen(keyword) + 1;
    if (n < k || memcmp(data, keyword, k) != 0)
        return NULL;
    data += k;
    n -= k;
    if (memcmp(type, "tEXt", 4) == 0)
        return latin1_or_utf8((const char *)data, (gssize)n);
    if (memcmp(type, "zTXt", 4) == 0) { /* method 0, then as tEXt */
        char *packed = n > 1 && data[0] == 0 ? inflate_text(data + 1, n - 1) : NULL,
             *plain = packed ? latin1_or_utf8(packed, -1) : NULL;
        g_free(packed);
        return plain;
    }
    /* iTXt: compression flag, method, language 0, translated keyword 0, text */
    if (n < 2 || data[0] > 1)
        return NULL;
    const gboolean compressed = data[0] == 1;
    data += 2;
    n -= 2;
    for (int i = 0; i < 2; i++) {
        const guint8 *end = memchr(data, 0, n);
        if (!end)
            return NULL;
        n -= (gsize)(end + 1 - data);
        data = end + 1;
    }
    char *text = compressed ? inflate_text(data, n) : g_strndup((const char *)data, n);
    if (text && !g_utf8_validate(text, -1, NULL))
        g_clear_pointer(&text, g_free);
    return text;
}

char *sfu_png_text_find(const guint8 *data, gsize n, const char *keyword, GError **error)
{
    if (n < 8 || memcmp(data, signature, 8) != 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "not a PNG file");
        return NULL;
    }
    for (gsize at = 8; n - at >= 12;) {
        const guint32 len = sfu_big_endian(data + at, 4);
        const char *type = (const char *)data + at + 4;
        if (len > n - at - 12)
            break;
        if (memcmp(type, "tEXt", 4) == 0 || memcmp(type, "zTXt", 4) == 0 || memcmp(type, "iTXt", 4) == 0) {
            char *text = chunk_text(type, data + at + 8, len, keyword);
            if (text)
                return text;
        }
        at += 12 + (gsize)len;
    }
    return NULL;
}

char *sfu_png_text_read(const char *path, const char *keyword, GError **error)
{
    GError *local = NULL;
    GMappedFile *map = g_mapped_file_new(path, FALSE, &local);
    if (!map) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s cannot be read: %s", path, local->message);
        g_error_free(local);
        return NULL;
    }
    char *text = sfu_png_text_find((const guint8 *)g_mapped_file_get_contents(map), g_mapped_file_get_length(map),
                                   keyword, &local);
    if (local) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s: %s", path, local->message);
        g_error_free(local);
    }
    g_mapped_file_unref(map);
    return text;
}
