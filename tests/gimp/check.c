/* Tests that run inside GIMP, as a plug-in of their own that calls Sfumato's procedures, with the stand-in engine
 * behind them: known pixels in, known pixels out. Writes TAP to the file given. Started by tests/gimp/run.py through
 * Script-Fu batch.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <math.h>
#include <stdio.h>

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

/* ---- images ---- */

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
void check_paint(Layer layer)
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
    check_paint(layer);
    return layer;
}

void check_select(Image image, Selection selection, int x, int y, int w, int h)
{
    if (selection == NO_SELECTION)
        return;
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, x, y, w, h);
    if (selection == FEATHERED)
        gimp_selection_feather(image, 5);
}

/* A background below, the layer to work on, a layer above. */
Image check_new_image(const Setup *s, Layer *layer)
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
    check_select(image, s->selection, 14, 9, 30, 25);
    return image;
}

char *check_profile_sum(Image image)
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

/* ---- what every result must keep ---- */

Snapshot check_snapshot(Image image, const Layer *layers, int n)
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
    s.profile = check_profile_sum(image);
    return s;
}

void check_kept(Image image, Snapshot *s, gboolean canvas)
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
    sum = check_profile_sum(image);
    CHECK(strcmp(sum, s->profile) == 0, "the profile changed");
    g_free(sum);
    CHECK(gimp_image_get_precision(image) == s->precision, "the precision changed");
}

void check_snapshot_free(Snapshot *s)
{
    for (int i = 0; i < s->n; i++)
        g_free(s->sums[i]);
    g_free(s->selection);
    g_free(s->profile);
}

void check_parasite(Layer layer, const char *action)
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
double check_seed_of(Layer layer)
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

double check_tolerance(const Setup *s)
{
    /* One step of the image's own precision, each way; 8-bit dark tones are stretched by up to 2.5 between Adobe RGB
     * and sRGB, and babl's polynomial for Adobe's gamma of 2.2 is good to about 0.001. */
    return (int)s->precision == 100       ? 0.03  /* 8 bits of light are coarse in dark tones */
           : (int)s->precision / 100 == 5 ? 0.002 /* half floats have 11 bits */
           : s->precision == U8           ? (s->profile ? 0.014 : 0.005)
           : s->profile                   ? 0.002
           : s->precision == U16          ? 0.0005
                                          : 0.0003;
}

/* Inside: the stand-in's inverse of what was there, alpha the selection; outside: alpha 0. */
void check_inverted(Image image, Layer work, Layer made, const Setup *s, double alpha_limit)
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
                n_bad_color += fabs(want - b[c]) > check_tolerance(s);
            }
        }
    }
    CHECK(n_bad_color == 0, "%d colours differ, by up to %g", n_bad_color, worst);
    CHECK(n_bad_alpha == 0, "%d alphas differ", n_bad_alpha);
    g_free(src);
    g_free(out);
    g_free(sel);
}

void check_place(Image image, Layer layer, Layer below, int x, int y, int w, int h)
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

const Setup check_plain = {GIMP_RGB, FALSE, FALSE, U8, HARD, W, H, W, H, 0, 0};

/* Calls that must fail with a sentence that has `word`, and change nothing. */
void check_refusal(const char *name, SfuAction action, Image image, Drawable drawable, const char *values,
                   const char *word)
{
    Layer active = active_layer(image);
    Snapshot before = check_snapshot(image, &active, active != NO_LAYER);
    const int n = n_layers(image);
    const Outcome out = call_action(action, image, drawable, values);
    CHECK(!out.ok, "it was done all the same");
    CHECK(out.error && strstr(out.error, word), "the sentence lacks \"%s\": %s", word,
          out.error ? out.error : "(none)");
    CHECK(n_layers(image) == n, "the number of layers changed");
    check_kept(image, &before, TRUE);
    check_snapshot_free(&before);
    g_free(out.error);
    check_end_case(name);
}

static void crafted_files(const char *file)
{
    char *folder = g_path_get_dirname(file);
    check_crafted_files(folder);
    g_free(folder);
}

int check_run(const char *file, const char *what)
{
    tap = fopen(file, "w");
    if (!tap)
        return 0;
    check_wrong = g_string_new(NULL);
    gegl_init(NULL, NULL);
    if (g_str_has_prefix(what, "fail-")) {
        check_failures(what + 5);
    } else if (strcmp(what, "hundred") == 0) {
        check_hundred_in_a_row();
    } else if (strcmp(what, "undo") == 0) {
        char *hand = g_strconcat(file, ".key", NULL);
        scene_undo(hand);
        g_free(hand);
        check_status_bar();
    } else if (strcmp(what, "files") == 0) {
        crafted_files(file);
    } else if (strcmp(what, "states") == 0) {
        check_states();
    } else if (strcmp(what, "late") == 0) {
        check_late();
    } else if (strcmp(what, "whole") == 0) {
        scene_whole_image();
        scene_whole_image_restored();
    } else if (strcmp(what, "shared") == 0) {
        check_color_reaches_engine(g_getenv("SFU_STANDIN_LOG"));
        check_layer_places();
        check_merged_and_repeat();
        check_shared_settings(file);
    } else {
        const char *log = g_getenv("SFU_STANDIN_LOG");
        if (log) {
            check_color_reaches_engine(log);
            check_control_layers(log);
        }
        check_layer_places();
        check_tiny_selection();
        check_precisions();
        check_late();
        check_refusals();
        check_masks_and_groups();
        check_merged_and_repeat();
        crafted_files(file);
        check_enlarge_as_layer();
        check_looks();
        check_fill_transparent();
        check_several_and_large();
        if (strcmp(what, "quick") != 0)
            check_matrix(strcmp(what, "third") == 0);
    }
    fprintf(tap, "1..%d\n", n_cases);
    fclose(tap);
    g_string_free(check_wrong, TRUE);
    return n_cases - n_wrong;
}
