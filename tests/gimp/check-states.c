/* Tests of the states that an image, a layer or a selection can be in: locks of every kind, nothing to work on, hidden,
 * quick mask, a floating selection, one pixel, very wide; and writes that fail.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <math.h>

#include "host.h"
#include "whole-image.h"

/* ---- writes that fail: the linker puts this in the place of the host's own
 * ------------------------------------------------ */

static int n_written, fails_at;

gboolean __real_sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error);
gboolean __wrap_sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error);
gboolean __wrap_sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error)
{
    if (++n_written != fails_at)
        return __real_sfu_host_write_layer(image, layer, pixels, error);
    g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "write %d fails", n_written);
    return FALSE;
}

char *enlarge_here(Image image, double scale, int fail_at)
{
    GError *error = NULL;
    SfuMade made;
    SfuInput *in = g_new0(SfuInput, 1);
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
    in->image = IMAGE_ID(image);
    n_written = 0;
    fails_at = fail_at;
    if (sfu_whole_image_read(in, scale, &error)) {
        for (guint i = 0; i < in->layers->len; i++) {
            SfuResult *r = g_new0(SfuResult, 1);
            r->picture = g_object_ref(((SfuInputLayer *)in->layers->pdata[i])->picture);
            r->params = sfu_params_new();
            sfu_params_set_double(r->params, "scale", scale, NULL);
            g_ptr_array_add(results, r);
        }
        sfu_whole_image_add(in, results, FALSE, &made, &error);
    }
    fails_at = 0;
    g_ptr_array_unref(results);
    sfu_input_free(in);
    char *sentence = error ? g_strdup(error->message) : NULL;
    g_clear_error(&error);
    return sentence;
}

/* ---- locks
 * ------------------------------------------------------------------------------------------------------------------ */

/* What the actions of the menu are given; 0 ends the list. */
static const char *values_of(SfuAction action)
{
    return action == SFU_ACTION_EXPAND    ? "prompt=street left=7 right=9 top=3 bottom=0 seed=77"
           : action == SFU_ACTION_ENLARGE ? "scale=2 seed=77 new_image=0"
           : action == SFU_ACTION_REMOVE  ? "seed=77"
                                          : "prompt=street seed=77";
}

static void lock_everything(Layer layer)
{
    gimp_item_set_lock_content(AS_ITEM(layer), TRUE);
    gimp_item_set_lock_position(AS_ITEM(layer), TRUE);
    gimp_layer_set_lock_alpha(layer, TRUE);
#if GIMP_MAJOR_VERSION >= 3
    gimp_item_set_lock_visibility(AS_ITEM(layer), TRUE);
#endif
}

/* The layer worked on, the group around it, or both are locked in every way; a selection is kept in a locked channel.
 */
static void locks(void)
{
    static const char *const what[] = {"the layer", "the group around it", "layer and group"};
    for (int which = 1; which <= 3; which++) {
        for (int a = 0; a <= SFU_ACTION_EDIT; a++) {
            const Image image = gimp_image_new(W, H, GIMP_RGB);
            const Layer group = group_new(image);
            gimp_image_insert_layer(image, group, PARENT, 0);
            const Layer work = check_add_layer(image, "work", W, H, 0, 0, TRUE);
            gimp_image_reorder_item(image, AS_ITEM(work), AS_ITEM(group), 0);
            gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 20, 10, 21, 15);
            gimp_item_set_lock_content(AS_ITEM(selection_save(image)), TRUE);
            if (which & 1)
                lock_everything(work);
            if (which & 2)
                lock_everything(group);
            char *before = check_sum(AS_DRAWABLE(work));
            const Outcome out = call_action(a, image, AS_DRAWABLE(work), values_of(a));
            char *after = check_sum(AS_DRAWABLE(work));
            CHECK(out.ok, "%s failed: %s", sfu_action_info(a)->name, out.error);
            CHECK(strcmp(before, after) == 0, "%s: the locked layer changed", sfu_action_info(a)->name);
            CHECK(!gimp_item_get_lock_content(AS_ITEM(work)) == !(which & 1) &&
                      !gimp_item_get_lock_content(AS_ITEM(group)) == !(which & 2),
                  "%s: locks came or went", sfu_action_info(a)->name);
            if (out.ok) {
                int x = 0, y = 0;
                drawable_offsets(out.layer, &x, &y);
                CHECK(a == SFU_ACTION_EXPAND || a == SFU_ACTION_GENERATE || (x == 20 && y == 10),
                      "%s: the result lies at %d, %d", sfu_action_info(a)->name, x, y);
            }
            g_free(before);
            g_free(after);
            gimp_image_delete(image);
        }
        char *name = g_strdup_printf("locked in every way: %s", what[which - 1]);
        check_end_case(name);
        g_free(name);
    }
}

/* ---- nothing to work on
 * ------------------------------------------------------------------------------------------------------ */

/* A picture, and an empty layer above it, which is active. */
static Image with_empty_layer(Layer *picture, Layer *empty)
{
    const Image image = gimp_image_new(W, H, GIMP_RGB);
    *picture = check_add_layer(image, "picture", W, H, 0, 0, FALSE);
    *empty = gimp_layer_new(image, "empty", W, H, GIMP_RGBA_IMAGE, 100, GIMP_LAYER_MODE_NORMAL);
    gimp_image_insert_layer(image, *empty, PARENT, 0);
    set_active(image, *empty);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 20, 10, 21, 15);
    return image;
}

static void empty_layers(void)
{
    static const SfuAction in_place[] = {SFU_ACTION_REMOVE, SFU_ACTION_FILL, SFU_ACTION_REFINE, SFU_ACTION_RESTYLE};
    Layer picture, empty;
    for (gsize i = 0; i < G_N_ELEMENTS(in_place); i++) {
        for (int masked = 0; masked < 2; masked++) { /* nothing in it, or all hidden by its mask */
            const Image image = with_empty_layer(&picture, &empty);
            if (masked) {
                gimp_layer_add_mask(picture, gimp_layer_create_mask(picture, GIMP_ADD_MASK_BLACK));
                check_add_layer(image, "other", W, H, 0, 0, FALSE);
                set_active(image, picture);
            }
            const Layer active = masked ? picture : empty;
            const Outcome out = call_action(in_place[i], image, AS_DRAWABLE(active), values_of(in_place[i]));
            CHECK(out.ok, "%s failed: %s", sfu_action_info(in_place[i])->name, out.error);
            float was[W * 4], is[W * 4];
            if (out.ok) {
                check_get_row(image, picture, 15, was);
                check_get_row(image, out.layer, 5, is);
                for (int x = 0; x < 21; x++) /* the stand-in inverts what it was given */
                    CHECK(fabs(is[4 * x + 3] - 1) < 0.01 && fabs(is[4 * x + 1] - (1 - was[4 * (x + 20) + 1])) < 0.01,
                          "%s: %g is not from %g", sfu_action_info(in_place[i])->name, is[4 * x + 1],
                          was[4 * (x + 20) + 1]);
                CHECK(item_position(image, out.layer) == 0, "%s: not on top", sfu_action_info(in_place[i])->name);
            }
            gimp_image_delete(image);
        }
    }
    check_end_case("an empty layer, or one that its mask hides, is active: what is visible is read");

    Image image = with_empty_layer(&picture, &empty);
    check_refusal("an empty layer is not enlarged", SFU_ACTION_ENLARGE, image, AS_DRAWABLE(empty),
                  "seed=77 options=scale=2", "Sample merged");
    gimp_image_remove_layer(image, picture);
    check_refusal("remove in an empty image", SFU_ACTION_REMOVE, image, AS_DRAWABLE(empty), "seed=77", "empty");
    check_refusal("refine in an empty image", SFU_ACTION_REFINE, image, AS_DRAWABLE(empty), "prompt=street seed=77",
                  "empty");
    check_refusal("expand an empty image", SFU_ACTION_EXPAND, image, AS_DRAWABLE(empty), "seed=77 left=5", "empty");
    check_refusal("fill in an empty image without a prompt", SFU_ACTION_FILL, image, AS_DRAWABLE(empty), "seed=77",
                  "empty");
    gimp_image_delete(image);

    image = with_empty_layer(&picture, &empty);
    gimp_selection_all(image);
    check_refusal("remove everything", SFU_ACTION_REMOVE, image, AS_DRAWABLE(picture), "seed=77", "Everything");
    check_refusal("fill everything without a prompt", SFU_ACTION_FILL, image, AS_DRAWABLE(picture), "seed=77",
                  "Everything");
    gimp_selection_none(image);
    check_refusal("fill without a selection, and nothing transparent", SFU_ACTION_FILL, image, AS_DRAWABLE(picture),
                  "prompt=street seed=77", "Select");
    gimp_image_delete(image);
}

/* The new canvas is filled, also where the layer does not reach. */
static void expand_small_layer(void)
{
    const Image image = gimp_image_new(100, 70, GIMP_RGB);
    const Layer work = check_add_layer(image, "work", 50, 40, 20, 10, FALSE);
    float row[132 * 4];
    const Outcome out =
        call_action(SFU_ACTION_EXPAND, image, AS_DRAWABLE(work), "left=0 right=32 top=0 bottom=0 seed=77");
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok) {
        CHECK(image_width(image) == 132 && drawable_width(out.layer) == 132 && drawable_height(out.layer) == 70,
              "layer of %d x %d", drawable_width(out.layer), drawable_height(out.layer));
        for (int y = 0; y < 70; y += 23) {
            check_get_row(image, out.layer, y, row);
            for (int x = 0; x < 132; x++)
                CHECK(row[4 * x + 3] > 0.99, "alpha %g at %d, %d", row[4 * x + 3], x, y);
        }
    }
    gimp_image_delete(image);
    check_end_case("expand with a layer smaller than the canvas fills all of the new canvas");
}

/* ---- an excluded area
 * ---------------------------------------------------------------------------------------------------- */

/* The last line of the stand-in's log has `words`. */
static gboolean log_says(const char *words)
{
    char *text = NULL;
    const char *log = g_getenv("SFU_STANDIN_LOG");
    if (!log || !g_file_get_contents(log, &text, NULL, NULL))
        return FALSE;
    g_strchomp(text);
    const char *last = strrchr(text, '\n');
    const gboolean yes = strstr(last ? last : text, words) != NULL;
    g_free(text);
    return yes;
}

static void excluded_area(void)
{
    const Image image = gimp_image_new(W, H, GIMP_RGB);
    const Layer work = check_add_layer(image, "work", W, H, 0, 0, FALSE);
    gimp_selection_none(image);
    CHECK(!sfu_host_selection_keep(IMAGE_ID(image), SFU_EXCLUDE_CHANNEL), "nothing was selected, but it was kept");
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 40, 5, 20, 30);
    for (int i = 0; i < 2; i++) /* a second one takes the first one's place */
        CHECK(sfu_host_selection_keep(IMAGE_ID(image), SFU_EXCLUDE_CHANNEL), "the selection was not kept");
    char **names = sfu_host_channels(IMAGE_ID(image));
    CHECK(g_strv_length(names) == 1 && strcmp(names[0], SFU_EXCLUDE_CHANNEL) == 0, "%u channels, the first is %s",
          g_strv_length(names), names[0] ? names[0] : "none");
    g_strfreev(names);
    CHECK(ID(active_layer(image)) == ID(work), "the layer is no longer the active one");
    GeglBuffer *area = sfu_host_read_channel(IMAGE_ID(image), SFU_EXCLUDE_CHANNEL);
    float in = 0, out = 1;
    gegl_buffer_get(area, GEGL_RECTANGLE(45, 10, 1, 1), 1, babl_format("Y float"), &in, GEGL_AUTO_ROWSTRIDE,
                    GEGL_ABYSS_NONE);
    gegl_buffer_get(area, GEGL_RECTANGLE(30, 10, 1, 1), 1, babl_format("Y float"), &out, GEGL_AUTO_ROWSTRIDE,
                    GEGL_ABYSS_NONE);
    CHECK(in == 1 && out == 0, "the kept area reads as %g inside and %g outside", in, out);
    g_object_unref(area);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 5, 5, 20, 20);
    Outcome done = call_action(SFU_ACTION_REMOVE, image, AS_DRAWABLE(work), "seed=77");
    char *size = g_strdup_printf(" exclude 0 0 %d %d ", W, H);
    CHECK(done.ok && log_says(size), "the kept area did not reach the engine: %s", done.error ? done.error : "");
    done = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "prompt=street seed=77 options=exclude=-");
    CHECK(done.ok && log_says(" exclude 0 0 0 0 "), "an area was excluded against the will");
    g_free(size);
    check_end_case("the selection is kept as an excluded area, which Remove and Fill heed");
    check_refusal("a channel that is not there", SFU_ACTION_FILL, image, AS_DRAWABLE(work),
                  "prompt=street seed=77 options=exclude=nowhere", "nowhere");
    gimp_image_delete(image);
}

/* ---- tools that make or mend whole pictures
 * ----------------------------------------------------------------------------- */

static void textures(void)
{
    const Image image = gimp_image_new(W, H, GIMP_RGB);
    const Layer work = check_add_layer(image, "work", W, H, 0, 0, FALSE);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 20, 10, 21, 15);
    Outcome out = call_action(SFU_ACTION_SEAMLESS, image, AS_DRAWABLE(work), "prompt=moss seed=77");
    CHECK(out.ok && IMAGE_ID(out.image) != IMAGE_ID(image), "no image of its own: %s", out.error ? out.error : "");
    if (out.ok) {
        CHECK(drawable_width(out.layer) == 256 && drawable_height(out.layer) == 256, "cut to %d x %d",
              drawable_width(out.layer), drawable_height(out.layer)); /* a selection would break it */
        gimp_image_delete(out.image);
    }
    out = call_action(SFU_ACTION_SEAMLESS, image, AS_DRAWABLE(work), "prompt=moss seed=77 new_image=0");
    CHECK(out.ok && IMAGE_ID(out.image) == IMAGE_ID(image) && drawable_width(out.layer) == 256, "not a layer: %s",
          out.error ? out.error : "");
    gimp_image_delete(image);
    check_end_case("a seamless texture is a whole picture, whatever is selected");
}

static void restoring(void)
{
    const Image image = gimp_image_new(W, H, GIMP_RGB);
    const Layer work = check_add_layer(image, "work", W, H, 0, 0, FALSE);
    for (int part = 0; part < 2; part++) {
        if (part)
            gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 20, 10, 21, 15);
        const Outcome out = call_action(SFU_ACTION_RESTORE, image, AS_DRAWABLE(work), "sample_merged=0");
        CHECK(out.ok && IMAGE_ID(out.image) == IMAGE_ID(image), "failed: %s", out.error ? out.error : "");
        if (!out.ok)
            break;
        int x = 0, y = 0;
        float was[W * 4], is[W * 4];
        drawable_offsets(out.layer, &x, &y);
        CHECK(x == (part ? 20 : 0) && y == (part ? 10 : 0) && drawable_width(out.layer) == (part ? 21 : W) &&
                  drawable_height(out.layer) == (part ? 15 : H),
              "%d x %d at %d, %d", drawable_width(out.layer), drawable_height(out.layer), x, y);
        check_get_row(image, work, y + 5, was);
        check_get_row(image, out.layer, 5, is);
        for (int i = 0; i < drawable_width(out.layer); i++) /* the stand-in's network gives back what it is given */
            CHECK(fabs(is[4 * i + 1] - was[4 * (x + i) + 1]) < 0.01 && is[4 * i + 3] > 0.99, "%g is not %g",
                  is[4 * i + 1], was[4 * (x + i) + 1]);
    }
    gimp_image_delete(image);
    check_end_case("restoring keeps size and place, of the layer and of the selection");
}

/* ---- other states
 * -------------------------------------------------------------------------------------------------------------- */

static void hidden_and_masks(void)
{
    Layer picture, empty;
    Image image = with_empty_layer(&picture, &empty);
    item_set_visible(picture, FALSE);
    check_refusal("a hidden layer", SFU_ACTION_REMOVE, image, AS_DRAWABLE(picture), "seed=77", "hidden");
    item_set_visible(picture, TRUE);
    const Layer group = group_new(image);
    gimp_image_insert_layer(image, group, PARENT, 0);
    gimp_image_reorder_item(image, AS_ITEM(picture), AS_ITEM(group), 0);
    item_set_visible(group, FALSE);
    check_refusal("a layer in a hidden group", SFU_ACTION_REMOVE, image, AS_DRAWABLE(picture), "seed=77", "hidden");
    item_set_visible(group, TRUE);
    const Drawable channel = selection_save(image);
    item_rename(channel, "Qmask");
    check_refusal("quick mask is on", SFU_ACTION_REMOVE, image, AS_DRAWABLE(picture), "seed=77", "Quick Mask");
    check_refusal("quick mask is on, and active", SFU_ACTION_REFINE, image, channel, "prompt=street seed=77",
                  "Quick Mask");
    gimp_image_delete(image);

    image = with_empty_layer(&picture, &empty);
    edit_copy_paste(picture);
    for (int a = 0; a <= SFU_ACTION_EDIT; a++) {
        char *name = g_strdup_printf("%s: a floating selection", sfu_action_info(a)->name);
        check_refusal(name, a, image, AS_DRAWABLE(picture), values_of(a), "floating");
        g_free(name);
    }
    gimp_image_delete(image);
}

/* Layers of one pixel, and one beside the canvas. */
static void small_layers(void)
{
    const Image image = gimp_image_new(W, H, GIMP_RGB);
    check_add_layer(image, "below", W, H, 0, 0, FALSE);
    const Layer dot = check_add_layer(image, "dot", 1, 1, 25, 15, FALSE),
                beside = check_add_layer(image, "beside", 20, 20, -40, 60, FALSE);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 20, 10, 21, 15);
    check_refusal("remove on a layer of one pixel", SFU_ACTION_REMOVE, image, AS_DRAWABLE(dot), "seed=77",
                  "Everything");
    Outcome out = call_action(SFU_ACTION_REFINE, image, AS_DRAWABLE(dot), values_of(SFU_ACTION_REFINE));
    int x = 0, y = 0;
    CHECK(out.ok, "failed: %s", out.error);
    if (out.ok)
        drawable_offsets(out.layer, &x, &y);
    CHECK(!out.ok || (x == 25 && y == 15 && drawable_width(out.layer) == 1), "%d wide at %d, %d",
          drawable_width(out.layer), x, y);
    check_end_case("refine a layer of one pixel");
    check_refusal("the selection lies outside of a layer beside the canvas", SFU_ACTION_REMOVE, image,
                  AS_DRAWABLE(beside), "seed=77", "outside");
    gimp_selection_none(image);
    out = call_action(SFU_ACTION_REFINE, image, AS_DRAWABLE(beside), values_of(SFU_ACTION_REFINE));
    if (out.ok)
        drawable_offsets(out.layer, &x, &y);
    CHECK(out.ok && x == -40 && y == 60, "at %d, %d: %s", x, y, out.error);
    check_end_case("refine a layer beside the canvas: the result lies on it");
    gimp_image_delete(image);
}

static void extreme_sizes(void)
{
    Image image = gimp_image_new(1, 1, GIMP_RGB);
    Layer work = check_add_layer(image, "work", 1, 1, 0, 0, FALSE);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 0, 0, 1, 1);
    check_refusal("remove in an image of one pixel", SFU_ACTION_REMOVE, image, AS_DRAWABLE(work), "seed=77",
                  "Everything");
    for (int a = 0; a <= SFU_ACTION_EDIT; a++) {
        const Outcome out =
            a == SFU_ACTION_REMOVE ? (Outcome){.ok = TRUE} : call_action(a, image, AS_DRAWABLE(work), values_of(a));
        CHECK(out.ok, "%s failed: %s", sfu_action_info(a)->name, out.error);
        if (a == SFU_ACTION_EXPAND) { /* has made it larger */
            gimp_image_delete(image);
            image = gimp_image_new(1, 1, GIMP_RGB);
            work = check_add_layer(image, "work", 1, 1, 0, 0, FALSE);
        }
    }
    gimp_image_delete(image);
    check_end_case("an image of one pixel");
    small_layers();

    image = gimp_image_new(30000, 9, GIMP_RGB);
    work = check_add_layer(image, "work", 30000, 9, 0, 0, FALSE);
    gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 29970, 2, 20, 5);
    for (int a = 0; a <= SFU_ACTION_EDIT; a++) {
        const Outcome out = call_action(a, image, AS_DRAWABLE(work), values_of(a));
        int x = 0, y = 0;
        CHECK(out.ok, "%s failed: %s", sfu_action_info(a)->name, out.error);
        if (out.ok)
            drawable_offsets(out.layer, &x, &y);
        CHECK(!out.ok || a == SFU_ACTION_EXPAND || x == 29970 + (a > SFU_ACTION_EXPAND ? 7 : 0),
              "%s: the result lies at %d", sfu_action_info(a)->name, x);
        if (a == SFU_ACTION_EXPAND)
            CHECK(image_width(image) == 30016, "the canvas is %d wide", image_width(image));
        gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 29970 + (a >= SFU_ACTION_EXPAND ? 7 : 0), 2, 20, 5);
    }
    check_end_case("an image 30,000 pixels wide");
    gimp_image_delete(image);
    image = gimp_image_new(40000, 2, GIMP_RGB);
    work = check_add_layer(image, "work", 40000, 2, 0, 0, FALSE);
    check_refusal("a result larger than GIMP allows", SFU_ACTION_ENLARGE, image, AS_DRAWABLE(work), "scale=16 seed=77",
                  "524288");
    check_refusal("a whole image larger than GIMP allows", SFU_ACTION_ENLARGE, image, AS_DRAWABLE(work),
                  "scale=16 seed=77 whole_image=1", "524288");
    const Outcome wide = call_action(SFU_ACTION_ENLARGE, image, AS_DRAWABLE(work), "scale=13 seed=77");
    CHECK(wide.ok && image_width(wide.image) == 520000, "520,000 pixels wide: %s", wide.error);
    check_end_case("a result just as large as GIMP allows");
    gimp_image_delete(image);
}

#if GIMP_MAJOR_VERSION >= 3
/* A layer with a filter: its raw colours never show, so they must not come into a patch. */
static void filters(void)
{
    for (int grouped = 0; grouped < 2; grouped++) {
        const Image image = gimp_image_new(W, H, GIMP_RGB);
        Layer work = check_add_layer(image, "work", W, H, 0, 0, FALSE);
        if (grouped) {
            const Layer group = group_new(image);
            gimp_image_insert_layer(image, group, PARENT, 0);
            gimp_image_reorder_item(image, AS_ITEM(work), AS_ITEM(group), 0);
            work = group;
        }
        gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 20, 10, 21, 15);
        GimpDrawableFilter *filter = gimp_drawable_filter_new(GIMP_DRAWABLE(work), "gegl:invert-gamma", "invert");
        gimp_drawable_append_filter(GIMP_DRAWABLE(work), filter);
        const Layer shown = gimp_layer_new_from_visible(image, image, "shown");
        float was[W * 4], is[W * 4];
        if (!grouped) {
            check_get_row(image, work, 15, is);
            check_get_row(image, shown, 15, was);
            CHECK(fabs(is[4 * 20 + 1] - was[4 * 20 + 1]) > 0.02, "the filter does nothing: %g", is[4 * 20 + 1]);
        }
        check_get_row(image, shown, 15, was);
        item_delete(shown);
        char *before = check_sum(AS_DRAWABLE(work));
        const Outcome out = call_action(SFU_ACTION_REMOVE, image, AS_DRAWABLE(work), "seed=77");
        char *after = check_sum(AS_DRAWABLE(work));
        CHECK(out.ok, "failed: %s", out.error);
        CHECK(strcmp(before, after) == 0, "the layer changed");
        GimpDrawableFilter **list = gimp_drawable_get_filters(GIMP_DRAWABLE(work));
        CHECK(list && list[0], "the filter is gone");
        g_free(list);
        if (out.ok) {
            check_get_row(image, out.layer, 5, is);
            for (int x = 0; x < 21; x++)
                CHECK(fabs(is[4 * x + 1] - (1 - was[4 * (x + 20) + 1])) < 0.01, "%g is not from %g", is[4 * x + 1],
                      was[4 * (x + 20) + 1]);
        }
        g_free(before);
        g_free(after);
        gimp_image_delete(image);
        check_end_case(grouped ? "a group with a filter is read as it looks"
                               : "a layer with a filter is read as it looks");
    }
}

/* Taking the first of several layers would be a guess. */
static void several_layers(void)
{
    const Image image = gimp_image_new(W, H, GIMP_RGB);
    GimpDrawable *both[3] = {AS_DRAWABLE(check_add_layer(image, "one", W, H, 0, 0, FALSE)),
                             AS_DRAWABLE(check_add_layer(image, "two", W, H, 0, 0, FALSE)), NULL};
    for (int a = 0; a <= SFU_ACTION_EDIT; a++) {
        if (!sfu_action_info(a)->needs_image)
            continue;
        GimpProcedure *p = gimp_pdb_lookup_procedure(gimp_get_pdb(), sfu_action_info(a)->procedure);
        GimpProcedureConfig *config = gimp_procedure_create_config(p);
        g_object_set(config, "run-mode", GIMP_RUN_NONINTERACTIVE, "image", image, NULL);
        gimp_procedure_config_set_core_object_array(config, "drawables", (GObject **)both, 2);
        GimpValueArray *r = gimp_procedure_run_config(p, config);
        const char *sentence = gimp_pdb_get_last_error(gimp_get_pdb());
        CHECK(GIMP_VALUES_GET_ENUM(r, 0) != GIMP_PDB_SUCCESS && sentence && strstr(sentence, "Several layers"),
              "%s: %s", sfu_action_info(a)->name, sentence);
        gimp_value_array_unref(r);
        g_object_unref(config);
    }
    CHECK(n_layers(image) == 2, "a layer was added");
    gimp_image_delete(image);
    check_end_case("several layers selected: a sentence");
}
#endif

void check_states(void)
{
    locks();
    empty_layers();
    excluded_area();
    textures();
    restoring();
    expand_small_layer();
    hidden_and_masks();
    extreme_sizes();
#if GIMP_MAJOR_VERSION >= 3
    filters();
    several_layers();
#endif
}
