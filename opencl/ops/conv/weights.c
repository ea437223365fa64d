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

static void pack_panels(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const PanelPack *p = data;
    const gint64 k = (gint64)p->n_in * p->taps;
    float *rows = g_new(float, PANEL *k);
    for (gint64 panel = 0; panel * PANEL < p->n_out; panel++) {
        memset(rows, 0, sizeof *rows * PANEL * (size_t)k);
        for (int j = 0; j < PANEL; j++) {
            const gint64 o = panel_row(p, panel * PANEL + j);
            if (o >= 0)
                sfu_weight_read_f32(w, o * k, k, rows + j * k);
        }
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                for (int j = 0; j < PANEL; j++)
                    sfu_put_weight(dst, p->half, (panel * k + (gint64)t * p->n_in + i) * PANEL + j,
                                   rows[j * k + (gint64)i * p->taps + t]);
    }
    g_free(rows);
}

const SfuTensor *sfu_conv_panels(const SfuConvJob *j, SfuPanels kind, GError **error)
{
    static const char *const names[] = {
        [SFU_PANELS] = "panel32", [SFU_PANELS_GEGLU] = "panel32 geglu", [SFU_PANELS_F32] = "panel32 fp32"};
    const PanelPack p = {.half = j->half && kind != SFU_PANELS_F32,
                         .geglu = kind == SFU_PANELS_GEGLU,
                         .n_out = j->n_out,
                         .n_in = j->n_in,
                         .taps = j->taps};
    return sfu_weight_on_device(j->q, j->w, names[kind], p.half ? SFU_F16 : SFU_F32,
                                (gint64)j->n_panels * PANEL * j->n_in * j->taps, pack_panels, &p, error);
}

typedef struct {
    PanelPack panels;
    int words; /* of a tap's inputs */
} PairPack;

/* [panels][blocks of 32 inputs][taps][16 words of 2 inputs][32 outputs]: with one tap, simply [panels][words][32]. */
static void pack_panels_bf16(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const PairPack *pairs = data;
    const PanelPack *p = &pairs->panels;
    const gint64 k = (gint64)p->n_in * p->taps;
    float *row = g_new(float, k);
    memset(dst, 0, bytes);
    for (gint64 at = 0; at < (p->n_out + PANEL - 1) / PANEL * PANEL; at++) {
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
    return sfu_weight_on_device(j->q, j->w, layout, SFU_I32, (gint64)j->n_panels * PANEL * j->taps * words,
                                pack_panels_bf16, &p, error);
}

static void pack_geglu_bias(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    const int n = (int)sfu_weight_elements(w);
    float *v = g_new(float, n), *out = dst;
    sfu_weight_read_f32(w, 0, n, v);
    for (int o = 0; o < n; o++)
        out[o] = o % 32 < 16 ? v[o / 32 * 16 + o % 32] : v[n / 2 + o / 32 * 16 + o % 32 - 16];
    g_free(v);
}

const SfuTensor *sfu_conv_geglu_bias(const SfuConvJob *j, GError **error)
{
    return sfu_weight_on_device(j->q, j->e->bias, "geglu", SFU_F32, j->n_out, pack_geglu_bias, NULL, error);
}

static void pack_zeros(const SfuWeight *w, void *dst, size_t bytes, gconstpointer data)
{
    memset(dst, 0, bytes);
}

const SfuTensor *sfu_conv_zeros(const SfuConvJob *j, GError **error)
{
    return sfu_weight_on_device(j->q, j->w, j->x->dtype == SFU_F16 ? "zeros16" : "zeros32", j->x->dtype, j->n_in,
                                pack_zeros, NULL, error);
}
