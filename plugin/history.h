/* What was made with an image: the parameters of the last 50 results, kept with the image.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PLUGIN_HISTORY_H
#define SFU_PLUGIN_HISTORY_H

#include "request.h"

G_BEGIN_DECLS

/* Notes a result's request, as sfu_request_to_json() writes it. added: it went into the image, so that the history goes
 * into the image's file and belongs to the same undo step; else it lasts until the image is closed. Nothing happens for
 * an image that is gone. */
void sfu_history_note(int image, const char *json, gboolean added);
/* SfuRequest*, the newest first; unreadable ones are left out. Caller frees with g_ptr_array_unref(). */
GPtrArray *sfu_history_read(int image);

G_END_DECLS
#endif
