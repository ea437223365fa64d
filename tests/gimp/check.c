/* Tests that run inside GIMP, as a plug-in of their own that calls Sfumato's procedures, with the stand-in engine
 * behind them: known pixels in, known pixels out. Writes TAP to the file given. Started by tests/gimp/run.py through
 * Script-Fu batch.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { W = 61, H = 47 }; /* odd on purpose */

static FILE *tap;
static int n_cases, n_wrong;
GString *check_wrong;

void check_end_case(const char *name)
{
    fprintf(tap, "%s %d - %s\n%s", check_wrong->len ? "not ok" : "ok", ++n_cases, name, check_wrong->str);
    fflush(tap);
    n_wrong += check_wrong->len > 0;
    g_string_truncate(check_wrong, 0);
}

/* ---- images -------------------------------------------------------------------------------------------------------
 */

typedef enum { NO_SELECTION, HARD, FEATHERED } Selection;

typedef struct {
    GimpImageBaseType base;
    gboolean alpha, profile;
    GimpPrecision precision;
    Selection selection;
    int w, h, layer_w, layer_h, layer_x, layer_y;
} Setup;

char *check_sum(Drawable d)
{
    GeglBuffer *b = drawable_buffer(d);
    const GeglRectangle *r = gegl_buffer_get_extent(b);
    const Babl *f = gegl_buffer_get_format(b);
    const gsize n = (gsize)r->width * babl_format_get_bytes_per_pixel(f);
    guchar *row = g_malloc(n);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA1);
    for (int y = 0; y < r->height; y++) {
        gegl_buffer_get(b, GEGL_RECTANGLE(0, y, r->width, 1), 1.0, f, row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        g_checksum_update(sum, row, n);
    }
    char *text = g_strdup(g_checksum_get_string(sum));
    g_checksum_free(sum);
    g_free(row);
    g_object_unref(b);
    return text;
}

/* Smooth colour with a little noise; transparent in the upper left corner where there is alpha. */
static void paint(Layer layer)
{
    GeglBuffer *b = drawable_buffer(layer);
    const GeglRectangle r = *gegl_buffer_get_extent(b);
    float *row = g_new(float, (gsize)r.width * 4);
    guint32 s = 12345;
    for (int y = 0; y < r.height; y++) {
        for (int x = 0; x < r.width; x++) {
            s = s * 1664525u + 1013904223u;
            const float noise = (s >> 24) / 2550.0f;
            row[4 * x] = 0.2f + 0.6f * x / r.width + noise;
            row[4 * x + 1] = 0.3f + 0.5f * y / r.height + noise;
            row[4 * x + 2] = 0.6f - 0.4f * x / r.width + noise;
            row[4 * x + 3] = x + y < 12 ? 0 : x + y < 20 ? 0.5f : 1;
        }
        gegl_buffer_set(b, GEGL_RECTANGLE(0, y, r.width, 1), 0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_object_unref(b);
    drawable_update(layer, 0, 0, r.width, r.height);
}

Layer check_add_layer(Image image, const char *name, int w, int h, int x, int y, gboolean alpha)
{
    const gboolean gray = image_base_type(image) == GIMP_GRAY;
    const Layer layer = gimp_layer_new(image, name, w, h,
                                       gray    ? (alpha ? GIMP_GRAYA_IMAGE : GIMP_GRAY_IMAGE)
                                       : alpha ? GIMP_RGBA_IMAGE
                                               : GIMP_RGB_IMAGE,
                                       100, GIMP_LAYER_MODE_NORMAL);
    gimp_image_insert_layer(image, layer, PARENT, 0);
    gimp_layer_set_offsets(layer, x, y);
    paint(layer);
    return layer;
}

static void select_area(Image image, Selection selection, int x, int y, int w, int h)
{
    if (selection == NO_SELECTION)
        return;
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, x, y, w, h);
    if (selection == FEATHERED)
        gimp_selection_feather(image, 5);
}

/* A background below, the layer to work on, a layer above. */
static Image new_image(const Setup *s, Layer *layer)
{
    const Image image = gimp_image_new_with_precision(s->w, s->h, s->base, s->precision);
    if (s->profile) {
        GimpColorProfile *p =
            s->base == GIMP_GRAY ? gimp_color_profile_new_d50_gray_lab_trc() : gimp_color_profile_new_rgb_adobe();
        if (s->precision == FLOAT_LINEAR) {
            GimpColorProfile *linear = gimp_color_profile_new_linear_from_color_profile(p);
            g_object_unref(p);
            p = linear;
        }
        gimp_image_set_color_profile(image, p);
        g_object_unref(p);
    }
    check_add_layer(image, "below", s->w, s->h, 0, 0, FALSE);
    *layer = check_add_layer(image, "work", s->layer_w, s->layer_h, s->layer_x, s->layer_y, s->alpha);
    check_add_layer(image, "above", 5, 5, 1, 1, TRUE);
    set_active(image, *layer);
    select_area(image, s->selection, 14, 9, 30, 25);
    return image;
}

static char *profile_sum(Image image)
{
    GimpColorProfile *p = gimp_image_get_color_profile(image);
    gsize n = 0;
    const guint8 *data = p ? gimp_color_profile_get_icc_profile(p, &n) : NULL;
    char *sum = p ? g_compute_checksum_for_data(G_CHECKSUM_SHA1, data, n) : g_strdup("none");
    g_clear_object(&p);
    return sum;
}

/* The encoding with the image's space, found by the test for itself. */
static const Babl *managed_format(Image image, GeglBuffer *b)
{
    const Babl *f = gegl_buffer_get_format(b);
    if (HAS_FORMAT_SPACE)
        return f;
    GimpColorProfile *p = gimp_image_get_effective_color_profile(image);
    const Babl *space = gimp_color_profile_get_space(p, GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC, NULL);
    g_object_unref(p);
    return babl_format_with_space(babl_format_get_encoding(f), space);
}

/* A row of a drawable in sRGB, straight alpha. */
void check_get_row(Image image, Layer layer, int y, float *row)
{
    GeglBuffer *b = drawable_buffer(layer);
    const GeglRectangle *r = gegl_buffer_get_extent(b);
    const Babl *f = managed_format(image, b);
    guchar *raw = g_malloc((gsize)r->width * babl_format_get_bytes_per_pixel(f));
    gegl_buffer_get(b, GEGL_RECTANGLE(0, y, r->width, 1), 1.0, gegl_buffer_get_format(b), raw, GEGL_AUTO_ROWSTRIDE,
                    GEGL_ABYSS_NONE);
    babl_process(babl_fish(f, babl_format("R'G'B'A float")), raw, row, r->width);
    g_free(raw);
    g_object_unref(b);
}

static void get_selection_row(Image image, int y, float *row)
{
    GeglBuffer *b = drawable_buffer(selection_drawable(image));
    gegl_buffer_get(b, GEGL_RECTANGLE(0, y, image_width(image), 1), 1.0, babl_format("Y float"), row,
                    GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    g_object_unref(b);
}

/* ---- what every result must keep ------------------------------------------------------------------------------------
 */

typedef struct {
    char *sums[8], *selection, *profile;
    Layer layers[8];
    int n, width, height;
    GimpPrecision precision;
} Snapshot;

static Snapshot snapshot(Image image, const Layer *layers, int n)
{
    Snapshot s = {.n = n,
                  .width = image_width(image),
                  .height = image_height(image),
                  .precision = gimp_image_get_precision(image)};
    for (int i = 0; i < n; i++) {
        s.layers[i] = layers[i];
        s.sums[i] = check_sum(AS_DRAWABLE(layers[i]));
    }
    s.selection = check_sum(selection_drawable(image));
    s.profile = profile_sum(image);
    return s;
}

static void check_kept(Image image, Snapshot *s, gboolean canvas)
{
    char *sum;
    for (int i = 0; i < s->n; i++) {
        sum = check_sum(AS_DRAWABLE(s->layers[i]));
        CHECK(strcmp(sum, s->sums[i]) == 0, "pixels of layer %d changed", i);
        g_free(sum);
    }
    if (canvas) {
        sum = check_sum(selection_drawable(image));
        CHECK(strcmp(sum, s->selection) == 0, "the selection changed");
        g_free(sum);
        CHECK(image_width(image) == s->width && image_height(image) == s->height, "the canvas changed");
    }
    sum = profile_sum(image);
    CHECK(strcmp(sum, s->profile) == 0, "the profile changed");
    g_free(sum);
    CHECK(gimp_image_get_precision(image) == s->precision, "the precision changed");
}

static void snapshot_free(Snapshot *s)
{
    for (int i = 0; i < s->n; i++)
        g_free(s->sums[i]);
    g_free(s->selection);
    g_free(s->profile);
}

static void check_parasite(Layer layer, const char *action)
{
    GimpParasite *p = item_parasite(layer, "sfumato");
    CHECK(p, "no parasite");
    if (!p)
        return;
    guint32 n = 0;
    const char *data = parasite_data(p, &n);
    char *json = g_strndup(data, n);
    GError *error = NULL;
    SfuRequest *r = sfu_request_from_json(json, NULL, &error);
    CHECK(r, "parasite \"%s\": %s", json, error ? error->message : "");
    CHECK(gimp_parasite_is_persistent(p), "the parasite is not saved");
    CHECK(!r || strcmp(sfu_action_info(r->action)->name, action) == 0, "parasite is of another action: %s", json);
    CHECK(!r || sfu_params_get_double(r->params, "seed") == 77, "seed is not in the parasite: %s", json);
    sfu_request_free(r);
    g_clear_error(&error);
    g_free(json);
    gimp_parasite_free(p);
}

/* From the layer's parasite; -1: it has none. */
static double seed_of(Layer layer)
{
    GimpParasite *p = item_parasite(layer, "sfumato");
    guint32 n = 0;
    const char *data = p ? parasite_data(p, &n) : NULL;
    char *json = data ? g_strndup(data, n) : NULL;
    SfuRequest *r = json ? sfu_request_from_json(json, NULL, NULL) : NULL;
    const double seed = r ? sfu_params_get_double(r->params, "seed") : -1;
    sfu_request_free(r);
    g_free(json);
    if (p)
        gimp_parasite_free(p);
    return seed;
}

static double tolerance(const Setup *s)
{
    /* One step of the image's own precision, each way; 8-bit dark tones are stretched by up to 2.5 between Adobe RGB
     * and sRGB, and babl's polynomial for Adobe's gamma of 2.2 is good to about 0.001. */
    return s->precision == U8    ? (s->profile ? 0.014 : 0.005)
           : s->profile          ? 0.002
           : s->precision == U16 ? 0.0005
                                 : 0.0003;
}

/* Inside: the stand-in's inverse of what was there, alpha the selection; outside: alpha 0. */
static void check_inverted(Image image, Layer work, Layer made, const Setup *s, double alpha_limit)
{
    int wx, wy, mx, my, n_bad_color = 0, n_bad_alpha = 0;
    drawable_offsets(work, &wx, &wy);
    drawable_offsets(made, &mx, &my);
    const int w = drawable_width(made), h = drawable_height(made);
    float *src = g_new(float, drawable_width(work) * 4), *out = g_new(float, w * 4),
          *sel = g_new(float, image_width(image));
    double worst = 0;
    for (int y = 0; y < h; y++) {
        check_get_row(image, work, y + my - wy, src);
        check_get_row(image, made, y, out);
        if (s->selection != NO_SELECTION)
            get_selection_row(image, y + my, sel);
        for (int x = 0; x < w; x++) {
            const float *a = src + 4 * (x + mx - wx), *b = out + 4 * x;
            double alpha = s->selection == NO_SELECTION ? 1 : sel[x + mx];
            if (alpha_limit < 1)
                alpha = MIN(alpha, a[3]);
            n_bad_alpha += fabs(b[3] - alpha) > 0.003;
            if (alpha < 0.1 || a[3] < 0.1) /* colours of nearly transparent pixels are not kept to a step */
                continue;
            for (int c = 0; c < 3; c++) {
                const double want = s->base == GIMP_GRAY || (a[c] >= 0.1 && a[c] <= 0.9) ? 1 - a[c] : b[c];
                worst = MAX(worst, fabs(want - b[c]));
                n_bad_color += fabs(want - b[c]) > tolerance(s);
            }
        }
    }
    CHECK(n_bad_color == 0, "%d colours differ, by up to %g", n_bad_color, worst);
    CHECK(n_bad_alpha == 0, "%d alphas differ", n_bad_alpha);
    g_free(src);
    g_free(out);
    g_free(sel);
}

/* ---- the matrix -----------------------------------------------------------------------------------------------------
 */

static const char *values_of(SfuAction action)
{
    switch (action) {
    case SFU_ACTION_EXPAND:
        return "prompt='a street' left=7 right=9 top=3 bottom=0 seed=77 steps=2";
    case SFU_ACTION_ENLARGE:
        return "scale=2 seed=77 steps=2";
    case SFU_ACTION_REMOVE:
        return "seed=77 steps=2";
    case SFU_ACTION_RESTORE:
        return "sample_merged=0";
    case SFU_ACTION_RESTYLE:
        return "prompt='a street' style='oil painting' seed=77 steps=2";
    default:
        return "prompt='a street' seed=77 steps=2 sampler=euler";
    }
}

static void check_place(Image image, Layer layer, Layer below, int x, int y, int w, int h)
{
    int ox, oy;
    drawable_offsets(layer, &ox, &oy);
    CHECK(ox == x && oy == y && drawable_width(layer) == w && drawable_height(layer) == h,
          "layer is %d x %d at %d, %d, not %d x %d at %d, %d", drawable_width(layer), drawable_height(layer), ox, oy, w,
          h, x, y);
    if (below != NO_LAYER)
        CHECK(item_position(image, layer) == item_position(image, below) - 1,
              "the layer is not right above the one worked on");
}

static void run_one(SfuAction action, const Setup *s)
{
    Layer work;
    const Image image = new_image(s, &work);
    Snapshot before = snapshot(image, &work, 1);
    const Outcome out = call_action(action, image, AS_DRAWABLE(work), values_of(action));
    if (s->selection == NO_SELECTION && (action == SFU_ACTION_REMOVE || (action == SFU_ACTION_FILL && !s->alpha))) {
        CHECK(!out.ok && out.error && strstr(out.error, "Select"), "no sentence about the missing selection: %s",
              out.error);
        CHECK(n_layers(image) == 3, "a layer was added all the same");
        check_kept(image, &before, TRUE);
        goto end;
    }
    CHECK(out.ok, "failed: %s", out.error ? out.error : "?");
    if (!out.ok)
        goto end;
    check_kept(image, &before, action != SFU_ACTION_EXPAND);
    check_parasite(out.layer, sfu_action_info(action)->name);
    char *name = item_name(out.layer);
    CHECK(strstr(name, sfu_action_info(action)->layer), "the layer's name lacks the action: %s", name);
    CHECK(action == SFU_ACTION_REMOVE || action == SFU_ACTION_ENLARGE || strstr(name, "a street"),
          "the layer's name lacks the prompt: %s", name);
    g_free(name);
    CHECK(ID(active_layer(out.image)) == ID(out.layer), "the new layer is not active");
    CHECK(gimp_image_get_precision(out.image) == s->precision, "the result's precision differs");
    CHECK(image_base_type(out.image) == s->base, "the result's type differs");
    if (action == SFU_ACTION_ENLARGE) {
        const gboolean part = s->selection != NO_SELECTION;
        gboolean any;
        int x1 = 0, y1 = 0, x2 = s->layer_w, y2 = s->layer_h;
        if (part)
            gimp_selection_bounds(image, &any, &x1, &y1, &x2, &y2);
        char *p = profile_sum(out.image);
        CHECK(strcmp(p, before.profile) == 0, "the new image's profile differs");
        g_free(p);
        CHECK(n_layers(image) == 3 && IMAGE_ID(out.image) != IMAGE_ID(image), "not a new image");
        check_place(out.image, out.layer, NO_LAYER, 0, 0, 2 * (x2 - x1), 2 * (y2 - y1));
        CHECK(image_width(out.image) == 2 * (x2 - x1), "the new image's width is %d", image_width(out.image));
        CHECK(!drawable_has_alpha(out.layer) == !s->alpha, "alpha came or went");
        float *a = g_new(float, s->layer_w * 4), *b = g_new(float, 2 * (x2 - x1) * 4);
        check_get_row(image, work, y1 + 5 - s->layer_y, a);
        check_get_row(out.image, out.layer, 10, b);
        const float *from = a + 4 * (x2 - 3 - s->layer_x), *to = b + 4 * 2 * (x2 - 3 - x1);
        if (!part)
            from = a + 4 * (x2 - 3), to = b + 4 * 2 * (x2 - 3);
        CHECK(fabs(from[1] - to[1]) <= tolerance(s), "enlarged colour %g is not %g", to[1], from[1]);
        g_free(a);
        g_free(b);
        gimp_image_delete(out.image);
        goto end;
    }
    CHECK(IMAGE_ID(out.image) == IMAGE_ID(image), "a new image was made");
    CHECK(n_layers(image) == 4, "%d layers, not 4", n_layers(image));
    gboolean any = FALSE;
    int x1 = 0, y1 = 0, x2 = s->w, y2 = s->h;
    gimp_selection_bounds(image, &any, &x1, &y1, &x2, &y2);
    if (action == SFU_ACTION_EXPAND) {
        CHECK(image_width(image) == s->w + 16 && image_height(image) == s->h + 3, "the canvas is %d x %d",
              image_width(image), image_height(image));
        const gboolean covers =
            s->layer_x <= 0 && s->layer_y <= 0 && s->layer_x + s->layer_w >= s->w && s->layer_y + s->layer_h >= s->h;
        if (covers)
            check_place(image, out.layer, work, s->layer_x, s->layer_y, s->layer_w + 16, s->layer_h + 3);
        else /* the visible image was read: the layer alone would hide what lies beside it */
            check_place(image, out.layer, NO_LAYER, 0, 0, s->w + 16, s->h + 3);
    } else if (action == SFU_ACTION_GENERATE && !any) {
        check_place(image, out.layer, work, (s->w - 256) / 2, (s->h - 256) / 2, 256, 256);
    } else {
        check_place(image, out.layer, work, MAX(x1, s->layer_x), MAX(y1, s->layer_y),
                    MIN(x2, s->layer_x + s->layer_w) - MAX(x1, s->layer_x),
                    MIN(y2, s->layer_y + s->layer_h) - MAX(y1, s->layer_y));
        if (action == SFU_ACTION_FILL && s->selection == NO_SELECTION && s->alpha)
            ; /* fills the transparent parts; has a case of its own */
        else if (action != SFU_ACTION_GENERATE)
            check_inverted(image, work, out.layer, s,
                           sfu_action_info(action)->task == SFU_TASK_IMG2IMG || action == SFU_ACTION_EDIT ? 0 : 1);
    }
end:
    g_free(out.error);
    snapshot_free(&before);
    gimp_image_delete(image);
}

/* Every action x precision x type x profile x selection; a `third` of them, for the time: each action, precision and
 * type still meets both profiles and two of the selections, in turn. */
static void matrix(gboolean third)
{
    static const struct {
        GimpPrecision precision;
        const char *name;
    } precisions[] = {{U8, "8 bit"}, {U16, "16 bit"}, {FLOAT_LINEAR, "32-bit float linear"}};
    static const struct {
        GimpImageBaseType base;
        gboolean alpha;
        const char *name;
    } types[] = {{GIMP_RGB, FALSE, "RGB"}, {GIMP_RGB, TRUE, "RGBA"}, {GIMP_GRAY, FALSE, "gray"}};
    for (int a = 0; a <= SFU_ACTION_EDIT; a++) { /* the others have cases of their own */
        for (gsize p = 0; p < G_N_ELEMENTS(precisions); p++) {
            for (gsize t = 0; t < G_N_ELEMENTS(types); t++) {
                char *name = g_strdup_printf("%s, %s, %s: with and without profile, selection, feather",
                                             sfu_action_info(a)->name, precisions[p].name, types[t].name);
                for (int k = 0; k < 6; k++) {
                    if (third && k % 3 != (a + p + t) % 3)
                        continue;
                    const Setup s = {
                        types[t].base, types[t].alpha, k % 2, precisions[p].precision, k / 2, W, H, W, H, 0, 0};
                    const gsize len = check_wrong->len;
                    run_one(a, &s);
                    if (check_wrong->len > len)
                        g_string_append_printf(check_wrong, "# (profile %d, selection %d)\n", k % 2, k / 2);
                }
                check_end_case(name);
                g_free(name);
            }
        }
    }
}

/* ---- single cases ---------------------------------------------------------------------------------------------------
 */

static const Setup plain = {GIMP_RGB, FALSE, FALSE, U8, HARD, W, H, W, H, 0, 0};

static void layer_places(void)
{
    static const struct {
        const char *name;
        int lw, lh, x, y;
    } places[] = {{"layer smaller than the canvas, with an offset", 40, 30, 6, 5},
                  {"layer larger than the canvas", 100, 90, -20, -15},
                  {"selection partly outside the layer", 20, 20, 30, 20}};
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        for (int a = 0; a < SFU_N_ACTIONS; a++) {
            Setup s = plain;
            s.layer_w = places[i].lw, s.layer_h = places[i].lh, s.layer_x = places[i].x, s.layer_y = places[i].y;
            if (a <= SFU_ACTION_EDIT && a != SFU_ACTION_GENERATE && a != SFU_ACTION_ENLARGE)
                run_one(a, &s);
        }
        check_end_case(places[i].name);
    }
}

static void tiny_selection(void)
{
    Setup s = plain;
    Layer work;
    s.selection = NO_SELECTION;
    const Image image = new_image(&s, &work);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 20, 20, 1, 1);
    const Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), values_of(SFU_ACTION_FILL));
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok)
        check_place(image, out.layer, work, 20, 20, 1, 1);
    gimp_image_delete(image);
    check_end_case("a selection of one pixel");
}

/* Calls that must fail with a sentence that has `word`, and change nothing. */
void check_refusal(const char *name, SfuAction action, Image image, Drawable drawable, const char *values,
                   const char *word)
{
    Layer active = active_layer(image);
    Snapshot before = snapshot(image, &active, active != NO_LAYER);
    const int n = n_layers(image);
    const Outcome out = call_action(action, image, drawable, values);
    CHECK(!out.ok, "it was done all the same");
    CHECK(out.error && strstr(out.error, word), "the sentence lacks \"%s\": %s", word,
          out.error ? out.error : "(none)");
    CHECK(n_layers(image) == n, "the number of layers changed");
    check_kept(image, &before, TRUE);
    snapshot_free(&before);
    g_free(out.error);
    check_end_case(name);
}

static void refusals(void)
{
    Layer work, other_layer;
    Image image = new_image(&plain, &work), other = new_image(&plain, &other_layer);
    check_refusal("an unknown option is refused by name", SFU_ACTION_FILL, image, AS_DRAWABLE(work),
                  "seed=77 options=nonsense=1", "nonsense");
    check_refusal("a value outside its range is refused with the range", SFU_ACTION_FILL, image, AS_DRAWABLE(work),
                  "options=feather=99999", "1024");
    check_refusal("an unknown sampler is refused with the list", SFU_ACTION_FILL, image, AS_DRAWABLE(work),
                  "options=sampler=magic", "magic");
    check_refusal("a channel is refused", SFU_ACTION_FILL, image, selection_drawable(image), "seed=77", "layer");
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 0, 0, 5, 5);
    gimp_layer_set_offsets(work, 30, 30);
    check_refusal("a selection outside the layer is refused", SFU_ACTION_FILL, image, AS_DRAWABLE(work), "seed=77",
                  "outside");
    gimp_image_delete(image);
    gimp_image_delete(other);

    image = new_image(&plain, &work);
    gimp_image_convert_indexed(image, GIMP_CONVERT_DITHER_NONE, GIMP_CONVERT_PALETTE_GENERATE, 16, FALSE, FALSE, "");
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        char *name = g_strdup_printf("%s: an indexed image is refused, never quantised", sfu_action_info(a)->name);
        check_refusal(name, a, image, AS_DRAWABLE(work), values_of(a), "indexed");
        g_free(name);
    }
    gimp_image_delete(image);
}

/* SFU_STANDIN_FAIL reaches the plug-in through GIMP's environment, so these run in a GIMP of their own. */
static void failures(const char *which)
{
    Layer work;
    const Image image = new_image(&plain, &work);
    const char *word = strcmp(which, "device") == 0   ? "OpenCL"
                       : strcmp(which, "memory") == 0 ? "bytes"
                       : strcmp(which, "model") == 0  ? "model"
                                                      : "";
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        char *name =
            g_strdup_printf("%s with %s failing: a sentence, and nothing changed", sfu_action_info(a)->name, which);
        if (*word) {
            check_refusal(name, a, image, AS_DRAWABLE(work), values_of(a), word);
        } else { /* killed in the middle: GIMP has no words for it */
            Snapshot before = snapshot(image, &work, 1);
            const Outcome out = call_action(a, image, AS_DRAWABLE(work), values_of(a));
            CHECK(!out.ok, "it was done all the same");
            CHECK(n_layers(image) == 3, "the number of layers changed");
            check_kept(image, &before, TRUE);
            snapshot_free(&before);
            g_free(out.error);
            check_end_case(name);
        }
        g_free(name);
    }
    gimp_image_delete(image);
    scene_whole_image_fails(word);
}

static void masks_and_groups(void)
{
    Layer work;
    Image image = new_image(&plain, &work);
    Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "layer_mask=1 seed=77");
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok) {
        const Drawable mask = (Drawable)layer_mask_of(out.layer);
        CHECK(ID(mask) >= 0, "no layer mask");
        GeglBuffer *b = drawable_buffer(mask);
        float v = 0;
        gegl_buffer_get(b, GEGL_RECTANGLE(3, 3, 1, 1), 1.0, babl_format("Y float"), &v, GEGL_AUTO_ROWSTRIDE,
                        GEGL_ABYSS_NONE);
        CHECK(fabs(v - 1) < 0.01, "the mask is %g inside the selection", v);
        g_object_unref(b);
    }
    check_end_case("the soft edge as a layer mask");
    gimp_image_delete(image);

    image = new_image(&plain, &work);
    gimp_layer_add_mask(work, gimp_layer_create_mask(work, GIMP_ADD_MASK_BLACK));
    char *sum = check_sum((Drawable)layer_mask_of(work));
    out = call_action(SFU_ACTION_FILL, image, (Drawable)layer_mask_of(work), "seed=77");
    CHECK(out.ok, "failed: %s", out.error);
    char *after = check_sum((Drawable)layer_mask_of(work));
    CHECK(strcmp(sum, after) == 0, "the layer mask changed");
    check_end_case("a layer mask as the active drawable: its layer is worked on, the mask left alone");
    g_free(sum);
    g_free(after);
    gimp_image_delete(image);

    image = new_image(&plain, &work);
    const Layer group = group_new(image);
    gimp_image_insert_layer(image, group, PARENT, 0);
    const Layer inner = gimp_layer_new(image, "inner", W, H, GIMP_RGB_IMAGE, 100, GIMP_LAYER_MODE_NORMAL);
    gimp_image_insert_layer(image, inner, group, 0);
    paint(inner);
    out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(inner), "seed=77");
    CHECK(out.ok && ID(item_parent(out.layer)) == ID(group), "a layer in a group: the result is not beside it: %s",
          out.error);
    out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(group), "seed=77");
    CHECK(out.ok && ID(item_parent(out.layer)) <= 0, "a group: the result is not above it: %s", out.error);
    check_end_case("layers in groups, and groups");
    gimp_image_delete(image);
}

static void merged_and_repeat(void)
{
    Layer work;
    Setup s = plain;
    s.layer_w = s.layer_h = 10;
    Image image = new_image(&s, &work);
    Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "sample_merged=1 seed=77");
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok) {
        check_place(image, out.layer, NO_LAYER, 14, 9, 30, 25); /* larger than the layer: the visible image was read */
        CHECK(item_position(image, out.layer) == 0, "it is not above the layers that it shows");
    }
    check_end_case("sample merged reads the visible image");
    gimp_image_delete(image);

    image = new_image(&plain, &work);
    out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "prompt='a red door' seed=77 options=steps=3");
    Outcome again = call_action(SFU_N_ACTIONS, image, AS_DRAWABLE(out.layer), "");
    CHECK(again.ok, "failed: %s", again.error);
    if (again.ok) {
        char *name = item_name(again.layer);
        CHECK(strcmp(name, "Fill: a red door") == 0 || strstr(name, "Fill: a red door #"), "not the layer's prompt: %s",
              name);
        CHECK(seed_of(out.layer) == 77 && seed_of(again.layer) != 77 && seed_of(again.layer) >= 0, "not a new seed: %g",
              seed_of(again.layer));
        g_free(name);
        check_place(image, again.layer, out.layer, 14, 9, 30, 25); /* above the first result, or it would not be seen */
        check_inverted(image, work, again.layer, &plain, 1); /* made from the original, not from the first result */
    }
    check_end_case("repeat on a generated layer: its own parameters, its own source, another seed");
    again = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(out.layer), "seed=77");
    CHECK(again.ok && drawable_width(again.layer) == 30,
          "filling with a generated layer active does not read what lies below it");
    check_end_case("fill again with the last result active reads the visible image");
    gimp_image_delete(image);
}

static void enlarge_as_layer(void)
{
    Layer work;
    Setup s = plain;
    s.layer_x = 3, s.layer_y = 2;
    const Image image = new_image(&s, &work);
    const Outcome out = call_action(SFU_ACTION_ENLARGE, image, AS_DRAWABLE(work), "scale=2 seed=77 new_image=0");
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok)
        check_place(image, out.layer, work, 14, 9, 60, 50);
    gimp_image_delete(image);
    check_end_case("the selected part enlarged as a layer starts where the part was");
}

/* A result stands in for its layer: it looks like a duplicate of that, and shows only where its mask does. */
static void looks(void)
{
    static const SfuAction made_from_layer[] = {SFU_ACTION_FILL,   SFU_ACTION_REMOVE,  SFU_ACTION_EXPAND,
                                                SFU_ACTION_REFINE, SFU_ACTION_RESTYLE, SFU_ACTION_ENLARGE};
    Layer work;
    float row[(W + 16) * 4];
    for (gsize i = 0; i < G_N_ELEMENTS(made_from_layer); i++) {
        const SfuAction a = made_from_layer[i];
        const Image image = new_image(&plain, &work);
        gimp_layer_set_opacity(work, 40);
        gimp_layer_set_mode(work, GIMP_LAYER_MODE_SCREEN);
        gimp_layer_add_mask(work, gimp_layer_create_mask(work, GIMP_ADD_MASK_WHITE));
        GeglBuffer *mask = drawable_buffer((Layer)layer_mask_of(work)); /* hides the left part, up to column 24 */
        GeglColor *black = gegl_color_new("black");
        gegl_buffer_set_color(mask, GEGL_RECTANGLE(0, 0, 24, H), black);
        g_object_unref(black);
        g_object_unref(mask);
        char *values = g_strdup_printf("%s%s", values_of(a), a == SFU_ACTION_ENLARGE ? " new_image=0" : "");
        const Outcome out = call_action(a, image, AS_DRAWABLE(work), values);
        CHECK(out.ok, "%s failed: %s", sfu_action_info(a)->name, out.error);
        if (out.ok) {
            int x, y;
            drawable_offsets(out.layer, &x, &y);
            check_get_row(image, out.layer, 12 - y > 0 ? 12 - y : 5, row);
            const int edge = a == SFU_ACTION_ENLARGE ? 2 * (24 - 14) : a == SFU_ACTION_EXPAND ? 24 + 7 : 24 - x;
            CHECK(fabs(gimp_layer_get_opacity(out.layer) - 40) < 0.1 &&
                      gimp_layer_get_mode(out.layer) == GIMP_LAYER_MODE_SCREEN,
                  "%s: opacity %g, mode %d", sfu_action_info(a)->name, gimp_layer_get_opacity(out.layer),
                  gimp_layer_get_mode(out.layer));
            CHECK(row[4 * (edge - 4) + 3] < 0.01 && row[4 * (edge + 4) + 3] > 0.99,
                  "%s: alpha %g and %g on the two sides of the mask's edge", sfu_action_info(a)->name,
                  row[4 * (edge - 4) + 3], row[4 * (edge + 4) + 3]);
        }
        g_free(values);
        gimp_image_delete(image);
    }
    check_end_case("a result has its layer's opacity and mode, and shows only through its mask");

    const Image image = new_image(&plain, &work);
    gimp_layer_set_opacity(work, 40);
    const Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "sample_merged=1 seed=77");
    CHECK(out.ok && gimp_layer_get_opacity(out.layer) == 100, "failed, or opacity is not 100: %s", out.error);
    gimp_image_delete(image);
    check_end_case("a result made from the visible image is opaque");
}

static void fill_transparent(void)
{
    Layer work;
    const Setup s = {GIMP_RGB, TRUE, FALSE, U8, NO_SELECTION, W, H, W, H, 0, 0};
    const Image image = new_image(&s, &work);
    const Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "seed=77");
    float row[W * 4];
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok) {
        check_get_row(image, out.layer, 2, row);
        CHECK(row[3] > 0.99 && fabs(row[4 * 14 + 3] - 0.5) < 0.01 && row[4 * 40 + 3] < 0.01, "alpha is %g, %g, %g",
              row[3], row[4 * 14 + 3], row[4 * 40 + 3]);
    }
    gimp_image_delete(image);
    check_end_case("fill without a selection on a layer with holes fills the holes");
}

static void several_and_large(void)
{
    Layer work;
    Image image = new_image(&plain, &work);
    Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "seed=77 count=3");
    CHECK(out.ok && n_layers(image) == 6, "%d layers: %s", n_layers(image), out.error);
    if (out.ok) {
        check_parasite(out.layer, "fill");
        CHECK(item_position(image, out.layer) == item_position(image, work) - 3, "the first variant is not on top");
    }
    check_end_case("three variants are three layers, the first on top");
    gimp_image_delete(image);

    Setup s = plain;
    s.w = s.layer_w = 6000, s.h = s.layer_h = 4000, s.precision = U16, s.selection = NO_SELECTION;
    image = new_image(&s, &work);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 5800, 3900, 150, 90);
    out = call_action(SFU_ACTION_REMOVE, image, AS_DRAWABLE(work), "seed=77");
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok)
        check_place(image, out.layer, work, 5800, 3900, 150, 90);
    check_end_case("6000 x 4000 pixels of 16 bit");
    gimp_image_delete(image);
}

/* Of the GIMP that started this plug-in. */
static gsize gimp_resident_bytes(void)
{
    char *path = g_strdup_printf("/proc/%d/statm", (int)getppid()), *text = NULL;
    gsize size = 0, resident = 0;
    if (g_file_get_contents(path, &text, NULL, NULL) && sscanf(text, "%zu %zu", &size, &resident) != 2)
        resident = 0;
    g_free(text);
    g_free(path);
    return resident * sysconf(_SC_PAGESIZE);
}

static void hundred_in_a_row(void)
{
    Layer work;
    Setup s = plain;
    s.w = s.layer_w = 512, s.h = s.layer_h = 384, s.selection = NO_SELECTION;
    const Image image = new_image(&s, &work);
    gsize after_twenty = 0;
    int n_ok = 0;
    gimp_image_undo_disable(image); /* it would keep what is deleted */
    for (int i = 0; i < 100; i++) {
        const Outcome out = call_action(SFU_ACTION_REFINE, image, AS_DRAWABLE(work), "seed=77 steps=2");
        n_ok += out.ok;
        if (out.ok)
            gimp_image_remove_layer(image, out.layer);
        g_free(out.error);
        if (i == 19)
            after_twenty = gimp_resident_bytes();
    }
    const gsize end = gimp_resident_bytes();
    CHECK(n_ok == 100 && n_layers(image) == 3, "%d of 100 worked, %d layers", n_ok, n_layers(image));
    /* A result has 0.6 MiB as GIMP's layer: one that stayed each time would show as 45. */
    CHECK(after_twenty > 0 && end < after_twenty + ((gsize)15 << 20), "GIMP grew from %zu to %zu bytes", after_twenty,
          end);
    gimp_image_delete(image);
    char *name = g_strdup_printf("a hundred generations in a row: GIMP's memory stays flat (%.1f MiB more at the end)",
                                 ((double)end - (double)after_twenty) / (1 << 20));
    check_end_case(name);
    g_free(name);
}

static void color_reaches_engine(const char *log)
{
    Setup s = plain;
    s.profile = TRUE;
    s.selection = NO_SELECTION;
    Layer work;
    const Image image = new_image(&s, &work);
    GeglBuffer *b = drawable_buffer(work);
    const guchar pixel[3] = {200, 100, 50};
    gegl_buffer_set(b, GEGL_RECTANGLE(0, 0, 1, 1), 0, babl_format_with_space("R'G'B' u8", gegl_buffer_get_format(b)),
                    pixel, GEGL_AUTO_ROWSTRIDE);
    g_object_unref(b);
    const Outcome out = call_action(SFU_ACTION_REFINE, image, AS_DRAWABLE(work), "seed=77");
    char *text = NULL, *at = NULL;
    CHECK(out.ok && g_file_get_contents(log, &text, NULL, NULL), "failed: %s", out.error);
    for (char *p = text; p && (p = strstr(p, "pixel ")); p++)
        at = p;
    double v[3] = {0};
    if (at)
        sscanf(at, "pixel %lf %lf %lf", &v[0], &v[1], &v[2]);
    /* Adobe RGB 200, 100, 50 in sRGB, computed by lcms: 0.891, 0.392, 0.166 */
    CHECK(fabs(v[0] - 0.891) < 0.003 && fabs(v[1] - 0.392) < 0.003 && fabs(v[2] - 0.166) < 0.003,
          "the engine saw %g %g %g", v[0], v[1], v[2]);
    g_free(text);
    gimp_image_delete(image);
    check_end_case("the engine sees Adobe RGB pixels in sRGB");
}

int check_run(const char *file, const char *what)
{
    tap = fopen(file, "w");
    if (!tap)
        return 0;
    check_wrong = g_string_new(NULL);
    gegl_init(NULL, NULL);
    if (g_str_has_prefix(what, "fail-")) {
        failures(what + 5);
    } else if (strcmp(what, "hundred") == 0) {
        hundred_in_a_row();
    } else if (strcmp(what, "undo") == 0) {
        char *hand = g_strconcat(file, ".key", NULL);
        scene_undo(hand);
        g_free(hand);
    } else if (strcmp(what, "states") == 0) {
        check_states();
    } else if (strcmp(what, "whole") == 0) {
        scene_whole_image();
        scene_whole_image_restored();
    } else if (strcmp(what, "shared") == 0) {
        color_reaches_engine(g_getenv("SFU_STANDIN_LOG"));
        layer_places();
        merged_and_repeat();
        check_shared_settings(file);
    } else {
        const char *log = g_getenv("SFU_STANDIN_LOG");
        if (log) {
            color_reaches_engine(log);
            check_control_layers(log);
        }
        layer_places();
        tiny_selection();
        refusals();
        masks_and_groups();
        merged_and_repeat();
        char *folder = g_path_get_dirname(file);
        check_crafted_files(folder);
        g_free(folder);
        enlarge_as_layer();
        looks();
        fill_transparent();
        several_and_large();
        if (strcmp(what, "quick") != 0)
            matrix(strcmp(what, "third") == 0);
    }
    fprintf(tap, "1..%d\n", n_cases);
    fclose(tap);
    g_string_free(check_wrong, TRUE);
    return n_cases - n_wrong;
}
