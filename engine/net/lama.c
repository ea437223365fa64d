/* LaMa's generator. Every batch norm is folded into the product before it. A block's tensor holds its local channels
 * first, then the global ones, so that the two convolutions that make the local half are one. Copyright (C) 2026 The
 * Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/parts.h"
#include "net/remover.h"
#include <math.h>
#include <string.h>

#define BN_EPS 1e-5f

/* A batch norm at rest: y = x * scale + shift. */
typedef struct {
    float *scale, *shift; /* [c], owned */
} Norm;

/* "FFC_BN_ACT" of a block: local' = relu(bn(l2l(local) + g2l(global))), global' = relu(bn(l2g(local) +
 * spectral(global))). */
typedef struct {
    SfuLayer to_local;         /* 3x3, [local, local + global] */
    SfuLayer to_global;        /* 3x3, [global, local]; its bias stands for both products */
    SfuLayer in, fourier, out; /* 1x1: [half, local + global] with zeros for the local ones, [2 half, 2 half], [global,
                                  half]; half = global / 2 */
} Ffc;

typedef struct {
    SfuNet net;
    SfuLamaConfig c;
    SfuLayer first, last; /* 7x7 */
    SfuLayer *downs;      /* 3x3, stride 2 */
    SfuLayer *ups;        /* 3x3 that make the four pixels of each cell */
    Ffc *blocks;          /* two per block */
    SfuFourier *plan;     /* of the last size */
    int plan_h, plan_w;
} SfuLama;

/* ---- weights
 * --------------------------------------------------------------------------------------------------------- */

static Norm bind_norm(SfuNet *net, const char *prefix, const char *name, int c)
{
    char *p = g_strdup_printf("%s%s%s", prefix, *name ? "." : "", name);
    const SfuLayer affine = sfu_net_norm(net, prefix, name, c);
    float *gamma = sfu_net_values(net, affine.w), *beta = sfu_net_values(net, affine.b),
          *mean = sfu_net_values(net, sfu_net_vector(net, p, "running_mean", c)),
          *var = sfu_net_values(net, sfu_net_vector(net, p, "running_var", c));
    Norm n = {g_new0(float, c), g_new0(float, c)};
    for (int i = 0; gamma && beta && mean && var && i < c; i++) {
        n.scale[i] = gamma[i] / sqrtf(var[i] + BN_EPS);
        n.shift[i] = beta[i] - mean[i] * n.scale[i];
    }
    g_free(gamma);
    g_free(beta);
    g_free(mean);
    g_free(var);
    g_free(p);
    return n;
}

static void norm_free(Norm n)
{
    g_free(n.scale);
    g_free(n.shift);
}

static SfuWeight *bias_of(SfuNet *net, const char *name, const float *shift, int c)
{
    const gint64 dims[] = {c};
    return sfu_net_own(net, name, g_memdup2(shift, (gsize)c * sizeof(float)), 1, dims);
}

/* A convolution [out, in, k, k] without bias, into rows [row, ..) and columns [col, ..) of v [.., cols, k, k], each row
 * scaled. */
static void put_convolution(const SfuNet *net, float *v, int row, int col, int cols, SfuWeight *w, const float *scale)
{
    float *x = sfu_net_values(net, w);
    const int out = x ? (int)sfu_weight_dim(w, 0) : 0, in = x ? (int)sfu_weight_dim(w, 1) : 0;
    const gint64 taps = x ? sfu_weight_dim(w, 2) * sfu_weight_dim(w, 3) : 1;
    for (int o = 0; o < out; o++)
        for (gint64 i = 0; i < in * taps; i++)
            v[((gint64)(row + o) * cols + col) * taps + i] = x[(gint64)o * in * taps + i] * (scale ? scale[o] : 1);
    g_free(x);
}

static SfuLayer layer(SfuNet *net, const char *name, int out, int in, int k, float *taken, const float *shift)
{
    const gint64 dims[] = {out, in, k, k};
    return (SfuLayer){.w = sfu_net_own(net, name, taken, k == 1 ? 2 : 4, dims),
                      .b = shift ? bias_of(net, name, shift, out) : NULL};
}

static float *zeros(int out, int in, int k)
{
    return g_new0(float, (gsize)out *in *k *k);
}

/* A convolution with its norm: the layers before the blocks. global > 0: two convolutions of the same input side by
 * side. */
static SfuLayer bind_plain(SfuNet *net, const char *name, int in, int local, int global, int k)
{
    char *ffc = g_strconcat(name, ".ffc", NULL);
    const int out = local + global;
    float *v = zeros(out, in, k), *shift = g_new0(float, out);
    const Norm l = bind_norm(net, name, "bn_l", local);
    put_convolution(net, v, 0, 0, in, sfu_net_conv(net, ffc, "convl2l", local, in, k, FALSE).w, l.scale);
    memcpy(shift, l.shift, (gsize)local * sizeof(float));
    if (global) {
        const Norm g = bind_norm(net, name, "bn_g", global);
        put_convolution(net, v, local, 0, in, sfu_net_conv(net, ffc, "convl2g", global, in, k, FALSE).w, g.scale);
        memcpy(shift + local, g.shift, (gsize)global * sizeof(float));
        norm_free(g);
    }
    const SfuLayer r = layer(net, name, out, in, k, v, shift);
    norm_free(l);
    g_free(shift);
    g_free(ffc);
    return r;
}

/* PyTorch's Fourier unit has the real and imaginary part of a channel side by side; ours has all real parts first. */
static float *reorder(const SfuNet *net, SfuWeight *w, const float *scale, int half)
{
    float *x = sfu_net_values(net, w), *v = zeros(2 * half, 2 * half, 1);
    for (int o = 0; x && o < 2 * half; o++)
        for (int i = 0; i < 2 * half; i++)
            v[(gsize)(o % 2 * half + o / 2) * 2 * half + i % 2 * half + i / 2] = x[(gsize)o * 2 * half + i] * scale[o];
    g_free(x);
    return v;
}

static void bind_spectral(SfuNet *net, Ffc *f, const char *name, int local, int global, const float *scale)
{
    const int half = global / 2;
    char *fu = g_strconcat(name, ".fu", NULL);
    float *v = zeros(half, local + global, 1), *shift = g_new(float, 2 * half);
    const Norm in = bind_norm(net, name, "conv1.1", half), mid = bind_norm(net, fu, "bn", 2 * half);
    put_convolution(net, v, 0, local, local + global, sfu_net_conv(net, name, "conv1.0", half, global, 1, FALSE).w,
                    in.scale);
    f->in = layer(net, name, half, local + global, 1, v, in.shift);
    for (int i = 0; i < 2 * half; i++)
        shift[i % 2 * half + i / 2] = mid.shift[i];
    f->fourier = layer(
        net, fu, 2 * half, 2 * half, 1,
        reorder(net, sfu_net_conv(net, fu, "conv_layer", 2 * half, 2 * half, 1, FALSE).w, mid.scale, half), shift);
    float *w = zeros(global, half, 1);
    put_convolution(net, w, 0, 0, half, sfu_net_conv(net, name, "conv2", global, half, 1, FALSE).w, scale);
    f->out = layer(net, name, global, half, 1, w, NULL);
    norm_free(in);
    norm_free(mid);
    g_free(shift);
    g_free(fu);
}

static void bind_ffc(SfuNet *net, Ffc *f, const char *name, int local, int global)
{
    char *ffc = g_strconcat(name, ".ffc", NULL), *spectral = g_strconcat(ffc, ".convg2g", NULL);
    const Norm l = bind_norm(net, name, "bn_l", local), g = bind_norm(net, name, "bn_g", global);
    float *v = zeros(local, local + global, 3), *w = zeros(global, local, 3);
    put_convolution(net, v, 0, 0, local + global, sfu_net_conv(net, ffc, "convl2l", local, local, 3, FALSE).w, l.scale);
    put_convolution(net, v, 0, local, local + global, sfu_net_conv(net, ffc, "convg2l", local, global, 3, FALSE).w,
                    l.scale);
    put_convolution(net, w, 0, 0, local, sfu_net_conv(net, ffc, "convl2g", global, local, 3, FALSE).w, g.scale);
    f->to_local = layer(net, name, local, local + global, 3, v, l.shift);
    f->to_global = layer(net, name, global, local, 3, w, g.shift);
    bind_spectral(net, f, spectral, local, global, g.scale);
    norm_free(l);
    norm_free(g);
    g_free(spectral);
    g_free(ffc);
}

/* A transposed convolution of stride 2 (kernel 3, padding 1, output padding 1) as a convolution that makes four pixels
 * a cell: along an axis the even pixel is tap 1 of this cell, the odd one tap 2 of this cell and tap 0 of the next
 * (Dumoulin & Visin 2016, section 4.6). [4 out, in, 3, 3], in PyTorch's order of pixel_shuffle. */
static SfuLayer bind_up(SfuNet *net, const char *name, const char *norm, int in, int out)
{
    static const int tap[2][3] = {{-1, 1, -1}, {-1, 2, 0}};
    const gint64 dims[] = {in, out, 3, 3};
    float *x = sfu_net_values(net, sfu_net_tensor(net, name, "weight", 4, dims)),
          *b = sfu_net_values(net, sfu_net_vector(net, name, "bias", out)), *v = zeros(4 * out, in, 3),
          *shift = g_new0(float, 4 * out);
    const Norm n = bind_norm(net, norm, "", out);
    for (int o = 0; x && o < 4 * out; o++) {
        const int c = o / 4, py = o / 2 % 2, px = o % 2;
        shift[o] = n.shift[c] + (b ? b[c] : 0) * n.scale[c];
        for (int i = 0; i < in; i++)
            for (int k = 0; k < 9; k++)
                if (tap[py][k / 3] >= 0 && tap[px][k % 3] >= 0)
                    v[((gsize)o * in + i) * 9 + k] =
                        x[((gsize)i * out + c) * 9 + tap[py][k / 3] * 3 + tap[px][k % 3]] * n.scale[c];
    }
    const SfuLayer r = layer(net, name, 4 * out, in, 3, v, shift);
    norm_free(n);
    g_free(shift);
    g_free(x);
    g_free(b);
    return r;
}

static void bind(SfuLama *l)
{
    const SfuLamaConfig *c = &l->c;
    SfuNet *net = &l->net;
    char name[48], norm[48];
    int at = 1, width = c->features;
    l->first = bind_plain(net, "model.1", 4, width, 0, 7);
    for (int i = 0; i < c->n_downs; i++, width *= 2) {
        const gboolean split = i == c->n_downs - 1;
        g_snprintf(name, sizeof name, "model.%d", ++at);
        l->downs[i] = bind_plain(net, name, width, split ? c->local : 2 * width, split ? c->global : 0, 3);
    }
    for (int i = 0; i < c->n_blocks; i++) {
        at++;
        for (int k = 0; k < 2; k++) {
            g_snprintf(name, sizeof name, "model.%d.conv%d", at, k + 1);
            bind_ffc(net, &l->blocks[2 * i + k], name, c->local, c->global);
        }
    }
    at += 2; /* the two halves are joined in a layer without weights */
    for (int i = 0; i < c->n_downs; i++, at += 3, width /= 2) {
        g_snprintf(name, sizeof name, "model.%d", at);
        g_snprintf(norm, sizeof norm, "model.%d", at + 1);
        l->ups[i] = bind_up(net, name, norm, width, width / 2);
    }
    g_snprintf(name, sizeof name, "model.%d", at + 1); /* behind the padding */
    l->last = sfu_net_conv(net, "", name, 3, c->features, 7, TRUE);
}

static void destroy(gpointer net)
{
    SfuLama *l = net;
    sfu_net_finish(&l->net);
    sfu_fourier_free(l->plan);
    g_free(l->downs);
    g_free(l->ups);
    g_free(l->blocks);
    g_free(l);
}

static SfuLama *lama_new(SfuQueue *q, SfuModel *model)
{
    SfuLama *l = g_new0(SfuLama, 1);
    l->c = *sfu_model_lama(model);
    l->downs = g_new0(SfuLayer, l->c.n_downs);
    l->ups = g_new0(SfuLayer, l->c.n_downs);
    l->blocks = g_new0(Ffc, 2 * l->c.n_blocks);
    sfu_net_init(&l->net, q, model, SFU_PART_REMOVER);
    bind(l);
    return l;
}

void sfu_lama_expect(SfuModel *model)
{
    SfuLama *l = lama_new(NULL, model);
    sfu_net_note(&l->net);
    destroy(l);
}

/* ---- passes
 * ---------------------------------------------------------------------------------------------------------- */

/* Mirrored by `by` on all sides. */
static SfuTensor *padded(const SfuNet *net, const SfuTensor *x, int by, GError **error)
{
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, 1, x->h + 2 * by, x->w + 2 * by, x->c, error);
    if (y && !sfu_pad(net->q, y, x, by, by, SFU_PAD_REFLECT, error))
        sfu_net_drop(&y);
    return y;
}

/* A padded convolution; x is taken. Returns [1, h / stride, w / stride, out]. */
static SfuTensor *convolve(const SfuNet *net, SfuTensor *x, const SfuLayer *l, int k, int stride, SfuAct act,
                           GError **error)
{
    SfuTensor *p = padded(net, x, k / 2, error);
    SfuTensor *y =
        p ? sfu_tensor_create(net->q, net->dtype, 1, x->h / stride, x->w / stride, (int)sfu_weight_dim(l->w, 0), error)
          : NULL;
    const SfuConv conv = {.stride = stride};
    const SfuEpilogue e = {.bias = l->b, .act = act};
    if (y && !sfu_conv2d(net->q, y, p, l->w, &conv, &e, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(p);
    sfu_tensor_destroy(x);
    return y;
}

/* v [h, w, half] = t + F^-1(relu(W F(t))), t = relu(in(x)): the spectral transform up to its last product. */
static SfuTensor *spectral(const SfuLama *l, const Ffc *f, const SfuTensor *x, GError **error)
{
    const SfuNet *net = &l->net;
    const int half = l->c.global / 2, bins = x->w / 2 + 1;
    SfuTensor *t = sfu_net_like(net, x, half, error), *u = sfu_net_like(net, x, half, error),
              *a = sfu_tensor_create(net->q, net->dtype, 1, x->h, bins, 2 * half, error),
              *b = sfu_tensor_create(net->q, net->dtype, 1, x->h, bins, 2 * half, error);
    const SfuEpilogue in = {.bias = f->in.b, .act = SFU_ACT_RELU}, mid = {.bias = f->fourier.b, .act = SFU_ACT_RELU};
    const gboolean ok = t && u && a && b && sfu_linear(net->q, t, x, f->in.w, &in, error) &&
                        sfu_rfft2(net->q, l->plan, a, t, error) &&
                        sfu_linear(net->q, b, a, f->fourier.w, &mid, error) &&
                        sfu_irfft2(net->q, l->plan, u, b, error) && sfu_axpby(net->q, u, 1, u, 1, t, error);
    sfu_tensor_destroy(t);
    sfu_tensor_destroy(a);
    sfu_tensor_destroy(b);
    if (!ok)
        sfu_net_drop(&u);
    return u;
}

/* x [h, w, local + global] is borrowed. */
static SfuTensor *ffc_run(const SfuLama *l, const Ffc *f, const SfuTensor *x, GError **error)
{
    const SfuNet *net = &l->net;
    SfuTensor *p = padded(net, x, 1, error), *y = sfu_net_like(net, x, x->c, error), *v = spectral(l, f, x, error);
    const SfuConv local = {.y_part = TRUE}, whole = {.y_part = TRUE, .y_col = l->c.local},
                  global = {.x_c = l->c.local, .y_part = TRUE, .y_col = l->c.local};
    const SfuEpilogue first = {.bias = f->to_local.b}, second = {.bias = f->to_global.b, .residual = y};
    const gboolean ok = p && y && v && sfu_conv2d(net->q, y, p, f->to_local.w, &local, &first, error) &&
                        sfu_conv2d(net->q, y, v, f->out.w, &whole, NULL, error) &&
                        sfu_conv2d(net->q, y, p, f->to_global.w, &global, &second, error) &&
                        sfu_unary(net->q, y, y, SFU_ACT_RELU, 0, error);
    sfu_tensor_destroy(p);
    sfu_tensor_destroy(v);
    if (!ok)
        sfu_net_drop(&y);
    return y;
}

/* x is taken: x + ffc(ffc(x)). */
static SfuTensor *block_run(const SfuLama *l, int i, SfuTensor *x, GError **error)
{
    SfuTensor *y = ffc_run(l, &l->blocks[2 * i], x, error), *z = y ? ffc_run(l, &l->blocks[2 * i + 1], y, error) : NULL;
    const gboolean ok =
        z && sfu_axpby(l->net.q, x, 1, x, 1, z, error) && sfu_net_trace(&l->net, x, error, "blocks.%d", i);
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(z);
    if (!ok)
        sfu_net_drop(&x);
    return x;
}

/* x is taken; twice as large, half as wide. */
static SfuTensor *up_run(const SfuNet *net, const SfuLayer *up, SfuTensor *x, GError **error)
{
    const int out = (int)sfu_weight_dim(up->w, 0) / 4;
    const SfuConv same = {.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const SfuEpilogue e = {.bias = up->b, .act = SFU_ACT_RELU};
    SfuTensor *cells = sfu_net_like(net, x, 4 * out, error),
              *y = sfu_tensor_create(net->q, net->dtype, 1, 2 * x->h, 2 * x->w, out, error);
    if (!cells || !y || !sfu_conv2d(net->q, cells, x, up->w, &same, &e, error) ||
        !sfu_pixel_shuffle(net->q, y, cells, 2, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(cells);
    sfu_tensor_destroy(x);
    return y;
}

static gboolean forward(gpointer network, SfuTensor **out, const SfuTensor *x, GError **error)
{
    SfuLama *l = network;
    const SfuNet *net = &l->net;
    const int multiple = 1 << l->c.n_downs;
    *out = NULL;
    if (x->n != 1 || x->c != 4 || x->h % multiple || x->w % multiple || x->h < 2 * multiple || x->w < 2 * multiple) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "lama: %d x %d x %d, wanted 4 channels and sides that are multiples of %d", x->h, x->w, x->c,
                    multiple);
        return FALSE;
    }
    const int h = x->h / multiple, w = x->w / multiple;
    if (!l->plan || l->plan_h != h || l->plan_w != w) {
        sfu_fourier_free(l->plan);
        l->plan = sfu_fourier_new(h, w);
        l->plan_h = h;
        l->plan_w = w;
    }
    SfuTensor *y = sfu_net_input(net, x, error);
    y = y ? convolve(net, y, &l->first, 7, 1, SFU_ACT_RELU, error) : NULL;
    for (int i = 0; y && i < l->c.n_downs; i++)
        y = convolve(net, y, &l->downs[i], 3, 2, SFU_ACT_RELU, error);
    for (int i = 0; y && i < l->c.n_blocks; i++)
        y = block_run(l, i, y, error);
    for (int i = 0; y && i < l->c.n_downs; i++)
        y = up_run(net, &l->ups[i], y, error);
    *out = y ? convolve(net, y, &l->last, 7, 1, SFU_ACT_SIGMOID, error) : NULL;
    return *out != NULL;
}

SfuRemover *sfu_lama_remover(SfuQueue *q, SfuModel *model, GError **error)
{
    static const SfuRemoverClass class = {destroy, forward};
    SfuLama *l = lama_new(q, model);
    if (!sfu_net_check(&l->net, error) || !sfu_model_check_finite(model, SFU_PART_REMOVER, error)) {
        destroy(l);
        return NULL;
    }
    SfuRemover *r = g_new(SfuRemover, 1);
    *r = (SfuRemover){.class = &class, .net = l, .multiple = 1 << l->c.n_downs};
    return r;
}
