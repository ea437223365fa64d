/* Settings, last values and prompt history: one key file in GIMP's configuration folder, sfumato.ini. Two GIMPs at once
 * do no harm: it is read anew and written under a lock (sfumato.ini.lock), renamed into its place, and keeps what the
 * other has written.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_SETTINGS_H
#define SFU_SETTINGS_H

#include "request.h"

G_BEGIN_DECLS

typedef struct SfuSettings SfuSettings;

SfuSettings *sfu_settings_load(
    const char *folder); /* a missing or torn file gives the defaults; caller frees with sfu_settings_free() */
void sfu_settings_free(SfuSettings *s);

char **sfu_settings_folders(const SfuSettings *s); /* extra model folders; caller frees with g_strfreev() */
void sfu_settings_set_folders(SfuSettings *s, const char *const *folders);
char *sfu_settings_get(const SfuSettings *s,
                       const char *key); /* "device", "precision", "model-fill" ...; caller frees; NULL: not set */
void sfu_settings_set(SfuSettings *s, const char *key,
                      const char *value);                /* NULL or "": forgets it. Kept at the next save */
guint64 sfu_settings_memory_bytes(const SfuSettings *s); /* 0: automatic */
gboolean sfu_settings_save(SfuSettings *s, GError **error);

SfuEngineOptions sfu_settings_engine(SfuSettings *s); /* strings borrowed until the next call */

/* Stores the values as the last ones, the prompt in the history, and how long the model took (NULL: not known); saves.
 * Failing to save loses only that. */
void sfu_settings_remember(SfuSettings *s, const SfuRequest *r, const char *model, double seconds);
double sfu_settings_seconds(const SfuSettings *s, SfuAction action,
                            const char *model);                        /* what it took the last time; 0: not known */
const char *sfu_settings_last_action(const SfuSettings *s);            /* borrowed until the next call; NULL */
SfuRequest *sfu_settings_last(const SfuSettings *s, SfuAction action); /* NULL: none; caller frees */
char **sfu_settings_history(const SfuSettings *s,
                            const char *which); /* "prompt", "negative": newest first; caller frees */

G_END_DECLS
#endif
