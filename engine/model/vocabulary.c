/* The vocabulary that lies beside a language model, or in its file: Hugging Face's tokenizer.json, GPT-2's vocab.json
 * and merges.txt, GGUF's metadata (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, "Tokenizer").
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/vocabulary.h"
#include "model/model_struct.h"
#include "file/json.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_BYTES (64 << 20) /* Qwen3's tokenizer.json has 11 MB */
#define MAX_TOKENS (1 << 20)
#define MAX_MERGES (1 << 21)

static SfuModelVocabulary *vocabulary_new(void)
{
    SfuModelVocabulary *v = g_new(SfuModelVocabulary, 1);
    v->tokens = g_ptr_array_new_with_free_func(g_free);
    v->special = g_byte_array_new();
    v->merges = g_ptr_array_new_with_free_func(g_free);
    return v;
}

void sfu_model_vocabulary_free(SfuModelVocabulary *v)
{
    if (!v)
        return;
    g_ptr_array_unref(v->tokens);
    g_byte_array_unref(v->special);
    g_ptr_array_unref(v->merges);
    g_free(v);
}

/* FALSE if the number is none of a vocabulary. */
static gboolean set_token(SfuModelVocabulary *v, gint64 id, const char *text, gboolean special)
{
    if (id < 0 || id >= MAX_TOKENS)
        return FALSE;
    if (id >= v->tokens->len) {
        const guint was = v->special->len;
        g_ptr_array_set_size(v->tokens, (int)id + 1);
        g_byte_array_set_size(v->special, (guint)id + 1);
        memset(v->special->data + was, 0, (gsize)id + 1 - was);
    }
    g_free(v->tokens->pdata[id]);
    v->tokens->pdata[id] = g_strdup(text);
    v->special->data[id] = special != 0;
    return TRUE;
}

/* ---- JSON ---- */

static gboolean read_json(const char *path, JsonNode **node, GError **error)
{
    GMappedFile *map = g_mapped_file_new(path, FALSE, NULL);
    *node = map ? sfu_json_parse(g_mapped_file_get_contents(map), g_mapped_file_get_length(map), MAX_BYTES, path, error)
                : NULL;
    if (map)
        g_mapped_file_unref(map);
    else
        g_set_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, _("%s cannot be read%s%s"), path, "", "");
    return *node != NULL;
}

static JsonObject *child(JsonObject *o, const char *name)
{
    JsonNode *n = o ? json_object_get_member(o, name) : NULL;
    return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

static JsonArray *list(JsonObject *o, const char *name)
{
    JsonNode *n = o ? json_object_get_member(o, name) : NULL;
    return n && JSON_NODE_HOLDS_ARRAY(n) ? json_node_get_array(n) : NULL;
}

static const char *string_of(JsonNode *n)
{
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n)
                                                                                         : NULL;
}

static gint64 int_of(JsonNode *n)
{
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_INT64 ? json_node_get_int(n) : -1;
}

/* {"token": number}. */
static gboolean take_map(SfuModelVocabulary *v, JsonObject *map, gboolean special)
{
    JsonObjectIter it;
    const char *token;
    JsonNode *n;
    if (!map)
        return FALSE;
    json_object_iter_init(&it, map);
    while (json_object_iter_next(&it, &token, &n))
        if (!set_token(v, int_of(n), token, special))
            return FALSE;
    return TRUE;
}

/* Each "left right" or ["left", "right"]. */
static gboolean take_merges(SfuModelVocabulary *v, JsonArray *merges)
{
    const guint n = merges ? json_array_get_length(merges) : 0;
    for (guint i = 0; i < n; i++) {
        JsonNode *m = json_array_get_element(merges, i);
        JsonArray *pair = JSON_NODE_HOLDS_ARRAY(m) ? json_node_get_array(m) : NULL;
        const gboolean two = pair && json_array_get_length(pair) == 2;
        const char *left = two ? string_of(json_array_get_element(pair, 0)) : NULL,
                   *right = two ? string_of(json_array_get_element(pair, 1)) : NULL, *one = string_of(m);
        if (!one && !(left && right))
            return FALSE;
        g_ptr_array_add(v->merges, one ? g_strdup(one) : g_strconcat(left, " ", right, NULL));
    }
    return n > 0 && n <= MAX_MERGES;
}

/* [{"id": number, "content": "token"}]. */
static gboolean take_added(SfuModelVocabulary *v, JsonArray *added)
{
    for (guint i = 0; added && i < json_array_get_length(added); i++) {
        JsonNode *n = json_array_get_element(added, i);
        JsonObject *o = JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
        const char *content = o ? string_of(json_object_get_member(o, "content")) : NULL;
        if (!content || !set_token(v, int_of(json_object_get_member(o, "id")), content, TRUE))
            return FALSE;
    }
    return TRUE;
}

static gboolean from_tokenizer_json(SfuModelVocabulary *v, const char *path, GError **error)
{
    JsonNode *node;
    if (!read_json(path, &node, error))
        return FALSE;
    JsonObject *root = json_node_get_object(node), *model = child(root, "model");
    const char *type = model ? string_of(json_object_get_member(model, "type")) : NULL;
    gboolean ok = FALSE;
    if (type && strcmp(type, "BPE") != 0)
        sfu_file_refuse(error, path, _("its tokenizer is of the kind '%s', which Sfumato does not know"), type);
    else if (!(ok = take_map(v, child(model, "vocab"), FALSE) && take_merges(v, list(model, "merges")) &&
                    take_added(v, list(root, "added_tokens"))))
        sfu_file_fail(error, path, _("it holds no vocabulary of byte pairs"));
    json_node_unref(node);
    return ok;
}

/* Lines "left right" behind a first one "#version". */
static gboolean read_merges(SfuModelVocabulary *v, const char *path, GError **error)
{
    char *text = NULL;
    gsize n = 0;
    GError *local = NULL;
    if (!g_file_get_contents(path, &text, &n, &local)) {
        sfu_file_fail(error, path, "%s", local->message);
        g_error_free(local);
        return FALSE;
    }
    gboolean ok = n <= MAX_BYTES && g_utf8_validate(text, (gssize)n, NULL);
    for (char *line = text, *end; ok && *line; line = end) {
        end = strchr(line, '\n');
        end = end ? end + 1 : line + strlen(line);
        char *merge = g_strchomp(g_strndup(line, (gsize)(end - line)));
        if (*merge && !g_str_has_prefix(merge, "#version"))
            g_ptr_array_add(v->merges, g_steal_pointer(&merge));
        g_free(merge);
        ok = v->merges->len <= MAX_MERGES;
    }
    g_free(text);
    return ok || sfu_file_fail(error, path, _("it holds no vocabulary of byte pairs"));
}

static gboolean from_vocab_json(SfuModelVocabulary *v, const char *folder, GError **error)
{
    char *vocab = g_build_filename(folder, "vocab.json", NULL), *merges = g_build_filename(folder, "merges.txt", NULL),
         *added = g_build_filename(folder, "added_tokens.json", NULL);
    JsonNode *node = NULL, *more = NULL;
    gboolean ok = read_json(vocab, &node, error) &&
                  (take_map(v, json_node_get_object(node), FALSE) ||
                   sfu_file_fail(error, vocab, _("it holds no vocabulary of byte pairs"))) &&
                  read_merges(v, merges, error);
    if (ok && g_file_test(added, G_FILE_TEST_EXISTS))
        ok = read_json(added, &more, error) && (take_map(v, json_node_get_object(more), TRUE) ||
                                                sfu_file_fail(error, added, _("it holds no added tokens")));
    g_clear_pointer(&node, json_node_unref);
    g_clear_pointer(&more, json_node_unref);
    g_free(vocab);
    g_free(merges);
    g_free(added);
    return ok;
}

/* ---- GGUF ---- */

enum { GGUF_I32 = 5, GGUF_TEXT = 8, CONTROL = 3, USER_DEFINED = 4 };

static const SfuFileValue *array_of(const SfuFile *f, const char *key, int type)
{
    const SfuFileValue *v = f->metadata ? g_hash_table_lookup(f->metadata, key) : NULL;
    return v && v->kind == SFU_FILE_ARRAY && v->element_type == type ? v : NULL;
}

static guint64 little_endian(const guint8 *p, int n)
{
    guint64 v = 0;
    for (int i = n - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

/* The next text of an array whose places the parser has checked; caller frees. NULL: it is not UTF-8. */
static char *next_text(const guint8 **p)
{
    const gsize n = (gsize)little_endian(*p, 8);
    const char *text = (const char *)*p + 8;
    *p += 8 + n;
    return g_utf8_validate(text, (gssize)n, NULL) ? g_strndup(text, n) : NULL;
}

static gboolean take_gguf(SfuModelVocabulary *v, const SfuFile *f, GError **error)
{
    const SfuFileValue *tokens = array_of(f, "tokenizer.ggml.tokens", GGUF_TEXT),
                       *merges = array_of(f, "tokenizer.ggml.merges", GGUF_TEXT),
                       *types = array_of(f, "tokenizer.ggml.token_type", GGUF_I32);
    const char *kind = sfu_file_text(f, "tokenizer.ggml.model"), *words = sfu_file_text(f, "tokenizer.ggml.pre");
    if ((kind && strcmp(kind, "gpt2") != 0) || (words && strcmp(words, "qwen2") != 0))
        return sfu_file_refuse(error, f->path, _("its tokenizer is of the kind '%s', which Sfumato does not know"),
                               kind && strcmp(kind, "gpt2") != 0 ? kind : words);
    if (!merges || tokens->n_elements > MAX_TOKENS || merges->n_elements > MAX_MERGES ||
        (types && types->n_elements != tokens->n_elements))
        return sfu_file_fail(error, f->path, _("it holds no vocabulary of byte pairs"));
    const guint8 *p = tokens->elements;
    for (guint64 i = 0; i < tokens->n_elements; i++) {
        char *text = next_text(&p);
        const guint64 type = types ? little_endian(types->elements + 4 * i, 4) : 0;
        if (text)
            set_token(v, (gint64)i, text, type == CONTROL || type == USER_DEFINED);
        g_free(text);
    }
    p = merges->elements;
    for (guint64 i = 0; i < merges->n_elements; i++) {
        char *text = next_text(&p);
        if (!text)
            return sfu_file_fail(error, f->path, _("it holds no vocabulary of byte pairs"));
        g_ptr_array_add(v->merges, text);
    }
    return TRUE;
}

/* ---- where it lies ---- */

static gboolean has_file(const char *folder, const char *name)
{
    char *path = g_build_filename(folder, name, NULL);
    const gboolean has = g_file_test(path, G_FILE_TEST_IS_REGULAR);
    g_free(path);
    return has;
}

/* TRUE with *found FALSE if there is none. */
static gboolean from_folder(SfuModelVocabulary *v, const char *folder, gboolean *found, GError **error)
{
    *found = TRUE;
    if (has_file(folder, "tokenizer.json")) {
        char *path = g_build_filename(folder, "tokenizer.json", NULL);
        const gboolean ok = from_tokenizer_json(v, path, error);
        g_free(path);
        return ok;
    }
    if (has_file(folder, "vocab.json") && has_file(folder, "merges.txt"))
        return from_vocab_json(v, folder, error);
    *found = FALSE;
    return TRUE;
}

gboolean sfu_model_vocabulary(const SfuModel *m, SfuModelVocabulary **vocabulary, GError **error)
{
    SfuModelVocabulary *v = vocabulary_new();
    gboolean ok = TRUE, found = FALSE;
    for (guint i = 0; ok && !found && i < m->files->len; i++) {
        const SfuFile *f = m->files->pdata[i];
        found = array_of(f, "tokenizer.ggml.tokens", GGUF_TEXT) != NULL;
        ok = !found || take_gguf(v, f, error);
    }
    if (ok && !found && g_file_test(m->path, G_FILE_TEST_IS_DIR)) {
        char *inner = g_build_filename(m->path, "tokenizer", NULL);
        ok = from_folder(v, inner, &found, error) && (found || from_folder(v, m->path, &found, error));
        g_free(inner);
    }
    if (!ok || !found)
        g_clear_pointer(&v, sfu_model_vocabulary_free);
    *vocabulary = v;
    return ok;
}
