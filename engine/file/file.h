/* One file of tensors, safetensors, GGUF or PyTorch's: mapped, its header checked, its scales found.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FILE_H
#define SFU_FILE_H

#include "runtime/runtime.h"

#define SFU_FILE_ERROR sfu_file_error_quark()
GQuark sfu_file_error_quark(void);
typedef enum {
    SFU_FILE_ERROR_OPEN,    /* missing, unreadable, or changed while in use */
    SFU_FILE_ERROR_FORMAT,  /* torn, lying or foreign file */
    SFU_FILE_ERROR_REFUSED, /* a format that is refused on purpose (pickle, a quantization that is not read) */
} SfuFileError;

typedef struct SfuFile SfuFile;
typedef struct SfuFileTensor SfuFileTensor;
struct SfuFileTensor {
    char *name;
    SfuDtype dtype;
    int n_dims;
    gint64 dims[8]; /* in PyTorch's order */
    gint64 n_elements;
    const guint8
        *data;     /* inside the mapping (or owned), sfu_dtype_size() bytes; the values follow each other in blocks */
    guint8 *owned; /* a .pth's tensor that lies there in another order; else NULL */
    const SfuFileTensor *scale; /* the values are multiplied by it: 1 value, or one per row of dim 0, from row scale_row
                                   on; NULL: none */
    gint64 scale_row;
    int rotation;        /* see SfuWeightScale */
    const SfuFile *file; /* whose mapping holds the data; NULL: not known */
};

/* One entry of a file's metadata. Text is checked UTF-8. */
typedef struct {
    enum { SFU_FILE_TEXT, SFU_FILE_NUMBER, SFU_FILE_ARRAY } kind;
    char *text;       /* TEXT */
    double number;    /* NUMBER (and truth values), exact up to 2^53 */
    int element_type; /* ARRAY: GGUF's number of the type */
    guint64 n_elements;
    const guint8 *elements; /* borrowed from the mapping; texts are each 8 bytes of length and the bytes */
    const guint8 *raw;      /* GGUF: type and value as they stand there, borrowed; NULL: from another format */
    gsize raw_bytes;
} SfuFileValue;

typedef struct SfuNcnnGraph SfuNcnnGraph; /* ncnn.h */

struct SfuFile {
    char *path;
    GMappedFile *map;
    int fd;               /* of what is mapped, so that its size can be asked for after a rename; -1: none */
    GPtrArray *tensors;   /* SfuFileTensor*, in file order, without the scales of quantized ones */
    GPtrArray *scales;    /* SfuFileTensor*: those */
    GHashTable *metadata; /* char* -> SfuFileValue* */
    gboolean pickle;      /* a .pth */
    SfuNcnnGraph
        *graph; /* ncnn's: the layers, whose weights the tensors are; else NULL. path is then that of the weights */
    gint64 size, mtime_ns;
};

/* Parses a header of `n` bytes at `data` (the whole file). Appends SfuFileTensor* to out, whose data point into
 * `data`, and what else the header tells to metadata (NULL: not wanted).
 * https://github.com/huggingface/safetensors#format : 8 bytes header length, JSON {name: {dtype, shape,
 * data_offsets}}, data. */
gboolean sfu_safetensors_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GHashTable *metadata,
                               GError **error);
/* The same for GGUF 2 and 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): counts, metadata, tensors'
 * names, dims (reversed there), types and places, data. */
gboolean sfu_gguf_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GHashTable *metadata,
                        GError **error);
/* A table for metadata. */
GHashTable *sfu_file_metadata_new(void);
/* Finds the scales of fp8 and int8 tensors, in the old spelling (scaled_fp8, .scale_weight) and the new one
 * (.weight_scale, .comfy_quant, _quantization_metadata), moves them from `tensors` to `scales` and ties them to
 * their tensors. FALSE with REFUSED and the quantization's name for one that Sfumato does not read. */
gboolean sfu_scales_attach(GPtrArray *tensors, GPtrArray *scales, GHashTable *metadata, const char *path,
                           GError **error);
/* Any format, by its first bytes. */
SfuFile *sfu_file_open(const char *path, GError **error);
void sfu_file_close(SfuFile *f);
/* The text of a metadata entry, borrowed; NULL: it is none. */
const char *sfu_file_text(const SfuFile *f, const char *key);
/* FALSE with OPEN if the file on disk has changed since it was mapped. */
gboolean sfu_file_check_unchanged(const SfuFile *f, GError **error);
/* FALSE with OPEN if somebody wrote into the mapped file itself. One that was replaced or removed is intact: the map
 * keeps it. */
gboolean sfu_file_check_intact(const SfuFile *f, GError **error);
gsize sfu_file_tensor_bytes(const SfuFileTensor *t); /* of its data, scales not counted */
/* Rows [first, first + n) of dim 0 of t as a tensor of their own that shares its data. NULL if the rows do not begin
 * and end with a block. Free with sfu_file_tensor_free(). */
SfuFileTensor *sfu_file_tensor_rows(const SfuFileTensor *t, gint64 first, gint64 n);
/* A weight over the tensor's data, which must outlive it. */
SfuWeight *sfu_file_tensor_weight(const SfuFileTensor *t, const char *name);
void sfu_file_tensor_free(gpointer t);

/* ---- writing ---- */

/* n values as blocks of Q8_0, Q4_0, Q5_0 (bit for bit what gguf's Python package makes) or Q4_K; n a multiple of a
 * block. FALSE if a scale does not fit fp16, or a value is not a number. */
gboolean sfu_quantize(SfuDtype type, const float *v, gint64 n, guint8 *out);
guint8 sfu_e4m3_from_float(float v); /* to nearest even, held at +-448 */

typedef struct {
    const char *type; /* f32, f16, bf16; q8_0, q4_0, q4_k in GGUF; fp8, int8 in safetensors */
    gboolean replace; /* a file at `out` is written over */
    gboolean (*progress)(double done, gpointer data); /* 0..1; FALSE: stop; NULL: none */
    gpointer data;
    /* The weight whose values are written in place of a tensor's, of the same shape, borrowed; NULL from it: the
     * tensor's own are. NULL: all tensors' are. */
    SfuWeight *(*replacement)(const SfuFileTensor *t, gpointer data);
    gpointer replacement_data;
} SfuConvert;
/* Writes the tensors of the file `in` to `out`, GGUF or safetensors by its ending, with the large matrices in
 * another type; a row at a time, into a temporary file beside `out` that then takes its name. FALSE with error set;
 * what was at `out` is then as it was. */
gboolean sfu_file_convert(const char *in, const char *out, const SfuConvert *c, GError **error);

/* Sets FORMAT with "path: sentence". Always FALSE. */
gboolean sfu_file_fail(GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The same with REFUSED. */
gboolean sfu_file_refuse(GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
