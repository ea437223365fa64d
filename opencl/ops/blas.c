/* Products on GPUs through CLBlast, where it is the faster way (SFUMATO_BLAS overrides): fp32 storage only, for its fp16 products sum in fp16.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv.h"
#include "ops/util.h"

/* What a measurement repeats, into a tensor of its own: y may be the residual too. */
typedef struct {
    SfuTensor *y;
    const SfuTensor *x;
    SfuWeight *w;
    const SfuConvGeometry *g;
    const SfuEpilogue *e;
} RowsTrial;

static gboolean rows_trial(gconstpointer data, GError **error)
{
    const RowsTrial *t = data;
    SfuTensor *y = sfu_tensor_create(t->y->q, SFU_F32, t->y->n, t->y->h, t->y->w, t->y->c, error);
    const gboolean ok = y && sfu_conv_run(y->q, y, t->x, t->w, t->g, t->e, error);
    sfu_tensor_destroy(y);
    return ok;
}

static SfuGemm rows_gemm(const SfuTensor *x, const SfuWeight *w)
{
    return (SfuGemm){.m = x->n * x->h * x->w, .n = (int)sfu_weight_dim(w, 0), .k = x->c};
}

static gboolean has_epilogue(const SfuEpilogue *e)
{
    return e->bias || e->chan || e->act != SFU_ACT_NONE || e->residual || (e->scale != 0 && e->scale != 1);
}

/* CLBlast's direct kernel divides offsets by its vector width, which is up to 16, and drops the rest. */
static gboolean aligned(const SfuTensor *t) { return t->offset % 16 == 0; }

static gboolean suits(SfuQueue *q, const SfuTensor *y, const SfuTensor *x)
{
    return sfu_queue_kernels(q) == SFU_KERNELS_GPU && x->dtype == SFU_F32 && aligned(y) && aligned(x);
}

gboolean sfu_blas_rows_choose(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConvGeometry *g, const SfuEpilogue *e,
                              gboolean *clblast, GError **error)
{
    *clblast = FALSE;
    if (!suits(q, y, x))
        return TRUE;
    const RowsTrial trial = {y, x, w, g, e};
    const SfuGemm gemm = rows_gemm(x, w);
    char variant[32];
    g_snprintf(variant, sizeof variant, "%s %s", sfu_weight_dtype(w) == SFU_F16 ? "F16" : "F32", e->geglu ? "geglu" : has_epilogue(e) ? "more" : "only");
    return sfu_blas_choose(q, &gemm, variant, rows_trial, &trial, clblast, error);
}

gboolean sfu_blas_rows(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuEpilogue *e, GError **error)
{
    const SfuGemm gemm = rows_gemm(x, w);
    const SfuTensor *bias = NULL, *prelu = NULL, *wt;
    if ((e->bias && !(bias = sfu_weight_f32(q, e->bias, error))) || (e->act == SFU_ACT_PRELU && !(prelu = sfu_weight_f32(q, e->prelu, error))) ||
        !(wt = sfu_weight_f32(q, w, error)))
        return FALSE;
    if (!e->geglu && !has_epilogue(e))
        return sfu_blas_gemm(q, y, x, wt, &gemm, error);
    /* The product stands in y until the epilogue is over it, unless y is narrower or holds the residual. */
    const gboolean apart = e->geglu || (e->residual && e->residual->buffer == y->buffer);
    SfuTensor *wide = apart ? sfu_tensor_create(q, SFU_F32, y->n, y->h, y->w, gemm.n, error) : NULL;
    SfuTensor *s = apart ? wide : y;
    const double bytes = sfu_op_bytes(y) * (e->geglu ? 3 : e->residual ? 3 : 2);
    gboolean ok = s && sfu_blas_gemm(q, s, x, wt, &gemm, error);
    if (ok && e->geglu)
        ok = SFU_RUN(y, "epilogue", "epilogue_geglu", y->c, gemm.m, 1, 0, bytes, error, SFU_TENSOR(y), SFU_TENSOR(s), SFU_TENSOR(bias));
    else if (ok)
        ok = SFU_RUN(y, "epilogue", "epilogue_rows", y->c, gemm.m, 1, 0, bytes, error, SFU_TENSOR(y), SFU_TENSOR(s), SFU_INT(y->h * y->w),
                     SFU_TENSOR(bias), SFU_TENSOR(e->chan), SFU_TENSOR(prelu), SFU_INT(prelu ? (int)sfu_weight_elements(e->prelu) : 0),
                     SFU_TENSOR(e->residual), SFU_INT(e->act), SFU_FLOAT(e->act_param), SFU_FLOAT(e->scale == 0 ? 1 : e->scale));
    sfu_tensor_destroy(wide);
    return ok;
}
