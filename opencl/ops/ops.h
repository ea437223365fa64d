/* The ops: the formulas that networks consist of, one file each. Activations are [n, h, w, c], channels last, in the
 * queue's activation dtype unless a comment says otherwise; tokens are [n, 1, t, c]. An op enqueues its work and
 * returns at once. It returns FALSE with error set if a shape does not fit, a build fails, memory is short, or the run
 * is canceled. It writes only y. y must not overlap an input unless the comment says "y may be x".
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_OPS_H
#define SFU_OPS_H

#include "runtime/runtime.h"

G_BEGIN_DECLS

typedef enum {
    SFU_ACT_NONE,
    SFU_ACT_SILU,
    SFU_ACT_GELU, /* exact, erf */
    SFU_ACT_GELU_TANH,
    SFU_ACT_QUICK_GELU, /* x * sigmoid(1.702 x) */
    SFU_ACT_RELU,
    SFU_ACT_LEAKY_RELU, /* slope in act_param */
    SFU_ACT_TANH,
    SFU_ACT_SIGMOID,
    SFU_ACT_PRELU,      /* slopes in a weight; only as an epilogue */
    SFU_ACT_SOFT_CLAMP, /* tanh(x / 3) * 3 (TAESD) */
    SFU_ACT_MISH,       /* x * tanh(ln(1 + e^x)) (Misra 2019) */
} SfuAct;

/* What a product can do in the same kernel: y = act(x . W + bias + chan) * scale + residual. All optional;
 * zero-initialize. */
typedef struct {
    SfuWeight *bias;       /* [out] */
    const SfuTensor *chan; /* [n, 1, 1, out]: added to every pixel of its sample (time embedding) */
    SfuAct act;
    float act_param;
    SfuWeight *prelu;          /* [out] or [1] */
    float scale;               /* 0 means 1 */
    const SfuTensor *residual; /* same shape as y; may be y itself */
    SfuTensor *moments; /* of y, [n, 1, 3, out]: see sfu_moments(). Some kernels compute them while y is in registers */
    gboolean geglu; /* linear only: W is [2*out, in]; y = (first half) * gelu(second half) (Shazeer 2020); act NONE */
} SfuEpilogue;

/* Product with a learned matrix: y[r, o] = sum_i x[r, i] W[o, i], r over n*h*w. x [.., in], W [out, in] or
 * [out, in, 1, 1]. e may be NULL. */
gboolean sfu_linear(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuEpilogue *e, GError **error);

/* Axes along which a picture wraps around. */
typedef enum { SFU_WRAP_NONE = 0, SFU_WRAP_X = 1, SFU_WRAP_Y = 2 } SfuWrap;

typedef struct {
    int stride;                                   /* 0 means 1 */
    int pad_top, pad_left, pad_bottom, pad_right; /* zeros */
    gboolean upsample2; /* x is read as if enlarged to twice its size first (nearest neighbor) */
    int circular;       /* SfuWrap bits: along these axes padding wraps around (seamless textures) */
    int groups;         /* 0 or 1: dense; == c: depthwise, W [c, 1, kh, kw] */
    int x_c;            /* only the first x_c channels of x are read; 0: all */
    gboolean y_part; /* the outputs go to channels y_col and following of a wider y; its other channels do not change. y
                        may be x if the channels read and written differ: dense blocks grow in place. A residual is as
                        wide as y and is read at y_col too */
    int y_col;
} SfuConv;
/* Convolution (cross-correlation, as PyTorch): x [n, h, w, in], W [out, in, kh, kw], y [n, oh, ow, out] of the usual
 * output size. Kernels of 1x1 and 3x3 are fast; all other sizes work too. e and conv may be NULL. */
gboolean sfu_conv2d(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *w, const SfuConv *conv,
                    const SfuEpilogue *e, GError **error);

/* Scaled dot-product attention that never stores the score matrix: o = softmax(scale * Q K^T + bias) V, by head.
 * q [n, 1, t_q, >= n_heads*head_dim], k, v [n or 1, 1, t_k, ..], o [n, 1, t_q, n_heads*head_dim]; head h reads columns
 * x_col + h*head_dim and following, so q, k, v may be column ranges of one wider tensor. To leave out padding at the
 * end of the keys, pass views of k and v with fewer rows. Vaswani 2017, eq. 1; running maximum: Milakov & Gimelshein
 * 2018. */
typedef struct {
    int n_heads, head_dim;
    float scale;     /* 0: 1/sqrt(head_dim) */
    gboolean causal; /* query i sees keys 0..i */
    int n_kv_heads;  /* heads of k and v, each shared by n_heads / n_kv_heads neighboring heads of q (Ainslie 2023); 0:
                        n_heads */
    int q_col, k_col, v_col;
    const SfuTensor *bias; /* NULL, or [b, n_heads, t_q, t_k] fp32 added to the logits; sample s uses b = s % bias->n
                              (window masks, relative positions) */
} SfuAttention;
gboolean sfu_attention(SfuQueue *q, SfuTensor *o, const SfuTensor *qt, const SfuTensor *k, const SfuTensor *v,
                       const SfuAttention *a, GError **error);

/* Attention between channels. Within each head, it mixes every channel of the values into every channel of o, weighted
 * by how similar the channels of queries and keys are over all pixels of a sample: o = softmax(temperature * Q^T K) V,
 * by head, with Q and K of length 1 over the pixels. x [n, h, w, ..] holds all three (columns as in SfuAttention, which
 * may have no scale, bias or causal here), o [n, h, w, n_heads * head_dim], temperature [n_heads], head_dim <= 128.
 * El-Nouby 2021 (XCiT), eq. 2. */
gboolean sfu_channel_attention(SfuQueue *q, SfuTensor *o, const SfuTensor *x, SfuWeight *temperature,
                               const SfuAttention *a, GError **error);

/* Group normalization: y = (x - mean) / sqrt(var + eps) * gamma + beta, mean and variance over each group's channels
 * and pixels, then act (NONE or SILU). y may be x. gamma, beta [c]. Wu & He 2018, eq. 1. */
gboolean sfu_group_norm(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *gamma, SfuWeight *beta, int n_groups,
                        float eps, SfuAct act, GError **error);
/* The same in two steps, so that tiles can share the statistics of the whole picture. stats [n, 1, n_groups, 2] fp32:
 * mean and 1/sqrt(var + eps). */
gboolean sfu_group_norm_stats(SfuQueue *q, SfuTensor *stats, const SfuTensor *x, int n_groups, float eps,
                              GError **error);
gboolean sfu_group_norm_apply(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuTensor *stats, SfuWeight *gamma,
                              SfuWeight *beta, SfuAct act, GError **error);
/* What a group norm needs to know about a tensor x: moments [n, 1, 3, c] fp32. They are, for each channel of each
 * sample, the mean over its pixels, the sum of squared differences from the mean, and the number of pixels. A product
 * can compute the moments of its output (SfuEpilogue), so the norm need not read it again. */
gboolean sfu_moments(SfuQueue *q, SfuTensor *moments, const SfuTensor *x, GError **error);
/* Joins the moments of k parts of the pixels, [n, k, 3, c], into those of all pixels. Chan, Golub & LeVeque 1983,
 * eq. 2.1. */
gboolean sfu_moments_join(SfuQueue *q, SfuTensor *moments, const SfuTensor *parts, GError **error);
/* The result of sfu_group_norm_stats(), from the moments of its tensor. */
gboolean sfu_group_norm_stats_from(SfuQueue *q, SfuTensor *stats, const SfuTensor *moments, int n_groups, float eps,
                                   GError **error);
/* Layer normalization over c. gamma, beta [c], may be NULL. y may be x. Ba 2016. */
gboolean sfu_layer_norm(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *gamma, SfuWeight *beta, float eps,
                        GError **error);
/* Changes a normalized value v to v * (1 + scale) + shift. t [n or 1, 1, 1, ..] has one row per sample; the factors are
 * its columns scale .. scale + c - 1 and shift .. shift + c - 1. A negative column: none. Peebles & Xie 2023 (adaLN).
 */
typedef struct {
    const SfuTensor *t;
    int scale, shift;
} SfuModulation;
/* Layer normalization over c without weights, modulated: y = (x - mean) / sqrt(var + eps) * (1 + scale) + shift. y may
 * be x. */
gboolean sfu_layer_norm_modulated(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuModulation *mod, float eps,
                                  GError **error);
/* Root mean square normalization: y = x / sqrt(mean(x^2) + eps) * gamma, then modulated, over each of n_runs runs of
 * `size` neighboring channels, starting at channel `first` (the heads of queries or keys in a wider tensor). gamma
 * [size], may be NULL; mod may be NULL, and needs whole rows. The other channels of y do not change. y may be x.
 * Infinite values of fp16 tensors count as the largest finite one. Zhang & Sennrich 2019, eq. 4. */
typedef struct {
    int first, n_runs, size; /* all 0: whole rows */
    float eps;
    const SfuModulation *mod;
} SfuRmsNorm;
gboolean sfu_rms_norm(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *gamma, const SfuRmsNorm *norm,
                      GError **error);
/* Rotary positions, in place: in each of n_heads heads of head_dim channels, starting at channel `first`, pair j of
 * channels (a, b) becomes (a cos - b sin, b cos + a sin). table [n or 1, 1, h*w, d] fp32 holds d/2 cosines, then d/2
 * sines, for each token; d is even and at most head_dim. Channels d and following of a head do not change. Pairs are
 * (2j, 2j + 1), or (j, j + d/2) if `halves`. Su 2021, eq. 34. */
typedef struct {
    int first, n_heads, head_dim;
    gboolean halves;
} SfuRope;
gboolean sfu_rope(SfuQueue *q, SfuTensor *x, const SfuTensor *table, const SfuRope *rope, GError **error);
gboolean sfu_softmax(SfuQueue *q, SfuTensor *y, const SfuTensor *x, GError **error); /* over c; y may be x */

gboolean sfu_unary(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuAct act, float act_param,
                   GError **error); /* y may be x */
/* y = a*x + b*z. z is shaped like x, or broadcast: [n or 1, 1, 1, c] or [n, h, w, 1]. z NULL: y = a*x + b. y may be x.
 */
gboolean sfu_axpby(SfuQueue *q, SfuTensor *y, float a, const SfuTensor *x, float b, const SfuTensor *z, GError **error);
gboolean sfu_mul(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuTensor *z,
                 GError **error); /* z as above; y may be x */
/* y = x * scale[c] + shift[c]; either may be NULL. y may be x. */
gboolean sfu_scale_channels(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *scale, SfuWeight *shift,
                            GError **error);
/* y = (x + residual) * (sigmoid(x) + offset); residual may be NULL. y may be x or the residual. SPAN (Wan 2024), eq. 3
 * and 4. */
gboolean sfu_sigmoid_gate(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuTensor *residual, float offset,
                          GError **error);
/* y = act(first half of x's channels) * second half; x has twice the channels of y. act without a parameter. */
gboolean sfu_half_gate(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuAct act, GError **error);
/* y = residual + act(gate) * x. The gate is columns first_column and following of a tensor [n or 1, 1, 1, ..], one row
 * per sample. y may be x or the residual. act without a parameter. */
gboolean sfu_gated_add(SfuQueue *q, SfuTensor *y, const SfuTensor *residual, const SfuTensor *x, const SfuTensor *gate,
                       int first_column, SfuAct act, GError **error);
/* sfu_half_gate() of 2 c channels of a wider x, starting at x_first, into c channels of a wider y, starting at y_first.
 * The other channels of y do not change. */
gboolean sfu_half_gate_columns(SfuQueue *q, SfuTensor *y, int y_first, const SfuTensor *x, int x_first, int c,
                               SfuAct act, GError **error);
/* y = (x + noise) * gain, times slope if negative, clamped to -limit .. limit (Karras 2020, StyleGAN 2). noise [h * w],
 * fp32: one value per pixel for all channels and samples; may be NULL. y may be x. */
typedef struct {
    float slope, gain, limit;
} SfuLeakyClamp;
gboolean sfu_leaky_clamp(SfuQueue *q, SfuTensor *y, const SfuTensor *x, SfuWeight *noise, const SfuLeakyClamp *p,
                         GError **error);
gboolean sfu_mean_hw(SfuQueue *q, SfuTensor *y, const SfuTensor *x, GError **error); /* y [n,1,1,c], over pixels */

gboolean sfu_convert(SfuQueue *q, SfuTensor *y, const SfuTensor *x,
                     GError **error); /* dtype conversion or copy, same count */
gboolean sfu_concat(SfuQueue *q, SfuTensor *y, const SfuTensor *const *parts, int n_parts,
                    GError **error); /* along c */
gboolean sfu_slice(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int first_channel,
                   GError **error); /* y->c channels of x */
/* Copies x to channels first_channel and following of a wider y; its other channels do not change. */
gboolean sfu_copy_channels(SfuQueue *q, SfuTensor *y, int first_channel, const SfuTensor *x, GError **error);
/* y[i, j] = x[i - top, j - left]; outside x: zeros, x mirrored without repeating the edge, the edge repeated, or x
 * wrapped around. Negative top and left crop x. */
typedef enum { SFU_PAD_ZERO, SFU_PAD_REFLECT, SFU_PAD_EDGE, SFU_PAD_WRAP } SfuPad;
gboolean sfu_pad(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int top, int left, SfuPad mode, GError **error);
gboolean sfu_upsample_nearest(SfuQueue *q, SfuTensor *y, const SfuTensor *x,
                              GError **error); /* whole factors y->h/x->h, y->w/x->w */
gboolean sfu_max_pool(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int size, int stride,
                      GError **error); /* no padding */
gboolean sfu_resize_bilinear(SfuQueue *q, SfuTensor *y, const SfuTensor *x,
                             GError **error); /* of squares, edges repeated: align_corners=False */
/* Dynamic upsampling, y [n, h * factor, w * factor, c], c <= 4. Each pixel of x [n, h, w, n_groups * c] becomes
 * factor^2 pixels of y. Each of them is the bias [c], which may be NULL, plus the sum over the groups of x,
 * interpolated at the pixel's coordinates + offset * sigmoid(scope) / 2 + start. offset, scope [n, h, w, 2 * n_groups *
 * factor^2] and start hold their channels along the width first, then along the height; in each by group; in each group
 * by place. Liu 2023, eq. 2 to 5. */
typedef struct {
    const SfuTensor *offset, *scope;
    SfuWeight *start, *bias;
    int factor, n_groups;
} SfuDysample;
gboolean sfu_dysample(SfuQueue *q, SfuTensor *y, const SfuTensor *x, const SfuDysample *d, GError **error);
gboolean sfu_pixel_shuffle(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int r,
                           GError **error); /* PyTorch's channel order */
gboolean sfu_pixel_unshuffle(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int r, GError **error);
/* General transpose: x seen as dims[0..n_dims), n_dims <= 6; dim i of y is dim perm[i] of x (torch.permute). Same
 * element count. */
gboolean sfu_permute(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int n_dims, const int *dims, const int *perm,
                     GError **error);
gboolean sfu_roll(SfuQueue *q, SfuTensor *y, const SfuTensor *x, int dy, int dx,
                  GError **error); /* torch.roll over h, w */
/* Fourier transforms of real pictures over h and w, like torch.fft.rfft2 and irfft2 with norm "ortho" (Cooley & Tukey
 * 1965). They are products with the matrix of the transform, so any length works. A plan holds the matrices for one
 * size; it must outlive the queue's work. Caller frees. */
typedef struct SfuFourier SfuFourier;
SfuFourier *sfu_fourier_new(int h, int w);
void sfu_fourier_free(SfuFourier *p);
/* x [n, h, w, c] -> y [n, h, w / 2 + 1, 2 c]: c real parts, then c imaginary parts. */
gboolean sfu_rfft2(SfuQueue *q, const SfuFourier *p, SfuTensor *y, const SfuTensor *x, GError **error);
/* x [n, h, w / 2 + 1, 2 c] -> y [n, h, w, c]. */
gboolean sfu_irfft2(SfuQueue *q, const SfuFourier *p, SfuTensor *y, const SfuTensor *x, GError **error);
/* Measures which vector width is the fastest on a CPU, unless that is known or set, and keeps the answer on disk. Call
 * it before other ops; until then they use the CPU's native width. */
void sfu_cpu_measure_width(SfuQueue *q);
/* Counts the values that are NaN or infinite; blocks. */
gboolean sfu_count_nonfinite(SfuQueue *q, const SfuTensor *x, gint64 *n, GError **error);

G_END_DECLS
#endif
