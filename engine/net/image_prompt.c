/* Pictures that a UNet's cross-attention looks at beside the words. Ye 2023 ("IP-Adapter"), eq. 5.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/trunk.h"
#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

/* ---- keys and values ---- */

/* "down_blocks.0...attn2" of its matrix "down_blocks.0...attn2.to_q.weight". Caller frees. */
static char *module_of(const SfuTrunkAttention *a)
{
    const char *name = sfu_weight_name(a->qkv), *end = g_strrstr(name, ".to_q");
    return end ? g_strndup(name, (gsize)(end - name)) : g_strdup(name);
}

void sfu_trunk_drop_prompts(SfuTrunk *t)
{
    SfuTrunkPrompts *p = &t->prompts;
    for (guint i = 0; p->kv && i < (guint)p->n * t->contexts->len; i++)
        sfu_tensor_destroy(p->kv[i]);
    g_clear_pointer(&p->kv, g_free);
    p->n = 0;
}

gboolean sfu_trunk_set_prompts(SfuTrunk *t, const SfuCondition *c, GError **error)
{
    SfuTrunkPrompts *p = &t->prompts;
    const guint n = t->contexts->len;
    gboolean ok = TRUE;
    p->n = c->n_prompts;
    p->kv = g_new0(SfuTensor *, (gsize)p->n * n + 1);
    for (int i = 0; ok && i < p->n; i++) {
        const SfuImagePrompt *one = &c->prompts[i];
        SfuTensor *x = sfu_net_input(&t->net, one->tokens, error);
        ok = x != NULL;
        for (guint k = 0; ok && k < n; k++) {
            char *module = module_of(g_ptr_array_index(t->contexts, k));
            SfuWeight *w = g_hash_table_lookup(one->kv, module);
            SfuTensor **kv = &p->kv[(guint)i * n + k];
            if (w)
                ok = (*kv = sfu_net_like(&t->net, x, (int)sfu_weight_dim(w, 0), error)) &&
                     sfu_linear(t->net.q, *kv, x, w, NULL, error);
            g_free(module);
        }
        sfu_tensor_destroy(x);
    }
    return ok;
}

/* ---- masks ---- */

typedef struct {
    int prompt, h, w;
    SfuTensor *values; /* [n, 1, h * w, 1] */
} Mask;

static void mask_free(gpointer p)
{
    Mask *m = p;
    sfu_tensor_destroy(m->values);
    g_free(m);
}

void sfu_trunk_use_prompts(SfuTrunk *t, const SfuImagePromptUse *use)
{
    g_clear_pointer(&t->prompts.masks, g_ptr_array_unref);
    t->prompts.use = use;
    if (use)
        t->prompts.masks = g_ptr_array_new_with_free_func(mask_free);
}

/* Weights of the four neighbors of position `at` (Keys 1981, a = -0.75, as PyTorch has it), of n values; the first of
 * them, which may lie outside. */
static int cubic(double at, double w[4])
{
    const int first = (int)floor(at) - 1;
    const double a = -0.75;
    for (int i = 0; i < 4; i++) {
        const double x = fabs(at - (first + i));
        w[i] = x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    }
    return first;
}

/* As the reference implementation scales it: torch.nn.functional.interpolate, bicubic, edges repeated. */
static void scale_mask(const SfuImagePromptUse *use, int h, int w, float *out)
{
    for (int y = 0; y < h; y++) {
        double wy[4], wx[4];
        const int y0 = cubic((y + 0.5) * use->mask_h / h - 0.5, wy);
        for (int x = 0; x < w; x++) {
            const int x0 = cubic((x + 0.5) * use->mask_w / w - 0.5, wx);
            double sum = 0;
            for (int j = 0; j < 4; j++)
                for (int i = 0; i < 4; i++)
                    sum += wy[j] * wx[i] *
                           use->mask[(gsize)CLAMP(y0 + j, 0, use->mask_h - 1) * (gsize)use->mask_w +
                                     (gsize)CLAMP(x0 + i, 0, use->mask_w - 1)];
            out[y * w + x] = (float)sum;
        }
    }
}

/* Prompt i's mask for so many samples of h x w pixels; borrowed until the pass is over. NULL with error. */
static const SfuTensor *mask_for(const SfuTrunk *t, int i, int n, int h, int w, GError **error)
{
    GPtrArray *masks = t->prompts.masks;
    for (guint k = 0; k < masks->len; k++) {
        const Mask *m = g_ptr_array_index(masks, k);
        if (m->prompt == i && m->h == h && m->w == w)
            return m->values;
    }
    float *rows = g_new(float, (gsize)n *(gsize)h *(gsize)w);
    scale_mask(&t->prompts.use[i], h, w, rows);
    for (int s = 1; s < n; s++)
        memcpy(rows + (gsize)s * (gsize)h * (gsize)w, rows, sizeof *rows * (gsize)h * (gsize)w);
    Mask *m = g_new(Mask, 1);
    *m = (Mask){i, h, w, sfu_net_rows(&t->net, rows, n * h * w, h * w, 1, error)};
    g_free(rows);
    g_ptr_array_add(masks, m);
    return m->values;
}

/* ---- attention ---- */

gboolean sfu_trunk_look(const SfuTrunk *t, int slot, SfuTensor *o, const SfuTensor *q, const SfuAttention *heads,
                        const SfuTensor *x, GError **error)
{
    const SfuTrunkPrompts *p = &t->prompts;
    SfuQueue *queue = t->net.q;
    SfuTensor *seen = NULL;
    gboolean ok = TRUE;
    for (int i = 0; ok && i < p->n; i++) {
        const SfuImagePromptUse *use = &p->use[i];
        const SfuTensor *kv = p->kv[(guint)i * t->contexts->len + (guint)slot], *mask = NULL;
        if (!kv || use->weight == 0)
            continue;
        if (kv->n != 1 && kv->n != o->n) {
            g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                        _("the UNet of %s has a reference picture for %d samples, but was given %d"),
                        sfu_model_path(t->net.model), kv->n, o->n);
            ok = FALSE;
        }
        ok = ok && (seen || (seen = sfu_net_like(&t->net, o, o->c, error))) &&
             sfu_attention(queue, seen, q, kv, kv, heads, error) &&
             (!use->mask ||
              ((mask = mask_for(t, i, o->n, x->h, x->w, error)) && sfu_mul(queue, seen, seen, mask, error))) &&
             sfu_axpby(queue, o, 1, o, (float)use->weight, seen, error);
    }
    sfu_tensor_destroy(seen);
    return ok;
}
