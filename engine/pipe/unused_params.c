/* Which parameters a run has no use for: whoever gave a value is told that it did nothing.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>
#include <glib/gi18n-lib.h>

static guint bit_if(gboolean condition, SfuNeeds bit)
{
    return condition ? (guint)bit : 0;
}

/* Whether what the denoiser is told changes with what is shown. */
static gboolean tells(const SfuModel *m, const SfuShown *shown)
{
    const SfuFamily *f = sfu_model_family(m);
    float plain[SFU_MAX_NUMBERS] = {0}, other[SFU_MAX_NUMBERS] = {0};
    if (!f->numbers)
        return FALSE;
    f->numbers(m, &(SfuShown){0}, plain);
    f->numbers(m, shown, other);
    return memcmp(plain, other, sizeof plain) != 0;
}

static guint words_of(const SfuModel *m)
{
    const SfuFamily *f = sfu_model_family(m);
    const gboolean words = sfu_model_has_part(m, SFU_PART_TEXT) || sfu_model_has_part(m, SFU_PART_TEXT2) || f->fits;
    return bit_if(words, SFU_NEEDS_WORDS) | bit_if(words && !f->language, SFU_NEEDS_CLIP) |
           bit_if(words && f->texts & 1u << SFU_PART_TEXT2, SFU_NEEDS_TWO_TEXTS);
}

/* What the steps of a session do. */
static guint steps_of(const SfuSession *s)
{
    const SfuFamily *f = s->family;
    const SfuRun *r = s->run;
    const gboolean sees = sfu_session_sees_picture(s), steps = s->steps > 0,
                   patches = strcmp(sfu_params_text(r->p, SFU_PARAM_MASKED_CONTENT), "patch") == 0;
    const gboolean content =
        steps && !s->grid && !f->edits && !(sees && sfu_params_for(r->p, SFU_PARAM_STRENGTH, r->task) >= 1);
    const gboolean starts = r->task == SFU_TASK_UPSCALE ? f->enlargement == SFU_ENLARGE_DETAIL : steps;
    return SFU_NEEDS_DENOISER | bit_if(steps, SFU_NEEDS_STEPS) | bit_if(starts, SFU_NEEDS_STRENGTH) |
           bit_if(content, SFU_NEEDS_CONTENT) |
           bit_if((content && patches) || s->mask_fill == SFU_MASK_PATCH, SFU_NEEDS_PATCHES) |
           bit_if(!s->grid, SFU_NEEDS_GUIDANCE) | bit_if(s->n_branches > 1, SFU_NEEDS_NEGATIVE) |
           bit_if(s->n_branches > 2 && f->edits, SFU_NEEDS_EDITS) | bit_if(sees, SFU_NEEDS_SEES) |
           bit_if(f->most_references > 0, SFU_NEEDS_REFERENCES) | bit_if(s->image_prompts != NULL, SFU_NEEDS_VISION) |
           bit_if(f->enlargement == SFU_ENLARGE_LOW_RES, SFU_NEEDS_LOW_RES) |
           bit_if(s->refiner != NULL, SFU_NEEDS_REFINER) |
           bit_if(steps && sfu_model_has_part(s->m->model, SFU_PART_UNET), SFU_NEEDS_CACHE);
}

static guint told_to(const SfuModel *m)
{
    return bit_if(tells(m, &(SfuShown){.original_w = 1, .original_h = 1, .crop_left = 1, .crop_top = 1}),
                  SFU_NEEDS_SIZES) |
           bit_if(tells(m, &(SfuShown){.score = 1}), SFU_NEEDS_SCORES);
}

/* Given, and with a value that asks for something. */
static gboolean asks(const SfuParams *p, SfuParam param, const SfuParamSpec *spec)
{
    if (!sfu_params_given(p, param))
        return FALSE;
    if (spec->list)
        return *sfu_params_list(p, param) != NULL;
    if (sfu_param_is_text(spec))
        return *sfu_params_text(p, param) != 0;
    return spec->def != 0 || sfu_params_double(p, param) != 0;
}

/* The labels of what was given, needs one of `bits`, and does not have all that it needs. Caller frees; NULL: none. */
static char *list_unused(const SfuRun *r, guint bits, guint has)
{
    int n;
    const SfuParamSpec *table = sfu_param_table(&n);
    GString *labels = g_string_new(NULL);
    for (int i = 0; i < n; i++)
        if (table[i].tasks & 1u << r->task && (table[i].needs & bits & ~has) && asks(r->job->params, i, &table[i]))
            g_string_append_printf(labels, "%s%s", labels->len ? ", " : "", _(table[i].label));
    return g_string_free(labels, labels->len == 0);
}

void sfu_run_note_unused(SfuRun *r, const SfuLoaded *m, const SfuSession *s)
{
    guint has = words_of(m->model) | told_to(m->model);
    has |= s && s->denoiser ? steps_of(s) : 0;
    has |= s && s->refiner ? words_of(s->refiner->m->model) | told_to(s->refiner->m->model) : 0;
    has |= s ? 0 : SFU_NEEDS_NETWORK;
    /* The model could, but was told not to. */
    const guint switched_off =
        has & SFU_NEEDS_WORDS && has & SFU_NEEDS_GUIDANCE && !s->denoiser->guided ? SFU_NEEDS_NEGATIVE : 0;
    char *unused = list_unused(r, ~switched_off, has), *off = list_unused(r, switched_off, has);
    if (unused)
        sfu_run_note(r, _("%s has no use for these settings: %s."), m->path, unused);
    if (off)
        sfu_run_note(r, _("At a guidance of 1 or less, these settings do nothing: %s."), off);
    g_free(unused);
    g_free(off);
}
