/* The vocabulary beside a language model, into its tokenizer. Input: the first byte tells whether tokenizer.json
 * follows, or vocab.json and behind a NUL merges.txt. (That of GGUF files is the target gguf's.)
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include <glib/gstdio.h>
#include <string.h>
#include "model/model_struct.h"
#include "model/vocabulary.h"
#include "text/text.h"

static char *folder;

static void put(const char *name, const uint8_t *data, gsize size)
{
    char *path = g_build_filename(folder, name, NULL);
    if (data)
        g_assert_true(
            g_file_set_contents_full(path, (const char *)data, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    else
        g_remove(path);
    g_free(path);
}

static void encode(const SfuModelVocabulary *v)
{
    const SfuVocabulary own = {.tokens = (const char *const *)v->tokens->pdata,
                               .special = v->special->data,
                               .n_tokens = v->tokens->len,
                               .merges = (const char *const *)v->merges->pdata,
                               .n_merges = v->merges->len};
    GError *error = NULL;
    SfuByteTokenizer *t = sfu_byte_tokenizer_new_from(&own, &error);
    fuzz_check_error(t != NULL, &error);
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32));
    static const char text[] = "<|im_start|>user\nabc ab\303\251 aab 12<|im_end|>";
    if (t)
        fuzz_check_error(sfu_byte_tokenizer_encode(t, text, -1, ids, &error), &error);
    for (guint i = 0; i < ids->len; i++)
        g_assert_true(g_array_index(ids, gint32, i) >= 0 && g_array_index(ids, gint32, i) < (gint32)own.n_tokens);
    g_array_unref(ids);
    sfu_byte_tokenizer_free(t);
}

static void remove_folder(void)
{
    g_rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!folder) {
        folder = g_dir_make_tmp("sfumato-fuzz-XXXXXX", NULL);
        atexit(remove_folder);
    }
    if (size < 1)
        return 0;
    const gboolean one = *data++ % 2;
    size--;
    const uint8_t *end = one ? NULL : memchr(data, 0, size);
    const gsize n = end ? (gsize)(end - data) : size;
    put("tokenizer.json", one ? data : NULL, n);
    put("vocab.json", one ? NULL : data, n);
    put("merges.txt", end ? end + 1 : NULL, end ? size - n - 1 : 0);
    GError *error = NULL;
    SfuModelVocabulary *v = NULL;
    SfuModel *m = sfu_model_new(folder);
    fuzz_check_error(sfu_model_vocabulary(m, &v, &error), &error);
    if (v)
        encode(v);
    sfu_model_vocabulary_free(v);
    sfu_model_close(m);
    put("tokenizer.json", NULL, 0);
    put("vocab.json", NULL, 0);
    put("merges.txt", NULL, 0);
    return 0;
}
