/* A reader of the little of Python's pickle that files of weights use. It builds values and calls nothing.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PICKLE_H
#define SFU_PICKLE_H

#include "runtime/runtime.h"

typedef enum {
    SFU_PICKLE_NONE,
    SFU_PICKLE_INT, /* bools too */
    SFU_PICKLE_FLOAT,
    SFU_PICKLE_STRING,
    SFU_PICKLE_TUPLE,
    SFU_PICKLE_LIST,
    SFU_PICKLE_DICT,    /* items: key, value, key, value ... */
    SFU_PICKLE_GLOBAL,  /* one of the few names that are allowed */
    SFU_PICKLE_STORAGE, /* i: number of values */
    SFU_PICKLE_TENSOR,
    SFU_PICKLE_OTHER, /* bytes, and what training programs keep beside the weights */
    SFU_PICKLE_MARK,
} SfuPickleKind;

typedef struct SfuPickleValue SfuPickleValue;
struct SfuPickleValue {
    SfuPickleKind kind;
    gint64 i;
    const char *s; /* STRING: in the file, s_len bytes, no NUL behind it; STORAGE: its key */
    gsize s_len;
    GPtrArray *items;              /* SfuPickleValue*, not owned */
    int global;                    /* GLOBAL */
    SfuDtype dtype;                /* STORAGE */
    const SfuPickleValue *storage; /* TENSOR */
    gint64 offset, dims[8], strides[8];
    int n_dims;
};

/* Reads one pickle from `data`. Returns its value; all values live in `arena` (a GPtrArray with sfu_pickle_value_free,
 * which the caller makes and unrefs). used: bytes read, may be NULL. NULL with FORMAT (torn) or REFUSED (anything that
 * weights do not need: the message names the class, function or operation). `path` is for messages. */
SfuPickleValue *sfu_pickle_read(const guint8 *data, gsize n, const char *path, GPtrArray *arena, gsize *used,
                                GError **error);
void sfu_pickle_value_free(gpointer v);

/* PyTorch's file (torch.save): zip with stored entries, or, as until version 1.6, a row of pickles with the values
 * behind them. Appends SfuFileTensor* to out, named by the keys that lead to them, joined by dots; their data point
 * into `data` or are owned. FALSE with FORMAT or REFUSED. */
gboolean sfu_pth_parse(const guint8 *data, gsize n, const char *path, GPtrArray *out, GError **error);

#endif
