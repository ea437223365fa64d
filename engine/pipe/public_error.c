/* Errors of the layers below under the public domain.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

gboolean sfu_error_convert(GError **dest, GError *e)
{
    if (!e)
        return FALSE;
    SfuError code = SFU_ERROR_FAILED;
    if (e->domain == SFU_ERROR) {
        code = e->code;
    } else if (e->domain == SFU_RUNTIME_ERROR) {
        code = e->code == SFU_RUNTIME_ERROR_MEMORY      ? SFU_ERROR_MEMORY
               : e->code == SFU_RUNTIME_ERROR_CANCELLED ? SFU_ERROR_CANCELLED
               : e->code == SFU_RUNTIME_ERROR_NO_LOADER || e->code == SFU_RUNTIME_ERROR_NO_DEVICE ||
                       e->code == SFU_RUNTIME_ERROR_LOST
                   ? SFU_ERROR_DEVICE
                   : SFU_ERROR_FAILED;
    } else if (e->domain == SFU_MODEL_ERROR || e->domain == SFU_FILE_ERROR) {
        code = SFU_ERROR_MODEL;
    } else if (e->domain == SFU_TEXT_ERROR) {
        code = SFU_ERROR_USAGE;
    } else if (e->domain == SFU_SAMPLE_ERROR) {
        code = e->code == SFU_SAMPLE_ERROR_OPTIONS ? SFU_ERROR_USAGE : SFU_ERROR_FAILED;
    }
    if (dest)
        *dest = g_error_new_literal(SFU_ERROR, code, e->message);
    g_error_free(e);
    return FALSE;
}
