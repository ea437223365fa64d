/* MI-GAN (Sargsyan 2023, "MI-GAN: a simple baseline for image inpainting on mobile devices", section 3): an encoder and
 * a synthesis network of separable convolutions that meet at every resolution, with the noise and the picture that
 * grows beside the features of StyleGAN 2 (Karras 2020). Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/parts.h"
#include "net/remover.h"

#define MOST_LEVELS 9 /* 1024, 512 .. 4 */
#define LEAST 4       /* side of the coarsest level */

static const SfuLeakyClamp activation = {.slope = 0.2f, .gain = 1.41421356f, .limit = 256};

/* A 3x3 convolution of each channel by itself, then a 1x1 one; the activation behind both. Between them, or behind the
 * second, the size may change. */
typedef struct {
    SfuLayer spread, mix;
    SfuWeight *down, *up; /* [c, 1, 4, 4], stride 2; [4 c, 1, 3, 3], which make the four pixels of each cell */
    SfuWeight *noise;     /* [side * side], already times its strength */
} Separable;

typedef struct {
    int side, c;
    Separable encoder[2], synthesis[2];
    SfuLayer to_rgb;
    SfuWeight *up; /* of the picture, from the level below */
} Level;

typedef struct {
    SfuNet net;
    int n_levels;
    Level level[MOST_LEVELS]; /* the finest first */
    SfuLayer from_rgb;
} Migan;

/* ---- weights ---- */

/* Zeros inserted between the pixels by a transposed convolution [c, 1, 2, 2], then a filter [c, 1, 4, 4] with two zeros
 * before and one behind: along an axis, tap t of pixel r of a cell sees place (r + t) % 2 of the cell before, this
 * one, or the next one. */
static SfuWeight *bind_up(SfuNet *net, const char *prefix, int c)
{
    const gint64 inserted[] = {c, 1, 2, 2}, taps[] = {c, 1, 4, 4}, dims[] = {4 * c, 1, 3, 3};
    float *v = sfu_net_values(net, sfu_net_tensor(net, prefix, "upsample.insert_zeros.weight", 4, inserted)),
          *f = sfu_net_values(net, sfu_net_tensor(net, prefix, "upsample.filter.weight", 4, taps)),
          *w = g_new0(float, 36 * (gsize)c);
    for (int i = 0; v && f && i < 4 * c; i++)
        for (int t = 0; t < 16; t++) {
            const int y = i / 2 % 2 + t / 4, x = i % 2 + t % 4;
            w[9 * i + y / 2 * 3 + x / 2] += f[i / 4 * 16 + t] * v[i / 4 * 4 + y % 2 * 2 + x % 2];
        }
    g_free(v);
    g_free(f);
    return sfu_net_own(net, prefix, w, 4, dims);
}

static SfuWeight *bind_noise(SfuNet *net, const char *prefix, int side)
{
    const gint64 square[] = {side, side}, row[] = {(gint64)side * side};
    float *v = sfu_net_values(net, sfu_net_tensor(net, prefix, "noise_const", 2, square)),
          *strength = sfu_net_values(net, sfu_net_tensor(net, prefix, "noise_strength", 0, NULL));
    for (gint64 i = 0; v && strength && i < row[0]; i++)
        v[i] *= *strength;
    g_free(strength);
    return v ? sfu_net_own(net, prefix, v, 1, row) : NULL;
}

static void bind_separable(SfuNet *net, Separable *s, const char *prefix, int in, int out)
{
    const gint64 dims[] = {in, 1, 3, 3};
    s->spread.w = sfu_net_tensor(net, prefix, "conv1.weight", 4, dims);
    s->spread.b = sfu_net_vector(net, prefix, "conv1.bias", in);
    s->mix = sfu_net_linear(net, prefix, "conv2", out, in, FALSE);
}

/* The file's layer takes 1/2 - hole and the colors from -1 to 1, zero in the hole; ours the colors from 0 to 1, zero in
 * the hole, and the hole: 2 rgb - 1 + hole is the same. */
static SfuLayer bind_from_rgb(SfuNet *net, const char *prefix, int c)
{
    const gint64 dims[] = {c, 4};
    const SfuLayer l = sfu_net_linear(net, prefix, "fromrgb", c, 4, TRUE);
    float *v = sfu_net_values(net, l.w), *b = sfu_net_values(net, l.b), *w = g_new0(float, 4 * (gsize)c),
          *shift = g_new0(float, c);
    for (int o = 0; v && b && o < c; o++) {
        const float hole = v[4 * o], rgb = v[4 * o + 1] + v[4 * o + 2] + v[4 * o + 3];
        for (int i = 0; i < 3; i++)
            w[4 * o + i] = 2 * v[4 * o + 1 + i];
        w[4 * o + 3] = rgb - hole;
        shift[o] = b[o] + hole / 2 - rgb;
    }
    g_free(v);
    g_free(b);
    return (SfuLayer){.w = sfu_net_own(net, "fromrgb", w, 2, dims), .b = sfu_net_own(net, "its bias", shift, 1, dims)};
}

/* below: channels of the next coarser level, 0: this is the coarsest. */
static void bind_level(SfuNet *net, Level *l, int below)
{
    const int out = below ? below : l->c;
    const gint64 taps[] = {l->c, 1, 4, 4};
    char at[48], name[64];
    for (int i = 0; i < 2; i++) {
        g_snprintf(at, sizeof at, "encoder.b%d.conv%d", l->side, i + 1);
        bind_separable(net, &l->encoder[i], at, l->c, i ? out : l->c);
        if (i && below)
            l->encoder[i].down = sfu_net_tensor(net, at, "downsample.filter.weight", 4, taps);
        g_snprintf(at, sizeof at, "synthesis.b%d.conv%d", l->side, i + 1);
        bind_separable(net, &l->synthesis[i], at, i ? l->c : out, l->c);
        if (below)
            l->synthesis[i].noise = bind_noise(net, at, l->side);
        if (!i && below)
            l->synthesis[i].up = bind_up(net, at, l->c);
    }
    g_snprintf(at, sizeof at, "synthesis.b%d", l->side);
    l->to_rgb = sfu_net_linear(net, at, "torgb", 3, l->c, TRUE);
    if (below)
        l->up = bind_up(net, at, 3);
    if (l == &((Migan *)net)->level[0]) {
        g_snprintf(name, sizeof name, "encoder.b%d", l->side);
        ((Migan *)net)->from_rgb = bind_from_rgb(net, name, l->c);
    }
}

static void destroy(gpointer network)
{
    Migan *m = network;
    sfu_net_finish(&m->net);
    g_free(m);
}

static Migan *migan_new(SfuQueue *q, SfuModel *model)
{
    Migan *m = g_new0(Migan, 1);
    char name[64];
    sfu_net_init(&m->net, q, model, SFU_PART_REMOVER);
    for (int side = sfu_migan_side(model); side >= LEAST && m->n_levels < MOST_LEVELS; side /= 2) {
        g_snprintf(name, sizeof name, "encoder.b%d.conv1.conv1.weight", side);
        m->level[m->n_levels++] = (Level){.side = side, .c = MAX(1, sfu_net_dim(&m->net, "", name, 0))};
    }
    for (int i = 0; i < m->n_levels; i++)
        bind_level(&m->net, &m->level[i], i + 1 < m->n_levels ? m->level[i + 1].c : 0);
    return m;
}

int sfu_migan_side(SfuModel *model)
{
    for (int side = LEAST << (MOST_LEVELS - 1); side > LEAST; side /= 2) {
        char name[48];
        g_snprintf(name, sizeof name, "encoder.b%d.fromrgb.weight", side);
        if (sfu_model_find(model, SFU_PART_REMOVER, name))
            return side;
    }
    return 0;
}

void sfu_migan_expect(SfuModel *model)
{
    Migan *m = migan_new(NULL, model);
    sfu_net_note(&m->net);
    destroy(m);
}

/* ---- passes ---- */

/* A convolution of each channel by itself, `times` outputs of each; x is borrowed. */
static SfuTensor *spread(const SfuNet *net, const SfuTensor *x, SfuWeight *w, SfuWeight *bias, int stride, int times,
                         GError **error)
{
    const SfuConv conv = {
        .stride = stride, .groups = x->c, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
    const SfuEpilogue e = {.bias = bias};
    SfuTensor *y = sfu_tensor_create(net->q, net->dtype, 1, x->h / stride, x->w / stride, times * x->c, error);
    if (y && !sfu_conv2d(net->q, y, x, w, &conv, &e, error))
        sfu_net_drop(&y);
    return y;
}

/* Twice the size; x is taken and may be NULL. */
static SfuTensor *enlarge(const SfuNet *net, SfuTensor *x, SfuWeight *w, GError **error)
{
    SfuTensor *cells = x ? spread(net, x, w, NULL, 1, 4, error) : NULL,
              *y = cells ? sfu_tensor_create(net->q, net->dtype, 1, 2 * x->h, 2 * x->w, x->c, error) : NULL;
    if (y && !sfu_pixel_shuffle(net->q, y, cells, 2, error))
        sfu_net_drop(&y);
    sfu_tensor_destroy(cells);
    sfu_tensor_destroy(x);
    return y;
}

static SfuTensor *activate(const SfuNet *net, SfuTensor *x, SfuWeight *noise, GError **error)
{
    if (x && !sfu_leaky_clamp(net->q, x, x, noise, &activation, error))
        sfu_net_drop(&x);
    return x;
}

static SfuTensor *mix(const SfuNet *net, const SfuTensor *x, const SfuLayer *l, GError **error)
{
    const SfuEpilogue e = {.bias = l->b};
    SfuTensor *y = sfu_net_like(net, x, (int)sfu_weight_dim(l->w, 0), error);
    if (y && !sfu_linear(net->q, y, x, l->w, &e, error))
        sfu_net_drop(&y);
    return y;
}

/* x is borrowed. */
static SfuTensor *separable(const SfuNet *net, const Separable *s, const SfuTensor *x, GError **error)
{
    SfuTensor *a = activate(net, spread(net, x, s->spread.w, s->spread.b, 1, 1, error), NULL, error);
    if (a && s->down) {
        SfuTensor *small = spread(net, a, s->down, NULL, 2, 1, error);
        sfu_tensor_destroy(a);
        a = small;
    }
    SfuTensor *y = a ? mix(net, a, &s->mix, error) : NULL;
    sfu_tensor_destroy(a);
    return activate(net, s->up ? enlarge(net, y, s->up, error) : y, s->noise, error);
}

/* x, of the level below or the encoder's end, and *rgb, NULL at the coarsest level, are taken, and replaced. */
static SfuTensor *synthesize(const SfuNet *net, const Level *l, SfuTensor *x, const SfuTensor *seen, SfuTensor **rgb,
                             GError **error)
{
    SfuTensor *a = separable(net, &l->synthesis[0], x, error),
              *y = a && sfu_axpby(net->q, a, 1, a, 1, seen, error) ? separable(net, &l->synthesis[1], a, error) : NULL,
              *own = y ? mix(net, y, &l->to_rgb, error) : NULL;
    sfu_tensor_destroy(a);
    sfu_tensor_destroy(x);
    if (*rgb && own) {
        *rgb = enlarge(net, *rgb, l->up, error);
        if (!*rgb || !sfu_axpby(net->q, own, 1, own, 1, *rgb, error))
            sfu_net_drop(&own);
    }
    sfu_tensor_destroy(*rgb);
    *rgb = own;
    if (!own)
        sfu_net_drop(&y);
    return y;
}

static gboolean forward(gpointer network, SfuTensor **out, const SfuTensor *input, GError **error)
{
    Migan *m = network;
    const SfuNet *net = &m->net;
    const int side = m->level[0].side;
    SfuTensor *seen[MOST_LEVELS] = {0}, *rgb = NULL;
    *out = NULL;
    if (input->n != 1 || input->c != 4 || input->h != side || input->w != side) {
        g_set_error(error, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_SHAPE,
                    "migan: %d x %d x %d, wanted 4 channels and sides of %d", input->h, input->w, input->c, side);
        return FALSE;
    }
    SfuTensor *x = sfu_net_input(net, input, error), *y = x ? mix(net, x, &m->from_rgb, error) : NULL;
    sfu_tensor_destroy(x);
    x = activate(net, y, NULL, error);
    for (int i = 0; x && i < m->n_levels; i++) {
        seen[i] = separable(net, &m->level[i].encoder[0], x, error);
        sfu_tensor_destroy(x);
        x = seen[i] ? separable(net, &m->level[i].encoder[1], seen[i], error) : NULL;
    }
    for (int i = m->n_levels - 1; i >= 0; i--) {
        x = x ? synthesize(net, &m->level[i], x, seen[i], &rgb, error) : NULL;
        sfu_tensor_destroy(seen[i]);
    }
    if (x && sfu_axpby(net->q, rgb, 0.5f, rgb, 0.5f, NULL, error)) /* from -1..1 */
        *out = g_steal_pointer(&rgb);
    sfu_tensor_destroy(rgb);
    sfu_tensor_destroy(x);
    return *out != NULL;
}

SfuRemover *sfu_migan_remover(SfuQueue *q, SfuModel *model, GError **error)
{
    static const SfuRemoverClass class = {destroy, forward};
    Migan *m = migan_new(q, model);
    if (!sfu_net_check(&m->net, error) || !sfu_model_check_finite(model, SFU_PART_REMOVER, error)) {
        destroy(m);
        return NULL;
    }
    SfuRemover *r = g_new(SfuRemover, 1);
    *r = (SfuRemover){.class = &class, .net = m, .multiple = m->level[0].side, .side = m->level[0].side};
    return r;
}
