/* The manual, which the Help buttons open.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_MANUAL_H
#define SFU_MANUAL_H

#include <glib.h>

G_BEGIN_DECLS

/* The file of a page ("fill", "settings"): in doc/ beside the program, or where the manual is installed. Caller
 * frees with g_free; NULL: no manual is installed. */
char *sfu_manual_find(const char *page);
/* Shows a page in the user's browser, or tells the user why it cannot. */
void sfu_manual_show(const char *page);

G_END_DECLS
#endif
