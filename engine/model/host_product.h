/* A product of small matrices on the host.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_HOST_PRODUCT_H
#define SFU_HOST_PRODUCT_H

#include <glib.h>

/* out [rows, n_cols] = scale * a [rows, rank] b [rank, n_cols]. */
void sfu_product(float *out, const float *a, const float *b, gint64 rows, gint64 rank, gint64 n_cols, float scale);

#endif
