/* The path for every job on every device: one output an item (conv.cl). What the others are tested against.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

typedef struct {
    gboolean half;
    int n_out, n_in, taps;
} PlainPack;

/* [out, in, taps] -> [out, taps, in]. */
static void pack_plain(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer data)
{
    const PlainPack *p = data;
    const gint64 k = (gint64)p->n_in * p->taps;
    float *row = g_new(float, k);
    for (gint64 o = first; o < end; o++) {
        sfu_weight_read_f32(w, o * k, k, row);
        for (int t = 0; t < p->taps; t++)
            for (int i = 0; i < p->n_in; i++)
                sfu_put_weight(dst, p->half, (o * p->taps + t) * p->n_in + i, row[(gint64)i * p->taps + t]);
    }
    g_free(row);
}

static gboolean can(const SfuConvJob *j)
{
    return TRUE;
}

static gboolean product(const SfuConvJob *j, const SfuTensor *y, GError **error)
{
    char options[64];
    const PlainPack p = {.half = sfu_conv_half(j), .n_out = j->n_out, .n_in = j->n_in, .taps = j->taps};
    SfuConvTerms terms;
    SfuTensor *wide = NULL;
    const SfuTensor *wt;
    /* A CPU comes here with other jobs than rows. */
    if (sfu_conv_stays_quantized(j) && sfu_queue_kernels(j->q) != SFU_KERNELS_CPU)
        wt = wide = sfu_conv_widen_rows(j, &(SfuWideRows){.n_rows = j->n_out, .half = p.half}, error);
    else
        wt = sfu_weight_on_device(j->q, j->w, p.half ? "plain16" : "plain32", p.half ? SFU_F16 : SFU_F32,
                                  sfu_weight_elements(j->w), p.n_out, pack_plain, &p, error);
    if (!wt || !sfu_conv_terms(j, &terms, error)) {
        sfu_tensor_destroy(wide);
        return FALSE;
    }
    sfu_conv_options(j, options, sizeof options);
    sfu_options_add(options, sizeof options, "-DPLAIN ");
    const SfuLaunch l = {.program = "conv",
                         .kernel = "conv_plain",
                         .options = options,
                         .global = {(size_t)j->n_out, (size_t)j->y->h * j->y->w, (size_t)j->y->n},
                         .flops = j->flops,
                         .bytes = j->bytes};
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(y), SFU_TENSOR(j->x), SFU_TENSOR(wt));
    sfu_conv_add_geometry(&args, j);
    sfu_conv_add_epilogue(&args, j, &terms);
    const gboolean ok = sfu_op_launch(j->q, &l, &args, error);
    sfu_tensor_destroy(wide);
    return ok;
}

/* Both halves, then one times the other's gate. CPUs come here with odd widths only, and have a faster way for the
 * product. */
static gboolean geglu(const SfuConvJob *j, GError **error)
{
    const SfuEpilogue only_bias = {.bias = j->e->bias};
    const int width = sfu_queue_kernels(j->q) == SFU_KERNELS_CPU ? sfu_cpu_width(j->q) : 0;
    SfuTensor *wide = sfu_tensor_create(j->q, j->y->dtype, j->y->n, j->y->h, j->y->w, j->n_out, error);
    if (!wide)
        return FALSE;
    SfuConvJob both = *j;
    both.y = wide;
    both.out = *wide;
    both.e = &only_bias;
    both.width = width;
    const SfuLaunch l = {.program = "conv",
                         .kernel = "geglu_plain",
                         .options = j->x->dtype == SFU_F16 ? "-DACT_F16 -DPLAIN" : "-DPLAIN",
                         .global = {(size_t)j->y->c, (size_t)j->n_pix, 1},
                         .bytes = 3 * sfu_op_bytes(j->y)};
    const SfuArg args[] = {SFU_TENSOR(j->y), SFU_TENSOR(wide), SFU_INT(j->y->c)};
    const gboolean ok = (width ? sfu_linear_panel.launch(&both, error) : product(&both, wide, error)) &&
                        sfu_launch(j->q, &l, args, G_N_ELEMENTS(args), error);
    sfu_tensor_destroy(wide);
    return ok;
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    return j->e->geglu ? geglu(j, error) : product(j, &j->out, error);
}

const SfuConvPath sfu_conv_plain = {"plain", can, launch};
