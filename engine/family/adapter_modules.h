/* Adapters on models: which weight a module of an adapter's file is, by the names that families know.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_FAMILY_ADAPTER_MODULES_H
#define SFU_FAMILY_ADAPTER_MODULES_H

#include "family/family.h"
#include "model/adapter_file.h"

G_BEGIN_DECLS

/* For a family's aliases(): other programs call the module `name`. n_rows: only that many of its outputs, from
 * to_row on, correspond to the outputs from from_row on of `name` (fused q, k and v); 0: all do. */
void sfu_aliases_add(SfuAliases *a, const char *name, gint64 to_row, gint64 from_row, gint64 n_rows);

/* Whose weights an adapter changes: those of a model whose text encoders may lie in other files. All are borrowed. */
typedef struct {
    SfuModel *model;              /* its family knows the names, and messages name it */
    SfuModel *parts[SFU_N_PARTS]; /* the model that has the part; NULL: the part is left alone */
} SfuAdapterBase;
/* A model with all of its parts. */
SfuAdapterBase sfu_adapter_base(SfuModel *m);

/* An adapter's changes of weights. Borrows the adapter and the models, which outlive it. */
typedef struct SfuBoundAdapter SfuBoundAdapter;
/* NULL with FAMILY if it is for another family, or fits too little of the model; with FORMAT if the file contradicts
 * itself. Caller frees with sfu_bound_adapter_free(). */
SfuBoundAdapter *sfu_adapter_bind(const SfuAdapter *a, const SfuAdapterBase *base, GError **error);
void sfu_bound_adapter_free(SfuBoundAdapter *b);
/* Whether any of them is a text encoder's. */
gboolean sfu_bound_adapter_has_text(const SfuBoundAdapter *b);
/* Appends SfuDeltaUse's: `strength` for the denoiser, `text` for text encoders. */
void sfu_bound_adapter_use(const SfuBoundAdapter *b, float strength, float text, GArray *uses);
/* What of it the model does not take, for people; NULL: it takes all. Borrowed. */
const char *sfu_bound_adapter_note(const SfuBoundAdapter *b);

/* Whether names of its modules say that they are a text encoder's. */
gboolean sfu_adapter_has_text(const SfuAdapter *a);
/* The family that an adapter was made for, as far as can be told; NULL: it cannot. */
const char *sfu_adapter_family(const SfuAdapter *a);
/* What `sfumato inspect` shows of one. Caller frees with g_free, the node with json_node_unref. */
char *sfu_adapter_inspect(const SfuAdapter *a);
JsonNode *sfu_adapter_inspect_json(const SfuAdapter *a);

G_END_DECLS
#endif
