/* Convolution and learned products: a job is checked once; and what its paths share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"
#include <stdarg.h>
#include <string.h>

const SfuConvGeometry sfu_linear_geometry = {.op = "linear", .kh = 1, .kw = 1, .stride = 1, .groups = 1};

/* ---- checks ---- */

static gboolean weights_fit(const SfuConvJob *j, GError **error)
{
    const SfuConvGeometry *g = j->g;
    const int read = g->x_c ? g->x_c : j->x->c; /* channels of x */
    if (sfu_weight_elements(j->w) == (gint64)j->n_out * j->n_in * j->taps && j->n_in * g->groups == read &&
        j->n_out % g->groups == 0 && read <= j->x->c)
        return TRUE;
    return sfu_op_shape_error(error, g->op, "%s has %" G_GINT64_FORMAT " values, wanted %d x %d x %d",
                              sfu_weight_name(j->w), sfu_weight_elements(j->w), j->n_out, j->n_in, j->taps);
}

static gboolean outputs_fit(const SfuConvJob *j, GError **error)
{
    const SfuConvGeometry *g = j->g;
    const SfuTensor *y = j->y;
    if (g->y_part ? g->y_col < 0 || j->e->chan || j->e->geglu || y->c - g->y_col < j->n_out : g->y_col != 0)
        return sfu_op_shape_error(error, g->op, "%d channels from %d on do not fit into %d", j->n_out, g->y_col, y->c);
    if ((!g->y_part && y->c != (j->e->geglu ? j->n_out / 2 : j->n_out)) || y->n != j->x->n || y->dtype != j->x->dtype)
        return sfu_op_shape_error(error, g->op, "%s gives %d channels, y has %d (%s from %s)", sfu_weight_name(j->w),
                                  j->n_out, y->c, sfu_dtype_name(y->dtype), sfu_dtype_name(j->x->dtype));
    return TRUE;
}

static gboolean epilogue_fits(const SfuConvJob *j, GError **error)
{
    const SfuEpilogue *e = j->e;
    const SfuTensor *y = j->y;
    const char *op = j->g->op;
    if (e->residual && !sfu_op_same_shape(error, op, y, e->residual))
        return FALSE;
    if (e->geglu &&
        (e->chan || e->residual || e->act != SFU_ACT_NONE || (e->scale != 0 && e->scale != 1) || j->n_out % 2))
        return sfu_op_shape_error(error, op, "%s: behind GEGLU only a bias is possible", sfu_weight_name(j->w));
    if (e->chan &&
        (e->chan->n != y->n || e->chan->c != y->c || e->chan->h != 1 || e->chan->w != 1 || e->chan->dtype != y->dtype))
        return sfu_op_shape_error(error, op, "the channel term has %d x %d values for %d x %d", e->chan->n, e->chan->c,
                                  y->n, y->c);
    if (e->bias && sfu_weight_elements(e->bias) != j->n_out)
        return sfu_op_shape_error(error, op, "%s has %" G_GINT64_FORMAT " values for %d channels",
                                  sfu_weight_name(e->bias), sfu_weight_elements(e->bias), j->n_out);
    if (e->act == SFU_ACT_PRELU &&
        (!e->prelu || (sfu_weight_elements(e->prelu) != j->n_out && sfu_weight_elements(e->prelu) != 1)))
        return sfu_op_shape_error(error, op, "%s: PReLU needs 1 or %d slopes", sfu_weight_name(j->w), j->n_out);
    const SfuTensor *m = e->moments;
    if (m && (j->g->y_part || m->n != y->n || m->h != 1 || m->w != 3 || m->c != y->c || m->dtype != SFU_F32))
        return sfu_op_shape_error(error, op, "the moments are %d x %d x %d x %d for %d samples of %d channels", m->n,
                                  m->h, m->w, m->c, y->n, y->c);
    return TRUE;
}

gboolean sfu_conv_job(SfuConvJob *job, SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w,
                      const SfuConvGeometry *g, const SfuEpilogue *e, GError **error)
{
    static const SfuEpilogue none;
    SfuConvJob j = {.q = q,
                    .y = y,
                    .x = x,
                    .w = w,
                    .g = g,
                    .e = e ? e : &none,
                    .taps = g->kh * g->kw,
                    .n_out = (int)sfu_weight_dim(w, 0),
                    .n_in = (g->x_c ? g->x_c : x->c) / g->groups,
                    .n_pix = y->n * y->h * y->w,
                    .out = *y};
    if (!weights_fit(&j, error) || !outputs_fit(&j, error) || !epilogue_fits(&j, error))
        return FALSE;
    j.out.offset += (size_t)g->y_col;
    if (j.e->residual) {
        j.residual = *j.e->residual;
        j.residual.offset += (size_t)g->y_col;
    }
    j.n_panels = (j.n_out + SFU_PANEL - 1) / SFU_PANEL;
    j.flops = 2.0 * j.n_pix * j.n_out * j.n_in * j.taps;
    j.bytes = sfu_op_bytes(x) + sfu_op_bytes(y) + sfu_weight_stored_bytes(w);
    *job = j;
    return TRUE;
}

/* ---- what several paths share ---- */

gboolean sfu_conv_is_rows(const SfuConvJob *j)
{
    const SfuConvGeometry *g = j->g;
    return j->taps == 1 && g->stride == 1 && g->pad_top == 0 && g->pad_left == 0 && j->y->h == j->x->h &&
           j->y->w == j->x->w && j->n_in == j->x->c && !g->y_part;
}

gboolean sfu_conv_on_cpu(const SfuConvJob *j)
{
    return sfu_queue_kernels(j->q) == SFU_KERNELS_CPU && j->g->groups == 1 && !(j->e->geglu && j->n_out % SFU_PANEL);
}

gboolean sfu_conv_half(const SfuConvJob *j)
{
    return !j->widened && sfu_weight_half(j->q, j->w);
}

void sfu_options_add(char *options, gsize size, const char *format, ...)
{
    const gsize n = strlen(options);
    va_list ap;
    va_start(ap, format);
    g_vsnprintf(options + n, size - n, format, ap);
    va_end(ap);
}

const char *sfu_conv_integers(const SfuConvJob *j, int vector)
{
    static const char *const options[] = {
        [SFU_INTEGERS_PLAIN] = "", [SFU_INTEGERS_MADD] = " -DMADD", [SFU_INTEGERS_VNNI] = " -DVNNI"};
    return options[sfu_queue_integers(j->q, vector)];
}

const char *sfu_conv_acts(const SfuConvJob *j)
{
    switch (j->e->act) {
    case SFU_ACT_NONE:
    case SFU_ACT_SILU:
    case SFU_ACT_RELU:
    case SFU_ACT_LEAKY_RELU:
    case SFU_ACT_PRELU:
        return "-DFEW_ACTS ";
    default:
        return "";
    }
}

void sfu_conv_options(const SfuConvJob *j, char *options, gsize size)
{
    g_snprintf(options, size, "%s%s%s", j->x->dtype == SFU_F16 ? "-DACT_F16 " : "", sfu_conv_half(j) ? "-DW_F16 " : "",
               sfu_conv_acts(j));
}

const char *sfu_conv_out4(const SfuConvJob *j)
{
    return j->out.offset % 4 == 0 && j->y->c % 4 == 0 && (!j->e->residual || j->residual.offset % 4 == 0) ? " -DOUT4"
                                                                                                          : "";
}

void sfu_conv_add_geometry(SfuArgs *args, const SfuConvJob *j)
{
    const SfuConvGeometry *g = j->g;
    SFU_ADD(args, SFU_INT(j->x->h), SFU_INT(j->x->w), SFU_INT(j->n_in), SFU_INT(j->y->h), SFU_INT(j->y->w),
            SFU_INT(j->n_out), SFU_INT(g->kh), SFU_INT(g->kw), SFU_INT(g->stride), SFU_INT(g->pad_top),
            SFU_INT(g->pad_left), SFU_INT(g->upsample2), SFU_INT(g->circular), SFU_INT(g->groups), SFU_INT(j->x->c),
            SFU_INT(j->y->c));
}

gboolean sfu_conv_terms(const SfuConvJob *j, SfuConvTerms *terms, GError **error)
{
    *terms = (SfuConvTerms){NULL, NULL};
    return (!j->e->bias || (terms->bias = sfu_weight_f32(j->q, j->e->bias, error))) &&
           (j->e->act != SFU_ACT_PRELU || (terms->prelu = sfu_weight_f32(j->q, j->e->prelu, error)));
}

void sfu_conv_add_epilogue(SfuArgs *args, const SfuConvJob *j, const SfuConvTerms *terms)
{
    const SfuEpilogue *e = j->e;
    SFU_ADD(args, SFU_TENSOR(terms->bias), SFU_TENSOR(e->chan), SFU_TENSOR(terms->prelu),
            SFU_INT(e->prelu ? (int)sfu_weight_elements(e->prelu) : 0), SFU_TENSOR(e->residual ? &j->residual : NULL),
            SFU_INT(e->act), SFU_FLOAT(e->act_param), SFU_FLOAT(e->scale == 0 ? 1 : e->scale));
}
