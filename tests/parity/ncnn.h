/* Parity models written as ncnn's files.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_TESTS_NCNN_H
#define SFU_TESTS_NCNN_H

#include <glib.h>

typedef struct {
    const char *name;  /* of the files, without the ending */
    guint32 tag;       /* before the weights: 0 fp32, 0x01306B47 fp16 */
    gboolean fused;    /* activations and scaled sums are one layer, as old converters write them */
    const char *slope; /* of fused ones */
    gboolean int8;
    int cut;               /* bytes that the weights lack */
    const char *reduction; /* of the picture at the end, "0.5"; NULL: none (SRVGGNetCompact) */
} NcnnSpelling;

/* The path of the .param of an RRDBNet or SRVGGNetCompact of upscalers.json.gz; caller frees with g_free. */
char *ncnn_write(const char *key, const NcnnSpelling *s);

#endif
