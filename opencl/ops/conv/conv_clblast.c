/* Products on GPUs through CLBlast, where it is the faster way (SFUMATO_BLAS overrides): fp32 storage only, for its
 * fp16 products sum in fp16. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/conv/conv.h"

static SfuGemm gemm_of(const SfuConvJob *j)
{
    return (SfuGemm){.m = j->n_pix, .n = j->n_out, .k = j->n_in};
}

static gboolean has_epilogue(const SfuEpilogue *e)
{
    return e->bias || e->chan || e->act != SFU_ACT_NONE || e->residual || (e->scale != 0 && e->scale != 1);
}

static gboolean multiply(const SfuConvJob *j, const SfuTensor *wt, GError **error)
{
    const SfuEpilogue *e = j->e;
    SfuTensor *y = j->y;
    const SfuGemm gemm = gemm_of(j);
    SfuConvTerms terms;
    if (!sfu_conv_terms(j, &terms, error))
        return FALSE;
    if (!e->geglu && !has_epilogue(e))
        return sfu_blas_gemm(j->q, y, j->x, wt, &gemm, error);
    /* The product stands in y until the epilogue is over it, unless y is narrower or holds the residual. */
    const gboolean apart = e->geglu || (e->residual && e->residual->buffer == y->buffer);
    SfuTensor *wide = apart ? sfu_tensor_create(j->q, SFU_F32, y->n, y->h, y->w, gemm.n, error) : NULL;
    SfuTensor *s = apart ? wide : y;
    const double bytes = sfu_op_bytes(y) * (e->geglu ? 3 : e->residual ? 3 : 2);
    SfuArgs args = {0};
    SFU_ADD(&args, SFU_TENSOR(y), SFU_TENSOR(s));
    if (e->geglu) {
        SFU_ADD(&args, SFU_TENSOR(terms.bias));
    } else {
        SFU_ADD(&args, SFU_INT(y->h * y->w));
        sfu_conv_add_epilogue(&args, j, &terms);
    }
    const gboolean ok = s && sfu_blas_gemm(j->q, s, j->x, wt, &gemm, error) &&
                        sfu_op_run(y, "epilogue", e->geglu ? "epilogue_geglu" : "epilogue_rows", FALSE, y->c, gemm.m, 1,
                                   0, bytes, args.list, args.n, error);
    sfu_tensor_destroy(wide);
    return ok;
}

static gboolean launch(SfuConvJob *j, GError **error)
{
    const SfuWideRows rows = {.n_rows = j->n_out};
    SfuTensor *wide = NULL;
    const SfuTensor *wt =
        sfu_conv_stays_quantized(j) ? wide = sfu_conv_widen_rows(j, &rows, error) : sfu_weight_f32(j->q, j->w, error);
    const gboolean ok = wt && multiply(j, wt, error);
    sfu_tensor_destroy(wide);
    return ok;
}

/* Into a tensor of its own: y may be the residual too. */
static gboolean trial(gconstpointer data, gboolean clblast, GError **error)
{
    SfuConvJob j = *(const SfuConvJob *)data;
    SfuTensor *y = sfu_tensor_create(j.q, SFU_F32, j.y->n, j.y->h, j.y->w, j.y->c, error);
    if (!y)
        return FALSE;
    j.y = y;
    j.out = *y;
    const gboolean ok = clblast ? launch(&j, error) : sfu_conv_gpu.launch(&j, error);
    sfu_tensor_destroy(y);
    return ok;
}

/* CLBlast's direct kernel divides offsets by its vector width, which is up to 16, and drops the rest. */
static gboolean aligned(const SfuTensor *t)
{
    return t->offset % 16 == 0;
}

static gboolean can(const SfuConvJob *j)
{
    if (!sfu_conv_is_rows(j) || sfu_queue_kernels(j->q) != SFU_KERNELS_GPU || j->x->dtype != SFU_F32 ||
        !aligned(j->y) || !aligned(j->x))
        return FALSE;
    const SfuGemm gemm = gemm_of(j);
    char variant[32];
    g_snprintf(variant, sizeof variant, "%s %s", sfu_conv_half(j) ? "F16" : "F32",
               j->e->geglu          ? "geglu"
               : has_epilogue(j->e) ? "more"
                                    : "only");
    return sfu_blas_is_faster(j->q, &gemm, variant, trial, j);
}

const SfuConvPath sfu_conv_clblast = {"CLBlast", can, launch};
