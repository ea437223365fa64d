/* FLUX.2's transformer (Black Forest Labs 2025, github.com/black-forest-labs/flux2): tokens of text, of reference
 * pictures and of the picture that is made, in double blocks with matrices of their own for text and pictures, then in
 * single blocks with the same for all, whose attention and feed-forward part run side by side (Dehghani 2023, section
 * 2). Every block is modulated by the timestep, all double and all single ones alike.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/flux2.h"
#include "net/parts.h"
#include <glib/gi18n-lib.h>

#define TIMESTEPS 1000       /* sigma 1 as a timestep; the guidance scale is multiplied by it too */
#define REFERENCE_PLACE 10   /* on the first axis of positions: 10 for the first reference, 20 for the second, ... */
#define DEFAULT_GUIDANCE 4.0 /* for networks that take it as an input */

/* The matrices that tokens of one kind have in a double block. */
typedef struct {
    SfuWeight *qkv, *norm_q, *norm_k;
    SfuLayer out, up, down;
} Stream;

typedef struct {
    Stream picture, text;
} Double;

typedef struct {
    SfuWeight *norm_q, *norm_k;
    SfuLayer in, out; /* in: q, k, v, then both halves of the gated part */
} Single;

typedef struct {
    SfuNet net;
    const SfuFlux2Config *config;
    SfuLayer picture_in, text_in, time1, time2, guidance1, guidance2, out;
    SfuLayer mod_picture, mod_text, mod_single;
    SfuWeight *mod_out; /* scale, then shift */
    Double *doubles;
    Single *singles;
    /* of the condition */
    SfuTensor *text;       /* [n or 1, 1, t, hidden] */
    SfuTensor *references; /* [1, 1, t, hidden], one behind the other; NULL: none */
    int n_references;
    int (*reference_sizes)[2]; /* h, w */
    float guidance;
    gboolean keep;  /* the references look only at each other, and what the others see of them is kept */
    SfuTensor **kv; /* [n_double + n_single] [1, 1, t, 2 * hidden]: keys and values of references; NULL: not made */
} Flux2;

/* ---- binding ---- */

static SfuWeight *bind_norm(SfuNet *net, const char *block, const char *name, int c)
{
    return sfu_net_vector(net, block, name, c);
}

static void bind_stream(Flux2 *f, Stream *s, const char *block, gboolean text)
{
    SfuNet *net = &f->net;
    const int d = f->config->hidden, m = f->config->mlp, head = f->config->head_dim;
    const SfuLayer q = sfu_net_linear(net, block, text ? "attn.add_q_proj" : "attn.to_q", d, d, FALSE),
                   k = sfu_net_linear(net, block, text ? "attn.add_k_proj" : "attn.to_k", d, d, FALSE),
                   v = sfu_net_linear(net, block, text ? "attn.add_v_proj" : "attn.to_v", d, d, FALSE);
    s->qkv = sfu_net_stack(net, (SfuWeight *const[]){q.w, k.w, v.w}, 3);
    s->norm_q = bind_norm(net, block, text ? "attn.norm_added_q.weight" : "attn.norm_q.weight", head);
    s->norm_k = bind_norm(net, block, text ? "attn.norm_added_k.weight" : "attn.norm_k.weight", head);
    s->out = sfu_net_linear(net, block, text ? "attn.to_add_out" : "attn.to_out.0", d, d, FALSE);
    s->up = sfu_net_linear(net, block, text ? "ff_context.linear_in" : "ff.linear_in", 2 * m, d, FALSE);
    s->down = sfu_net_linear(net, block, text ? "ff_context.linear_out" : "ff.linear_out", d, m, FALSE);
}

static void bind_ends(Flux2 *f)
{
    SfuNet *net = &f->net;
    const SfuFlux2Config *k = f->config;
    const int d = k->hidden;
    f->picture_in = sfu_net_linear(net, "", "x_embedder", d, k->in_channels, FALSE);
    f->text_in = sfu_net_linear(net, "", "context_embedder", d, k->context, FALSE);
    f->time1 = sfu_net_linear(net, "time_guidance_embed", "timestep_embedder.linear_1", d, k->time_channels, FALSE);
    f->time2 = sfu_net_linear(net, "time_guidance_embed", "timestep_embedder.linear_2", d, d, FALSE);
    if (k->guidance) {
        f->guidance1 =
            sfu_net_linear(net, "time_guidance_embed", "guidance_embedder.linear_1", d, k->time_channels, FALSE);
        f->guidance2 = sfu_net_linear(net, "time_guidance_embed", "guidance_embedder.linear_2", d, d, FALSE);
    }
    f->mod_picture = sfu_net_linear(net, "double_stream_modulation_img", "linear", 6 * d, d, FALSE);
    f->mod_text = sfu_net_linear(net, "double_stream_modulation_txt", "linear", 6 * d, d, FALSE);
    f->mod_single = sfu_net_linear(net, "single_stream_modulation", "linear", 3 * d, d, FALSE);
    const SfuLayer scale = sfu_net_linear(net, "norm_out", "linear_scale", d, d, FALSE),
                   shift = sfu_net_linear(net, "norm_out", "linear_shift", d, d, FALSE);
    f->mod_out = sfu_net_stack(net, (SfuWeight *const[]){scale.w, shift.w}, 2);
    f->out = sfu_net_linear(net, "", "proj_out", k->out_channels, d, FALSE);
}

static Flux2 *bound(SfuQueue *q, SfuModel *model, const SfuFlux2Config *config)
{
    Flux2 *f = g_new0(Flux2, 1);
    const int d = config->hidden, m = config->mlp, head = config->head_dim;
    char block[48];
    f->config = config;
    sfu_net_init(&f->net, q, model, SFU_PART_TRANSFORMER);
    f->doubles = g_new0(Double, config->n_double);
    f->singles = g_new0(Single, config->n_single);
    bind_ends(f);
    for (int i = 0; i < config->n_double; i++) {
        g_snprintf(block, sizeof block, "transformer_blocks.%d", i);
        bind_stream(f, &f->doubles[i].picture, block, FALSE);
        bind_stream(f, &f->doubles[i].text, block, TRUE);
    }
    for (int i = 0; i < config->n_single; i++) {
        Single *s = &f->singles[i];
        g_snprintf(block, sizeof block, "single_transformer_blocks.%d", i);
        s->in = sfu_net_linear(&f->net, block, "attn.to_qkv_mlp_proj", 3 * d + 2 * m, d, FALSE);
        s->out = sfu_net_linear(&f->net, block, "attn.to_out", d, d + m, FALSE);
        s->norm_q = bind_norm(&f->net, block, "attn.norm_q.weight", head);
        s->norm_k = bind_norm(&f->net, block, "attn.norm_k.weight", head);
    }
    return f;
}

static void forget_kept(Flux2 *f)
{
    for (int i = 0; f->kv && i < f->config->n_double + f->config->n_single; i++)
        sfu_tensor_destroy(f->kv[i]);
    g_clear_pointer(&f->kv, g_free);
}

static void forget_condition(Flux2 *f)
{
    forget_kept(f);
    sfu_net_drop(&f->text);
    sfu_net_drop(&f->references);
    g_clear_pointer(&f->reference_sizes, g_free);
    f->n_references = 0;
}

static void destroy(gpointer net)
{
    Flux2 *f = net;
    forget_condition(f);
    g_free(f->doubles);
    g_free(f->singles);
    sfu_net_finish(&f->net);
    g_free(f);
}

static void set_trace(gpointer net, const SfuTrace *trace)
{
    sfu_net_set_trace(&((Flux2 *)net)->net, trace);
}

void sfu_flux2_expect(SfuModel *model, const SfuFlux2Config *config)
{
    Flux2 *f = bound(NULL, model, config);
    sfu_net_note(&f->net);
    destroy(f);
}

/* ---- the condition ---- */

/* Rows [from, from + n) of sample s of x [.., 1, t, c] as [1, 1, n, c]. */
static SfuTensor *rows_of(const SfuTensor *x, int s, int from, int n, GError **error)
{
    return sfu_tensor_view(x, ((size_t)s * (size_t)x->w + (size_t)from) * (size_t)x->c, 1, 1, n, x->c, error);
}

/* The latents x [1 or sample s of n, h, w, c], embedded, to rows of tokens from `from` on. */
static gboolean embed_picture(const Flux2 *f, SfuTensor *tokens, int sample, int from, const SfuTensor *x, int s,
                              GError **error)
{
    const int n = x->h * x->w;
    SfuTensor *in = sfu_tensor_view(x, (size_t)s * (size_t)n * (size_t)x->c, 1, 1, n, x->c, error), *wide = NULL,
              *out = NULL;
    const gboolean ok = in && (wide = sfu_net_input(&f->net, in, error)) &&
                        (out = rows_of(tokens, sample, from, n, error)) &&
                        sfu_linear(f->net.q, out, wide, f->picture_in.w, NULL, error);
    sfu_tensor_destroy(in);
    sfu_tensor_destroy(wide);
    sfu_tensor_destroy(out);
    return ok;
}

static gboolean embed_references(Flux2 *f, const SfuCondition *c, GError **error)
{
    int n = 0;
    f->n_references = c->n_references;
    f->reference_sizes = g_malloc0_n((gsize)c->n_references, sizeof *f->reference_sizes);
    for (int i = 0; i < c->n_references; i++) {
        const SfuTensor *x = c->references[i];
        if (x->n != 1 || x->c != f->config->in_channels) {
            g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                        _("reference %d has latents of %d channels, but the transformer of %s needs %d"), i + 1, x->c,
                        sfu_model_path(f->net.model), f->config->in_channels);
            return FALSE;
        }
        f->reference_sizes[i][0] = x->h;
        f->reference_sizes[i][1] = x->w;
        n += x->h * x->w;
    }
    if (!(f->references = sfu_tensor_create(f->net.q, f->net.dtype, 1, 1, n, f->config->hidden, error)))
        return FALSE;
    n = 0;
    for (int i = 0; i < c->n_references; i++) {
        const SfuTensor *x = c->references[i];
        if (!embed_picture(f, f->references, 0, n, x, 0, error))
            return FALSE;
        n += x->h * x->w;
    }
    return TRUE;
}

static gboolean set_condition(gpointer net, const SfuCondition *c, GError **error)
{
    Flux2 *f = net;
    SfuTensor *in = NULL;
    forget_condition(f);
    if (!c->tokens || c->tokens->h != 1 || c->tokens->c != f->config->context) {
        g_set_error(
            error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
            _("the text has tokens of %d values, but the transformer of %s needs %d: it needs another text encoder"),
            c->tokens ? c->tokens->c : 0, sfu_model_path(f->net.model), f->config->context);
        return FALSE;
    }
    if (c->mask || c->pooled || c->numbers) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "the transformer of %s takes texts of one length and nothing beside them",
                    sfu_model_path(f->net.model));
        return FALSE;
    }
    f->guidance = c->guidance > 0 ? (float)c->guidance : (float)DEFAULT_GUIDANCE;
    f->keep = c->keep_references && c->n_references > 0;
    const gboolean ok = (in = sfu_net_input(&f->net, c->tokens, error)) &&
                        (f->text = sfu_net_like(&f->net, in, f->config->hidden, error)) &&
                        sfu_linear(f->net.q, f->text, in, f->text_in.w, NULL, error) &&
                        (!c->n_references || embed_references(f, c, error));
    sfu_tensor_destroy(in);
    if (!ok)
        forget_condition(f);
    return ok;
}

/* ---- positions ---- */

static void turn(const SfuFlux2Config *k, const int *position, float *row)
{
    sfu_net_turn(k->axes, SFU_FLUX2_AXES, k->theta, position, row);
}

static float *turn_picture(const SfuFlux2Config *k, int place, int h, int w, float *row)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++, row += k->head_dim)
            turn(k, (const int[]){place, y, x, 0}, row);
    return row;
}

/* [1, 1, tokens, head_dim] of n_text tokens of text, then the references if they are there, then the picture [h, w] if
 * h > 0. */
static SfuTensor *positions(const Flux2 *f, int n_text, gboolean references, int h, int w, GError **error)
{
    const SfuFlux2Config *k = f->config;
    const int n = n_text + (references ? f->references->w : 0) + h * w;
    float *table = g_new(float, (gsize)n *(gsize)k->head_dim), *row = table;
    for (int i = 0; i < n_text; i++, row += k->head_dim)
        turn(k, (const int[]){0, 0, 0, i}, row);
    for (int i = 0; references && i < f->n_references; i++)
        row = turn_picture(k, REFERENCE_PLACE * (i + 1), f->reference_sizes[i][0], f->reference_sizes[i][1], row);
    turn_picture(k, 0, h, w, row);
    SfuTensor *t = sfu_tensor_create(f->net.q, SFU_F32, 1, 1, n, k->head_dim, error);
    if (t && !sfu_tensor_write(t, table, error))
        sfu_net_drop(&t);
    g_free(table);
    return t;
}

/* ---- a pass ---- */

/* Tokens of every sample that go through the same matrices of a double block. */
typedef struct {
    int from, n;
    gboolean text;
} Segment;

typedef struct {
    const Flux2 *f;
    int n, t;   /* samples, tokens of each */
    int n_kept; /* keys and values that every sample sees before its own */
    Segment segments[2];
    int n_segments;
    SfuTensor *x;                       /* [n, 1, t, hidden] */
    SfuTensor *table;                   /* [1, 1, t, head_dim] */
    SfuTensor *picture, *text, *single; /* modulations: [n, 1, 1, 6 or 3 times hidden] */
    SfuTensor *out;                     /* the last norm's: scale, shift */
    SfuTensor **store;                  /* keys and values of every block go there; NULL: not */
} Pass;

static void pass_clear(Pass *p)
{
    sfu_tensor_destroy(p->x);
    sfu_tensor_destroy(p->table);
    sfu_tensor_destroy(p->picture);
    sfu_tensor_destroy(p->text);
    sfu_tensor_destroy(p->single);
    sfu_tensor_destroy(p->out);
}

static SfuTensor *product(const SfuNet *net, const SfuTensor *x, SfuWeight *w, const SfuEpilogue *e, GError **error)
{
    SfuTensor *y = sfu_net_like(net, x, (int)sfu_weight_dim(w, 0), error);
    if (y && !sfu_linear(net->q, y, x, w, e, error))
        sfu_net_drop(&y);
    return y;
}

/* second(silu(first(sinusoids of v [n]))) [+ residual]; Ho 2020, section 3.3. */
static SfuTensor *embed_numbers(const Flux2 *f, const float *v, int n, const SfuLayer *first, const SfuLayer *second,
                                const SfuTensor *residual, GError **error)
{
    double *numbers = g_new(double, n);
    for (int i = 0; i < n; i++)
        numbers[i] = v[i];
    SfuTensor *in = sfu_net_waves(&f->net, numbers, n, f->config->time_channels, error);
    g_free(numbers);
    const SfuEpilogue silu = {.act = SFU_ACT_SILU}, add = {.residual = residual};
    SfuTensor *mid = in ? product(&f->net, in, first->w, &silu, error) : NULL;
    SfuTensor *y = mid ? product(&f->net, mid, second->w, &add, error) : NULL;
    sfu_tensor_destroy(in);
    sfu_tensor_destroy(mid);
    return y;
}

static gboolean modulate(Pass *p, const float *timesteps, GError **error)
{
    const Flux2 *f = p->f;
    const SfuNet *net = &f->net;
    SfuTensor *time = embed_numbers(f, timesteps, p->n, &f->time1, &f->time2, NULL, error);
    if (time && f->config->guidance) {
        float *guidance = g_new(float, p->n);
        for (int i = 0; i < p->n; i++)
            guidance[i] = f->guidance * TIMESTEPS;
        SfuTensor *both = embed_numbers(f, guidance, p->n, &f->guidance1, &f->guidance2, time, error);
        sfu_tensor_destroy(time);
        time = both;
        g_free(guidance);
    }
    const gboolean ok = time && sfu_unary(net->q, time, time, SFU_ACT_SILU, 0, error) &&
                        (p->picture = product(net, time, f->mod_picture.w, NULL, error)) &&
                        (p->text = product(net, time, f->mod_text.w, NULL, error)) &&
                        (p->single = product(net, time, f->mod_single.w, NULL, error)) &&
                        (p->out = product(net, time, f->mod_out, NULL, error));
    sfu_tensor_destroy(time);
    return ok;
}

/* Queries and keys of tokens [1, 1, t, ..]: normed by head and turned to their positions. */
static gboolean prepare(const Pass *p, SfuTensor *qkv, int from, SfuWeight *norm_q, SfuWeight *norm_k, GError **error)
{
    const SfuFlux2Config *k = p->f->config;
    SfuQueue *q = p->f->net.q;
    const SfuRmsNorm queries = {.n_runs = k->n_heads, .size = k->head_dim, .eps = k->eps},
                     keys = {.first = k->hidden, .n_runs = k->n_heads, .size = k->head_dim, .eps = k->eps};
    const SfuRope both = {.n_heads = 2 * k->n_heads, .head_dim = k->head_dim};
    SfuTensor *table = rows_of(p->table, 0, from, qkv->w, error);
    const gboolean ok = table && sfu_rms_norm(q, qkv, qkv, norm_q, &queries, error) &&
                        sfu_rms_norm(q, qkv, qkv, norm_k, &keys, error) && sfu_rope(q, qkv, table, &both, error);
    sfu_tensor_destroy(table);
    return ok;
}

/* o [n, 1, t, hidden] from qkv [n, 1, n_kept + t, 3 * hidden or more] of block i, whose first rows are still empty. */
static gboolean attend(const Pass *p, SfuTensor *o, SfuTensor *qkv, int i, GError **error)
{
    const SfuFlux2Config *k = p->f->config;
    SfuQueue *q = p->f->net.q;
    const int d = k->hidden;
    const SfuAttention a = {.n_heads = k->n_heads, .head_dim = k->head_dim, .k_col = d, .v_col = 2 * d};
    gboolean ok = TRUE;
    for (int s = 0; ok && s < p->n; s++) {
        SfuTensor *all = rows_of(qkv, s, 0, p->n_kept + p->t, error), *own = NULL, *to = NULL, *kept = NULL;
        ok = all && (own = rows_of(qkv, s, p->n_kept, p->t, error)) && (to = rows_of(o, s, 0, p->t, error));
        if (ok && p->n_kept)
            ok = (kept = rows_of(qkv, s, 0, p->n_kept, error)) && sfu_copy_channels(q, kept, d, p->f->kv[i], error);
        if (ok && p->store)
            ok = (p->store[i] = sfu_tensor_create(q, qkv->dtype, 1, 1, p->t, 2 * d, error)) &&
                 sfu_slice(q, p->store[i], own, d, error);
        ok = ok && sfu_attention(q, to, own, all, all, &a, error);
        sfu_tensor_destroy(all);
        sfu_tensor_destroy(own);
        sfu_tensor_destroy(to);
        sfu_tensor_destroy(kept);
    }
    return ok;
}

/* x += gate * y: columns `gate` on of the modulation's row of sample s. Takes y; FALSE if it is NULL. */
static gboolean add_gated(const Pass *p, SfuTensor *x, SfuTensor *y, const SfuTensor *mod, int gate, GError **error)
{
    const gboolean ok = y && sfu_gated_add(p->f->net.q, x, x, y, mod, gate, SFU_ACT_NONE, error);
    sfu_tensor_destroy(y);
    return ok;
}

/* Norm of x with the modulation's columns shift, scale from `shift` on; new tensor. */
static SfuTensor *norm(const Pass *p, const SfuTensor *x, const SfuTensor *mod, int shift, GError **error)
{
    const SfuFlux2Config *k = p->f->config;
    const SfuModulation m = {.t = mod, .shift = shift, .scale = shift + k->hidden};
    SfuTensor *y = sfu_net_like(&p->f->net, x, x->c, error);
    if (y && !sfu_layer_norm_modulated(p->f->net.q, y, x, &m, k->eps, error))
        sfu_net_drop(&y);
    return y;
}

/* A segment of one sample: its tokens, its modulation, its matrices. */
typedef struct {
    const Segment *g;
    const Stream *stream;
    int sample;
    SfuTensor *x, *mod;
} Part;

static gboolean part_of(const Pass *p, Part *part, const Double *b, int s, int i, GError **error)
{
    const Segment *g = &p->segments[i];
    const SfuTensor *mod = g->text ? p->text : p->picture;
    *part = (Part){.g = g, .stream = g->text ? &b->text : &b->picture, .sample = s};
    return (part->x = rows_of(p->x, s, g->from, g->n, error)) &&
           (part->mod = sfu_tensor_view(mod, (size_t)s * (size_t)mod->c, 1, 1, 1, mod->c, error));
}

static void part_clear(Part *part)
{
    sfu_tensor_destroy(part->x);
    sfu_tensor_destroy(part->mod);
}

static gboolean part_qkv(const Pass *p, const Part *part, SfuTensor *qkv, GError **error)
{
    SfuTensor *normed = norm(p, part->x, part->mod, 0, error), *to = NULL;
    const gboolean ok = normed && (to = rows_of(qkv, part->sample, p->n_kept + part->g->from, part->g->n, error)) &&
                        sfu_linear(p->f->net.q, to, normed, part->stream->qkv, NULL, error) &&
                        prepare(p, to, part->g->from, part->stream->norm_q, part->stream->norm_k, error);
    sfu_tensor_destroy(normed);
    sfu_tensor_destroy(to);
    return ok;
}

static gboolean part_finish(const Pass *p, const Part *part, const SfuTensor *o, GError **error)
{
    const SfuNet *net = &p->f->net;
    const int d = p->f->config->hidden;
    SfuTensor *seen = rows_of(o, part->sample, part->g->from, part->g->n, error), *normed = NULL, *wide = NULL,
              *gated = NULL;
    gboolean ok =
        seen && add_gated(p, part->x, product(net, seen, part->stream->out.w, NULL, error), part->mod, 2 * d, error);
    sfu_net_drop(&seen);
    ok = ok && (normed = norm(p, part->x, part->mod, 3 * d, error)) &&
         (wide = product(net, normed, part->stream->up.w, NULL, error));
    sfu_net_drop(&normed);
    ok = ok && (gated = sfu_net_like(net, wide, wide->c / 2, error)) &&
         sfu_half_gate(net->q, gated, wide, SFU_ACT_SILU, error);
    sfu_net_drop(&wide);
    ok = ok && add_gated(p, part->x, product(net, gated, part->stream->down.w, NULL, error), part->mod, 5 * d, error);
    sfu_tensor_destroy(gated);
    return ok;
}

static gboolean run_double(const Pass *p, int i, GError **error)
{
    const SfuNet *net = &p->f->net;
    const Double *b = &p->f->doubles[i];
    const int d = p->f->config->hidden;
    SfuTensor *qkv = sfu_tensor_create(net->q, net->dtype, p->n, 1, p->n_kept + p->t, 3 * d, error), *o = NULL;
    gboolean ok = qkv != NULL;
    for (int k = 0; ok && k < p->n * p->n_segments; k++) {
        Part part;
        ok = part_of(p, &part, b, k % p->n, k / p->n, error) && part_qkv(p, &part, qkv, error);
        part_clear(&part);
    }
    ok = ok && (o = sfu_net_like(net, p->x, d, error)) && attend(p, o, qkv, i, error);
    sfu_net_drop(&qkv);
    for (int k = 0; ok && k < p->n * p->n_segments; k++) {
        Part part;
        ok = part_of(p, &part, b, k % p->n, k / p->n, error) && part_finish(p, &part, o, error);
        part_clear(&part);
    }
    sfu_tensor_destroy(o);
    return ok && sfu_net_trace(net, p->x, error, "transformer_blocks.%d", i);
}

static gboolean run_single(const Pass *p, int i, GError **error)
{
    const SfuFlux2Config *k = p->f->config;
    const SfuNet *net = &p->f->net;
    const Single *b = &p->f->singles[i];
    const int d = k->hidden, m = k->mlp;
    SfuTensor *wide = sfu_tensor_create(net->q, net->dtype, p->n, 1, p->n_kept + p->t, 3 * d + 2 * m, error);
    SfuTensor *normed = wide ? norm(p, p->x, p->single, 0, error) : NULL, *o = NULL, *both = NULL;
    gboolean ok = normed != NULL;
    for (int s = 0; ok && s < p->n; s++) {
        SfuTensor *from = rows_of(normed, s, 0, p->t, error), *to = NULL;
        ok = from && (to = rows_of(wide, s, p->n_kept, p->t, error)) &&
             sfu_linear(net->q, to, from, b->in.w, NULL, error) && prepare(p, to, 0, b->norm_q, b->norm_k, error);
        sfu_tensor_destroy(from);
        sfu_tensor_destroy(to);
    }
    sfu_net_drop(&normed);
    ok = ok && (o = sfu_net_like(net, p->x, d, error)) && attend(p, o, wide, k->n_double + i, error) &&
         (both = sfu_net_like(net, p->x, d + m, error)) && sfu_copy_channels(net->q, both, 0, o, error);
    sfu_net_drop(&o);
    for (int s = 0; ok && s < p->n; s++) {
        SfuTensor *from = rows_of(wide, s, p->n_kept, p->t, error), *to = NULL;
        ok = from && (to = rows_of(both, s, 0, p->t, error)) &&
             sfu_half_gate_columns(net->q, to, d, from, 3 * d, m, SFU_ACT_SILU, error);
        sfu_tensor_destroy(from);
        sfu_tensor_destroy(to);
    }
    sfu_net_drop(&wide);
    ok = ok && add_gated(p, p->x, product(net, both, b->out.w, NULL, error), p->single, 2 * d, error);
    sfu_tensor_destroy(both);
    return ok && sfu_net_trace(net, p->x, error, "single_transformer_blocks.%d", i);
}

static gboolean run_blocks(const Pass *p, GError **error)
{
    gboolean ok = TRUE;
    for (int i = 0; ok && i < p->f->config->n_double; i++)
        ok = run_double(p, i, error);
    for (int i = 0; ok && i < p->f->config->n_single; i++)
        ok = run_single(p, i, error);
    return ok;
}

/* Copies rows of text or references to the tokens of sample s. */
static gboolean put(const Pass *p, int s, int from, const SfuTensor *rows, GError **error)
{
    SfuTensor *in = rows_of(rows, rows->n > 1 ? s : 0, 0, rows->w, error),
              *to = in ? rows_of(p->x, s, from, rows->w, error) : NULL;
    const gboolean ok = to && sfu_convert(p->f->net.q, to, in, error);
    sfu_tensor_destroy(in);
    sfu_tensor_destroy(to);
    return ok;
}

/* The references alone, at timestep 0: their keys and values depend on nothing else. */
static gboolean keep_references(Flux2 *f, GError **error)
{
    const float zero = 0;
    const int n = f->references->w;
    f->kv = g_new0(SfuTensor *, f->config->n_double + f->config->n_single);
    Pass p = {.f = f, .n = 1, .t = n, .segments = {{0, n, FALSE}}, .n_segments = 1, .store = f->kv};
    const gboolean ok = (p.x = sfu_net_like(&f->net, f->references, f->config->hidden, error)) &&
                        put(&p, 0, 0, f->references, error) && (p.table = positions(f, 0, TRUE, 0, 0, error)) &&
                        modulate(&p, &zero, error) && run_blocks(&p, error);
    pass_clear(&p);
    if (!ok)
        forget_kept(f);
    return ok;
}

/* The last norm and product over the picture's tokens, which stand last. */
static SfuTensor *finish(const Pass *p, int h, int w, GError **error)
{
    const Flux2 *f = p->f;
    const SfuNet *net = &f->net;
    const int n = h * w, c = f->config->out_channels, d = f->config->hidden;
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, p->n, h, w, c, error);
    gboolean ok = y != NULL;
    for (int s = 0; ok && s < p->n; s++) {
        SfuTensor *x = rows_of(p->x, s, p->t - n, n, error), *mod = NULL, *to = NULL;
        ok = x && (mod = sfu_tensor_view(p->out, (size_t)s * 2 * (size_t)d, 1, 1, 1, 2 * d, error)) &&
             (to = sfu_tensor_view(y, (size_t)s * (size_t)n * (size_t)c, 1, 1, n, c, error)) &&
             sfu_layer_norm_modulated(net->q, x, x, &(SfuModulation){.t = mod, .scale = 0, .shift = d}, f->config->eps,
                                      error) &&
             sfu_linear(net->q, to, x, f->out.w, NULL, error);
        sfu_tensor_destroy(x);
        sfu_tensor_destroy(mod);
        sfu_tensor_destroy(to);
    }
    if (ok && !sfu_net_trace(net, y, error, "proj_out"))
        ok = FALSE;
    if (!ok)
        sfu_net_drop(&y);
    return y;
}

static gboolean check(const Flux2 *f, const SfuDenoiserInput *in, GError **error)
{
    const SfuTensor *x = in->x;
    if (!f->text)
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, _("the transformer has no text yet"));
    else if (x->c != f->config->in_channels || in->class_labels)
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("the transformer takes latents of %d channels and no classes, was given %d channels"),
                    f->config->in_channels, x->c);
    else if (f->text->n != 1 && f->text->n != x->n)
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE, _("%d texts for %d samples"), f->text->n, x->n);
    else
        return TRUE;
    return FALSE;
}

/* x [n, h, w, c]: tokens are the text, the references, the picture. */
static gboolean forward(gpointer net, SfuTensor **out, const SfuDenoiserInput *in, GError **error)
{
    Flux2 *f = net;
    const SfuTensor *x = in->x;
    *out = NULL;
    if (!check(f, in, error) || (f->keep && !f->kv && !keep_references(f, error)))
        return FALSE;
    const int n_text = f->text->w, n_seen = f->references && !f->keep ? f->references->w : 0,
              n_pictures = n_seen + x->h * x->w;
    Pass p = {.f = f,
              .n = x->n,
              .t = n_text + n_pictures,
              .n_kept = f->keep ? f->references->w : 0,
              .segments = {{0, n_text, TRUE}, {n_text, n_pictures, FALSE}},
              .n_segments = 2};
    gboolean ok = (p.x = sfu_tensor_create(f->net.q, f->net.dtype, p.n, 1, p.t, f->config->hidden, error)) &&
                  (p.table = positions(f, n_text, n_seen > 0, x->h, x->w, error)) && modulate(&p, in->timesteps, error);
    for (int s = 0; ok && s < p.n; s++)
        ok = put(&p, s, 0, f->text, error) && (!n_seen || put(&p, s, n_text, f->references, error)) &&
             embed_picture(f, p.x, s, n_text + n_seen, x, s, error);
    if (ok && run_blocks(&p, error))
        *out = finish(&p, x->h, x->w, error);
    pass_clear(&p);
    return *out != NULL;
}

static const SfuDenoiserClass flux2_class = {destroy, set_trace, set_condition, forward};

SfuDenoiser *sfu_flux2_denoiser(SfuQueue *q, SfuModel *model, const SfuFlux2Config *config, GError **error)
{
    Flux2 *f = bound(q, model, config);
    if (!sfu_net_check(&f->net, error)) {
        destroy(f);
        return NULL;
    }
    const SfuDenoiser d = {.class = &flux2_class,
                           .net = f,
                           .in_channels = config->in_channels,
                           .out_channels = config->out_channels,
                           .token_width = config->context,
                           .guided = config->guidance};
    return g_memdup2(&d, sizeof d);
}
