/* ncnn's files of the same weights as a safetensors file give the same picture, and what is another network is refused.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "small_models.h"
#include "ncnn.h"
#include "runtime/half.h"

typedef struct {
    SfuModel *m;
    GString *text, *bin;
    const NcnnSpelling *s;
    int n_layers, n_blobs;
} Writer;

/* A new blob's number; its name is "b<number>". */
static int add(Writer *w, const char *type, int n_in, const int *in, const char *numbers)
{
    g_string_append_printf(w->text, "%s l%d %d 1", type, w->n_layers++, n_in);
    for (int i = 0; i < n_in; i++)
        g_string_append_printf(w->text, " b%d", in[i]);
    g_string_append_printf(w->text, " b%d %s\n", w->n_blobs, numbers);
    return w->n_blobs++;
}

static void append_f32(GString *out, const SfuWeight *weight)
{
    const gint64 n = sfu_weight_elements(weight);
    float *v = g_new(float, n);
    sfu_weight_read_f32(weight, 0, n, v);
    g_string_append_len(out, (const char *)v, (gssize)(n * 4));
    g_free(v);
}

static const SfuWeight *find(Writer *w, const char *name, const char *what)
{
    char *full = g_strconcat(name, what, NULL);
    const SfuWeight *weight = sfu_model_find(w->m, SFU_PART_UPSCALER, full);
    g_assert_nonnull(weight);
    g_free(full);
    return weight;
}

/* The convolution of that name; leaky: with a leaky ReLU behind it. */
static int conv(Writer *w, int in, const char *name, gboolean leaky)
{
    const SfuWeight *weight = find(w, name, ".weight");
    const gint64 n = sfu_weight_elements(weight);
    const guint32 tag = w->s->tag;
    char *numbers = g_strdup_printf("0=%d 1=3 4=1 5=1 6=%d%s%s", (int)sfu_weight_dim(weight, 0), (int)n,
                                    leaky && w->s->fused ? w->s->slope : "", w->s->int8 ? " 8=2" : "");
    int b = add(w, "Convolution", 1, &in, numbers);
    g_string_append_len(w->bin, (const char *)&tag, 4);
    if (tag == 0x01306B47) {
        float *v = g_new(float, n);
        sfu_weight_read_f32(weight, 0, n, v);
        for (gint64 i = 0; i < n; i++) {
            const guint16 h = sfu_half_from_float(v[i]);
            g_string_append_len(w->bin, (const char *)&h, 2);
        }
        while (w->bin->len % 4)
            g_string_append_c(w->bin, 0);
        g_free(v);
    } else
        append_f32(w->bin, weight);
    append_f32(w->bin, find(w, name, ".bias"));
    if (leaky && !w->s->fused)
        b = add(w, "ReLU", 1, &b, "0=0.2");
    g_free(numbers);
    return b;
}

/* 0.2 * x + y */
static int scaled_sum(Writer *w, int x, int y)
{
    if (w->s->fused)
        return add(w, "Eltwise", 2, (int[]){x, y}, "0=1 -23301=2,2.000000e-01,1.000000e+00");
    const int scaled = add(w, "BinaryOp", 1, &x, "0=2 1=1 2=0.2");
    return add(w, "BinaryOp", 2, (int[]){y, scaled}, "0=0");
}

static void write_rrdb(Writer *w)
{
    const SfuUpscalerConfig *c = sfu_model_upscaler(w->m);
    char name[64];
    const int first = conv(w, 0, "conv_first", FALSE);
    int x = first;
    for (int b = 0; b < c->blocks; b++) {
        const int block = x;
        for (int r = 1; r <= 3; r++) {
            int have[5] = {x}, y = 0;
            for (int i = 1; i <= 5; i++) {
                g_snprintf(name, sizeof name, "body.%d.rdb%d.conv%d", b, r, i);
                y = conv(w, i == 1 ? x : add(w, "Concat", i, have, "0=0"), name, i < 5);
                if (i < 5)
                    have[i] = y;
            }
            x = scaled_sum(w, y, x);
        }
        x = scaled_sum(w, x, block);
    }
    x = add(w, "BinaryOp", 2, (int[]){first, conv(w, x, "conv_body", FALSE)}, "0=0");
    for (int i = 1; i <= c->n_stages; i++) {
        g_snprintf(name, sizeof name, "conv_up%d", i);
        x = conv(w, add(w, "Interp", 1, &x, "0=1 1=2.0 2=2.0"), name, TRUE);
    }
    conv(w, conv(w, x, "conv_hr", TRUE), "conv_last", FALSE);
}

static void write_srvgg(Writer *w)
{
    const SfuUpscalerConfig *c = sfu_model_upscaler(w->m);
    char name[64], numbers[64];
    int x = 0;
    for (int i = 0; i <= c->blocks + 1; i++) {
        g_snprintf(name, sizeof name, "body.%d", 2 * i);
        x = conv(w, x, name, FALSE);
        if (i > c->blocks)
            break;
        g_snprintf(name, sizeof name, "body.%d", 2 * i + 1);
        const SfuWeight *slopes = find(w, name, ".weight");
        g_snprintf(numbers, sizeof numbers, "0=%d", (int)sfu_weight_elements(slopes));
        x = add(w, "PReLU", 1, &x, numbers);
        append_f32(w->bin, slopes);
    }
    g_snprintf(numbers, sizeof numbers, "0=%d", c->scale);
    const int shuffled = add(w, "PixelShuffle", 1, &x, numbers), picture = 0;
    g_snprintf(numbers, sizeof numbers, "0=1 1=%d 2=%d", c->scale, c->scale);
    x = add(w, "BinaryOp", 2, (int[]){shuffled, add(w, "Interp", 1, &picture, numbers)}, "0=0");
    if (w->s->reduction) {
        g_snprintf(numbers, sizeof numbers, "0=3 1=%s 2=%s", w->s->reduction, w->s->reduction);
        add(w, "Interp", 1, &x, numbers);
    }
}

char *ncnn_write(const char *key, const NcnnSpelling *s)
{
    Writer w = {.m = parity_model(key),
                .text = g_string_new("Input data 0 1 b0\n"),
                .bin = g_string_new(NULL),
                .s = s,
                .n_layers = 1,
                .n_blobs = 1};
    if (g_str_has_prefix(key, "rrdb"))
        write_rrdb(&w);
    else
        write_srvgg(&w);
    char *path = parity_model_path(key, NULL), *folder = g_path_get_dirname(path),
         *stem = g_build_filename(folder, s->name, NULL);
    char *param = g_strconcat(stem, ".param", NULL), *bin = g_strconcat(stem, ".bin", NULL);
    char *text = g_strdup_printf("7767517\n%d %d\n%s", w.n_layers, w.n_blobs, w.text->str);
    g_assert_true(g_file_set_contents(param, text, -1, NULL));
    for (int i = 0; i < -s->cut; i++)
        g_string_append_c(w.bin, 0);
    g_assert_true(g_file_set_contents(bin, w.bin->str, (gssize)w.bin->len - MAX(s->cut, 0), NULL));
    g_string_free(w.text, TRUE);
    g_string_free(w.bin, TRUE);
    g_free(text);
    g_free(bin);
    g_free(stem);
    g_free(folder);
    g_free(path);
    return param;
}
