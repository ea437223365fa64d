/* From the tensors of an adapter's module to the change that they make of a weight. The formulas are tested against
 * LyCORIS, PEFT and diffusers.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/adapter_kinds.h"
#include "model/rotation.h"
#include <math.h>
#include <glib/gi18n-lib.h>

typedef struct {
    const SfuAdapterSite *site;
    const SfuAdapterModule *m; /* the site's, as are in and taps */
    gint64 in, taps;
    GError **error;
} Builder;

static gboolean contradicts(Builder *b, const SfuFileTensor *t)
{
    return sfu_file_fail(b->error, b->site->path, _("the shape of '%s' does not fit the other tensors of its module"),
                         t->name);
}

/* The weight behind t as [rows, the rest]. */
static SfuWeight *matrix(const SfuFileTensor *t)
{
    return sfu_file_tensor_weight(t, t->name);
}

static SfuWeight *own_matrix(const char *name, gint64 rows, gint64 cols, float *values)
{
    const gint64 dims[2] = {rows, cols};
    return sfu_weight_new_take(name, SFU_F32, 2, dims, values, sizeof *values * (gsize)(rows * cols));
}

static float *values_of(const SfuFileTensor *t)
{
    SfuWeight *w = matrix(t);
    float *v = g_new(float, MAX(1, t->n_elements));
    sfu_weight_read_f32(w, 0, t->n_elements, v);
    sfu_weight_destroy(w);
    return v;
}

/* mid [p, q, taps..] and down [q, in] (or [in], as rows): out[i][j, k] = sum over q of mid[i][q][k] down[q][j]. */
static SfuWeight *join_core(const SfuFileTensor *mid, const SfuFileTensor *down, gint64 in)
{
    const gint64 p = mid->dims[0], q = mid->dims[1], taps = mid->n_elements / (p * q);
    float *core = values_of(mid), *d = values_of(down), *out = g_new0(float, p *in *taps);
    for (gint64 i = 0; i < p; i++)
        for (gint64 r = 0; r < q; r++)
            for (gint64 j = 0; j < in; j++)
                for (gint64 k = 0; k < taps; k++)
                    out[(i * in + j) * taps + k] += core[(i * q + r) * taps + k] * d[r * in + j];
    g_free(core);
    g_free(d);
    return own_matrix(mid->name, p, in * taps, out);
}

static SfuWeight *transposed(const SfuFileTensor *t)
{
    const gint64 rows = t->dims[0], cols = t->n_elements / rows;
    float *v = values_of(t), *out = g_new(float, t->n_elements);
    for (gint64 i = 0; i < rows; i++)
        for (gint64 j = 0; j < cols; j++)
            out[j * rows + i] = v[i * cols + j];
    g_free(v);
    return own_matrix(t->name, cols, rows, out);
}

/* a [out, r] and b [r, in * taps], or with a core [r, r, taps] b [r, in] (and a [r, out] where LyCORIS has it so:
 * a_turned). */
typedef struct {
    const SfuFileTensor *a, *b, *core;
    gboolean a_turned;
    gint64 in, taps;
} Pair;

/* The pair as the factors *wa and *wb of in * taps columns. *out: rows of a. FALSE: another width, or torn. */
static gboolean factors(Builder *x, Pair p, SfuWeight **wa, SfuWeight **wb, gint64 *out)
{
    const SfuFileTensor *a = p.a, *b = p.b, *core = p.core;
    const gint64 r = sfu_adapter_dim(b, 0), own = r ? b->n_elements / r : 0;
    *out = p.a_turned ? a->n_elements / MAX(1, sfu_adapter_dim(a, 0)) : sfu_adapter_dim(a, 0);
    if (b->n_dims < 2 || a->n_dims < 2 || a->n_elements != *out * (core ? sfu_adapter_dim(core, 0) : r))
        return contradicts(x, a);
    if (core && (core->n_dims < 3 || sfu_adapter_dim(core, 1) != r || !core->n_elements))
        return contradicts(x, core);
    if (own != (core ? p.in : p.in * p.taps) || (core && core->n_elements / (sfu_adapter_dim(core, 0) * r) != p.taps))
        return FALSE;
    *wa = p.a_turned ? transposed(a) : matrix(a);
    *wb = core ? join_core(core, b, p.in) : matrix(b);
    return TRUE;
}

static gboolean build_lora(Builder *x, SfuDelta *d)
{
    d->kind = SFU_DELTA_LOW_RANK;
    const SfuFileTensor *const *t = x->m->t;
    const Pair pair = {t[SFU_ROLE_UP], t[SFU_ROLE_DOWN], t[SFU_ROLE_MID], FALSE, x->in, x->taps};
    return factors(x, pair, &d->a[0], &d->b[0], &d->out);
}

static gboolean build_loha(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *const *t = x->m->t;
    gint64 out;
    d->kind = SFU_DELTA_HADAMARD;
    const Pair first = {t[SFU_ROLE_HADA1_A],
                        t[SFU_ROLE_HADA1_B],
                        t[SFU_ROLE_T1],
                        sfu_adapter_has(x->m, SFU_ROLE_T1),
                        x->in,
                        x->taps},
               second = {t[SFU_ROLE_HADA2_A],
                         t[SFU_ROLE_HADA2_B],
                         t[SFU_ROLE_T2],
                         sfu_adapter_has(x->m, SFU_ROLE_T2),
                         x->in,
                         x->taps};
    if (!factors(x, first, &d->a[0], &d->b[0], &d->out) || !factors(x, second, &d->a[1], &d->b[1], &out))
        return FALSE;
    return out == d->out || contradicts(x, t[SFU_ROLE_HADA2_A]);
}

static gboolean build_glora(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *const *t = x->m->t;
    const gboolean old = sfu_adapter_glora_is_old(x->m);
    gint64 in;
    d->kind = SFU_DELTA_GENERALIZED;
    const Pair added = {t[old ? SFU_ROLE_B2 : SFU_ROLE_B1],
                        t[old ? SFU_ROLE_B1 : SFU_ROLE_B2],
                        NULL,
                        FALSE,
                        x->in,
                        x->taps},
               turned = {t[old ? SFU_ROLE_A2 : SFU_ROLE_A1], t[old ? SFU_ROLE_A1 : SFU_ROLE_A2], NULL, FALSE, x->in, 1};
    if (!factors(x, added, &d->a[0], &d->b[0], &d->out) || !factors(x, turned, &d->a[1], &d->b[1], &in))
        return FALSE;
    return in == x->in || contradicts(x, t[SFU_ROLE_A1]);
}

/* The half of a Kronecker product that may be kept as a product itself: [rows, in * taps] of `in` inputs. */
static SfuWeight *half(Builder *x, SfuAdapterRole whole, SfuAdapterRole a, SfuAdapterRole b, const SfuFileTensor *core,
                       gint64 in, gint64 taps)
{
    const SfuFileTensor *const *t = x->m->t;
    SfuDelta d = {.in = in, .taps = taps};
    SfuWeight *w = NULL;
    if (t[whole]) {
        const gint64 dims[2] = {sfu_adapter_dim(t[whole], 0), in * taps};
        if (t[whole]->n_elements == dims[0] * dims[1])
            w = own_matrix(t[whole]->name, dims[0], dims[1], values_of(t[whole]));
    } else if (factors(x, (Pair){t[a], t[b], core, core != NULL, in, taps}, &d.a[0], &d.b[0], &d.out)) {
        const gint64 rank = sfu_weight_elements(d.b[0]) / (in * taps), n = d.out * in * taps;
        float *v = g_new0(float, MAX(1, n)), *va = g_new(float, d.out *rank), *vb = g_new(float, rank *in *taps);
        sfu_weight_read_f32(d.a[0], 0, d.out * rank, va);
        sfu_weight_read_f32(d.b[0], 0, rank * in * taps, vb);
        for (gint64 i = 0; i < d.out; i++)
            for (gint64 r = 0; r < rank; r++)
                for (gint64 k = 0; k < in * taps; k++)
                    v[i * in * taps + k] += va[i * rank + r] * vb[r * in * taps + k];
        g_free(va);
        g_free(vb);
        w = own_matrix(t[a]->name, d.out, in * taps, v);
    }
    sfu_weight_destroy(d.a[0]);
    sfu_weight_destroy(d.b[0]);
    return w;
}

static gboolean build_lokr(Builder *x, SfuDelta *d)
{
    const SfuAdapterModule *m = x->m;
    const SfuFileTensor *cols = m->t[sfu_adapter_has(m, SFU_ROLE_W1) ? SFU_ROLE_W1 : SFU_ROLE_W1_B];
    const gint64 q = sfu_adapter_dim(cols, 1);
    d->kind = SFU_DELTA_KRONECKER;
    if (q < 1 || x->in % q)
        return FALSE;
    d->a[0] = half(x, SFU_ROLE_W1, SFU_ROLE_W1_A, SFU_ROLE_W1_B, NULL, q, 1);
    d->b[0] =
        d->a[0] ? half(x, SFU_ROLE_W2, SFU_ROLE_W2_A, SFU_ROLE_W2_B, m->t[SFU_ROLE_W2_T], x->in / q, x->taps) : NULL;
    if (!d->b[0])
        return FALSE;
    d->out = sfu_weight_dim(d->a[0], 0) * sfu_weight_dim(d->b[0], 0);
    return TRUE;
}

/* q, which is the whole tensor t of n blocks, is scaled so that its length is `most` or less. 0: any is. */
static void limit_length(float *q, gint64 n, double most)
{
    double sum = 0;
    for (gint64 i = 0; i < n; i++)
        sum += (double)q[i] * q[i];
    for (gint64 i = 0; most > 0 && sqrt(sum) > most && i < n; i++)
        q[i] *= (float)(most / sqrt(sum));
}

/* Blocks B of LyCORIS and kohya's scripts [(stages,) blocks, b, b]: R is the Cayley transform of B - B^T. OFT applies
 * its transpose. */
static gboolean build_oft(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *t = x->m->t[SFU_ROLE_BLOCKS], *alpha = x->m->t[SFU_ROLE_ALPHA],
                        *rescale = x->m->t[SFU_ROLE_RESCALE];
    const gint64 b = t->dims[t->n_dims - 1], n = t->dims[t->n_dims - 3];
    d->kind = SFU_DELTA_ROTATE_OUT;
    d->butterfly = t->n_dims == 4;
    d->n_stages = d->butterfly ? (int)MIN(t->dims[0], 64) : 1;
    d->block = b;
    d->out = n * b;
    if (t->dims[t->n_dims - 2] != b || (alpha && alpha->n_elements != 1) || d->n_stages > 30 ||
        (d->butterfly && (b % 2 || n % ((gint64)1 << (d->n_stages - 1)))) || (rescale && rescale->n_elements != d->out))
        return contradicts(x, t);
    if (b > x->site->rows)
        return FALSE;
    float *q = values_of(t), *limit = alpha ? values_of(alpha) : NULL;
    for (gint64 k = 0; k < t->n_elements; k += b * b)
        for (gint64 i = 0; i < b; i++)
            for (gint64 j = i; j < b; j++) {
                const float v = q[k + i * b + j] - q[k + j * b + i];
                q[k + i * b + j] = d->butterfly ? v : -v; /* -q gives the transpose */
                q[k + j * b + i] = -q[k + i * b + j];
            }
    limit_length(q, t->n_elements, limit ? (double)*limit * (double)d->out : 0);
    for (gint64 k = 0; k < t->n_elements; k += b * b)
        sfu_cayley(q + k, b, 0);
    d->a[0] = own_matrix(t->name, t->n_elements / b, b, q);
    d->b[0] = rescale ? own_matrix(rescale->name, d->out, 1, values_of(rescale)) : NULL;
    g_free(limit);
    return TRUE;
}

/* PEFT's [blocks, b (b - 1) / 2], the values above the diagonal of skew-symmetric matrices, for the inputs. Its layers
 * for convolutions of several taps do not compute what its merge() does (0.21.2: 2.4 times as much apart as the result
 * is long): they are refused. */
static gboolean build_oft_peft(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *t = x->m->t[SFU_ROLE_SKEW];
    const SfuAlphas *a = x->site->alphas;
    const char *name = x->m->name;
    const gint64 n = sfu_adapter_dim(t, 0), size = sfu_adapter_dim(t, 1),
                 b = (gint64)((1 + sqrt(1 + 8.0 * (double)size)) / 2);
    const gboolean series = sfu_alphas_setting(a, name, "use_cayley_neumann", 1) != 0;
    const int terms = series ? (int)sfu_alphas_setting(a, name, "num_cayley_neumann_terms", 5) : 0;
    const double eps = sfu_alphas_setting(a, name, "coft", 0) != 0 ? sfu_alphas_setting(a, name, "eps", 6e-5) : 0;
    d->kind = SFU_DELTA_ROTATE_IN;
    d->n_stages = 1;
    d->block = b;
    if (t->n_dims != 2 || b * (b - 1) / 2 != size)
        return contradicts(x, t);
    if (x->taps != 1)
        return sfu_file_fail(x->error, x->site->path,
                             _("'%s' is PEFT's OFT for a convolution of several taps; PEFT itself gives two different "
                               "results there, so Sfumato does not apply it"),
                             t->name);
    if (n == 1 ? x->in % b : x->in != n * b)
        return FALSE;
    float *v = values_of(t), *q = g_new0(float, n *b *b);
    for (gint64 k = 0; k < n; k++) {
        const float *from = v + k * size;
        float *to = q + k * b * b;
        for (gint64 i = 0; i < b; i++)
            for (gint64 j = i + 1; j < b; j++, from++) {
                to[i * b + j] = series ? *from : -*from; /* without a series, PEFT has the signs the other way round */
                to[j * b + i] = -to[i * b + j];
            }
        limit_length(to, b * b, eps / sqrt((double)n));
        sfu_cayley(to, b, terms);
    }
    g_free(v);
    d->a[0] = own_matrix(t->name, n * b, b, q);
    return TRUE;
}

/* t's values as so many rows of `width`. */
static gboolean build_plain(SfuDelta *d, SfuDeltaKind kind, const SfuFileTensor *t, gint64 width)
{
    d->kind = kind;
    d->out = t->n_elements / width;
    d->scale = 1;
    if (t->n_elements % width)
        return FALSE;
    d->a[0] = own_matrix(t->name, d->out, width, values_of(t));
    return TRUE;
}

/* t's bytes stand for values from low to high, which are one number each. */
static gboolean build_bytes(Builder *x, SfuDelta *d, const SfuFileTensor *t, const SfuFileTensor *low,
                            const SfuFileTensor *high, gint64 width)
{
    if (t->dtype != SFU_U8 || low->n_elements != 1 || high->n_elements != 1)
        return contradicts(x, t);
    if (t->n_elements % width)
        return FALSE;
    float *from = values_of(low), *to = values_of(high);
    d->kind = SFU_DELTA_FULL;
    d->out = t->n_elements / width;
    d->scale = (*to - *from) / 255;
    d->offset = *from;
    d->a[0] = matrix(t);
    g_free(from);
    g_free(to);
    return TRUE;
}

/* PEFT's values: [out, 1] or [1, in]; of convolutions [1, out, 1, 1] or [1, in, 1, 1]. */
static gboolean scales_inputs(const Builder *x, const SfuFileTensor *t)
{
    return sfu_adapter_dim(t, 0) == 1 && (t->n_dims == 2 || (t->n_elements == x->in && t->n_elements != x->site->rows));
}

/* One value for each output, or for each input. whole: 1 is what changes nothing, else 0 is. */
static gboolean build_ia3(Builder *x, SfuDelta *d, const SfuFileTensor *t, gboolean by_input, gboolean whole)
{
    if (!build_plain(d, by_input ? SFU_DELTA_SCALE_IN : SFU_DELTA_SCALE_OUT, t, 1))
        return FALSE;
    d->scale = whole ? 0 : 1;
    if (!by_input)
        return TRUE;
    const gboolean fits = d->out == x->in;
    d->out = 0; /* any number of outputs */
    return fits;
}

static gboolean on_input(const SfuAdapterModule *m)
{
    float *v = values_of(m->t[SFU_ROLE_ON_INPUT]);
    const gboolean yes = *v != 0;
    g_free(v);
    return yes;
}

static gboolean set_scale(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *t = x->m->t[SFU_ROLE_ALPHA];
    gint64 rank = sfu_adapter_rank(x->m);
    if (!rank && !t && x->site->alphas &&
        d->kind == SFU_DELTA_KRONECKER) /* PEFT scales products of whole matrices too */
        rank = sfu_alphas_rank(x->site->alphas, x->m->name);
    double alpha = (double)rank;
    d->scale = 1;
    if (t && t->n_elements != 1)
        return contradicts(x, t);
    if (t) {
        float *v = values_of(t);
        alpha = *v;
        g_free(v);
    } else if (x->site->alphas && rank) {
        alpha = sfu_alphas_of(x->site->alphas, x->m->name, rank);
    }
    if (rank && d->kind != SFU_DELTA_FULL)
        d->scale = (float)(alpha / (double)rank);
    return TRUE;
}

static gboolean set_magnitude(Builder *x, SfuDelta *d)
{
    const SfuFileTensor *t = x->m->t[SFU_ROLE_DORA] ? x->m->t[SFU_ROLE_DORA] : x->m->t[SFU_ROLE_MAGNITUDE];
    if (!t)
        return TRUE;
    /* LyCORIS: [out, 1, ..] or [1, in, ..]; PEFT: one per output, [out] or [1, out, 1, 1]. */
    d->by_input = x->m->t[SFU_ROLE_DORA] && sfu_adapter_dim(t, 0) != d->out;
    if (t->n_elements != (d->by_input ? d->in : d->out))
        return contradicts(x, t);
    d->magnitude = own_matrix(t->name, t->n_elements, 1, values_of(t));
    return TRUE;
}

static gboolean build(Builder *x, SfuDelta *d, gboolean bias)
{
    const SfuAdapterModule *m = x->m;
    const SfuFileTensor *b = m->t[SFU_ROLE_DIFF_B]   ? m->t[SFU_ROLE_DIFF_B]
                             : m->t[SFU_ROLE_NORM_B] ? m->t[SFU_ROLE_NORM_B]
                                                     : m->t[SFU_ROLE_UP_BIAS];
    if (bias && x->in * x->taps != 1) /* a bias has one value per output */
        return FALSE;
    if (bias && b)
        return build_plain(d, SFU_DELTA_FULL, b, 1) && (b != m->t[SFU_ROLE_UP_BIAS] || set_scale(x, d));
    if (bias && sfu_adapter_has_bytes_b(m))
        return build_bytes(x, d, m->t[SFU_ROLE_BYTES_B], m->t[SFU_ROLE_LOW_B], m->t[SFU_ROLE_HIGH_B], 1);
    if (bias) /* PEFT's IA3 on outputs multiplies the bias as well */
        return !scales_inputs(x, m->t[SFU_ROLE_IA3]) && build_ia3(x, d, m->t[SFU_ROLE_IA3], FALSE, TRUE);
    const SfuAdapterKind k = sfu_adapter_kind(m);
    if ((sfu_adapter_has(m, SFU_ROLE_DORA) || sfu_adapter_has(m, SFU_ROLE_MAGNITUDE)) && k != SFU_ADAPTER_LORA &&
        k != SFU_ADAPTER_LOHA && k != SFU_ADAPTER_LOKR && k != SFU_ADAPTER_FULL)
        return sfu_file_refuse(x->error, x->site->path,
                               _("'%s' is a DoRA of the kind %s, which Sfumato does not apply"), m->name,
                               sfu_adapter_kind_name(k));
    switch (k) {
    case SFU_ADAPTER_LORA:
        return build_lora(x, d) && set_scale(x, d) && set_magnitude(x, d);
    case SFU_ADAPTER_LOHA:
        return build_loha(x, d) && set_scale(x, d) && set_magnitude(x, d);
    case SFU_ADAPTER_LOKR:
        return build_lokr(x, d) && set_scale(x, d) && set_magnitude(x, d);
    case SFU_ADAPTER_GLORA:
        return build_glora(x, d) && set_scale(x, d);
    case SFU_ADAPTER_OFT:
    case SFU_ADAPTER_BOFT:
        return build_oft(x, d);
    case SFU_ADAPTER_OFT_PEFT:
        return build_oft_peft(x, d);
    case SFU_ADAPTER_FULL:
        return build_plain(d, SFU_DELTA_FULL, m->t[SFU_ROLE_DIFF], x->in * x->taps) && set_magnitude(x, d);
    case SFU_ADAPTER_BYTES:
        return build_bytes(x, d, m->t[SFU_ROLE_BYTES], m->t[SFU_ROLE_LOW], m->t[SFU_ROLE_HIGH], x->in * x->taps);
    case SFU_ADAPTER_IA3:
        return build_ia3(x, d, m->t[SFU_ROLE_WEIGHT], on_input(m), FALSE);
    case SFU_ADAPTER_IA3_PEFT:
        return build_ia3(x, d, m->t[SFU_ROLE_IA3], scales_inputs(x, m->t[SFU_ROLE_IA3]), TRUE);
    default: /* a norm's weight has one value per row; a matrix would be read beyond them */
        return x->in * x->taps == 1 && build_plain(d, SFU_DELTA_FULL, m->t[SFU_ROLE_NORM_W], 1);
    }
}

SfuDelta *sfu_adapter_build(const SfuAdapterSite *site, gboolean bias, GError **error)
{
    SfuDelta *d = g_new0(SfuDelta, 1);
    Builder x = {.site = site, .m = site->m, .in = site->in, .taps = site->taps, .error = error};
    d->in = site->in;
    d->taps = site->taps;
    if (build(&x, d, bias))
        return d;
    sfu_delta_free(d);
    return NULL;
}
