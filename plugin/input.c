/* What a run reads: the struct and its layers.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

static void layer_free(gpointer p)
{
    SfuInputLayer *l = p;
    g_clear_object(&l->picture);
    g_free(l);
}

SfuInput *sfu_input_empty(SfuAction action)
{
    SfuInput *in = g_new0(SfuInput, 1);
    in->action = action;
    in->image = in->layer = in->above = -1;
    return in;
}

void sfu_input_add_layer(SfuInput *in, int layer, GeglRectangle place, GeglBuffer *picture)
{
    SfuInputLayer *l = g_new(SfuInputLayer, 1);
    *l = (SfuInputLayer){layer, place, picture};
    if (!in->layers)
        in->layers = g_ptr_array_new_with_free_func(layer_free);
    g_ptr_array_add(in->layers, l);
}

void sfu_input_free(SfuInput *in)
{
    if (!in)
        return;
    g_clear_object(&in->picture);
    g_clear_object(&in->mask);
    g_clear_object(&in->cover);
    g_clear_object(&in->exclude);
    g_clear_pointer(&in->controls, g_ptr_array_unref);
    g_clear_pointer(&in->references, g_ptr_array_unref);
    g_clear_pointer(&in->layers, g_ptr_array_unref);
    g_free(in->sketch);
    g_clear_pointer(&in->glance, g_bytes_unref);
    g_free(in);
}
