/* Prompts: the syntax, the tokenizer under it, and the weights on an embedding. Input: one byte (bit 0: padding of SD
 * 2), then the text.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "text/text.h"
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    SfuTokenizer *tokenizer = sfu_tokenizer_new();
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32));
    GError *error = NULL;
    const gboolean sd2 = data[0] & 1,
                   ok = sfu_tokenizer_encode(tokenizer, (const char *)data + 1, (gssize)size - 1, ids, &error);
    fuzz_check_error(ok, &error);
    char *text = g_strndup((const char *)data + 1, size - 1);
    SfuPrompt *p = sfu_prompt_parse(tokenizer, text, sd2, NULL, &error);
    fuzz_check_error(p != NULL, &error);
    if (p) {
        g_assert_cmpint(p->n_chunks, >=, 1);
        float *hidden = g_new(float, (gsize)p->n_chunks *SFU_CHUNK_TOKENS);
        for (int c = 0; c < p->n_chunks; c++) {
            g_assert_cmpint(p->tokens[c][0], ==, SFU_TOKEN_BOS);
            for (int i = 0; i < SFU_CHUNK_TOKENS; i++) {
                g_assert_cmpint(p->tokens[c][i], >=, 0);
                g_assert_cmpint(p->tokens[c][i], <, SFU_N_VOCAB);
                g_assert_true(isfinite(p->weights[c][i]));
                hidden[c * SFU_CHUNK_TOKENS + i] = 1 + 0.01f * (float)i;
            }
        }
        sfu_prompt_apply_weights(p, hidden, 1);
        g_free(hidden);
    }
    sfu_prompt_free(p);
    for (int negative = 0; negative < 2; negative++) {
        GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);
        char *words = sfu_prompt_take_tags(text, tags);
        SfuPromptPlan *plan = sfu_prompt_plan_new(words, 5, negative, &error);
        fuzz_check_error(plan != NULL, &error);
        for (guint i = 0; plan && i < plan->parts->len; i++)
            for (int call = 0; call < 7; call++)
                g_assert_cmpuint(strlen(sfu_prompt_part_at(&g_array_index(plan->parts, SfuPromptPart, i), call)), <=,
                                 size);
        sfu_prompt_plan_free(plan);
        g_free(words);
        g_ptr_array_unref(tags);
    }
    g_free(text);
    g_array_unref(ids);
    sfu_tokenizer_free(tokenizer);
    return 0;
}
