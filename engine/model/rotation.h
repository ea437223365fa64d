/* Rotations of a weight's outputs or inputs by adapters: OFT (Qiu 2023) and BOFT (Liu 2024).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_ROTATION_H
#define SFU_ROTATION_H

#include "model/delta.h"

/* q [n, n], skew-symmetric, becomes its Cayley transform (I + q) (I - q)^-1. terms > 0: PEFT's approximation of it by
 * so many terms of a series. */
void sfu_cayley(float *q, gint64 n, int terms);
/* Rows [first, first + n) of W, both multiples of sfu_delta_group(), become those of W'. Each matrix R counts as
 * strength R + (1 - strength) I, as in LyCORIS; the factors of the outputs count in full. */
void sfu_rotate_outputs(const SfuDelta *d, gint64 first, gint64 n, float *v, float strength);
/* The same of any rows, for a rotation of inputs. */
void sfu_rotate_inputs(const SfuDelta *d, gint64 n, float *v, float strength);

#endif
