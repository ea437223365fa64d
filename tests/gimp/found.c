/* Says what the plug-in finds with no folder set: a line "model PATH" for each model that can be used, "first TASK
 * PATH" for what Fill and Generate would use, and "adapter PATH". found.py gives it a home folder.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "models.h"

int main(void)
{
    static const SfuAction actions[] = {SFU_ACTION_REMOVE, SFU_ACTION_GENERATE};
    SfuSettings *settings = sfu_settings_load("/dev/null/none");
    GPtrArray *models = sfu_models_wait(settings);
    for (guint i = 0; i < models->len; i++) {
        const SfuModelInfo *m = models->pdata[i];
        if (!m->error && m->tasks)
            printf("model %s\n", m->path);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        SfuRequest *r = sfu_request_new(actions[i]);
        char **to_try = sfu_models_to_try(settings, models, r);
        printf("first %s %s\n", sfu_action_info(actions[i])->name, to_try[0]);
        g_strfreev(to_try);
        sfu_request_free(r);
    }
    char **adapters = sfu_models_adapters(settings);
    for (int i = 0; adapters[i]; i++)
        printf("adapter %s\n", adapters[i]);
    g_strfreev(adapters);
    g_ptr_array_unref(models);
    sfu_settings_free(settings);
    return 0;
}
