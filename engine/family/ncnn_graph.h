/* ncnn's upscalers.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FAMILY_NCNN_GRAPH_H
#define SFU_FAMILY_NCNN_GRAPH_H

#include "family/family.h"
#include "file/file.h"

/* Gives the tensors of a file with a graph of layers the names that its family has. FALSE with FAMILY if the graph is
 * that of no family. *reduction: by what the graph multiplies the sides of what the network makes, 1 for most. */
gboolean sfu_ncnn_name(const SfuFile *f, const char *path, double *reduction, GError **error);

#endif
