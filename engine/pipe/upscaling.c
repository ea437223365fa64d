/* Enlarging by an upscaler network: tile by tile with exact context, from GEGL buffer to GEGL buffer, so that no more
 * than a tile is held.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>
#include <inttypes.h>
#include <glib/gi18n-lib.h>

#define MAX_CORE_PX 1024 /* longest side of a tile without its margin: progress and cancel should not wait */
#define LEAST_CORE_PX 32
/* Context that a tile of a deep network gets at least, if any room is left beside it: a random RRDB of 23 blocks, which
 * could see 349 pixels far, changes by less than 1e-5 beyond (tests/parity/pipeline-upscale.c). */
#define SEEN_PX 128
#define WRITE_ROWS 64

typedef struct {
    SfuRun *r;
    SfuUpscaler *u;
    int scale, multiple, channels, noise;
    int core_w, core_h, margin; /* input px, multiples of `multiple` */
    gboolean blends;            /* tiles differ where they meet, and are faded over */
    gboolean tta;
    gboolean is_rehearsed;
    /* The tile under way: its pixels, and how many of them have been reported as done. */
    double tile_px, reported;
    int n_passes, pass; /* of the network over the tile */
    int tile, n_tiles;
} Network;

/* Told by the network during a pass. */
static gboolean pass_progress(double done, gpointer data, GError **error)
{
    Network *n = data;
    const double all = n->tile_px * (n->pass + done) / n->n_passes, units = all - n->reported;
    if (units <= 0 || done >= 1)
        return TRUE; /* the tile's end is reported when it is written */
    n->reported = all;
    return sfu_run_tick(n->r, SFU_STAGE_UPSCALE, units, n->tile, n->n_tiles, error);
}

/* Channels [first, first + n) on the device. Caller frees; NULL with error set. */
static SfuTensor *upload(const Network *n, const SfuImage *i, int first, int n_channels, GError **error)
{
    SfuImage *part = sfu_image_channels(i, first, n_channels, error);
    SfuTensor *x = part ? sfu_tensor_create(n->r->q, SFU_F32, 1, i->h, i->w, n_channels, error) : NULL;
    if (x && !sfu_tensor_write(x, part->p, error)) {
        sfu_tensor_destroy(x);
        x = NULL;
    }
    sfu_image_free(part);
    return x;
}

/* Has what a pass over w x h pixels runs compiled ahead, once. */
static void rehearse(Network *n, int w, int h)
{
    SfuQueue *q = n->r->q;
    SfuRehearsal cost;
    SfuTensor *y = NULL;
    if (n->is_rehearsed)
        return;
    n->is_rehearsed = TRUE;
    sfu_queue_rehearse_begin(q);
    SfuTensor *x = sfu_tensor_create(q, SFU_F32, 1, h, w, n->channels, NULL),
              *z = n->noise ? sfu_tensor_create(q, SFU_F32, 1, h, w, n->noise, NULL) : NULL;
    if (x && (z || !n->noise) && sfu_upscaler_forward(n->u, &y, x, z, NULL))
        sfu_tensor_destroy(y);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(z);
    sfu_queue_rehearse_end(q, &cost);
    sfu_queue_compile_ahead(q, n->r->prepares);
}

/* One pass: [h, w, channels + noise] -> [h*s, w*s, channels]. */
static SfuImage *forward_once(Network *n, const SfuImage *i, GError **error)
{
    SfuTensor *x = upload(n, i, 0, n->channels, error), *y = NULL,
              *z = x && n->noise ? upload(n, i, n->channels, n->noise, error) : NULL;
    SfuImage *o = NULL;
    sfu_upscaler_set_progress(n->u, pass_progress, n);
    if (x && (z || !n->noise) && sfu_upscaler_forward(n->u, &y, x, z, error) &&
        (o = sfu_image_new(y->w, y->h, y->c, error)) && !sfu_tensor_read(y, o->p, error))
        g_clear_pointer(&o, sfu_image_free);
    sfu_upscaler_set_progress(n->u, NULL, NULL);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    sfu_tensor_destroy(z);
    n->pass++;
    for (gint64 k = 0; o && k < (gint64)o->w * o->h * o->c; k++) {
        if (!isfinite(o->p[k])) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED,
                        _("The upscaler network gave NaN or infinity; try the precision fp32."));
            g_clear_pointer(&o, sfu_image_free);
        }
    }
    return o;
}

static gboolean is_gray(const SfuImage *rgb)
{
    for (gint64 k = 0; k < (gint64)rgb->w * rgb->h; k++)
        if (rgb->p[k * 3] != rgb->p[k * 3 + 1] || rgb->p[k * 3] != rgb->p[k * 3 + 2])
            return FALSE;
    return TRUE;
}

/* rgb [h, w, 3] -> [h*s, w*s, 3]. A network of gray pictures sees the colors one after the other, as three of them;
 * where they are one, once. */
static SfuImage *forward(Network *n, const SfuImage *rgb, GError **error)
{
    if (n->channels == 3)
        return forward_once(n, rgb, error);
    const int n_planes = is_gray(rgb) ? 1 : 3;
    SfuImage *o = NULL;
    for (int c = 0; c < n_planes; c++) {
        SfuImage *plane = sfu_image_channels(rgb, c, 1, error), *big = plane ? forward_once(n, plane, error) : NULL;
        if (big && !o)
            o = sfu_image_new(big->w, big->h, 3, error);
        for (gint64 k = 0; big && o && k < (gint64)o->w * o->h; k++)
            for (int to = c; to < (n_planes == 1 ? 3 : c + 1); to++)
                o->p[k * 3 + to] = big->p[k];
        const gboolean ok = big && o;
        sfu_image_free(plane);
        sfu_image_free(big);
        if (!ok) {
            sfu_image_free(o);
            return NULL;
        }
    }
    return o;
}

/* Flips in x (bit 0) and y (bit 1), then exchanges the axes (bit 2). */
static SfuImage *turn(const SfuImage *i, int how, GError **error)
{
    const gboolean swap = how & 4;
    SfuImage *o = sfu_image_new(swap ? i->h : i->w, swap ? i->w : i->h, i->c, error);
    for (int y = 0; o && y < i->h; y++) {
        for (int x = 0; x < i->w; x++) {
            const int fx = how & 1 ? i->w - 1 - x : x, fy = how & 2 ? i->h - 1 - y : y;
            const gsize to = swap ? (gsize)x * o->w + y : (gsize)y * o->w + x;
            memcpy(o->p + to * i->c, i->p + ((gsize)fy * i->w + fx) * i->c, i->c * sizeof(float));
        }
    }
    return o;
}

static SfuImage *turn_back(const SfuImage *i, int how, GError **error)
{
    SfuImage *a = how & 4 ? turn(i, 4, error) : sfu_image_copy(i, error);
    SfuImage *o = a ? turn(a, how & 3, error) : NULL;
    sfu_image_free(a);
    return o;
}

/* Mean over the eight symmetries of the square (Timofte 2016, section 3.3). */
static SfuImage *forward_eight(Network *n, const SfuImage *rgb, GError **error)
{
    SfuImage *sum = NULL;
    for (int how = 0; how < 8; how++) {
        SfuImage *in = turn(rgb, how, error), *out = in ? forward(n, in, error) : NULL,
                 *back = out ? turn_back(out, how, error) : NULL;
        sfu_image_free(in);
        sfu_image_free(out);
        if (!back) {
            sfu_image_free(sum);
            return NULL;
        }
        if (!sum)
            sum = sfu_image_new(back->w, back->h, 3, error);
        for (gint64 k = 0; sum && k < (gint64)back->w * back->h * 3; k++)
            sum->p[k] += back->p[k] / 8;
        sfu_image_free(back);
        if (!sum)
            return NULL;
    }
    return sum;
}

static SfuImage *enlarge_rgb(Network *n, const SfuImage *rgb, GError **error)
{
    return n->tta ? forward_eight(n, rgb, error) : forward(n, rgb, error);
}

/* The picture's channels from `first` on, n of them, as three from 0 to 1. */
static SfuImage *three(const SfuImage *rgba, int first, int n, GError **error)
{
    SfuImage *o = sfu_image_new(rgba->w, rgba->h, 3, error);
    for (gint64 k = 0; o && k < (gint64)o->w * o->h; k++)
        for (int c = 0; c < 3; c++)
            o->p[k * 3 + c] = CLAMP(rgba->p[k * 4 + first + (n == 1 ? 0 : c)], 0, 1);
    return o;
}

static gboolean alpha_is_flat(const SfuImage *rgba)
{
    for (gint64 k = 1; k < (gint64)rgba->w * rgba->h; k++)
        if (rgba->p[k * 4 + 3] != rgba->p[3])
            return FALSE;
    return TRUE;
}

/* Whether the picture's alpha is the same at a pixel and all that touch it: a network's ringing must not make specks of
 * what is opaque or empty. */
static gboolean alpha_is_even(const SfuImage *rgba, int x, int y)
{
    const float here = rgba->p[((gsize)y * rgba->w + x) * 4 + 3];
    for (int j = MAX(0, y - 1); j <= MIN(rgba->h - 1, y + 1); j++)
        for (int i = MAX(0, x - 1); i <= MIN(rgba->w - 1, x + 1); i++)
            if (rgba->p[((gsize)j * rgba->w + i) * 4 + 3] != here)
                return FALSE;
    return TRUE;
}

/* How much of a tile's pixel at `at` is taken: it fades in over 2 * half output pixels, whose middle is its core's
 * beginning. half 0: all. */
static float fade(int at, int half)
{
    return at >= half ? 1 : (at + half + 0.5f) / (2 * half);
}

/* Rows [y, y + rows) of the area are mixed with what the tiles to the left and above wrote there. from_x, from_y: where
 * the core begins in the area; 0: the picture ends there. */
static gboolean mix(GeglBuffer *out, SfuRect rows, int y, int from_x, int from_y, float *p, GError **error)
{
    if (!from_x && (!from_y || y >= 2 * from_y))
        return TRUE;
    const GeglRectangle *e = gegl_buffer_get_extent(out);
    SfuImage *old = sfu_image_new(rows.w, rows.h, 4, error);
    if (!old)
        return FALSE;
    gegl_buffer_get(out, GEGL_RECTANGLE(e->x + rows.x, e->y + rows.y, rows.w, rows.h), 1,
                    babl_format_with_space("R'G'B'A float", gegl_buffer_get_format(out)), old->p, GEGL_AUTO_ROWSTRIDE,
                    GEGL_ABYSS_NONE);
    for (int j = 0; j < rows.h; j++) {
        const float down = fade(y + j - from_y, from_y);
        for (int x = 0; x < rows.w && (down < 1 || x < 2 * from_x); x++) {
            const float much = down * fade(x - from_x, from_x);
            for (gsize k = ((gsize)j * rows.w + x) * 4, end = k + 4; k < end; k++)
                p[k] = old->p[k] + much * (p[k] - old->p[k]);
        }
    }
    sfu_image_free(old);
    return TRUE;
}

/* Takes i [h, w, channels], whose first pixel is (x0, y0) of the picture, and puts noise beside it if the network wants
 * some; zeros if not `real`. NULL with error set. */
static SfuImage *add_noise(const Network *n, SfuImage *i, int x0, int y0, gboolean real, GError **error)
{
    if (!n->noise || !i)
        return i;
    SfuImage *o = sfu_image_new(i->w, i->h, i->c + n->noise, error);
    for (gint64 k = 0; o && k < (gint64)i->w * i->h; k++) {
        float *to = o->p + k * o->c;
        memset(to, 0, sizeof *to * o->c);
        memcpy(to, i->p + k * i->c, sizeof *to * i->c);
        if (real)
            sfu_randn_at(x0 + (int)(k % i->w), y0 + (int)(k / i->w), n->noise, to + i->c);
    }
    sfu_image_free(i);
    return o;
}

/* A tile that the network has enlarged. */
typedef struct {
    SfuRect read, core;          /* in the picture: what the network saw, and what is kept */
    const SfuImage *from;        /* its padded input */
    const SfuImage *rgb, *alpha; /* enlarged; alpha NULL: that of `from` is the same all over */
} Tile;

/* The core of one tile, a few rows at a time. */
static gboolean write_tile(const Network *n, const Tile *tile, GeglBuffer *out, GError **error)
{
    const SfuImage *rgb = tile->rgb, *alpha = tile->alpha, *from = tile->from;
    const SfuRect read = tile->read, core = tile->core;
    /* Tiles that are blended reach over their core by half of what `read` does. */
    const int half = n->blends ? n->margin / 2 : 0, ax = MAX(0, core.x - half), ay = MAX(0, core.y - half);
    const SfuRect area = {ax, ay, MIN(core.x + core.w + half, read.x + read.w) - ax,
                          MIN(core.y + core.h + half, read.y + read.h) - ay};
    const int s = n->scale, w = area.w * s, h = area.h * s, dx = (area.x - read.x) * s, dy = (area.y - read.y) * s;
    SfuImage *t = sfu_image_new(w, MIN(h, WRITE_ROWS), 4, error);
    gboolean even = TRUE, ok = t != NULL;
    for (int y = 0; ok && y < h; y++) {
        float *o = t->p + (gsize)(y % WRITE_ROWS) * w * 4;
        for (int x = 0; x < w; x++, o += 4) {
            const gsize at = ((gsize)(y + dy) * rgb->w + x + dx) * 3;
            const int fx = (x + dx) / s, fy = (y + dy) / s;
            if (x % s == 0) /* a source pixel begins */
                even = !alpha || alpha_is_even(from, fx, fy);
            memcpy(o, rgb->p + at, 3 * sizeof(float));
            o[3] = sfu_clean_alpha(even ? from->p[((gsize)fy * from->w + fx) * 4 + 3] : alpha->p[at + 1]);
        }
        if (y % WRITE_ROWS != WRITE_ROWS - 1 && y != h - 1)
            continue;
        const int first = y / WRITE_ROWS * WRITE_ROWS;
        const SfuRect rows = {area.x * s, area.y * s + first, w, y % WRITE_ROWS + 1};
        ok = !n->blends || mix(out, rows, first, (core.x - ax) * s, (core.y - ay) * s, t->p, error);
        if (ok)
            sfu_enlarge_write(out, rows, t->p);
    }
    sfu_image_free(t);
    return ok;
}

/* What a tile reads, its core and the margins that the picture has; and the size that the network sees: the picture's
 * right and lower edges are filled up as the networks' authors do it. */
static void tile_around(const Network *n, const GeglRectangle *e, SfuRect core, SfuRect *read, int *w, int *h)
{
    const int x0 = MAX(0, core.x - n->margin), y0 = MAX(0, core.y - n->margin);
    const int x1 = MIN(e->width, core.x + core.w + n->margin), y1 = MIN(e->height, core.y + core.h + n->margin);
    *read = (SfuRect){x0, y0, x1 - x0, y1 - y0};
    *w = x1 == e->width ? sfu_upscaler_padded(n->u, e->width) - x0 : read->w;
    *h = y1 == e->height ? sfu_upscaler_padded(n->u, e->height) - y0 : read->h;
}

/* Alpha goes through the network as a gray picture, so that edges of shapes become as sharp as edges of color, without
 * noise, since it has no texture; if it is the same all over, not. */
static gboolean do_tile(Network *n, GeglBuffer *in, SfuRect core, GeglBuffer *out, GError **error)
{
    SfuRect read;
    int w, h;
    tile_around(n, gegl_buffer_get_extent(in), core, &read, &w, &h);
    rehearse(n, w, h);
    SfuImage *part = sfu_enlarge_read_own(in, read, error);
    SfuImage *padded = part ? sfu_image_pad(part, w, h, !sfu_upscaler_pads_black(n->u), error) : NULL;
    SfuImage *rgb = padded ? add_noise(n, three(padded, 0, 3, error), read.x, read.y, TRUE, error) : NULL, *gray = NULL,
             *alpha = NULL, *big = NULL;
    sfu_image_free(part);
    gboolean ok = rgb != NULL;
    const gboolean flat = ok && alpha_is_flat(padded);
    if (ok && !flat)
        ok = (gray = add_noise(n, three(padded, 3, 1, error), read.x, read.y, FALSE, error)) != NULL;
    if (ok) {
        n->tile_px = (double)core.w * core.h;
        n->reported = n->pass = 0;
        n->n_passes = ((n->channels == 3 || is_gray(rgb) ? 1 : 3) + (flat ? 0 : 1)) * (n->tta ? 8 : 1);
    }
    ok = ok && (big = enlarge_rgb(n, rgb, error)) && (flat || (alpha = enlarge_rgb(n, gray, error))) &&
         write_tile(n, &(Tile){read, core, padded, big, alpha}, out, error);
    sfu_image_free(padded);
    sfu_image_free(rgb);
    sfu_image_free(gray);
    sfu_image_free(big);
    sfu_image_free(alpha);
    return ok;
}

/* ---- the plan of tiles ---- */

static int up_to(int v, int multiple)
{
    return (v + multiple - 1) / multiple * multiple;
}
static int down_to(int v, int multiple)
{
    return MAX(multiple, v / multiple * multiple);
}

/* The longest side in multiples, `most` at most, with which a tile fits; it is the width or the height, or both,
 * whichever is given as 0. 0: none. */
static int longest(const Network *n, int most, int w, int h)
{
    const gint64 room = (gint64)sfu_net_room(n->r->q);
    int fits = 0, fails = most / n->multiple + 1; /* multiples */
    while (fails - fits > 1) {
        const int middle = fits + (fails - fits) / 2, side = middle * n->multiple;
        if (sfu_upscaler_bytes(n->u, w ? w : side, h ? h : side) <= room)
            fits = middle;
        else
            fails = middle;
    }
    return fits * n->multiple;
}

/* A core within a tile of `tile` for a picture of `size`: all of it, or what the margins leave. */
static int core_of(const Network *n, int tile, int size, int most)
{
    return tile >= size && size <= most ? size : down_to(MIN(most, tile - 2 * n->margin), n->multiple);
}

/* Core and margin for a picture of w x h under the budget. FALSE with MEMORY. */
static gboolean plan_tiles(Network *n, int w, int h, GError **error)
{
    const int m = n->multiple, pw = sfu_upscaler_padded(n->u, w), ph = sfu_upscaler_padded(n->u, h),
              asked = sfu_params_int(n->r->p, SFU_PARAM_TILE), exact = up_to(sfu_upscaler_margin_px(n->u), m);
    int tw = longest(n, MAX(pw, ph), 0, 0), th = tw;
    if (tw < MIN(LEAST_CORE_PX, MAX(pw, ph))) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY,
                    _("A tile of %d x %d pixels needs %" PRId64 " bytes on the device; it has %" PRId64 "."),
                    LEAST_CORE_PX, LEAST_CORE_PX,
                    sfu_upscaler_bytes(n->u, up_to(LEAST_CORE_PX, m), up_to(LEAST_CORE_PX, m)),
                    (gint64)sfu_net_room(n->r->q));
        return FALSE;
    }
    /* A tile that is as high as the picture needs no margin there, and can be the wider; and the other way. */
    if (ph <= tw)
        tw = longest(n, pw, 0, th = ph);
    else if (pw <= tw)
        th = longest(n, ph, tw = pw, 0);
    /* A margin of m around a core of c costs (c + 2m)^2 / c^2 of the work. Where the exact one would cost more
     * than 2.25 it is cut, though not below what is seen, nor so far that less than a third would be left for the core.
     */
    const gboolean whole = tw >= pw && th >= ph;
    const int cut = th >= ph ? tw : tw >= pw ? th : MIN(tw, th); /* the side along which the picture is divided */
    int margin = asked > 0 ? MAX(SEEN_PX, asked / 4) : whole ? exact : MAX(cut / 6, MIN(cut / 3, SEEN_PX));
    if (asked > 0 && !whole)
        margin = MIN(margin, MAX(m, (cut - asked) / 2));
    n->margin = MIN(exact, up_to(margin, m));
    /* The deeper a network, the dearer a seam; deep ones report progress themselves. */
    const int most = asked > 0 ? up_to(asked, m) : MAX(MAX_CORE_PX, 8 * exact);
    n->core_w = core_of(n, tw, w, most);
    n->core_h = core_of(n, th, h, most);
    return TRUE;
}

static gboolean all_tiles(Network *n, GeglBuffer *in, GeglBuffer *out, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    const int nx = (e->width + n->core_w - 1) / n->core_w, ny = (e->height + n->core_h - 1) / n->core_h;
    n->n_tiles = nx * ny;
    for (n->tile = 0; n->tile < n->n_tiles; n->tile++) {
        const int x = n->tile % nx * n->core_w, y = n->tile / nx * n->core_h;
        const SfuRect core = {x, y, MIN(n->core_w, e->width - x), MIN(n->core_h, e->height - y)};
        if (!do_tile(n, in, core, out, error) ||
            !sfu_run_tick(n->r, SFU_STAGE_UPSCALE, n->tile_px - n->reported, n->tile + 1, n->n_tiles, error))
            return FALSE;
    }
    return TRUE;
}

/* For a run that only prepares: a tile is rehearsed. */
static void prepare(Network *n, const GeglRectangle *e)
{
    SfuRect read;
    int w, h;
    tile_around(n, e, (SfuRect){0, 0, MIN(n->core_w, e->width), MIN(n->core_h, e->height)}, &read, &w, &h);
    rehearse(n, w, h);
}

/* One enlargement by the network's own factor. NULL without error: the run only prepares. */
static GeglBuffer *pass(Network *n, GeglBuffer *in, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    if ((gint64)e->width * n->scale > 400000 || (gint64)e->height * n->scale > 400000) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, _("%d x %d pixels times %d is too large."), e->width, e->height,
                    n->scale);
        return NULL;
    }
    if (!plan_tiles(n, e->width, e->height, error) || !sfu_run_stage(n->r, SFU_STAGE_UPSCALE, error))
        return NULL;
    if (n->r->prepares) {
        prepare(n, e);
        return NULL;
    }
    GeglBuffer *out =
        gegl_buffer_new(GEGL_RECTANGLE(e->x, e->y, e->width * n->scale, e->height * n->scale), sfu_enlarge_format(in));
    for (;;) {
        GError *err = NULL;
        if (all_tiles(n, in, out, &err))
            return out;
        if (!g_error_matches(err, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY) ||
            MAX(n->core_w, n->core_h) <= LEAST_CORE_PX) {
            g_propagate_error(error, err);
            g_object_unref(out);
            return NULL;
        }
        /* The plan was too hopeful: again in smaller tiles. */
        g_error_free(err);
        sfu_queue_trim(n->r->q);
        n->core_w = n->core_w > LEAST_CORE_PX ? down_to(n->core_w / 2, n->multiple) : n->core_w;
        n->core_h = n->core_h > LEAST_CORE_PX ? down_to(n->core_h / 2, n->multiple) : n->core_h;
        n->margin = MIN(n->margin, MAX(n->core_w, n->core_h));
    }
}

/* How often the network is applied to reach the scale; what is missing or too much then is resampled. */
static int n_passes(int network_scale, double scale)
{
    int n = 1;
    for (double s = network_scale; network_scale > 1 && scale / s > 1.25; s *= network_scale)
        n++;
    return n;
}

static gboolean open_network(Network *n, SfuRun *r, SfuLoaded *m, GError **error)
{
    if (!m->upscaler &&
        !(m->upscaler = sfu_upscaler_create(r->q, m->model, sfu_model_family(m->model)->upscaler, error)))
        return FALSE;
    *n = (Network){.r = r,
                   .u = m->upscaler,
                   .scale = sfu_upscaler_scale(m->upscaler),
                   .multiple = MAX(1, sfu_upscaler_multiple(m->upscaler)),
                   .channels = sfu_upscaler_channels(m->upscaler),
                   .noise = sfu_upscaler_noise(m->upscaler),
                   .blends = sfu_upscaler_sees_all(m->upscaler),
                   .tta = sfu_params_bool(r->p, SFU_PARAM_TTA)};
    return TRUE;
}

GeglBuffer *sfu_network_enlarge(SfuRun *r, SfuLoaded *m, GeglBuffer *in, GError **error)
{
    Network n;
    if (!open_network(&n, r, m, error))
        return NULL;
    sfu_run_plan(r, SFU_STAGE_UPSCALE, (double)gegl_buffer_get_width(in) * gegl_buffer_get_height(in));
    return pass(&n, in, error);
}

gboolean sfu_pipe_network(SfuRun *r, SfuLoaded *m, GPtrArray *results, GError **error)
{
    Network n;
    if (!open_network(&n, r, m, error))
        return FALSE;
    const double scale =
        sfu_params_given(r->p, SFU_PARAM_SCALE) ? sfu_params_double(r->p, SFU_PARAM_SCALE) : sfu_model_scale(m->model);
    sfu_params_put(r->p, SFU_PARAM_SCALE, scale);
    int w, h;
    if (!sfu_enlarged_size(r, &w, &h, error))
        return FALSE;
    const int passes = n_passes(n.scale, scale);
    const GeglRectangle *e = gegl_buffer_get_extent(r->job->picture);
    for (int i = 0; i < passes; i++)
        sfu_run_plan(r, SFU_STAGE_UPSCALE, (double)e->width * e->height * pow(n.scale, 2 * i));
    GeglBuffer *b = g_object_ref(r->job->picture);
    for (int i = 0; b && i < passes; i++) {
        GeglBuffer *next = pass(&n, b, error);
        g_object_unref(b);
        b = next;
    }
    return b && sfu_enlarge_finish(r, b, results, error);
}
