/* Small models for the parity tests: their configurations and tensor names come from nets.json.gz, their weights from a
 * hash that make-nets.py computes too. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef SFU_TESTS_SMALL_MODELS_H
#define SFU_TESTS_SMALL_MODELS_H

#include "family/family.h"
#include "file/file.h"
#include "sfumato.h"

void parity_data_open(void);                   /* aborts the test program if the data is not there or torn */
void parity_data_open_named(const char *name); /* of NAME.json.gz in place of PARITY_NAME's */
void parity_data_close(void);                  /* deletes the written models too */
JsonArray *parity_cases(void);

/* n integers from -1024 to 1023. */
void parity_hash(const char *name, gint64 n, gint32 *out);
/* Uniform from -2 to 2, times scale. Caller frees with g_free. */
float *parity_input(const char *name, gint64 n, float scale);

/* What is changed while a model is written. */
typedef struct {
    const char *drop;   /* tensors with this in their name are left out */
    const char *shrink; /* the tensor of this name loses its last value along dim 0 */
    const char *poison; /* the tensor of this name gets a NaN */
    const char *zero;   /* tensors whose names begin so are all zeros */
} ParityDamage;
/* The folder (or single file) of the model, written as fp16 on first use; caller frees. With damage: always a new one.
 */
char *parity_model_path(const char *key, const ParityDamage *damage);
/* New parameters with that model and the given values ("steps 2 tile 24"); caller frees. */
SfuParams *parity_model_params(const char *key, const char *text);
gboolean parity_has_model(const char *key);
/* The single file of the model once for each wrap, before all names; all but the first time with other values. Caller
 * frees. */
char *parity_model_wrapped(const char *key, const char *const *wraps);
SfuModel *parity_model(const char *key); /* opened on first use; borrowed */

/* A tensor of a file that a test makes up: fp32, values of parity_input(). */
typedef struct {
    const char *name; /* NULL ends a list */
    gint64 dims[4];   /* 0: no more */
} ParityTensor;
/* A safetensors file of that name in the tests' folder; poison (may be NULL) begins with a NaN. Caller frees. */
char *parity_file_write(const char *name, const ParityTensor *tensors, const char *poison);

/* A LoRA of one module, called so in its file, of `out` outputs and rank 2: the weight of the model's part changes by
 * its rows from from_row on, and nothing is left out. */
void parity_check_adapter(const char *key, SfuPart part, const char *module, int out, const char *weight, int from_row);

/* A tensor of nets.safetensors as floats; *n values. Borrowed. */
const float *parity_expected(const char *name, gint64 *n);
/* norm(a - b) / norm(b) */
double parity_error(const float *a, const float *b, gint64 n);
/* Asserts that there are as many values as expected under "key/what" (under "key" if what is NULL), and that their
 * error is below the tolerance. */
void parity_compare(const char *key, const char *what, const float *got, gint64 n, double tolerance);
/* The same of a tensor's values; takes y. */
void parity_compare_tensor(const char *key, const char *what, SfuTensor *y, double tolerance);

/* fp32 on the device, values of parity_input("key/what"), or of "what" if key is NULL. Caller frees with
 * sfu_tensor_destroy(). */
SfuTensor *parity_upload(SfuQueue *q, const char *key, const char *what, int n, int h, int w, int c, float scale);
/* The tensor's values, as floats; takes y. Caller frees with g_free. */
float *parity_download(SfuTensor *y);
int parity_int(JsonObject *o, const char *name);
/* A buffer as R'G'B'A floats, all finite. Caller frees with g_free. */
float *parity_pixels(GeglBuffer *b, gint64 *n);
/* How many pixels of `in` the result changes. Asserts that those outside the rectangle stay the same to the bit. */
int parity_changed_inside(const SfuResult *r, GeglBuffer *in, GeglRectangle inside);

/* For a test case: NULL after g_test_skip() where there is no device. Caller frees with sfu_queue_destroy(). */
SfuQueue *parity_queue(const SfuQueueOptions *options);
/* The same before the cases are there, for a test program's own queue, and opens the data of PARITY_NAME. NULL without
 * a device: the skip is printed. */
SfuQueue *parity_queue_open(SfuPrecision precision);

/* The ways that networks run: with the device's kernels, with the plain ones, with values kept in fp16, and, where a
 * test wants it, with products of integers. */
enum { PARITY_FAST, PARITY_PLAIN, PARITY_FP16, PARITY_INT16, PARITY_INT8, PARITY_N_MODES };
const char *parity_mode_name(int mode);
/* As parity_queue(), but kept until parity_data_close(). Borrowed. */
SfuQueue *parity_mode_queue(int mode);
typedef struct {
    JsonObject *o; /* one of parity_cases() */
    int mode;
} ParityCase;
/* Adds "/prefix/mode/name" for every case in every mode that is wanted (NULL: all without integers); fn gets a
 * ParityCase. */
void parity_add_cases(const char *prefix, GTestDataFunc fn, gboolean (*wanted)(JsonObject *o, int mode));

/* GEGL, an fp32 engine and the data of PARITY_NAME, for the tests of whole pipelines. NULL without a device: the skip
 * is printed. Caller frees with sfu_engine_free(). */
SfuEngine *parity_engine_open(void);

#endif
