/* Networks for `sfumato bench`. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_CLI_BENCH_NETS_H
#define SFU_CLI_BENCH_NETS_H

#include "runtime/runtime.h"

/* Given each network in turn: fn(name, run, run_data, data, error) calls run(run_data, error) as often as it likes. */
typedef gboolean (*SfuBenchCase)(const char *name, gboolean (*run)(gpointer data, GError **error), gpointer run_data,
                                 gpointer data, GError **error);
/* Opens the model at `path` and gives fn its text encoder (batch 2), UNet (batch 2, one guided step) and VAE decoder,
 * for a picture of side_px x side_px; those it has. */
gboolean sfu_bench_nets(SfuQueue *q, const char *path, int side_px, SfuBenchCase fn, gpointer data, GError **error);

#endif
