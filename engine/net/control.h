/* Networks that steer a denoiser by a picture: ControlNets (Zhang 2023), which run beside it at each step, or within
 * its pass, and T2I-Adapters (Mou 2023), which read the picture once. Pipelines know this and no network. Copyright
 * (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_NET_CONTROL_H
#define SFU_NET_CONTROL_H

#include "net/net.h"

G_BEGIN_DECLS

/* What the networks of a step add to the UNet together. Zero-initialized; sfu_control_sum_clear() frees what it
 * holds. */
typedef struct {
    SfuTensor **down; /* [n_down] */
    int n_down;
    SfuTensor *middle;
    SfuTensor *features[SFU_MAX_BLOCKS]; /* NULL: none for this level */
    int n_features;
    SfuTensor *first;
    SfuWithin within[SFU_MOST_WITHIN];
    int n_within;
} SfuControlSum;
void sfu_control_sum_clear(SfuControlSum *s);
/* Borrows from the sum. */
SfuResiduals sfu_control_sum_residuals(const SfuControlSum *s);

/* How one network takes part in a step. */
typedef struct {
    double weight;
    /* > 0: the words count less than the picture (guess mode): only the first n samples of the batch are steered, and
     * shallow levels less than deep ones. Zhang 2023, section 3.4, "CFG Resolution Weighting". */
    int n_guessed;
} SfuControlUse;

typedef struct {
    void (*destroy)(gpointer net);
    void (*set_wrap)(gpointer net, int wrap);
    void (*forget)(gpointer net);
    gboolean (*set_type)(gpointer net, int type, GError **error);                           /* NULL: of one kind */
    gboolean (*set_condition)(gpointer net, const SfuCondition *condition, GError **error); /* NULL: reads no words */
    gboolean (*set_picture)(gpointer net, const float *picture, int h, int w, GError **error);
    gboolean (*add)(gpointer net, SfuControlSum *sum, const SfuDenoiserInput *in, const SfuControlUse *use,
                    GError **error);
} SfuControlClass;

/* Made by sfu_control_net() and sfu_control_adapter(); the fields are for reading. */
typedef struct {
    const SfuControlClass *class;
    gpointer net;          /* owned */
    int channels;          /* of its picture: 3, or 1 */
    int n_types;           /* kinds of pictures, which it is told by number; 0: it knows only one kind */
    gboolean pools;        /* what it adds is the same all over the picture; always guesses */
    gboolean sees_latents; /* its picture comes encoded: latents of the model's autoencoder */
    gboolean sees_hole;    /* it is the picture that is worked on, with the hole gray, behind the hole's mask */
    /* After the latents of its picture it reads 1 where the input picture is kept, and the latents of the input picture
     * with the hole gray; zeros without a hole. */
    gboolean sees_kept;
} SfuControl;

static inline void sfu_control_destroy(SfuControl *c)
{
    if (c)
        c->class->destroy(c->net);
    g_free(c);
}

/* SfuWrap bits of later passes. */
static inline void sfu_control_set_wrap(SfuControl *c, int wrap)
{
    c->class->set_wrap(c->net, wrap);
}

/* Drops what it has of a picture and of words; its weights stay on the device as long as there is room. */
static inline void sfu_control_forget(SfuControl *c)
{
    c->class->forget(c->net);
}

/* Which of its kinds the picture is, 0..n_types - 1; before the condition. */
static inline gboolean sfu_control_set_type(SfuControl *c, int type, GError **error)
{
    return !c->class->set_type || c->class->set_type(c->net, type, error);
}

static inline gboolean sfu_control_set_condition(SfuControl *c, const SfuCondition *condition, GError **error)
{
    return !c->class->set_condition || c->class->set_condition(c->net, condition, error);
}

/* picture [h, w, channels] in 0..1 (holes of inpainting: -1), eight times the latents' sides; or latents. */
static inline gboolean sfu_control_set_picture(SfuControl *c, const float *picture, int h, int w, GError **error)
{
    return c->class->set_picture(c->net, picture, h, w, error);
}

/* Adds what the network has to say about a step to the sum. in->x may have more channels than the network takes
 * (those of inpainting models), which it leaves alone. */
static inline gboolean sfu_control_add(SfuControl *c, SfuControlSum *sum, const SfuDenoiserInput *in,
                                       const SfuControlUse *use, GError **error)
{
    return c->class->add(c->net, sum, in, use, error);
}

/* NULL with MISSING. The model is borrowed. */
SfuControl *sfu_control_net(SfuQueue *q, SfuModel *model, GError **error);
SfuControl *sfu_control_adapter(SfuQueue *q, SfuModel *model, GError **error);
SfuControl *sfu_inpaint_head(SfuQueue *q, SfuModel *model, GError **error);
void sfu_inpaint_head_expect(SfuModel *model);
void sfu_control_net_expect(SfuModel *model);
void sfu_control_adapter_expect(SfuModel *model);

G_END_DECLS
#endif
