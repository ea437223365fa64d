/* The guarded reader of JSON, for all who see the public header only.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <glib/gi18n-lib.h>

#include "file/json.h"
#include "sfumato.h"

#define MAX_BYTES (1 << 20)

JsonNode *sfu_json_read(const char *text, const char *source, GError **error)
{
    GError *e = NULL;
    JsonNode *node = sfu_json_parse(text, strlen(text), MAX_BYTES, source, &e);
    if (!node) {
        g_set_error_literal(error, SFU_ERROR, SFU_ERROR_USAGE, e->message);
        g_error_free(e);
    }
    if (node && !sfu_json_is_exact(text, strlen(text))) {
        g_clear_pointer(&node, json_node_unref);
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    _("%s: a whole number of more than 64 bits or a text with a zero in it"), source);
    }
    return node;
}
