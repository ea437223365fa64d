/* ncnn's upscalers: which family's network a graph of layers is, found by walking it from its end. All that decides
 * what the network does is compared: kernels, strides, padding, activations, and who reads what. So a graph that is
 * another one is refused, however its layers are called. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/ncnn_graph.h"
#include "file/ncnn.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define SLOPE 0.2
#define SCALE 0.2
#define MAX_BLOCKS 256
#define MAX_STAGES 4

typedef struct {
    const SfuNcnnGraph *g;
    int input; /* the blob of the picture */
} Walk;

/* The blob that b is a copy of (Split, Noop). */
static int source(const Walk *w, int b)
{
    for (;;) {
        const SfuNcnnLayer *l = g_ptr_array_index(w->g->layers, w->g->maker[b]);
        if ((strcmp(l->type, "Split") != 0 && strcmp(l->type, "Noop") != 0) || l->n_in != 1)
            return b;
        b = l->in[0];
    }
}

/* The layer that makes b, if it is of that type and has n_in inputs (0: any); else NULL. */
static SfuNcnnLayer *maker(const Walk *w, int b, const char *type, int n_in)
{
    SfuNcnnLayer *l = g_ptr_array_index(w->g->layers, w->g->maker[source(w, b)]);
    return strcmp(l->type, type) == 0 && (!n_in || l->n_in == n_in) && l->n_out == 1 ? l : NULL;
}

static gboolean near(double a, double b)
{
    return fabs(a - b) < 1e-5;
}

/* A 3x3 convolution as all of them are, without looking at what is fused behind it; NULL: it is another. */
static SfuNcnnLayer *convolution(const Walk *w, int b)
{
    SfuNcnnLayer *l = maker(w, b, "Convolution", 1);
    const gboolean same =
        l && sfu_ncnn_number(l, 1, 0) == 3 && sfu_ncnn_number(l, 11, 3) == 3 && sfu_ncnn_number(l, 2, 1) == 1 &&
        sfu_ncnn_number(l, 12, 1) == 1 && sfu_ncnn_number(l, 3, 1) == 1 && sfu_ncnn_number(l, 13, 1) == 1 &&
        sfu_ncnn_number(l, 4, 0) == 1 && sfu_ncnn_number(l, 14, 1) == 1 && sfu_ncnn_number(l, 15, 1) == 1 &&
        sfu_ncnn_number(l, 16, 1) == 1 && sfu_ncnn_number(l, 18, 0) == 0 && sfu_ncnn_number(l, 19, 0) == 0 && l->bias;
    return same ? l : NULL;
}

/* The convolution that makes b, without an activation. */
static SfuNcnnLayer *linear(const Walk *w, int b)
{
    SfuNcnnLayer *l = convolution(w, b);
    return l && sfu_ncnn_number(l, 9, 0) == 0 ? l : NULL;
}

/* The convolution and leaky ReLU that make b: one layer, or two. */
static SfuNcnnLayer *leaky(const Walk *w, int b)
{
    const SfuNcnnLayer *relu = maker(w, b, "ReLU", 1);
    if (relu)
        return near(sfu_ncnn_number(relu, 0, 0), SLOPE) ? linear(w, relu->in[0]) : NULL;
    SfuNcnnLayer *l = convolution(w, b);
    return l && sfu_ncnn_number(l, 9, 0) == 2 && l->n_list[10] >= 1 && near(l->list[10][0], SLOPE) ? l : NULL;
}

/* b = *x + *y. */
static gboolean is_sum(const Walk *w, int b, int *x, int *y)
{
    const SfuNcnnLayer *l = maker(w, b, "BinaryOp", 2);
    if (l ? sfu_ncnn_number(l, 0, 0) != 0 || sfu_ncnn_number(l, 1, 0) != 0
          : !(l = maker(w, b, "Eltwise", 2)) || sfu_ncnn_number(l, 0, 0) != 1 ||
                (l->n_list[1] && !(l->n_list[1] == 2 && near(l->list[1][0], 1) && near(l->list[1][1], 1))))
        return FALSE;
    *x = l->in[0];
    *y = l->in[1];
    return TRUE;
}

/* The x of b = 0.2 * x. */
static gboolean is_scaled(const Walk *w, int b, int *x)
{
    const SfuNcnnLayer *l = maker(w, b, "BinaryOp", 1);
    if (!l || sfu_ncnn_number(l, 0, 0) != 2 || sfu_ncnn_number(l, 1, 0) != 1 || !near(sfu_ncnn_number(l, 2, 0), SCALE))
        return FALSE;
    *x = l->in[0];
    return TRUE;
}

/* b = 0.2 * *x + *y: one layer, or two. */
static gboolean is_scaled_sum(const Walk *w, int b, int *x, int *y)
{
    const SfuNcnnLayer *l = maker(w, b, "Eltwise", 2);
    int first, second;
    if (l && sfu_ncnn_number(l, 0, 0) == 1 && l->n_list[1] == 2) {
        const gboolean turned = near(l->list[1][0], 1) && near(l->list[1][1], SCALE);
        *x = l->in[turned];
        *y = l->in[!turned];
        return turned || (near(l->list[1][0], SCALE) && near(l->list[1][1], 1));
    }
    if (!is_sum(w, b, &first, &second))
        return FALSE;
    *y = second;
    if (is_scaled(w, first, x))
        return TRUE;
    *y = first;
    return is_scaled(w, second, x);
}

/* b = x enlarged by nearest neighbor; *factor, the same both ways. */
static gboolean is_nearest(const Walk *w, int b, int *x, int *factor)
{
    const SfuNcnnLayer *l = maker(w, b, "Interp", 1);
    const double f = l ? sfu_ncnn_number(l, 1, 1) : 0;
    if (!l || sfu_ncnn_number(l, 0, 0) != 1 || f != sfu_ncnn_number(l, 2, 1) || f < 1 || f > 16 || f != floor(f) ||
        sfu_ncnn_number(l, 3, 0) != 0 || sfu_ncnn_number(l, 4, 0) != 0)
        return FALSE;
    *x = l->in[0];
    *factor = (int)f;
    return TRUE;
}

static void rename_tensor(SfuFileTensor *t, const char *name, const char *what)
{
    g_free(t->name);
    t->name = g_strconcat(name, what, NULL);
}

static void name_layer(SfuNcnnLayer *l, const char *name)
{
    rename_tensor(l->weight, name, ".weight");
    if (l->bias)
        rename_tensor(l->bias, name, ".bias");
}

/* ---- RRDBNet ---- */

/* The five convolutions of the dense block that makes b = 0.2 * conv5 + *x; *x is what it reads. */
static gboolean dense_block(const Walk *w, int b, int *x, SfuNcnnLayer *convs[5])
{
    int last;
    if (!is_scaled_sum(w, b, &last, x) || !(convs[4] = linear(w, last)))
        return FALSE;
    /* Each reads what was read, and the results of all before it, in order: those are made from the last one's inputs.
     */
    const SfuNcnnLayer *all = maker(w, convs[4]->in[0], "Concat", 5);
    if (!all || source(w, all->in[0]) != source(w, *x))
        return FALSE;
    for (int i = 0; i < 4; i++) {
        if (!(convs[i] = leaky(w, all->in[i + 1])))
            return FALSE;
        const SfuNcnnLayer *before = i ? maker(w, convs[i]->in[0], "Concat", i + 1) : NULL;
        if (i ? !before : source(w, convs[0]->in[0]) != source(w, *x))
            return FALSE;
        for (int k = 0; before && k <= i; k++)
            if (source(w, before->in[k]) != source(w, all->in[k]) || sfu_ncnn_number(before, 0, 0) != 0)
                return FALSE;
    }
    return sfu_ncnn_number(all, 0, 0) == 0;
}

/* From the end: the blocks before blob b, down to blob `first`. Their names are given when their number is known. 0:
 * not such a network. */
static int rrdb_blocks(const Walk *w, int b, int first, SfuNcnnLayer *(*convs)[3][5])
{
    int n = 0;
    while (source(w, b) != source(w, first)) {
        int inner, x, y = 0;
        if (n == MAX_BLOCKS || !is_scaled_sum(w, b, &inner, &x))
            return 0;
        for (int r = 2; r >= 0; r--) {
            if (!dense_block(w, inner, &y, convs[n][r]))
                return 0;
            inner = y;
        }
        if (source(w, y) != source(w, x))
            return 0;
        b = x;
        n++;
    }
    return n;
}

static gboolean is_rrdb(const Walk *w, int output)
{
    SfuNcnnLayer *last = linear(w, output), *hr = last ? leaky(w, last->in[0]) : NULL, *up[MAX_STAGES], *body, *first;
    int n_stages = 0, b = hr ? hr->in[0] : 0, factor, x, y;
    while (hr && n_stages < MAX_STAGES && (up[n_stages] = leaky(w, b)) &&
           is_nearest(w, up[n_stages]->in[0], &x, &factor) && factor == 2) {
        b = x;
        n_stages++;
    }
    if (!hr || !is_sum(w, b, &x, &y))
        return FALSE;
    if ((first = linear(w, x)) && source(w, first->in[0]) == w->input)
        body = linear(w, y);
    else {
        const int t = x;
        x = y;
        y = t;
        first = linear(w, x);
        body = linear(w, y);
    }
    if (!first || !body || source(w, first->in[0]) != w->input)
        return FALSE;
    SfuNcnnLayer *(*convs)[3][5] = g_malloc0_n(MAX_BLOCKS, sizeof *convs);
    const int n = rrdb_blocks(w, body->in[0], x, convs);
    char name[64];
    for (int i = 0; i < n; i++) /* found from the end */
        for (int k = 0; k < 15; k++) {
            g_snprintf(name, sizeof name, "body.%d.rdb%d.conv%d", n - 1 - i, k / 5 + 1, k % 5 + 1);
            name_layer(convs[i][k / 5][k % 5], name);
        }
    g_free(convs);
    if (!n)
        return FALSE;
    name_layer(first, "conv_first");
    name_layer(body, "conv_body");
    name_layer(hr, "conv_hr");
    name_layer(last, "conv_last");
    for (int i = 0; i < n_stages; i++) {
        g_snprintf(name, sizeof name, "conv_up%d", n_stages - i);
        name_layer(up[i], name);
    }
    return TRUE;
}

/* ---- SRVGGNetCompact ---- */

static gboolean is_srvgg(const Walk *w, int output, double *reduction)
{
    /* The published x2 and x3 models are the x4 one, reduced by ncnn's bicubic filter, which reads four pixels whatever
     * the factor. Sfumato reduces by its own filter, which reads as many as count. */
    const SfuNcnnLayer *reduced = maker(w, output, "Interp", 1);
    *reduction = 1;
    if (reduced && sfu_ncnn_number(reduced, 1, 1) < 1) {
        *reduction = sfu_ncnn_number(reduced, 1, 1);
        if (!near(*reduction, sfu_ncnn_number(reduced, 2, 1)))
            return FALSE;
        output = reduced->in[0];
    }
    int x, y, from, factor;
    if (!is_sum(w, output, &x, &y))
        return FALSE;
    const SfuNcnnLayer *shuffle = maker(w, x, "PixelShuffle", 1);
    if (!shuffle) {
        shuffle = maker(w, y, "PixelShuffle", 1);
        y = x;
    }
    if (!shuffle || !is_nearest(w, y, &from, &factor) || source(w, from) != w->input ||
        sfu_ncnn_number(shuffle, 0, 1) != factor || sfu_ncnn_number(shuffle, 1, 0) != 0 ||
        !near(factor * *reduction, round(factor * *reduction)) || factor * *reduction < 1)
        return FALSE;
    GPtrArray *layers = g_ptr_array_new(); /* from the end: a convolution, slopes, a convolution ... */
    SfuNcnnLayer *l = linear(w, shuffle->in[0]);
    while (l && layers->len < 2 * MAX_BLOCKS) {
        g_ptr_array_add(layers, l);
        if (source(w, l->in[0]) == w->input)
            break;
        SfuNcnnLayer *slopes = maker(w, l->in[0], "PReLU", 1);
        l = slopes ? linear(w, slopes->in[0]) : NULL;
        if (l)
            g_ptr_array_add(layers, slopes);
    }
    const gboolean ok = l && source(w, l->in[0]) == w->input && layers->len >= 3;
    char name[32];
    for (guint i = 0; ok && i < layers->len; i++) {
        g_snprintf(name, sizeof name, "body.%u", layers->len - 1 - i);
        name_layer(g_ptr_array_index(layers, i), name);
    }
    g_ptr_array_unref(layers);
    return ok;
}

gboolean sfu_ncnn_name(const SfuFile *f, const char *path, double *reduction, GError **error)
{
    Walk w = {.g = f->graph, .input = -1};
    int output = -1, n_inputs = 0, n_outputs = 0;
    gboolean *read = g_new0(gboolean, w.g->n_blobs + 1);
    for (guint i = 0; i < w.g->layers->len; i++) {
        const SfuNcnnLayer *l = g_ptr_array_index(w.g->layers, i);
        for (int k = 0; k < l->n_in; k++)
            read[l->in[k]] = TRUE;
        if (strcmp(l->type, "Input") == 0 && l->n_out == 1 && l->n_in == 0) {
            w.input = l->out[0];
            n_inputs++;
        }
    }
    for (int b = 0; b < w.g->n_blobs; b++)
        if (!read[b]) {
            output = b;
            n_outputs++;
        }
    g_free(read);
    if (n_inputs == 1 && n_outputs == 1 && (is_rrdb(&w, output) || is_srvgg(&w, output, reduction)))
        return TRUE;
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY,
                _("%s: Sfumato does not know a network with these layers; from ncnn's files it runs RRDBNet "
                  "(Real-ESRGAN) and SRVGGNetCompact"),
                path);
    return FALSE;
}
