/* Prompts for models whose text encoder is a language model: chat template, tokens, hidden states. What was encoded
 * once is kept on disk, since the encoder may have gigabytes; and a text's hidden states can come from a file.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "model/vocabulary.h"

#define KEPT_BYTES ((guint64)512 << 20) /* on disk: 30 prompts of FLUX.2's, 500 of Z-Image's */

/* What the tensor is called in files of ours, and in others'. */
static const char *const tensor_names[] = {"hidden_states", "prompt_embeds", NULL};

/* ---- on disk ---- */

/* The file that keeps what this encoder makes of the text: the name is a hash of all that it depends on. Caller frees.
 */
static char *kept_path(const SfuLoaded *encoder, const SfuLanguageRecipe *r, const char *text)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    char *identity = sfu_model_identity(encoder->model);
    GString *key = g_string_new(identity);
    g_string_append_printf(key, "\n%s\n%s\n%d %d", r->before, r->after, r->n_tokens, r->padded);
    for (int i = 0; i < r->n_layers; i++)
        g_string_append_printf(key, " %d", r->layers[i]);
    g_checksum_update(sum, (const guchar *)key->str, (gssize)key->len + 1);
    g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text));
    char *name = g_strconcat(g_checksum_get_string(sum), ".safetensors", NULL),
         *path = g_build_filename(g_get_user_cache_dir(), "sfumato", "prompts", name, NULL);
    g_free(name);
    g_free(identity);
    g_string_free(key, TRUE);
    g_checksum_free(sum);
    return path;
}

typedef struct {
    char *path;
    guint64 bytes;
    gint64 time;
} KeptFile;

static void kept_clear(gpointer p)
{
    g_free(((KeptFile *)p)->path);
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
    const KeptFile *x = a, *y = b;
    return (x->time < y->time) - (x->time > y->time);
}

/* Deletes the oldest files until the rest is small enough. */
static void drop_oldest(const char *folder)
{
    GArray *files = g_array_new(FALSE, FALSE, sizeof(KeptFile));
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    guint64 total = 0;
    g_array_set_clear_func(files, kept_clear);
    while (dir && (name = g_dir_read_name(dir))) {
        KeptFile f = {.path = g_build_filename(folder, name, NULL)};
        GStatBuf st;
        if (g_str_has_suffix(name, ".safetensors") && g_stat(f.path, &st) == 0) {
            f.bytes = (guint64)st.st_size;
            f.time = (gint64)st.st_mtime;
            g_array_append_val(files, f);
        } else {
            g_free(f.path);
        }
    }
    g_clear_pointer(&dir, g_dir_close);
    g_array_sort(files, newest_first);
    for (guint i = 0; i < files->len; i++) {
        const KeptFile *f = &g_array_index(files, KeptFile, i);
        total += f->bytes;
        if (i > 0 && total > KEPT_BYTES)
            g_unlink(f->path);
    }
    g_array_unref(files);
}

/* A folder that cannot be written does not fail the run: the next one encodes again. */
static void keep_encoded(const char *path, const SfuHiddenStates *h)
{
    char *folder = g_path_get_dirname(path);
    if (g_mkdir_with_parents(folder, 0700) == 0 &&
        sfu_tensorfile_write_rows(path, tensor_names[0], h->values, h->n_tokens, h->dim, NULL))
        drop_oldest(folder);
    g_free(folder);
}

/* ---- the encoder at work ---- */

static SfuByteTokenizer *tokenizer_of(SfuLoaded *encoder, GError **error)
{
    SfuModelVocabulary *v = NULL;
    if (encoder->byte_tokenizer || !sfu_model_vocabulary(encoder->model, &v, error))
        return encoder->byte_tokenizer;
    const SfuVocabulary own = {.tokens = v ? (const char *const *)v->tokens->pdata : NULL,
                               .special = v ? v->special->data : NULL,
                               .n_tokens = v ? v->tokens->len : 0,
                               .merges = v ? (const char *const *)v->merges->pdata : NULL,
                               .n_merges = v ? v->merges->len : 0};
    encoder->byte_tokenizer = v ? sfu_byte_tokenizer_new_from(&own, error) : sfu_byte_tokenizer_new(error);
    sfu_model_vocabulary_free(v);
    return encoder->byte_tokenizer;
}

/* The tokens of the text within its template, cut or filled up as the recipe says; *n_seen: without padding. NULL with
 * error. */
static GArray *tokens_of(SfuRun *r, SfuLoaded *encoder, const SfuLanguageRecipe *recipe, const char *text, int *n_seen,
                         GError **error)
{
    const SfuByteTokenizer *t = tokenizer_of(encoder, error);
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32)), *padding = g_array_new(FALSE, FALSE, sizeof(gint32));
    char *whole = g_strconcat(recipe->before, text, recipe->after, NULL);
    const gboolean ok = t && sfu_text_check(text, strlen(text), error) &&
                        sfu_byte_tokenizer_encode(t, whole, -1, ids, error) &&
                        sfu_byte_tokenizer_encode(t, recipe->padding, -1, padding, error);
    if (ok && (int)ids->len > recipe->n_tokens) {
        sfu_run_note(r, _("The prompt has %u tokens with its template; %s reads the first %d."), ids->len,
                     encoder->path, recipe->n_tokens);
        g_array_set_size(ids, (guint)recipe->n_tokens);
    }
    *n_seen = (int)ids->len;
    while (ok && recipe->padded && (int)ids->len < recipe->n_tokens && padding->len)
        g_array_append_val(ids, g_array_index(padding, gint32, 0));
    g_array_unref(padding);
    g_free(whole);
    if (ok)
        return ids;
    g_array_unref(ids);
    return NULL;
}

static gboolean run_encoder(SfuRun *r, SfuLoaded *encoder, const SfuLanguageRecipe *recipe, const char *text,
                            SfuHiddenStates *h, GError **error)
{
    if (!sfu_model_is_language(encoder->model)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s is not a language model that can encode the prompt."),
                    encoder->path);
        return FALSE;
    }
    if (!encoder->language && !(encoder->language = sfu_qwen3_create(r->q, encoder->model, error)))
        return FALSE;
    SfuQwen3Request request = {.layers = recipe->layers, .n_layers = recipe->n_layers};
    GArray *ids = tokens_of(r, encoder, recipe, text, &request.n_seen, error);
    if (!ids)
        return FALSE;
    request.tokens = (const gint32 *)(gconstpointer)ids->data;
    request.n_tokens = (int)ids->len;
    SfuTrace trace = {sfu_run_trace, r};
    SfuTensor *hidden = NULL;
    sfu_qwen3_set_trace(encoder->language, r->job->trace_dir ? &trace : NULL);
    gboolean ok = sfu_qwen3_run(encoder->language, &hidden, &request, error);
    sfu_qwen3_set_trace(encoder->language, NULL);
    if (ok) {
        *h = (SfuHiddenStates){g_new(float, sfu_tensor_elements(hidden)), hidden->w, hidden->c};
        ok = sfu_tensor_read(hidden, h->values, error);
        if (!ok)
            g_clear_pointer(&h->values, g_free);
    }
    sfu_tensor_destroy(hidden);
    g_array_unref(ids);
    return ok;
}

gboolean sfu_language_encode(SfuRun *r, SfuLoaded *m, const char *text, SfuHiddenStates *h, GError **error)
{
    const SfuLanguageRecipe *recipe = sfu_model_family(m->model)->language;
    SfuLoaded *encoder = sfu_run_load_piece(r, m, SFU_PART_TEXT, error);
    if (!encoder)
        return FALSE;
    /* An adapter makes another encoder of the same files; a trace shows the encoder at work. */
    const gboolean kept = !*sfu_adapters_text_key(r->e->adapters), read = kept && !r->job->trace_dir;
    char *path = kept_path(encoder, recipe, text);
    gboolean ok = TRUE;
    h->values = read ? sfu_tensorfile_read_rows(path, tensor_names, &h->n_tokens, &h->dim, NULL) : NULL;
    if (!h->values && (ok = run_encoder(r, encoder, recipe, text, h, error)) && kept)
        keep_encoded(path, h);
    g_free(path);
    return ok;
}

gboolean sfu_language_read(const char *path, SfuHiddenStates *h, GError **error)
{
    h->values = sfu_tensorfile_read_rows(path, tensor_names, &h->n_tokens, &h->dim, error);
    return h->values != NULL;
}

void sfu_language_unload(SfuEngine *e)
{
    for (guint i = 0; i < e->loaded->len; i++) {
        SfuLoaded *l = e->loaded->pdata[i];
        if (l->language)
            sfu_qwen3_unload(l->language);
    }
}
