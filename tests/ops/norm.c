/* Normalizations and softmax against two passes in double.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

/* What rounding may do to (x - mean) * r * gamma + beta, in units: the mean is off by up to 3 units of the mean
 * magnitude `size` of the values (x - mean itself is exact when they are close); the deviation by 16 relative units,
 * and by some more where it is far below the mean, since the means of chunks are rounded before their differences are
 * taken. E[x^2] - E[x]^2 is off by (size * r)^2 units: caught. */
static double norm_units(double x, double mean, double size, double r, double gamma, double beta)
{
    const double d = fabs(x - mean);
    return r * fabs(gamma) * (3 * size + 16 * d + 0.25 * d * size * r) + 4 * fabs(beta);
}

typedef struct {
    const char *name;
    int n, h, w, c, groups;
    Kind kind;
    SfuAct act;
    gboolean in_place;
    float eps;
    double constant; /* every value, if not 0 */
    SfuDtype dtype;
} Norm;

static void moments(const double *x, gint64 rows, int stride, int count, double *mean, double *var, double *size)
{
    double s = 0, q = 0, a = 0;
    for (gint64 r = 0; r < rows; r++)
        for (int i = 0; i < count; i++) {
            s += x[r * stride + i];
            a += fabs(x[r * stride + i]);
        }
    *mean = s / ((double)rows * count);
    *size = a / ((double)rows * count);
    for (gint64 r = 0; r < rows; r++)
        for (int i = 0; i < count; i++)
            q += (x[r * stride + i] - *mean) * (x[r * stride + i] - *mean);
    *var = q / ((double)rows * count);
}

static void reference_group(const Norm *p, const double *x, const double *gamma, const double *beta, double *y,
                            double *mag, double *stats)
{
    const int per = p->c / p->groups;
    const gint64 pixels = (gint64)p->h * p->w;
    for (int b = 0; b < p->n; b++)
        for (int g = 0; g < p->groups; g++) {
            const gint64 base = b * pixels * p->c + g * per;
            double mean, var, size;
            moments(x + base, pixels, p->c, per, &mean, &var, &size);
            const double r = 1 / sqrt(var + p->eps);
            double *st = stats + 4 * (b * p->groups + g); /* mean, r, what each may be off by in units */
            st[0] = mean;
            st[1] = r;
            st[2] = 3 * size + 2 * sqrt(var); /* sums of differences from a first guess */
            st[3] = r * (16 + 0.25 * size * r);
            for (gint64 i = 0; i < pixels; i++)
                for (int k = 0; k < per; k++) {
                    const gint64 at = base + i * p->c + k;
                    const double ga = gamma[g * per + k], be = beta[g * per + k];
                    y[at] = check_act((x[at] - mean) * r * ga + be, p->act, 0);
                    mag[at] = norm_units(x[at], mean, size, r, ga, be) * 1.13; /* SiLU's steepest slope is 1.1 */
                }
        }
}

static In input(Check *c, const Norm *p)
{
    if (p->constant == 0)
        return check_in(c, p->n, p->h, p->w, p->c, p->kind);
    double *v = check_zeros(c, (gint64)p->n * p->h * p->w * p->c);
    for (gint64 i = 0; i < (gint64)p->n * p->h * p->w * p->c; i++)
        v[i] = p->constant;
    return check_in_values(c, p->n, p->h, p->w, p->c, v);
}

static void group_norm(Check *c, gconstpointer row)
{
    const Norm *p = row;
    const gint64 total = (gint64)p->n * p->h * p->w * p->c;
    In x = input(c, p);
    const Weight gamma = check_weight(c, p->dtype, p->c, 0, 0, 0), beta = check_weight(c, p->dtype, p->c, 0, 0, 0);
    double *ref = check_zeros(c, total), *mag = check_zeros(c, total),
           *stats = check_zeros(c, 4 * (gint64)p->n * p->groups);
    reference_group(p, x.v, gamma.v, beta.v, ref, mag, stats);
    const Out y = p->in_place ? check_in_place(c, &x) : check_out(c, p->n, p->h, p->w, p->c);
    CHECK_OK(sfu_group_norm(c->q, y.t, x.t, gamma.w, beta.w, p->groups, p->eps, p->act, ERR));
    check_close(c, &y, ref, mag, c->mode->unit);
}

/* The statistics of a picture used for one of its tiles. */
static void group_norm_tile(Check *c, gconstpointer row)
{
    const Norm *p = row;
    const gint64 total = (gint64)p->n * p->h * p->w * p->c, tile = (gint64)p->w * p->c * (p->h / 2);
    const In x = input(c, p);
    const Weight gamma = check_weight(c, p->dtype, p->c, 0, 0, 0), beta = check_weight(c, p->dtype, p->c, 0, 0, 0);
    double *ref = check_zeros(c, total), *mag = check_zeros(c, total), *stats = check_zeros(c, 4 * (gint64)p->groups);
    double *moments_ref = check_zeros(c, 2 * (gint64)p->groups), *moments_mag = check_zeros(c, 2 * (gint64)p->groups);
    reference_group(p, x.v, gamma.v, beta.v, ref, mag, stats);
    const Out s = check_out_f32(c, 1, 1, p->groups, 2), y = check_out(c, 1, p->h / 2, p->w, p->c);
    const In part = check_in_values(c, 1, p->h / 2, p->w, p->c, x.v + tile);
    CHECK_OK(sfu_group_norm_stats(c->q, s.t, x.t, p->groups, p->eps, ERR));
    for (int g = 0; g < 2 * p->groups; g++) {
        moments_ref[g] = stats[g / 2 * 4 + g % 2];
        moments_mag[g] = stats[g / 2 * 4 + g % 2 + 2];
    }
    check_close(c, &s, moments_ref, moments_mag, c->mode->unit);
    CHECK_OK(sfu_group_norm_apply(c->q, y.t, part.t, s.t, gamma.w, beta.w, p->act, ERR));
    check_close(c, &y, ref + tile, mag + tile, c->mode->unit);
}

/* What sfu_moments() is to say of x [n, pixels, c], and in what units it may be off. The mean: by 3 units of the mean
 * magnitude, and by 8 of the deviation, since a hundred sums of differences from a first guess are added up. The sum of
 * squares: by twice what norm_units() has for the deviation, and by the square of the mean's error where there is none.
 * `store`: of fp16, of values summed before they were rounded to it. */
static void reference_moments(const double *x, int n, gint64 pixels, int ch, double unit, double store, double *ref,
                              double *mag)
{
    for (int b = 0; b < n; b++)
        for (int i = 0; i < ch; i++) {
            double mean, var, size, *r = ref + 3 * (gint64)b * ch + i, *m = mag + 3 * (gint64)b * ch + i;
            moments(x + b * pixels * ch + i, pixels, ch, 1, &mean, &var, &size);
            const double d = sqrt(var), off = store * size / unit;
            r[0] = mean;
            m[0] = 3 * size + 8 * d + off;
            r[ch] = var * (double)pixels;
            m[ch] =
                (double)pixels * (32 * var + 0.5 * d * size + 10 * size * size * unit + 2 * d * off + off * off * unit);
            r[2 * ch] = (double)pixels;
            m[2 * ch] = 0;
        }
}

static double *values_of(Check *c, const SfuTensor *t)
{
    const gint64 count = sfu_tensor_elements(t);
    float *v = g_new(float, count);
    double *out = check_zeros(c, count);
    CHECK_OK(sfu_tensor_read(t, v, ERR));
    for (gint64 i = 0; i < count; i++)
        out[i] = v[i];
    g_free(v);
    return out;
}

typedef struct {
    const char *name;
    int n, h, w, in, out, k, stride;
    gboolean residual, geglu;
    Kind kind; /* of the residual */
    float scale;
} Made;

/* The moments that a product leaves of what it wrote. */
static void product_moments(Check *c, gconstpointer row)
{
    const Made *p = row;
    const int oh = (p->h + 2 * (p->k / 2) - p->k) / p->stride + 1, ow = (p->w + 2 * (p->k / 2) - p->k) / p->stride + 1,
              y_c = p->geglu ? p->out / 2 : p->out;
    const In x = check_in(c, p->n, p->h, p->w, p->in, NORMAL);
    const Weight w =
        p->k == 1 ? check_weight(c, SFU_F16, p->out, p->in, 0, 0) : check_weight(c, SFU_F16, p->out, p->in, p->k, p->k);
    const Weight bias = check_weight(c, SFU_F32, p->out, 0, 0, 0);
    const Out y = check_out(c, p->n, oh, ow, y_c), m = check_out_f32(c, p->n, 1, 3, y_c);
    const SfuConv conv = {
        .stride = p->stride, .pad_top = p->k / 2, .pad_left = p->k / 2, .pad_bottom = p->k / 2, .pad_right = p->k / 2};
    SfuEpilogue e = {.bias = bias.w, .scale = p->scale, .moments = m.t, .geglu = p->geglu};
    if (p->residual)
        e.residual = check_in(c, p->n, oh, ow, p->out, p->kind).t;
    if (p->k == 1)
        CHECK_OK(sfu_linear(c->q, y.t, x.t, w.w, &e, ERR));
    else
        CHECK_OK(sfu_conv2d(c->q, y.t, x.t, w.w, &conv, &e, ERR));
    double *ref = check_zeros(c, 3 * (gint64)p->n * y_c), *mag = check_zeros(c, 3 * (gint64)p->n * y_c);
    reference_moments(values_of(c, y.t), p->n, (gint64)oh * ow, y_c, c->mode->unit, c->mode->store, ref, mag);
    check_close(c, &m, ref, mag, c->mode->unit);
}

/* Those of a tensor, those of its upper and lower part joined, and the statistics of a norm from them. */
static void joined_moments(Check *c, gconstpointer row)
{
    const Norm *p = row;
    const int upper = MAX(1, p->h / 3), groups = p->groups;
    const In x = input(c, p);
    const Out whole = check_out_f32(c, p->n, 1, 3, p->c), joined = check_out_f32(c, 1, 1, 3, p->c),
              stats = check_out_f32(c, p->n, 1, groups, 2);
    double *ref = check_zeros(c, 3 * (gint64)p->n * p->c), *mag = check_zeros(c, 3 * (gint64)p->n * p->c);
    reference_moments(x.v, p->n, (gint64)p->h * p->w, p->c, c->mode->unit, 0, ref, mag);
    CHECK_OK(sfu_moments(c->q, whole.t, x.t, ERR));
    check_close(c, &whole, ref, mag, c->mode->unit);
    SfuTensor *parts = check_out_f32(c, 1, 2, 3, p->c).t, *part[2], *rows[2];
    for (int i = 0; i < 2; i++) {
        CHECK_OK(part[i] = sfu_tensor_view(parts, (size_t)(i * 3 * p->c), 1, 1, 3, p->c, ERR));
        CHECK_OK(rows[i] = sfu_tensor_view(x.t, i ? (size_t)(upper * p->w * p->c) : 0, 1, i ? p->h - upper : upper,
                                           p->w, p->c, ERR));
        CHECK_OK(sfu_moments(c->q, part[i], rows[i], ERR));
        g_ptr_array_add(c->tensors, part[i]);
        g_ptr_array_add(c->tensors, rows[i]);
    }
    CHECK_OK(sfu_moments_join(c->q, joined.t, parts, ERR));
    check_close(c, &joined, ref, mag, c->mode->unit);
    double *gamma = check_zeros(c, p->c), *y = check_zeros(c, sfu_tensor_elements(x.t)),
           *y_mag = check_zeros(c, sfu_tensor_elements(x.t));
    double *want = check_zeros(c, 4 * (gint64)p->n * groups), *stats_ref = check_zeros(c, 2 * (gint64)p->n * groups),
           *stats_mag = check_zeros(c, 2 * (gint64)p->n * groups);
    reference_group(p, x.v, gamma, gamma, y, y_mag, want);
    for (int g = 0; g < 2 * p->n * groups; g++) {
        stats_ref[g] = want[g / 2 * 4 + g % 2];
        stats_mag[g] = want[g / 2 * 4 + g % 2 + 2];
    }
    CHECK_OK(sfu_group_norm_stats_from(c->q, stats.t, whole.t, groups, p->eps, ERR));
    check_close(c, &stats, stats_ref, stats_mag, c->mode->unit);
}

static void layer_norm(Check *c, gconstpointer row)
{
    const Norm *p = row;
    const gint64 rows = (gint64)p->n * p->h * p->w;
    In x = input(c, p);
    Weight gamma = {0}, beta = {0};
    if (p->groups & 1) /* here `groups` says which weights there are */
        gamma = check_weight(c, p->dtype, p->c, 0, 0, 0);
    if (p->groups & 2)
        beta = check_weight(c, p->dtype, p->c, 0, 0, 0);
    double *ref = check_zeros(c, rows * p->c), *mag = check_zeros(c, rows * p->c);
    for (gint64 r = 0; r < rows; r++) {
        double mean, var, size;
        moments(x.v + r * p->c, 1, p->c, p->c, &mean, &var, &size);
        for (int i = 0; i < p->c; i++) {
            const gint64 at = r * p->c + i;
            const double k = 1 / sqrt(var + p->eps), g = gamma.v ? gamma.v[i] : 1, b = beta.v ? beta.v[i] : 0;
            ref[at] = (x.v[at] - mean) * k * g + b;
            mag[at] = norm_units(x.v[at], mean, size, k, g, b);
        }
    }
    const Out y = p->in_place ? check_in_place(c, &x) : check_out(c, p->n, p->h, p->w, p->c);
    CHECK_OK(sfu_layer_norm(c->q, y.t, x.t, gamma.w, beta.w, p->eps, ERR));
    check_close(c, &y, ref, mag, c->mode->unit);
}

typedef struct {
    const char *name;
    int n, w, c;
    int scale, shift, extra; /* columns of the modulation, and how many more it has than they need */
    gboolean one;            /* one row for all samples */
    Kind kind;
} Modulated;

/* [n or 1, 1, 1, ..] of values around 0. */
static In modulation(Check *c, const Modulated *p, SfuModulation *mod)
{
    const In m = check_in(c, p->one ? 1 : p->n, 1, 1, MAX(MAX(p->scale, p->shift), 0) + p->c + p->extra, NORMAL);
    *mod = (SfuModulation){m.t, p->scale, p->shift};
    return m;
}

/* v modulated, and what the sizes of its parts add up to. */
static double modulate(const Modulated *p, const In *m, gint64 row, int i, double v, double *mag)
{
    const double *at = m->v + (p->one ? 0 : row / p->w * m->t->c) + i;
    const double scale = p->scale < 0 ? 0 : at[p->scale], shift = p->shift < 0 ? 0 : at[p->shift];
    *mag = *mag * fabs(1 + scale) + 4 * fabs(v) * (1 + fabs(scale)) + 4 * fabs(shift);
    return v * (1 + scale) + shift;
}

static void layer_norm_modulated(Check *c, gconstpointer row)
{
    const Modulated *p = row;
    const gint64 rows = (gint64)p->n * p->w;
    const In x = check_in(c, p->n, 1, p->w, p->c, p->kind);
    SfuModulation mod;
    const In m = modulation(c, p, &mod);
    double *ref = check_zeros(c, rows * p->c), *mag = check_zeros(c, rows * p->c);
    for (gint64 r = 0; r < rows; r++) {
        double mean, var, size;
        moments(x.v + r * p->c, 1, p->c, p->c, &mean, &var, &size);
        for (int i = 0; i < p->c; i++) {
            const gint64 at = r * p->c + i;
            const double k = 1 / sqrt(var + 1e-6);
            mag[at] = norm_units(x.v[at], mean, size, k, 1, 0);
            ref[at] = modulate(p, &m, r, i, (x.v[at] - mean) * k, &mag[at]);
        }
    }
    const Out y = check_out(c, p->n, 1, p->w, p->c);
    CHECK_OK(sfu_layer_norm_modulated(c->q, y.t, x.t, &mod, 1e-6f, ERR));
    check_close(c, &y, ref, mag, c->mode->unit);
}

typedef struct {
    Modulated m;
    int first, n_runs, size; /* 0: whole rows, modulated */
    gboolean gamma;
} Rms;

static void rms_norm(Check *c, gconstpointer row)
{
    const Rms *p = row;
    const int n_c = p->m.c, size = p->size ? p->size : n_c, n_runs = p->size ? p->n_runs : 1;
    const gint64 rows = (gint64)p->m.n * p->m.w;
    In x = check_in(c, p->m.n, 1, p->m.w, n_c, p->m.kind);
    const Weight gamma = p->gamma ? check_weight(c, SFU_F32, size, 0, 0, 0) : (Weight){0};
    SfuModulation mod;
    const In m = p->size ? (In){0} : modulation(c, &p->m, &mod);
    double *ref = check_zeros(c, rows * n_c), *mag = check_zeros(c, rows * n_c);
    for (gint64 i = 0; i < rows * n_c; i++)
        ref[i] = x.v[i];
    for (gint64 r = 0; r < rows; r++)
        for (int k = 0; k < n_runs; k++) {
            const gint64 from = r * n_c + p->first + k * size;
            double sum = 0;
            for (int i = 0; i < size; i++)
                sum += x.v[from + i] * x.v[from + i];
            for (int i = 0; i < size; i++) {
                const double v = x.v[from + i] / sqrt(sum / size + 1e-6) * (p->gamma ? gamma.v[i] : 1);
                ref[from + i] = v;
                mag[from + i] = (8 + sqrt(size)) * fabs(v); /* a sum, a root, and four roundings */
                if (m.t)
                    ref[from + i] = modulate(&p->m, &m, r, i, v, &mag[from + i]);
            }
        }
    const Out y = check_in_place(c, &x);
    CHECK_OK(sfu_rms_norm(c->q, y.t, x.t, gamma.w,
                          &(SfuRmsNorm){p->first, p->size ? p->n_runs : 0, p->size, 1e-6f, m.t ? &mod : NULL}, ERR));
    check_close(c, &y, ref, mag, c->mode->unit);
}

/* Products that left fp16's range (here: the sum of two large values) are its greatest value. */
static void rms_norm_held(Check *c, gconstpointer row)
{
    const double large[] = {60000, -60000, 1, 2}, signs[] = {1, -1, 0, 0};
    double ref[4];
    In x = check_in_values(c, 1, 1, 1, 4, large);
    const Out y = check_in_place(c, &x);
    CHECK_OK(sfu_axpby(c->q, y.t, 1, y.t, 1, y.t, ERR));
    CHECK_OK(sfu_rms_norm(c->q, y.t, y.t, NULL, &(SfuRmsNorm){.eps = 1e-6f}, ERR));
    for (int i = 0; i < 4; i++) /* sqrt(2) each, and next to nothing */
        ref[i] = signs[i] * sqrt(2);
    const double mag[] = {1, 1, 1, 1};
    check_close(c, &y, ref, mag, 1e-4);
}

static void softmax(Check *c, gconstpointer row)
{
    const Norm *p = row;
    const gint64 rows = (gint64)p->n * p->h * p->w;
    In x = input(c, p);
    double *ref = check_zeros(c, rows * p->c), *mag = check_zeros(c, rows * p->c);
    for (gint64 r = 0; r < rows; r++) {
        double top = -INFINITY, sum = 0;
        for (int i = 0; i < p->c; i++)
            top = MAX(top, x.v[r * p->c + i]);
        for (int i = 0; i < p->c; i++)
            sum += exp(x.v[r * p->c + i] - top);
        for (int i = 0; i < p->c; i++) {
            const double d = x.v[r * p->c + i] - top;
            ref[r * p->c + i] = exp(d) / sum;
            mag[r * p->c + i] = exp(d) / sum * (1 + fabs(d)); /* rounding d changes exp(d) by |d| units */
        }
    }
    const Out y = p->in_place ? check_in_place(c, &x) : check_out(c, p->n, p->h, p->w, p->c);
    CHECK_OK(sfu_softmax(c->q, y.t, x.t, ERR));
    check_close(c, &y, ref, mag, c->mode->unit * (10 + sqrt(p->c))); /* two exps of 3 ulp, a sum, a division */
}

static const Norm group_norms[] = {
    {"one", 1, 1, 1, 1, 1, .eps = 1e-5f},
    {"odd", 2, 3, 5, 21, 7, .eps = 1e-5f},
    {"groups-of-1", 1, 4, 4, 19, 19, .eps = 1e-6f},
    {"groups-of-10", 2, 9, 7, 320, 32, .eps = 1e-5f, .act = SFU_ACT_SILU},
    {"one-group", 1, 7, 9, 50, 1, .eps = 1e-5f},
    {"large", 2, 32, 32, 640, 32, .eps = 1e-5f, .act = SFU_ACT_SILU, .dtype = SFU_F16},
    {"tall", 1, 300, 300, 4, 2, .eps = 1e-6f},
    {"one-channel", 1, 256, 256, 1, 1, .eps = 1e-6f, .kind = SHIFTED},
    {"wide", 1, 2, 2, 2560, 32, .eps = 1e-5f},
    {"in-place", 2, 6, 5, 64, 32, .eps = 1e-5f, .act = SFU_ACT_SILU, .in_place = TRUE},
    {"shifted", 2, 16, 16, 64, 32, .eps = 1e-6f, .kind = SHIFTED},
    {"shifted-silu", 1, 33, 31, 96, 32, .eps = 1e-6f, .kind = SHIFTED, .act = SFU_ACT_SILU},
    {"extreme", 1, 9, 9, 64, 32, .eps = 1e-5f, .kind = EXTREME},
    {"constant", 1, 9, 9, 64, 32, .eps = 1e-5f, .constant = 3},
    {"constant-large", 1, 9, 9, 64, 32, .eps = 1e-5f, .constant = 3000},
    {"bf16", 1, 5, 5, 64, 32, .eps = 1e-5f, .dtype = SFU_BF16},
};
static const Norm tiles[] = {
    {"tile", 1, 8, 9, 64, 32, .eps = 1e-6f},
    {"tile-shifted", 1, 12, 10, 96, 32, .eps = 1e-6f, .kind = SHIFTED, .act = SFU_ACT_SILU},
};
static const Made made[] = {
    {"conv3x3/one", 1, 1, 1, 1, 1, 3, 1},
    {"conv3x3/tile+1", 2, 9, 9, 33, 65, 3, 1},
    {"conv3x3/large", 1, 33, 70, 64, 96, 3, 1, .residual = TRUE},
    {"conv3x3/samples-share-a-chunk", 3, 7, 6, 32, 40, 3, 1},
    {"conv3x3/many-samples", 5, 22, 21, 32, 32, 3, 1},
    {"conv3x3/shifted", 2, 24, 24, 64, 64, 3, 1, .residual = TRUE, .kind = SHIFTED, .scale = 0.001f},
    {"conv3x3/extreme", 1, 24, 24, 64, 64, 3, 1, .residual = TRUE, .kind = EXTREME},
    {"conv3x3/stride2", 2, 10, 10, 16, 48, 3, 2},
    {"conv3x3/in4", 2, 16, 16, 4, 64, 3, 1},
    {"conv3x3/out4", 1, 16, 16, 64, 4, 3, 1},
    {"linear/residual", 2, 1, 130, 40, 100, 1, 1, .residual = TRUE},
    {"linear/geglu", 2, 1, 30, 40, 160, 1, 1, .geglu = TRUE},
};
static const Norm joined[] = {
    {"odd", 1, 3, 5, 21, 7, .eps = 1e-5f},
    {"tall", 1, 300, 300, 4, 2, .eps = 1e-6f},
    {"shifted", 1, 33, 31, 96, 32, .eps = 1e-6f, .kind = SHIFTED},
    {"extreme", 1, 9, 9, 64, 32, .eps = 1e-5f, .kind = EXTREME},
    {"constant-large", 1, 9, 9, 64, 32, .eps = 1e-5f, .constant = 3000},
};
static const Norm layer_norms[] = {
    {"one", 1, 1, 1, 1, 3, .eps = 1e-5f},
    {"odd", 2, 1, 7, 13, 3, .eps = 1e-5f},
    {"no-weights", 1, 1, 7, 40, 0, .eps = 1e-5f},
    {"gamma-only", 1, 1, 7, 40, 1, .eps = 1e-5f},
    {"768", 2, 1, 77, 768, 3, .eps = 1e-5f, .dtype = SFU_F16},
    {"1280", 1, 1, 65, 1280, 3, .eps = 1e-5f, .in_place = TRUE},
    {"shifted", 1, 1, 30, 320, 3, .eps = 1e-6f, .kind = SHIFTED},
    {"shifted-wide", 1, 1, 4, 10240, 3, .eps = 1e-6f, .kind = SHIFTED},
    {"extreme", 1, 1, 30, 321, 3, .eps = 1e-5f, .kind = EXTREME},
    {"constant", 1, 1, 3, 100, 3, .eps = 1e-5f, .constant = 100},
};
static const Modulated modulated_norms[] = {
    {"one", 1, 1, 1, 0, 1, 0},
    {"odd", 2, 7, 13, 5, 21, 3},
    {"one-row", 3, 5, 40, 40, 0, 0, TRUE},
    {"scale-only", 2, 5, 36, 8, -1, 4},
    {"shift-only", 1, 5, 36, -1, 8, 0},
    {"3072", 2, 9, 3072, 0, 3072, 3072},
    {"shifted", 1, 30, 320, 320, 0, 0, FALSE, SHIFTED},
    {"extreme", 1, 30, 321, 0, 321, 0, FALSE, EXTREME},
};
static const Rms rms_norms[] = {
    {{"one", 1, 1, 1, 0, 1, 0}, .gamma = TRUE},
    {{"odd", 2, 7, 13, 5, 21, 3}, .gamma = TRUE},
    {{"plain", 2, 7, 64, -1, -1, 0}, .gamma = FALSE},
    {{"scale-only", 2, 5, 3840, 3840, -1, 0}, .gamma = TRUE},
    {{"heads", 2, 5, 100}, .first = 3, .n_runs = 4, .size = 20, .gamma = TRUE},
    {{"heads-aligned", 1, 9, 1024}, .first = 256, .n_runs = 4, .size = 128, .gamma = TRUE},
    {{"heads-no-gamma", 1, 3, 24}, .first = 0, .n_runs = 2, .size = 8},
    {{"shifted", 1, 30, 320, 320, 0, 0, FALSE, SHIFTED}, .gamma = TRUE},
    {{"extreme", 1, 30, 321, 0, 321, 0, FALSE, EXTREME}, .gamma = TRUE},
};
static const Norm softmaxes[] = {
    {"one", 1, 1, 1, 1},
    {"odd", 1, 3, 5, 7},
    {"77", 2, 2, 9, 77},
    {"large", 1, 1, 40, 4096},
    {"in-place", 1, 1, 9, 100, .in_place = TRUE},
    {"shifted", 1, 1, 9, 100, .kind = SHIFTED},
    {"extreme", 1, 1, 9, 100, .kind = EXTREME},
};

void add_norm(void)
{
#define ADD(list, op, fn)                                                                                              \
    for (guint i = 0; i < G_N_ELEMENTS(list); i++)                                                                     \
        check_add(op, list[i].name, 4.0 * list[i].n * list[i].h * list[i].w * list[i].c, fn, &list[i]);
    ADD(group_norms, "group_norm", group_norm)
    ADD(tiles, "group_norm", group_norm_tile)
    ADD(joined, "moments", joined_moments)
    for (guint i = 0; i < G_N_ELEMENTS(made); i++)
        check_add("product-moments", made[i].name, 9.0 * made[i].n * made[i].h * made[i].w * made[i].in * made[i].out,
                  product_moments, &made[i]);
    ADD(layer_norms, "layer_norm", layer_norm)
    for (guint i = 0; i < G_N_ELEMENTS(modulated_norms); i++) {
        const Modulated *p = &modulated_norms[i];
        check_add("layer_norm_modulated", p->name, 4.0 * p->n * p->w * p->c, layer_norm_modulated, p);
    }
    check_add("rms_norm", "held", 4, rms_norm_held, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rms_norms); i++) {
        const Modulated *p = &rms_norms[i].m;
        check_add("rms_norm", p->name, 4.0 * p->n * p->w * p->c, rms_norm, &rms_norms[i]);
    }
    ADD(softmaxes, "softmax", softmax)
}
