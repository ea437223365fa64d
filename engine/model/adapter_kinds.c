/* Kinds of adapters, by the tensors that a module has, and what these tell.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/adapter_kinds.h"

static const char *const kind_names[SFU_N_ADAPTER_KINDS] = {
    "",    "LoRA", "LoHa", "LoKr", "GLoRA", "OFT", "BOFT", "OFT", "full difference", "full difference in bytes",
    "IA3", "IA3"};

const char *sfu_adapter_kind_name(SfuAdapterKind kind)
{
    return kind_names[kind];
}

#define END SFU_N_ROLES
/* A module with all of these tensors is of that kind; the first row that fits holds. */
static const struct {
    SfuAdapterKind kind;
    SfuAdapterRole roles[5];
    int n_dims; /* of the first tensor; 0: any */
} needs[] = {
    {SFU_ADAPTER_LORA, {SFU_ROLE_UP, SFU_ROLE_DOWN, END}},
    {SFU_ADAPTER_LOHA, {SFU_ROLE_HADA1_A, SFU_ROLE_HADA1_B, SFU_ROLE_HADA2_A, SFU_ROLE_HADA2_B, END}},
    {SFU_ADAPTER_LOKR, {SFU_ROLE_W1, SFU_ROLE_W2, END}}, /* either half may be a product */
    {SFU_ADAPTER_LOKR, {SFU_ROLE_W1, SFU_ROLE_W2_A, SFU_ROLE_W2_B, END}},
    {SFU_ADAPTER_LOKR, {SFU_ROLE_W1_A, SFU_ROLE_W1_B, SFU_ROLE_W2, END}},
    {SFU_ADAPTER_LOKR, {SFU_ROLE_W1_A, SFU_ROLE_W1_B, SFU_ROLE_W2_A, SFU_ROLE_W2_B, END}},
    {SFU_ADAPTER_GLORA, {SFU_ROLE_A1, SFU_ROLE_A2, SFU_ROLE_B1, SFU_ROLE_B2, END}},
    {SFU_ADAPTER_BOFT, {SFU_ROLE_BLOCKS, END}, 4},
    {SFU_ADAPTER_OFT, {SFU_ROLE_BLOCKS, END}, 3},
    {SFU_ADAPTER_OFT_PEFT, {SFU_ROLE_SKEW, END}},
    {SFU_ADAPTER_FULL, {SFU_ROLE_DIFF, END}},
    {SFU_ADAPTER_BYTES, {SFU_ROLE_BYTES, SFU_ROLE_LOW, SFU_ROLE_HIGH, END}},
    {SFU_ADAPTER_IA3, {SFU_ROLE_WEIGHT, SFU_ROLE_ON_INPUT, END}},
    {SFU_ADAPTER_IA3_PEFT, {SFU_ROLE_IA3, END}},
};

SfuAdapterKind sfu_adapter_kind(const SfuAdapterModule *m)
{
    for (gsize i = 0; i < G_N_ELEMENTS(needs); i++) {
        const SfuAdapterRole *role = needs[i].roles;
        const SfuFileTensor *first = m->t[role[0]];
        while (*role != END && sfu_adapter_has(m, *role))
            role++;
        if (*role == END && (!needs[i].n_dims || first->n_dims == needs[i].n_dims))
            return needs[i].kind;
    }
    return SFU_ADAPTER_NONE;
}

gboolean sfu_adapter_has_bytes_b(const SfuAdapterModule *m)
{
    return sfu_adapter_has(m, SFU_ROLE_BYTES_B) && sfu_adapter_has(m, SFU_ROLE_LOW_B) &&
           sfu_adapter_has(m, SFU_ROLE_HIGH_B);
}

gboolean sfu_adapter_module_changes(const SfuAdapterModule *m, gboolean bias)
{
    return bias ? sfu_adapter_has(m, SFU_ROLE_DIFF_B) || sfu_adapter_has_bytes_b(m) ||
                      sfu_adapter_has(m, SFU_ROLE_UP_BIAS) || sfu_adapter_has(m, SFU_ROLE_NORM_B) ||
                      sfu_adapter_has(m, SFU_ROLE_IA3)
                : sfu_adapter_kind(m) != SFU_ADAPTER_NONE || sfu_adapter_has(m, SFU_ROLE_NORM_W);
}

gboolean sfu_adapter_glora_is_old(const SfuAdapterModule *m)
{
    const gint64 r = sfu_adapter_dim(m->t[SFU_ROLE_A2], 0), old = sfu_adapter_dim(m->t[SFU_ROLE_A1], 0);
    const gboolean is_new = r == sfu_adapter_dim(m->t[SFU_ROLE_A1], 1) && r == sfu_adapter_dim(m->t[SFU_ROLE_B1], 1) &&
                            r == sfu_adapter_dim(m->t[SFU_ROLE_B2], 0);
    /* Of a square matrix either reading fits; the rank is the smaller one. */
    return (!is_new || old < r) && old == sfu_adapter_dim(m->t[SFU_ROLE_A2], 1) &&
           old == sfu_adapter_dim(m->t[SFU_ROLE_B1], 0) && old == sfu_adapter_dim(m->t[SFU_ROLE_B2], 1);
}

gint64 sfu_adapter_rank(const SfuAdapterModule *m)
{
    static const SfuAdapterRole roles[] = {SFU_ROLE_DOWN, SFU_ROLE_HADA1_B, SFU_ROLE_W1_B, SFU_ROLE_W2_B};
    if (sfu_adapter_kind(m) == SFU_ADAPTER_GLORA)
        return sfu_adapter_dim(m->t[SFU_ROLE_A1], !sfu_adapter_glora_is_old(m));
    for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
        if (sfu_adapter_has(m, roles[i]))
            return m->t[roles[i]]->n_dims ? m->t[roles[i]]->dims[0] : 0;
    return 0;
}

void sfu_adapter_size(const SfuAdapterModule *m, gint64 *out, gint64 *in)
{
    const SfuAdapterKind k = sfu_adapter_kind(m);
    *out = *in = 0;
    if (k == SFU_ADAPTER_LORA || k == SFU_ADAPTER_LOHA) {
        const gboolean tucker = k == SFU_ADAPTER_LOHA && sfu_adapter_has(m, SFU_ROLE_T1);
        *out = m->t[k == SFU_ADAPTER_LORA ? SFU_ROLE_UP : SFU_ROLE_HADA1_A]->dims[tucker];
        const SfuFileTensor *b = m->t[k == SFU_ADAPTER_LORA ? SFU_ROLE_DOWN : SFU_ROLE_HADA1_B];
        *in = b->n_dims > 1 ? b->dims[1] : 0;
    } else if (k == SFU_ADAPTER_GLORA) {
        const gboolean old = sfu_adapter_glora_is_old(m);
        *out = sfu_adapter_dim(m->t[old ? SFU_ROLE_B2 : SFU_ROLE_B1], 0);
        *in = sfu_adapter_dim(m->t[old ? SFU_ROLE_B1 : SFU_ROLE_B2], 1);
    } else if (k == SFU_ADAPTER_OFT || k == SFU_ADAPTER_BOFT) {
        const SfuFileTensor *t = m->t[SFU_ROLE_BLOCKS];
        *out = MIN(t->dims[k == SFU_ADAPTER_BOFT], 1 << 24) * MIN(t->dims[t->n_dims - 1], 1 << 24);
    } else if (k == SFU_ADAPTER_FULL || k == SFU_ADAPTER_BYTES) {
        const SfuFileTensor *t = m->t[k == SFU_ADAPTER_FULL ? SFU_ROLE_DIFF : SFU_ROLE_BYTES];
        *out = t->n_dims ? t->dims[0] : 0;
        *in = t->n_dims > 1 ? t->dims[1] : 0;
    } else if (k == SFU_ADAPTER_LOKR) {
        const SfuFileTensor *a1 = m->t[sfu_adapter_has(m, SFU_ROLE_W1) ? SFU_ROLE_W1 : SFU_ROLE_W1_A],
                            *b1 = m->t[sfu_adapter_has(m, SFU_ROLE_W1) ? SFU_ROLE_W1 : SFU_ROLE_W1_B],
                            *a2 = m->t[sfu_adapter_has(m, SFU_ROLE_W2) ? SFU_ROLE_W2 : SFU_ROLE_W2_A],
                            *b2 = m->t[sfu_adapter_has(m, SFU_ROLE_W2) ? SFU_ROLE_W2 : SFU_ROLE_W2_B];
        *out = MIN(a1->dims[0], 1 << 24) * MIN(a2->dims[sfu_adapter_has(m, SFU_ROLE_W2_T)], 1 << 24);
        *in = b1->n_dims > 1 && b2->n_dims > 1 ? MIN(b1->dims[1], 1 << 24) * MIN(b2->dims[1], 1 << 24) : 0;
    }
}
