/* From the names of original single files and of old diffusers releases to canonical names.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_CANONICAL_NAMES_H
#define SFU_CANONICAL_NAMES_H

#include "model/model.h"

/* The part that a tensor of a single-file checkpoint belongs to, and its canonical name (caller frees with g_free).
 * n_vae_levels: of this file's VAE, whose decoder counts backwards; n_layers: residual blocks of a level of its UNet on
 * the way down. NULL: not a tensor that Sfumato reads. */
char *sfu_name_from_checkpoint(const char *name, int n_vae_levels, int n_layers, SfuPart *part);
/* The original name of a module ("down_blocks.0.resnets.0.conv1", without ".weight"), of a UNet or in OpenCLIP's names
 * of a text encoder. n_layers: as above. Caller frees. NULL: it has another there, or none. */
char *sfu_name_to_checkpoint(const char *module, SfuPart part, int n_layers);
/* The same for a VAE in a file of its own. */
char *sfu_name_from_vae(const char *name, int n_vae_levels);
/* The canonical form of a name inside a part's own file (diffusers, old or new). Caller frees. NULL: not read. */
char *sfu_name_from_diffusers(const char *name, SfuPart part);
/* A language model's, transformers' names or llama.cpp's: "layers.N...", "embed_tokens.", "norm."; NULL: it is none. */
char *sfu_name_from_language(const char *name);
/* CLIP's image encoder, transformers' names or OpenCLIP's; NULL: it is none of it. */
char *sfu_name_from_vision(const char *name);
/* TAESD as its author publishes it: one half a file, numbered layers, the decoder's first being a clamp. */
char *sfu_name_from_taesd(const char *name, SfuPart part);
/* TAESD as diffusers' AutoencoderTiny has it: both halves, each as "layers.N". */
char *sfu_name_from_tiny(const char *name, SfuPart *part);
/* Known and not needed: EMA copies, the noise schedule's tables, position numbers, training state. */
gboolean sfu_name_is_ignorable(const char *name);
/* What a file with these tensors (SfuFileTensor*) is, if it is a kind that Sfumato knows and does not read; else NULL.
 * For messages. */
const char *sfu_names_foreign(const GPtrArray *tensors);
/* What kind of network the tensors (char*) make that are beyond those of a network that is run: without them it would
 * make other pictures. NULL: they tell no kind. */
const char *sfu_names_of_more(const GPtrArray *strays);

#endif
