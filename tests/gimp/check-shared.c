/* Tests of what two GIMPs with one folder share.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"
#include "settings.h"

/* Two GIMPs keep one file of settings. Each remembers prompts of its own (told apart by `who`) and runs with the last
 * values, which may be the other's: none is lost, and no run meets a file without any. */
void check_shared_settings(const char *who)
{
    enum { N = 12 };
    const Image image = scene_new(U8, GIMP_RGB);
    const Layer work = active_layer(image);
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    sfu_request_set(r, "seed", "77", NULL);
    for (int i = 0; i < N; i++) {
        SfuSettings *s = sfu_settings_load(gimp_directory());
        char *prompt = g_strdup_printf("shared %d of %s", i, who);
        sfu_request_set(r, "prompt", prompt, NULL);
        sfu_settings_remember(s, r, NULL, 0);
        const Outcome out = call_action(SFU_ACTION_FILL, image, AS_DRAWABLE(work), "run_mode=2"); /* with last values */
        CHECK(out.ok, "failed: %s", out.error);
        char *name = out.ok ? item_name(out.layer) : NULL;
        CHECK(!name || GIMP_KEEPS_LAST_VALUES || g_str_has_prefix(name, "Fill: shared "),
              "not with the last values: %s", name);
        g_free(name);
        g_free(out.error);
        g_free(prompt);
        sfu_settings_free(s);
    }
    SfuSettings *s = sfu_settings_load(gimp_directory());
    char **history = sfu_settings_history(s, "prompt");
    for (int i = 0; i < N; i++) {
        char *prompt = g_strdup_printf("shared %d of %s", i, who);
        CHECK(g_strv_contains((const char *const *)history, prompt), "the history has lost \"%s\"", prompt);
        g_free(prompt);
    }
    g_strfreev(history);
    sfu_settings_free(s);
    sfu_request_free(r);
    gimp_image_delete(image);
    check_end_case("settings and history shared by two GIMPs: nothing lost, last values always there");
}
