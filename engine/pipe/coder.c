/* Pictures to latents and back, in tiles where the whole does not fit.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>

#include "region/region.h"

#define LITTLE 1500000000 /* bytes that any computer can spare */
#define LEAST_TILE 16     /* latent pixels; smaller tiles lose what they are a part of */

SfuCoder sfu_coder(SfuRun *run, SfuAutoencoder *net)
{
    return (SfuCoder){.run = run, .net = net, .factor = net->factor, .channels = net->channels};
}

int sfu_coder_tile(const SfuCoder *a, int w, int h, gboolean decode)
{
    const guint64 room = sfu_autoencoder_room(a->net);
    if (sfu_autoencoder_bytes(a->net, decode, h, w) <= room)
        return MAX(w, h);
    int t = MAX(w, h);
    while (t > LEAST_TILE && sfu_autoencoder_bytes(a->net, decode, MIN(t, h), MIN(t, w)) > room)
        t = MAX(LEAST_TILE, t * 3 / 4);
    return t;
}

static SfuImage *from_tensor(const SfuTensor *t, GError **error)
{
    SfuImage *i = sfu_image_new(t->w, t->h, t->c, error);
    if (i && !sfu_tensor_read(t, i->p, error))
        g_clear_pointer(&i, sfu_image_free);
    return i;
}

/* One piece, which continues at its other sides along `wrap`. Decoding takes latents and gives -1..1; encoding takes
 * -1..1 and gives means, not scaled. */
static SfuImage *piece(const SfuCoder *a, const SfuImage *x, gboolean decode, int wrap, GError **error)
{
    sfu_autoencoder_set_wrap(a->net, wrap);
    SfuTensor *in = sfu_tensor_create(a->run->q, SFU_F32, 1, x->h, x->w, x->c, error), *out = NULL;
    SfuImage *o = NULL;
    const gint64 start = g_get_monotonic_time();
    const double flops = sfu_queue_flops(a->run->q);
    gboolean ok = in && sfu_tensor_write(in, x->p, error);
    if (ok)
        ok = decode ? sfu_autoencoder_decode(a->net, &out, in, error) : sfu_autoencoder_encode(a->net, &out, in, error);
    if (ok)
        o = from_tensor(out, error);
    if (o)
        sfu_note_rate(a->run->q, SFU_RATE_CODER, sfu_queue_flops(a->run->q) - flops, start);
    sfu_tensor_destroy(in);
    sfu_tensor_destroy(out);
    if (o && !decode && o->c > a->channels) {
        SfuImage *mean = sfu_image_channels(o, 0, a->channels, error);
        sfu_image_free(o);
        o = mean;
    }
    return o;
}

/* The norms of the tiles take their statistics from the whole, reduced to a tile's area: thinned out rather than
 * averaged, so that its values are distributed as they were. */
static gboolean learn_norms(const SfuCoder *a, const SfuImage *x, gboolean decode, int tile, GError **error)
{
    const int in_f = decode ? 1 : a->factor, lw = x->w / in_f, lh = x->h / in_f;
    const double scale = MIN(1, tile / sqrt((double)lw * lh));
    const int w = MAX(1, (int)(lw * scale)) * in_f, h = MAX(1, (int)(lh * scale)) * in_f;
    SfuTensor *t = NULL;
    SfuImage *small = sfu_image_new(w, h, x->c, error);
    for (int j = 0; small && j < h; j++)
        for (int i = 0; i < w; i++)
            memcpy(small->p + ((gsize)j * w + i) * x->c,
                   x->p + ((gsize)((gint64)j * x->h / h) * x->w + (gint64)i * x->w / w) * x->c, sizeof(float) * x->c);
    const gboolean ok = small && (t = sfu_tensor_create(a->run->q, SFU_F32, 1, h, w, x->c, error)) &&
                        sfu_tensor_write(t, small->p, error) && sfu_autoencoder_learn_norms(a->net, decode, t, error);
    sfu_tensor_destroy(t);
    sfu_image_free(small);
    return ok;
}

/* All tiles of side `tile` latent pixels, overlapping by a quarter and mixed along ramps. */
static SfuImage *tiled(const SfuCoder *a, const SfuImage *x, gboolean decode, int tile, GError **error)
{
    const int f = a->factor, in_f = decode ? 1 : f, out_f = decode ? f : 1, lw = x->w / in_f, lh = x->h / in_f;
    const int tw = MIN(tile, lw), th = MIN(tile, lh), overlap = MAX(2, tile / 4);
    const SfuStage stage = decode ? SFU_STAGE_DECODE : SFU_STAGE_ENCODE;
    /* Where the whole wraps round, tiles lie round the circle; along an axis that is one tile, the tile wraps. */
    const gboolean rx = (a->wrap & SFU_WRAP_X) && tw < lw, ry = (a->wrap & SFU_WRAP_Y) && th < lh;
    const int wrap = a->wrap & ~((rx ? SFU_WRAP_X : 0) | (ry ? SFU_WRAP_Y : 0));
    int *xs, *ys;
    const int nx = rx ? sfu_tiles_round(lw, tw, overlap, &xs) : sfu_tiles(lw, tw, overlap, 1, &xs);
    const int ny = ry ? sfu_tiles_round(lh, th, overlap, &ys) : sfu_tiles(lh, th, overlap, 1, &ys);
    SfuImage *o = sfu_image_new(lw * out_f, lh * out_f, decode ? 3 : a->channels, error);
    SfuImage *weight = o ? sfu_image_new(lw * out_f, lh * out_f, 1, error) : NULL;
    gboolean ok = weight != NULL && (!a->net->class->learn_norms || learn_norms(a, x, decode, tile, error));
    for (int k = 0; ok && k < nx * ny; k++) {
        const int tx = xs[k % nx], ty = ys[k / nx];
        SfuImage *part = sfu_image_crop_round(x, (SfuRect){tx * in_f, ty * in_f, tw * in_f, th * in_f}, error);
        SfuImage *made = part ? piece(a, part, decode, wrap, error) : NULL;
        sfu_image_free(part);
        ok = made != NULL;
        for (int j = 0; ok && j < made->h; j++) {
            const float wy = sfu_tile_ramp(j, made->h, overlap * out_f, !ry && k / nx == 0, !ry && k / nx == ny - 1);
            for (int i = 0; i < made->w; i++) {
                const float wt =
                    wy * sfu_tile_ramp(i, made->w, overlap * out_f, !rx && k % nx == 0, !rx && k % nx == nx - 1);
                const gsize at = (gsize)((ty * out_f + j) % o->h) * o->w + (tx * out_f + i) % o->w;
                for (int c = 0; c < o->c; c++)
                    o->p[at * o->c + c] += wt * made->p[((gsize)j * made->w + i) * made->c + c];
                weight->p[at] += wt;
            }
        }
        sfu_image_free(made);
        if (ok)
            ok = sfu_run_tick(a->run, stage, sfu_coder_units(a, lw, lh) / (nx * ny), k + 1, nx * ny, error);
    }
    for (gint64 k = 0; ok && k < (gint64)o->w * o->h; k++)
        for (int c = 0; c < o->c; c++)
            o->p[k * o->c + c] /= weight->p[k];
    sfu_autoencoder_forget_norms(a->net);
    sfu_image_free(weight);
    g_free(xs);
    g_free(ys);
    if (!ok)
        g_clear_pointer(&o, sfu_image_free);
    return o;
}

/* Tries the largest tile that should fit, and smaller ones if the device says no all the same. */
static SfuImage *some_tiles(const SfuCoder *a, const SfuImage *x, gboolean decode, GError **error)
{
    const int in_f = decode ? 1 : a->factor, lw = x->w / in_f, lh = x->h / in_f;
    const SfuStage stage = decode ? SFU_STAGE_DECODE : SFU_STAGE_ENCODE;
    int tile = sfu_coder_tile(a, lw, lh, decode);
    for (;;) {
        GError *e = NULL;
        SfuImage *o = tile >= MAX(lw, lh) ? piece(a, x, decode, a->wrap, &e) : tiled(a, x, decode, tile, &e);
        if (o && tile >= MAX(lw, lh) && !sfu_run_tick(a->run, stage, sfu_coder_units(a, lw, lh), 1, 1, error))
            g_clear_pointer(&o, sfu_image_free);
        if (!e)
            return o;
        if (!g_error_matches(e, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY) || tile <= LEAST_TILE) {
            g_propagate_error(error, e);
            return NULL;
        }
        g_error_free(e);
        sfu_queue_trim(a->run->q);
        tile = MAX(LEAST_TILE, MIN(tile, MAX(lw, lh)) / 2);
    }
}

/* The denoiser's weights make room for the picture. */
static SfuImage *run(const SfuCoder *a, const SfuImage *x, gboolean decode, GError **error)
{
    sfu_queue_hold_peak(a->run->q, LITTLE);
    SfuImage *o = some_tiles(a, x, decode, error);
    sfu_queue_hold_peak(a->run->q, 0);
    return o;
}

double sfu_coder_units(const SfuCoder *a, int latent_w, int latent_h)
{
    return (double)latent_w * latent_h;
}

SfuImage *sfu_coder_encode(const SfuCoder *a, const SfuImage *rgb, GError **error)
{
    SfuImage *x = sfu_image_copy(rgb, error);
    if (!x || !sfu_run_stage(a->run, SFU_STAGE_ENCODE, error)) {
        sfu_image_free(x);
        return NULL;
    }
    const gint64 n = (gint64)x->w * x->h * x->c;
    for (gint64 k = 0; k < n; k++)
        x->p[k] = CLAMP(x->p[k], 0, 1) * 2 - 1;
    SfuImage *z = run(a, x, FALSE, error);
    sfu_image_free(x);
    for (gint64 k = 0; z && k < (gint64)z->w * z->h * z->c; k++)
        z->p[k] = (z->p[k] - a->net->shift) * a->net->scaling;
    return z;
}

SfuImage *sfu_coder_decode(const SfuCoder *a, const SfuImage *latents, GError **error)
{
    SfuImage *z = sfu_image_copy(latents, error);
    if (!z || !sfu_run_stage(a->run, SFU_STAGE_DECODE, error)) {
        sfu_image_free(z);
        return NULL;
    }
    for (gint64 k = 0; k < (gint64)z->w * z->h * z->c; k++)
        z->p[k] = z->p[k] / a->net->scaling + a->net->shift;
    SfuImage *x = run(a, z, TRUE, error);
    sfu_image_free(z);
    const gint64 n = x ? (gint64)x->w * x->h * x->c : 0;
    for (gint64 k = 0; k < n; k++) {
        if (!isfinite(x->p[k])) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                        _("The decoded picture holds NaN or infinity (first at value %" PRId64 ")."), k);
            g_clear_pointer(&x, sfu_image_free);
            break;
        }
        x->p[k] = (x->p[k] + 1) / 2;
    }
    return x;
}
