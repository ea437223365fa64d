/* Adapters (LoRA and its kin) of a run: which are asked for, by parameters and by tags in the prompt, and giving the
 * model's weights what they say.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define MOST_WEIGHT 100

typedef struct {
    char *name; /* a path, or a name in the folders */
    char *path;
    double weight, text;
    gboolean is_tag;
} Wanted;

static void wanted_clear(gpointer p)
{
    g_free(((Wanted *)p)->name);
    g_free(((Wanted *)p)->path);
}

/* ---- what is asked for ---- */

/* A number, or two with a comma between them, and nothing else. */
static gboolean read_weights(const char *text, Wanted *w)
{
    char *end;
    const double a = g_ascii_strtod(text, &end);
    if (end == text)
        return FALSE;
    w->weight = w->text = a;
    if (*end == ',') {
        const char *second = end + 1;
        w->text = g_ascii_strtod(second, &end);
        if (end == second)
            return FALSE;
    }
    return *end == 0;
}

static gboolean check_weights(const Wanted *w, GError **error)
{
    if (fabs(w->weight) <= MOST_WEIGHT && fabs(w->text) <= MOST_WEIGHT) /* NaN is refused too */
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("The weight of the LoRA \"%s\" is not between -%d and %d."),
                w->name, MOST_WEIGHT, MOST_WEIGHT);
    return FALSE;
}

/* "FILE", "FILE=0.8" or "FILE=0.8,0.5"; a file whose name looks so is taken whole. */
static gboolean add_row(GArray *all, const char *text, GError **error)
{
    Wanted w = {.weight = 1, .text = 1};
    const char *equals = strrchr(text, '=');
    if (equals && !g_file_test(text, G_FILE_TEST_EXISTS)) {
        if (!read_weights(equals + 1, &w)) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                        _("\"%s\": after the = comes a LoRA's weight, or two weights separated by a comma."), text);
            return FALSE;
        }
        w.name = g_strndup(text, (gsize)(equals - text));
    } else {
        w.name = g_strdup(text);
    }
    g_array_append_val(all, w);
    return check_weights(&g_array_index(all, Wanted, all->len - 1), error);
}

/* One argument of a tag behind the name; FALSE: it is not understood. n: numbers without a name so far. */
static gboolean read_argument(const char *text, int *n, Wanted *w)
{
    char *end;
    const gboolean is_text = g_str_has_prefix(text, "te="), is_net = g_str_has_prefix(text, "unet=");
    const char *digits = text + (is_text ? 3 : is_net ? 5 : 0);
    const double v = g_ascii_strtod(digits, &end);
    if (end == digits || *end || (!is_text && !is_net && *n > 1))
        return FALSE;
    if (is_net || (!is_text && *n == 0))
        w->weight = v;
    if (is_text || (!is_net && *n <= 1))
        w->text = v;
    *n += !is_text && !is_net;
    return TRUE;
}

static gboolean add_tag(SfuRun *r, GArray *all, const char *tag, GError **error)
{
    char **words = g_strsplit(tag, ":", -1);
    Wanted w = {.weight = 1, .text = 1, .is_tag = TRUE};
    int n = 0;
    if ((strcmp(words[0], "lora") != 0 && strcmp(words[0], "lyco") != 0) || !words[1] || !*words[1]) {
        sfu_run_note(r, _("<%s> in the prompt is ignored: only <lora:...> is known."), tag);
        g_strfreev(words);
        return TRUE;
    }
    w.name = g_strstrip(g_strdup(words[1]));
    for (int i = 2; words[i]; i++)
        if (!read_argument(words[i], &n, &w))
            sfu_run_note(r, _("\"%s\" in <%s> is ignored: it is not a weight."), words[i], tag);
    g_array_append_val(all, w);
    g_strfreev(words);
    return check_weights(&g_array_index(all, Wanted, all->len - 1), error);
}

/* The adapter in a folder that PEFT or diffusers wrote. */
static gboolean resolve_in_folder(Wanted *w, GError **error)
{
    static const char *const names[] = {"adapter_model.safetensors", "pytorch_lora_weights.safetensors",
                                        "adapter_model.bin", "pytorch_lora_weights.bin"};
    for (gsize i = 0; i < G_N_ELEMENTS(names) && !w->path; i++) {
        char *path = g_build_filename(w->name, names[i], NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            w->path = path;
        else
            g_free(path);
    }
    if (!w->path)
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("The folder %s holds no %s and no %s."), w->name, names[0],
                    names[1]);
    return w->path != NULL;
}

static gboolean resolve(Wanted *w, GError **error)
{
    if (!w->is_tag && g_file_test(w->name, G_FILE_TEST_IS_DIR))
        return resolve_in_folder(w, error);
    if (!w->is_tag && g_file_test(w->name, G_FILE_TEST_IS_REGULAR))
        w->path = g_strdup(w->name);
    else
        w->path = sfu_named_find(SFU_NAMED_ADAPTER, w->name);
    if (w->path)
        return TRUE;
    char **folders = sfu_model_folders(NULL), *list = g_strjoinv(", ", folders);
    g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                _("No LoRA \"%s\" was found in a folder called loras, Lora or lora in %s."), w->name, list);
    g_free(list);
    g_strfreev(folders);
    return FALSE;
}

/* Wanted; NULL with error. */
static GArray *wanted_of(const SfuSession *s, const GPtrArray *tags, GError **error)
{
    SfuRun *r = s->run;
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Wanted));
    const char *const *rows = sfu_params_list(r->job->params, SFU_PARAM_LORA);
    gboolean ok = TRUE;
    g_array_set_clear_func(all, wanted_clear);
    for (int i = 0; ok && rows && rows[i]; i++)
        ok = !*rows[i] || add_row(all, rows[i], error);
    for (guint i = 0; ok && i < tags->len; i++)
        ok = add_tag(r, all, tags->pdata[i], error);
    if (ok && sfu_controls_adapter(s)) {
        const Wanted own = {.name = g_strdup(sfu_controls_adapter(s)), .weight = 1, .text = 1};
        g_array_append_val(all, own);
    }
    for (guint i = 0; ok && i < all->len; i++)
        ok = resolve(&g_array_index(all, Wanted, i), error);
    if (!ok)
        g_clear_pointer(&all, g_array_unref);
    return all;
}

/* ---- on models ---- */

static gboolean put_on(SfuAdapters *a, const GArray *wanted, const SfuAdapterBase *bases, int n_bases, GArray *uses,
                       GPtrArray *notes, GError **error)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(SfuAdapterChoice));
    for (guint i = 0; i < wanted->len; i++) {
        const Wanted *w = &g_array_index(wanted, Wanted, i);
        const SfuAdapterChoice one = {w->path, (float)w->weight, (float)w->text};
        g_array_append_val(all, one);
    }
    const gboolean ok = sfu_adapters_apply(a, all, bases, n_bases, uses, notes, error);
    g_array_unref(all);
    return ok;
}

gboolean sfu_adapters_apply_rows(SfuAdapters *a, SfuModel *m, const char *const *rows, GArray *uses, GPtrArray *notes,
                                 GError **error)
{
    GArray *wanted = g_array_new(FALSE, FALSE, sizeof(Wanted));
    const SfuAdapterBase base = sfu_adapter_base(m);
    gboolean ok = TRUE;
    g_array_set_clear_func(wanted, wanted_clear);
    for (int i = 0; ok && rows[i]; i++)
        ok = add_row(wanted, rows[i], error) && resolve(&g_array_index(wanted, Wanted, i), error);
    ok = ok && put_on(a, wanted, &base, 1, uses, notes, error);
    g_array_unref(wanted);
    return ok;
}

/* The models that the session works with: its own, and those of its text encoders if they matter. */
static gboolean base_of(SfuSession *s, gboolean texts, SfuAdapterBase *base, GError **error)
{
    static const SfuPart encoders[] = {SFU_PART_TEXT, SFU_PART_TEXT2};
    const guint bits = s->family->language ? 1u << SFU_PART_TEXT : sfu_needed_texts(s->family);
    *base = sfu_adapter_base(s->m->model);
    for (gsize i = 0; i < G_N_ELEMENTS(encoders); i++) {
        const gboolean own = sfu_model_has_part(s->m->model, encoders[i]),
                       wanted = bits & 1u << encoders[i] && (texts || own);
        SfuLoaded *l = wanted ? sfu_run_load_piece(s->run, s->m, encoders[i], error) : NULL;
        if (wanted && !l)
            return FALSE;
        base->parts[encoders[i]] = l && sfu_model_has_part(l->model, encoders[i]) ? l->model : NULL;
    }
    return TRUE;
}

/* Of the session, and of the one that makes the last steps. *n_bases: 1 or 2. */
static gboolean find_bases(SfuSession *s, SfuAdapters *a, const GArray *wanted, SfuAdapterBase *bases, int *n_bases,
                           GError **error)
{
    gboolean texts = FALSE;
    for (guint i = 0; i < wanted->len; i++) {
        const SfuAdapter *file = sfu_adapters_open(a, g_array_index(wanted, Wanted, i).path, error);
        if (!file)
            return FALSE;
        texts |= sfu_adapter_has_text(file);
    }
    texts &= !s->embedding; /* then nothing is encoded */
    *n_bases = s->refiner && s->refiner->m != s->m ? 2 : 1;
    return base_of(s, texts, &bases[0], error) && (*n_bases == 1 || base_of(s->refiner, texts, &bases[1], error));
}

/* ---- what is written with the picture ---- */

static void append_tag(GString *prompt, const Wanted *w, const char *name)
{
    char a[G_ASCII_DTOSTR_BUF_SIZE], b[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(a, sizeof a, "%.9g", w->weight);
    g_ascii_formatd(b, sizeof b, "%.9g", w->text);
    if (w->weight == w->text)
        g_string_append_printf(prompt, "%s<lora:%s:%s>", prompt->len ? " " : "", name, a);
    else /* two bare numbers mean text and then UNet in the web UI */
        g_string_append_printf(prompt, "%s<lora:%s:unet=%s:te=%s>", prompt->len ? " " : "", name, a, b);
}

/* What a tag would call the file. Caller frees. */
static char *name_of(const char *path)
{
    char *base = g_path_get_basename(path), *dot = strrchr(base, '.');
    if (sfu_named_by_folder(base)) {
        char *folder = g_path_get_dirname(path);
        g_free(base);
        base = g_path_get_basename(folder);
        g_free(folder);
    } else if (dot) {
        *dot = 0;
    }
    return base;
}

/* Adapters of the parameter that a tag would find become tags, which other programs read too. */
static void record(SfuRun *r, const GArray *wanted)
{
    GString *prompt = g_string_new(sfu_params_text(r->p, SFU_PARAM_PROMPT));
    GPtrArray *rest = g_ptr_array_new();
    const char *const *rows = sfu_params_list(r->job->params, SFU_PARAM_LORA);
    guint k = 0;
    for (int i = 0; rows && rows[i]; i++) {
        const Wanted *w = *rows[i] ? &g_array_index(wanted, Wanted, k++) : NULL;
        char *base = w ? name_of(w->path) : NULL;
        char *found = base && !strpbrk(base, ":<>") ? sfu_named_find(SFU_NAMED_ADAPTER, base) : NULL;
        if (found && strcmp(found, w->path) == 0)
            append_tag(prompt, w, base);
        else if (w)
            g_ptr_array_add(rest, g_strdup(rows[i]));
        g_free(found);
        g_free(base);
    }
    sfu_params_unset(r->p, SFU_PARAM_LORA);
    for (guint i = 0; i < rest->len; i++)
        sfu_params_add(r->p, "lora", rest->pdata[i], NULL);
    if (strcmp(prompt->str, sfu_params_text(r->p, SFU_PARAM_PROMPT)) != 0)
        sfu_params_put_text(r->p, SFU_PARAM_PROMPT, prompt->str);
    g_ptr_array_set_free_func(rest, g_free);
    g_ptr_array_unref(rest);
    g_string_free(prompt, TRUE);
}

gboolean sfu_session_set_adapters(SfuSession *s, const GPtrArray *tags, GError **error)
{
    SfuEngine *e = s->run->e;
    GArray *wanted = wanted_of(s, tags, error);
    if (!wanted)
        return FALSE;
    if (wanted->len && !e->adapters)
        e->adapters = sfu_adapters_new();
    SfuAdapterBase bases[2];
    int n_bases = 0;
    GArray *uses = g_array_new(FALSE, FALSE, sizeof(SfuDeltaUse));
    GPtrArray *notes = g_ptr_array_new_with_free_func(g_free);
    const gboolean ok = !e->adapters || (find_bases(s, e->adapters, wanted, bases, &n_bases, error) &&
                                         put_on(e->adapters, wanted, bases, n_bases, uses, notes, error));
    for (guint i = 0; i < notes->len; i++)
        sfu_run_note(s->run, "%s", (const char *)notes->pdata[i]);
    if (ok && wanted->len)
        record(s->run, wanted);
    g_ptr_array_unref(notes);
    g_array_unref(uses);
    g_array_unref(wanted);
    return ok;
}
