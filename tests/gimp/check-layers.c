/* Masks, groups, patches and looks of layers; results of several layers, and large ones.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <math.h>
#include <stdio.h>

void check_masks_and_groups(void)
{
    Layer work;
    Image image = check_new_image(&check_plain, &work);
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

    image = check_new_image(&check_plain, &work);
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

    image = check_new_image(&check_plain, &work);
    const Layer group = group_new(image);
    gimp_image_insert_layer(image, group, PARENT, 0);
    const Layer inner = gimp_layer_new(image, "inner", W, H, GIMP_RGB_IMAGE, 100, GIMP_LAYER_MODE_NORMAL);
    gimp_image_insert_layer(image, inner, group, 0);
    check_paint(inner);
    out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(inner), "seed=77");
    CHECK(out.ok && ID(item_parent(out.layer)) == ID(group), "a layer in a group: the result is not beside it: %s",
          out.error);
    out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(group), "seed=77");
    CHECK(out.ok && ID(item_parent(out.layer)) <= 0, "a group: the result is not above it: %s", out.error);
    check_end_case("layers in groups, and groups");
    gimp_image_delete(image);
}

void check_merged_and_repeat(void)
{
    Layer work;
    Setup s = check_plain;
    s.layer_w = s.layer_h = 10;
    Image image = check_new_image(&s, &work);
    Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "sample_merged=1 seed=77");
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok) {
        check_place(image, out.layer, NO_LAYER, 14, 9, 30, 25); /* larger than the layer: the visible image was read */
        CHECK(item_position(image, out.layer) == 0, "it is not above the layers that it shows");
    }
    check_end_case("sample merged reads the visible image");
    gimp_image_delete(image);

    image = check_new_image(&check_plain, &work);
    out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "prompt='a red door' seed=77 options=steps=3");
    Outcome again = call_action(SFU_N_ACTIONS, image, AS_DRAWABLE(out.layer), "");
    CHECK(again.ok, "failed: %s", again.error);
    if (again.ok) {
        char *name = item_name(again.layer);
        CHECK(strcmp(name, "Fill: a red door") == 0 || strstr(name, "Fill: a red door #"), "not the layer's prompt: %s",
              name);
        CHECK(check_seed_of(out.layer) == 77 && check_seed_of(again.layer) != 77 && check_seed_of(again.layer) >= 0,
              "not a new seed: %g", check_seed_of(again.layer));
        g_free(name);
        check_place(image, again.layer, out.layer, 14, 9, 30, 25); /* above the first result, or it would not be seen */
        check_inverted(image, work, again.layer, &check_plain,
                       1); /* made from the original, not from the first result */
    }
    check_end_case("repeat on a generated layer: its own parameters, its own source, another seed");
    again = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(out.layer), "seed=77");
    CHECK(again.ok && drawable_width(again.layer) == 30,
          "filling with a generated layer active does not read what lies below it");
    check_end_case("fill again with the last result active reads the visible image");
    gimp_image_delete(image);
}

void check_enlarge_as_layer(void)
{
    Layer work;
    Setup s = check_plain;
    s.layer_x = 3, s.layer_y = 2;
    const Image image = check_new_image(&s, &work);
    const Outcome out = call_action(SFU_ACTION_ENLARGE, image, AS_DRAWABLE(work), "scale=2 seed=77 new_image=0");
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok)
        check_place(image, out.layer, work, 14, 9, 60, 50);
    gimp_image_delete(image);
    check_end_case("the selected part enlarged as a layer starts where the part was");
}

/* A result stands in for its layer, and shows only where the layer's mask does. */
static void looks_through_mask(SfuAction a)
{
    Layer work;
    float row[(W + 16) * 4];
    const Image image = check_new_image(&check_plain, &work);
    const gboolean enlarge = a == SFU_ACTION_ENLARGE; /* lies beside its layer, and looks as a duplicate would */
    if (enlarge) {
        gimp_layer_set_opacity(work, 40);
        gimp_layer_set_mode(work, GIMP_LAYER_MODE_SCREEN);
    }
    gimp_layer_add_mask(work, gimp_layer_create_mask(work, GIMP_ADD_MASK_WHITE));
    GeglBuffer *mask = drawable_buffer((Layer)layer_mask_of(work)); /* hides the left part, up to column 24 */
    GeglColor *black = gegl_color_new("black");
    gegl_buffer_set_color(mask, GEGL_RECTANGLE(0, 0, 24, H), black);
    g_object_unref(black);
    g_object_unref(mask);
    char *values = g_strdup_printf("%s%s", check_values_of(a), enlarge ? " new_image=0" : "");
    const Outcome out = call_action(a, image, AS_DRAWABLE(work), values);
    CHECK(out.ok, "%s failed: %s", sfu_action_info(a)->name, out.error);
    if (out.ok) {
        int x, y;
        drawable_offsets(out.layer, &x, &y);
        check_get_row(image, out.layer, 12 - y > 0 ? 12 - y : 5, row);
        const int edge = enlarge ? 2 * (24 - 14) : a == SFU_ACTION_EXPAND ? 24 + 7 : 24 - x;
        CHECK(fabs(gimp_layer_get_opacity(out.layer) - (enlarge ? 40 : 100)) < 0.1 &&
                  gimp_layer_get_mode(out.layer) == (enlarge ? GIMP_LAYER_MODE_SCREEN : GIMP_LAYER_MODE_NORMAL),
              "%s: opacity %g, mode %d", sfu_action_info(a)->name, gimp_layer_get_opacity(out.layer),
              gimp_layer_get_mode(out.layer));
        CHECK(row[4 * (edge - 4) + 3] < 0.01 && row[4 * (edge + 4) + 3] > 0.99,
              "%s: alpha %g and %g on the two sides of the mask's edge", sfu_action_info(a)->name,
              row[4 * (edge - 4) + 3], row[4 * (edge + 4) + 3]);
    }
    g_free(values);
    gimp_image_delete(image);
}

/* A row of what is visible. */
static void get_visible_row(Image image, int y, float *row)
{
    const Layer shown = gimp_layer_new_from_visible(image, image, "shown");
    check_get_row(image, shown, y, row);
    item_delete(shown);
}

typedef struct {
    const char *name;
    double opacity;
    GimpLayerMode mode;
    GimpLayerCompositeMode composite;
    gboolean in_group, faint_group;
} Look;

/* What lies below shows through the layer, so its pixels alone say nothing about what is seen. */
static void seen_through(SfuAction a, const Look *look)
{
    Layer work, group = NO_LAYER;
    float before[W * 4], after[(W + 16) * 4];
    const Image image = check_new_image(&check_plain, &work);
    if (look->in_group) {
        group = group_new(image);
        gimp_image_insert_layer(image, group, PARENT, 1);
        gimp_image_reorder_item(image, AS_ITEM(work), AS_ITEM(group), 0);
        gimp_layer_set_opacity(group, look->faint_group ? 50 : 100);
        set_active(image, work);
    }
    gimp_layer_set_opacity(work, look->opacity);
    gimp_layer_set_mode(work, look->mode);
    gimp_layer_set_composite_mode(work, look->composite);
    get_visible_row(image, 12, before);
    const Outcome out = call_action(a, image, AS_DRAWABLE(work), check_values_of(a));
    CHECK(out.ok, "%s on %s failed: %s", sfu_action_info(a)->name, look->name, out.error);
    if (out.ok) {
        int n_wrong = 0;
        get_visible_row(image, a == SFU_ACTION_EXPAND ? 12 + 3 : 12, after);
        for (int x = 0; x < W; x++) { /* the stand-in inverts; Expand keeps what is there */
            const gboolean inside = a != SFU_ACTION_EXPAND && x >= 14 && x < 44;
            const float *is = after + 4 * (x + (a == SFU_ACTION_EXPAND ? 7 : 0)), *was = before + 4 * x;
            n_wrong += fabs(is[1] - (inside ? 1 - was[1] : was[1])) > 0.012;
        }
        CHECK(n_wrong == 0, "%s on %s: %d of %d pixels do not look as they should", sfu_action_info(a)->name,
              look->name, n_wrong, W);
        if (!look->faint_group)
            CHECK(item_position(image, out.layer) == item_position(image, work) - 1 &&
                      ID(item_parent(out.layer)) == ID(item_parent(work)),
                  "%s on %s: the result is not right above the layer", sfu_action_info(a)->name, look->name);
    }
    g_free(out.error);
    gimp_image_delete(image);
}

void check_looks(void)
{
    static const SfuAction made_from_layer[] = {SFU_ACTION_FILL,   SFU_ACTION_REMOVE,  SFU_ACTION_EXPAND,
                                                SFU_ACTION_REFINE, SFU_ACTION_RESTYLE, SFU_ACTION_ENLARGE};
    static const SfuAction in_place[] = {SFU_ACTION_FILL,   SFU_ACTION_REMOVE,  SFU_ACTION_EXPAND,
                                         SFU_ACTION_REFINE, SFU_ACTION_RESTYLE, SFU_ACTION_EDIT};
    static const Look all[] = {
        {"a layer at 40 %", 40, GIMP_LAYER_MODE_NORMAL, GIMP_LAYER_COMPOSITE_AUTO, FALSE, FALSE},
        {"a layer in mode Multiply", 100, GIMP_LAYER_MODE_MULTIPLY, GIMP_LAYER_COMPOSITE_AUTO, FALSE, FALSE},
        {"a layer in mode Screen at 60 %", 60, GIMP_LAYER_MODE_SCREEN, GIMP_LAYER_COMPOSITE_AUTO, FALSE, FALSE},
        {"a layer in mode HSV Hue", 100, GIMP_LAYER_MODE_HSV_HUE, GIMP_LAYER_COMPOSITE_AUTO, FALSE, FALSE},
        {"a layer clipped to what is below", 100, GIMP_LAYER_MODE_NORMAL, GIMP_LAYER_COMPOSITE_CLIP_TO_BACKDROP, FALSE,
         FALSE},
        {"a layer that clips what is below", 100, GIMP_LAYER_MODE_NORMAL, GIMP_LAYER_COMPOSITE_CLIP_TO_LAYER, FALSE,
         FALSE},
        {"a layer in mode Multiply in a group", 100, GIMP_LAYER_MODE_MULTIPLY, GIMP_LAYER_COMPOSITE_AUTO, TRUE, FALSE},
        {"a layer at 40 % in a group at 50 %", 40, GIMP_LAYER_MODE_NORMAL, GIMP_LAYER_COMPOSITE_AUTO, TRUE, TRUE}};
    for (gsize i = 0; i < G_N_ELEMENTS(made_from_layer); i++)
        looks_through_mask(made_from_layer[i]);
    check_end_case("a result shows only through its layer's mask");
    for (gsize k = 0; k < G_N_ELEMENTS(all); k++) {
        for (gsize i = 0; i < G_N_ELEMENTS(in_place); i++)
            seen_through(in_place[i], &all[k]);
        char *name = g_strdup_printf("the result is seen as it was made: %s", all[k].name);
        check_end_case(name);
        g_free(name);
    }

    Layer work;
    const Image image = check_new_image(&check_plain, &work);
    gimp_layer_set_opacity(work, 40);
    const Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "sample_merged=1 seed=77");
    CHECK(out.ok && gimp_layer_get_opacity(out.layer) == 100, "failed, or opacity is not 100: %s", out.error);
    gimp_image_delete(image);
    check_end_case("a result made from the visible image is opaque");
}

void check_fill_transparent(void)
{
    Layer work;
    const Setup s = {GIMP_RGB, TRUE, FALSE, U8, NO_SELECTION, W, H, W, H, 0, 0};
    const Image image = check_new_image(&s, &work);
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

void check_several_and_large(void)
{
    Layer work;
    Image image = check_new_image(&check_plain, &work);
    Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "seed=77 count=3");
    CHECK(out.ok && n_layers(image) == 6, "%d layers: %s", n_layers(image), out.error);
    if (out.ok) {
        check_parasite(out.layer, "fill");
        CHECK(item_position(image, out.layer) == item_position(image, work) - 3, "the first variant is not on top");
    }
    check_end_case("three variants are three layers, the first on top");
    gimp_image_delete(image);

    Setup s = check_plain;
    s.w = s.layer_w = 6000, s.h = s.layer_h = 4000, s.precision = U16, s.selection = NO_SELECTION;
    image = check_new_image(&s, &work);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 5800, 3900, 150, 90);
    out = call_action(SFU_ACTION_REMOVE, image, AS_DRAWABLE(work), "seed=77");
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok)
        check_place(image, out.layer, work, 5800, 3900, 150, 90);
    check_end_case("6000 x 4000 pixels of 16 bit");
    gimp_image_delete(image);
}

void check_color_reaches_engine(const char *log)
{
    Setup s = check_plain;
    s.profile = TRUE;
    s.selection = NO_SELECTION;
    Layer work;
    const Image image = check_new_image(&s, &work);
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
