/* Tests of what concerns a whole image: enlarging it with all that is in it, and undoing. Their image has one of
 * everything.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <math.h>

Image scene_new(GimpPrecision precision, GimpImageBaseType base)
{
    const Image image = gimp_image_new_with_precision(W, H, base, precision);
    const Layer below = check_add_layer(image, "below", W, H, 0, 0, FALSE), group = group_new(image);
    gimp_image_insert_layer(image, group, PARENT, 0);
    const Layer hidden = check_add_layer(image, "hidden", 30, 20, -7, 33, TRUE),
                work = check_add_layer(image, "work", 40, 31, 5, 3, TRUE);
    gimp_image_reorder_item(image, AS_ITEM(work), AS_ITEM(group), 0);
    gimp_image_reorder_item(image, AS_ITEM(hidden), AS_ITEM(group), 1);
    item_set_visible(hidden, FALSE);
    gimp_layer_set_opacity(work, 60);
    gimp_layer_set_mode(work, GIMP_LAYER_MODE_MULTIPLY);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 10, 8, 21, 15);
    gimp_layer_add_mask(below, gimp_layer_create_mask(below, GIMP_ADD_MASK_SELECTION));
    gimp_selection_save(image);
    const Path path = path_new(image, "path");
    path_insert(image, path);
    path_lineto(path, path_moveto(path, 4, 6), 20, 30);
    gimp_image_add_hguide(image, 11);
    gimp_image_add_vguide(image, 23);
    gimp_image_add_sample_point(image, 17, 19);
    gimp_item_set_lock_content(AS_ITEM(below), TRUE);
    gimp_item_set_lock_position(AS_ITEM(below), TRUE);
    gimp_layer_set_lock_alpha(work, TRUE);
    gimp_item_set_lock_content(AS_ITEM(group), TRUE); /* and with it what is in it */
    set_active(image, work);
    return image;
}

static void describe_layers(GString *s, Layer *list, int n)
{
    for (int i = 0; i < n; i++) {
        int x, y, n_children = 0;
        char *name = item_name(list[i]), *sum = check_sum(AS_DRAWABLE(list[i]));
        drawable_offsets(list[i], &x, &y);
        g_string_append_printf(s, "locked %d %d %d ", gimp_item_get_lock_content(AS_ITEM(list[i])),
                               gimp_item_get_lock_position(AS_ITEM(list[i])), gimp_layer_get_lock_alpha(list[i]));
        g_string_append_printf(s, "%s %d %d %d %d visible %d opacity %.2f mode %d %s", name, x, y,
                               drawable_width(list[i]), drawable_height(list[i]), item_visible(list[i]),
                               gimp_layer_get_opacity(list[i]), gimp_layer_get_mode(list[i]), sum);
        g_free(name);
        g_free(sum);
        const Layer mask = (Layer)layer_mask_of(list[i]);
        if (ID(mask) >= 0) {
            sum = check_sum(AS_DRAWABLE(mask));
            g_string_append_printf(s, " mask %s", sum);
            g_free(sum);
        }
        g_string_append_c(s, '\n');
        if (item_is_group(list[i])) {
            Layer *children = list_children(list[i], &n_children);
            g_string_append(s, "(\n");
            describe_layers(s, children, n_children);
            g_string_append(s, ")\n");
        }
    }
    g_free(list);
}

char *scene_describe(Image image)
{
    GString *s = g_string_new(NULL);
    int n = 0, n_points = 0, y = 0;
    g_string_append_printf(s, "%d x %d, precision %d, type %d\n", image_width(image), image_height(image),
                           gimp_image_get_precision(image), image_base_type(image));
    Layer *layers = list_layers(image, &n);
    describe_layers(s, layers, n);
    Drawable *channels = list_channels(image, &n);
    for (int i = 0; i <= n; i++) {
        char *sum = check_sum(i < n ? channels[i] : selection_drawable(image));
        g_string_append_printf(s, "%s %s\n", i < n ? "channel" : "selection", sum);
        g_free(sum);
    }
    g_free(channels);
    Path *paths = list_paths(image, &n);
    for (int i = 0; i < n; i++) {
        double *points = path_points(paths[i], &n_points);
        g_string_append(s, "path");
        for (int k = 0; k < n_points; k++)
            g_string_append_printf(s, " %.6g", points[k]);
        g_string_append_c(s, '\n');
        g_free(points);
    }
    g_free(paths);
    for (guint guide = 0; (guide = gimp_image_find_next_guide(image, guide)) != 0;)
        g_string_append_printf(s, "guide %d %d\n", gimp_image_get_guide_orientation(image, guide),
                               gimp_image_get_guide_position(image, guide));
    for (guint point = 0; (point = gimp_image_find_next_sample_point(image, point)) != 0;) {
        const int x = gimp_image_get_sample_point_position(image, point, &y);
        g_string_append_printf(s, "sample point %d %d\n", x, y);
    }
    return g_string_free(s, FALSE);
}

/* ---- the whole image enlarged
 * ----------------------------------------------------------------------------------------- */

/* One layer against its original: place, looks, and the stand-in's pixels, which repeats each in a square. */
static void check_layer(Image was, Layer old, Image is, Layer new, double scale)
{
    int ox, oy, nx, ny, n_bad = 0;
    char *name = item_name(old);
    drawable_offsets(old, &ox, &oy);
    drawable_offsets(new, &nx, &ny);
    const int w = drawable_width(new), h = drawable_height(new), ow = drawable_width(old), oh = drawable_height(old);
    const int right = lround((ox + ow) * scale), bottom = lround((oy + oh) * scale);
    CHECK(ABS(nx - lround(ox * scale)) <= 1 && ABS(ny - lround(oy * scale)) <= 1, "%s lies at %d, %d", name, nx, ny);
    CHECK(ABS(nx + w - right) <= 1 && ABS(ny + h - bottom) <= 1, "%s ends at %d, %d, not %d, %d", name, nx + w, ny + h,
          right, bottom);
    CHECK(gimp_layer_get_opacity(old) == gimp_layer_get_opacity(new) &&
              gimp_layer_get_mode(old) == gimp_layer_get_mode(new) && item_visible(old) == item_visible(new) &&
              !drawable_has_alpha(old) == !drawable_has_alpha(new),
          "%s looks another way", name);
    CHECK(!gimp_item_get_lock_content(AS_ITEM(old)) == !gimp_item_get_lock_content(AS_ITEM(new)) &&
              !gimp_item_get_lock_position(AS_ITEM(old)) == !gimp_item_get_lock_position(AS_ITEM(new)) &&
              !gimp_layer_get_lock_alpha(old) == !gimp_layer_get_lock_alpha(new),
          "%s: its locks are others", name);
    CHECK((ID(layer_mask_of(old)) >= 0) == (ID(layer_mask_of(new)) >= 0), "%s: its mask came or went", name);
    if (ID(layer_mask_of(new)) >= 0)
        CHECK(drawable_width((Layer)layer_mask_of(new)) == w, "%s: its mask has another size", name);
    float *a = g_new(float, ow * 4), *b = g_new(float, w * 4);
    for (int y = 0; y < h; y++) {
        check_get_row(was, old, MIN(oh - 1, (int)(y / scale)), a);
        check_get_row(is, new, y, b);
        for (int x = 0; x < w; x++) {
            const float *p = a + 4 * MIN(ow - 1, (int)(x / scale)), *q = b + 4 * x;
            n_bad += fabs(p[3] - q[3]) > 0.003;
            for (int c = 0; c < 3 && p[3] > 0.1; c++)
                n_bad += fabs(p[c] - q[c]) > 0.005;
        }
    }
    CHECK(n_bad == 0, "%s: %d values are not those of the engine", name, n_bad);
    g_free(a);
    g_free(b);
    g_free(name);
}

static void check_layers(Image was, Layer *old, int n, Image is, Layer *new, int n_new, double scale)
{
    CHECK(n == n_new, "%d layers became %d", n, n_new);
    for (int i = 0; i < n && i < n_new; i++) {
        int k = 0, k_new = 0;
        if (item_is_group(old[i])) {
            CHECK(item_is_group(new[i]), "the group is none any more");
            Layer *children = list_children(old[i], &k), *now = list_children(new[i], &k_new);
            check_layers(was, children, k, is, now, k_new, scale);
        } else {
            check_layer(was, old[i], is, new[i], scale);
        }
    }
    g_free(old);
    g_free(new);
}

static void check_enlarged(Image was, Image is, double scale)
{
    int n, m, x1, y1, x2, y2, sx, sy = 0, a1, b1, a2, b2;
    gboolean any = FALSE;
    Layer *old = list_layers(was, &n), *new = list_layers(is, &m);
    CHECK(image_width(is) == lround(W * scale) && image_height(is) == lround(H * scale), "the canvas is %d x %d",
          image_width(is), image_height(is));
    CHECK(gimp_image_get_precision(is) == gimp_image_get_precision(was) && image_base_type(is) == image_base_type(was),
          "another precision or type");
    check_layers(was, old, n, is, new, m, scale);
    gimp_selection_bounds(was, &any, &x1, &y1, &x2, &y2);
    gimp_selection_bounds(is, &any, &a1, &b1, &a2, &b2);
    const double soft = 2 * scale; /* the cubic's reach, within which GIMP's own scaling softens the edge */
    CHECK(any && fabs(a1 - x1 * scale) <= soft && fabs(b1 - y1 * scale) <= soft && fabs(a2 - x2 * scale) <= soft &&
              fabs(b2 - y2 * scale) <= soft,
          "the selection is %d, %d to %d, %d", a1, b1, a2, b2);
    Drawable *channels = list_channels(is, &n);
    CHECK(n == 1 && drawable_width((Layer)channels[0]) == image_width(is), "the channel was not scaled");
    g_free(channels);
    Path *paths = list_paths(is, &n);
    CHECK(n == 1, "%d paths", n);
    double *points = n ? path_points(paths[0], &m) : NULL;
    CHECK(points && fabs(points[0] - 4 * scale) < 0.2 && fabs(points[1] - 6 * scale) < 0.2, "the path was not scaled");
    g_free(points);
    g_free(paths);
    int n_guides = 0;
    for (guint guide = 0; (guide = gimp_image_find_next_guide(is, guide)) != 0; n_guides++) {
        const int was_at = gimp_image_get_guide_orientation(is, guide) == GIMP_ORIENTATION_HORIZONTAL ? 11 : 23;
        CHECK(ABS(gimp_image_get_guide_position(is, guide) - was_at * scale) <= 1, "the guide of %d was not scaled",
              was_at);
    }
    CHECK(n_guides == 2, "%d guides", n_guides);
    const guint point = gimp_image_find_next_sample_point(is, 0);
    sx = point ? gimp_image_get_sample_point_position(is, point, &sy) : 0;
    CHECK(ABS(sx - 17 * scale) <= 1 && ABS(sy - 19 * scale) <= 1, "the sample point is at %d, %d", sx, sy);
}

void scene_whole_image(void)
{
    static const struct {
        const char *name;
        GimpPrecision precision;
        GimpImageBaseType base;
        double scale;
    } cases[] = {
        {"the whole image x2, 8 bit RGB: layers, groups, masks, channels, paths, guides, selection", U8, GIMP_RGB, 2},
        {"the whole image x1.5, 32-bit linear float RGB", FLOAT_LINEAR, GIMP_RGB, 1.5},
        {"the whole image x4, 16 bit gray", U16, GIMP_GRAY, 4}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Image image = scene_new(cases[i].precision, cases[i].base), was = gimp_image_duplicate(image);
        char *values = g_strdup_printf("scale=%g seed=77 whole_image=1 new_image=0", cases[i].scale);
        const Layer work = active_layer(image);
        const Outcome out = call_action(SFU_ACTION_ENLARGE, image, AS_DRAWABLE(work), values);
        CHECK(out.ok, "failed: %s", out.error);
        if (out.ok) {
            CHECK(IMAGE_ID(out.image) == IMAGE_ID(image) && ID(out.layer) == ID(work),
                  "it returned another image or layer");
            check_enlarged(was, image, cases[i].scale);
        }
        check_end_case(cases[i].name);
        g_free(values);
        gimp_image_delete(image);
        gimp_image_delete(was);
    }

    const Image image = scene_new(U8, GIMP_RGB);
    char *before = scene_describe(image);
    Outcome out = call_action(SFU_ACTION_ENLARGE, image, AS_DRAWABLE(active_layer(image)), "seed=77 whole_image=1");
    char *after = scene_describe(image);
    CHECK(out.ok && IMAGE_ID(out.image) != IMAGE_ID(image), "no new image: %s", out.error);
    CHECK(strcmp(before, after) == 0, "the image itself changed:\n%s", after);
    if (out.ok) {
        check_enlarged(image, out.image, 2);
        CHECK(gimp_image_undo_is_enabled(out.image), "the copy cannot undo");
        gimp_image_delete(out.image);
    }
    g_free(before);
    g_free(after);
    check_end_case("the whole image as a new image leaves the old one alone");

    const Layer text = text_new(image, "Sfumato", 12);
    if (ID(text) >= 0) { /* a GIMP without fonts makes none */
        gimp_image_insert_layer(image, text, PARENT, 0);
        const Image was = gimp_image_duplicate(image);
        out = call_action(SFU_ACTION_ENLARGE, image, AS_DRAWABLE(text), "seed=77 whole_image=1 new_image=0");
        CHECK(out.ok, "failed: %s", out.error);
        if (out.ok)
            check_enlarged(was, image, 2);
        gimp_image_delete(was);
        check_end_case("a text layer is enlarged by the engine, too");
    }
    gimp_image_delete(image);
}

/* The check program is linked so that host calls of its own can fail: see check-states.c. */
void scene_whole_image_restored(void)
{
    for (int fail_at = 1; fail_at <= 6; fail_at++) { /* three layers in the copy, then three in the image */
        const Image image = scene_new(U8, GIMP_RGB);
        char *before = scene_describe(image);
        char *error = enlarge_here(image, 1.7, fail_at);
        char *after = scene_describe(image);
        CHECK(error && strstr(error, "fails"), "write %d: %s", fail_at, error ? error : "it did not fail");
        CHECK(strcmp(before, after) == 0, "write %d: the image changed:\n%sbefore:\n%s", fail_at, after, before);
        g_free(error);
        g_free(before);
        g_free(after);
        gimp_image_delete(image);
    }
    check_end_case("a layer that cannot be written while the whole image is enlarged: the image is as it was");
}

void scene_whole_image_fails(const char *word)
{
    const Image image = scene_new(U8, GIMP_RGB);
    char *before = scene_describe(image);
    const Outcome out =
        call_action(SFU_ACTION_ENLARGE, image, AS_DRAWABLE(active_layer(image)), "seed=77 whole_image=1 new_image=0");
    char *after = scene_describe(image);
    CHECK(!out.ok, "it was done all the same");
    CHECK(!*word || (out.error && strstr(out.error, word)), "the sentence lacks \"%s\": %s", word, out.error);
    CHECK(strcmp(before, after) == 0, "the image changed:\n%s", after);
    g_free(before);
    g_free(after);
    g_free(out.error);
    gimp_image_delete(image);
    check_end_case("enlarging the whole image fails: a sentence, and nothing changed");
}

/* ---- undo
 * ------------------------------------------------------------------------------------------------------------- */

/* Asks for a key by writing its name into the file `hand`, and waits until the image is as `want` says. FALSE: it never
 * was. */
static gboolean press(const char *hand, const char *key, Image image, const char *want)
{
    g_file_set_contents(hand, key, -1, NULL);
    for (int i = 0; i < 100; i++) {
        g_usleep(100000);
        char *now =
            g_file_test(hand, G_FILE_TEST_EXISTS) ? NULL : scene_describe(image); /* taken away: the key was pressed */
        const gboolean same = now && strcmp(now, want) == 0;
        g_free(now);
        if (same)
            return TRUE;
    }
    return FALSE;
}

/* GIMP 3.0 does not bring channels back to size when a change of the canvas is undone: that is not Expand's to mend. */
static void drop_what_gimp_cannot_undo(Image image, const char *hand)
{
    char *before = scene_describe(image);
    int n = 0;
    gimp_image_resize(image, W + 16, H + 3, 7, 3);
    gimp_displays_flush();
    const gboolean restored = press(hand, "ctrl+z", image, before);
    Drawable *channels = list_channels(image, &n);
    for (int i = 0; !restored && i < n; i++)
        remove_channel(image, channels[i]);
    check_end_case(restored ? "GIMP's own change of the canvas can be undone"
                            : "GIMP's own change of the canvas can be undone # SKIP not in this GIMP, so the image has "
                              "no channel from here on");
    g_free(channels);
    g_free(before);
}

void scene_undo(const char *hand)
{
    static const struct {
        SfuAction action;
        const char *values;
    } cases[] = {{SFU_ACTION_FILL, "seed=77 count=3"},
                 {SFU_ACTION_FILL, "seed=77 layer_mask=1"},
                 {SFU_ACTION_REMOVE, "seed=77"},
                 {SFU_ACTION_EXPAND, "seed=77 left=7 right=9 top=3 bottom=0"},
                 {SFU_ACTION_REFINE, "seed=77"},
                 {SFU_ACTION_GENERATE, "seed=77"},
                 {SFU_ACTION_RESTYLE, "seed=77"},
                 {SFU_ACTION_ENLARGE, "seed=77 new_image=0"},
                 {SFU_ACTION_ENLARGE, "seed=77 whole_image=1 new_image=0"}};
    const Image image = scene_new(U8, GIMP_RGB);
    gimp_display_new(image);
    drop_what_gimp_cannot_undo(image, hand);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *before = scene_describe(image),
             *name = g_strdup_printf("%s, %s: one undo restores everything, one redo brings it back",
                                     sfu_action_info(cases[i].action)->name, cases[i].values);
        const Outcome out = call_action(cases[i].action, image, AS_DRAWABLE(active_layer(image)), cases[i].values);
        CHECK(out.ok, "failed: %s", out.error);
        gimp_displays_flush();
        char *after = scene_describe(image);
        CHECK(strcmp(before, after) != 0, "nothing was done");
        if (!press(hand, "ctrl+z", image, before)) {
            char *now = scene_describe(image);
            CHECK(FALSE, "after one undo:\n%sbefore:\n%s", now, before);
            g_free(now);
        } else {
            CHECK(press(hand, "ctrl+y", image, after), "redo brings something else");
            CHECK(press(hand, "ctrl+z", image, before), "the second undo does not restore");
        }
        check_end_case(name);
        g_free(before);
        g_free(after);
        g_free(name);
        g_free(out.error);
    }
}
