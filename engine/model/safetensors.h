/* One safetensors file: mapped, its header checked.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_SAFETENSORS_H
#define SFU_SAFETENSORS_H

#include "runtime/runtime.h"

typedef struct {
    char *name;
    SfuDtype dtype;
    int n_dims;
    gint64 dims[8];
    gint64 n_elements;
    const guint8 *data; /* inside the mapping, n_elements * size of dtype bytes */
} SfuFileTensor;

typedef struct {
    char *path;
    GMappedFile *map;
    GPtrArray *tensors; /* SfuFileTensor*, in file order */
    gint64 size, mtime_ns;
} SfuFile;

/* Parses a header of `n` bytes at `data` (the whole file). Appends SfuFileTensor* to out, whose data point into `data`.
 * https://github.com/huggingface/safetensors#format : 8 bytes header length, JSON {name: {dtype, shape, data_offsets}}, data. */
gboolean sfu_safetensors_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GError **error);
SfuFile *sfu_file_open(const char *path, GError **error);
void sfu_file_close(SfuFile *f);
/* FALSE with OPEN when the file on disk is no longer the one that was mapped. */
gboolean sfu_file_check_unchanged(const SfuFile *f, GError **error);
void sfu_file_tensor_free(gpointer t);

#endif
