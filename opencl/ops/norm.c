/* Group and layer normalization, softmax.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"

enum { WG = 64 }; /* of gpu_norm.cl */

static gboolean gpu(const SfuTensor *x)
{
    return sfu_queue_kernels(x->q) == SFU_KERNELS_GPU;
}

/* Options for gpu_norm.cl: whether four values may be read and written at once. */
static const char *gpu_options(const SfuTensor *y, const SfuTensor *x)
{
    if (x->c % 4 || x->offset % 4 || y->offset % 4)
        return sfu_op_storage(x);
    return x->dtype == SFU_F16 ? "-DALIGNED -DOUT4 -DACT_F16" : "-DALIGNED -DOUT4";
}

#define RUN_GPU(y_, x_, kernel_, n0, n1, n2, local0, bytes_, error, ...)                                               \
    sfu_launch((x_)->q,                                                                                                \
               &(SfuLaunch){.program = "gpu_norm",                                                                     \
                            .kernel = kernel_,                                                                         \
                            .options = gpu_options(y_, x_),                                                            \
                            .global = {(size_t)(n0), (size_t)(n1), (size_t)(n2)},                                      \
                            .local = {local0, 1, 1},                                                                   \
                            .bytes = bytes_},                                                                          \
               (const SfuArg[]){__VA_ARGS__}, (int)(sizeof((const SfuArg[]){__VA_ARGS__}) / sizeof(SfuArg)), error)

/* Pixels a chunk: small enough to stay in a cache for the second pass, enough chunks for every unit. */
static int chunk_len(const SfuTensor *x)
{
    const int pixels = x->h * x->w, units = sfu_queue_device(x->q)->n_units * 4;
    return CLAMP(16384 / x->c + 1, 1, MAX(1, (pixels + units - 1) / units));
}

static gboolean are_moments(const SfuTensor *m, int n, int parts, int c)
{
    return m->n == n && m->h == parts && m->w == 3 && m->c == c && m->dtype == SFU_F32;
}

gboolean sfu_op_moments_join(SfuTensor *moments, const SfuTensor *parts, int per, int len, GError **error)
{
    return SFU_RUN(moments, "norm", "moments_join", (moments->c + 15) / 16, moments->n, 1, 0, sfu_op_bytes(parts),
                   error, SFU_TENSOR(moments), SFU_TENSOR(parts), SFU_INT(parts->c), SFU_INT(parts->h), SFU_INT(per),
                   SFU_INT(len));
}

gboolean sfu_moments_join(SfuQueue *q, SfuTensor *moments, const SfuTensor *parts, GError **error)
{
    if (!are_moments(moments, parts->n, 1, parts->c) || !are_moments(parts, parts->n, parts->h, parts->c))
        return sfu_op_shape_error(error, "moments", "parts of %d x %d x %d x %d into %d x %d x %d x %d", parts->n,
                                  parts->h, parts->w, parts->c, moments->n, moments->h, moments->w, moments->c);
    return sfu_op_moments_join(moments, parts, parts->h, 1, error);
}

gboolean sfu_moments(SfuQueue *q, SfuTensor *moments, const SfuTensor *x, GError **error)
{
    const int pixels = x->h * x->w, len = chunk_len(x), chunks = (pixels + len - 1) / len;
    if (!are_moments(moments, x->n, 1, x->c))
        return sfu_op_shape_error(error, "moments", "%d x %d x %d x %d for %d samples of %d channels", moments->n,
                                  moments->h, moments->w, moments->c, x->n, x->c);
    SfuTensor *parts = sfu_tensor_create(q, SFU_F32, x->n, chunks, 3, x->c, error);
    const gboolean ok =
        parts &&
        SFU_RUN(x, "norm", "group_norm_part", chunks, x->n, 1, 4.0 * (double)sfu_tensor_elements(x), sfu_op_bytes(x),
                error, SFU_TENSOR(parts), SFU_TENSOR(x), SFU_INT(pixels), SFU_INT(x->c), SFU_INT(len)) &&
        sfu_moments_join(q, moments, parts, error);
    sfu_tensor_destroy(parts);
    return ok;
}

gboolean sfu_group_norm_stats_from(SfuQueue *q, SfuTensor *stats, const SfuTensor *moments, int n_groups, float eps,
                                   GError **error)
{
    if (!are_moments(moments, moments->n, 1, moments->c) || n_groups < 1 || moments->c % n_groups ||
        stats->n != moments->n || stats->w != n_groups || stats->c != 2 || stats->dtype != SFU_F32)
        return sfu_op_shape_error(error, "group_norm", "%d channels in %d groups", moments->c, n_groups);
    return SFU_RUN(moments, "norm", "group_norm_join", n_groups, moments->n, 1, 0, sfu_op_bytes(moments), error,
                   SFU_TENSOR(stats), SFU_TENSOR(moments), SFU_INT(moments->c), SFU_FLOAT(eps));
}

static gboolean stats_gpu(SfuQueue *q, SfuTensor *stats, const SfuTensor *x, int n_groups, float eps, GError **error)
{
    /* Enough chunks for a thousand items a unit, as long as what they leave stays far below what they read. */
    const int pixels = x->h * x->w,
              len = (int)CLAMP((gint64)pixels * x->n * (x->c / 4 + 1) / (sfu_queue_device(q)->n_units * 1024), 16, 64);
    const int chunks = (pixels + len - 1) / len;
    SfuTensor *part = sfu_tensor_create(q, SFU_F32, x->n, chunks, 2, x->c, error);
    const gboolean ok = part &&
                        RUN_GPU(part, x, "group_norm_part_gpu", (x->c + 3) / 4, chunks, x->n, 0, 2 * sfu_op_bytes(x),
                                error, SFU_TENSOR(part), SFU_TENSOR(x), SFU_INT(pixels), SFU_INT(x->c), SFU_INT(len)) &&
                        RUN_GPU(part, x, "group_norm_join_gpu", (gint64)n_groups * WG, x->n, 1, WG, sfu_op_bytes(part),
                                error, SFU_TENSOR(stats), SFU_TENSOR(part), SFU_INT(pixels), SFU_INT(x->c),
                                SFU_INT(len), SFU_INT(chunks), SFU_FLOAT(eps));
    sfu_tensor_destroy(part);
    return ok;
}

gboolean sfu_group_norm_stats(SfuQueue *q, SfuTensor *stats, const SfuTensor *x, int n_groups, float eps,
                              GError **error)
{
    if (n_groups < 1 || x->c % n_groups || stats->n != x->n || stats->w != n_groups || stats->c != 2 ||
        stats->dtype != SFU_F32)
        return sfu_op_shape_error(error, "group_norm", "%d channels in %d groups", x->c, n_groups);
    if (gpu(x))
        return stats_gpu(q, stats, x, n_groups, eps, error);
    SfuTensor *moments = sfu_tensor_create(q, SFU_F32, x->n, 1, 3, x->c, error);
    const gboolean ok = moments && sfu_moments(q, moments, x, error) &&
                        sfu_group_norm_stats_from(q, stats, moments, n_groups, eps, error);
    sfu_tensor_destroy(moments);
    return ok;
}

gboolean sfu_group_norm_apply(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuTensor *stats, SfuWeight *gamma,
                              SfuWeight *beta, SfuAct act, GError **error)
{
    const int pixels = x->h * x->w, len = chunk_len(x) * 4;
    if (!sfu_op_same_shape(error, "group_norm", y, x))
        return FALSE;
    if (stats->n != x->n || stats->c != 2 || x->c % stats->w || stats->dtype != SFU_F32)
        return sfu_op_shape_error(error, "group_norm", "statistics of %d groups for %d channels", stats->w, x->c);
    if (sfu_weight_elements(gamma) != x->c || sfu_weight_elements(beta) != x->c ||
        (act != SFU_ACT_NONE && act != SFU_ACT_SILU))
        return sfu_op_shape_error(error, "group_norm", "%s has %" G_GINT64_FORMAT " values for %d channels",
                                  sfu_weight_name(gamma), sfu_weight_elements(gamma), x->c);
    const SfuTensor *g = sfu_weight_f32(q, gamma, error), *b = g ? sfu_weight_f32(q, beta, error) : NULL;
    if (b && gpu(x))
        return RUN_GPU(y, x, "group_norm_apply_gpu", (x->c + 3) / 4, pixels, x->n, 0, 2 * sfu_op_bytes(x), error,
                       SFU_TENSOR(y), SFU_TENSOR(x), SFU_TENSOR(stats), SFU_TENSOR(g), SFU_TENSOR(b), SFU_INT(pixels),
                       SFU_INT(x->c), SFU_INT(stats->w), SFU_INT(act));
    if (b && sfu_queue_kernels(q) == SFU_KERNELS_CPU) {
        const SfuLaunch l = {.program = "norm",
                             .kernel = "group_norm_apply",
                             .options = sfu_op_storage(x),
                             .global = {(size_t)((pixels + len - 1) / len), (size_t)x->n, 1},
                             .local = {1, 1, 1},
                             .flops = 4.0 * (double)sfu_tensor_elements(x),
                             .bytes = 2 * sfu_op_bytes(x)};
        const SfuArg args[] = {SFU_TENSOR(y),
                               SFU_TENSOR(x),
                               SFU_TENSOR(stats),
                               SFU_TENSOR(g),
                               SFU_TENSOR(b),
                               SFU_INT(pixels),
                               SFU_INT(x->c),
                               SFU_INT(stats->w),
                               SFU_INT(len),
                               SFU_INT(act),
                               SFU_LOCAL(sizeof(float) * 48 * (size_t)((x->c + 15) / 16))};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    return b && SFU_RUN(x, "norm", "group_norm_apply", (x->c + 15) / 16, (pixels + len - 1) / len, x->n,
                        4.0 * (double)sfu_tensor_elements(x), 2 * sfu_op_bytes(x), error, SFU_TENSOR(y), SFU_TENSOR(x),
                        SFU_TENSOR(stats), SFU_TENSOR(g), SFU_TENSOR(b), SFU_INT(pixels), SFU_INT(x->c),
                        SFU_INT(stats->w), SFU_INT(len), SFU_INT(act));
}

gboolean sfu_group_norm(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *gamma, SfuWeight *beta, int n_groups,
                        float eps, SfuAct act, GError **error)
{
    SfuTensor *stats = sfu_tensor_create(q, SFU_F32, x->n, 1, MAX(1, n_groups), 2, error);
    const gboolean ok = stats && sfu_group_norm_stats(q, stats, x, n_groups, eps, error) &&
                        sfu_group_norm_apply(q, y, x, stats, gamma, beta, act, error);
    sfu_tensor_destroy(stats);
    return ok;
}

/* Whether columns col .. col + c - 1 of the modulation's rows are there, or not wanted. */
static gboolean has_columns(const SfuModulation *mod, int col, int c)
{
    return col < 0 || (gint64)col + c <= mod->t->c;
}

static gboolean modulation_fits(const char *op, const SfuModulation *mod, const SfuTensor *x, GError **error)
{
    if (!mod)
        return TRUE;
    const SfuTensor *t = mod->t;
    if (t->dtype != x->dtype || t->h != 1 || t->w != 1 || (t->n != 1 && t->n != x->n) ||
        !has_columns(mod, mod->scale, x->c) || !has_columns(mod, mod->shift, x->c))
        return sfu_op_shape_error(error, op, "modulation of %d x %d x %d x %d from %d and %d on for %d x %d channels",
                                  t->n, t->h, t->w, t->c, mod->scale, mod->shift, x->n, x->c);
    return TRUE;
}

/* MODULATION of norm.cl. */
#define MODULATION_ARGS(mod, x)                                                                                        \
    SFU_TENSOR((mod) ? (mod)->t : NULL), SFU_INT((mod) && (mod)->t->n > 1 ? (mod)->t->c : 0), SFU_INT((x)->h *(x)->w), \
        SFU_INT((mod) ? (mod)->scale : -1), SFU_INT((mod) ? (mod)->shift : -1)

static gboolean layer_norm(SfuTensor *y, const SfuTensor *x, const SfuTensor *g, const SfuTensor *b, float eps,
                           const SfuModulation *mod, GError **error)
{
    const gint64 rows = (gint64)x->n * x->h * x->w;
    if (gpu(x))
        return RUN_GPU(y, x, "layer_norm_gpu", rows * WG, 1, 1, WG, 2 * sfu_op_bytes(x), error, SFU_TENSOR(y),
                       SFU_TENSOR(x), SFU_TENSOR(g), SFU_TENSOR(b), SFU_INT(x->c), SFU_FLOAT(eps),
                       MODULATION_ARGS(mod, x));
    return SFU_RUN(x, "norm", "layer_norm", rows, 1, 1, 8.0 * (double)sfu_tensor_elements(x), 2 * sfu_op_bytes(x),
                   error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_TENSOR(g), SFU_TENSOR(b), SFU_INT(x->c), SFU_FLOAT(eps),
                   MODULATION_ARGS(mod, x));
}

gboolean sfu_layer_norm_modulated(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuModulation *mod, float eps,
                                  GError **error)
{
    return sfu_op_same_shape(error, "layer_norm", y, x) && modulation_fits("layer_norm", mod, x, error) &&
           layer_norm(y, x, NULL, NULL, eps, mod, error);
}

gboolean sfu_rms_norm(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *gamma, const SfuRmsNorm *norm,
                      GError **error)
{
    const int size = norm->size ? norm->size : x->c, n_runs = norm->n_runs ? norm->n_runs : 1;
    const gint64 rows = (gint64)x->n * x->h * x->w;
    if (!sfu_op_same_shape(error, "rms_norm", y, x) || !modulation_fits("rms_norm", norm->mod, x, error))
        return FALSE;
    if (size < 1 || n_runs < 1 || norm->first < 0 || norm->first + (gint64)n_runs * size > x->c ||
        (norm->mod && size != x->c))
        return sfu_op_shape_error(error, "rms_norm", "%d runs of %d from channel %d of %d on", n_runs, size,
                                  norm->first, x->c);
    if (gamma && sfu_weight_elements(gamma) != size)
        return sfu_op_shape_error(error, "rms_norm", "%s has %" G_GINT64_FORMAT " values for %d channels",
                                  sfu_weight_name(gamma), sfu_weight_elements(gamma), size);
    const SfuTensor *g = NULL;
    if (gamma && !(g = sfu_weight_f32(q, gamma, error)))
        return FALSE;
    const double bytes = 2.0 * (double)rows * n_runs * size * (double)sfu_dtype_bytes(x->dtype);
    if (gpu(x)) {
        const SfuLaunch l = {.program = "gpu_norm",
                             .kernel = "rms_norm_gpu",
                             .options = size % 4 || norm->first % 4 ? sfu_op_storage(x) : gpu_options(y, x),
                             .global = {(size_t)(rows * n_runs) * WG, 1, 1},
                             .local = {WG, 1, 1},
                             .bytes = bytes};
        const SfuArg args[] = {SFU_TENSOR(y),   SFU_TENSOR(x),        SFU_TENSOR(g),
                               SFU_INT(x->c),   SFU_INT(norm->first), SFU_INT(size),
                               SFU_INT(n_runs), SFU_FLOAT(norm->eps), MODULATION_ARGS(norm->mod, x)};
        return sfu_launch(q, &l, args, G_N_ELEMENTS(args), error);
    }
    return SFU_RUN(x, "norm", "rms_norm", n_runs, rows, 1, 4.0 * (double)rows * n_runs * size, bytes, error,
                   SFU_TENSOR(y), SFU_TENSOR(x), SFU_TENSOR(g), SFU_INT(x->c), SFU_INT(norm->first), SFU_INT(size),
                   SFU_FLOAT(norm->eps), MODULATION_ARGS(norm->mod, x));
}

gboolean sfu_layer_norm(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *gamma, SfuWeight *beta, float eps,
                        GError **error)
{
    if (!sfu_op_same_shape(error, "layer_norm", y, x))
        return FALSE;
    if ((gamma && sfu_weight_elements(gamma) != x->c) || (beta && sfu_weight_elements(beta) != x->c))
        return sfu_op_shape_error(error, "layer_norm", "gamma and beta do not fit %d channels", x->c);
    const SfuTensor *g = NULL, *b = NULL;
    if ((gamma && !(g = sfu_weight_f32(q, gamma, error))) || (beta && !(b = sfu_weight_f32(q, beta, error))))
        return FALSE;
    return layer_norm(y, x, g, b, eps, NULL, error);
}

gboolean sfu_softmax(SfuQueue *q, SfuTensor *y, const SfuTensor *x, GError **error)
{
    if (!sfu_op_same_shape(error, "softmax", y, x))
        return FALSE;
    if (gpu(x))
        return RUN_GPU(y, x, "softmax_gpu", (gint64)x->n * x->h * x->w * WG, 1, 1, WG, 2 * sfu_op_bytes(x), error,
                       SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(x->c));
    return SFU_RUN(x, "norm", "softmax", (gint64)x->n * x->h * x->w, 1, 1, 10.0 * (double)sfu_tensor_elements(x),
                   2 * sfu_op_bytes(x), error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_INT(x->c));
}
