/* Enlarging.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

static gboolean not_yet(GError **error)
{
    g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "This build cannot enlarge yet.");
    return FALSE;
}

gboolean sfu_pipe_x4(SfuSession *s, GPtrArray *results, GError **error)
{
    return not_yet(error);
}

gboolean sfu_pipe_detail(SfuSession *s, GPtrArray *results, GError **error)
{
    return not_yet(error);
}

gboolean sfu_pipe_network(SfuRun *r, SfuLoaded *m, GPtrArray *results, GError **error)
{
    return not_yet(error);
}
