/* The dialogs, as the plug-ins see them. They run their own main loop and return when closed.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_UI_H
#define SFU_UI_H

#include "session.h"

G_BEGIN_DECLS

/* The dialog of an action. It starts with the values of r, which receives those of the last run, and adds layers
 * when the user asks for it. TRUE: at least one was added; *made is the last one. FALSE without error: closed without
 * adding. */
gboolean sfu_ui_run(SfuRequest *r, int image, int drawable, SfuSettings *settings, SfuMade *made, GError **error);
/* Models and settings. TRUE: saved. */
gboolean sfu_ui_settings(SfuSettings *settings);
/* For an indexed image: asks whether it may become RGB. FALSE: no. TRUE for all other images. */
gboolean sfu_ui_offer_conversion(int image);

G_END_DECLS
#endif
