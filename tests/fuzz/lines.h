/* What the targets of names and shapes share: lines "name d0 d1 ..." as a safetensors file of zeros.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FUZZ_LINES_H
#define FUZZ_LINES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fuzz.h"
#include <sys/mman.h>
#include <unistd.h>

/* Calls use(path) for the file, unless it would be larger than most bytes. */
static inline void fuzz_lines(const uint8_t *data, size_t size, gint64 most, void (*use)(const char *path))
{
    if (size > 20000 || !g_utf8_validate((const char *)data, (gssize)size, NULL))
        return;
    char *text = g_strndup((const char *)data, size), **lines = g_strsplit(text, "\n", 300), path[64];
    GString *header = g_string_new("{\"__metadata__\":{}");
    gint64 at = 0;
    for (char **l = lines; *l; l++) {
        char **words = g_strsplit(*l, " ", 6);
        gint64 n = 4;
        if (words[0]) { /* quotes in a name make a broken header: refused, which is fine too */
            g_string_append_printf(header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", words[0]);
            for (int i = 1; i < 5 && words[i]; i++) {
                const gint64 d = CLAMP(g_ascii_strtoll(words[i], NULL, 10), 0, 4096);
                g_string_append_printf(header, "%s%d", i > 1 ? "," : "", (int)d);
                n *= d;
            }
            g_string_append_printf(header, "],\"data_offsets\":[%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT "]}", at,
                                   at + n);
            at += n;
        }
        g_strfreev(words);
    }
    g_string_append_c(header, '}');
    const int fd = memfd_create("fuzz", 0);
    const guint64 length = header->len;
    g_assert_true(write(fd, &length, 8) == 8 && write(fd, header->str, header->len) == (gssize)header->len);
    if (at < most && ftruncate(fd, (off_t)(8 + header->len) + at) == 0) {
        g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        use(path);
    }
    close(fd);
    g_string_free(header, TRUE);
    g_strfreev(lines);
    g_free(text);
}

#endif
