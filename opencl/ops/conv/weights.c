/* Layouts of weights for the CPU family.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include "runtime/half.h"
#include <string.h>

enum { PANEL = SFU_PANEL, BLOCK = 32 /* inputs whose taps follow each other */ };

typedef struct {
    gboolean half, geglu;
    int n_out, n_in, taps;
} PanelPack;

void sfu_put_weight(void *dst, gboolean half, gint64 i, float v)
{
    if (half)
        ((guint16 *)dst)[i] = sfu_half_from_float(v);
    else
        ((float *)dst)[i] = v;
}

gint64 sfu_conv_output_at(gint64 at, int n_out, int gate_columns)
{
    if (!gate_columns)
        return at < n_out ? at : -1;
    const gint64 o = at / (2 * gate_columns) * gate_columns + at % gate_columns;
    return o >= n_out / 2 ? -1 : at % (2 * gate_columns) < gate_columns ? o : n_out / 2 + o;
}

static gint64 panel_row(const PanelPack *p, gint64 at)
{
    return sfu_conv_output_at(at, p->n_out, p->geglu ? PANEL / 2 : 0);
}

/* The k plain fp16 values of output o, if the file has them so; else NULL. */
static const guint16 *halves_of(const SfuWeight *w, gint64 o, gint64 k)
{
    float scale;
    const gboolean is_row = sfu_weight_dim(w, 0) * k == sfu_weight_elements(w);
    const void *row = is_row && sfu_weight_stored(w) == SFU_F16 ? sfu_weight_row(w, o, &scale) : NULL;
    return row && scale == 1 ? row : NULL;
}

/* Output o's k values, as `half` says, in the order of the file. scratch: k values. */
static void copy_output(const SfuWeight *w, gboolean half, gint64 o, gint64 k, float *scratch, void *to)
{
    const guint16 *halves = half ? halves_of(w, o, k) : NULL;
    if (halves) {
        memcpy(to, halves, sizeof *halves * (size_t)k);
        return;
    }
    sfu_weight_read_f32(w, o * k, k, half ? scratch : to);
    for (gint64 i = 0; half && i < k; i++)
        ((guint16 *)to)[i] = sfu_half_from_float(scratch[i]);
}

/* rows [PANEL][inputs][taps] -> to [taps][inputs][PANEL], some inputs at a time, so that the rows' cache lines are read
 * once. Inlined for each size, or every value would be copied by a call. */
__attribute__((always_inline)) static inline void interleave(const PanelPack *p, const guint8 *rows, guint8 *to,
                                                             size_t size)
{
    enum { AT_ONCE = 16 };
    const size_t k = (size_t)p->n_in * (size_t)p->taps;
    for (int from = 0; from < p->n_in; from += AT_ONCE)
        for (int t = 0; t < p->taps; t++)
            for (int i = from; i < MIN(from + AT_ONCE, p->n_in); i++)
                for (int j = 0; j < PANEL; j++)
                    memcpy(to + (((size_t)t * p->n_in + i) * PANEL + j) * size,
                           rows + (j * k + (size_t)i * p->taps + t) * size, size);
}

static void pack_panels(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const PanelPack *p = data;
    const gint64 k = (gint64)p->n_in * p->taps;
    const size_t size = p->half ? sizeof(guint16) : sizeof(float);
    float *scratch = g_new(float, k);
    guint8 *rows = g_malloc_n(PANEL * (gsize)k, size);
    for (gint64 panel = first; panel < end; panel++) {
        guint8 *to = (guint8 *)dst + (size_t)panel * part_bytes;
        for (int j = 0; j < PANEL; j++) {
            const gint64 o = panel_row(p, panel * PANEL + j);
            guint8 *row = rows + j * (size_t)k * size;
            if (o >= 0)
                copy_output(w, p->half, o, k, scratch, row);
            else
                memset(row, 0, (size_t)k * size);
        }
        if (p->half)
            interleave(p, rows, to, sizeof(guint16));
        else
            interleave(p, rows, to, sizeof(float));
    }
    g_free(rows);
    g_free(scratch);
}

const SfuTensor *sfu_conv_panels(const SfuConvJob *j, SfuPanels kind, GError **error)
{
    static const char *const names[] = {
        [SFU_PANELS] = "panel32", [SFU_PANELS_GEGLU] = "panel32 geglu", [SFU_PANELS_F32] = "panel32 fp32"};
    const PanelPack p = {.half = sfu_conv_half(j) && kind != SFU_PANELS_F32,
                         .geglu = kind == SFU_PANELS_GEGLU,
                         .n_out = j->n_out,
                         .n_in = j->n_in,
                         .taps = j->taps};
    return sfu_weight_on_device(j->q, j->w, names[kind], p.half ? SFU_F16 : SFU_F32,
                                (gint64)j->n_panels * PANEL * j->n_in * j->taps, j->n_panels, pack_panels, &p, error);
}

typedef struct {
    PanelPack panels;
    int words; /* of a tap's inputs */
} PairPack;

/* [panels][blocks of 32 inputs][taps][16 words of 2 inputs][32 outputs]: with one tap, simply [panels][words][32]. */
static void pack_panels_bf16(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end,
                             gconstpointer data)
{
    const PairPack *pairs = data;
    const PanelPack *p = &pairs->panels;
    const gint64 k = (gint64)p->n_in * p->taps;
    float *row = g_new(float, k);
    memset((guint8 *)dst + (size_t)first * part_bytes, 0, (size_t)(end - first) * part_bytes);
    for (gint64 at = first * PANEL; at < end * PANEL; at++) {
        const gint64 o = panel_row(p, at);
        if (o < 0)
            continue;
        sfu_weight_read_f32(w, o * k, k, row);
        guint16 *panel = (guint16 *)dst + 2 * (at / PANEL * p->taps * pairs->words * PANEL + at % PANEL);
        for (int i = 0; i < p->n_in; i++)
            for (int t = 0; t < p->taps; t++) {
                const int word = (i / BLOCK * p->taps + t) * BLOCK / 2 + i % BLOCK / 2;
                panel[2 * (gint64)word * PANEL + i % 2] = sfu_bf16_from_float(row[(gint64)i * p->taps + t]);
            }
    }
    g_free(row);
}

const SfuTensor *sfu_conv_panels_bf16(const SfuConvJob *j, int step, GError **error)
{
    const int words = (j->n_in + step - 1) / step * step / 2;
    const PairPack p = {{.geglu = j->e->geglu, .n_out = j->n_out, .n_in = j->n_in, .taps = j->taps}, words};
    char layout[32]; /* the same for steps that fill up alike */
    g_snprintf(layout, sizeof layout, "bf16 %d%s", words, j->e->geglu ? " geglu" : "");
    return sfu_weight_on_device(j->q, j->w, layout, SFU_I32, (gint64)j->n_panels * PANEL * j->taps * words, j->n_panels,
                                pack_panels_bf16, &p, error);
}

static void pack_geglu_bias(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end,
                            gconstpointer data)
{
    const int n = (int)sfu_weight_elements(w);
    float *v = g_new(float, n), *out = dst;
    sfu_weight_read_f32(w, 0, n, v);
    for (int o = 0; o < n; o++)
        out[o] = o % 32 < 16 ? v[o / 32 * 16 + o % 32] : v[n / 2 + o / 32 * 16 + o % 32 - 16];
    g_free(v);
}

static const SfuTensor *geglu_bias(const SfuConvJob *j, GError **error)
{
    return sfu_weight_on_device(j->q, j->e->bias, "geglu", SFU_F32, j->n_out, 1, pack_geglu_bias, NULL, error);
}

gboolean sfu_conv_panel_terms(const SfuConvJob *j, SfuConvTerms *terms, GError **error)
{
    return j->e->geglu ? !j->e->bias || (terms->bias = geglu_bias(j, error)) : sfu_conv_terms(j, terms, error);
}

static void pack_zeros(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    memset(dst, 0, part_bytes);
}

const SfuTensor *sfu_conv_zeros(const SfuConvJob *j, GError **error)
{
    return sfu_weight_on_device(j->q, j->w, j->x->dtype == SFU_F16 ? "zeros16" : "zeros32", j->x->dtype, j->n_in, 1,
                                pack_zeros, NULL, error);
}
