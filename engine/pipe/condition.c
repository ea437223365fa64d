/* What the words ask of the network: prompts in parts joined with AND, each of which may change during sampling, and
 * the negative prompt; encoded once, and given to the network whenever they change.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#define CHUNKS_AT_ONCE 8
#define KEPT_ENCODINGS 32 /* beside those of the run: some 8 MB of Stable Diffusion's */

/* What the text encoders make of one text. */
typedef struct {
    char *key;
    float *hidden; /* [n_chunks * 77, dim], emphasis applied; all encoders' beside each other */
    int n_chunks, dim;
    float *pooled; /* [pooled_width], of the first chunk; NULL: no encoder has one */
    int pooled_width;
    gboolean zero; /* stands for an empty negative prompt: all zeros, however long */
    gboolean used; /* by this run */
    int n_tokens;  /* of a language model; 0: chunks of CLIP's */
} Encoding;

static void encoding_free(gpointer data)
{
    Encoding *e = data;
    g_free(e->key);
    g_free(e->hidden);
    g_free(e->pooled);
    g_free(e);
}

void sfu_session_clear(SfuSession *s)
{
    g_clear_pointer(&s->prompt, sfu_prompt_plan_free);
    g_clear_pointer(&s->negative, sfu_prompt_plan_free);
    g_clear_pointer(&s->words_set, g_free);
    g_clear_pointer(&s->embedding, g_free);
    sfu_session_drop_references(s);
    g_clear_pointer(&s->words, sfu_words_free);
}

/* ---- encoding
 * ---------------------------------------------------------------------------------------------------------- */

/* Adds what the encoder makes of the chunks to e, beside what is there. */
static gboolean encode_chunks(SfuSession *s, SfuTextEncoder *te, const SfuPrompt *p, Encoding *e, GError **error)
{
    const int dim = sfu_text_encoder_hidden(te), n_pooled = sfu_text_encoder_pooled(te), was = e->dim,
              n_rows = p->n_chunks * SFU_CHUNK_TOKENS,
              skip = MAX(s->family->least_clip_skip, sfu_params_int(s->run->p, SFU_PARAM_CLIP_SKIP));
    float *out = g_new(float, (gsize)n_rows *dim),
          *pooled = n_pooled ? g_new(float, (gsize)CHUNKS_AT_ONCE *n_pooled) : NULL;
    gboolean ok = TRUE;
    for (int c = 0; ok && c < p->n_chunks; c += CHUNKS_AT_ONCE) {
        const int n = MIN(CHUNKS_AT_ONCE, p->n_chunks - c);
        SfuTensor *hidden = NULL;
        const SfuTextInput in = {p->tokens[c], n, skip, s->family->no_final_norm};
        ok = sfu_text_encoder_run(te, &hidden, c ? NULL : pooled, &in, error) &&
             sfu_tensor_read(hidden, out + (gsize)c * SFU_CHUNK_TOKENS * dim, error);
        sfu_tensor_destroy(hidden);
    }
    if (ok) {
        sfu_prompt_apply_weights(p, out, dim);
        float *all = g_new(float, (gsize)n_rows *(was + dim));
        for (int i = 0; i < n_rows; i++) {
            if (was)
                memcpy(all + (gsize)i * (was + dim), e->hidden + (gsize)i * was, was * sizeof(float));
            memcpy(all + (gsize)i * (was + dim) + was, out + (gsize)i * dim, dim * sizeof(float));
        }
        g_free(e->hidden);
        e->hidden = all;
        e->dim = was + dim;
        e->n_chunks = p->n_chunks;
    }
    if (ok && pooled) {
        g_free(e->pooled);
        e->pooled = g_steal_pointer(&pooled);
        e->pooled_width = n_pooled;
    }
    g_free(pooled);
    g_free(out);
    return ok;
}

/* text NULL: zeros. */
static char *key_of(const SfuSession *s, const char *text)
{
    const SfuParams *p = s->run->p;
    return g_strdup_printf("%s\n%s\n%s\n%s\n%d\n%c%s", s->m->path, sfu_params_text(p, SFU_PARAM_TEXT),
                           sfu_params_text(p, SFU_PARAM_TEXT2), sfu_adapters_text_key(s->run->e->adapters),
                           MAX(1, sfu_params_int(p, SFU_PARAM_CLIP_SKIP)), text ? 't' : 'z', text ? text : "");
}

static Encoding *find_encoding(const SfuSession *s, const char *text)
{
    const GPtrArray *all = s->run->e->encodings;
    char *key = key_of(s, text);
    Encoding *found = NULL;
    for (guint i = 0; all && i < all->len && !found; i++)
        if (strcmp(((Encoding *)all->pdata[i])->key, key) == 0)
            found = all->pdata[i];
    g_free(key);
    return found;
}

/* Takes the values. */
static void store_language(SfuSession *s, const char *text, const SfuHiddenStates *h)
{
    Encoding *fresh = g_new0(Encoding, 1);
    *fresh =
        (Encoding){.key = key_of(s, text), .hidden = h->values, .dim = h->dim, .n_tokens = h->n_tokens, .used = TRUE};
    g_ptr_array_add(s->run->e->encodings, fresh);
}

/* The file that takes the prompt's place is read anew in every run: it may have changed. */
static gboolean encode_file(SfuSession *s, GError **error)
{
    SfuHiddenStates h;
    Encoding *old = find_encoding(s, s->embedding);
    if (old)
        g_ptr_array_remove(s->run->e->encodings, old);
    if (!sfu_language_read(s->embedding, &h, error))
        return FALSE;
    store_language(s, s->embedding, &h);
    return TRUE;
}

static gboolean encode_text(SfuSession *s, const char *text, Encoding *e, GError **error)
{
    SfuTrace trace = {sfu_run_trace, s->run};
    gboolean ok = TRUE;
    for (int i = 0; ok && i < sfu_run_n_texts(s->m); i++) {
        const SfuTextConfig *config;
        SfuTextEncoder *te = sfu_run_text(s->run, s->m, i, &config, error);
        SfuPrompt *p = te ? sfu_words_parse(s->words, text, i, te, config, error) : NULL;
        if (te)
            sfu_text_encoder_set_trace(te, s->run->job->trace_dir ? &trace : NULL);
        ok = p && encode_chunks(s, te, p, e, error);
        if (te) {
            sfu_text_encoder_set_trace(te, NULL);
            sfu_words_done(te);
        }
        sfu_prompt_free(p);
    }
    return ok;
}

/* The text's encoding is in the engine's store, and stays there for the run. */
static gboolean encode(SfuSession *s, const char *text, GError **error)
{
    SfuEngine *e = s->run->e;
    Encoding *found = find_encoding(s, text);
    if (found) {
        found->used = TRUE;
        return TRUE;
    }
    if (s->family->language) {
        SfuHiddenStates h;
        if (!sfu_language_encode(s->run, s->m, text, &h, error))
            return FALSE;
        store_language(s, text, &h);
        return TRUE;
    }
    Encoding *fresh = g_new0(Encoding, 1);
    fresh->key = key_of(s, text);
    fresh->used = TRUE;
    if (!encode_text(s, text, fresh, error)) {
        encoding_free(fresh);
        return FALSE;
    }
    g_ptr_array_add(e->encodings, fresh);
    return TRUE;
}

/* What an empty negative prompt means to the models that were trained with zeros for it; as long as one chunk. */
static void encode_zeros(SfuSession *s)
{
    const Encoding *empty = find_encoding(s, "");
    Encoding *found = find_encoding(s, NULL);
    if (found) {
        found->used = TRUE;
        return;
    }
    Encoding *zero = g_memdup2(empty, sizeof *empty);
    zero->key = key_of(s, NULL);
    zero->hidden = g_new0(float, (gsize)SFU_CHUNK_TOKENS * zero->dim);
    zero->pooled = empty->pooled ? g_new0(float, zero->pooled_width) : NULL;
    zero->n_chunks = 1;
    zero->zero = zero->used = TRUE;
    g_ptr_array_add(s->run->e->encodings, zero);
}

static gboolean zeroes_negative(const SfuSession *s)
{
    return s->family->zeroes_negative && s->family->zeroes_negative(s->m->model);
}

static gboolean encode_plan(SfuSession *s, const SfuPromptPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->parts->len; i++) {
        const SfuPromptPart *part = &g_array_index(plan->parts, SfuPromptPart, i);
        for (guint k = 0; k < part->steps->len; k++)
            if (sfu_run_cancelled(s->run, error) ||
                !encode(s, g_array_index(part->steps, SfuPromptStep, k).text, error))
                return FALSE;
    }
    return TRUE;
}

/* Earlier runs' texts are kept as long as they are few. */
static void drop_old(GPtrArray *all)
{
    guint n_old = 0;
    for (guint i = 0; i < all->len; i++)
        n_old += !((Encoding *)all->pdata[i])->used;
    for (guint i = 0; i < all->len && n_old > KEPT_ENCODINGS;) {
        const gboolean old = !((Encoding *)all->pdata[i])->used;
        n_old -= old;
        if (old)
            g_ptr_array_remove_index(all, i);
        else
            i++;
    }
}

static void begin_run(const SfuSession *s)
{
    SfuEngine *e = s->run->e;
    if (s->run->job->trace_dir) /* a trace shows the text encoder at work */
        sfu_engine_forget_words(e);
    if (!e->encodings)
        e->encodings = g_ptr_array_new_with_free_func(encoding_free);
    for (guint i = 0; i < e->encodings->len; i++)
        ((Encoding *)e->encodings->pdata[i])->used = FALSE;
}

static gboolean encode_all(SfuSession *s, GError **error)
{
    SfuEngine *e = s->run->e;
    /* "" is what the shorter of two prompts is continued with. */
    const gboolean ok =
        (s->embedding ? encode_file(s, error) : encode_plan(s, s->prompt, error)) &&
        (s->n_branches == 1 || (encode_plan(s, s->negative, error) && (s->family->language || encode(s, "", error))));
    if (ok && s->n_branches > 1 && zeroes_negative(s))
        encode_zeros(s);
    drop_old(e->encodings);
    sfu_texts_unload(e); /* their work is done for this run, and the network can use the room */
    sfu_language_unload(e);
    return ok;
}

/* ---- prompts
 * ------------------------------------------------------------------------------------------------------------ */

/* Takes text; the tags in it (<lora:name:1>) go to tags. */
static char *without_tags(char *text, GPtrArray *tags)
{
    char *words = sfu_prompt_take_tags(text, tags);
    g_free(text);
    return words;
}

static const SfuPromptPart *part_of(const SfuPromptPlan *plan, guint i)
{
    return &g_array_index(plan->parts, SfuPromptPart, i);
}

/* A file that takes the prompt's place: for families whose text is hidden states of a language model. */
static gboolean take_embedding(SfuSession *s, char **prompt, GError **error)
{
    const char *path = sfu_params_text(s->run->p, SFU_PARAM_TEXT_EMBEDDING);
    if (!*path)
        return TRUE;
    if (!s->family->language) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%s takes no text embedding from a file."), s->m->path);
        return FALSE;
    }
    if (**prompt)
        sfu_run_note(s->run, _("%s replaces the prompt."), path);
    g_free(*prompt);
    *prompt = g_strdup("");
    s->embedding = g_strdup(path);
    return TRUE;
}

static gboolean set_branches(SfuSession *s, GError **error)
{
    const guint n_parts = s->prompt->parts->len;
    s->n_parts = (int)n_parts;
    for (guint i = 0; i < n_parts; i++)
        s->part_weights[i] = part_of(s->prompt, i)->weight;
    const gboolean plain = n_parts == 1 && s->part_weights[0] == 1;
    if (n_parts == 1 && !plain)
        sfu_run_note(s->run,
                     "The prompt ends with \":%g\", so its guidance is multiplied by %g, as AUTOMATIC1111 does.",
                     s->part_weights[0], s->part_weights[0]);
    if (s->family->edits && !plain) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("%s takes one instruction, without AND and without a weight at its end."), s->m->path);
        return FALSE;
    }
    if (!plain) /* what no part asks for is what the others are compared with */
        s->n_branches = s->n_parts + 1;
    return TRUE;
}

static gboolean set_words(SfuSession *s)
{
    if (!s->family->language)
        s->words = sfu_words_new(s);
    return TRUE;
}

gboolean sfu_session_set_prompts(SfuSession *s, GError **error)
{
    if (s->grid || s->remover)
        return TRUE;
    const int passes = s->steps * sfu_sampler_passes(s->sampler);
    char *prompt, *negative;
    sfu_session_clear(s);
    if (!s->n_plain_branches)
        s->n_plain_branches = s->n_branches;
    s->n_branches = s->n_plain_branches;
    if (!sfu_run_prompts(s->run, &prompt, &negative, &s->chance, error))
        return FALSE;
    GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);
    prompt = without_tags(prompt, tags);
    const guint n_tags = tags->len;
    negative = without_tags(negative, tags);
    for (guint i = n_tags; i < tags->len; i++)
        sfu_run_note(s->run, _("<%s> in the negative prompt is ignored."), (char *)tags->pdata[i]);
    g_ptr_array_set_size(tags, (gint)n_tags);
    s->prompt = take_embedding(s, &prompt, error) ? sfu_prompt_plan_new(prompt, passes, FALSE, error) : NULL;
    s->negative = s->prompt ? sfu_prompt_plan_new(negative, passes, TRUE, error) : NULL;
    begin_run(s);
    gboolean ok = s->negative && sfu_session_set_adapters(s, tags, error) && set_words(s) && set_branches(s, error) &&
                  encode_all(s, error);
    if (ok && s->refiner) {
        SfuSession *r = s->refiner;
        sfu_session_clear(r);
        r->n_branches = s->n_branches;
        ok = (r->prompt = sfu_prompt_plan_new(prompt, passes, FALSE, error)) &&
             (r->negative = sfu_prompt_plan_new(negative, passes, TRUE, error)) && set_words(r) &&
             set_branches(r, error) && encode_all(r, error);
    }
    g_free(prompt);
    g_free(negative);
    g_ptr_array_unref(tags);
    return ok;
}

/* ---- the network's condition
 * ---------------------------------------------------------------------------------------------- */

/* The encoding continued to n_chunks: parts of one prompt by their last token, as the web UI does, then all by empty
 * chunks. */
static void copy_padded(const Encoding *e, int n_repeat, int n_chunks, const float *empty, float *to)
{
    const int dim = e->dim;
    const gsize per_chunk = (gsize)SFU_CHUNK_TOKENS * dim;
    memcpy(to, e->hidden, per_chunk * e->n_chunks * sizeof(float));
    for (int c = e->n_chunks; c < n_repeat; c++)
        for (int i = 0; i < SFU_CHUNK_TOKENS; i++)
            memcpy(to + c * per_chunk + (gsize)i * dim, e->hidden + per_chunk * e->n_chunks - dim, dim * sizeof(float));
    for (int c = MAX(n_repeat, e->n_chunks); c < n_chunks; c++)
        memcpy(to + c * per_chunk, e->zero ? e->hidden : empty, per_chunk * sizeof(float));
}

/* The numbers of one branch; returns how many. */
static int branch_numbers(const SfuSession *s, gboolean negative, float *out)
{
    const SfuParams *p = s->run->p;
    const int w = sfu_params_int(p, SFU_PARAM_ORIGINAL_WIDTH), h = sfu_params_int(p, SFU_PARAM_ORIGINAL_HEIGHT);
    const SfuShown shown = {.original_w = w > 0 ? w : s->shown_w,
                            .original_h = h > 0 ? h : s->shown_h,
                            .crop_left = sfu_params_int(p, SFU_PARAM_CROP_LEFT),
                            .crop_top = sfu_params_int(p, SFU_PARAM_CROP_TOP),
                            .target_w = s->shown_w,
                            .target_h = s->shown_h,
                            .score = sfu_params_double(p, negative ? SFU_PARAM_NEGATIVE_SCORE : SFU_PARAM_SCORE)};
    return s->family->numbers(s->m->model, &shown, out);
}

/* Pooled vectors and numbers of all branches; *c points into *values (caller frees). */
static void add_vectors(const SfuSession *s, Encoding *const *branches, SfuCondition *c, float **values)
{
    const int n_b = s->n_branches, width = branches[0]->pooled_width;
    *values = NULL;
    if (!width)
        return;
    float numbers[SFU_MAX_NUMBERS];
    c->n = n_b;
    c->pooled_width = width;
    c->n_numbers = s->family->numbers ? branch_numbers(s, FALSE, numbers) : 0;
    *values = g_new(float, (gsize)n_b *(width + c->n_numbers));
    for (int b = 0; b < n_b; b++) {
        memcpy(*values + (gsize)b * width, branches[b]->pooled, width * sizeof(float));
        if (c->n_numbers)
            branch_numbers(s, b >= s->n_parts, *values + (gsize)n_b * width + b * c->n_numbers);
    }
    c->pooled = *values;
    c->numbers = *values + (gsize)n_b * width;
}

/* Texts of a language model, side by side: shorter ones end in zeros that the mask hides. Caller frees both; *mask
 * NULL: all are as long. */
static float *join_texts(const SfuSession *s, Encoding *const *branches, int *n_tokens, guint8 **mask)
{
    const int dim = branches[0]->dim, n_b = s->n_branches;
    gboolean alike = TRUE;
    *n_tokens = 0;
    for (int b = 0; b < n_b; b++) {
        *n_tokens = MAX(*n_tokens, branches[b]->n_tokens);
        alike = alike && branches[b]->n_tokens == branches[0]->n_tokens;
    }
    float *all = g_new0(float, (gsize)n_b *(gsize)*n_tokens *(gsize)dim);
    *mask = alike ? NULL : g_new0(guint8, (gsize)n_b * (gsize)*n_tokens);
    for (int b = 0; b < n_b; b++) {
        memcpy(all + (gsize)b * (gsize)*n_tokens * (gsize)dim, branches[b]->hidden,
               (gsize)branches[b]->n_tokens * (gsize)dim * sizeof *all);
        if (*mask)
            memset(*mask + b * *n_tokens, 1, (gsize)branches[b]->n_tokens);
    }
    return all;
}

/* CLIP's chunks, side by side. Caller frees. */
static float *join_chunks(const SfuSession *s, Encoding *const *branches, int *n_tokens)
{
    const int dim = branches[0]->dim, n_b = s->n_branches;
    int n_parts = 1, n_chunks = 1;
    for (int b = 0; b < n_b; b++) {
        n_chunks = MAX(n_chunks, branches[b]->n_chunks);
        if (b < s->n_parts)
            n_parts = MAX(n_parts, branches[b]->n_chunks);
    }
    const gsize one = (gsize)n_chunks * SFU_CHUNK_TOKENS * dim;
    const Encoding *empty = find_encoding(s, "");
    float *context = g_new(float, one *n_b);
    for (int b = 0; b < n_b; b++)
        copy_padded(branches[b], b < s->n_parts ? n_parts : 0, n_chunks, empty ? empty->hidden : NULL,
                    context + b * one);
    *n_tokens = n_chunks * SFU_CHUNK_TOKENS;
    return context;
}

static gboolean same_width(const SfuSession *s, Encoding *const *branches, GError **error)
{
    for (int b = 1; b < s->n_branches; b++)
        if (branches[b]->dim != branches[0]->dim) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                        _("The text embedding is %d wide, the encoded texts are %d."), branches[0]->dim,
                        branches[b]->dim);
            return FALSE;
        }
    return TRUE;
}

static gboolean set_context(SfuSession *s, Encoding *const *branches, GError **error)
{
    if (!same_width(s, branches, error))
        return FALSE;
    int n_tokens = 0;
    guint8 *mask = NULL;
    float *vectors, *context = s->family->language ? join_texts(s, branches, &n_tokens, &mask)
                                                   : join_chunks(s, branches, &n_tokens);
    SfuTensor *t = sfu_tensor_create(s->run->q, SFU_F32, s->n_branches, 1, n_tokens, branches[0]->dim, error);
    SfuCondition condition = {.tokens = t,
                              .mask = mask,
                              .references = (const SfuTensor *const *)s->references,
                              .n_references = s->n_references,
                              .keep_references = sfu_params_bool(s->run->p, SFU_PARAM_KEEP_REFERENCES),
                              .guidance = s->guidance};
    add_vectors(s, branches, &condition, &vectors);
    const gboolean ok = t && sfu_tensor_write(t, context, error) && sfu_controls_set_condition(s, &condition, error) &&
                        sfu_image_prompts_set_condition(s, &condition, error) &&
                        sfu_denoiser_set_condition(s->denoiser, &condition, error);
    sfu_tensor_destroy(t);
    g_free(context);
    g_free(mask);
    g_free(vectors);
    return ok;
}

gboolean sfu_session_use_words(SfuSession *s, int call, gboolean *changed, GError **error)
{
    if (changed)
        *changed = FALSE;
    if (!s->prompt)
        return TRUE;
    Encoding **branches = g_new(Encoding *, s->n_branches);
    GString *which = g_string_new(NULL);
    gboolean ok = TRUE;
    if (s->family->numbers)
        g_string_printf(which, "%dx%d ", s->shown_w, s->shown_h);
    for (int b = 0; ok && b < s->n_branches; b++) {
        const SfuPromptPart *part = b < s->n_parts ? part_of(s->prompt, b) : part_of(s->negative, 0);
        const char *text = sfu_prompt_part_at(part, call);
        const gboolean zero = b >= s->n_parts && !*text && zeroes_negative(s);
        branches[b] = find_encoding(s, b < s->n_parts && s->embedding ? s->embedding : zero ? NULL : text);
        ok = branches[b] != NULL;
        g_string_append_printf(which, "%p ", (void *)branches[b]);
    }
    if (!ok) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("The words of pass %d were not encoded."), call + 1);
    } else if (g_strcmp0(which->str, s->words_set) != 0) {
        ok = set_context(s, branches, error);
        if (changed)
            *changed = s->words_set != NULL;
        g_free(s->words_set);
        s->words_set = ok ? g_strdup(which->str) : NULL;
    }
    g_string_free(which, TRUE);
    g_free(branches);
    return ok;
}

/* ---- guidance
 * -------------------------------------------------------------------------------------------------------------- */

/* u + sum of weight * scale * (part - u). Liu 2022, eq. 11, as the web UI weighs it. */
static void join_parts(const SfuSession *s, const float *raw, gint64 n, double scale, float *out)
{
    const float *none = raw + s->n_parts * n;
    for (gint64 k = 0; k < n; k++) {
        double v = none[k];
        for (int i = 0; i < s->n_parts; i++)
            v += s->part_weights[i] * scale * (raw[i * n + k] - none[k]);
        out[k] = (float)v;
    }
}

/* Ho & Salimans 2022; Brooks 2023, eq. 3. */
void sfu_session_guide(const SfuSession *s, float *raw, gint64 n)
{
    if (s->n_branches == 1)
        return;
    const float g = (float)s->guidance, ig = (float)s->image_guidance;
    const gboolean parts = s->n_parts > 1 || (s->n_parts == 1 && s->part_weights[0] != 1);
    float *cond = s->rescale > 0 ? g_memdup2(raw, n * sizeof(float)) : NULL;
    const float *second = raw + n, *third = raw + 2 * n;
    if (parts && cond)
        join_parts(s, raw, n, 1, cond);
    if (parts)
        join_parts(s, raw, n, s->guidance, raw); /* each value of raw is read before it is written */
    for (gint64 k = 0; !parts && k < n; k++)
        raw[k] = s->n_branches == 2 ? second[k] + g * (raw[k] - second[k])
                                    : third[k] + g * (raw[k] - second[k]) + ig * (second[k] - third[k]);
    if (cond)
        sfu_guidance_rescale(raw, cond, s->rescale, n, 1);
    g_free(cond);
}

/* ---- models without text ---- */

/* The condition and the share that is repainted (the mean of the mask's channels), averaged over grid x grid cells
 * (torch.nn.functional.adaptive_avg_pool2d), become the context. */
gboolean sfu_session_set_grid(SfuSession *s, const SfuImage *extra, SfuRect r, GError **error)
{
    const int g = s->grid, c = s->ae.channels + 1, n_mask = s->ae.factor * s->ae.factor, mask = extra->c - n_mask;
    float *tokens = g_new0(float, (gsize)g *g *c);
    for (int y = 0; y < g; y++) {
        const int y0 = y * r.h / g, y1 = ((y + 1) * r.h + g - 1) / g;
        for (int x = 0; x < g; x++) {
            const int x0 = x * r.w / g, x1 = ((x + 1) * r.w + g - 1) / g;
            float *o = tokens + ((gsize)y * g + x) * c;
            for (int j = y0; j < y1; j++) {
                for (int i = x0; i < x1; i++) {
                    const float *v = extra->p + ((gsize)(r.y + j) * extra->w + r.x + i) * extra->c;
                    for (int k = 0; k < c - 1; k++)
                        o[k] += v[k];
                    for (int k = 0; k < n_mask; k++)
                        o[c - 1] += v[mask + k] / (float)n_mask;
                }
            }
            for (int k = 0; k < c; k++)
                o[k] /= (float)((y1 - y0) * (x1 - x0));
        }
    }
    SfuTensor *t = sfu_tensor_create(s->run->q, SFU_F32, 1, 1, g * g, c, error);
    const gboolean ok = t && sfu_tensor_write(t, tokens, error) &&
                        sfu_denoiser_set_condition(s->denoiser, &(SfuCondition){.tokens = t}, error);
    sfu_tensor_destroy(t);
    g_free(tokens);
    return ok;
}
