/* What UNets and the networks made of their first half (ControlNet) share: the way down to the middle, and the
 * transformers over pixels. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_TRUNK_H
#define SFU_NET_TRUNK_H

#include "net/parts.h"

#define SFU_TRUNK_LAYERS 16 /* a level, as model/config.c counts them */
#define SFU_TRUNK_SKIPS (SFU_MAX_BLOCKS * (SFU_TRUNK_LAYERS + 1) + 1)

/* One attention. Without `kv_width` keys and values come from the tokens themselves and qkv is one product; with it
 * they come from the context, and `slot` says where the run's keys and values are kept. */
typedef struct {
    SfuWeight *qkv, *kv; /* [3c, c], or [c, c] with kv [2c, kv_width] */
    int kv_width, slot;
    SfuLayer out;
} SfuTrunkAttention;

typedef struct {
    SfuLayer norm1, norm2, norm3;
    SfuTrunkAttention attn1, attn2;
    SfuLayer up, down; /* feed-forward: GEGLU [8c, c], [c, 4c] */
} SfuTrunkBlock;

typedef struct {
    char name[72];
    int c, n_heads, n_groups, n_blocks;
    SfuLayer norm, proj_in, proj_out;
    SfuTrunkBlock *blocks;
} SfuSpatial;

typedef struct {
    int n_layers, c;
    gboolean attention;
    SfuResnet resnets[SFU_TRUNK_LAYERS + 1];
    SfuSpatial transformers[SFU_TRUNK_LAYERS + 1];
    SfuLayer sample; /* to the next level; w NULL at the end */
} SfuTrunkLevel;

/* Pictures beside the words. */
typedef struct {
    int n;
    SfuTensor **kv;               /* [n][contexts->len]: as the trunk's; an entry may be NULL */
    const SfuImagePromptUse *use; /* [n], of the pass under way; NULL: none */
    GPtrArray *masks;             /* of the pass under way, image_prompt.c's own */
} SfuTrunkPrompts;

/* Zero-initialized by its owner. */
typedef struct {
    SfuNet net;
    const SfuUnetConfig *config;
    SfuLayer conv_in, time1, time2, added1, added2; /* added1.w NULL: no added conditions */
    SfuWeight *class_table;
    SfuTrunkLevel down[SFU_MAX_BLOCKS];
    SfuResnet mid1, mid2;
    SfuSpatial mid_transformer;
    gboolean has_mid, has_mid2;
    GPtrArray *contexts; /* SfuTrunkAttention*, borrowed, in slot order */
    SfuTensor **kv;      /* [contexts->len]: [n or 1, 1, t, 2c] each; NULL before the condition is set */
    SfuTensor *added;    /* [n or 1, 1, 1, 4 c0]: of pooled vector and numbers; NULL: none, or not set yet */
    SfuTrunkPrompts prompts;
} SfuTrunk;

/* The tensors that are alive during a pass. skips: the outputs kept for the way up, conv_in's first. */
typedef struct {
    SfuFeature h, skips[SFU_TRUNK_SKIPS];
    int n_skips;
} SfuTrunkState;

/* Binds all that is listed above from the part; q NULL: sfu_net_init(). */
void sfu_trunk_bind(SfuTrunk *t, SfuQueue *q, SfuModel *model, SfuPart part, const SfuUnetConfig *config);
void sfu_trunk_finish(SfuTrunk *t);
void sfu_trunk_level_finish(SfuTrunkLevel *l);
void sfu_trunk_drop_condition(SfuTrunk *t);
/* Sinusoids of a value, [width]. */
void sfu_trunk_waves(const SfuUnetConfig *k, double value, int width, float *out);
/* Keys and values of every cross-attention, and the embedding of the added conditions. */
gboolean sfu_trunk_set_condition(SfuTrunk *t, const SfuCondition *condition, GError **error);
/* FALSE with SHAPE if the input is not one for this network and its condition. */
gboolean sfu_trunk_check(const SfuTrunk *t, const SfuDenoiserInput *in, GError **error);
/* What every resnet takes: [n, 1, 1, 4 c0], already through SiLU. */
SfuTensor *sfu_trunk_embed(const SfuTrunk *t, const SfuDenoiserInput *in, GError **error);
/* s->h = conv_in(x) [+ hint], kept as the first skip. hint [n or 1, h, w, c0] or NULL. */
gboolean sfu_trunk_begin(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *x, const SfuTensor *hint,
                         GError **error);
/* features [n_features]: SfuResiduals'. */
gboolean sfu_trunk_down(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *time, SfuTensor *const *features,
                        int n_features, GError **error);
/* s->h += f [s->h.x->n or 1, ...], before it is kept. */
gboolean sfu_trunk_add(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *f, GError **error);
gboolean sfu_trunk_middle(const SfuTrunk *t, SfuTrunkState *s, const SfuTensor *time, GError **error);
void sfu_trunk_state_clear(SfuTrunkState *s);

/* The shape of a resnet of the network. */
static inline SfuResnetShape sfu_trunk_resnet(const SfuUnetConfig *k, int c_in, int c_out)
{
    return (SfuResnetShape){c_in, c_out, 4 * k->block_out_channels[0], k->norm_num_groups, k->norm_eps};
}

/* ---- pictures beside the words (image_prompt.c) ---- */
gboolean sfu_trunk_set_prompts(SfuTrunk *t, const SfuCondition *condition, GError **error);
void sfu_trunk_drop_prompts(SfuTrunk *t);
/* Before and after a pass. use [n]: copied nowhere; NULL: none. */
void sfu_trunk_use_prompts(SfuTrunk *t, const SfuImagePromptUse *use);
/* o [n, 1, h * w, c] += weight * mask * attention(q, picture), for each that is looked at. q [n, 1, h * w, c]; x [n, h,
 * w, ..]: the tokens as pixels. */
gboolean sfu_trunk_look(const SfuTrunk *t, int slot, SfuTensor *o, const SfuTensor *q, const SfuAttention *heads,
                        const SfuTensor *x, GError **error);

/* ---- transformers over pixels (spatial.c) ---- */
/* The x4 upscaler's outer levels have no self-attention: there attn1 reads the context too (only_cross). */
void sfu_spatial_bind(SfuTrunk *u, SfuSpatial *t, const char *name, int c, int n_heads, gboolean only_cross);
/* f [n, h, w, c], changed in place: x += proj_out(blocks(proj_in(norm(x)))), pixels as
 * tokens. */
gboolean sfu_spatial_run(const SfuTrunk *u, const SfuSpatial *t, const SfuFeature *f, GError **error);

#endif
