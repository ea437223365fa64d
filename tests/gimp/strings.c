/* Prints what dialogs translate from the table of parameters, as a .pot, one message after the other. ui/po/update and
 * the test of the catalogues use it.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "sfumato.h"

static void print(GHashTable *seen, const char *text)
{
    if (!text || !*text || !g_hash_table_add(seen, (gpointer)text))
        return;
    char *escaped = g_strescape(text, "\303\244\302\240");
    printf("\nmsgid \"%s\"\nmsgstr \"\"\n", escaped);
    g_free(escaped);
}

int main(void)
{
    int n = 0;
    const SfuParamSpec *table = sfu_param_table(&n);
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    printf("msgid \"\"\nmsgstr \"\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n");
    for (int i = 0; i < n; i++) {
        print(seen, table[i].label);
        print(seen, table[i].help);
        print(seen, table[i].unit);
        /* Samplers, schedules and noise sources are names, not words. */
        const gboolean names = !strcmp(table[i].name, "sampler") || !strcmp(table[i].name, "schedule") ||
                               !strcmp(table[i].name, "rng") || !strcmp(table[i].name, "preview_with");
        for (int k = 0; !names && table[i].choices && table[i].choices[k]; k++)
            print(seen, table[i].choices[k]);
    }
    g_hash_table_destroy(seen);
    return 0;
}
