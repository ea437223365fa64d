/* The text encoders of a model, in the order in which its network sees them.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

/* The part that is text encoder number i; SFU_N_PARTS: there are not so many. */
static SfuPart text_part(const SfuLoaded *l, int i)
{
    static const SfuPart parts[] = {SFU_PART_TEXT, SFU_PART_TEXT2};
    for (gsize k = 0; k < G_N_ELEMENTS(parts); k++)
        if (sfu_model_has_part(l->model, parts[k]) && i-- == 0)
            return parts[k];
    return SFU_N_PARTS;
}

int sfu_loaded_n_texts(const SfuLoaded *l)
{
    int n = 0;
    while (text_part(l, n) != SFU_N_PARTS)
        n++;
    return n;
}

const SfuTextConfig *sfu_loaded_text_config(const SfuLoaded *l, int i)
{
    return sfu_model_text(l->model, text_part(l, i));
}

SfuTextEncoder *sfu_loaded_text(SfuLoaded *l, SfuQueue *q, int i, GError **error)
{
    const SfuPart part = text_part(l, i);
    if (!l->text[i])
        l->text[i] = sfu_text_encoder_create(q, l->model, part == SFU_N_PARTS ? SFU_PART_TEXT : part, error);
    return l->text[i];
}
