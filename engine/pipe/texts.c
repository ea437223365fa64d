/* The CLIP encoders of a model, in the order in which its network sees them.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

static const SfuPart parts[SFU_MAX_TEXTS] = {SFU_PART_TEXT, SFU_PART_TEXT2};

/* Place in `parts` of number i of those that the family needs; -1: there are not so many. */
static int place_of(const SfuFamily *f, int i)
{
    const guint bits = sfu_needed_texts(f);
    for (int k = 0; k < SFU_MAX_TEXTS; k++)
        if (bits & 1u << parts[k] && i-- == 0)
            return k;
    return -1;
}

int sfu_run_n_texts(const SfuLoaded *m)
{
    int n = 0;
    while (place_of(sfu_model_family(m->model), n) >= 0)
        n++;
    return n;
}

SfuTextEncoder *sfu_run_text(SfuRun *r, SfuLoaded *m, int i, const SfuTextConfig **config, GError **error)
{
    const int k = place_of(sfu_model_family(m->model), i);
    SfuLoaded *l = sfu_run_load_piece(r, m, parts[k], error);
    if (l && !l->text[k])
        l->text[k] = sfu_text_encoder_create(r->q, l->model, parts[k], error);
    if (l)
        *config = sfu_model_text(l->model, parts[k]);
    return l ? l->text[k] : NULL;
}

void sfu_texts_unload(SfuEngine *e)
{
    for (guint i = 0; i < e->loaded->len; i++)
        for (int k = 0; k < SFU_MAX_TEXTS; k++) {
            SfuTextEncoder *te = ((SfuLoaded *)e->loaded->pdata[i])->text[k];
            if (te)
                sfu_text_encoder_unload(te);
        }
}
