/* What the families of upscalers share: measuring a network by its tensors.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FAMILY_MEASURE_H
#define SFU_FAMILY_MEASURE_H

#include "family/family.h"

/* Sets FAMILY with "path has the form of NAME, but `what`". Always FALSE. */
gboolean sfu_family_refuse(const SfuModel *m, GError **error, const char *what);
/* Set FAMILY where `other` has an autoencoder of another number of channels, or a text encoder of another width, than m
 * wants. Always FALSE. */
gboolean sfu_family_refuse_vae(const SfuModel *m, const SfuModel *other, int wanted, GError **error);
gboolean sfu_family_refuse_text(const SfuModel *m, const SfuModel *other, int wanted, int width, GError **error);
/* Dim i of a tensor of the upscaler; 0: there is none. At most 2^24. */
int sfu_measure(const SfuModel *m, int i, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* How many numbered modules "<prefix>0.", "<prefix>1." ... the upscaler has: one more than the highest number of any
 * tensor, at most `most`. So a lost tensor is missed rather than taken for the end. */
int sfu_measure_count(const SfuModel *m, const char *prefix, int most);
/* Whether any tensor of the upscaler begins with `prefix` and has `word` in its name: what several tensors tell, a lost
 * one does not change. */
gboolean sfu_measure_any(const SfuModel *m, const char *prefix, const char *word);
/* The r with r * r * unit == n; 0: there is none up to 16. */
int sfu_square_factor(int n, int unit);
/* Sets channels and unshuffle from the channels that the first convolution reads and the last one writes. FALSE with
 * FAMILY if these are not those of a picture. */
gboolean sfu_measure_channels(SfuModel *m, int in, int out, GError **error);
/* Sets upsampler, n_stages and scale from the tensors of the tail that SwinIR-like networks share. FALSE with FAMILY.
 */
gboolean sfu_measure_tail(SfuModel *m, GError **error);

#endif
