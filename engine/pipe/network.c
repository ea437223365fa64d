/* Enlarging by an upscaler network: tile by tile with exact context, from GEGL buffer to GEGL buffer, so that no more than a tile is held.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>

#define MAX_CORE_PX 1024 /* longest side of a tile without its margin: progress and cancel should not wait */
#define LEAST_CORE_PX 32

typedef struct {
    SfuRun *r;
    SfuUpscaler *u;
    int scale, multiple;
    int core, margin; /* input px, multiples of `multiple` */
    gboolean tta;
} Network;

/* One pass: rgb [h, w, 3] -> [h*s, w*s, 3]. */
static SfuImage *forward(const Network *n, const SfuImage *rgb, GError **error)
{
    SfuTensor *x = sfu_tensor_create(n->r->q, SFU_F32, 1, rgb->h, rgb->w, 3, error), *y = NULL;
    SfuImage *o = NULL;
    if (x && sfu_tensor_write(x, rgb->p, error) && sfu_upscaler_forward(n->u, &y, x, error) &&
        (o = sfu_image_new(y->w, y->h, 3, error)) && !sfu_tensor_read(y, o->p, error))
        g_clear_pointer(&o, sfu_image_free);
    sfu_tensor_destroy(x);
    sfu_tensor_destroy(y);
    for (gint64 k = 0; o && k < (gint64)o->w * o->h * 3; k++) {
        if (!isfinite(o->p[k])) {
            g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "The upscaler network gave NaN or infinity; try the precision fp32.");
            g_clear_pointer(&o, sfu_image_free);
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
static SfuImage *forward_eight(const Network *n, const SfuImage *rgb, GError **error)
{
    SfuImage *sum = NULL;
    for (int how = 0; how < 8; how++) {
        SfuImage *in = turn(rgb, how, error), *out = in ? forward(n, in, error) : NULL, *back = out ? turn_back(out, how, error) : NULL;
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

static SfuImage *enlarge_rgb(const Network *n, SfuImage *rgb, GError **error)
{
    for (gint64 k = 0; k < (gint64)rgb->w * rgb->h * 3; k++)
        rgb->p[k] = CLAMP(rgb->p[k], 0, 1);
    return n->tta ? forward_eight(n, rgb, error) : forward(n, rgb, error);
}

/* Alpha goes through the network as a gray picture, so that edges of shapes become as sharp as edges of colour; if it is the same all over, not. */
static SfuImage *enlarge_alpha(const Network *n, const SfuImage *rgba, GError **error)
{
    const float first = rgba->p[3];
    gboolean flat = TRUE;
    SfuImage *gray = sfu_image_new(rgba->w, rgba->h, 3, error);
    for (gint64 k = 0; gray && k < (gint64)rgba->w * rgba->h; k++) {
        const float a = rgba->p[k * 4 + 3];
        flat = flat && a == first;
        gray->p[k * 3] = gray->p[k * 3 + 1] = gray->p[k * 3 + 2] = a;
    }
    SfuImage *o = NULL;
    if (gray && flat) {
        o = sfu_image_new(rgba->w * n->scale, rgba->h * n->scale, 3, error);
        for (gint64 k = 0; o && k < (gint64)o->w * o->h; k++)
            o->p[k * 3 + 1] = first;
    } else if (gray) {
        o = enlarge_rgb(n, gray, error);
    }
    sfu_image_free(gray);
    return o;
}

/* The core of one tile, from its padded input. */
static gboolean write_tile(const Network *n, const SfuImage *rgb, const SfuImage *alpha, SfuRect read, SfuRect core, GeglBuffer *out, GError **error)
{
    const int s = n->scale, w = core.w * s, h = core.h * s, dx = (core.x - read.x) * s, dy = (core.y - read.y) * s;
    const GeglRectangle *e = gegl_buffer_get_extent(out);
    SfuImage *t = sfu_image_new(w, h, 4, error);
    for (int y = 0; t && y < h; y++) {
        for (int x = 0; x < w; x++) {
            const gsize from = (gsize)(y + dy) * rgb->w + x + dx;
            float *o = t->p + ((gsize)y * w + x) * 4;
            memcpy(o, rgb->p + from * 3, 3 * sizeof(float));
            o[3] = sfu_clean_alpha(alpha->p[from * 3 + 1]);
        }
    }
    if (t)
        gegl_buffer_set(out, GEGL_RECTANGLE(e->x + core.x * s, e->y + core.y * s, w, h), 0, babl_format("R'G'B'A float"), t->p, GEGL_AUTO_ROWSTRIDE);
    sfu_image_free(t);
    return t != NULL;
}

static gboolean do_tile(const Network *n, GeglBuffer *in, SfuRect core, GeglBuffer *out, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    const int m = n->multiple, x0 = MAX(0, core.x - n->margin), y0 = MAX(0, core.y - n->margin);
    const int x1 = MIN(e->width, core.x + core.w + n->margin), y1 = MIN(e->height, core.y + core.h + n->margin);
    const SfuRect read = {x0, y0, x1 - x0, y1 - y0};
    SfuImage *part = sfu_enlarge_read(in, read, error);
    /* At the right and lower border up to the multiple, by repeating the edge. */
    SfuImage *padded = part ? sfu_image_crop(part, (SfuRect){0, 0, (read.w + m - 1) / m * m, (read.h + m - 1) / m * m}, error) : NULL;
    SfuImage *rgb = padded ? sfu_image_channels(padded, 0, 3, error) : NULL, *big = rgb ? enlarge_rgb(n, rgb, error) : NULL;
    SfuImage *alpha = big ? enlarge_alpha(n, padded, error) : NULL;
    const gboolean ok = alpha && write_tile(n, big, alpha, read, core, out, error);
    sfu_image_free(part);
    sfu_image_free(padded);
    sfu_image_free(rgb);
    sfu_image_free(big);
    sfu_image_free(alpha);
    return ok;
}

static int down_to(int v, int multiple)
{
    return MAX(multiple, v / multiple * multiple);
}

/* Core and margin for a picture of w x h under the budget. FALSE with MEMORY. */
static gboolean plan_tiles(Network *n, int w, int h, GError **error)
{
    const gint64 per_px = MAX(1, sfu_upscaler_bytes_per_px(n->u)), room = (gint64)(sfu_queue_budget(n->r->q) / 10 * 7);
    const int side = (int)MIN(sqrt((double)room / per_px), 1e6), asked = sfu_params_int(n->r->p, "tile");
    if (side < LEAST_CORE_PX) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MEMORY, "A tile of %d x %d pixels needs %" G_GINT64_FORMAT " bytes on the device, %" G_GINT64_FORMAT
                    " are there.", LEAST_CORE_PX, LEAST_CORE_PX, per_px * LEAST_CORE_PX * LEAST_CORE_PX, room);
        return FALSE;
    }
    n->margin = (sfu_upscaler_margin_px(n->u) + n->multiple - 1) / n->multiple * n->multiple;
    if (asked == 0 && (gint64)w * h * per_px <= room && MAX(w, h) <= MAX_CORE_PX) {
        n->core = MAX(w, h);
        return TRUE;
    }
    /* Deep networks could see hundreds of pixels far, and look at a few tens: where exact context leaves no room for a tile it is cut. */
    if (n->margin > side / 3)
        n->margin = down_to(side / 3, n->multiple);
    n->core = down_to(MIN(asked > 0 ? asked : MAX_CORE_PX, side - 2 * n->margin), n->multiple);
    return TRUE;
}

static gboolean all_tiles(const Network *n, GeglBuffer *in, GeglBuffer *out, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    const int nx = (e->width + n->core - 1) / n->core, ny = (e->height + n->core - 1) / n->core;
    for (int k = 0; k < nx * ny; k++) {
        const int x = k % nx * n->core, y = k / nx * n->core;
        const SfuRect core = {x, y, MIN(n->core, e->width - x), MIN(n->core, e->height - y)};
        if (!do_tile(n, in, core, out, error) || !sfu_run_tick(n->r, SFU_STAGE_UPSCALE, (double)core.w * core.h, k + 1, nx * ny, error))
            return FALSE;
    }
    return TRUE;
}

/* One enlargement by the network's own factor. */
static GeglBuffer *pass(Network *n, GeglBuffer *in, GError **error)
{
    const GeglRectangle *e = gegl_buffer_get_extent(in);
    if ((gint64)e->width * n->scale > 400000 || (gint64)e->height * n->scale > 400000) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%d x %d pixels times %d is more than can be worked on.", e->width, e->height, n->scale);
        return NULL;
    }
    if (!plan_tiles(n, e->width, e->height, error) || !sfu_run_stage(n->r, SFU_STAGE_UPSCALE, error))
        return NULL;
    GeglBuffer *out = gegl_buffer_new(GEGL_RECTANGLE(e->x, e->y, e->width * n->scale, e->height * n->scale), babl_format("R'G'B'A float"));
    for (;;) {
        GError *err = NULL;
        if (all_tiles(n, in, out, &err))
            return out;
        if (!g_error_matches(err, SFU_RUNTIME_ERROR, SFU_RUNTIME_ERROR_MEMORY) || n->core <= LEAST_CORE_PX) {
            g_propagate_error(error, err);
            g_object_unref(out);
            return NULL;
        }
        /* The plan was too hopeful: again in smaller tiles. */
        g_error_free(err);
        sfu_queue_trim(n->r->q);
        n->core = down_to(n->core / 2, n->multiple);
        n->margin = MIN(n->margin, n->core);
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
    if (!m->upscaler && !(m->upscaler = sfu_upscaler_create(r->q, m->model, error)))
        return FALSE;
    *n = (Network){.r = r, .u = m->upscaler, .scale = sfu_upscaler_scale(m->upscaler), .multiple = MAX(1, sfu_upscaler_multiple(m->upscaler)),
                   .tta = sfu_params_get_double(r->p, "tta") != 0};
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
    const double scale = sfu_params_is_set(r->p, "scale") ? sfu_params_get_double(r->p, "scale") : n.scale;
    sfu_params_set_double(r->p, "scale", scale, NULL);
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
