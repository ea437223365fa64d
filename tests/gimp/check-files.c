/* XCF files that somebody else has made: what they say of a layer is not to be trusted.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <stdio.h>

/* The text that lies in the layer's parasite goes through an XCF; Repeat must refuse it with a sentence that has
 * `word`, and the next call must work: json-glib recurses, and a crash would end the plug-in. */
static void repeat_refuses(const char *folder, const char *text, gsize n, const char *word)
{
    char *path = g_build_filename(folder, "crafted.xcf", NULL);
    Image image = gimp_image_new(61, 47, GIMP_RGB);
    Layer layer = check_add_layer(image, "photo", 61, 47, 0, 0, FALSE);
    GimpParasite *p = gimp_parasite_new("sfumato", GIMP_PARASITE_PERSISTENT, (guint32)n, text);
    item_attach_parasite(layer, p);
    gimp_parasite_free(p);
    CHECK(image_save(image, path), "%s cannot be saved", path);
    gimp_image_delete(image);
    image = image_load(path);
    layer = active_layer(image);
    p = item_parasite(layer, "sfumato");
    CHECK(p, "the parasite is not in the file");
    if (p)
        gimp_parasite_free(p);
    Outcome out = call_action(SFU_N_ACTIONS, image, AS_DRAWABLE(layer), "");
    CHECK(!out.ok && out.error && strstr(out.error, word), "\"%.20s...\": %s", text,
          out.error ? out.error : "repeated without an error");
    g_free(out.error);
    out = call_action(SFU_ACTION_REFINE, image, AS_DRAWABLE(layer), "seed=77 steps=2");
    CHECK(out.ok, "the next call: %s", out.error);
    g_free(out.error);
    gimp_image_delete(image);
    remove(path);
    g_free(path);
}

void check_crafted_files(const char *folder)
{
    enum { DEEP = 200000 };
    char *deep = g_strnfill(DEEP, '[');
    repeat_refuses(folder, deep, DEEP, "cannot be read");
    char *inside = g_strdup_printf("{\"action\": \"fill\", \"params\": {\"seed\": %.*s", DEEP / 2, deep);
    repeat_refuses(folder, inside, strlen(inside), "cannot be read");
    g_free(inside);
    g_free(deep);
    const char *const others[] = {"", "{}", "{\"action\": \"fill\", \"params\": 3}", "\xff\xfe not UTF-8",
                                  "{\"action\": \"nothing\", \"params\": {}}"};
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        repeat_refuses(folder, others[i], strlen(others[i]) + 1, "cannot be read");
    check_end_case("XCF files with crafted parameters: Repeat refuses them, and the plug-in lives");
}
