/* The JSON of a diffusers folder. The input stands as model_index.json, scheduler_config.json and each network's
 * config.json. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "family/family.h"
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static char *folder;

static char *path(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void write_file(const char *name, const void *data, size_t size)
{
    char *p = path(name);
    g_assert_true(g_file_set_contents_full(p, data, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    g_free(p);
}

/* A network of a few tensors, [1, 1, 1, 1] or [77, 64] and of no bytes that count. */
static void write_network(const char *name, const char *const *tensors)
{
    GString *s = g_string_new("{\"__metadata__\":{}");
    int at = 0;
    for (; *tensors; tensors++) {
        const gboolean table = strstr(*tensors, "embedding.weight") != NULL;
        const int n = table ? 77 * 64 : 64 * 64;
        g_string_append_printf(s, ",\"%s\":{\"dtype\":\"U8\",\"shape\":[%s],\"data_offsets\":[%d,%d]}", *tensors,
                               table ? "77,64" : "64,64,1,1", at, at + n);
        at += n;
    }
    g_string_append_c(s, '}');
    const guint64 length = s->len;
    GByteArray *b = g_byte_array_new();
    g_byte_array_append(b, (const guint8 *)&length, 8);
    g_byte_array_append(b, (const guint8 *)s->str, (guint)s->len);
    const guint header = b->len;
    g_byte_array_set_size(b, header + (guint)at);
    memset(b->data + header, 0, (gsize)at);
    write_file(name, b->data, b->len);
    g_byte_array_unref(b);
    g_string_free(s, TRUE);
}

static void remove_folder(void)
{
    static const char *const all[] = {"unet/config.json",
                                      "unet/diffusion_pytorch_model.safetensors",
                                      "unet",
                                      "vae/config.json",
                                      "vae/diffusion_pytorch_model.safetensors",
                                      "vae",
                                      "text_encoder/config.json",
                                      "text_encoder/model.safetensors",
                                      "text_encoder",
                                      "scheduler/scheduler_config.json",
                                      "scheduler",
                                      "model_index.json",
                                      ""};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        char *p = path(all[i]);
        g_remove(p);
        g_free(p);
    }
}

static void set_up(void)
{
    static const char *const folders[] = {"unet", "vae", "text_encoder", "scheduler"};
    static const char *const unet[] = {"conv_in.weight",
                                       "conv_out.weight",
                                       "down_blocks.0.resnets.0.conv1.weight",
                                       "down_blocks.0.attentions.0.proj_in.weight",
                                       "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
                                       NULL};
    static const char *const vae[] = {"decoder.conv_in.weight", "decoder.up_blocks.0.resnets.0.conv1.weight",
                                      "decoder.up_blocks.0.resnets.1.conv1.weight", NULL};
    static const char *const text[] = {"text_model.embeddings.token_embedding.weight",
                                       "text_model.embeddings.position_embedding.weight",
                                       "text_model.encoder.layers.0.mlp.fc1.weight", NULL};
    /* Memory rather than disk, where there is such a place. */
    char *template = g_build_filename(g_file_test("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm" : g_get_tmp_dir(),
                                      "sfumato-fuzz-XXXXXX", NULL);
    folder = g_mkdtemp(template);
    g_assert_nonnull(folder);
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        char *p = path(folders[i]);
        g_mkdir(p, 0700);
        g_free(p);
    }
    write_network("unet/diffusion_pytorch_model.safetensors", unet);
    write_network("vae/diffusion_pytorch_model.safetensors", vae);
    write_network("text_encoder/model.safetensors", text);
    atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    if (!folder)
        set_up();
    write_file("model_index.json", data, size);
    write_file("scheduler/scheduler_config.json", data, size);
    write_file("unet/config.json", data, size);
    write_file("vae/config.json", data, size);
    write_file("text_encoder/config.json", data, size);
    SfuModel *m = sfu_model_open(folder, &error);
    fuzz_check_error(m != NULL, &error);
    if (m)
        g_free(sfu_model_inspect(m));
    sfu_model_close(m);
    return 0;
}
