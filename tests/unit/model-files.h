/* Writes model files for the tests: safetensors with any names, and the table of names that make-names.py made.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MODEL_FILES_H
#define MODEL_FILES_H

#include "family/family.h"

typedef struct {
    char *canonical, *original; /* "-": none */
    SfuDtype dtype;
    int n_dims;
    gint64 dims[8];
} Row;

/* The rows of a section of names.txt.gz, full size, F16. A new array of Row* that owns them. */
GPtrArray *names_section(const char *section);
/* Small widths: `divide` every dim that is a multiple of `unit` by it. Contexts of cross-attention stay. */
void rows_shrink(GPtrArray *rows, int unit, int divide);
Row *row_find(GPtrArray *rows, const char *canonical);
void rows_append(GPtrArray *to, GPtrArray *from); /* takes what from owns, and from */
void rows_add(GPtrArray *rows, const char *name, SfuDtype dtype, int n_dims,
              ...); /* gint64 dims; canonical == original == name */
void row_free(gpointer row);
gint64 row_elements(const Row *r);

typedef enum { USE_CANONICAL, USE_ORIGINAL } UseNames;
typedef enum { FILL_VALUES, FILL_HOLE } Fill;
/* Value i of the tensor of that name in a file with FILL_VALUES. */
float file_value(const char *name, gint64 i);
/* A hole is a file of the right length that takes no room. strip: a prefix that is left out of the names. */
void write_safetensors(const char *path, GPtrArray *rows, UseNames names, const char *strip, Fill fill);
void write_text(const char *path, const char *text);
void write_bytes(const char *path, gconstpointer data, gsize n);

/* A fresh folder that is removed by folder_remove(). */
char *folder_new(void);
void folder_remove(char *path);
char *in(const char *folder, const char *name); /* a path that lives until the program ends */

/* Opens; an error fails the test. */
SfuModel *open_good(const char *path);
/* Opens; success fails the test, and so do another code or a message that lacks the word. */
void open_bad(const char *path, GQuark domain, int code, const char *word);
/* The lists of sfu_model_inspect_json(), as "a, b, c". Caller frees. */
char *inspect_list(SfuModel *m, const char *member);
void assert_complete(SfuModel *m); /* nothing missing, nothing unexpected */

#endif
