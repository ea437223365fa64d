/* An adapter's file (LoRA, LoHa, LoKr, ...): its tensors grouped by the module that they change, in any of the
 * spellings in use, and the changes that they are. Which weight a module is, families know (family/adapter_modules.c).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_ADAPTER_FILE_H
#define SFU_ADAPTER_FILE_H

#include "file/file.h"
#include "model/delta.h"

G_BEGIN_DECLS

typedef struct SfuAdapter SfuAdapter;

/* Maps a file. NULL with FORMAT if it holds no adapter or contradicts itself, with REFUSED for a kind that Sfumato
 * does not apply. Caller frees with sfu_adapter_close(). */
SfuAdapter *sfu_adapter_open(const char *path, GError **error);
void sfu_adapter_close(SfuAdapter *a);
/* Whether a file's tensors (SfuFileTensor*) are those of an adapter. */
gboolean sfu_adapter_is(const GPtrArray *tensors);
const char *sfu_adapter_path(const SfuAdapter *a);
/* FALSE with OPEN if the file on disk has changed since it was mapped. */
gboolean sfu_adapter_check_unchanged(const SfuAdapter *a, GError **error);
/* As sfu_file_check_intact(). */
gboolean sfu_adapter_check_intact(const SfuAdapter *a, GError **error);
/* Metadata of the file; NULL: it has none of that name. Borrowed. */
const char *sfu_adapter_metadata(const SfuAdapter *a, const char *key);
/* "LoRA, LoHa": kinds of its modules. Caller frees. */
char *sfu_adapter_kinds(const SfuAdapter *a);
/* Smallest and largest rank; 0: it has none. */
void sfu_adapter_ranks(const SfuAdapter *a, gint64 *least, gint64 *most);
/* Tensors that belong to no module. */
guint sfu_adapter_n_strays(const SfuAdapter *a);

/* Adds name -> path (both g_free'd by the table) for each textual inversion that comes with it. */
void sfu_adapter_bundles(const SfuAdapter *a, GHashTable *names);

guint sfu_adapter_n_modules(const SfuAdapter *a);
const char *sfu_adapter_module(const SfuAdapter *a, guint i); /* its name in the file, without ".lora_up.weight" */
/* Outputs and inputs of the module as far as its tensors tell; 0: they do not. */
void sfu_adapter_module_size(const SfuAdapter *a, guint i, gint64 *out, gint64 *in);
/* Whether it changes the weight, or the bias, of its module. */
gboolean sfu_adapter_changes(const SfuAdapter *a, guint i, gboolean bias);
/* Whether it changes no weight, whatever the model: one of its factors is all zeros. */
gboolean sfu_adapter_is_nothing(const SfuAdapter *a, guint i);
/* A change of the bias that may be dropped without a note if the layer has no bias. */
gboolean sfu_adapter_bias_is_optional(const SfuAdapter *a, guint i);
/* What module i makes of its weight (or bias) where that has `rows` outputs, and `in` inputs of `taps` values: a new
 * delta, whose `out` says how many outputs it is for; caller frees with sfu_delta_free() before the adapter is
 * closed. NULL without error: it is for another width; with FORMAT: the file contradicts itself. */
SfuDelta *sfu_adapter_delta(const SfuAdapter *a, guint i, gboolean bias, gint64 rows, gint64 in, gint64 taps,
                            GError **error);

G_END_DECLS
#endif
