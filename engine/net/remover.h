/* Removers: networks that fill a hole in one pass, without words. Pipelines see only this interface.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_REMOVER_H
#define SFU_NET_REMOVER_H

#include "net/net.h"

G_BEGIN_DECLS

typedef struct {
    void (*destroy)(gpointer net);
    gboolean (*forward)(gpointer net, SfuTensor **out, const SfuTensor *x, GError **error);
} SfuRemoverClass;

/* A network's file makes it (sfu_lama_remover()). The fields are read-only. */
typedef struct {
    const SfuRemoverClass *class;
    gpointer net; /* owned */
    int multiple; /* both sides must be multiples of this, and at least twice it */
    int side;     /* not 0: it takes only squares of this side */
} SfuRemover;

static inline void sfu_remover_destroy(SfuRemover *r)
{
    if (r)
        r->class->destroy(r->net);
    g_free(r);
}

/* x [1, h, w, 4]: R'G'B' from 0 to 1 with the hole black, and the hole (1 inside, else 0) -> *out [1, h, w, 3], the
 * network's version of the whole picture. The caller uses only the hole, and frees *out with sfu_tensor_destroy().
 * FALSE with SHAPE if the sides do not fit. */
static inline gboolean sfu_remover_forward(SfuRemover *r, SfuTensor **out, const SfuTensor *x, GError **error)
{
    return r->class->forward(r->net, out, x, error);
}

/* LaMa's generator, a residual network whose blocks have a local and a Fourier half (Suvorov 2022, "Resolution-robust
 * large mask inpainting with Fourier convolutions", section 2; Chi 2020, "Fast Fourier convolution"). NULL with MISSING
 * if a tensor is missing or misshapen, FORMAT if one holds a NaN. The model is borrowed. */
SfuRemover *sfu_lama_remover(SfuQueue *q, SfuModel *model, GError **error);
/* Records in the model which tensors are missing or unexpected. */
void sfu_lama_expect(SfuModel *model);

/* MI-GAN's generator; errors as above. */
SfuRemover *sfu_migan_remover(SfuQueue *q, SfuModel *model, GError **error);
void sfu_migan_expect(SfuModel *model);
int sfu_migan_side(SfuModel *model); /* of the squares that it takes; 0: the model has no such network */

G_END_DECLS
#endif
