/* Names and shapes of a single file: mapping, family, configuration, what is missing. Input: lines "name d0 d1 ...".
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "fuzz.h"
#include "family/family.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 20000 || !g_utf8_validate((const char *)data, (gssize)size, NULL))
        return 0;
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
    if (at < (gint64)1 << 40 && ftruncate(fd, (off_t)(8 + header->len) + at) == 0) {
        GError *error = NULL;
        g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        SfuModel *m = sfu_model_open(path, &error);
        fuzz_check_error(m != NULL, &error);
        if (m)
            g_free(sfu_model_inspect(m));
        sfu_model_close(m);
    }
    close(fd);
    g_string_free(header, TRUE);
    g_strfreev(lines);
    g_free(text);
    return 0;
}
