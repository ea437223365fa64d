/* What retype.c and the writers of headers share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FILE_RETYPE_H
#define SFU_FILE_RETYPE_H

#include "file/file.h"

/* A tensor of the output file. */
typedef struct {
    char *name;
    SfuDtype dtype;
    int n_dims;
    gint64 dims[8]; /* PyTorch's order */
    gint64 n_elements;
    const SfuFileTensor *from; /* borrowed; NULL: the values are bytes_owned */
    guint8 *bytes_owned;
    float *scales; /* in the bytes of another tensor; NULL: none */
} SfuOutTensor;

#define SFU_GGUF_ALIGNMENT 32
/* Headers for `out` (SfuOutTensor*) with the metadata of f; the data follow in order, GGUF's each padded to
 * SFU_GGUF_ALIGNMENT. New; free with g_byte_array_unref(). */
GByteArray *sfu_gguf_header(const SfuFile *f, GPtrArray *out);
GByteArray *sfu_safetensors_header(const SfuFile *f, GPtrArray *out);

#endif
