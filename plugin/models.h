/* Finding models, which reads files, and choosing among them.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PLUGIN_MODELS_H
#define SFU_PLUGIN_MODELS_H

#include "background.h"
#include "settings.h"

G_BEGIN_DECLS

/* Folders that are searched, by the engine's runs too from then on: Sfumato's own, those where ComfyUI, AUTOMATIC1111,
 * Forge, InvokeAI and Krita's plug-in keep their models in the home folder, if they are there, and `extra`.
 * NULL-terminated; caller frees with g_strfreev(). */
char **sfu_models_folders(const char *const *extra);
/* Looks through all folders, the extra ones too, in a thread: SfuModelInfo*. */
SfuBackground *sfu_models_look(const char *const *extra, SfuFound found, gpointer data);
/* The same for the networks that steer a model: SfuControlNet*. */
SfuBackground *sfu_models_look_for_nets(const SfuSettings *settings, const char *model, SfuFound found, gpointer data);
/* Asks in a thread what a model does with reference layers. */
SfuBackground *sfu_models_ask_for_references(const SfuSettings *settings, const char *model,
                                             void (*said)(SfuReferences use, gpointer data), gpointer data);
/* The same for the settings' folders, to the end, while the main loop turns. Caller unrefs. */
GPtrArray *sfu_models_wait(const SfuSettings *settings);

/* Paths of the models that may do what is asked, the one to try first at the front: that of the request and no other if
 * it names one; else that of the settings, then by rank, and within a rank the one that was faster on this device
 * (sfu_settings_seconds()), except for enlarging. Removing goes to models that are made for filling before it goes to
 * those that make whole pictures, which take far longer and invent. "" stands for the engine's own choice.
 * NULL-terminated; caller frees with g_strfreev(). */
char **sfu_models_to_try(const SfuSettings *settings, GPtrArray *models, const SfuRequest *r);
/* Adapters (LoRA and its kin): files in folders called loras, Lora or lora below those that are searched. Sorted paths;
 * caller frees with g_strfreev(). Reads folders only. */
char **sfu_models_adapters(const SfuSettings *settings);
/* Whether a model may do an action: its task, and for Restore a network that enlarges by 1. */
gboolean sfu_model_can(const SfuModelInfo *m, SfuAction action);
/* The model's entry, NULL: not found; and its name for people. Caller frees. */
const SfuModelInfo *sfu_models_find(GPtrArray *models, const char *path);
char *sfu_models_name(GPtrArray *models, const char *path);

G_END_DECLS
#endif
