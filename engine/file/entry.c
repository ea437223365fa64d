/* What every format's parser makes: tensors and metadata.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/file.h"

static void value_free(gpointer v)
{
    g_free(((SfuFileValue *)v)->text);
    g_free(v);
}

GHashTable *sfu_file_metadata_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, value_free);
}

gsize sfu_file_tensor_bytes(const SfuFileTensor *t)
{
    return sfu_dtype_size(t->dtype, t->n_elements);
}
