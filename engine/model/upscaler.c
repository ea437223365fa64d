/* Upscaler networks: found by names, measured by shapes. RRDBNet (Wang 2018, ESRGAN; Wang 2021, Real-ESRGAN) in its three namings,
 * SRVGGNetCompact (Real-ESRGAN), SwinIR (Liang 2021), HAT (Chen 2023).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/internal.h"
#include <stdio.h>
#include <string.h>

#define P SFU_PART_UPSCALER

/* Training programs wrap the weights; EMA copies first, they make the better pictures. Inside, programs for many GPUs, for compiled modules and
 * for pairs of networks put a word before every name. */
static const char *const wraps[] = {"params_ema.", "params-ema.", "net_g_ema.", "params.", "state_dict.", "model_state_dict.", "model.", "net.", "net_g.",
                                    "generator.", ""};
static const char *const prefixes[] = {"", "module.", "_orig_mod.", "netG.", "net_g.", "generator."};

typedef struct {
    const SfuFile *f;
    char wrap[40];
} Source;

static SfuFileTensor *lookup(const Source *s, const char *name)
{
    const gsize n = strlen(s->wrap);
    for (guint i = 0; i < s->f->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(s->f->tensors, i);
        if (strncmp(t->name, s->wrap, n) == 0 && strcmp(t->name + n, name) == 0)
            return t;
    }
    return NULL;
}

/* The sequential naming of the first ESRGAN: model.0, model.1.sub.B.RDBr.convc.0, model.1.sub.N, then an enlargement every three, two
 * convolutions. n_stages: of enlargement; n_blocks = N. Caller frees; NULL: not such a name. */
static char *rrdb_sequential(const char *s, int n_blocks, int n_stages)
{
    int i, r, c, used = 0;
    if (sscanf(s, "model.1.sub.%3d.RDB%1d.conv%1d.0.%n", &i, &r, &c, &used) == 3 && used)
        return g_strdup_printf("body.%d.rdb%d.conv%d.%s", i, r, c, s + used);
    used = 0;
    if (sscanf(s, "model.1.sub.%3d.RDB%1d.conv1x1.%n", &i, &r, &used) == 2 && used)
        return g_strdup_printf("body.%d.rdb%d.conv1x1.%s", i, r, s + used);
    used = 0;
    if (sscanf(s, "model.1.sub.%3d.%n", &i, &used) == 1 && used && i == n_blocks)
        return g_strconcat("conv_body.", s + used, NULL);
    used = 0;
    if (sscanf(s, "model.%3d.%n", &i, &used) != 1 || !used)
        return NULL;
    if (i == 0)
        return g_strconcat("conv_first.", s + used, NULL);
    if (i >= 3 && i % 3 == 0 && i / 3 <= n_stages)
        return g_strdup_printf("conv_up%d.%s", i / 3, s + used);
    if (i == 3 * n_stages + 2)
        return g_strconcat("conv_hr.", s + used, NULL);
    return i == 3 * n_stages + 4 ? g_strconcat("conv_last.", s + used, NULL) : NULL;
}

/* The naming between the first and today's (BSRGAN, RealSR): RRDB_trunk.B.RDBr.convc, trunk_conv, upconv1, HRconv. */
static char *rrdb_middle(const char *s)
{
    int i, r, used = 0;
    if (sscanf(s, "RRDB_trunk.%3d.RDB%1d.%n", &i, &r, &used) == 2 && used)
        return g_strdup_printf("body.%d.rdb%d.%s", i, r, s + used);
    if (g_str_has_prefix(s, "trunk_conv."))
        return g_strconcat("conv_body.", s + 11, NULL);
    if (g_str_has_prefix(s, "upconv"))
        return g_strconcat("conv_up", s + 6, NULL);
    if (g_str_has_prefix(s, "HRconv."))
        return g_strconcat("conv_hr.", s + 7, NULL);
    return g_strdup(s);
}

typedef enum { NAMES_PLAIN, NAMES_SEQUENTIAL, NAMES_MIDDLE } Naming;

static SfuFamily recognise(const Source *s, Naming *naming)
{
    *naming = NAMES_PLAIN;
    if (lookup(s, "model.1.sub.0.RDB1.conv1.0.weight")) {
        *naming = NAMES_SEQUENTIAL;
        return SFU_FAMILY_RRDB;
    }
    if (lookup(s, "RRDB_trunk.0.RDB1.conv1.weight")) {
        *naming = NAMES_MIDDLE;
        return SFU_FAMILY_RRDB;
    }
    if (lookup(s, "body.0.rdb1.conv1.weight"))
        return SFU_FAMILY_RRDB;
    if (lookup(s, "layers.0.residual_group.overlap_attn.qkv.weight"))
        return SFU_FAMILY_HAT;
    if (lookup(s, "layers.0.residual_group.blocks.0.attn.qkv.weight") && lookup(s, "layers.0.residual_group.blocks.0.attn.relative_position_bias_table"))
        return SFU_FAMILY_SWINIR;
    if (lookup(s, "body.0.weight") && lookup(s, "body.1.weight") && lookup(s, "body.2.weight") && lookup(s, "body.1.weight")->n_dims == 1)
        return SFU_FAMILY_SRVGG;
    return SFU_FAMILY_UNKNOWN;
}

gboolean sfu_upscaler_map(SfuModel *m, const SfuFile *f, gboolean *is_upscaler, GError **error)
{
    Source s = {.f = f};
    Naming naming = NAMES_PLAIN;
    SfuFamily family = SFU_FAMILY_UNKNOWN;
    char name[64];
    *is_upscaler = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(wraps) * G_N_ELEMENTS(prefixes) && family == SFU_FAMILY_UNKNOWN; i++) {
        g_snprintf(s.wrap, sizeof s.wrap, "%s%s", wraps[i / G_N_ELEMENTS(prefixes)], prefixes[i % G_N_ELEMENTS(prefixes)]);
        family = recognise(&s, &naming);
    }
    if (family == SFU_FAMILY_UNKNOWN)
        return TRUE;
    *is_upscaler = TRUE;
    m->family = family;
    int n_blocks = 0, n_stages = 0;
    for (; naming == NAMES_SEQUENTIAL && n_blocks < 999; n_blocks++) {
        g_snprintf(name, sizeof name, "model.1.sub.%d.RDB1.conv1.0.weight", n_blocks);
        if (!lookup(&s, name))
            break;
    }
    for (; naming == NAMES_SEQUENTIAL && n_stages < 5; n_stages++) {
        g_snprintf(name, sizeof name, "model.%d.weight", 3 * n_stages + 3);
        if (!lookup(&s, name))
            break;
    }
    for (guint i = 0; i < f->tensors->len; i++) {
        SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
        if (!g_str_has_prefix(t->name, s.wrap)) {
            g_ptr_array_add(m->ignored, g_strdup(t->name)); /* optimiser state, the copy that is not the EMA */
            continue;
        }
        const char *inner = t->name + strlen(s.wrap);
        char *canonical = naming == NAMES_SEQUENTIAL ? rrdb_sequential(inner, n_blocks, n_stages) : naming == NAMES_MIDDLE ? rrdb_middle(inner) : g_strdup(inner);
        if (!canonical)
            g_ptr_array_add(m->unexpected, g_strdup(t->name));
        else if (!sfu_model_add_tensor(m, P, canonical, t, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- configurations ---- */

static gboolean bad(const SfuModel *m, GError **error, const char *what)
{
    g_set_error(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "%s has the form of %s, but %s", m->path, sfu_family_name(m->family), what);
    return FALSE;
}

static int d(const SfuModel *m, const char *name, int i) { return sfu_tensor_dim(sfu_model_tensor(m, P, "%s", name), i); }

/* The r with r * r * unit == n; 0: there is none. */
static int square_factor(int n, int unit)
{
    for (int r = 1; r <= 16; r++)
        if (r * r * unit == n)
            return r;
    return 0;
}

/* Whether a word of the file's name says "3x" or "x3": "3x_Photo.pth", "RealESRGAN_x3plus.pth". */
static gboolean name_says_three(const char *path)
{
    char *name = g_path_get_basename(path);
    gboolean says = FALSE;
    for (const char *p = name; *p && !says; p++) {
        const char a = g_ascii_tolower(p[0]), b = g_ascii_tolower(p[1]);
        const gboolean begins = p == name || !g_ascii_isalnum(p[-1]);
        says = begins && ((a == 'x' && b == '3') || (a == '3' && b == 'x')) && !g_ascii_isdigit(p[2]);
    }
    g_free(name);
    return says;
}

/* Channels of the picture that goes in (unshuffled by *unshuffle) and comes out, by the first and the last convolution. */
static gboolean take_channels(SfuModel *m, int in, int out, int *unshuffle, GError **error)
{
    m->upscaler.channels = out;
    *unshuffle = square_factor(in, out);
    return (out == 1 || out == 3) && *unshuffle ? TRUE : bad(m, error, "it does not take and give pictures of 3 channels, nor of 1");
}

static gboolean configure_rrdb(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    c->features = d(m, "conv_first.weight", 0);
    c->growth = d(m, "body.0.rdb1.conv1.weight", 0);
    while (c->blocks < 256 && sfu_model_tensor(m, P, "body.%d.rdb1.conv1.weight", c->blocks))
        c->blocks++;
    while (c->n_stages < 4 && sfu_model_tensor(m, P, "conv_up%d.weight", c->n_stages + 1))
        c->n_stages++;
    c->upsampler = SFU_UPSAMPLER_NEAREST;
    c->skip_1x1 = sfu_model_tensor(m, P, "body.0.rdb1.conv1x1.weight") != NULL;
    if (!take_channels(m, d(m, "conv_first.weight", 1), d(m, "conv_last.weight", 0), &c->unshuffle, error))
        return FALSE;
    if (c->features < 1 || c->growth < 1)
        return bad(m, error, "its blocks have no channels");
    /* One stage enlarges by two or by three, and nothing in the file tells which. */
    c->scale_by_name = c->n_stages == 1 && c->unshuffle == 1;
    c->stage_factor = c->scale_by_name && name_says_three(m->path) ? 3 : 2;
    const int factor = c->stage_factor == 3 ? 3 : 1 << c->n_stages;
    if (factor % c->unshuffle)
        return bad(m, error, "it would make pictures smaller");
    c->scale = factor / c->unshuffle;
    return TRUE;
}

static gboolean configure_srvgg(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    int last = 0;
    while (last < 512 && sfu_model_tensor(m, P, "body.%d.weight", last + 2))
        last += 2;
    c->features = d(m, "body.0.weight", 0);
    c->blocks = last / 2 - 1;
    c->upsampler = SFU_UPSAMPLER_SHUFFLE_DIRECT;
    const int in = d(m, "body.0.weight", 1);
    c->scale = square_factor(sfu_tensor_dim(sfu_model_tensor(m, P, "body.%d.weight", last), 0), MAX(in, 1));
    if (!take_channels(m, in, in, &c->unshuffle, error))
        return FALSE;
    return c->scale && c->features > 0 ? TRUE : bad(m, error, "its enlargement is no whole factor");
}

/* SwinIR and HAT. */
static gboolean configure_transformer(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    const char *table = "layers.0.residual_group.blocks.0.attn.relative_position_bias_table";
    const int in = d(m, "conv_first.weight", 1);
    c->features = d(m, "conv_first.weight", 0);
    c->n_heads = d(m, table, 1);
    c->range = 1;
    while (c->blocks < 256 && sfu_model_tensor(m, P, "layers.%d.residual_group.blocks.0.norm1.weight", c->blocks))
        c->blocks++;
    for (int w = 1; w <= 64; w++) {
        if ((2 * w - 1) * (2 * w - 1) == d(m, table, 0))
            c->window = w;
        /* Keys reach from -(overlap - 1) to window - 1 around a query. */
        if (c->window && w >= c->window && (c->window + w - 1) * (c->window + w - 1) == d(m, "layers.0.residual_group.overlap_attn.relative_position_bias_table", 0))
            c->overlap_window = w;
    }
    if (!take_channels(m, in, in, &c->unshuffle, error))
        return FALSE;
    if (!c->window || c->n_heads < 1 || c->features < 1 || c->features % c->n_heads)
        return bad(m, error, "its windows or heads are impossible");
    if (m->family == SFU_FAMILY_HAT && (!c->overlap_window || (c->overlap_window - c->window) % 2))
        return bad(m, error, "its overlapping windows are impossible");
    if (sfu_model_tensor(m, P, "absolute_pos_embed"))
        return bad(m, error, "it has absolute positions, which ties it to one size");
    if (sfu_model_tensor(m, P, "conv_up1.weight")) {
        c->upsampler = SFU_UPSAMPLER_NEAREST;
        while (c->n_stages < 4 && sfu_model_tensor(m, P, "conv_up%d.weight", c->n_stages + 1))
            c->n_stages++;
        c->scale = 1 << c->n_stages;
    } else if (sfu_model_tensor(m, P, "conv_before_upsample.0.weight")) {
        const int width = d(m, "conv_before_upsample.0.weight", 0);
        c->upsampler = SFU_UPSAMPLER_SHUFFLE;
        c->scale = 1;
        for (; c->n_stages < 4 && sfu_model_tensor(m, P, "upsample.%d.weight", 2 * c->n_stages); c->n_stages++) {
            const int r = square_factor(sfu_tensor_dim(sfu_model_tensor(m, P, "upsample.%d.weight", 2 * c->n_stages), 0), MAX(width, 1));
            if (r < 2 || r > 4)
                return bad(m, error, "its enlargement is no whole factor");
            c->scale *= r;
        }
    } else if (sfu_model_tensor(m, P, "upsample.0.weight")) {
        c->upsampler = SFU_UPSAMPLER_SHUFFLE_DIRECT;
        c->n_stages = 1;
        c->scale = square_factor(d(m, "upsample.0.weight", 0), c->channels);
    } else {
        c->upsampler = SFU_UPSAMPLER_NONE;
        c->scale = 1;
        c->range = c->window == 7 ? 255 : 1; /* the published models against JPEG artefacts (window 7) were trained on 0..255 */
    }
    return c->scale >= 1 && c->scale <= 16 ? TRUE : bad(m, error, "its enlargement is no whole factor");
}

gboolean sfu_upscaler_configure(SfuModel *m, GError **error)
{
    m->upscaler.unshuffle = 1;
    return m->family == SFU_FAMILY_RRDB ? configure_rrdb(m, error) : m->family == SFU_FAMILY_SRVGG ? configure_srvgg(m, error) : configure_transformer(m, error);
}

/* ---- what each needs ---- */

typedef struct {
    const SfuModel *m;
    SfuNeed fn;
    gpointer data;
} Need;

static void vector(const Need *n, const char *prefix, const char *name, gint64 c)
{
    char *full = g_strconcat(prefix, name, NULL);
    n->fn(n->data, full, 1, &c);
    g_free(full);
}

static void layer(const Need *n, const char *prefix, const char *name, gint64 out, gint64 in, int kernel)
{
    const gint64 dims[] = {out, in, kernel, kernel};
    char *weight = g_strconcat(prefix, name, ".weight", NULL), *base = g_strconcat(prefix, name, NULL);
    n->fn(n->data, weight, kernel ? 4 : 2, dims);
    vector(n, base, ".bias", out);
    g_free(weight);
    g_free(base);
}

static void norm(const Need *n, const char *prefix, const char *name, gint64 c)
{
    char *base = g_strconcat(prefix, name, NULL);
    vector(n, base, ".weight", c);
    vector(n, base, ".bias", c);
    g_free(base);
}

static void expect_rrdb(const Need *n)
{
    const SfuUpscalerConfig *c = &n->m->upscaler;
    char name[64];
    layer(n, "", "conv_first", c->features, c->channels * c->unshuffle * c->unshuffle, 3);
    for (int b = 0; b < c->blocks; b++)
        for (int r = 1; r <= 3; r++)
            for (int i = 1; i <= 5; i++) {
                g_snprintf(name, sizeof name, "body.%d.rdb%d.conv%d", b, r, i);
                layer(n, "", name, i == 5 ? c->features : c->growth, c->features + (i - 1) * c->growth, 3);
                const gint64 dims[] = {c->growth, c->features, 1, 1};
                g_snprintf(name, sizeof name, "body.%d.rdb%d.conv1x1.weight", b, r);
                if (i == 1 && c->skip_1x1)
                    n->fn(n->data, name, 4, dims);
            }
    layer(n, "", "conv_body", c->features, c->features, 3);
    for (int i = 1; i <= c->n_stages; i++) {
        g_snprintf(name, sizeof name, "conv_up%d", i);
        layer(n, "", name, c->features, c->features, 3);
    }
    layer(n, "", "conv_hr", c->features, c->features, 3);
    layer(n, "", "conv_last", c->channels, c->features, 3);
}

static void expect_srvgg(const Need *n)
{
    const SfuUpscalerConfig *c = &n->m->upscaler;
    char name[32];
    for (int i = 0; i <= c->blocks + 1; i++) {
        g_snprintf(name, sizeof name, "body.%d", 2 * i);
        layer(n, "", name, i > c->blocks ? c->channels * c->scale * c->scale : c->features, i ? c->features : c->channels, 3);
        if (i <= c->blocks) {
            g_snprintf(name, sizeof name, "body.%d.weight", 2 * i + 1);
            vector(n, "", name, d(n->m, name, 0) == 1 ? 1 : c->features);
        }
    }
}

/* A group's and the trunk's convolution: one 3x3, or three with a narrow waist. */
static void trunk_conv(const Need *n, const char *prefix, const char *name, int features)
{
    char *base = g_strconcat(prefix, name, ".", NULL);
    const int waist = sfu_tensor_dim(sfu_model_tensor(n->m, P, "%s0.weight", base), 0);
    if (waist) {
        layer(n, base, "0", waist, features, 3);
        layer(n, base, "2", waist, waist, 1);
        layer(n, base, "4", features, waist, 3);
    } else
        layer(n, prefix, name, features, features, 3);
    g_free(base);
}

static void mlp(const Need *n, const char *prefix, int features)
{
    const int hidden = MAX(1, sfu_tensor_dim(sfu_model_tensor(n->m, P, "%smlp.fc1.weight", prefix), 0));
    layer(n, prefix, "mlp.fc1", hidden, features, 0);
    layer(n, prefix, "mlp.fc2", features, hidden, 0);
}

static void bias_table(const Need *n, const char *prefix, int side, int heads)
{
    const gint64 dims[] = {(gint64)side * side, heads};
    char *name = g_strconcat(prefix, "relative_position_bias_table", NULL);
    n->fn(n->data, name, 2, dims);
    g_free(name);
}

static void expect_block(const Need *n, int group, int b)
{
    const SfuUpscalerConfig *c = &n->m->upscaler;
    const int f = c->features, heads = sfu_tensor_dim(sfu_model_tensor(n->m, P, "layers.%d.residual_group.blocks.%d.attn.relative_position_bias_table", group, b), 1);
    char p[64], a[80];
    g_snprintf(p, sizeof p, "layers.%d.residual_group.blocks.%d.", group, b);
    g_snprintf(a, sizeof a, "%sattn.", p);
    norm(n, p, "norm1", f);
    bias_table(n, a, 2 * c->window - 1, heads && f % heads == 0 ? heads : c->n_heads);
    layer(n, a, "qkv", 3 * f, f, 0);
    layer(n, a, "proj", f, f, 0);
    if (n->m->family == SFU_FAMILY_HAT) {
        const int squeezed = MAX(1, sfu_tensor_dim(sfu_model_tensor(n->m, P, "%sconv_block.cab.0.weight", p), 0)),
                  waist = MAX(1, sfu_tensor_dim(sfu_model_tensor(n->m, P, "%sconv_block.cab.3.attention.1.weight", p), 0));
        layer(n, p, "conv_block.cab.0", squeezed, f, 3);
        layer(n, p, "conv_block.cab.2", f, squeezed, 3);
        layer(n, p, "conv_block.cab.3.attention.1", waist, f, 1);
        layer(n, p, "conv_block.cab.3.attention.3", f, waist, 1);
    }
    norm(n, p, "norm2", f);
    mlp(n, p, f);
}

static void expect_transformer(const Need *n)
{
    const SfuUpscalerConfig *c = &n->m->upscaler;
    const int f = c->features;
    char p[64];
    layer(n, "", "conv_first", f, c->channels, 3);
    if (sfu_model_tensor(n->m, P, "patch_embed.norm.weight"))
        norm(n, "", "patch_embed.norm", f);
    for (int g = 0; g < c->blocks; g++) {
        for (int b = 0; b < 64 && sfu_model_tensor(n->m, P, "layers.%d.residual_group.blocks.%d.norm1.weight", g, b); b++)
            expect_block(n, g, b);
        if (n->m->family == SFU_FAMILY_HAT) {
            g_snprintf(p, sizeof p, "layers.%d.residual_group.overlap_attn.", g);
            norm(n, p, "norm1", f);
            layer(n, p, "qkv", 3 * f, f, 0);
            bias_table(n, p, c->window + c->overlap_window - 1, c->n_heads);
            layer(n, p, "proj", f, f, 0);
            norm(n, p, "norm2", f);
            mlp(n, p, f);
        }
        g_snprintf(p, sizeof p, "layers.%d.", g);
        trunk_conv(n, p, "conv", f);
    }
    norm(n, "", "norm", f);
    trunk_conv(n, "", "conv_after_body", f);
    const int width = d(n->m, "conv_before_upsample.0.weight", 0);
    switch (c->upsampler) {
    case SFU_UPSAMPLER_NEAREST:
        layer(n, "", "conv_before_upsample.0", MAX(width, 1), f, 3);
        for (int i = 1; i <= c->n_stages; i++) {
            g_snprintf(p, sizeof p, "conv_up%d", i);
            layer(n, "", p, width, width, 3);
        }
        layer(n, "", "conv_hr", width, width, 3);
        layer(n, "", "conv_last", c->channels, width, 3);
        break;
    case SFU_UPSAMPLER_SHUFFLE:
        layer(n, "", "conv_before_upsample.0", width, f, 3);
        for (int i = 0; i < c->n_stages; i++) {
            g_snprintf(p, sizeof p, "upsample.%d", 2 * i);
            layer(n, "", p, sfu_tensor_dim(sfu_model_tensor(n->m, P, "%s.weight", p), 0), width, 3);
        }
        layer(n, "", "conv_last", c->channels, width, 3);
        break;
    case SFU_UPSAMPLER_SHUFFLE_DIRECT:
        layer(n, "", "upsample.0", c->channels * c->scale * c->scale, f, 3);
        break;
    case SFU_UPSAMPLER_NONE:
        layer(n, "", "conv_last", c->channels, f, 3);
        break;
    }
}

void sfu_upscaler_expect(const SfuModel *m, SfuNeed fn, gpointer data)
{
    const Need n = {.m = m, .fn = fn, .data = data};
    if (m->family == SFU_FAMILY_RRDB)
        expect_rrdb(&n);
    else if (m->family == SFU_FAMILY_SRVGG)
        expect_srvgg(&n);
    else
        expect_transformer(&n);
}
