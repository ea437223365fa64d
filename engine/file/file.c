/* One file of tensors: mapped, its format told by its first bytes.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/file.h"
#include "file/ncnn.h"
#include "file/pickle.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gi18n-lib.h>

SfuFileTensor *sfu_file_tensor_rows(const SfuFileTensor *t, gint64 first, gint64 n)
{
    const gint64 row = t->n_dims && t->dims[0] ? t->n_elements / t->dims[0] : 0, block = sfu_dtype_block(t->dtype);
    if (first < 0 || n < 0 || !t->n_dims || first > t->dims[0] - n || first * row % block || n * row % block)
        return NULL;
    SfuFileTensor *s = g_memdup2(t, sizeof *t);
    s->dims[0] = n;
    s->n_elements = n * row;
    s->data += sfu_dtype_size(t->dtype, first * row);
    s->scale_row += first;
    s->owned = NULL;
    s->name = g_strdup(t->name);
    return s;
}

/* An SfuWeightCheck. Memory behind the end of a mapped file cannot be read: SIGBUS. */
static gboolean check_size(gconstpointer source, GError **error)
{
    const SfuFile *f = source;
    struct stat s;
    if (f->fd < 0 || fstat(f->fd, &s) != 0 || s.st_size >= f->size)
        return TRUE;
    g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN,
                _("%s became shorter while it was in use: %" PRIi64 " bytes, and it had %" PRIi64), f->path,
                (gint64)s.st_size, f->size);
    return FALSE;
}

SfuWeight *sfu_file_tensor_weight(const SfuFileTensor *t, const char *name)
{
    SfuWeight *w = sfu_weight_new(name, t->dtype, t->n_dims, t->dims, t->data, sfu_file_tensor_bytes(t));
    SfuWeightScale s = {.rotation = t->rotation};
    if (t->scale) {
        const gboolean each = t->scale->n_elements > 1;
        s.dtype = t->scale->dtype;
        s.n = each ? t->dims[0] : 1;
        s.values = t->scale->data + (each ? sfu_dtype_size(s.dtype, t->scale_row) : 0);
    }
    if (s.n || s.rotation)
        sfu_weight_set_scale(w, &s);
    if (t->file && !t->owned)
        sfu_weight_set_check(w, check_size, t->file);
    return w;
}

void sfu_file_tensor_free(gpointer p)
{
    SfuFileTensor *t = p;
    if (!t)
        return;
    g_free(t->name);
    g_free(t->owned);
    g_free(t);
}

static gint64 mtime_ns(const struct stat *s)
{
    return (gint64)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
}

static gboolean stat_file(const char *path, gint64 *size, gint64 *mtime)
{
    GStatBuf s;
    if (g_stat(path, &s) != 0)
        return FALSE;
    *size = s.st_size;
    *mtime = mtime_ns(&s);
    return TRUE;
}

/* ncnn's pair of files is opened by either: the other stands beside it under the same name. Caller frees with g_free;
 * NULL: it does not end so. */
static char *beside(const char *path, const char *suffix, const char *other)
{
    return g_str_has_suffix(path, suffix) ? g_strdup_printf("%.*s%s", (int)(strlen(path) - strlen(suffix)), path, other)
                                          : NULL;
}

/* Maps path as f's data. */
static gboolean map_file(SfuFile *f, const char *path, GError **error)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    const int reason = errno;
    f->map =
        f->fd >= 0 && stat_file(path, &f->size, &f->mtime_ns) ? g_mapped_file_new_from_fd(f->fd, FALSE, error) : NULL;
    if (!f->map && error && !*error)
        g_set_error_literal(error, G_FILE_ERROR, g_file_error_from_errno(reason), g_strerror(reason));
    return f->map != NULL;
}

/* Reads the layers from f, a .param, and maps the weights beside it in its place. */
static gboolean read_ncnn(SfuFile *f, GError **error)
{
    GMappedFile *text = g_steal_pointer(&f->map);
    char *param = f->path, *bin = beside(param, ".param", ".bin");
    gboolean ok = bin && g_file_test(bin, G_FILE_TEST_IS_REGULAR) && map_file(f, bin, NULL);
    if (!ok)
        sfu_file_fail(
            error, param,
            _("it is an ncnn network; its weights belong beside it, in a file of the same name that ends in .bin"));
    ok = ok && (f->graph = sfu_ncnn_parse(g_mapped_file_get_contents(text), g_mapped_file_get_length(text),
                                          (const guint8 *)g_mapped_file_get_contents(f->map),
                                          g_mapped_file_get_length(f->map), param, f->tensors, error));
    if (ok) {
        f->path = g_steal_pointer(&bin);
        g_free(param);
    }
    g_free(bin);
    g_mapped_file_unref(text);
    return ok;
}

/* Files that are taken for models, by what they begin with: failed downloads, archives, other programs' networks. */
static const struct {
    const char *begins;
    gsize at; /* of that text in the file */
    const char *what;
} foreign[] = {
    {"<!DOCTYPE", 0, N_("a web page; the download wanted a login or failed")},
    {"<!doctype", 0, N_("a web page; the download wanted a login or failed")},
    {"<html", 0, N_("a web page; the download wanted a login or failed")},
    {"version https://git-lfs", 0, N_("a pointer of Git LFS; the model itself was not downloaded (git lfs pull)")},
    {"\x1f\x8b", 0, N_("a packed archive; unpack it first")},
    {"7z\xbc\xaf", 0, N_("a packed archive; unpack it first")},
    {"Rar!", 0, N_("a packed archive; unpack it first")},
    {"\x89HDF", 0, N_("an HDF5 file, as Keras writes it, which Sfumato does not read")},
    {"<?xml", 0, N_("an XML file, as OpenVINO writes it, which Sfumato does not read")},
    {"TFL3", 4, N_("a TensorFlow Lite model, which Sfumato does not read")},
    {"pytorch", 4, N_("an ONNX model, which Sfumato does not read")},
    {"\x89PNG", 0, N_("a picture, not a model")},
    {"\xff\xd8\xff", 0, N_("a picture, not a model")},
};

/* FALSE with FORMAT if that is what it is. */
static gboolean check_kind(const guint8 *data, gsize n, const char *path, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(foreign); i++) {
        const gsize length = strlen(foreign[i].begins);
        if (n < foreign[i].at + length || memcmp(data + foreign[i].at, foreign[i].begins, length) != 0 ||
            (n > 8 && data[8] == '{'))
            continue;
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, _("%s is %s"), path, _(foreign[i].what));
        return FALSE;
    }
    return TRUE;
}

SfuFile *sfu_file_open(const char *path, GError **error)
{
    char *param = beside(path, ".bin", ".param");
    if (param && g_file_test(param, G_FILE_TEST_IS_REGULAR)) {
        SfuFile *f = sfu_file_open(param, error);
        g_free(param);
        return f;
    }
    g_free(param);
    SfuFile *f = g_new0(SfuFile, 1);
    GError *local = NULL;
    f->fd = -1;
    f->path = g_strdup(path);
    f->tensors = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    f->scales = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    f->metadata = sfu_file_metadata_new();
    /* A pipe or a device would block, or has no end. */
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
        map_file(f, path, &local);
    if (!f->map) {
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, _("%s cannot be opened: %s"), path,
                    local                                   ? local->message
                    : g_file_test(path, G_FILE_TEST_EXISTS) ? _("it is not a file")
                                                            : _("the file does not exist"));
        g_clear_error(&local);
        sfu_file_close(f);
        return NULL;
    }
    const guint8 *data = (const guint8 *)g_mapped_file_get_contents(f->map);
    const gsize n = g_mapped_file_get_length(f->map);
    gboolean ok;
    /* A safetensors file begins with a length, which may look like anything, but goes on with a brace. */
    f->pickle = n >= 9 && data[8] != '{' && (memcmp(data, "PK\3\4", 4) == 0 || (data[0] == 0x80 && data[1] <= 5));
    if (f->pickle)
        ok = sfu_pth_parse(data, n, path, f->tensors, error);
    else if (n >= 9 && memcmp(data, "GGUF", 4) == 0 && data[8] != '{')
        ok = sfu_gguf_parse(data, n, path, f->tensors, f->metadata, error);
    else if (sfu_ncnn_is_param(data, n))
        ok = read_ncnn(f, error);
    else
        ok = check_kind(data, n, path, error) && sfu_safetensors_parse(data, n, path, f->tensors, f->metadata, error);
    if (ok && sfu_scales_attach(f->tensors, f->scales, f->metadata, path, error)) {
        for (guint i = 0; i < f->tensors->len; i++)
            ((SfuFileTensor *)g_ptr_array_index(f->tensors, i))->file = f;
        return f;
    }
    sfu_file_close(f);
    return NULL;
}

void sfu_file_close(SfuFile *f)
{
    if (!f)
        return;
    g_ptr_array_unref(f->tensors);
    g_ptr_array_unref(f->scales);
    g_hash_table_unref(f->metadata);
    sfu_ncnn_graph_free(f->graph);
    if (f->map)
        g_mapped_file_unref(f->map);
    if (f->fd >= 0)
        close(f->fd);
    g_free(f->path);
    g_free(f);
}

const char *sfu_file_text(const SfuFile *f, const char *key)
{
    const SfuFileValue *v = g_hash_table_lookup(f->metadata, key);
    return v ? v->text : NULL;
}

gboolean sfu_file_check_intact(const SfuFile *f, GError **error)
{
    struct stat s;
    if (f->fd < 0 || (fstat(f->fd, &s) == 0 && s.st_size == f->size && mtime_ns(&s) == f->mtime_ns))
        return TRUE;
    g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN,
                _("%s was written to while it was in use, so the result may be wrong"), f->path);
    return FALSE;
}

gboolean sfu_file_check_unchanged(const SfuFile *f, GError **error)
{
    gint64 size, mtime;
    if (stat_file(f->path, &size, &mtime) && size == f->size && mtime == f->mtime_ns)
        return TRUE;
    g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, _("%s was changed or removed while it was in use"),
                f->path);
    return FALSE;
}
