/* Names and shapes of an adapter's file, and of a textual inversion's: what they are taken for, and what they make of
 * weights. Input: lines "name d0 d1 ...". Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#define _GNU_SOURCE
#include "lines.h"
#include "family/adapter_modules.h"
#include "model/embedding.h"

/* Puts the change on a weight of ones and reads a part of it. */
static void apply(const SfuDelta *d)
{
    const gint64 out = d->out ? d->out : 3, n = out * d->in * d->taps, dims[] = {out, d->in, d->taps};
    if (n > 65536)
        return;
    float *ones = g_new(float, n), v[16];
    for (gint64 i = 0; i < n; i++)
        ones[i] = 1;
    SfuWeight *w = sfu_weight_new_take("w", SFU_F32, 3, dims, ones, sizeof *ones * (gsize)n);
    SfuDeltas *all = sfu_deltas_new();
    const SfuDeltaUse use = {w, d, .n_rows = out, .strength = 0.5f};
    sfu_deltas_set(all, &use, 1);
    sfu_weight_read_f32(w, n / 2, MIN(n - n / 2, 16), v);
    sfu_deltas_free(all);
    sfu_weight_destroy(w);
}

static void open_adapter(const char *path)
{
    static const gint64 shapes[][3] = {{4, 4, 1}, {8, 4, 9}, {1, 1, 1}, {32, 48, 1}}; /* rows, inputs, taps */
    GError *error = NULL;
    SfuEmbedding *e = sfu_embedding_read(path, NULL, &error);
    fuzz_check_error(e != NULL, &error);
    sfu_embedding_free(e);
    SfuAdapter *a = sfu_adapter_open(path, &error);
    fuzz_check_error(a != NULL, &error);
    for (guint i = 0; a && i < sfu_adapter_n_modules(a) && i < 20; i++)
        for (gsize k = 0; k < 2 * G_N_ELEMENTS(shapes); k++) {
            const gint64 *s = shapes[k / 2];
            SfuDelta *d =
                sfu_adapter_changes(a, i, k % 2) ? sfu_adapter_delta(a, i, k % 2, s[0], s[1], s[2], &error) : NULL;
            if (d)
                apply(d);
            sfu_delta_free(d);
            g_clear_error(&error);
        }
    if (a)
        g_free(sfu_adapter_inspect(a));
    sfu_adapter_close(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_lines(data, size, (gint64)1 << 24, open_adapter);
    return 0;
}
