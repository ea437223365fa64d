/* What GIMP's status bar says while an action runs without a dialog: which model, and about how long. Caught on its way
 * to the bar, as GIMP passes it on to a plug-in that has another plug-in work; a GIMP without windows does not.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include "settings.h"

static GString *said; /* a line for each text */

static void begin(const gchar *text, gboolean cancelable, gpointer data)
{
    g_string_append_printf(said, "%s\n", text);
}

static void set_text(const gchar *text, gpointer data)
{
    g_string_append_printf(said, "%s\n", text);
}

static void end(gpointer data)
{
}

static void set_value(gdouble share, gpointer data)
{
}

/* The lines that a run of Remove shows. Caller frees; NULL: this GIMP (3.0 and 3.2 do so) refuses to pass them on. */
static char *lines_of_remove(Image image, Layer work)
{
    GimpProgressVtable calls = {.start = begin, .end = end, .set_text = set_text, .set_value = set_value};
    said = g_string_new(NULL);
#if GIMP_MAJOR_VERSION >= 3
    const gchar *name = gimp_progress_install_vtable(&calls, NULL, NULL);
#else
    const gchar *name = gimp_progress_install_vtable(&calls, NULL);
#endif
    if (!name) {
        g_string_free(said, TRUE);
        return NULL;
    }
    const Outcome out = call_action(SFU_ACTION_REMOVE, image, AS_DRAWABLE(work), "seed=77");
    CHECK(out.ok, "failed: %s", out.error);
    g_free(out.error);
    gimp_progress_uninstall(name);
    return g_string_free(said, FALSE);
}

void check_status_bar(void)
{
    static const char *const wanted[] = {"Remove Object (Sfumato mini)\n",
                                         "Denoising 1 of 8, 1 s left (Sfumato mini)\n",
                                         "Denoising 8 of 8 (Sfumato mini)\n"};
    Layer work;
    const Image image = check_new_image(&check_plain, &work);
    char *lines = lines_of_remove(image, work);
    if (!lines) {
        gimp_image_delete(image);
        check_end_case("what the status bar says # SKIP this GIMP does not pass it on to plug-ins");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
        CHECK(strstr(lines, wanted[i]), "the status bar does not say \"%s\" but:\n%s", wanted[i], lines);
    check_end_case("the status bar names the model and says how long");
    g_free(lines);

    SfuSettings *settings = sfu_settings_load(gimp_directory());
    SfuRequest *r = sfu_request_new(SFU_ACTION_REMOVE);
    sfu_settings_remember(settings, r, "/models/sfumato-mini.safetensors", 7);
    lines = lines_of_remove(image, work);
    CHECK(strstr(lines, "Remove Object (Sfumato mini), about 7 s\n"), "the status bar says\n%s", lines);
    check_end_case("the status bar says at once how long it took the last time");
    g_free(lines);
    sfu_request_free(r);
    sfu_settings_free(settings);
    gimp_image_delete(image);
}
