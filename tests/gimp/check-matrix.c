/* Every action with every precision, type, profile and selection, and layers in all places.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <math.h>

const char *check_values_of(SfuAction action)
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

/* What holds for every result: its layer's text, name and state, and the image's type. */
static void check_layer(SfuAction action, const Setup *s, const Outcome *out)
{
    check_parasite(out->layer, sfu_action_info(action)->name);
    char *name = item_name(out->layer);
    CHECK(strstr(name, sfu_action_info(action)->layer), "the layer's name lacks the action: %s", name);
    CHECK(action == SFU_ACTION_REMOVE || action == SFU_ACTION_ENLARGE || strstr(name, "a street"),
          "the layer's name lacks the prompt: %s", name);
    g_free(name);
    CHECK(ID(active_layer(out->image)) == ID(out->layer), "the new layer is not active");
    CHECK(gimp_image_get_precision(out->image) == s->precision, "the result's precision differs");
    CHECK(image_base_type(out->image) == s->base, "the result's type differs");
}

/* Enlarge makes a new image, of the selection if there is one. */
static void check_enlarged(Image image, Layer work, const Setup *s, const Outcome *out, const char *profile)
{
    const gboolean part = s->selection != NO_SELECTION;
    gboolean any;
    int x1 = 0, y1 = 0, x2 = s->layer_w, y2 = s->layer_h;
    if (part)
        gimp_selection_bounds(image, &any, &x1, &y1, &x2, &y2);
    char *p = check_profile_sum(out->image);
    CHECK(strcmp(p, profile) == 0, "the new image's profile differs");
    g_free(p);
    CHECK(n_layers(image) == 3 && IMAGE_ID(out->image) != IMAGE_ID(image), "not a new image");
    check_place(out->image, out->layer, NO_LAYER, 0, 0, 2 * (x2 - x1), 2 * (y2 - y1));
    CHECK(image_width(out->image) == 2 * (x2 - x1), "the new image's width is %d", image_width(out->image));
    CHECK(!drawable_has_alpha(out->layer) == !s->alpha, "alpha came or went");
    float *a = g_new(float, s->layer_w * 4), *b = g_new(float, 2 * (x2 - x1) * 4);
    check_get_row(image, work, y1 + 5 - s->layer_y, a);
    check_get_row(out->image, out->layer, 10, b);
    const float *from = a + 4 * (x2 - 3 - s->layer_x), *to = b + 4 * 2 * (x2 - 3 - x1);
    if (!part)
        from = a + 4 * (x2 - 3), to = b + 4 * 2 * (x2 - 3);
    CHECK(fabs(from[1] - to[1]) <= check_tolerance(s), "enlarged color %g is not %g", to[1], from[1]);
    g_free(a);
    g_free(b);
}

/* Expand makes the canvas larger. */
static void check_expanded(Image image, Layer work, const Setup *s, const Outcome *out)
{
    CHECK(image_width(image) == s->w + 16 && image_height(image) == s->h + 3, "the canvas is %d x %d",
          image_width(image), image_height(image));
    const gboolean covers =
        s->layer_x <= 0 && s->layer_y <= 0 && s->layer_x + s->layer_w >= s->w && s->layer_y + s->layer_h >= s->h;
    if (covers)
        check_place(image, out->layer, work, s->layer_x, s->layer_y, s->layer_w + 16, s->layer_h + 3);
    else /* the visible image was read: the layer alone would hide what lies beside it */
        check_place(image, out->layer, NO_LAYER, 0, 0, s->w + 16, s->h + 3);
}

/* The other actions make a layer over the selection, or over the layer. */
static void check_in_place(SfuAction action, Image image, Layer work, const Setup *s, const Outcome *out)
{
    gboolean any = FALSE;
    int x1 = 0, y1 = 0, x2 = s->w, y2 = s->h;
    gimp_selection_bounds(image, &any, &x1, &y1, &x2, &y2);
    if (action == SFU_ACTION_GENERATE && !any) {
        check_place(image, out->layer, work, (s->w - 256) / 2, (s->h - 256) / 2, 256, 256);
        return;
    }
    check_place(image, out->layer, work, MAX(x1, s->layer_x), MAX(y1, s->layer_y),
                MIN(x2, s->layer_x + s->layer_w) - MAX(x1, s->layer_x),
                MIN(y2, s->layer_y + s->layer_h) - MAX(y1, s->layer_y));
    /* Fill without a selection fills the transparent parts, which has a case of its own. */
    const gboolean transparent = action == SFU_ACTION_FILL && s->selection == NO_SELECTION && s->alpha;
    if (!transparent && action != SFU_ACTION_GENERATE)
        check_inverted(image, work, out->layer, s,
                       sfu_action_info(action)->task == SFU_TASK_IMG2IMG || action == SFU_ACTION_EDIT ? 0 : 1);
}

static void run_one(SfuAction action, const Setup *s)
{
    Layer work;
    const Image image = check_new_image(s, &work);
    Snapshot before = check_snapshot(image, &work, 1);
    const Outcome out = call_action(action, image, AS_DRAWABLE(work), check_values_of(action));
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
    check_layer(action, s, &out);
    if (action == SFU_ACTION_ENLARGE) {
        check_enlarged(image, work, s, &out, before.profile);
        gimp_image_delete(out.image);
        goto end;
    }
    CHECK(IMAGE_ID(out.image) == IMAGE_ID(image), "a new image was made");
    CHECK(n_layers(image) == 4, "%d layers, not 4", n_layers(image));
    if (action == SFU_ACTION_EXPAND)
        check_expanded(image, work, s, &out);
    else
        check_in_place(action, image, work, s, &out);
end:
    g_free(out.error);
    check_snapshot_free(&before);
    gimp_image_delete(image);
}

/* Every action x precision x type x profile x selection; a `third` of them, for the time: each action, precision and
 * type still meets both profiles and two of the selections, in turn. */
void check_matrix(gboolean third)
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

void check_layer_places(void)
{
    static const struct {
        const char *name;
        int lw, lh, x, y;
    } places[] = {{"layer smaller than the canvas, with an offset", 40, 30, 6, 5},
                  {"layer larger than the canvas", 100, 90, -20, -15},
                  {"selection partly outside the layer", 20, 20, 30, 20}};
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        for (int a = 0; a < SFU_N_ACTIONS; a++) {
            Setup s = check_plain;
            s.layer_w = places[i].lw, s.layer_h = places[i].lh, s.layer_x = places[i].x, s.layer_y = places[i].y;
            if (a <= SFU_ACTION_EDIT && a != SFU_ACTION_GENERATE && a != SFU_ACTION_ENLARGE)
                run_one(a, &s);
        }
        check_end_case(places[i].name);
    }
}

void check_tiny_selection(void)
{
    Setup s = check_plain;
    Layer work;
    s.selection = NO_SELECTION;
    const Image image = check_new_image(&s, &work);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 20, 20, 1, 1);
    const Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), check_values_of(SFU_ACTION_FILL));
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok)
        check_place(image, out.layer, work, 20, 20, 1, 1);
    gimp_image_delete(image);
    check_end_case("a selection of one pixel");
}

/* The numbers of GimpPrecision, which are the same in 2.10 and 3.x: 8, 16 and 32 bits, half, float and double, linear
 * and not. The matrix has three of them with everything else. */
void check_precisions(void)
{
    static const int all[] = {100, 150, 200, 250, 300, 350, 500, 550, 600, 650, 700, 750};
    static const SfuAction actions[] = {SFU_ACTION_REMOVE, SFU_ACTION_FILL, SFU_ACTION_REFINE};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        for (gsize k = 0; k < G_N_ELEMENTS(actions); k++) {
            Setup s = check_plain;
            const gsize len = check_wrong->len;
            s.precision = (GimpPrecision)all[i];
            s.selection = FEATHERED;
            run_one(actions[k], &s);
            if (check_wrong->len > len)
                g_string_append_printf(check_wrong, "# (precision %d)\n", all[i]);
        }
    check_end_case("every precision that GIMP has");
}
