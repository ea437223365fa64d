/* Z-Image's transformer (Z-Image team 2025, "S3-DiT", section 3; github.com/Tongyi-MAI/Z-Image): tokens of the picture
 * and of the text go through refiners of their own, then as one sequence through layers with the same matrices for all.
 * Every layer norms what goes into a part and what comes out of it; layers that see the picture are modulated by the
 * timestep.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/zimage.h"
#include "net/parts.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MULTIPLE 32    /* tokens: picture and text are each filled up to it */
#define TIMESTEPS 1000 /* sigma 1 as a timestep; the network counts from noise to picture */

typedef struct {
    char name[32];
    SfuWeight *norm1, *norm2, *norm3, *norm4; /* before and after attention, before and after the feed-forward part */
    SfuWeight *norm_q, *norm_k;
    SfuLayer q, k, v, out, gate, up, down;
    SfuLayer modulation; /* scale, gate, scale, gate; w NULL: none */
} Block;

typedef struct {
    SfuNet net;
    const SfuZimageConfig *config;
    SfuLayer picture_in, text_in, time1, time2, out, out_scale;
    SfuWeight *text_norm, *picture_pad, *text_pad;
    Block *noise, *context, *layers;
    /* of the condition */
    int n_texts;
    SfuTensor **texts; /* [n_texts] [1, 1, t, hidden], refined */
} Zimage;

/* ---- binding ---- */

static void bind_block(SfuNet *net, const SfuZimageConfig *k, Block *b, const char *list, int i, gboolean modulated)
{
    const int d = k->hidden, m = k->mlp, head = k->head_dim;
    g_snprintf(b->name, sizeof b->name, "%s.%d", list, i);
    b->norm1 = sfu_net_vector(net, b->name, "attention_norm1.weight", d);
    b->norm2 = sfu_net_vector(net, b->name, "attention_norm2.weight", d);
    b->norm3 = sfu_net_vector(net, b->name, "ffn_norm1.weight", d);
    b->norm4 = sfu_net_vector(net, b->name, "ffn_norm2.weight", d);
    b->norm_q = sfu_net_vector(net, b->name, "attention.norm_q.weight", head);
    b->norm_k = sfu_net_vector(net, b->name, "attention.norm_k.weight", head);
    b->q = sfu_net_linear(net, b->name, "attention.to_q", d, d, FALSE);
    b->k = sfu_net_linear(net, b->name, "attention.to_k", d, d, FALSE);
    b->v = sfu_net_linear(net, b->name, "attention.to_v", d, d, FALSE);
    b->out = sfu_net_linear(net, b->name, "attention.to_out.0", d, d, FALSE);
    b->gate = sfu_net_linear(net, b->name, "feed_forward.w1", m, d, FALSE);
    b->up = sfu_net_linear(net, b->name, "feed_forward.w3", m, d, FALSE);
    b->down = sfu_net_linear(net, b->name, "feed_forward.w2", d, m, FALSE);
    if (modulated)
        b->modulation = sfu_net_linear(net, b->name, "adaLN_modulation.0", 4 * d, k->time_out, TRUE);
}

static Block *bind_blocks(Zimage *z, const char *list, int n, gboolean modulated)
{
    Block *blocks = g_new0(Block, n);
    for (int i = 0; i < n; i++)
        bind_block(&z->net, z->config, &blocks[i], list, i, modulated);
    return blocks;
}

/* A token that fills up, [1, hidden]; quantizing programs write [hidden]. */
static SfuWeight *bind_token(Zimage *z, const char *name)
{
    const gint64 d = z->config->hidden, row[] = {1, d};
    const gboolean flat = sfu_net_dim(&z->net, "", name, 0) == d && sfu_net_dim(&z->net, "", name, 1) == 0;
    return sfu_net_tensor(&z->net, "", name, flat ? 1 : 2, flat ? row + 1 : row);
}

static Zimage *bound(SfuQueue *q, SfuModel *model, const SfuZimageConfig *config)
{
    Zimage *z = g_new0(Zimage, 1);
    SfuNet *net = &z->net;
    const int d = config->hidden, token = config->patch * config->patch * config->channels;
    z->config = config;
    sfu_net_init(net, q, model, SFU_PART_TRANSFORMER);
    z->picture_in = sfu_net_linear(net, "", "all_x_embedder.2-1", d, token, TRUE);
    z->text_norm = sfu_net_vector(net, "", "cap_embedder.0.weight", config->context);
    z->text_in = sfu_net_linear(net, "", "cap_embedder.1", d, config->context, TRUE);
    z->time1 = sfu_net_linear(net, "", "t_embedder.mlp.0", config->time_hidden, config->time_channels, TRUE);
    z->time2 = sfu_net_linear(net, "", "t_embedder.mlp.2", config->time_out, config->time_hidden, TRUE);
    z->picture_pad = bind_token(z, "x_pad_token");
    z->text_pad = bind_token(z, "cap_pad_token");
    z->noise = bind_blocks(z, "noise_refiner", config->n_noise, TRUE);
    z->context = bind_blocks(z, "context_refiner", config->n_context, FALSE);
    z->layers = bind_blocks(z, "layers", config->n_layers, TRUE);
    z->out_scale = sfu_net_linear(net, "", "all_final_layer.2-1.adaLN_modulation.1", d, config->time_out, TRUE);
    z->out = sfu_net_linear(net, "", "all_final_layer.2-1.linear", token, d, TRUE);
    return z;
}

static void forget_condition(Zimage *z)
{
    for (int i = 0; i < z->n_texts; i++)
        sfu_tensor_destroy(z->texts[i]);
    g_clear_pointer(&z->texts, g_free);
    z->n_texts = 0;
}

static void destroy(gpointer net)
{
    Zimage *z = net;
    forget_condition(z);
    g_free(z->noise);
    g_free(z->context);
    g_free(z->layers);
    sfu_net_finish(&z->net);
    g_free(z);
}

static void set_trace(gpointer net, const SfuTrace *trace)
{
    sfu_net_set_trace(&((Zimage *)net)->net, trace);
}

/* ---- layers ---- */

/* A sequence on its way through layers. */
typedef struct {
    SfuTensor *x, *n;      /* [1, 1, t, hidden]; n: scratch */
    SfuTensor *table;      /* of positions, [1, 1, t, head_dim] */
    const SfuTensor *time; /* [1, 1, 1, time_out]; NULL where nothing is modulated */
} Sequence;

static gboolean attend(const Zimage *z, const Block *b, const Sequence *s, SfuTensor *q, SfuTensor *k, SfuTensor *v,
                       GError **error)
{
    SfuQueue *queue = z->net.q;
    const SfuZimageConfig *c = z->config;
    const SfuRmsNorm norm = {0, c->n_heads, c->head_dim, c->eps, NULL};
    const SfuRope turn = {0, c->n_heads, c->head_dim, .halves = FALSE};
    const SfuAttention heads = {.n_heads = c->n_heads, .head_dim = c->head_dim};
    return sfu_linear(queue, q, s->n, b->q.w, NULL, error) && sfu_linear(queue, k, s->n, b->k.w, NULL, error) &&
           sfu_linear(queue, v, s->n, b->v.w, NULL, error) && sfu_rms_norm(queue, q, q, b->norm_q, &norm, error) &&
           sfu_rms_norm(queue, k, k, b->norm_k, &norm, error) && sfu_rope(queue, q, s->table, &turn, error) &&
           sfu_rope(queue, k, s->table, &turn, error) && sfu_attention(queue, s->n, q, k, v, &heads, error);
}

/* x += tanh(gate) * norm(y), or x += norm(y); y is overwritten. column: of the gate. */
static gboolean add_normed(const Zimage *z, const Sequence *s, SfuTensor *y, SfuWeight *norm, const SfuTensor *mod,
                           int column, GError **error)
{
    SfuQueue *q = z->net.q;
    return sfu_rms_norm(q, y, y, norm, &(SfuRmsNorm){.eps = z->config->eps}, error) &&
           (mod ? sfu_gated_add(q, s->x, s->x, y, mod, column, SFU_ACT_TANH, error)
                : sfu_axpby(q, s->x, 1, s->x, 1, y, error));
}

static gboolean norm_in(const Zimage *z, const Sequence *s, SfuWeight *norm, const SfuTensor *mod, int column,
                        GError **error)
{
    const SfuModulation m = {mod, column, -1};
    return sfu_rms_norm(z->net.q, s->n, s->x, norm, &(SfuRmsNorm){.eps = z->config->eps, .mod = mod ? &m : NULL},
                        error);
}

static gboolean run_attention(const Zimage *z, const Block *b, const Sequence *s, const SfuTensor *mod, GError **error)
{
    const SfuNet *net = &z->net;
    const int d = z->config->hidden;
    SfuTensor *q = sfu_net_like(net, s->x, d, error), *k = q ? sfu_net_like(net, s->x, d, error) : NULL,
              *v = k ? sfu_net_like(net, s->x, d, error) : NULL;
    const gboolean ok = v && norm_in(z, s, b->norm1, mod, 0, error) && attend(z, b, s, q, k, v, error) &&
                        sfu_linear(net->q, q, s->n, b->out.w, NULL, error) &&
                        add_normed(z, s, q, b->norm2, mod, d, error);
    sfu_tensor_destroy(q);
    sfu_tensor_destroy(k);
    sfu_tensor_destroy(v);
    return ok;
}

static gboolean run_feed_forward(const Zimage *z, const Block *b, const Sequence *s, const SfuTensor *mod,
                                 GError **error)
{
    const SfuNet *net = &z->net;
    const int d = z->config->hidden, m = z->config->mlp;
    const SfuEpilogue silu = {.act = SFU_ACT_SILU};
    SfuTensor *g = sfu_net_like(net, s->x, m, error), *u = g ? sfu_net_like(net, s->x, m, error) : NULL;
    const gboolean ok =
        u && norm_in(z, s, b->norm3, mod, 2 * d, error) && sfu_linear(net->q, g, s->n, b->gate.w, &silu, error) &&
        sfu_linear(net->q, u, s->n, b->up.w, NULL, error) && sfu_mul(net->q, g, g, u, error) &&
        sfu_linear(net->q, s->n, g, b->down.w, NULL, error) && add_normed(z, s, s->n, b->norm4, mod, 3 * d, error);
    sfu_tensor_destroy(g);
    sfu_tensor_destroy(u);
    return ok;
}

static gboolean run_blocks(const Zimage *z, const Block *blocks, int n, const Sequence *s, GError **error)
{
    const SfuNet *net = &z->net;
    gboolean ok = TRUE;
    for (int i = 0; ok && i < n; i++) {
        const Block *b = &blocks[i];
        SfuTensor *mod = NULL;
        if (s->time) {
            const SfuEpilogue bias = {.bias = b->modulation.b};
            mod = sfu_net_like(net, s->time, 4 * z->config->hidden, error);
            ok = mod && sfu_linear(net->q, mod, s->time, b->modulation.w, &bias, error);
        }
        ok = ok && run_attention(z, b, s, mod, error) && run_feed_forward(z, b, s, mod, error) &&
             sfu_net_trace(net, s->x, error, "%s", b->name);
        sfu_tensor_destroy(mod);
    }
    return ok;
}

/* ---- positions ---- */

static void write_position(const SfuZimageConfig *c, const int *at, float *to)
{
    sfu_net_turn(c->axes, SFU_ZIMAGE_AXES, c->theta, at, to);
}

static SfuTensor *upload(const Zimage *z, const float *v, int t, GError **error)
{
    SfuTensor *table = sfu_tensor_create(z->net.q, SFU_F32, 1, 1, t, z->config->head_dim, error);
    if (table && !sfu_tensor_write(table, v, error))
        sfu_net_drop(&table);
    return table;
}

static int filled_up(int n)
{
    return (n + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
}

/* Of n_text tokens of text, which count from 1; filling tokens count on. */
static void write_text_positions(const Zimage *z, int n_text, float *to)
{
    for (int i = 0; i < n_text; i++)
        write_position(z->config, (const int[]){1 + i, 0, 0}, to + (gsize)i * z->config->head_dim);
}

/* Of h x w tokens of the picture, whose place is behind the text, then of filling tokens, which are at 0. */
static void write_picture_positions(const Zimage *z, int h, int w, int n_text, float *to)
{
    const gsize d = (gsize)z->config->head_dim;
    for (int i = 0; i < h * w; i++)
        write_position(z->config, (const int[]){1 + n_text, i / w, i % w}, to + (gsize)i * d);
    for (int i = h * w; i < filled_up(h * w); i++)
        write_position(z->config, (const int[]){0, 0, 0}, to + (gsize)i * d);
}

/* ---- the condition ---- */

/* x [1, 1, n, hidden] into the first n rows of *out [1, 1, filled up, hidden], the rest are copies of the pad token. */
static gboolean fill_up(const Zimage *z, const SfuTensor *x, SfuWeight *pad, SfuTensor **out, GError **error)
{
    const SfuNet *net = &z->net;
    const int n = x->w, all = filled_up(n), d = z->config->hidden;
    if (!(*out = sfu_tensor_create(net->q, net->dtype, 1, 1, all, d, error)))
        return FALSE;
    SfuTensor *head = sfu_tensor_view(*out, 0, 1, 1, n, d, error);
    gboolean ok = head && sfu_convert(net->q, head, x, error);
    sfu_tensor_destroy(head);
    if (!ok || all == n)
        return ok;
    float *rows = g_new(float, (gsize)(all - n) * (gsize)d);
    sfu_weight_read_f32(pad, 0, d, rows);
    for (int i = 1; i < all - n; i++)
        memcpy(rows + (gsize)i * (gsize)d, rows, (gsize)d * sizeof *rows);
    SfuTensor *tail = sfu_tensor_view(*out, (size_t)n * (size_t)d, 1, 1, all - n, d, error);
    ok = tail && sfu_tensor_write(tail, rows, error);
    sfu_tensor_destroy(tail);
    g_free(rows);
    return ok;
}

/* The first n tokens of a text [1, 1, >= n, context], embedded, filled up and refined. NULL with error. */
static SfuTensor *refine_text(const Zimage *z, const SfuTensor *text, GError **error)
{
    const SfuNet *net = &z->net;
    const int all = filled_up(text->w);
    const SfuEpilogue bias = {.bias = z->text_in.b};
    Sequence s = {0};
    /* Hidden states of language models may leave fp16's range, what is normed does not. */
    SfuTensor *wide = sfu_tensor_create(net->q, text->dtype, 1, 1, text->w, text->c, error),
              *n = wide && sfu_rms_norm(net->q, wide, text, z->text_norm, &(SfuRmsNorm){.eps = z->config->eps}, error)
                       ? sfu_net_input(net, wide, error)
                       : NULL,
              *x = n ? sfu_net_like(net, n, z->config->hidden, error) : NULL;
    float *positions = g_new(float, (gsize)all *(gsize)z->config->head_dim);
    write_text_positions(z, all, positions);
    const gboolean ok =
        x && sfu_linear(net->q, x, n, z->text_in.w, &bias, error) && fill_up(z, x, z->text_pad, &s.x, error) &&
        (s.n = sfu_net_like(net, s.x, z->config->hidden, error)) && (s.table = upload(z, positions, all, error)) &&
        run_blocks(z, z->context, z->config->n_context, &s, error);
    g_free(positions);
    sfu_tensor_destroy(wide);
    sfu_tensor_destroy(n);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(s.n);
    sfu_tensor_destroy(s.table);
    if (!ok)
        sfu_net_drop(&s.x);
    return s.x;
}

static gboolean set_condition(gpointer net, const SfuCondition *condition, GError **error)
{
    Zimage *z = net;
    const SfuTensor *tokens = condition->tokens;
    forget_condition(z);
    if (!tokens || tokens->c != z->config->context || tokens->h != 1 || condition->n_numbers ||
        condition->pooled_width || condition->n_references) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("%s takes only text of width %d, but was given %d"), sfu_model_path(z->net.model),
                    z->config->context, tokens ? tokens->c : 0);
        return FALSE;
    }
    z->texts = g_new0(SfuTensor *, tokens->n);
    for (int i = 0; i < tokens->n; i++) {
        int seen = tokens->w;
        while (condition->mask && seen > 1 && !condition->mask[i * tokens->w + seen - 1])
            seen--;
        SfuTensor *text =
            sfu_tensor_view(tokens, (size_t)i * (size_t)tokens->w * (size_t)tokens->c, 1, 1, seen, tokens->c, error);
        z->texts[i] = text ? refine_text(z, text, error) : NULL;
        z->n_texts = i + 1;
        sfu_tensor_destroy(text);
        if (!z->texts[i])
            return FALSE;
    }
    return TRUE;
}

/* ---- a pass ---- */

/* second(silu(first(sinusoids))): cosines, then sines. Ho 2020, section 3.3. */
static SfuTensor *embed_time(const Zimage *z, double timestep, GError **error)
{
    const SfuNet *net = &z->net;
    const SfuZimageConfig *c = z->config;
    const SfuEpilogue first = {.bias = z->time1.b, .act = SFU_ACT_SILU}, second = {.bias = z->time2.b};
    SfuTensor *in = sfu_net_waves(net, &timestep, 1, c->time_channels, error),
              *mid = in ? sfu_net_like(net, in, c->time_hidden, error) : NULL,
              *out = mid ? sfu_net_like(net, in, c->time_out, error) : NULL;
    if (out && !(sfu_linear(net->q, mid, in, z->time1.w, &first, error) &&
                 sfu_linear(net->q, out, mid, z->time2.w, &second, error)))
        sfu_net_drop(&out);
    sfu_tensor_destroy(in);
    sfu_tensor_destroy(mid);
    return out;
}

/* x [1, h, w, c] as tokens [1, 1, h/p * w/p, p * p * c]: a token holds its rows, their pixels, their channels. */
static gboolean into_tokens(const Zimage *z, SfuTensor *tokens, const SfuTensor *x, GError **error)
{
    const int p = z->config->patch, dims[] = {x->h / p, p, x->w / p, p, x->c}, order[] = {0, 2, 1, 3, 4};
    return sfu_permute(z->net.q, tokens, x, 5, dims, order, error);
}

/* And back. */
static gboolean out_of_tokens(const Zimage *z, SfuTensor *x, const SfuTensor *tokens, GError **error)
{
    const int p = z->config->patch, dims[] = {x->h / p, x->w / p, p, p, x->c}, order[] = {0, 2, 1, 3, 4};
    return sfu_permute(z->net.q, x, tokens, 5, dims, order, error);
}

/* The tokens of a picture x [1, h, w, c], embedded and filled up: s->x [1, 1, filled up, hidden]. */
static gboolean embed_picture(const Zimage *z, const SfuLayer *embedder, const SfuTensor *x, Sequence *s,
                              const float *positions, GError **error)
{
    const SfuNet *net = &z->net;
    const SfuZimageConfig *c = z->config;
    const int t = x->h / c->patch * (x->w / c->patch), token = c->patch * c->patch * x->c;
    const SfuEpilogue bias = {.bias = embedder->b};
    SfuTensor *cut = sfu_tensor_create(net->q, net->dtype, 1, 1, t, token, error),
              *in = cut ? sfu_net_like(net, cut, c->hidden, error) : NULL;
    const gboolean ok = in && into_tokens(z, cut, x, error) && sfu_linear(net->q, in, cut, embedder->w, &bias, error) &&
                        fill_up(z, in, z->picture_pad, &s->x, error) &&
                        (s->n = sfu_net_like(net, s->x, c->hidden, error)) &&
                        (s->table = upload(z, positions, s->x->w, error));
    sfu_tensor_destroy(cut);
    sfu_tensor_destroy(in);
    return ok;
}

static gboolean refine_picture(const Zimage *z, const SfuTensor *x, Sequence *s, const float *positions, GError **error)
{
    return embed_picture(z, &z->picture_in, x, s, positions, error) &&
           run_blocks(z, z->noise, z->config->n_noise, s, error);
}

static void sequence_clear(Sequence *s)
{
    sfu_net_drop(&s->x);
    sfu_net_drop(&s->n);
    sfu_net_drop(&s->table);
}

/* Picture and text one behind the other. */
static gboolean join(const Zimage *z, Sequence *all, const Sequence *picture, const SfuTensor *text,
                     const float *positions, GError **error)
{
    const SfuNet *net = &z->net;
    const int n = picture->x->w, t = text->w, d = z->config->hidden;
    all->x = sfu_tensor_create(net->q, net->dtype, 1, 1, n + t, d, error);
    all->n = all->x ? sfu_net_like(net, all->x, d, error) : NULL;
    SfuTensor *head = all->n ? sfu_tensor_view(all->x, 0, 1, 1, n, d, error) : NULL,
              *tail = head ? sfu_tensor_view(all->x, (size_t)n * (size_t)d, 1, 1, t, d, error) : NULL;
    const gboolean ok = tail && sfu_convert(net->q, head, picture->x, error) &&
                        sfu_convert(net->q, tail, text, error) && (all->table = upload(z, positions, n + t, error));
    sfu_tensor_destroy(head);
    sfu_tensor_destroy(tail);
    return ok;
}

/* -linear(layer_norm(x) * (1 + scale)) of the picture's tokens, into out [1, h, w, c]: the network predicts the
 * direction from noise to picture, samplers want the opposite. */
static gboolean finish(const Zimage *z, const Sequence *s, SfuTensor *out, GError **error)
{
    const SfuNet *net = &z->net;
    const SfuZimageConfig *c = z->config;
    const int t = out->h / c->patch * (out->w / c->patch), token = c->patch * c->patch * c->channels;
    const SfuEpilogue to_scale = {.bias = z->out_scale.b}, last = {.bias = z->out.b, .scale = -1};
    SfuTensor *x = sfu_tensor_view(s->x, 0, 1, 1, t, c->hidden, error),
              *time = x ? sfu_net_like(net, s->time, c->time_out, error) : NULL,
              *scale = time ? sfu_net_like(net, s->time, c->hidden, error) : NULL,
              *cut = scale ? sfu_net_like(net, x, token, error) : NULL;
    const SfuModulation mod = {scale, 0, -1};
    const gboolean ok = cut && sfu_unary(net->q, time, s->time, SFU_ACT_SILU, 0, error) &&
                        sfu_linear(net->q, scale, time, z->out_scale.w, &to_scale, error) &&
                        sfu_layer_norm_modulated(net->q, x, x, &mod, 1e-6f, error) &&
                        sfu_linear(net->q, cut, x, z->out.w, &last, error) && out_of_tokens(z, out, cut, error);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(time);
    sfu_tensor_destroy(scale);
    sfu_tensor_destroy(cut);
    return ok;
}

/* ---- networks that steer a pass ---- */

/* A layer of such a network. */
typedef struct {
    Block block;
    SfuLayer before, after; /* into the first of them, out of each; w NULL: none */
} ControlBlock;

typedef struct {
    SfuNet net;
    const SfuZimageControlConfig *config;
    SfuLayer picture_in;
    ControlBlock *layers, *refiners;
    SfuTensor *picture; /* [1, h, w, channels]; NULL: not set */
} ZimageControl;

/* A sample that is steered. */
typedef struct {
    const Zimage *z;
    const ZimageControl *c;
    float weight;
    const SfuTensor *x, *text; /* latents [1, h, w, c]; refined tokens */
    const float *positions;
    const SfuTensor *time;
} Steered;

/* s->x through a layer, to which x joins what it was before the first; *hint: what the transformer gets (NULL: none is
 * wanted). */
static gboolean run_control(const Steered *t, const ControlBlock *b, const Sequence *s, const SfuTensor *x,
                            SfuTensor **hint, GError **error)
{
    SfuQueue *q = t->z->net.q;
    const SfuEpilogue in = {.bias = b->before.b}, out = {.bias = b->after.b, .scale = t->weight};
    gboolean ok = TRUE;
    if (b->before.w)
        ok = sfu_linear(q, s->n, s->x, b->before.w, &in, error) && sfu_axpby(q, s->x, 1, s->n, 1, x, error);
    ok = ok && run_blocks(t->z, &b->block, 1, s, error);
    if (ok && hint)
        ok = (*hint = sfu_net_like(&t->z->net, s->x, s->x->c, error)) &&
             sfu_linear(q, *hint, s->x, b->after.w, &out, error);
    return ok;
}

/* The control's picture, refined: s. Networks that steer the refiners see the picture as these then leave it: *own. */
static gboolean refine_control(const Steered *t, Sequence *s, Sequence *own, GError **error)
{
    const Zimage *z = t->z;
    const SfuZimageControlConfig *k = t->c->config;
    const gboolean layers = k->refining == SFU_ZIMAGE_LAYERS;
    const ControlBlock *blocks = layers ? t->c->layers : t->c->refiners;
    const int n = layers ? k->n_layers : k->n_refiners, n_noise = z->config->n_noise;
    SfuTensor **hints = g_new0(SfuTensor *, n_noise + 1);
    gboolean ok = embed_picture(z, &t->c->picture_in, t->c->picture, s, t->positions, error);
    if (ok && k->refining != SFU_ZIMAGE_PLAIN)
        ok = embed_picture(z, &z->picture_in, t->x, own, t->positions, error);
    for (int i = 0; ok && i < n; i++)
        ok = k->refining == SFU_ZIMAGE_PLAIN
                 ? run_blocks(z, &blocks[i].block, 1, s, error)
                 : run_control(t, &blocks[i], s, own->x, i < n_noise ? &hints[i] : NULL, error);
    for (int i = 0; ok && own->x && i < n_noise; i++)
        ok = run_blocks(z, &z->noise[i], 1, own, error) &&
             (!hints[i] || sfu_axpby(z->net.q, own->x, 1, own->x, 1, hints[i], error));
    for (int i = 0; i < n_noise; i++)
        sfu_tensor_destroy(hints[i]);
    g_free(hints);
    return ok;
}

/* Adds to hints [n_layers of the transformer] what the network has to say. all: the transformer's own sequence. */
static gboolean steer(const Steered *t, const Sequence *all, SfuTensor **hints, GError **error)
{
    const Zimage *z = t->z;
    const SfuZimageControlConfig *k = t->c->config;
    const int every = z->config->n_layers / k->n_layers;
    Sequence s = {.time = t->time}, own = {.time = t->time}, with_text = {.time = t->time}, seen = {0};
    gboolean ok = refine_control(t, &s, &own, error) && join(z, &with_text, &s, t->text, t->positions, error) &&
                  (!own.x || join(z, &seen, &own, t->text, t->positions, error));
    sequence_clear(&s);
    sequence_clear(&own);
    for (int i = 0; ok && i < k->n_layers; i++) {
        SfuTensor *hint = NULL, **sum = &hints[i * every];
        ok = run_control(t, &t->c->layers[i], &with_text, seen.x ? seen.x : all->x, &hint, error) &&
             (!*sum || sfu_axpby(z->net.q, *sum, 1, *sum, 1, hint, error));
        if (!*sum)
            *sum = g_steal_pointer(&hint);
        sfu_tensor_destroy(hint);
    }
    sequence_clear(&with_text);
    sequence_clear(&seen);
    return ok;
}

/* The hints of all networks for one sample; caller frees. NULL with error. */
static SfuTensor **hints_of(Steered *t, const Sequence *all, const SfuResiduals *r, int sample, GError **error)
{
    SfuTensor **hints = g_new0(SfuTensor *, t->z->config->n_layers);
    gboolean ok = TRUE;
    for (int i = 0; ok && r && i < r->n_within; i++) {
        if (r->within[i].n_samples && sample >= r->within[i].n_samples)
            continue;
        t->c = r->within[i].net;
        t->weight = r->within[i].weight;
        ok = t->weight == 0 || steer(t, all, hints, error);
    }
    if (ok)
        return hints;
    for (int i = 0; i < t->z->config->n_layers; i++)
        sfu_tensor_destroy(hints[i]);
    g_free(hints);
    return NULL;
}

/* The transformer's own layers, and what is added behind them. */
static gboolean run_layers(Steered *t, Sequence *all, const SfuResiduals *r, int sample, GError **error)
{
    const Zimage *z = t->z;
    SfuTensor **hints = hints_of(t, all, r, sample, error);
    gboolean ok = hints != NULL;
    for (int i = 0; hints && i < z->config->n_layers; i++) {
        ok = ok && run_blocks(z, &z->layers[i], 1, all, error) &&
             (!hints[i] || sfu_axpby(z->net.q, all->x, 1, all->x, 1, hints[i], error));
        sfu_tensor_destroy(hints[i]);
    }
    g_free(hints);
    return ok;
}

/* Sample number i: x, out [1, h, w, c]. */
static gboolean run_sample(const Zimage *z, SfuTensor *out, const SfuTensor *x, int i, const SfuDenoiserInput *in,
                           GError **error)
{
    const SfuTensor *text = z->texts[z->n_texts == 1 ? 0 : i];
    const double timestep = (double)in->timesteps[i];
    const SfuZimageConfig *c = z->config;
    const int h = x->h / c->patch, w = x->w / c->patch, n = filled_up(h * w);
    float *positions = g_new(float, (gsize)(n + text->w) * (gsize)c->head_dim);
    write_picture_positions(z, h, w, text->w, positions);
    write_text_positions(z, text->w, positions + (gsize)n * (gsize)c->head_dim);
    SfuTensor *time = embed_time(z, TIMESTEPS - timestep, error);
    Sequence picture = {.time = time}, all = {.time = time};
    gboolean ok =
        time && refine_picture(z, x, &picture, positions, error) && join(z, &all, &picture, text, positions, error);
    sequence_clear(&picture);
    Steered steered = {.z = z, .x = x, .text = text, .positions = positions, .time = time};
    ok = ok && run_layers(&steered, &all, in->residuals, i, error) && finish(z, &all, out, error);
    sequence_clear(&all);
    sfu_tensor_destroy(time);
    g_free(positions);
    return ok;
}

static gboolean forward(gpointer net, SfuTensor **out, const SfuDenoiserInput *in, GError **error)
{
    const Zimage *z = net;
    const SfuZimageConfig *c = z->config;
    const int n = in->x->n, h = in->x->h, w = in->x->w;
    *out = NULL;
    if (in->x->c != c->channels || h % c->patch || w % c->patch || !z->n_texts ||
        (z->n_texts != 1 && z->n_texts != n)) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("%s: %d latents of %d x %d x %d with %d texts are not possible"), sfu_model_path(z->net.model), n,
                    h, w, in->x->c, z->n_texts);
        return FALSE;
    }
    SfuTensor *x = sfu_net_input(&z->net, in->x, error), *y = x ? sfu_net_like(&z->net, x, c->channels, error) : NULL;
    const gsize one = (gsize)h * (gsize)w * (gsize)c->channels;
    gboolean ok = y != NULL;
    for (int i = 0; ok && i < n; i++) {
        SfuTensor *from = sfu_tensor_view(x, (gsize)i * one, 1, h, w, c->channels, error),
                  *to = from ? sfu_tensor_view(y, (gsize)i * one, 1, h, w, c->channels, error) : NULL;
        ok = to && run_sample(z, to, from, i, in, error);
        sfu_tensor_destroy(from);
        sfu_tensor_destroy(to);
    }
    if (ok)
        *out = g_steal_pointer(&y);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    return ok;
}

SfuDenoiser *sfu_zimage_denoiser(SfuQueue *q, SfuModel *model, const SfuZimageConfig *config, GError **error)
{
    static const SfuDenoiserClass class = {destroy, set_trace, set_condition, forward};
    Zimage *z = bound(q, model, config);
    if (!sfu_net_check(&z->net, error)) {
        destroy(z);
        return NULL;
    }
    SfuDenoiser *d = g_new0(SfuDenoiser, 1);
    *d = (SfuDenoiser){.class = &class,
                       .net = z,
                       .in_channels = config->channels,
                       .out_channels = config->channels,
                       .token_width = config->context,
                       .multiple = config->patch};
    return d;
}

void sfu_zimage_expect(SfuModel *model, const SfuZimageConfig *config)
{
    Zimage *z = bound(NULL, model, config);
    sfu_net_note(&z->net);
    destroy(z);
}

/* ---- the steering network alone ---- */

static ControlBlock *bind_control_blocks(ZimageControl *c, const char *list, int n, gboolean steering)
{
    ControlBlock *blocks = g_new0(ControlBlock, n);
    const int d = c->config->sizes.hidden;
    for (int i = 0; i < n; i++) {
        bind_block(&c->net, &c->config->sizes, &blocks[i].block, list, i, TRUE);
        if (steering && i == 0)
            blocks[i].before = sfu_net_linear(&c->net, blocks[i].block.name, "before_proj", d, d, TRUE);
        if (steering)
            blocks[i].after = sfu_net_linear(&c->net, blocks[i].block.name, "after_proj", d, d, TRUE);
    }
    return blocks;
}

static ZimageControl *control_bound(SfuQueue *q, SfuModel *model, const SfuZimageControlConfig *config)
{
    ZimageControl *c = g_new0(ZimageControl, 1);
    const int p = config->sizes.patch;
    c->config = config;
    sfu_net_init(&c->net, q, model, SFU_PART_CONTROL);
    c->picture_in =
        sfu_net_linear(&c->net, "", "control_all_x_embedder.2-1", config->sizes.hidden, p * p * config->channels, TRUE);
    c->layers = bind_control_blocks(c, "control_layers", config->n_layers, TRUE);
    c->refiners =
        bind_control_blocks(c, "control_noise_refiner", config->n_refiners, config->refining != SFU_ZIMAGE_PLAIN);
    return c;
}

static void control_forget(gpointer net)
{
    sfu_net_drop(&((ZimageControl *)net)->picture);
}

static void control_destroy(gpointer net)
{
    ZimageControl *c = net;
    control_forget(c);
    g_free(c->layers);
    g_free(c->refiners);
    sfu_net_finish(&c->net);
    g_free(c);
}

static void control_set_wrap(gpointer net, int wrap)
{
    (void)net; /* its model makes no seamless pictures */
    (void)wrap;
}

/* All its channels: SfuControl.sees_kept. */
static gboolean control_set_picture(gpointer net, const float *latents, int h, int w, GError **error)
{
    ZimageControl *c = net;
    control_forget(c);
    SfuTensor *wide = sfu_tensor_create(c->net.q, SFU_F32, 1, h, w, c->config->channels, error);
    if (wide && sfu_tensor_write(wide, latents, error))
        c->picture = sfu_net_input(&c->net, wide, error);
    sfu_tensor_destroy(wide);
    return c->picture != NULL;
}

static gboolean control_add(gpointer net, SfuControlSum *sum, const SfuDenoiserInput *in, const SfuControlUse *use,
                            GError **error)
{
    const ZimageControl *c = net;
    if (!c->picture || c->picture->h != in->x->h || c->picture->w != in->x->w || sum->n_within == SFU_MOST_WITHIN) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    _("%s has no picture of %d x %d latents, or more than %d networks steer this pass"),
                    sfu_model_path(c->net.model), in->x->w, in->x->h, SFU_MOST_WITHIN);
        return FALSE;
    }
    sum->within[sum->n_within++] = (SfuWithin){net, (float)use->weight, use->n_guessed};
    return TRUE;
}

SfuControl *sfu_zimage_control(SfuQueue *q, SfuModel *model, const SfuZimageControlConfig *config, GError **error)
{
    static const SfuControlClass class = {control_destroy,     control_set_wrap, control_forget, NULL, NULL,
                                          control_set_picture, control_add};
    ZimageControl *c = control_bound(q, model, config);
    if (!sfu_net_check(&c->net, error)) {
        control_destroy(c);
        return NULL;
    }
    const SfuControl control = {.class = &class,
                                .net = c,
                                .channels = 3,
                                .sees_latents = TRUE,
                                .sees_kept = config->channels > config->sizes.channels};
    return g_memdup2(&control, sizeof control);
}

void sfu_zimage_control_expect(SfuModel *model, const SfuZimageControlConfig *config)
{
    ZimageControl *c = control_bound(NULL, model, config);
    sfu_net_note(&c->net);
    control_destroy(c);
}
