/* The catalogue of models that sfumato-fetch reads. The input is the whole file. What is accepted is safe to ask for
 * and to write. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "fuzz.h"
#include "fetch.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    GError *error = NULL;
    const int fd = memfd_create("fuzz", 0);
    g_assert_true(write(fd, data, size) == (gssize)size);
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    GPtrArray *models = sfu_fetch_catalogue_read(path, &error);
    g_assert_true((models == NULL) == (error != NULL));
    for (guint i = 0; models && i < models->len; i++) {
        const SfuFetchModel *m = g_ptr_array_index(models, i);
        g_assert_true(m->license && *m->license && m->files->len > 0 && !strchr(m->name, '/'));
        for (guint k = 0; k < m->files->len; k++) {
            const SfuFetchFile *f = g_ptr_array_index(m->files, k);
            g_assert_true(sfu_fetch_url_is_safe(f->url) && sfu_fetch_path_is_safe(f->path) && strlen(f->sha256) == 64);
        }
    }
    if (models)
        g_ptr_array_unref(models);
    g_clear_error(&error);
    close(fd);
    return 0;
}
