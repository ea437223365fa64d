/* Enlarging by diffusion: the Stable Diffusion x4 upscaler, "detail" (image to image at the target size), and
 * sfumato-mini. The picture's latents are held as a whole, since they are small and every step blends overlapping tiles
 * of them; pixels stream through tile by tile.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <math.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#include "holes.h"
#include "region/region.h"

#define PIXEL_TILE 1024 /* longest side of a tile of pixels that is held on the host */
#define COLOR_CELL_PX 16

typedef struct {
    SfuSession *s;
    SfuRun *r;
    GeglBuffer *in;
    int in_w, in_h;
    GeglBuffer *enlarged; /* [w, h] the picture as a network of the model's own enlarges it; NULL: bicubically */
    int w, h;             /* of the target */
    int lw, lh;           /* of its latents */
    /* Latents of the enlarged picture: only the change against what the decoder makes of them is added to the picture,
     * so that the autoencoder's own loss cancels. NULL: what is decoded stands, its colors fitted. */
    const SfuImage *base;
    SfuImage *decoded, *decoded_base; /* the whole target and base [h, w, 3], where the autoencoder can make them at
                                         once; NULL: tile by tile */
    gboolean back_project;            /* w and h are whole multiples of in_w and in_h */
} Enlarge;

static SfuImage *enlarge_bicubic(const Enlarge *e, SfuRect out, GError **error)
{
    const SfuScaling scaling = {e->in_w, e->in_h, e->w, e->h, SFU_RESAMPLE_BICUBIC};
    const SfuRect reach = sfu_resample_reach(scaling, out);
    SfuImage *part = sfu_enlarge_read(e->in, reach, error),
             *big = part ? sfu_image_resample_part(part, scaling, reach, out, error) : NULL;
    sfu_image_free(part);
    return big;
}

/* Rectangle of the enlarged picture [w, h, 3]; beyond the target's border its edge repeated. */
static SfuImage *read_enlarged(const Enlarge *e, SfuRect out, SfuImage **alpha, GError **error)
{
    const SfuRect in = {out.x, out.y, MIN(out.w, e->w - out.x), MIN(out.h, e->h - out.y)};
    SfuImage *big = e->enlarged ? sfu_enlarge_read(e->enlarged, in, error) : enlarge_bicubic(e, in, error);
    SfuImage *full = big ? sfu_image_crop(big, (SfuRect){0, 0, out.w, out.h}, error) : NULL;
    SfuImage *rgb = full ? sfu_image_channels(full, 0, 3, error) : NULL;
    if (rgb && alpha)
        *alpha = sfu_image_channels(full, 3, 1, error);
    sfu_image_free(big);
    sfu_image_free(full);
    return rgb;
}

/* The autoencoder takes the whole at once, which is exact, where it can. */
static gboolean ae_whole(const Enlarge *e, gboolean decode)
{
    return sfu_coder_tile(&e->s->ae, e->lw, e->lh, decode) >= MAX(e->lw, e->lh);
}

/* Tiles that overlap: nx across, at columns xs, and ny down, at rows ys. */
typedef struct {
    int w, h, overlap, nx, ny, *xs, *ys;
} Tiles;

static void tiles_clear(Tiles *t)
{
    g_free(t->xs);
    g_free(t->ys);
}

/* The tiles of latents that are worked on: by the autoencoder, and where it decodes the whole by what follows it.
 * Caller clears. */
static Tiles ae_tiles(const Enlarge *e, gboolean decode)
{
    const SfuCoder *a = &e->s->ae;
    const int fits = sfu_coder_tile(a, e->lw, e->lh, decode),
              tile = !decode && ae_whole(e, FALSE) ? fits : MIN(fits, PIXEL_TILE / a->factor);
    Tiles t = {.w = MIN(tile, e->lw), .h = MIN(tile, e->lh), .overlap = MAX(2, tile / 4)};
    t.nx = sfu_tiles(e->lw, t.w, t.overlap, 1, &t.xs);
    t.ny = sfu_tiles(e->lh, t.h, t.overlap, 1, &t.ys);
    return t;
}

static double ae_units(const Enlarge *e, gboolean decode)
{
    if (ae_whole(e, decode))
        return sfu_coder_units(&e->s->ae, e->lw, e->lh);
    Tiles t = ae_tiles(e, decode);
    tiles_clear(&t);
    return (double)t.nx * t.ny * t.w * t.h;
}

/* Adds a tile of values [h, w, c] to sums and its weights to `weight`, less towards the edges that others overlap. */
static void add_tile(const Tiles *t, int k, const SfuImage *part, SfuImage *sum, SfuImage *weight)
{
    const int kx = k % t->nx, ky = k / t->nx;
    for (int j = 0; j < t->h; j++) {
        const float wy = sfu_tile_ramp(j, t->h, t->overlap, ky == 0, ky == t->ny - 1);
        for (int i = 0; i < t->w; i++) {
            const float wt = wy * sfu_tile_ramp(i, t->w, t->overlap, kx == 0, kx == t->nx - 1);
            const gsize at = (gsize)(t->ys[ky] + j) * sum->w + t->xs[kx] + i;
            for (int c = 0; c < sum->c; c++)
                sum->p[at * sum->c + c] += wt * part->p[((gsize)j * t->w + i) * sum->c + c];
            weight->p[at] += wt;
        }
    }
}

/* Latents of the enlarged picture. */
static SfuImage *encode(const Enlarge *e, GError **error)
{
    const SfuCoder *a = &e->s->ae;
    const int f = a->factor;
    Tiles t = ae_tiles(e, FALSE);
    SfuImage *z = sfu_image_new(e->lw, e->lh, a->channels, error),
             *weight = z ? sfu_image_new(e->lw, e->lh, 1, error) : NULL;
    gboolean ok = weight != NULL;
    for (int k = 0; ok && k < t.nx * t.ny; k++) {
        const SfuRect at = {t.xs[k % t.nx] * f, t.ys[k / t.nx] * f, t.w * f, t.h * f};
        SfuImage *rgb = read_enlarged(e, at, NULL, error), *part = rgb ? sfu_coder_encode(a, rgb, error) : NULL;
        ok = part != NULL;
        if (ok)
            add_tile(&t, k, part, z, weight);
        sfu_image_free(rgb);
        sfu_image_free(part);
    }
    for (gint64 k = 0; ok && k < (gint64)e->lw * e->lh; k++)
        for (int c = 0; c < z->c; c++)
            z->p[k * z->c + c] /= weight->p[k];
    sfu_image_free(weight);
    tiles_clear(&t);
    if (!ok)
        g_clear_pointer(&z, sfu_image_free);
    return z;
}

/* What latents z, whose whole is perhaps decoded, come to in a tile. */
static SfuImage *decoded_part(const Enlarge *e, const SfuImage *whole, const SfuImage *z, SfuRect tile, GError **error)
{
    const int f = e->s->ae.factor;
    if (whole)
        return sfu_image_crop(whole, (SfuRect){tile.x * f, tile.y * f, tile.w * f, tile.h * f}, error);
    SfuImage *part = sfu_image_crop(z, tile, error), *rgb = part ? sfu_coder_decode(&e->s->ae, part, error) : NULL;
    sfu_image_free(part);
    return rgb;
}

/* rgb becomes plain + rgb - what the base decodes to. */
static gboolean add_change(const Enlarge *e, const SfuImage *plain, SfuRect tile, SfuImage *rgb, GError **error)
{
    SfuImage *base = decoded_part(e, e->decoded_base, e->base, tile, error);
    for (gint64 k = 0; base && k < (gint64)rgb->w * rgb->h * 3; k++)
        rgb->p[k] += plain->p[k] - base->p[k];
    sfu_image_free(base);
    return base != NULL;
}

/* Where rgb, a tile at `out`, shrinks to something else than the picture, the enlarged difference is added (Irani &
 * Peleg 1991, one round). */
static gboolean back_project(const Enlarge *e, SfuRect out, SfuImage *rgb, GError **error)
{
    const int factor = e->w / e->in_w, w = MIN(out.w, e->w - out.x), h = MIN(out.h, e->h - out.y);
    const SfuRect in = {out.x / factor, out.y / factor, w / factor, h / factor};
    SfuImage *part = sfu_image_crop(rgb, (SfuRect){0, 0, w, h}, error),
             *given = part ? sfu_enlarge_read(e->in, in, error) : NULL;
    SfuImage *low = given ? sfu_image_resample(part, in.w, in.h, SFU_RESAMPLE_AREA, error) : NULL;
    for (gint64 k = 0; low && k < (gint64)in.w * in.h; k++)
        for (int c = 0; c < 3; c++)
            low->p[k * 3 + c] = given->p[k * given->c + c] - low->p[k * 3 + c];
    SfuImage *more = low ? sfu_image_resample(low, w, h, SFU_RESAMPLE_BICUBIC, error) : NULL;
    for (int y = 0; more && y < h; y++)
        for (int x = 0; x < w * 3; x++)
            rgb->p[(gsize)y * rgb->w * 3 + x] += more->p[(gsize)y * w * 3 + x];
    sfu_image_free(part);
    sfu_image_free(given);
    sfu_image_free(low);
    sfu_image_free(more);
    return more != NULL;
}

/* One decoded tile [h, w, 4]: colors fitted to the picture's own in cells, alpha from the enlarged picture. */
static SfuImage *decode_tile(const Enlarge *e, const SfuImage *z, SfuRect tile, GError **error)
{
    const SfuCoder *a = &e->s->ae;
    const SfuRect out = {tile.x * a->factor, tile.y * a->factor, tile.w * a->factor, tile.h * a->factor};
    SfuImage *rgb = decoded_part(e, e->decoded, z, tile, error), *alpha = NULL;
    SfuImage *plain = rgb ? read_enlarged(e, out, &alpha, error) : NULL,
             *none = plain ? sfu_image_new(out.w, out.h, 1, error) : NULL;
    gboolean ok =
        none && alpha &&
        (e->base ? add_change(e, plain, tile, rgb, error) : sfu_color_match(rgb, plain, none, COLOR_CELL_PX, error));
    ok = ok && (!e->back_project || back_project(e, out, rgb, error));
    SfuImage *o = ok ? sfu_image_new(out.w, out.h, 4, error) : NULL;
    for (gint64 k = 0; o && k < (gint64)out.w * out.h; k++) {
        memcpy(o->p + k * 4, rgb->p + k * 3, 3 * sizeof(float));
        o->p[k * 4 + 3] = CLAMP(alpha->p[k], 0, 1);
    }
    sfu_image_free(rgb);
    sfu_image_free(plain);
    sfu_image_free(alpha);
    sfu_image_free(none);
    return o;
}

/* Adds a decoded tile, kx-th of row ky, to the band [.., 5]: colors and alpha times weight, and weight. */
static void add_to_band(const Tiles *t, int kx, int ky, int factor, const SfuImage *tile, SfuImage *band)
{
    for (int j = 0; j < tile->h; j++) {
        const float wy = sfu_tile_ramp(j, tile->h, t->overlap * factor, ky == 0, ky == t->ny - 1);
        for (int i = 0; i < tile->w; i++) {
            const float wt = wy * sfu_tile_ramp(i, tile->w, t->overlap * factor, kx == 0, kx == t->nx - 1);
            float *b = band->p + ((gsize)j * band->w + t->xs[kx] * factor + i) * 5;
            for (int c = 0; c < 4; c++)
                b[c] += wt * tile->p[((gsize)j * tile->w + i) * 4 + c];
            b[4] += wt;
        }
    }
}

/* Writes the first `done` rows of the band to row y of the target and on, and moves the others to their place. */
static void flush_band(const Enlarge *e, SfuImage *band, int done, int y, GeglBuffer *out)
{
    const GeglRectangle *at = gegl_buffer_get_extent(out);
    const Babl *rgba = babl_format("R'G'B'A float");
    float *row = g_new(float, (gsize)e->w * 4);
    for (int j = 0; j < done && y + j < e->h; j++) {
        for (int x = 0; x < e->w; x++)
            for (int c = 0; c < 4; c++) {
                const float *b = band->p + ((gsize)j * band->w + x) * 5;
                row[x * 4 + c] = c < 3 ? b[c] / b[4] : sfu_clean_alpha(b[3] / b[4]);
            }
        gegl_buffer_set(out, GEGL_RECTANGLE(at->x, at->y + y + j, e->w, 1), 0, rgba, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    if (done < band->h) {
        const gsize stride = (gsize)band->w * 5;
        memmove(band->p, band->p + done * stride, (band->h - done) * stride * sizeof(float));
        memset(band->p + (band->h - done) * stride, 0, done * stride * sizeof(float));
    }
}

/* Decodes row of tiles by row of tiles, or the whole; rows of pixels that no further tile touches go out. */
static GeglBuffer *decode(Enlarge *e, const SfuImage *z, GError **error)
{
    const int f = e->s->ae.factor;
    const GeglRectangle *at = gegl_buffer_get_extent(e->in);
    Tiles t = ae_tiles(e, TRUE);
    GeglBuffer *out = gegl_buffer_new(GEGL_RECTANGLE(at->x, at->y, e->w, e->h), babl_format("R'G'B'A float"));
    SfuImage *band = sfu_image_new(e->lw * f, t.h * f, 5, error);
    gboolean ok = band != NULL;
    if (ok && ae_whole(e, TRUE))
        ok = (e->decoded = sfu_coder_decode(&e->s->ae, z, error)) &&
             (!e->base || (e->decoded_base = sfu_coder_decode(&e->s->ae, e->base, error)));
    for (int ky = 0; ok && ky < t.ny; ky++) {
        for (int kx = 0; ok && kx < t.nx; kx++) {
            SfuImage *tile = decode_tile(e, z, (SfuRect){t.xs[kx], t.ys[ky], t.w, t.h}, error);
            ok = tile != NULL;
            if (ok)
                add_to_band(&t, kx, ky, f, tile, band);
            sfu_image_free(tile);
        }
        if (ok)
            flush_band(e, band, (ky + 1 < t.ny ? t.ys[ky + 1] - t.ys[ky] : t.h) * f, t.ys[ky] * f, out);
    }
    g_clear_pointer(&e->decoded, sfu_image_free);
    g_clear_pointer(&e->decoded_base, sfu_image_free);
    sfu_image_free(band);
    tiles_clear(&t);
    if (!ok)
        g_clear_object(&out);
    return out;
}

static gboolean show_preview(gpointer data, const SfuImage *denoised, int step, GError **error)
{
    const Enlarge *e = data;
    if (!e->r->job->preview || (gint64)e->w * e->h > 4 * 1024 * 1024)
        return TRUE; /* a preview of a huge picture would cost more than it shows */
    SfuImage *small = sfu_session_preview(e->s, denoised, error);
    SfuImage *big = small ? sfu_image_resample(small, e->w, e->h, SFU_RESAMPLE_BICUBIC, error) : NULL;
    if (big) {
        const GeglRectangle *at = gegl_buffer_get_extent(e->in);
        GeglBuffer *b = sfu_image_to_buffer(big, at->x, at->y);
        e->r->job->preview(b, step, e->r->job->data);
        g_object_unref(b);
    }
    sfu_image_free(small);
    sfu_image_free(big);
    return big != NULL;
}

static void set_size(Enlarge *e, SfuSession *s, GeglBuffer *in, int w, int h)
{
    const GeglRectangle *x = gegl_buffer_get_extent(in);
    const int f = s->ae.factor;
    *e = (Enlarge){.s = s, .r = s->run, .in = in, .in_w = x->width, .in_h = x->height, .w = w, .h = h};
    e->lw = MAX(8, (w + f - 1) / f);
    e->lh = MAX(8, (h + f - 1) / f);
}

static int denoise_tile(const Enlarge *e)
{
    const int f = e->s->ae.factor, asked = sfu_params_int(e->r->p, SFU_PARAM_TILE);
    if (asked > 0)
        return MAX(8, asked / f);
    return MAX(e->lw, e->lh) > e->s->max_px / f ? e->s->native_px / f : 0;
}

/* sfu_diffuse() counts a step as the pixels of the whole, in as many parts as there are tiles. */
static void plan(const Enlarge *e, int n_encodes, double strength)
{
    sfu_run_plan(e->r, SFU_STAGE_ENCODE, n_encodes * ae_units(e, FALSE));
    sfu_run_plan(e->r, SFU_STAGE_DENOISE,
                 (double)e->lw * e->lh * e->s->n_branches * sfu_diffusion_calls(e->s, strength));
    sfu_run_plan(e->r, SFU_STAGE_DECODE, ae_units(e, TRUE));
}

static GeglBuffer *diffuse_and_decode(Enlarge *e, SfuDiffusion *d, GError **error)
{
    d->w = e->lw;
    d->h = e->lh;
    d->tile = denoise_tile(e);
    d->overlap = d->tile / 4;
    d->first = TRUE;
    d->noise_seed = e->r->seed;
    d->preview = show_preview;
    d->data = e;
    SfuImage *z = sfu_diffuse(e->s, d, error);
    if (z)
        sfu_run_keep_latents(e->r, z);
    GeglBuffer *out = z ? decode(e, z, error) : NULL;
    sfu_image_free(z);
    return out;
}

/* ---- detail: image to image at the target size ---- */

static gboolean detail(SfuSession *s, GPtrArray *results, GError **error)
{
    SfuRun *r = s->run;
    Enlarge e;
    int w, h;
    if (!sfu_enlarged_size(r, &w, &h, error) || !sfu_session_set_prompts(s, error))
        return FALSE;
    const double strength = sfu_params_for(r->p, SFU_PARAM_STRENGTH, SFU_TASK_UPSCALE);
    sfu_params_put(r->p, SFU_PARAM_STRENGTH, strength);
    set_size(&e, s, r->job->picture, w, h);
    plan(&e, 1, strength);
    SfuImage *x0 = encode(&e, error);
    SfuDiffusion d = {.x0 = x0, .strength = strength};
    GeglBuffer *out = x0 ? diffuse_and_decode(&e, &d, error) : NULL;
    sfu_image_free(x0);
    return out && sfu_enlarge_finish(r, out, results, error);
}

/* ---- sfumato-mini ---- */

/* By the upscaler network that `mine` names: a file of the model's folder. */
static GeglBuffer *enlarge_by_part(const SfuSession *s, GeglBuffer *in, int factor, JsonObject *mine, GError **error)
{
    const char *name = json_object_get_string_member(mine, "enlarger");
    if (!name || g_path_is_absolute(name) || strstr(name, "..")) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s: \"%s\" is not a file in the model's folder."), s->m->path,
                    name ? name : "");
        return NULL;
    }
    char *path = g_build_filename(s->m->path, name, NULL);
    SfuLoaded *part = sfu_engine_load(s->run->e, path, error);
    if (part && sfu_model_scale(part->model) != factor) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s: %s cannot enlarge by %d."), s->m->path, name, factor);
        part = NULL;
    }
    g_free(path);
    return part ? sfu_network_enlarge(s->run, part, in, error) : NULL;
}

/* Steps and start noise of a factor stand in the "sfumato" object: {"upscale": {"2": {"enlarger":
 * "enlarger/x2.safetensors", "steps": 1, "start_noise": 0}}}. The flow runs from the enlarged picture's latents (plus
 * noise) to the sharp picture's; with no steps the enlarged picture is the result. */
static GeglBuffer *mini_once(SfuSession *s, GeglBuffer *in, int factor, GError **error)
{
    JsonObject *o = sfu_model_sfumato(s->m->model), *up = sfu_json_child(o, "upscale"),
               *classes = sfu_json_child(o, "classes");
    char key[16], class_key[32];
    g_snprintf(key, sizeof key, "%d", factor);
    g_snprintf(class_key, sizeof class_key, "upscale%d", factor);
    JsonObject *mine = sfu_json_child(up, key);
    const int label = (int)sfu_json_number(classes, class_key, factor == 2 ? 1 : 2);
    const int n_mask = s->ae.factor * s->ae.factor;
    if (!sfu_params_given(s->run->job->params, SFU_PARAM_STEPS) ||
        sfu_params_int(s->run->job->params, SFU_PARAM_STEPS) == 0)
        s->steps = (int)CLAMP(sfu_json_number(mine, "steps", 4), 0, 1000);
    const gboolean has_enlarger = mine && json_object_has_member(mine, "enlarger"),
                   flows = mine && label >= 0 && label < s->denoiser->n_classes &&
                           s->denoiser->in_channels == 2 * s->ae.channels + n_mask;
    if (!flows && !has_enlarger) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL, _("%s cannot enlarge by %d."), s->m->path, factor);
        return NULL;
    }
    if (!flows) /* the enlarger is all there is */
        s->steps = 0;
    GeglBuffer *enlarged = has_enlarger ? enlarge_by_part(s, in, factor, mine, error) : NULL;
    if (s->run->prepares || (has_enlarger && (!enlarged || s->steps == 0)))
        return enlarged;
    s->class_label = label;
    s->steps = MAX(1, s->steps);
    const GeglRectangle *x = gegl_buffer_get_extent(in);
    Enlarge e;
    set_size(&e, s, in, x->width * factor, x->height * factor);
    e.enlarged = enlarged;
    plan(&e, 1, 1);
    const gboolean residual = json_object_get_boolean_member_with_default(up, "residual", FALSE);
    e.back_project = json_object_get_boolean_member_with_default(up, "back_project", FALSE);
    if (residual)
        sfu_run_plan(e.r, SFU_STAGE_DECODE, ae_units(&e, TRUE));
    SfuImage *cond = encode(&e, error), *extra = cond ? sfu_image_new(e.lw, e.lh, cond->c + n_mask, error) : NULL;
    for (gint64 k = 0; extra && k < (gint64)e.lw * e.lh; k++) {
        float *v = extra->p + k * extra->c;
        memcpy(v, cond->p + k * cond->c, cond->c * sizeof(float));
        for (int i = cond->c; i < extra->c; i++)
            v[i] = 1;
    }
    e.base = residual ? cond : NULL;
    SfuDiffusion d = {
        .start = cond, .start_noise = (float)sfu_json_number(mine, "start_noise", 1), .extra = extra, .strength = 1};
    GeglBuffer *out = extra ? diffuse_and_decode(&e, &d, error) : NULL;
    sfu_image_free(cond);
    sfu_image_free(extra);
    g_clear_object(&enlarged);
    return out;
}

static gboolean mini(SfuSession *s, GPtrArray *results, GError **error)
{
    SfuRun *r = s->run;
    double left = sfu_params_double(r->p, SFU_PARAM_SCALE);
    GeglBuffer *b = g_object_ref(r->job->picture);
    /* By four where more than twice is asked for; what is left beyond is resampled. */
    while (b && left > 1) {
        const int factor = left > 2 ? 4 : 2;
        GeglBuffer *next = mini_once(s, b, factor, error);
        g_object_unref(b);
        b = next;
        left /= factor;
    }
    sfu_params_put(r->p, SFU_PARAM_STEPS, s->steps);
    return b && sfu_enlarge_finish(r, b, results, error);
}

/* ---- the Stable Diffusion x4 upscaler
 * --------------------------------------------------------------------------------- */

/* The noise that low-resolution pictures got in training: betas are squares of a ramp from sqrt(0.0001) to sqrt(0.02)
 * (x4-upscaling.yaml, ImageConcatWithNoiseAugmentation). */
static double low_res_alpha_cumprod(int level)
{
    double product = 1;
    const double a = sqrt(0.0001), b = sqrt(0.02);
    for (int i = 0; i <= level; i++) {
        const double root = a + (b - a) * i / 999;
        product *= 1 - root * root;
    }
    return product;
}

static gboolean x4(SfuSession *s, GPtrArray *results, GError **error)
{
    SfuRun *r = s->run;
    if (s->denoiser->in_channels != s->ae.channels + 3 || s->ae.factor != 4) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_MODEL,
                    _("%s: the x4 upscaler sees three channels of picture beside its latents, not %d."), s->m->path,
                    s->denoiser->in_channels - s->ae.channels);
        return FALSE;
    }
    Enlarge e;
    const GeglRectangle *x = gegl_buffer_get_extent(r->job->picture);
    set_size(&e, s, r->job->picture, x->width * 4, x->height * 4);
    const int level = MIN(sfu_params_int(r->p, SFU_PARAM_NOISE_LEVEL), s->denoiser->n_classes - 1);
    s->class_label = level;
    sfu_params_put(r->p, SFU_PARAM_NOISE_LEVEL, level);
    if (!sfu_session_set_prompts(s, error))
        return FALSE;
    plan(&e, 0, 1);
    SfuImage *small = sfu_enlarge_read(r->job->picture, (SfuRect){0, 0, x->width, x->height}, error);
    SfuImage *padded = small ? sfu_image_crop(small, (SfuRect){0, 0, e.lw, e.lh}, error) : NULL;
    SfuImage *low = padded ? sfu_image_channels(padded, 0, 3, error) : NULL;
    if (low) {
        const gint64 n = (gint64)e.lw * e.lh;
        const double acp = low_res_alpha_cumprod(level);
        float *noise = g_new(float, n * 3);
        SfuNoise *stream = sfu_noise_new(sfu_params_int(r->p, SFU_PARAM_RNG) == 1 ? SFU_NOISE_PHILOX : SFU_NOISE_TORCH,
                                         &r->seed, 1, e.lh, e.lw, 3);
        sfu_noise_next(stream, noise);
        for (gint64 k = 0; k < n * 3; k++)
            low->p[k] = (float)(sqrt(acp) * (CLAMP(low->p[k], 0, 1) * 2 - 1) + sqrt(1 - acp) * noise[k]);
        sfu_noise_free(stream);
        g_free(noise);
    }
    SfuDiffusion d = {.extra = low, .strength = 1};
    GeglBuffer *out = low ? diffuse_and_decode(&e, &d, error) : NULL;
    sfu_image_free(small);
    sfu_image_free(padded);
    sfu_image_free(low);
    return out && sfu_enlarge_finish(r, out, results, error);
}

gboolean sfu_pipe_enlarge(SfuSession *s, GPtrArray *results, GError **error)
{
    if (s->run->prepares && s->family->enlargement != SFU_ENLARGE_FLOW)
        return TRUE; /* enlarging by diffusion rehearses nothing */
    switch (s->family->enlargement) {
    case SFU_ENLARGE_FLOW:
        return mini(s, results, error);
    case SFU_ENLARGE_LOW_RES:
        return x4(s, results, error);
    default:
        return detail(s, results, error);
    }
}
