/* What the networks share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/parts.h"
#include <math.h>
#include <glib/gi18n-lib.h>

#define MAX_PERIOD 10000.0 /* of sinusoids */
#define N_NAMED 4          /* tensors that a message about a torn model names */

void sfu_net_init(SfuNet *net, SfuQueue *q, SfuModel *model, SfuPart part)
{
    net->q = q;
    net->model = model;
    net->part = part;
    net->dtype = q ? sfu_queue_act_dtype(q) : SFU_F32;
    net->weights = g_ptr_array_new();
    net->stacks = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_weight_destroy);
    net->missing = g_ptr_array_new_with_free_func(g_free);
    net->bound = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void sfu_net_finish(SfuNet *net)
{
    if (!net->weights)
        return;
    g_ptr_array_unref(net->stacks);
    g_ptr_array_unref(net->weights);
    g_ptr_array_unref(net->missing);
    g_hash_table_unref(net->bound);
}

void sfu_net_unload(SfuNet *net)
{
    for (guint i = 0; i < net->weights->len; i++)
        sfu_weight_unload(g_ptr_array_index(net->weights, i));
    for (guint i = 0; i < net->stacks->len; i++)
        sfu_weight_unload(g_ptr_array_index(net->stacks, i));
}

void sfu_net_set_trace(SfuNet *net, const SfuTrace *trace)
{
    net->trace = trace ? *trace : (SfuTrace){0};
}

guint64 sfu_net_room(const SfuQueue *q)
{
    return sfu_queue_budget(q) / 10 * 7;
}

/* ---- binding ---- */

/* "name [320, 4, 3, 3], which is [320, 9, 3, 3]". */
static char *misfit(const char *name, const gint64 *dims, int n_dims, const SfuWeight *w)
{
    GString *s = g_string_new(name);
    for (int i = 0; i < n_dims; i++)
        g_string_append_printf(s, "%s%" G_GINT64_FORMAT, i ? ", " : " [", dims[i]);
    g_string_append(s, "]");
    for (int i = 0; w && i < sfu_weight_n_dims(w); i++)
        g_string_append_printf(s, "%s%" G_GINT64_FORMAT, i ? ", " : ", which is [", sfu_weight_dim(w, i));
    if (w)
        g_string_append(s, sfu_weight_n_dims(w) ? "]" : ", which is one value");
    return g_string_free(s, FALSE);
}

/* Takes name. `dims` may end in ones that the file leaves out or adds (a 1x1 convolution is a matrix). */
static SfuWeight *bind_named(SfuNet *net, char *name, const gint64 *dims, int n_dims)
{
    SfuWeight *w = sfu_model_find(net->model, net->part, name);
    gboolean fits = w != NULL;
    for (int i = 0; fits && i < MAX(n_dims, sfu_weight_n_dims(w)); i++)
        fits = sfu_weight_dim(w, i) == (i < n_dims ? dims[i] : 1);
    if (fits)
        g_ptr_array_add(net->weights, w);
    else
        g_ptr_array_add(net->missing, misfit(name, dims, n_dims, w));
    g_hash_table_add(net->bound, name);
    return fits ? w : NULL;
}

static char *join(const char *prefix, const char *name, const char *suffix)
{
    return g_strconcat(prefix, *prefix && *name ? "." : "", name, suffix, NULL);
}

static SfuWeight *bind(SfuNet *net, const char *prefix, const char *name, const char *suffix, const gint64 *dims,
                       int n_dims)
{
    return bind_named(net, join(prefix, name, suffix), dims, n_dims);
}

SfuWeight *sfu_net_tensor(SfuNet *net, const char *prefix, const char *name, int n_dims, const gint64 *dims)
{
    return bind(net, prefix, name, "", dims, n_dims);
}

SfuLayer sfu_net_conv(SfuNet *net, const char *prefix, const char *name, int out, int in, int size, gboolean bias)
{
    const gint64 dims[] = {out, in, size, size};
    SfuLayer l = {.w = bind(net, prefix, name, ".weight", dims, size == 1 ? 2 : 4)};
    if (bias)
        l.b = bind(net, prefix, name, ".bias", dims, 1);
    return l;
}

SfuLayer sfu_net_linear(SfuNet *net, const char *prefix, const char *name, int out, int in, gboolean bias)
{
    return sfu_net_conv(net, prefix, name, out, in, 1, bias);
}

SfuLayer sfu_net_norm(SfuNet *net, const char *prefix, const char *name, int c)
{
    const gint64 dims[] = {c};
    return (SfuLayer){.w = bind(net, prefix, name, ".weight", dims, 1), .b = bind(net, prefix, name, ".bias", dims, 1)};
}

SfuWeight *sfu_net_table(SfuNet *net, const char *prefix, const char *name, int rows, int c)
{
    const gint64 dims[] = {rows, c};
    return bind(net, prefix, name, ".weight", dims, 2);
}

SfuWeight *sfu_net_vector(SfuNet *net, const char *prefix, const char *name, int c)
{
    const gint64 dims[] = {c};
    return sfu_net_tensor(net, prefix, name, 1, dims);
}

float *sfu_net_values(const SfuNet *net, const SfuWeight *w)
{
    if (!w || !net->q)
        return NULL;
    const gint64 n = sfu_weight_elements(w);
    float *v = g_new(float, n);
    sfu_weight_read_f32(w, 0, n, v);
    return v;
}

SfuWeight *sfu_net_own(SfuNet *net, const char *name, float *values, int n_dims, const gint64 *dims)
{
    gsize n = 1;
    for (int i = 0; i < n_dims; i++)
        n *= (gsize)dims[i];
    SfuWeight *w = sfu_weight_new_take(name, SFU_F32, n_dims, dims, values, n * sizeof *values);
    g_ptr_array_add(net->stacks, w);
    return w;
}

SfuWeight *sfu_net_stack(SfuNet *net, SfuWeight *const *parts, int n_parts)
{
    for (int i = 0; i < n_parts; i++)
        if (!parts[i])
            return NULL;
    char *name = g_strdup_printf("%s and %d more", sfu_weight_name(parts[0]), n_parts - 1);
    SfuWeight *w = sfu_weight_concat(name, parts, n_parts);
    g_free(name);
    g_ptr_array_add(net->stacks, w);
    return w;
}

gboolean sfu_net_has(const SfuNet *net, const char *prefix, const char *name)
{
    char *full = join(prefix, name, "");
    const gboolean has = sfu_model_find(net->model, net->part, full) != NULL;
    g_free(full);
    return has;
}

int sfu_net_dim(const SfuNet *net, const char *prefix, const char *name, int i)
{
    char *full = join(prefix, name, "");
    const SfuWeight *w = sfu_model_find(net->model, net->part, full);
    g_free(full);
    return w && i < sfu_weight_n_dims(w) ? (int)MIN(sfu_weight_dim(w, i), 1 << 24) : 0;
}

gboolean sfu_net_check(SfuNet *net, GError **error)
{
    const int n = (int)net->missing->len;
    if (!n)
        return TRUE;
    GString *names = g_string_new(NULL);
    for (int i = 0; i < MIN(n, N_NAMED); i++)
        g_string_append_printf(names, "%s%s", i ? "; " : "", (char *)g_ptr_array_index(net->missing, i));
    if (n > N_NAMED)
        g_string_append_printf(names, _(" and %d more"), n - N_NAMED);
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING,
                g_dngettext(GETTEXT_PACKAGE, "%s: %d tensor of the %s is missing or of the wrong shape: %s",
                            "%s: %d tensors of the %s are missing or of the wrong shape: %s", n),
                sfu_model_path(net->model), n, sfu_part_name(net->part), names->str);
    g_string_free(names, TRUE);
    return FALSE;
}

void sfu_net_note(const SfuNet *net)
{
    sfu_model_note(net->model, net->part, net->missing, net->bound);
}

/* ---- passes ---- */

gboolean sfu_net_trace(const SfuNet *net, const SfuTensor *x, GError **error, const char *format, ...)
{
    if (!net->trace.fn)
        return TRUE;
    va_list ap;
    va_start(ap, format);
    char *block = g_strdup_vprintf(format, ap);
    va_end(ap);
    const gboolean ok = net->trace.fn(block, x, net->trace.data, error);
    g_free(block);
    return ok;
}

SfuTensor *sfu_net_band(const SfuTensor *x, int from, int to, GError **error)
{
    const gboolean all = from == 0 && to == x->h;
    return sfu_tensor_view(x, (size_t)from * (size_t)x->w * (size_t)x->c, all ? x->n : 1, to - from, x->w, x->c, error);
}

SfuTensor *sfu_net_like(const SfuNet *net, const SfuTensor *x, int c, GError **error)
{
    return sfu_tensor_create(net->q, net->dtype, x->n, x->h, x->w, c, error);
}

SfuTensor *sfu_net_input(const SfuNet *net, const SfuTensor *x, GError **error)
{
    if (x->dtype == net->dtype)
        return sfu_tensor_view(x, 0, x->n, x->h, x->w, x->c, error);
    SfuTensor *y = sfu_net_like(net, x, x->c, error);
    if (y && !sfu_convert(net->q, y, x, error))
        sfu_net_drop(&y);
    return y;
}

SfuTensor *sfu_net_rows(const SfuNet *net, const float *rows, int n, int t, int c, GError **error)
{
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, n / t, 1, t, c, error);
    if (y && !sfu_tensor_write(y, rows, error))
        sfu_net_drop(&y);
    return y;
}

gboolean sfu_net_conv3(const SfuNet *net, SfuTensor *y, const SfuTensor *x, const SfuLayer *l,
                       const SfuTensor *residual, GError **error)
{
    const SfuConv same = sfu_net_same(net);
    const SfuEpilogue e = {.bias = l->b, .residual = residual};
    return sfu_conv2d(net->q, y, x, l->w, &same, &e, error);
}

/* ---- numbers and positions ---- */

SfuTensor *sfu_net_waves(const SfuNet *net, const double *v, int n, int c, GError **error)
{
    const int half = c / 2;
    float *rows = g_new0(float, (gsize)n *(gsize)c);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < half; j++) {
            const double angle = v[i] * exp(-log(MAX_PERIOD) * j / half);
            rows[i * c + j] = (float)cos(angle);
            rows[i * c + half + j] = (float)sin(angle);
        }
    SfuTensor *t = sfu_net_rows(net, rows, n, 1, c, error);
    g_free(rows);
    return t;
}

void sfu_net_turn(const int *axes, int n_axes, double theta, const int *at, float *row)
{
    int half = 0, j = 0;
    for (int a = 0; a < n_axes; a++)
        half += axes[a] / 2;
    for (int a = 0; a < n_axes; a++)
        for (int i = 0; i < axes[a] / 2; i++, j++) {
            const double angle = at[a] * pow(theta, -2.0 * i / axes[a]);
            row[j] = (float)cos(angle);
            row[half + j] = (float)sin(angle);
        }
}

/* ---- the search for NaN ---- */

static gboolean look_for_nonfinite(const char *block, const SfuTensor *x, gpointer data, GError **error)
{
    SfuNonfinite *f = data;
    gint64 n;
    if (f->block[0])
        return TRUE;
    if (!sfu_count_nonfinite(x->q, x, &n, error))
        return FALSE;
    if (n) {
        g_strlcpy(f->block, block, sizeof f->block);
        f->n = n;
        f->of = sfu_tensor_elements(x);
    }
    return TRUE;
}

SfuTrace sfu_trace_nonfinite(SfuNonfinite *found)
{
    *found = (SfuNonfinite){0};
    return (SfuTrace){.fn = look_for_nonfinite, .data = found};
}
