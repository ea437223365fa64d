/* Textual inversion in prompts: a file's name is a word that stands for its vectors, as in the web UI ("embedding:name"
 * of ComfyUI too).
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include "model/embedding.h"
#include <string.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#define MOST_ENCODERS SFU_EMBEDDING_SLOTS

typedef struct {
    char *name, *path;
    gboolean bundled, looked_at;
    int first, n; /* rows; n 0: taken as words */
} Word;

struct SfuWords {
    SfuSession *s;               /* borrowed */
    GPtrArray *all;              /* Word*, by name */
    GPtrArray *tokens;           /* GArray*: two spellings of each */
    GArray *rows[MOST_ENCODERS]; /* float: of all words that were met */
    int n_rows;
    GError *error; /* of a file that was met */
};

static void word_free(gpointer p)
{
    Word *w = p;
    g_free(w->name);
    g_free(w->path);
    g_free(w);
}

static void add_spelling(SfuWords *w, const char *text)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32));
    sfu_tokenizer_encode(w->s->run->e->tokenizer, text, -1, ids, NULL);
    g_ptr_array_add(w->tokens, ids); /* one without tokens is never met */
}

/* signature (NULL: none): what the words are, so that a change is noticed. */
static void add_words(SfuWords *w, GHashTable *paths, gboolean bundled, GString *signature)
{
    GList *names = g_list_sort(g_hash_table_get_keys(paths), (GCompareFunc)strcmp);
    for (const GList *l = names; l; l = l->next) {
        const char *name = l->data, *path = g_hash_table_lookup(paths, name);
        GStatBuf st = {0};
        char *long_name = g_strconcat("embedding:", name, NULL);
        Word *word = g_new0(Word, 1);
        *word = (Word){.name = g_strdup(name), .path = g_strdup(path), .bundled = bundled};
        g_ptr_array_add(w->all, word);
        add_spelling(w, name);
        add_spelling(w, long_name);
        if (signature && g_stat(path, &st) == 0)
            g_string_append_printf(signature, "%s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", name, path,
                                   (gint64)st.st_size, (gint64)st.st_mtime);
        g_free(long_name);
    }
    g_list_free(names);
}

SfuWords *sfu_words_new(SfuSession *s)
{
    SfuEngine *e = s->run->e;
    SfuWords *w = g_new0(SfuWords, 1);
    GString *signature = g_string_new(NULL);
    GHashTable *files = sfu_named_list(SFU_NAMED_EMBEDDING, FALSE),
               *bundles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!e->tokenizer)
        e->tokenizer = sfu_tokenizer_new();
    w->s = s;
    w->all = g_ptr_array_new_with_free_func(word_free);
    w->tokens = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (int i = 0; i < MOST_ENCODERS; i++)
        w->rows[i] = g_array_new(FALSE, FALSE, sizeof(float));
    sfu_adapters_bundles(e->adapters, bundles);
    add_words(w, files, FALSE, signature);
    add_words(w, bundles, TRUE, NULL); /* the keys of the encodings say which adapters are applied */
    if (g_strcmp0(e->words ? e->words : "", signature->str) != 0 && e->encodings)
        g_ptr_array_set_size(e->encodings, 0);
    g_free(e->words);
    e->words = g_string_free(signature, FALSE);
    g_hash_table_unref(files);
    g_hash_table_unref(bundles);
    return w;
}

void sfu_words_free(SfuWords *w)
{
    if (!w)
        return;
    for (int i = 0; i < MOST_ENCODERS; i++)
        g_array_unref(w->rows[i]);
    g_ptr_array_unref(w->all);
    g_ptr_array_unref(w->tokens);
    g_clear_error(&w->error);
    g_free(w);
}

/* Reads the word's file; its vectors go behind the others' if they fit every text encoder of the model. */
static void look_at(SfuWords *w, Word *word)
{
    SfuLoaded *m = w->s->m;
    const int n = MIN(sfu_run_n_texts(m), MOST_ENCODERS);
    const float *rows[MOST_ENCODERS] = {NULL};
    int width[MOST_ENCODERS] = {0};
    gboolean ok = !w->error, fits = TRUE;
    word->looked_at = TRUE;
    SfuEmbedding *e = ok ? sfu_embedding_read(word->path, word->bundled ? word->name : NULL, &w->error) : NULL;
    for (int i = 0; e && ok && i < n; i++) {
        const SfuTextConfig *config;
        if (!(ok = sfu_run_text(w->s->run, m, i, &config, &w->error) != NULL))
            break;
        width[i] = config->hidden;
        fits &= (rows[i] = sfu_embedding_rows(e, i, n, width[i])) != NULL;
    }
    if (e && ok && !fits)
        sfu_run_note(
            w->s->run,
            _("%s is for another model: its vectors are %d wide, the first text encoder of %s takes %d. \"%s\" is "
              "read as words."),
            word->path, MAX(e->width[0], e->width[1]), m->path, width[0], word->name);
    if (e && ok && fits) {
        word->first = w->n_rows;
        word->n = e->n;
        w->n_rows += e->n;
        for (int i = 0; i < n; i++)
            g_array_append_vals(w->rows[i], rows[i], (guint)(e->n * width[i]));
    }
    sfu_embedding_free(e);
}

static int vectors(guint spelling, int *first, gpointer data)
{
    SfuWords *w = data;
    Word *word = w->all->pdata[spelling / 2];
    if (!word->looked_at)
        look_at(w, word);
    *first = word->first;
    return word->n;
}

SfuPrompt *sfu_words_parse(SfuWords *w, const char *text, int i, SfuTextEncoder *te, const SfuTextConfig *config,
                           GError **error)
{
    const SfuPromptWords words = {.words = w->tokens, .vectors = vectors, .data = w};
    SfuPrompt *p = sfu_prompt_parse(w->s->run->e->tokenizer, text, config->zero_padded, &words, error);
    if (p && w->error) {
        g_propagate_error(error, g_steal_pointer(&w->error));
        sfu_prompt_free(p);
        return NULL;
    }
    if (p && i < MOST_ENCODERS)
        sfu_text_encoder_set_own(te, (const float *)(gconstpointer)w->rows[i]->data, w->n_rows);
    return p;
}

void sfu_words_done(SfuTextEncoder *te)
{
    sfu_text_encoder_set_own(te, NULL, 0);
}
