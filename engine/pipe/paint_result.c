/* Previews and results of a painting run: pictures of the context become buffers in the place of the result.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "paint.h"

#include <string.h>

void sfu_paint_make_gray(SfuImage *i)
{
    for (gint64 k = 0; k < (gint64)i->w * i->h; k++) {
        float *v = i->p + k * i->c;
        v[0] = v[1] = v[2] = 0.2126f * v[0] + 0.7152f * v[1] + 0.0722f * v[2];
    }
}

gboolean sfu_pass_put_back(const SfuPass *a, const SfuImage *made, SfuImage *into, GError **error)
{
    const SfuResample kernel = made->w < a->rect.w ? SFU_RESAMPLE_BICUBIC : SFU_RESAMPLE_LANCZOS;
    SfuImage *big = sfu_image_resample_round(made, a->rect.w, a->rect.h, kernel, a->p->s->wrap, error);
    const int w = MIN(a->rect.w, into->w - a->rect.x), h = MIN(a->rect.h, into->h - a->rect.y);
    for (int y = 0; big && y < h; y++)
        memcpy(into->p + ((gsize)(a->rect.y + y) * into->w + a->rect.x) * 3, big->p + (gsize)y * a->rect.w * 3,
               w * 3 * sizeof(float));
    sfu_image_free(big);
    return big != NULL;
}

void sfu_paint_keep_outside(const SfuPaint *p, SfuImage *made)
{
    if (!p->soft)
        return;
    for (gint64 k = 0; k < (gint64)made->w * made->h; k++) {
        const float a = p->soft->p[k];
        for (int c = 0; c < 3; c++)
            made->p[k * 3 + c] = a * made->p[k * 3 + c] + (1 - a) * p->source->p[k * 4 + c];
    }
}

static SfuRect result_rect(const SfuPaint *p)
{
    return p->r->task == SFU_TASK_OUTPAINT ? (SfuRect){0, 0, p->canvas.w, p->canvas.h} : p->region.mask;
}

SfuImage *sfu_paint_source_rgb(const SfuPaint *p, GError **error)
{
    return p->source ? sfu_image_channels(p->source, 0, 3, error)
                     : sfu_image_new(p->region.context.w, p->region.context.h, 3, error);
}

GeglBuffer *sfu_paint_to_buffer(const SfuPaint *p, const SfuImage *context_rgb, gboolean alpha, GError **error)
{
    const SfuRect r = result_rect(p), c = p->region.context;
    const GeglRectangle extent = {p->canvas.x + r.x, p->canvas.y + r.y, r.w, r.h};
    const Babl *format = alpha ? babl_format("R'G'B'A float") : babl_format("R'G'B' float");
    GeglBuffer *b = gegl_buffer_new(&extent, format);
    const int ch = alpha ? 4 : 3;
    if (p->r->task == SFU_TASK_OUTPAINT)
        gegl_buffer_copy(p->r->job->picture, gegl_buffer_get_extent(p->r->job->picture), GEGL_ABYSS_NONE, b,
                         gegl_buffer_get_extent(p->r->job->picture));
    SfuRect in; /* the part of the result that the context covers */
    gegl_rectangle_intersect((GeglRectangle *)&in, GEGL_RECTANGLE(r.x, r.y, r.w, r.h),
                             GEGL_RECTANGLE(c.x, c.y, c.w, c.h));
    float *row = g_new(float, (gsize)in.w *ch), *old = g_new(float, (gsize)in.w *ch);
    const gboolean whole = !p->soft;
    for (int y = 0; y < in.h; y++) {
        const gsize from = (gsize)(in.y + y - c.y) * c.w + in.x - c.x;
        const GeglRectangle line = {p->canvas.x + in.x, p->canvas.y + in.y + y, in.w, 1};
        gegl_buffer_get(b, &line, 1.0, format, old, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; x < in.w; x++) {
            const float soft = whole ? 1 : p->soft->p[from + x];
            float *o = row + (gsize)x * ch;
            for (int k = 0; k < 3; k++)
                o[k] = context_rgb->p[(from + x) * 3 + k];
            if (p->r->task == SFU_TASK_OUTPAINT) {
                /* The new picture: the old one outside the soft mask, bit for bit. */
                if (soft <= 0)
                    memcpy(o, old + (gsize)x * ch, ch * sizeof(float));
                else if (alpha)
                    o[3] = soft + (1 - soft) * old[(gsize)x * ch + 3];
            } else if (alpha) {
                o[3] = !whole ? soft : p->source ? p->source->p[(from + x) * 4 + 3] : 1;
            }
        }
        gegl_buffer_set(b, &line, 0, format, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_free(old);
    return b;
}

gboolean sfu_pass_preview(gpointer data, const SfuImage *denoised, int step, GError **error)
{
    const SfuPass *a = data;
    SfuPaint *p = a->p;
    if (!p->r->job->preview)
        return TRUE;
    SfuImage *small = sfu_session_preview(p->s, denoised, error);
    SfuImage *view = small ? (p->made ? sfu_image_copy(p->made, error) : sfu_paint_source_rgb(p, error)) : NULL;
    const gboolean ok = view && sfu_pass_put_back(a, small, view, error);
    if (ok) {
        sfu_paint_keep_outside(p, view);
        if (p->gray)
            sfu_paint_make_gray(view);
        GeglBuffer *b = sfu_paint_to_buffer(p, view, FALSE, error);
        p->r->job->preview(b, step, p->r->job->data);
        g_object_unref(b);
    }
    sfu_image_free(small);
    sfu_image_free(view);
    return ok;
}
