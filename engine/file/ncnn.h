/* ncnn's networks: a text of layers (.param), and their weights one after the other (.bin).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FILE_NCNN_H
#define SFU_FILE_NCNN_H

#include "file/file.h"

#define SFU_NCNN_PARAMS 24 /* numbers that a layer may have */

typedef struct {
    char *type, *name;
    int n_in, n_out;
    int *in, *out; /* numbers of blobs; a blob is the output of one layer, or the network's input */
    guint32 set;   /* bit i: number i is given */
    double number[SFU_NCNN_PARAMS];
    int n_list[SFU_NCNN_PARAMS];
    double *list[SFU_NCNN_PARAMS]; /* numbers that are lists; NULL: it is none */
    SfuFileTensor *weight,
        *bias; /* in the file's list of tensors; NULL: the layer has none. Slopes of a PReLU: weight */
} SfuNcnnLayer;

struct SfuNcnnGraph {
    GPtrArray *layers; /* SfuNcnnLayer*, in the file's order: a layer comes behind those that it reads */
    int n_blobs;
    int *maker; /* blob -> number of the layer whose output it is; -1: none */
};

/* Whether a file that begins so is a .param. */
gboolean sfu_ncnn_is_param(const guint8 *data, gsize n);
/* The layers of `text` [n], with weights from `bin` [n_bin], which must outlive the tensors that are appended to `out`.
 * path: of the .param, for messages. NULL with FORMAT, or with REFUSED for int8 and for layers that no network of a
 * family has. Free with sfu_ncnn_graph_free(). */
SfuNcnnGraph *sfu_ncnn_parse(const char *text, gsize n, const guint8 *bin, gsize n_bin, const char *path,
                             GPtrArray *out, GError **error);
void sfu_ncnn_graph_free(SfuNcnnGraph *g);

/* Number i of the layer, or what it is where none is given. */
double sfu_ncnn_number(const SfuNcnnLayer *l, int i, double otherwise);

#endif
