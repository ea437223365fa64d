/* What is refused, what fails, and what is done a hundred times.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

void check_refusals(void)
{
    Layer work, other_layer;
    Image image = check_new_image(&check_plain, &work), other = check_new_image(&check_plain, &other_layer);
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

    image = check_new_image(&check_plain, &work);
    gimp_image_convert_indexed(image, GIMP_CONVERT_DITHER_NONE, GIMP_CONVERT_PALETTE_GENERATE, 16, FALSE, FALSE, "");
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        char *name = g_strdup_printf("%s: an indexed image is refused, never quantised", sfu_action_info(a)->name);
        check_refusal(name, a, image, AS_DRAWABLE(work), check_values_of(a), "indexed");
        g_free(name);
    }
    gimp_image_delete(image);
}

/* SFU_STANDIN_FAIL reaches the plug-in through GIMP's environment, so these run in a GIMP of their own. */
void check_failures(const char *which)
{
    Layer work;
    const Image image = check_new_image(&check_plain, &work);
    const char *word = strcmp(which, "device") == 0   ? "OpenCL"
                       : strcmp(which, "memory") == 0 ? "bytes"
                       : strcmp(which, "model") == 0  ? "model"
                                                      : "";
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        char *name =
            g_strdup_printf("%s with %s failing: a sentence, and nothing changed", sfu_action_info(a)->name, which);
        if (*word) {
            check_refusal(name, a, image, AS_DRAWABLE(work), check_values_of(a), word);
        } else { /* killed in the middle: GIMP has no words for it */
            Snapshot before = check_snapshot(image, &work, 1);
            const Outcome out = call_action(a, image, AS_DRAWABLE(work), check_values_of(a));
            CHECK(!out.ok, "it was done all the same");
            CHECK(n_layers(image) == 3, "the number of layers changed");
            check_kept(image, &before, TRUE);
            check_snapshot_free(&before);
            g_free(out.error);
            check_end_case(name);
        }
        g_free(name);
    }
    gimp_image_delete(image);
    scene_whole_image_fails(word);
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

void check_hundred_in_a_row(void)
{
    Layer work;
    Setup s = check_plain;
    s.w = s.layer_w = 512, s.h = s.layer_h = 384, s.selection = NO_SELECTION;
    const Image image = check_new_image(&s, &work);
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
