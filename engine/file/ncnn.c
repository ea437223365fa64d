/* ncnn's networks. Layers: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure ; a line each, "type
 * name inputs outputs", the blobs' names, and numbers "id=value" or lists "-(23300 + id)=count,value,...". Copyright
 * (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/ncnn.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAGIC "7767517"
#define MOST_LAYERS 20000
#define MOST_LIST 64
#define MOST_NAME 160 /* bytes of a word: names go into messages */
#define LIST_ID -23300
/* What stands before a convolution's weights. */
#define TAG_F32 0u
#define TAG_F32_RAW 0x0002C056u
#define TAG_F16 0x01306B47u
#define TAG_I8 0x000D4B38u

static void layer_free(gpointer p)
{
    SfuNcnnLayer *l = p;
    g_free(l->type);
    g_free(l->name);
    g_free(l->in);
    g_free(l->out);
    for (int i = 0; i < SFU_NCNN_PARAMS; i++)
        g_free(l->list[i]);
    g_free(l);
}

void sfu_ncnn_graph_free(SfuNcnnGraph *g)
{
    if (!g)
        return;
    g_ptr_array_unref(g->layers);
    g_free(g->maker);
    g_free(g);
}

double sfu_ncnn_number(const SfuNcnnLayer *l, int i, double otherwise)
{
    return l->set >> i & 1 ? l->number[i] : otherwise;
}

gboolean sfu_ncnn_is_param(const guint8 *data, gsize n)
{
    return n > sizeof MAGIC && memcmp(data, MAGIC, sizeof MAGIC - 1) == 0 &&
           (data[sizeof MAGIC - 1] == '\n' || data[sizeof MAGIC - 1] == '\r');
}

/* ---- the text ---- */

/* A whole number from 0 to most; FALSE: it is none. */
static gboolean count_of(const char *s, int most, int *v)
{
    guint64 n;
    if (!s || !g_ascii_string_to_unsigned(s, 10, 0, (guint64)most, &n, NULL))
        return FALSE;
    *v = (int)n;
    return TRUE;
}

static gboolean number_of(const char *s, double *v)
{
    char *end;
    *v = g_ascii_strtod(s, &end);
    return end != s && !*end && *v >= -1e9 && *v <= 1e9;
}

static gboolean read_list(SfuNcnnLayer *l, int id, const char *text)
{
    char **v = g_strsplit(text, ",", MOST_LIST + 2);
    int n;
    gboolean ok = count_of(v[0], MOST_LIST, &n) && (int)g_strv_length(v) == n + 1 && !l->list[id];
    if (ok)
        l->list[id] = g_new0(double, n + 1);
    for (int i = 0; ok && i < n; i++)
        ok = number_of(v[i + 1], &l->list[id][i]);
    if (ok)
        l->n_list[id] = n;
    g_strfreev(v);
    return ok;
}

/* "id=value". */
static gboolean read_param(SfuNcnnLayer *l, const char *text)
{
    char *end;
    const gint64 id = g_ascii_strtoll(text, &end, 10);
    if (end == text || *end != '=')
        return FALSE;
    if (id <= LIST_ID && id > LIST_ID - SFU_NCNN_PARAMS)
        return read_list(l, (int)(LIST_ID - id), end + 1);
    if (id < 0 || id >= SFU_NCNN_PARAMS || l->set >> id & 1 || !number_of(end + 1, &l->number[id]))
        return FALSE;
    l->set |= 1u << id;
    return TRUE;
}

/* The blob of that name; a new one if there is none. */
static int blob(GHashTable *blobs, const char *name)
{
    gpointer at;
    if (g_hash_table_lookup_extended(blobs, name, NULL, &at))
        return GPOINTER_TO_INT(at);
    const int n = (int)g_hash_table_size(blobs);
    g_hash_table_insert(blobs, g_strdup(name), GINT_TO_POINTER(n));
    return n;
}

/* NULL: the line is torn. */
static SfuNcnnLayer *read_layer(char **words, GHashTable *blobs)
{
    const int n = (int)g_strv_length(words);
    int n_in, n_out;
    if (n < 4 || strlen(words[0]) > MOST_NAME || strlen(words[1]) > MOST_NAME || !count_of(words[2], n - 4, &n_in) ||
        !count_of(words[3], n - 4 - n_in, &n_out))
        return NULL;
    SfuNcnnLayer *l = g_new0(SfuNcnnLayer, 1);
    gboolean ok = TRUE;
    l->type = g_strdup(words[0]);
    l->name = g_strdup(words[1]);
    l->n_in = n_in;
    l->n_out = n_out;
    l->in = g_new0(int, n_in + 1);
    l->out = g_new0(int, n_out + 1);
    for (int i = 0; i < n_in; i++)
        l->in[i] = blob(blobs, words[4 + i]);
    for (int i = 0; i < n_out; i++)
        l->out[i] = blob(blobs, words[4 + n_in + i]);
    for (int i = 4 + n_in + n_out; ok && i < n; i++)
        ok = read_param(l, words[i]);
    if (ok)
        return l;
    layer_free(l);
    return NULL;
}

/* The words of a line, without empty ones. */
static char **words_of(const char *line)
{
    char **all = g_strsplit_set(line, " \t\r", -1);
    int n = 0;
    for (int i = 0; all[i]; i++) {
        if (*all[i])
            all[n++] = all[i];
        else
            g_free(all[i]);
    }
    all[n] = NULL;
    return all;
}

/* Who makes each blob, and that nobody reads what is made later. */
static gboolean connect_layers(SfuNcnnGraph *g, const char *path, GError **error)
{
    g->maker = g_new(int, g->n_blobs + 1);
    for (int i = 0; i < g->n_blobs; i++)
        g->maker[i] = -1;
    for (guint k = 0; k < g->layers->len; k++) {
        const SfuNcnnLayer *l = g_ptr_array_index(g->layers, k);
        for (int i = 0; i < l->n_in; i++)
            if (g->maker[l->in[i]] < 0)
                return sfu_file_fail(error, path, _("layer %u ('%s') reads an input that no earlier layer makes"), k,
                                     l->name);
        for (int i = 0; i < l->n_out; i++) {
            if (g->maker[l->out[i]] >= 0)
                return sfu_file_fail(error, path, _("layer %u ('%s') makes the output of another layer again"), k,
                                     l->name);
            g->maker[l->out[i]] = (int)k;
        }
    }
    return TRUE;
}

static gboolean read_text(SfuNcnnGraph *g, const char *text, gsize n, const char *path, GError **error)
{
    if (memchr(text, 0, n) || !g_utf8_validate(text, (gssize)n, NULL))
        return sfu_file_fail(error, path, _("it begins like an ncnn .param file, but is not text"));
    char *copy = g_strndup(text, n), **lines = g_strsplit(copy, "\n", MOST_LAYERS + 4),
         **counts = lines[0] && lines[1] ? words_of(lines[1]) : NULL;
    GHashTable *blobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    int n_layers, n_blobs;
    gboolean ok = counts && g_strv_length(counts) == 2 && count_of(counts[0], MOST_LAYERS, &n_layers) &&
                  count_of(counts[1], G_MAXINT / 8, &n_blobs);
    if (!ok)
        sfu_file_fail(error, path, _("its second line should give the number of layers (at most %d) and of blobs"),
                      MOST_LAYERS);
    for (int i = 2; ok && lines[i]; i++) {
        char **words = words_of(lines[i]);
        SfuNcnnLayer *l = *words ? read_layer(words, blobs) : NULL;
        if (l)
            g_ptr_array_add(g->layers, l);
        else if (*words)
            ok = sfu_file_fail(error, path, _("line %d does not describe a layer"), i + 1);
        g_strfreev(words);
    }
    g->n_blobs = (int)g_hash_table_size(blobs);
    if (ok && (int)g->layers->len != n_layers)
        ok = sfu_file_fail(error, path, _("it has %u layers, but says %d"), g->layers->len, n_layers);
    g_hash_table_unref(blobs);
    g_strfreev(counts);
    g_strfreev(lines);
    g_free(copy);
    return ok && connect_layers(g, path, error);
}

/* ---- the weights ---- */

typedef struct {
    const guint8 *data;
    gsize n, at;
    const char *path;
    GPtrArray *out;
} Bin;

/* n_dims dims whose product is n; name: of the layer. */
static SfuFileTensor *take_weight(Bin *b, const SfuNcnnLayer *l, const char *what, SfuDtype dtype, int n_dims,
                                  const gint64 *dims, GError **error)
{
    gint64 n = 1;
    for (int i = 0; i < n_dims; i++)
        n *= dims[i]; /* each and their product were checked to be below 2^31 */
    const gsize bytes = (gsize)n * sfu_dtype_bytes(dtype), padded = (bytes + 3) / 4 * 4;
    if (b->n - b->at < padded) {
        sfu_file_fail(error, b->path, _("the .bin beside it ends in layer '%s', which needs %zu bytes more"), l->name,
                      padded - (b->n - b->at));
        return NULL;
    }
    SfuFileTensor *t = g_new0(SfuFileTensor, 1);
    t->name = g_strdup_printf("%s.%s", l->name, what);
    t->dtype = dtype;
    t->n_dims = n_dims;
    memcpy(t->dims, dims, sizeof *dims * (gsize)n_dims);
    t->n_elements = n;
    t->data = b->data + b->at;
    b->at += padded;
    g_ptr_array_add(b->out, t);
    return t;
}

/* The type of the weights that follow, by the tag before them. */
static gboolean take_tag(Bin *b, const SfuNcnnLayer *l, SfuDtype *dtype, GError **error)
{
    guint32 tag;
    if (b->n - b->at < sizeof tag)
        return sfu_file_fail(error, b->path, _("the .bin beside it ends before layer '%s'"), l->name);
    memcpy(&tag, b->data + b->at, sizeof tag);
    tag = GUINT32_FROM_LE(tag);
    b->at += sizeof tag;
    *dtype = tag == TAG_F16 ? SFU_F16 : SFU_F32;
    if (tag == TAG_I8)
        return sfu_file_refuse(
            error, b->path,
            "its weights are int8, which Sfumato does not read from ncnn's files; take the fp16 or fp32 ones");
    if (tag != TAG_F16 && tag != TAG_F32 && tag != TAG_F32_RAW)
        return sfu_file_refuse(error, b->path,
                               _("the weights of layer '%s' are stored in a way (0x%08x) that Sfumato does not read"),
                               l->name, tag);
    return TRUE;
}

static gboolean read_convolution(Bin *b, SfuNcnnLayer *l, GError **error)
{
    const double out = sfu_ncnn_number(l, 0, 0), kw = sfu_ncnn_number(l, 1, 0), kh = sfu_ncnn_number(l, 11, kw),
                 size = sfu_ncnn_number(l, 6, 0);
    if (!(out >= 1 && out <= 65536 && kw >= 1 && kw <= 64 && kh >= 1 && kh <= 64 && size >= 1))
        return sfu_file_fail(error, b->path, _("layer '%s' is a convolution of %g outputs, %g x %g and %g weights"),
                             l->name, out, kw, kh, size);
    const gint64 dims[] = {(gint64)out, (gint64)size / ((gint64)out * (gint64)kh * (gint64)kw), (gint64)kh, (gint64)kw};
    SfuDtype dtype = SFU_F32;
    if (dims[0] * dims[1] * dims[2] * dims[3] != (gint64)size || dims[0] != out || dims[2] != kh || dims[3] != kw)
        return sfu_file_fail(error, b->path, _("layer '%s' has %g weights for %g outputs of %g x %g"), l->name, size,
                             out, kw, kh);
    if (sfu_ncnn_number(l, 8, 0) != 0)
        return sfu_file_refuse(
            error, b->path,
            "its weights are int8, which Sfumato does not read from ncnn's files; take the fp16 or fp32 ones");
    if (!take_tag(b, l, &dtype, error) || !(l->weight = take_weight(b, l, "weight", dtype, 4, dims, error)))
        return FALSE;
    return sfu_ncnn_number(l, 5, 0) == 0 || (l->bias = take_weight(b, l, "bias", SFU_F32, 1, dims, error));
}

static gboolean read_slopes(Bin *b, SfuNcnnLayer *l, GError **error)
{
    const double n = sfu_ncnn_number(l, 0, 0);
    const gint64 dims[] = {(gint64)CLAMP(n, 0, 65537)};
    if (dims[0] != n || n < 1 || n > 65536)
        return sfu_file_fail(error, b->path, _("layer '%s' has %g slopes"), l->name, n);
    return (l->weight = take_weight(b, l, "weight", SFU_F32, 1, dims, error)) != NULL;
}

static gboolean read_weights(SfuNcnnGraph *g, Bin *b, GError **error)
{
    static const char *const plain[] = {"Input",  "Split",        "Concat", "Eltwise", "BinaryOp",
                                        "Interp", "PixelShuffle", "ReLU",   "Noop",    NULL};
    for (guint i = 0; i < g->layers->len; i++) {
        SfuNcnnLayer *l = g_ptr_array_index(g->layers, i);
        if (strcmp(l->type, "Convolution") == 0 ? !read_convolution(b, l, error)
                                                : strcmp(l->type, "PReLU") == 0 && !read_slopes(b, l, error))
            return FALSE;
        if (!l->weight && !g_strv_contains(plain, l->type))
            return sfu_file_refuse(
                error, b->path,
                "it has a layer of the type %s; of ncnn's networks, Sfumato runs RRDBNet (Real-ESRGAN) and "
                "SRVGGNetCompact, which have none",
                l->type);
    }
    return b->at == b->n ||
           sfu_file_fail(error, b->path, _("the .bin beside it has %zu bytes more than its layers need"), b->n - b->at);
}

SfuNcnnGraph *sfu_ncnn_parse(const char *text, gsize n, const guint8 *bin, gsize n_bin, const char *path,
                             GPtrArray *out, GError **error)
{
    SfuNcnnGraph *g = g_new0(SfuNcnnGraph, 1);
    Bin b = {.data = bin, .n = n_bin, .path = path, .out = out};
    g->layers = g_ptr_array_new_with_free_func(layer_free);
    if (read_text(g, text, n, path, error) && read_weights(g, &b, error))
        return g;
    sfu_ncnn_graph_free(g);
    return NULL;
}
