/* Layers that networks look at, named by a script.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

void check_control_layers(const char *log)
{
    const Image image = gimp_image_new(61, 47, GIMP_RGB);
    const Layer photo = check_add_layer(image, "photo", 61, 47, 0, 0, FALSE),
                sketch = check_add_layer(image, "sketch", 20, 10, 20, 18, FALSE);
    item_set_visible(sketch, FALSE); /* a drawing is often hidden once it has served */
    GeglBuffer *b = drawable_buffer(sketch);
    GeglColor *black = gegl_color_new("black");
    gegl_buffer_set_color(b, NULL, black);
    g_object_unref(black);
    g_object_unref(b);
    static const SfuAction actions[] = {SFU_ACTION_FILL, SFU_ACTION_REFINE, SFU_ACTION_GENERATE, SFU_ACTION_RESTYLE,
                                        SFU_ACTION_EDIT};
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        const SfuAction a = actions[i];
        char *text = NULL;
        if (a == SFU_ACTION_FILL)
            gimp_image_select_rectangle(image, GIMP_CHANNEL_OP_REPLACE, 5, 5, 30, 20);
        else
            gimp_selection_none(image);
        const Outcome out =
            call_action(a, image, AS_DRAWABLE(photo), "seed=77 steps=2 control=net=sketch,weight=0.5,prepare=scribble");
        CHECK(out.ok && g_file_get_contents(log, &text, NULL, NULL), "%s: %s", sfu_action_info(a)->name, out.error);
        const char *last = text ? g_strrstr(text, " control ") : NULL;
        CHECK(last && g_str_has_prefix(last, " control [net=sketch,weight=0.5,prepare=scribble] 0 0 61 47 corner 1.00 "
                                             "middle 0.00"),
              "%s: the engine got%s", sfu_action_info(a)->name, last ? last : " no network");
        if (out.ok && a == SFU_ACTION_GENERATE) { /* lies on what it was steered by */
            int x, y;
            drawable_offsets(out.layer, &x, &y);
            CHECK(x == 0 && y == 0 && drawable_width(out.layer) == 61 && drawable_height(out.layer) == 47,
                  "%d x %d at %d, %d", drawable_width(out.layer), drawable_height(out.layer), x, y);
        }
        g_free(text);
        g_free(out.error);
    }
    check_end_case("a hidden layer steers each action that paints, in its place on the canvas");
    check_refusal("a control layer that the image does not have is named", SFU_ACTION_REFINE, image, AS_DRAWABLE(photo),
                  "seed=77 control=net=gone", "gone");
    gimp_image_delete(image);
}
