/* Two-dimensional Fourier transforms of real pictures, as PyTorch's rfft2 and irfft2 with norm "ortho". Each axis is a
 * product with its transform's matrix: with the 16 to 256 pixels a side that Fourier convolutions see, that takes less
 * time than an FFT's many passes, and any length will do. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops/util.h"
#include <math.h>
#include <string.h>

#define ROWS 6 /* as in kernels/fourier.cl */

struct SfuFourier {
    int h, w, bins;                       /* bins: w / 2 + 1 */
    SfuWeight *across, *down, *up, *back; /* [2 bins, w], [2 h, 2 h], [2 h, 2 h], [w, 2 bins] */
};

static SfuWeight *matrix(const char *name, int rows, int cols, float **values)
{
    const gint64 dims[] = {rows, cols};
    *values = g_new(float, (gsize)rows *cols);
    return sfu_weight_new_take(name, SFU_F32, 2, dims, *values, (gsize)rows * cols * sizeof(float));
}

/* The angle 2 pi a b / n, with a b reduced first so that it stays exact. */
static double angle(int a, int b, int n)
{
    return 2 * G_PI * (double)((gint64)a * b % n) / n;
}

/* Complex to complex along h, on rows that alternate real and imaginary parts; sign -1 forward, 1 inverse. */
static SfuWeight *complex_matrix(int h, int sign)
{
    float *f;
    SfuWeight *w = matrix(sign < 0 ? "fourier down" : "fourier up", 2 * h, 2 * h, &f);
    const double scale = 1 / sqrt(h);
    for (int m = 0; m < h; m++) {
        for (int n = 0; n < h; n++) {
            const float co = (float)(scale * cos(angle(m, n, h))), si = (float)(sign * scale * sin(angle(m, n, h)));
            float *re = f + (gsize)(2 * m) * (2 * h) + 2 * n, *im = re + 2 * h;
            re[0] = co;
            re[1] = -si;
            im[0] = si;
            im[1] = co;
        }
    }
    return w;
}

SfuFourier *sfu_fourier_new(int h, int w)
{
    SfuFourier *p = g_new0(SfuFourier, 1);
    float *f, *b;
    *p = (SfuFourier){h, w, w / 2 + 1};
    p->across = matrix("fourier across", 2 * p->bins, w, &f);
    p->back = matrix("fourier back", w, 2 * p->bins, &b);
    const double scale = 1 / sqrt(w);
    for (int k = 0; k < p->bins; k++) {
        const gboolean single =
            k == 0 || 2 * k == w; /* its mirror image is itself, and its imaginary part counts for nothing */
        for (int x = 0; x < w; x++) {
            const double co = scale * cos(angle(k, x, w)), si = scale * sin(angle(k, x, w));
            f[(gsize)(2 * k) * w + x] = (float)co;
            f[(gsize)(2 * k + 1) * w + x] = (float)-si;
            b[(gsize)x * 2 * p->bins + 2 * k] = (float)(single ? co : 2 * co);
            b[(gsize)x * 2 * p->bins + 2 * k + 1] = (float)(single ? 0 : -2 * si);
        }
    }
    p->down = complex_matrix(h, -1);
    p->up = complex_matrix(h, 1);
    return p;
}

void sfu_fourier_free(SfuFourier *p)
{
    if (!p)
        return;
    sfu_weight_destroy(p->across);
    sfu_weight_destroy(p->down);
    sfu_weight_destroy(p->up);
    sfu_weight_destroy(p->back);
    g_free(p);
}

/* ---- one axis -------------------------------------------------------------------------------------------------------
 */

static void pack(const SfuWeight *w, void *dst, size_t part_bytes, gint64 first, gint64 end, gconstpointer params)
{
    const gint64 rows = sfu_weight_dim(w, 0), cols = sfu_weight_dim(w, 1);
    float *out = dst, *row = g_new(float, cols);
    memset(dst, 0, part_bytes);
    for (gint64 m = 0; m < rows; m++) {
        sfu_weight_read_f32(w, m * cols, cols, row);
        for (gint64 n = 0; n < cols; n++)
            out[(m / ROWS * cols + n) * ROWS + m % ROWS] = row[n];
    }
    g_free(row);
}

/* Strides of one side: of the outer index's two halves, and of the halves of the transformed one. */
typedef struct {
    int o1, o0, i1, i0;
} Strides;

static gboolean transform(SfuTensor *y, const SfuTensor *x, SfuWeight *w, int c, int n_outer, int k, Strides to,
                          Strides from, GError **error)
{
    const int n_out = (int)sfu_weight_dim(w, 0), n_in = (int)sfu_weight_dim(w, 1), panels = (n_out + ROWS - 1) / ROWS;
    const SfuTensor *f =
        sfu_weight_on_device(x->q, w, "fourier", SFU_F32, (gint64)panels * ROWS * n_in, 1, pack, NULL, error);
    return f &&
           SFU_RUN(x, "fourier", "dft", (c + 31) / 32, panels, n_outer, 2.0 * n_out * n_in * c * n_outer,
                   sfu_op_bytes(x) + sfu_op_bytes(y), error, SFU_TENSOR(y), SFU_TENSOR(x), SFU_TENSOR(f), SFU_INT(c),
                   SFU_INT(n_out), SFU_INT(n_in), SFU_INT(k), SFU_INT(from.o1), SFU_INT(from.o0), SFU_INT(from.i1),
                   SFU_INT(from.i0), SFU_INT(to.o1), SFU_INT(to.o0), SFU_INT(to.i1), SFU_INT(to.i0));
}

/* Along h, for every bin: the pairs are (row, real or imaginary). */
static gboolean along_h(const SfuFourier *p, SfuTensor *y, const SfuTensor *x, SfuWeight *w, int c, GError **error)
{
    const int row = p->bins * 2 * c;
    const Strides s = {p->h * row, 2 * c, row, c};
    return transform(y, x, w, c, x->n * p->bins, p->bins, s, s, error);
}

static gboolean check_shapes(const SfuFourier *p, const char *op, const SfuTensor *real, const SfuTensor *spectrum,
                             GError **error)
{
    if (real->h == p->h && real->w == p->w && spectrum->h == p->h && spectrum->w == p->bins && spectrum->n == real->n &&
        spectrum->c == 2 * real->c && spectrum->dtype == real->dtype)
        return TRUE;
    return sfu_op_shape_error(error, op, "%d x %d x %d against a spectrum of %d x %d x %d, planned for %d x %d",
                              real->h, real->w, real->c, spectrum->h, spectrum->w, spectrum->c, p->h, p->w);
}

gboolean sfu_rfft2(SfuQueue *q, const SfuFourier *p, SfuTensor *y, const SfuTensor *x, GError **error)
{
    if (!check_shapes(p, "rfft2", x, y, error))
        return FALSE;
    const int c = x->c;
    const Strides real = {p->w * c, 0, 2 * c, c}, spectrum = {p->bins * 2 * c, 0, 2 * c, c};
    SfuTensor *half = sfu_tensor_create(q, x->dtype, y->n, y->h, y->w, y->c, error);
    const gboolean ok = half && transform(half, x, p->across, c, x->n * p->h, 1, spectrum, real, error) &&
                        along_h(p, y, half, p->down, c, error);
    sfu_tensor_destroy(half);
    return ok;
}

gboolean sfu_irfft2(SfuQueue *q, const SfuFourier *p, SfuTensor *y, const SfuTensor *x, GError **error)
{
    if (!check_shapes(p, "irfft2", y, x, error))
        return FALSE;
    const int c = y->c;
    const Strides real = {p->w * c, 0, 2 * c, c}, spectrum = {p->bins * 2 * c, 0, 2 * c, c};
    SfuTensor *half = sfu_tensor_create(q, x->dtype, x->n, x->h, x->w, x->c, error);
    const gboolean ok = half && along_h(p, half, x, p->up, c, error) &&
                        transform(y, half, p->back, c, x->n * p->h, 1, real, spectrum, error);
    sfu_tensor_destroy(half);
    return ok;
}
