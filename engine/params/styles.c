/* Style presets: words that are put round the prompt and into the negative prompt.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "params/styles.h"

#include <string.h>

typedef struct {
    const char *name, *before, *after, *negative;
} Style;

static const Style styles[] = {
    {"none", "", "", ""},
    {"photo", "", "photograph, natural light, sharp focus, fine detail, 35mm", "painting, drawing, illustration, cartoon, 3d render"},
    {"portrait", "portrait photograph of ", "85mm lens, shallow depth of field, soft window light, detailed skin",
     "painting, cartoon, deformed, disfigured, extra fingers, bad anatomy"},
    {"landscape", "", "landscape photograph, golden hour, wide angle, deep depth of field, detailed",
     "people, text, blurry, oversaturated"},
    {"black and white", "", "black and white photograph, film grain, strong contrast, high dynamic range", "colour, sepia, painting"},
    {"cinematic", "", "cinematic still, anamorphic lens, film grain, dramatic light, colour grading", "cartoon, painting, text, logo"},
    {"oil painting", "", "oil painting on canvas, visible brush strokes, rich colours, impasto", "photograph, 3d render, smooth"},
    {"watercolour", "", "watercolour painting, wet on wet, soft edges, paper texture, delicate washes", "photograph, 3d render, hard lines"},
    {"ink", "", "ink drawing, black ink on white paper, hatching, confident lines", "photograph, colour, blurry"},
    {"pencil", "", "pencil sketch, graphite on paper, fine shading, cross-hatching", "photograph, colour, 3d render"},
    {"pastel", "", "soft pastel drawing, chalk texture, blended colours, toned paper", "photograph, 3d render, hard lines"},
    {"anime", "", "anime illustration, cel shading, clean lines, vivid colours", "photograph, realistic, 3d render, lowres, bad anatomy"},
    {"comic", "", "comic book panel, bold outlines, flat colours, halftone dots", "photograph, realistic, blurry"},
    {"pixel art", "", "pixel art, 16-bit, limited palette, crisp pixels", "photograph, blurry, smooth, anti-aliasing, realistic"},
    {"3d render", "", "3d render, global illumination, physically based materials, studio light", "photograph, drawing, flat, lowres"},
    {"concept art", "", "concept art, digital painting, atmospheric perspective, dramatic composition", "photograph, lowres, text"},
    {"clay", "", "clay model, plasticine, stop motion, fingerprints, studio light", "photograph, drawing, smooth"},
    {"texture", "", "seamless texture, flat even light, top-down view, high detail", "objects, people, perspective, shadows, text"},
};

const char *sfu_style_name(int i)
{
    return i >= 0 && i < (int)G_N_ELEMENTS(styles) ? styles[i].name : NULL;
}

static char *join(const char *a, const char *b)
{
    return *a && *b ? g_strconcat(a, ", ", b, NULL) : g_strdup(*a ? a : b);
}

void sfu_style_apply(const SfuParams *p, char **prompt, char **negative)
{
    const Style *s = &styles[sfu_params_int(p, SFU_PARAM_STYLE)];
    char *own = g_strconcat(s->before, sfu_params_text(p, SFU_PARAM_PROMPT), NULL);
    *prompt = join(own, s->after);
    *negative = join(sfu_params_text(p, SFU_PARAM_NEGATIVE), s->negative);
    g_free(own);
}
