/* One file of tensors, safetensors or PyTorch's zip format: mapped, its header checked.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FILE_H
#define SFU_FILE_H

#include "runtime/runtime.h"

#define SFU_FILE_ERROR sfu_file_error_quark()
GQuark sfu_file_error_quark(void);
typedef enum {
    SFU_FILE_ERROR_OPEN,    /* missing, unreadable, or changed while in use */
    SFU_FILE_ERROR_FORMAT,  /* torn, lying or foreign file */
    SFU_FILE_ERROR_REFUSED, /* a format that is refused on purpose (pickle) */
} SfuFileError;

typedef struct {
    char *name;
    SfuDtype dtype;
    int n_dims;
    gint64 dims[8];
    gint64 n_elements;
    const guint8 *data; /* inside the mapping (or owned), n_elements * size of dtype bytes */
    guint8 *owned;      /* a .pth's tensor that lies there in another order; else NULL */
} SfuFileTensor;

typedef struct {
    char *path;
    GMappedFile *map;
    GPtrArray *tensors; /* SfuFileTensor*, in file order */
    gboolean pickle; /* a .pth */
    gint64 size, mtime_ns;
} SfuFile;

/* Parses a header of `n` bytes at `data` (the whole file). Appends SfuFileTensor* to out, whose data point into `data`.
 * https://github.com/huggingface/safetensors#format : 8 bytes header length, JSON {name: {dtype, shape, data_offsets}}, data. */
gboolean sfu_safetensors_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GError **error);
/* Either format, by its first bytes. */
SfuFile *sfu_file_open(const char *path, GError **error);
void sfu_file_close(SfuFile *f);
/* FALSE with OPEN when the file on disk is no longer the one that was mapped. */
gboolean sfu_file_check_unchanged(const SfuFile *f, GError **error);
void sfu_file_tensor_free(gpointer t);
/* Sets FORMAT with "path: sentence". Always FALSE. */
gboolean sfu_file_fail(GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
