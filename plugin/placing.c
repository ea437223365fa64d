/* Results into the image.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "history.h"
#include "host.h"
#include "pixels.h"
#include "whole-image.h"

/* "Remove", "Fill: a wooden bench". Caller frees. */
static char *layer_name(SfuAction action, const SfuResult *result)
{
    const char *prompt = sfu_params_text(result->params, SFU_PARAM_PROMPT), *word = _(sfu_action_info(action)->layer);
    if (!sfu_action_spec(action, "prompt") || !*prompt)
        return g_strdup(word);
    char *head = g_utf8_strlen(prompt, -1) > 48 ? g_utf8_substring(prompt, 0, 47) : g_strdup(prompt);
    char *name =
        g_strdup_printf("%s: %s%s", word, g_strdelimit(head, "\n\r\t", ' '), strlen(head) < strlen(prompt) ? "…" : "");
    g_free(head);
    return name;
}

/* A result for the whole of what was read, where the selection is. Caller unrefs. */
static GeglBuffer *through_selection(const SfuInput *in, const SfuResult *result)
{
    GeglBuffer *pixels = g_object_ref(result->picture);
    if (in->mask && !result->masked) {
        GeglBuffer *part = sfu_pixels_cropped(pixels, gegl_buffer_get_extent(in->mask));
        g_object_unref(pixels);
        pixels = sfu_pixels_masked(part, in->mask);
        g_object_unref(part);
    }
    if (in->has_alpha) {
        GeglBuffer *limited = sfu_pixels_limited(pixels, in->picture);
        g_object_unref(pixels);
        pixels = limited;
    }
    return pixels;
}

GeglBuffer *sfu_output_look(const SfuInput *in, const SfuResult *result)
{
    return in->action == SFU_ACTION_EDIT || in->action == SFU_ACTION_RESTORE ? through_selection(in, result)
                                                                             : g_object_ref(result->picture);
}

/* The pixels of one result, where they belong, and how they become a layer. Caller unrefs. */
static GeglBuffer *place_pixels(const SfuInput *in, const SfuRequest *r, const SfuResult *result, SfuLayerKind *kind)
{
    GeglBuffer *pixels = result->picture;
    *kind = r->layer_mask ? SFU_LAYER_MASK : SFU_LAYER_ALPHA;
    switch (in->action) {
    case SFU_ACTION_REFINE:
    case SFU_ACTION_RESTYLE:
        /* Where the source is transparent, a repainted copy of it is too. */
        return in->has_alpha ? sfu_pixels_limited(pixels, in->picture) : g_object_ref(pixels);
    case SFU_ACTION_EDIT:
    case SFU_ACTION_RESTORE:
        return through_selection(in, result);
    case SFU_ACTION_EXPAND:
        *kind = in->has_alpha ? SFU_LAYER_ALPHA : SFU_LAYER_OPAQUE;
        return g_object_ref(pixels);
    case SFU_ACTION_ENLARGE:
        *kind = in->has_alpha ? SFU_LAYER_ALPHA : SFU_LAYER_OPAQUE;
        return r->new_image ? sfu_pixels_moved(pixels, 0, 0) : sfu_pixels_moved(pixels, in->place.x, in->place.y);
    case SFU_ACTION_SEAMLESS:
    case SFU_ACTION_GENERATE: {
        const GeglRectangle *size = gegl_buffer_get_extent(pixels);
        SfuHostImage info;
        *kind = SFU_LAYER_OPAQUE;
        if (r->new_image || in->image < 0 || !sfu_host_image_info(in->image, &info))
            return sfu_pixels_moved(pixels, 0, 0);
        if (in->place.width <= 0)
            return sfu_pixels_moved(pixels, (info.width - size->width) / 2, (info.height - size->height) / 2);
        GeglBuffer *fitted = sfu_pixels_scaled(pixels, &in->place);
        if (!in->mask) /* the canvas, which control layers lie on */
            return fitted;
        GeglBuffer *masked = sfu_pixels_masked(fitted, in->mask);
        g_object_unref(fitted);
        *kind = SFU_LAYER_ALPHA;
        return masked;
    }
    default:
        return g_object_ref(pixels);
    }
}

/* TRUE: the new layer stands in for the one that was read, in the same image, so it is given that layer's looks. */
static gboolean stands_in(const SfuInput *in, int image)
{
    return in->source && image == in->image && sfu_host_layer_in_image(in->layer, image);
}

/* The same, seen through the layer mask of the layer that was read: what that hides is hidden here. */
static GeglBuffer *place_result(const SfuInput *in, const SfuRequest *r, const SfuResult *result, int image,
                                SfuLayerKind *kind)
{
    GeglBuffer *pixels = place_pixels(in, r, result, kind);
    if (!in->cover || !stands_in(in, image))
        return pixels;
    GeglBuffer *cover = g_object_ref(in->cover);
    if (in->action == SFU_ACTION_ENLARGE) {
        GeglBuffer *part = sfu_pixels_cropped(cover, &in->place);
        g_object_unref(cover);
        cover = sfu_pixels_scaled(part, gegl_buffer_get_extent(pixels));
        g_object_unref(part);
    }
    GeglBuffer *masked = sfu_pixels_masked(pixels, cover);
    g_object_unref(cover);
    g_object_unref(pixels);
    *kind = *kind == SFU_LAYER_OPAQUE ? SFU_LAYER_ALPHA : *kind;
    return masked;
}

/* The image was closed: the result is shown in what was read of it, from 0, 0. */
static GeglBuffer *whole_picture(const SfuInput *in, const SfuResult *result, SfuLayerKind *kind)
{
    const gboolean patch = in->picture && in->action != SFU_ACTION_EXPAND && in->action != SFU_ACTION_ENLARGE;
    GeglBuffer *all = patch ? sfu_pixels_over(in->picture, result->picture) : g_object_ref(result->picture);
    GeglBuffer *moved = sfu_pixels_moved(all, 0, 0);
    g_object_unref(all);
    *kind = in->has_alpha ? SFU_LAYER_ALPHA : SFU_LAYER_OPAQUE;
    return moved;
}

/* How the layer lies now, against how it was read. */
typedef struct {
    int turn, dx, dy;
} Shift;

/* It has its size, and looks as it did in small: it need not be read. */
static gboolean looks_untouched(const SfuInput *in, const GeglRectangle *now)
{
    if (!in->glance || now->width != in->layer_was.width || now->height != in->layer_was.height)
        return FALSE;
    GBytes *glance = sfu_host_layer_glance(in->layer);
    const gboolean same = glance && g_bytes_equal(glance, in->glance);
    g_clear_pointer(&glance, g_bytes_unref);
    return same;
}

/* -1: it was turned, but how cannot be told. */
static int find_turn(const SfuInput *in, const GeglRectangle *now_at)
{
    if (looks_untouched(in, now_at))
        return 0;
    GeglBuffer *layer = in->sketch ? sfu_input_layer_now(in) : NULL;
    if (!layer)
        return 0;
    SfuSketch *now = sfu_sketch_new(layer);
    const int turn = sfu_sketch_turn(in->sketch, now);
    g_free(now);
    g_object_unref(layer);
    return turn;
}

/* A result follows the layer that it was made from: that moves and is turned by itself, and with all others when the
 * image is. FALSE with USAGE: it fits nowhere. */
static gboolean find_shift(const SfuInput *in, Shift *shift, GError **error)
{
    SfuHostImage info;
    *shift = (Shift){0};
    const gboolean free_place = sfu_action_info(in->action)->task == SFU_TASK_TXT2IMG && in->place.width <= 0;
    if (in->canvas.width <= 0 || free_place || !sfu_host_image_info(in->image, &info))
        return TRUE;
    gboolean fits = info.width == in->canvas.width && info.height == in->canvas.height;
    if (in->layer_was.width > 0 && sfu_host_layer_in_image(in->layer, in->image)) {
        const GeglRectangle now = sfu_host_layer_bounds(in->layer);
        const int turn = find_turn(in, &now);
        const gboolean aside = turn > 0 && turn & SFU_TURN_TRANSPOSE;
        fits = turn >= 0 && now.width == (aside ? in->layer_was.height : in->layer_was.width) &&
               now.height == (aside ? in->layer_was.width : in->layer_was.height) &&
               (turn == 0 || in->action != SFU_ACTION_EXPAND); /* whose sides are others now */
        *shift = (Shift){MAX(turn, 0), now.x - in->layer_was.x, now.y - in->layer_was.y};
    }
    return fits ||
           sfu_refuse(error, _("The image or the layer was cropped, scaled or turned meanwhile, so the result does not "
                               "fit. Undo that, then add the result."));
}

/* The pixels where they belong now; takes them, gives others. */
static GeglBuffer *shifted(const SfuInput *in, GeglBuffer *pixels, const Shift *shift)
{
    if (!shift->turn && !shift->dx && !shift->dy)
        return pixels;
    GeglRectangle at = *gegl_buffer_get_extent(pixels);
    if (in->action == SFU_ACTION_ENLARGE)
        at = in->place; /* its upper left corner is what stays */
    at = sfu_turn_rectangle(shift->turn, &at, &in->layer_was);
    GeglBuffer *moved = sfu_turn_pixels(shift->turn, pixels, at.x + shift->dx, at.y + shift->dy);
    g_object_unref(pixels);
    return moved;
}

static char *result_json(const SfuInput *in, const SfuRequest *r, const SfuResult *result)
{
    SfuRequest as_used = *r;
    as_used.sample_merged = in->merged;
    as_used.params = result->params;
    return sfu_request_to_json(&as_used, in->source);
}

static void note_history(const SfuInput *in, const SfuRequest *r, const SfuResult *result, int image)
{
    char *json = result_json(in, r, result);
    sfu_history_note(image, json, TRUE);
    g_free(json);
}

/* Gives the canvas the sides that were asked for, unless it has them: another variant may have been added before. Moves
 * all layers along. */
static void expand_canvas(const SfuInput *in, const SfuRequest *r, int image, int dx, int dy)
{
    SfuHostImage info;
    const int left = sfu_params_int(r->params, SFU_PARAM_LEFT), top = sfu_params_int(r->params, SFU_PARAM_TOP),
              right = sfu_params_int(r->params, SFU_PARAM_RIGHT), bottom = sfu_params_int(r->params, SFU_PARAM_BOTTOM);
    sfu_host_image_info(image, &info);
    const GeglRectangle now = {0, 0, info.width, info.height},
                        wanted = {dx - left, dy - top, in->canvas.width + left + right,
                                  in->canvas.height + top + bottom};
    GeglRectangle both;
    gegl_rectangle_bounding_box(&both, &now, &wanted);
    if (!gegl_rectangle_equal(&both, &now))
        sfu_host_resize_canvas(image, both.width, both.height, -both.x, -both.y);
}

/* Layers that are about to be added to an image. */
typedef struct {
    int n, image;
    gboolean fresh; /* the image is new */
    int *layers;    /* the first n_made are there, in no image yet */
    int n_made;
    GeglBuffer **pixels;
    SfuLayerKind *kinds;
} Addition;

/* What of each result belongs where. closed: the image that was read is gone. */
static Addition addition_of(const SfuInput *in, const SfuRequest *r, GPtrArray *results, gboolean fresh,
                            gboolean closed, const Shift *shift)
{
    const int n = (int)results->len;
    Addition a = {.n = n,
                  .image = in->image,
                  .fresh = fresh,
                  .layers = g_new(int, n),
                  .pixels = g_new(GeglBuffer *, n),
                  .kinds = g_new(SfuLayerKind, n)};
    for (int i = 0; i < n; i++) {
        a.pixels[i] = closed ? whole_picture(in, results->pdata[i], &a.kinds[i])
                             : place_result(in, r, results->pdata[i], fresh ? -1 : in->image, &a.kinds[i]);
        if (!fresh)
            a.pixels[i] = shifted(in, a.pixels[i], shift);
    }
    return a;
}

static void addition_clear(Addition *a)
{
    for (int i = 0; i < a->n; i++)
        g_object_unref(a->pixels[i]);
    g_free(a->pixels);
    g_free(a->layers);
    g_free(a->kinds);
}

/* Makes the image, if it is a new one, and the layers. On error nothing of both is left. */
static gboolean make_layers(Addition *a, const SfuInput *in, GPtrArray *results, gboolean closed, GError **error)
{
    if (a->fresh) {
        const GeglRectangle *size = gegl_buffer_get_extent(a->pixels[0]);
        a->image = sfu_host_new_image(closed ? -1 : in->image, size->width, size->height);
    }
    for (; a->n_made < a->n; a->n_made++) {
        const int i = a->n_made;
        char *name = layer_name(in->action, results->pdata[i]);
        a->layers[i] = sfu_host_layer_new(a->image, a->pixels[i], name, a->kinds[i], error);
        g_free(name);
        if (a->layers[i] < 0) {
            for (int k = 0; k < i; k++)
                sfu_host_layer_discard(a->layers[k]);
            if (a->fresh)
                sfu_host_delete_image(a->image);
            return FALSE;
        }
        if (!a->fresh && stands_in(in, a->image))
            sfu_host_layer_look_like(a->layers[i], in->layer);
    }
    return TRUE;
}

static void insert_layers(const Addition *a, const SfuInput *in)
{
    int above =
        a->image == in->image && in->above >= 0 && sfu_host_layer_in_image(in->above, a->image) ? in->above : -1;
    for (int i = a->n - 1; i >= 0; i--) {
        sfu_host_layer_insert(a->image, a->layers[i], above, a->pixels[i], a->kinds[i]);
        above = a->layers[i];
    }
}

/* One undo step. */
static void add_to_image(const Addition *a, const SfuInput *in, const SfuRequest *r, GPtrArray *results,
                         const Shift *shift)
{
    sfu_host_undo_begin(a->image);
    insert_layers(a, in);
    if (in->action == SFU_ACTION_EXPAND && !a->fresh)
        expand_canvas(in, r, a->image, shift->dx, shift->dy);
    for (int i = 0; i < a->n; i++) {
        char *json = result_json(in, r, results->pdata[i]);
        sfu_host_parasite_set(a->layers[i], json);
        sfu_history_note(a->image, json, TRUE);
        g_free(json);
    }
    sfu_host_set_active_layer(a->image, a->layers[0]);
    sfu_host_undo_end(a->image);
    if (shift->turn)
        sfu_host_message(_("The layer was rotated or flipped meanwhile; the result was turned with it."));
}

static gboolean add_whole_image(const SfuInput *in, const SfuRequest *r, GPtrArray *results, SfuMade *made,
                                GError **error)
{
    SfuHostImage info;
    const gboolean in_place = !r->new_image && sfu_host_image_info(in->image, &info);
    if (in_place) /* the note in the image's history belongs to the same step */
        sfu_host_undo_begin(in->image);
    const gboolean added = sfu_whole_image_add(in, results, r->new_image, made, error);
    if (added)
        note_history(in, r, results->pdata[0], made->image);
    if (in_place)
        sfu_host_undo_end(in->image);
    return added;
}

gboolean sfu_output_add(const SfuInput *in, const SfuRequest *r, GPtrArray *results, SfuMade *made, GError **error)
{
    if (in->layers)
        return add_whole_image(in, r, results, made, error);
    SfuHostImage info;
    const gboolean closed = in->image >= 0 && !sfu_host_image_info(in->image, &info);
    const gboolean fresh = in->image < 0 || closed || (r->new_image && sfu_action_spec(r->action, "new_image"));
    if (!fresh && (info.type == SFU_HOST_INDEXED || info.floating))
        return sfu_refuse(error, _("The image was changed meanwhile: it is indexed or has a floating selection. Change "
                                   "that, then add the result."));
    Shift shift = {0};
    if (!fresh && !find_shift(in, &shift, error))
        return FALSE;
    Addition a = addition_of(in, r, results, fresh, closed, &shift);
    const gboolean ok = make_layers(&a, in, results, closed, error);
    if (ok) {
        add_to_image(&a, in, r, results, &shift);
        *made = (SfuMade){a.layers[0], a.image};
    }
    addition_clear(&a);
    return ok;
}
