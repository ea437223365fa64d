/* Enlarging by a network.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

gboolean sfu_pipe_network(SfuRun *r, SfuLoaded *m, GPtrArray *results, GError **error)
{
    g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "This build cannot enlarge by a network yet.");
    return FALSE;
}
