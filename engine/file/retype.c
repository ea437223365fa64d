/* Writes a file's tensors in other types: plan (what becomes what), header (GGUF or safetensors), then each tensor,
 * some rows at a time. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/file.h"
#include "file/json.h"
#include "file/retype.h"
#include "runtime/half.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <glib/gi18n-lib.h>

#define CHUNK 262144 /* values at a time, and a multiple of every block */
#define FEW 16       /* channels up to which a convolution is the network's first or last */
#define SMALL 1024   /* values up to which quantizing saves nothing */

static const struct {
    const char *name;
    SfuDtype dtype;
    gboolean gguf, safetensors, quantized;
} targets[] = {
    {"f32", SFU_F32, TRUE, TRUE, FALSE},     {"f16", SFU_F16, TRUE, TRUE, FALSE},
    {"bf16", SFU_BF16, TRUE, TRUE, FALSE},   {"q8_0", SFU_Q8_0, TRUE, FALSE, TRUE},
    {"q4_0", SFU_Q4_0, TRUE, FALSE, TRUE},   {"q4_k", SFU_Q4_K, TRUE, FALSE, TRUE},
    {"fp8", SFU_F8_E4M3, FALSE, TRUE, TRUE}, {"int8", SFU_I8, FALSE, TRUE, TRUE},
};

static const char *type_names(void)
{
    return "f32, f16, bf16, q8_0, q4_0, q4_k, fp8 and int8";
}

static gboolean is_float(SfuDtype t)
{
    return t == SFU_F32 || t == SFU_F16 || t == SFU_BF16 || t == SFU_F64 || t == SFU_F8_E4M3 || t == SFU_F8_E5M2;
}
static gboolean has_values(const SfuFileTensor *t)
{
    return is_float(t->dtype) || sfu_dtype_block(t->dtype) > 1 || t->scale;
}

/* ---- plan ---- */

/* Matrices whose errors the whole picture shows: embeddings of time and text, first and last layers; a VAE's, which is
 * small and used once. */
static gboolean is_delicate(const char *name)
{
    static const char *const parts[] = {"time_embed",
                                        "label_emb",
                                        "add_embedding",
                                        "token_embedding",
                                        "position_embedding",
                                        "positional_embedding",
                                        "first_stage_model.",
                                        "time_in.",
                                        "vector_in.",
                                        "guidance_in.",
                                        "img_in.",
                                        "txt_in.",
                                        "final_layer.",
                                        "x_embedder",
                                        "t_embedder",
                                        "cap_embedder",
                                        "token_embd",
                                        "shared.weight",
                                        "embed_tokens",
                                        "norm"};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strstr(name, parts[i]))
            return TRUE;
    return FALSE;
}

static SfuWeight *replacement(const SfuConvert *c, const SfuFileTensor *t)
{
    return c->replacement ? c->replacement(t, c->replacement_data) : NULL;
}

static gboolean all_values(const SfuConvert *c, const SfuFileTensor *t, gboolean (*test)(float v))
{
    SfuWeight *other = replacement(c, t), *w = other ? other : sfu_file_tensor_weight(t, t->name);
    float *v = g_new(float, CHUNK);
    gboolean ok = TRUE;
    for (gint64 at = 0; ok && at < t->n_elements; at += CHUNK) {
        const gint64 n = MIN(CHUNK, t->n_elements - at);
        sfu_weight_read_f32(w, at, n, v);
        for (gint64 i = 0; i < n; i++)
            ok &= test(v[i]);
    }
    g_free(v);
    if (!other)
        sfu_weight_destroy(w);
    return ok;
}

static gboolean in_half(float v)
{
    return !(fabsf(v) >= 65520.0f);
}

/* fp16 where every value fits, else fp32: nothing becomes infinite on the way. */
static SfuDtype narrow(const SfuConvert *c, const SfuFileTensor *t)
{
    return (t->dtype == SFU_F16 && !replacement(c, t)) || all_values(c, t, in_half) ? SFU_F16 : SFU_F32;
}

static SfuDtype plain_dtype(const SfuFileTensor *t, gboolean gguf)
{
    switch (t->dtype) {
    case SFU_U8:
        return gguf ? SFU_I16 : SFU_U8;
    case SFU_BOOL:
        return gguf ? SFU_I16 : SFU_BOOL;
    default:
        return t->dtype;
    }
}

static SfuDtype choose(const SfuConvert *c, const SfuFileTensor *t, SfuDtype target, gboolean quantized, gboolean gguf)
{
    if (!has_values(t))
        return plain_dtype(t, gguf);
    if (!quantized)
        return target == SFU_F16 ? narrow(c, t) : target;
    const gint64 row = t->n_dims > 1 && t->dims[0] ? t->n_elements / t->dims[0] : 0;
    const gboolean matrix = t->n_dims == 2 || (gguf && t->n_dims == 4 && MIN(t->dims[0], t->dims[1]) > FEW);
    if (matrix && t->n_elements > SMALL && g_str_has_suffix(t->name, ".weight") && !is_delicate(t->name)) {
        if (!gguf || row % sfu_dtype_block(target) == 0)
            return target;
        if (target == SFU_Q4_K && row % 32 == 0)
            return SFU_Q5_0; /* no rows of 256: the next better type, as llama.cpp chooses */
    }
    /* Vectors are small, and every value of theirs counts. */
    if (t->n_dims < 2)
        return (t->dtype == SFU_F16 || t->dtype == SFU_BF16) && !t->scale ? t->dtype : SFU_F32;
    return (t->dtype == SFU_BF16 || t->dtype == SFU_F32) && !t->scale && !t->rotation
               ? (t->dtype == SFU_BF16 ? SFU_BF16 : narrow(c, t))
               : narrow(c, t);
}

static void out_free(gpointer p)
{
    SfuOutTensor *o = p;
    g_free(o->name);
    g_free(o->bytes_owned);
    g_free(o);
}

static SfuOutTensor *add_out(GPtrArray *out, const char *name, SfuDtype dtype, int n_dims, const gint64 *dims)
{
    SfuOutTensor *o = g_new0(SfuOutTensor, 1);
    o->name = g_strdup(name);
    o->dtype = dtype;
    o->n_dims = n_dims;
    o->n_elements = 1;
    for (int i = 0; i < n_dims; i++) {
        o->dims[i] = dims[i];
        o->n_elements *= dims[i];
    }
    g_ptr_array_add(out, o);
    return o;
}

static void plan_tensor(GPtrArray *out, const SfuFileTensor *t, SfuDtype dtype)
{
    SfuOutTensor *o = add_out(out, t->name, dtype, t->n_dims, t->dims);
    o->from = t;
    if (!has_values(t) || (dtype != SFU_I8 && dtype != SFU_F8_E4M3))
        return;
    char *layer = g_strndup(t->name, strlen(t->name) - strlen(".weight")),
         *scale = g_strconcat(layer, ".weight_scale", NULL), *format = g_strconcat(layer, ".comfy_quant", NULL);
    const gint64 each[2] = {t->dims[0], 1};
    const char *json =
        dtype == SFU_I8 ? "{\"format\": \"int8_tensorwise\", \"per_row\": true}" : "{\"format\": \"float8_e4m3fn\"}";
    const gint64 length = (gint64)strlen(json);
    SfuOutTensor *s = add_out(out, scale, SFU_F32, dtype == SFU_I8 ? 2 : 0, each);
    s->bytes_owned = g_malloc0(4 * (gsize)s->n_elements); /* filled while the weight is written, which comes before */
    o->scales = (float *)(gpointer)s->bytes_owned;
    add_out(out, format, SFU_U8, 1, &length)->bytes_owned = (guint8 *)g_strdup(json);
    g_free(layer);
    g_free(scale);
    g_free(format);
}

/* ---- values ---- */

typedef struct {
    FILE *file;
    const char *path;
    const SfuConvert *c;
    double done, all; /* bytes */
    GError **error;
} Writer;

static gboolean cannot_write(Writer *w)
{
    g_set_error(w->error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, _("%s cannot be written: %s"), w->path,
                g_strerror(errno));
    return FALSE;
}

static gboolean put_bytes(Writer *w, gconstpointer p, gsize n)
{
    if (n && fwrite(p, 1, n, w->file) != n)
        return cannot_write(w);
    w->done += (double)n;
    if (w->c->progress && !w->c->progress(w->done / w->all, w->c->data)) {
        g_set_error(w->error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_CANCELLED, _("stopped"));
        return FALSE;
    }
    return TRUE;
}

static gboolean put_zeros(Writer *w, gsize n)
{
    static const guint8 zeros[64];
    for (; n > sizeof zeros; n -= sizeof zeros)
        if (!put_bytes(w, zeros, sizeof zeros))
            return FALSE;
    return put_bytes(w, zeros, n);
}

/* The scale of row r (of the whole tensor for fp8), from its largest value. */
static void find_scales(const SfuOutTensor *o, const SfuWeight *weight, float *v)
{
    const gint64 row = o->dtype == SFU_I8 ? o->n_elements / o->dims[0] : o->n_elements;
    for (gint64 at = 0; at < o->n_elements;) {
        const gint64 n = MIN(CHUNK, MIN(o->n_elements - at, row - at % row));
        float *most = &o->scales[at / row];
        sfu_weight_read_f32(weight, at, n, v);
        for (gint64 i = 0; i < n; i++)
            *most = MAX(*most, fabsf(v[i]));
        at += n;
    }
    const float top = o->dtype == SFU_I8 ? 127.0f : 448.0f;
    for (gint64 r = 0; r < o->n_elements / row; r++)
        o->scales[r] = o->scales[r] > 0 ? o->scales[r] / top : 1;
}

/* Values [at, at + n) as the type of o. FALSE: one is not a number, or a scale does not fit. */
static gboolean encode(const SfuOutTensor *o, const float *v, gint64 at, gint64 n, guint8 *out)
{
    const gint64 row = o->dtype == SFU_I8 && o->scales ? o->n_elements / o->dims[0] : o->n_elements;
    if (sfu_dtype_block(o->dtype) > 1)
        return sfu_quantize(o->dtype, v, n, out);
    for (gint64 i = 0; i < n; i++) {
        guint16 h;
        gint16 s;
        switch (o->dtype) {
        case SFU_F32:
            memcpy(out + 4 * i, &v[i], 4);
            break;
        case SFU_F16:
            h = sfu_half_from_float(v[i]);
            memcpy(out + 2 * i, &h, 2);
            break;
        case SFU_BF16:
            h = sfu_bf16_from_float(v[i]);
            memcpy(out + 2 * i, &h, 2);
            break;
        case SFU_I16:
            s = (gint16)v[i];
            memcpy(out + 2 * i, &s, 2);
            break;
        case SFU_F8_E4M3:
            out[i] = sfu_e4m3_from_float(v[i] / o->scales[0]);
            break;
        case SFU_I8:
            out[i] = (guint8)(gint8)CLAMP(rintf(v[i] / (o->scales ? o->scales[(at + i) / row] : 1)), -127.0f, 127.0f);
            break;
        default:
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean put_tensor(Writer *w, const SfuOutTensor *o)
{
    const SfuFileTensor *t = o->from;
    const gsize size = sfu_dtype_size(o->dtype, o->n_elements);
    if (!t)
        return put_bytes(w, o->bytes_owned, size);
    SfuWeight *other = replacement(w->c, t), *weight;
    if (t->dtype == o->dtype && !t->scale && !t->rotation && !other) {
        for (gsize at = 0; at < size; at += CHUNK)
            if (!put_bytes(w, t->data + at, MIN(CHUNK, size - at)))
                return FALSE;
        return TRUE;
    }
    weight = other ? other : sfu_file_tensor_weight(t, t->name);
    float *v = g_new(float, CHUNK);
    guint8 *bytes = g_malloc(4 * CHUNK);
    gboolean ok = TRUE;
    if (o->scales)
        find_scales(o, weight, v);
    for (gint64 at = 0; ok && at < o->n_elements; at += CHUNK) {
        const gint64 n = MIN(CHUNK, o->n_elements - at);
        sfu_weight_read_f32(weight, at, n, v);
        ok = encode(o, v, at, n, bytes) || sfu_file_fail(w->error, w->path, _("'%s' holds values that %s cannot hold"),
                                                         t->name, sfu_dtype_name(o->dtype));
        ok = ok && put_bytes(w, bytes, sfu_dtype_size(o->dtype, n));
    }
    g_free(v);
    g_free(bytes);
    if (!other)
        sfu_weight_destroy(weight);
    return ok;
}

/* ---- the file ---- */

static gboolean check_room(const char *path, guint64 bytes, GError **error)
{
    char *folder = g_path_get_dirname(path);
    GFile *f = g_file_new_for_path(folder);
    GFileInfo *info = g_file_query_filesystem_info(f, G_FILE_ATTRIBUTE_FILESYSTEM_FREE, NULL, NULL);
    const gboolean known = info && g_file_info_has_attribute(info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE);
    const guint64 room = known ? g_file_info_get_attribute_uint64(info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE) : G_MAXUINT64;
    if (room < bytes)
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, _("%s needs %.1f MB, and its disk has %.1f MB left"),
                    path, (double)bytes * 1e-6, (double)room * 1e-6);
    g_clear_object(&info);
    g_object_unref(f);
    g_free(folder);
    return room >= bytes;
}

static gboolean write_file(const char *path, const GByteArray *head, GPtrArray *out, gsize alignment,
                           const SfuConvert *c, GError **error)
{
    Writer w = {.path = path, .c = c, .all = head->len, .error = error};
    char *part = g_strconcat(path, ".part-XXXXXX", NULL);
    for (guint i = 0; i < out->len; i++) {
        const SfuOutTensor *o = g_ptr_array_index(out, i);
        w.all += (double)((sfu_dtype_size(o->dtype, o->n_elements) + alignment - 1) / alignment * alignment);
    }
    if (!check_room(path, (guint64)w.all, error)) {
        g_free(part);
        return FALSE;
    }
    const int fd = g_mkstemp_full(part, O_RDWR | O_CLOEXEC, 0666);
    w.file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    gboolean ok = w.file ? put_bytes(&w, head->data, head->len) : cannot_write(&w);
    for (guint i = 0; ok && i < out->len; i++) {
        const SfuOutTensor *o = g_ptr_array_index(out, i);
        const gsize size = sfu_dtype_size(o->dtype, o->n_elements);
        ok = put_tensor(&w, o) && put_zeros(&w, (alignment - size % alignment) % alignment);
    }
    if (ok && (fflush(w.file) != 0 || fsync(fd) != 0))
        ok = cannot_write(&w);
    if (w.file && fclose(w.file) != 0 && ok)
        ok = cannot_write(&w);
    if (ok && g_rename(part, path) != 0)
        ok = cannot_write(&w);
    if (!ok && fd >= 0)
        g_unlink(part);
    g_free(part);
    return ok;
}

gboolean sfu_file_convert(const char *in, const char *path, const SfuConvert *c, GError **error)
{
    const gboolean gguf = g_str_has_suffix(path, ".gguf"), safetensors = g_str_has_suffix(path, ".safetensors");
    gsize k = 0;
    while (k < G_N_ELEMENTS(targets) && strcmp(c->type, targets[k].name) != 0)
        k++;
    if (k == G_N_ELEMENTS(targets))
        return sfu_file_refuse(error, path, _("the type '%s' cannot be made; types are %s"), SFU_TEXT_HEAD(c->type),
                               type_names());
    if (!gguf && !safetensors)
        return sfu_file_refuse(error, path, _("the name must end in .gguf or .safetensors"));
    if (!(gguf ? targets[k].gguf : targets[k].safetensors))
        return sfu_file_refuse(error, path, _("%s is kept in .%s files"), c->type, gguf ? "safetensors" : "gguf");
    if (!c->replace && g_file_test(path, G_FILE_TEST_EXISTS))
        return sfu_file_refuse(error, path, _("the file exists already"));
    if (g_file_test(in, G_FILE_TEST_IS_DIR))
        return sfu_file_refuse(error, in, _("it is a folder; one file is converted at a time"));
    if (g_str_has_suffix(in, ".ckpt"))
        return sfu_file_refuse(error, in,
                               _("a PyTorch pickle file can run programs when it is read; it is not converted"));
    SfuFile *f = sfu_file_open(in, error);
    if (!f)
        return FALSE;
    GPtrArray *out = g_ptr_array_new_with_free_func(out_free);
    for (guint i = 0; i < f->tensors->len; i++) {
        const SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        plan_tensor(out, t, choose(c, t, targets[k].dtype, targets[k].quantized, gguf));
    }
    GByteArray *head = gguf ? sfu_gguf_header(f, out) : sfu_safetensors_header(f, out);
    const gboolean ok =
        write_file(path, head, out, gguf ? SFU_GGUF_ALIGNMENT : 1, c, error) && sfu_file_check_unchanged(f, error);
    g_byte_array_unref(head);
    g_ptr_array_unref(out);
    sfu_file_close(f);
    return ok;
}
