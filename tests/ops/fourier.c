/* rfft2 and irfft2 against sums in double.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

#define AT(v, t, b, y, x, ch) (v)[((((gint64)(b)) * (t)->h + (y)) * (t)->w + (x)) * (t)->c + (ch)]

typedef struct {
    const char *name;
    int n, h, w, c;
    Kind kind;
} Size;

/* spectrum [n, h, w / 2 + 1, 2 c] of x [n, h, w, c]: its first c channels are real parts, the others imaginary ones. */
static void reference(const In *x, const Out *y, double *ref, double *mag)
{
    const SfuTensor *t = x->t;
    for (int b = 0; b < t->n; b++)
        for (int v = 0; v < t->h; v++)
            for (int u = 0; u < t->w / 2 + 1; u++)
                for (int c = 0; c < t->c; c++) {
                    double re = 0, im = 0, all = 0;
                    for (int i = 0; i < t->h; i++)
                        for (int j = 0; j < t->w; j++) {
                            const double a = 2 * G_PI * ((double)v * i / t->h + (double)u * j / t->w),
                                         s = AT(x->v, t, b, i, j, c);
                            re += s * cos(a);
                            im -= s * sin(a);
                            all += fabs(s);
                        }
                    const double scale = 1 / sqrt((double)t->h * t->w);
                    AT(ref, y->t, b, v, u, c) = re * scale;
                    AT(ref, y->t, b, v, u, t->c + c) = im * scale;
                    AT(mag, y->t, b, v, u, c) = AT(mag, y->t, b, v, u, t->c + c) = all * scale;
                }
}

static void forward(Check *c, gconstpointer row)
{
    const Size *s = row;
    SfuFourier *p = sfu_fourier_new(s->h, s->w);
    const In x = check_in(c, s->n, s->h, s->w, s->c, s->kind);
    const Out y = check_out(c, s->n, s->h, s->w / 2 + 1, 2 * s->c);
    double *ref = check_zeros(c, sfu_tensor_elements(y.t)), *mag = check_zeros(c, sfu_tensor_elements(y.t));
    reference(&x, &y, ref, mag);
    CHECK_OK(sfu_rfft2(c->q, p, y.t, x.t, ERR));
    /* Two sums of h and w terms, each with matrix entries rounded once; what lies between is stored once. */
    check_close(c, &y, ref, mag, (s->h + s->w + 4) * c->mode->unit + c->mode->store);
    sfu_fourier_free(p);
}

/* Back again is the picture, whatever the parity of its sides. */
static void inverse(Check *c, gconstpointer row)
{
    const Size *s = row;
    SfuFourier *p = sfu_fourier_new(s->h, s->w);
    const In x = check_in(c, s->n, s->h, s->w, s->c, s->kind);
    const Out y = check_out(c, s->n, s->h, s->w / 2 + 1, 2 * s->c), back = check_out(c, s->n, s->h, s->w, s->c);
    CHECK_OK(sfu_rfft2(c->q, p, y.t, x.t, ERR) && sfu_irfft2(c->q, p, back.t, y.t, ERR));
    double *mag = check_zeros(c, sfu_tensor_elements(back.t));
    for (int b = 0; b < s->n; b++)
        for (int ch = 0; ch < s->c; ch++) {
            double all = 0;
            for (int k = 0; k < s->h * s->w; k++)
                all += fabs(AT(x.v, x.t, b, k / s->w, k % s->w, ch));
            for (int k = 0; k < s->h * s->w; k++)
                AT(mag, back.t, b, k / s->w, k % s->w, ch) = all;
        }
    check_close(c, &back, x.v, mag, 2 * (s->h + s->w + 4) * c->mode->unit + 2 * c->mode->store);
    sfu_fourier_free(p);
}

void add_fourier(void)
{
    static const Size sizes[] = {
        {"one", 1, 1, 1, 1, NORMAL},       {"odd", 2, 5, 7, 3, NORMAL},      {"even", 1, 8, 6, 16, NORMAL},
        {"row", 1, 1, 9, 33, NORMAL},      {"column", 1, 10, 1, 32, NORMAL}, {"wide", 1, 12, 15, 40, SHIFTED},
        {"extreme", 1, 4, 6, 20, EXTREME}, {"large", 1, 24, 20, 48, NORMAL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const Size *s = &sizes[i];
        const double work = 1.0 * s->n * s->c * s->h * s->w * (2 * s->h + s->w);
        check_add("rfft2", s->name, work, forward, s);
        check_add("irfft2", s->name, 2 * work, inverse, s);
    }
}
