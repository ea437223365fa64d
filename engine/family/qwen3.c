/* Qwen3 (Qwen team 2025), a language model whose hidden states are the text of FLUX.2 and Z-Image: transformers' names
 * (alone, or as ComfyUI keeps it) or llama.cpp's (GGUF), or a folder.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"
#include "net/qwen3.h"

static gboolean recognize(const SfuSource *s)
{
    return (sfu_source_find(s, "model.layers.0.self_attn.q_norm.weight") ||
            sfu_source_find(s, "layers.0.self_attn.q_norm.weight") || sfu_source_find(s, "blk.0.attn_q_norm.weight")) &&
           (sfu_source_find(s, "model.embed_tokens.weight") || sfu_source_find(s, "embed_tokens.weight") ||
            sfu_source_find(s, "token_embd.weight"));
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = SFU_PART_TEXT;
    return sfu_name_from_language(name);
}

static gboolean claims(const SfuModel *m)
{
    return sfu_model_is_language(m) && !sfu_model_has_part(m, SFU_PART_TRANSFORMER) &&
           !sfu_model_has_part(m, SFU_PART_UNET);
}

const SfuFamily sfu_family_qwen3 = {.id = "qwen3",
                                    .name = "Qwen3 text encoder",
                                    .part = "text",
                                    .use = "the text encoder of other models",
                                    .recognize = recognize,
                                    .canonical = canonical,
                                    .ignores = sfu_name_is_ignorable,
                                    .claims = claims,
                                    .configure = sfu_model_configure_language,
                                    .expect = sfu_qwen3_expect};
