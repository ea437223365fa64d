/* Model files that are cut, lie, or try something: one sentence, the right code, no crash. And PyTorch's .pth.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-files.h"
#include "file/pickle.h"
#include "model/embedding.h"
#include "file/file.h"
#include "file/json.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static char *folder;

/* A safetensors file of this header (and the length that `length` says, if not 0) with n_data bytes behind it. */
static char *write_raw(const char *header, guint64 length, gsize n_data)
{
    char *path = in(folder, "raw.safetensors");
    GByteArray *b = g_byte_array_new();
    const guint64 n = length ? length : strlen(header);
    for (int i = 0; i < 8; i++) {
        const guint8 byte = (guint8)(n >> (8 * i));
        g_byte_array_append(b, &byte, 1);
    }
    g_byte_array_append(b, (const guint8 *)header, (guint)strlen(header));
    const guint at = b->len;
    g_byte_array_set_size(b, (guint)(at + n_data));
    memset(b->data + at, 0, n_data);
    write_bytes(path, b->data, b->len);
    g_byte_array_unref(b);
    return path;
}

#define F(shape, from, to) "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void test_headers(void)
{
    static const struct {
        const char *header;
        guint64 length;
        gsize n_data;
        const char *word;
    } cases[] = {
        {"{}", 1000, 0, "truncated"},
        {"{}", (guint64)1 << 63, 0, "truncated"},
        {"{}", G_MAXUINT64, 0, "truncated"},
        {"{\"a\":1", 0, 0, "JSON"},
        {"{\"a\":}", 0, 0, "JSON"},
        {"{\"a\xff\":1}", 0, 0, "UTF-8"},
        {"{\"a\":1}", 0, 0, "not an object"},
        {"{\"a\":{}}", 0, 0, "lacks dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, 4, "lacks dtype"},
        {"{\"a\":{\"dtype\":3,\"shape\":[1],\"data_offsets\":[0,4]}}", 0, 4, "lacks dtype"},
        {"{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 0, 4, "F31"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":\"x\",\"data_offsets\":[0,4]}}", 0, 4, "lacks dtype"},
        {"{\"a\":" F("[1]", "0", "4") ",\"b\":" F("[1]", "4", "8") "}", 0, 4, "outside"},
        {"{\"a\":" F("[1]", "4", "0") "}", 0, 4, "outside"},
        {"{\"a\":" F("[1]", "-4", "0") "}", 0, 4, "outside"},
        {"{\"a\":" F("[1]", "0.0", "4.0") "}", 0, 4, "outside"},
        {"{\"a\":" F("[1]", "9223372036854775807", "9223372036854775807") "}", 0, 4, "outside"},
        {"{\"a\":" F("[2]", "0", "4") "}", 0, 4, "needs 8"},
        {"{\"a\":" F("[-1]", "0", "4") "}", 0, 4, "impossible shape"},
        {"{\"a\":" F("[1.5]", "0", "4") "}", 0, 4, "impossible shape"},
        {"{\"a\":" F("[99999999999999999999]", "0", "4") "}", 0, 4, "impossible shape"},
        {"{\"a\":" F("[1073741824,1073741824,1073741824,1073741824]", "0", "4") "}", 0, 4, "impossible shape"},
        {"{\"a\":" F("[4294967296,4294967296]", "0", "0") "}", 0, 0, "impossible shape"},
        {"{\"a\":" F("[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 0, 4, "9 dimensions"},
        {"{\"a\":" F("[2]", "0", "8") ",\"b\":" F("[2]", "4", "12") "}", 0, 12, "overlap"},
        {"{\"a\":" F("[2]", "0", "8") ",\"b\":" F("[2]", "0", "8") "}", 0, 8, "overlap"},
        {"{\"a\":" F("[1]", "4", "8") "}", 0, 8, "before 'a' belong to no tensor"},
        {"{\"a\":" F("[1]", "0", "4") "}", 0, 9, "5 bytes longer"},
        {"{\"a\":" F("[1]", "0", "4") ",\"a\":" F("[1]", "0", "4") "}", 0, 4, "twice"},
        {"{\"a\":" F("[1]", "0", "4") ",\"\\u0061\":" F("[1]", "0", "4") "}", 0, 4, "twice"},
        {"[1]", 0, 0, "not a safetensors"},
        {"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", 0, 0, "too many levels"},
        {"{\"a\":" F("[1]", "0", "4") "}{}", 0, 4, "a bracket too many"},
        {"{}", 0, 0, "no tensors"},
        {"{\"__metadata__\":{\"a\":\"b\"}}", 0, 0, "no tensors"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *path = write_raw(cases[i].header, cases[i].length, cases[i].n_data);
        GError *error = NULL;
        SfuModel *m = sfu_model_open(path, &error);
        if (m || !strstr(error->message, cases[i].word))
            g_error("header %s: '%s' lacks '%s'", cases[i].header, error ? error->message : "(opened)", cases[i].word);
        g_assert_true(g_error_matches(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT) ||
                      g_error_matches(error, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY));
        g_error_free(error);
    }
}

/* 100,000 levels would overflow the stack of a parser that recurses. */
static void test_deep_nesting(void)
{
    GString *s = g_string_new("{\"a\":");
    for (int i = 0; i < 100000; i++)
        g_string_append_c(s, '[');
    open_bad(write_raw(s->str, 0, 0), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "JSON");
    for (int i = 0; i < 100000; i++)
        g_string_append_c(s, ']');
    g_string_append_c(s, '}');
    open_bad(write_raw(s->str, 0, 0), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "JSON");
    write_bytes(in(folder, "deep/model_index.json"), s->str, s->len);
    open_bad(in(folder, "deep"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "JSON");
    g_string_free(s, TRUE);
}

/* Every prefix of a good file is refused, at every byte of the header and a few of the data. */
static void test_cut_anywhere(void)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    char *text = NULL;
    gsize n;
    rows_add(rows, "body.0.weight", SFU_F32, 4, (gint64)4, (gint64)3, (gint64)3, (gint64)3);
    rows_add(rows, "body.0.bias", SFU_F32, 1, (gint64)4);
    rows_add(rows, "body.1.weight", SFU_F32, 1, (gint64)4);
    rows_add(rows, "body.2.weight", SFU_F32, 4, (gint64)12, (gint64)4, (gint64)3, (gint64)3);
    rows_add(rows, "body.2.bias", SFU_F32, 1, (gint64)12);
    write_safetensors(in(folder, "whole.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
    SfuModel *m = open_good(in(folder, "whole.safetensors"));
    assert_complete(m);
    sfu_model_close(m);
    g_assert_true(g_file_get_contents(in(folder, "whole.safetensors"), &text, &n, NULL));
    for (gsize cut = 0; cut < n; cut += cut < 400 ? 1 : 97) {
        GPtrArray *out = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
        GError *error = NULL;
        guint8 *copy = g_memdup2(text, cut ? cut : 1); /* exactly as long, so that a sanitizer sees a byte too far */
        g_assert_false(sfu_safetensors_parse(copy, cut, "cut", out, NULL, &error));
        g_assert_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT);
        g_clear_error(&error);
        g_free(copy);
        g_ptr_array_unref(out);
    }
    g_free(text);
    g_ptr_array_unref(rows);
}

static void test_not_a_model(void)
{
    write_text(in(folder, "empty"), "");
    open_bad(in(folder, "empty"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "too short");
    write_text(in(folder, "text"), "Dear model, ...");
    open_bad(in(folder, "text"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "not a safetensors");
    open_bad(in(folder, "nothing"), SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, "does not exist");
    open_bad("/dev/zero", SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, "not a file");
    g_assert_cmpint(mkfifo(in(folder, "pipe"), 0600), ==, 0);
    open_bad(in(folder, "pipe"), SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN,
             "not a file"); /* and does not wait for a writer */
    g_assert_cmpint(g_mkdir_with_parents(in(folder, "hollow"), 0700), ==, 0);
    open_bad(in(folder, "hollow"), SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "not a diffusers folder");
    write_text(in(folder, "noweights/unet/config.json"), "{}");
    open_bad(in(folder, "noweights"), SFU_MODEL_ERROR, SFU_MODEL_ERROR_MISSING, "no .safetensors");
    write_text(in(folder, "noweights/unet/config.json"), "[]");
    open_bad(in(folder, "noweights"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "no JSON object");
    write_text(in(folder, "noweights/unet/config.json"), "");
    open_bad(in(folder, "noweights"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "JSON");
    static const struct {
        const char *text, *said;
    } foreign[] = {{"<!DOCTYPE html><html>", "web page"},
                   {"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"},
                   {"\x1f\x8b\x08 and more", "packed archive"},
                   {"\x89HDF\r\n\x1a\n more", "HDF5"},
                   {"<?xml version=\"1.0\"?><net>", "OpenVINO"},
                   {"\x08\x07\x12\x07pytorch and more", "ONNX"},
                   {"\x1c\x01\x01\x01TFL3 and more", "TensorFlow Lite"},
                   {"\x89PNG\r\n\x1a\n more", "a picture"}};
    for (guint i = 0; i < G_N_ELEMENTS(foreign); i++) {
        write_text(in(folder, "foreign.safetensors"), foreign[i].text);
        open_bad(in(folder, "foreign.safetensors"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, foreign[i].said);
    }
    write_text(in(folder, "x.ckpt"), "anything");
    open_bad(in(folder, "x.ckpt"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "x.ckpt");
}

/* A header of 0x10280 bytes begins like a pickle of protocol 2. */
static void test_length_like_a_pickle(void)
{
    GString *s = g_string_new("{\"who.knows\":" F("[1]", "0", "4") "}");
    while (s->len < 0x10280)
        g_string_append_c(s, ' ');
    open_bad(write_raw(s->str, 0, 4), SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "'who.knows'");
    g_string_free(s, TRUE);
}

static void test_foreign(void)
{
    static const char *const cases[][2] = {{"conditioner.embedders.0.transformer.text_model.x", "XL"},
                                           {"lora_unet_down_blocks_0_attentions_0.lora_down.weight", "LoRA"},
                                           {"control_model.input_blocks.0.0.weight", "ControlNet"},
                                           {"controlnet_blocks.0.weight", "for transformers"},
                                           {"lllite_unet_mid_block.down.0.weight", "LLLite"},
                                           {"spatial_feat_mapping.0.1.weight", "CoAdapter"},
                                           {"brushnet_down_blocks.0.weight", "BrushNet"},
                                           {"control_img_in.weight", "ControlNet for FLUX.2"},
                                           {"enc_zero_convs_out.0.weight", "ControlNet-XS"},
                                           {"ip_adapter_proj_model.proj.weight", "IP-Adapter for FLUX.1"},
                                           {"id_encoder.visual_projection_2.weight", "PhotoMaker"},
                                           {"pulid_ca.0.to_q.weight", "PuLID"},
                                           {"clip_g", "textual inversion"},
                                           {"encoder.block.0.layer.0.SelfAttention.k.weight", "T5"},
                                           {"distilled_guidance_layer.in_proj.bias", "Chroma"},
                                           {"txt_in.individual_token_refiner.blocks.0.x", "HunyuanVideo"},
                                           {"time_text_embed.text_embedder.linear_1.weight", "Stable Diffusion 3 or"},
                                           {"patchify_proj.weight", "LTX-Video"},
                                           {"t_block.1.weight", "PixArt"},
                                           {"blocks.0.cross_attn.norm_k.weight", "Wan"},
                                           {"blocks.0.adaln_modulation_mlp.1.weight", "Anima"},
                                           {"layers.0.adaLN_modulation.1.weight", "Lumina 2"},
                                           {"clip_txt_mapper.weight", "Cascade"},
                                           {"encoder_hid_proj.weight", "Kolors"},
                                           {"model.diffusion_model.double_blocks.0.x", "Flux"},
                                           {"down_blocks.0.resnets.0.conv1.weight", "folder"},
                                           {"params.am_list.0.fc.0.weight", "MM-RealSR"},
                                           {"params_ema.gblocks.1.fc1.weight", "MoSR"},
                                           {"model.layers.0.blocks.0.gamma", "RGT"},
                                           {"layers.0.swin1.attn.qkv.weight", "DRCT"},
                                           {"net_g.middle_blks.0.beta", "NAFNet"},
                                           {"m_tail.0.weight", "SCUNet"},
                                           {"who.knows", "'who.knows' and 1 more"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
        rows_add(rows, cases[i][0], SFU_F32, 1, (gint64)1);
        rows_add(rows, "zz", SFU_F32, 1, (gint64)1);
        write_safetensors(in(folder, "foreign.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
        open_bad(in(folder, "foreign.safetensors"), SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, cases[i][1]);
        g_ptr_array_unref(rows);
    }
}

/* What tells them are shapes, or tensors beside those of a kind that is run. */
static void test_foreign_kin(void)
{
    static const struct {
        const char *name, *beside;
        gint64 in;
        const char *says;
    } cases[] = {{"image_proj.proj_in.weight", "image_proj.latents", 512, "InstantID"},
                 {"image_proj.proj.0.weight", "image_proj.proj.2.weight", 512, "FaceID"},
                 {"image_proj.proj_in.weight", "image_proj.perceiver_resampler.proj_in.weight", 1280, "FaceID"},
                 {"controlnet_cond_embedding.conv_in.weight", "up_connections.0.ctrl_to_base.0.weight", 3, "-XS"},
                 {"controlnet_cond_embedding.conv_in.weight", "control_to_base_for_conv_in.weight", 3, "-XS"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
        rows_add(rows, cases[i].name, SFU_F32, 2, (gint64)2, cases[i].in);
        rows_add(rows, cases[i].beside, SFU_F32, 1, (gint64)1);
        write_safetensors(in(folder, "kin.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
        open_bad(in(folder, "kin.safetensors"), SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, cases[i].says);
        g_ptr_array_unref(rows);
    }
}

/* Two original names that mean the same tensor. */
static void test_same_tensor_twice(void)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    rows_add(rows, "model.diffusion_model.out.2.bias", SFU_F32, 1, (gint64)4);
    rows_add(rows, "cond_stage_model.transformer.text_model.final_layer_norm.bias", SFU_F32, 1, (gint64)4);
    rows_add(rows, "cond_stage_model.transformer.final_layer_norm.bias", SFU_F32, 1, (gint64)4);
    write_safetensors(in(folder, "twice.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
    open_bad(in(folder, "twice.safetensors"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "twice");
    g_ptr_array_unref(rows);
}

/* Impossible shapes of the tensors that the configuration is read from. */
static void test_wild_shapes(void)
{
    static const char *const names[] = {"conv_in.weight",
                                        "conv_out.weight",
                                        "down_blocks.0.resnets.0.conv1.weight",
                                        "mid_block.attentions.0.proj_in.weight",
                                        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
                                        "time_embedding.linear_1.weight"};
    static const gint64 wild[] = {0, 1, 3, (gint64)1 << 33};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        for (gsize k = 0; k < G_N_ELEMENTS(wild); k++) {
            GPtrArray *rows = names_section("unet sd1");
            Row *r = row_find(rows, names[i]);
            GError *error = NULL;
            r->dims[0] = wild[k];
            r->n_dims = k == 1 ? 1 : 2;
            r->dims[1] = 1;
            write_safetensors(in(folder, "wild.safetensors"), rows, USE_ORIGINAL, NULL, FILL_HOLE);
            SfuModel *m = sfu_model_open(in(folder, "wild.safetensors"), &error);
            if (m) {
                char *missing = inspect_list(m, "missing");
                g_assert_cmpstr(missing, !=, "");
                g_free(missing);
                sfu_model_close(m);
            } else {
                g_assert_true(error->domain == SFU_MODEL_ERROR || error->domain == SFU_FILE_ERROR);
                g_error_free(error);
            }
            g_ptr_array_unref(rows);
        }
}

static void test_nan_weights(void)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    char *path = in(folder, "nan.safetensors"), *text = NULL;
    gsize n;
    GError *error = NULL;
    rows_add(rows, "body.0.weight", SFU_F32, 4, (gint64)4, (gint64)3, (gint64)3, (gint64)3);
    rows_add(rows, "body.1.weight", SFU_F32, 1, (gint64)4);
    rows_add(rows, "body.2.weight", SFU_F32, 4, (gint64)12, (gint64)4, (gint64)3, (gint64)3);
    write_safetensors(path, rows, USE_CANONICAL, NULL, FILL_VALUES);
    SfuModel *m = open_good(path);
    g_assert_true(sfu_model_check_finite(m, SFU_PART_UPSCALER, &error));
    sfu_model_close(m);
    g_assert_true(g_file_get_contents(path, &text, &n, NULL));
    const float bad[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        memcpy(text + n - 4, &bad[i], 4); /* the last value of body.2.weight */
        write_bytes(path, text, n);
        m = open_good(path);
        g_assert_false(sfu_model_check_finite(m, SFU_PART_UPSCALER, &error));
        g_assert_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, "body.2.weight"));
        g_clear_error(&error);
        sfu_model_close(m);
    }
    g_free(text);
    g_ptr_array_unref(rows);
}

static void test_changed_while_open(void)
{
    GPtrArray *rows = names_section("vae");
    char *path = in(folder, "changed.safetensors");
    GError *error = NULL;
    write_safetensors(path, rows, USE_CANONICAL, NULL, FILL_HOLE);
    SfuModel *m = open_good(path);
    g_assert_true(sfu_model_check_unchanged(m, &error));
    write_text(path, "other");
    g_assert_false(sfu_model_check_unchanged(m, &error));
    g_assert_error(error, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN);
    g_clear_error(&error);
    sfu_model_close(m);
    g_ptr_array_unref(rows);
}

/* ---- .pth ---- */

static char *pth(const char *name)
{
    return in(PTH, name);
}

static GPtrArray *pth_tensors(const char *name)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
    GError *error = NULL;
    GMappedFile *map = g_mapped_file_new(pth(name), FALSE, &error);
    g_assert_no_error(error);
    /* Kept mapped until the program ends: the tensors point into it. */
    g_assert_true(
        sfu_pth_parse((guint8 *)g_mapped_file_get_contents(map), g_mapped_file_get_length(map), name, out, &error));
    return out;
}

static const SfuFileTensor *tensor_named(GPtrArray *tensors, const char *name)
{
    for (guint i = 0; i < tensors->len; i++)
        if (strcmp(((SfuFileTensor *)g_ptr_array_index(tensors, i))->name, name) == 0)
            return g_ptr_array_index(tensors, i);
    g_error("no tensor %s", name);
}

static void check_f32(GPtrArray *tensors, const char *name, int n, const float *expect)
{
    const SfuFileTensor *t = tensor_named(tensors, name);
    g_assert_cmpint(t->n_elements, ==, n);
    g_assert_cmpint(t->dtype, ==, SFU_F32);
    for (int i = 0; i < n; i++) {
        float v;
        memcpy(&v, t->data + 4 * i, 4);
        g_assert_cmpfloat(v, ==, expect[i]);
    }
}

static void test_pth_strides(void)
{
    GPtrArray *t = pth_tensors("strides.pth");
    float columns[18], transposed[48], permuted[24];
    for (int i = 0; i < 18; i++)
        columns[i] = (float)(i / 3 * 8 + 2 + i % 3);
    for (int i = 0; i < 48; i++)
        transposed[i] = (float)(i % 6 * 8 + i / 6);
    for (int i = 0; i < 24; i++) /* [4, 2, 3] of [2, 3, 4] */
        permuted[i] = (float)(i / 3 % 2 * 12 + i % 3 * 4 + i / 6);
    check_f32(t, "columns", 18, columns);
    check_f32(t, "transposed", 48, transposed);
    check_f32(t, "permuted", 24, permuted);
    check_f32(t, "row", 8, (const float[]){24, 25, 26, 27, 28, 29, 30, 31});
    check_f32(t, "scalar", 1, (const float[]){7});
    check_f32(t, "one", 1, (const float[]){20});
    g_assert_cmpint(tensor_named(t, "empty")->n_elements, ==, 0);
    g_assert_null(tensor_named(t, "row")->owned); /* dense ones stay in the mapping */
    g_ptr_array_unref(t);
}

static void test_pth_dtypes(void)
{
    static const struct {
        const char *name;
        SfuDtype dtype;
    } types[] = {{"float64", SFU_F64}, {"float32", SFU_F32}, {"float16", SFU_F16}, {"bfloat16", SFU_BF16},
                 {"int64", SFU_I64},   {"int32", SFU_I32},   {"int16", SFU_I16},   {"int8", SFU_I8},
                 {"uint8", SFU_U8},    {"bool", SFU_BOOL}};
    GPtrArray *t = pth_tensors("dtypes.pth");
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        const SfuFileTensor *x = tensor_named(t, types[i].name);
        float v[5];
        g_assert_cmpint(x->dtype, ==, types[i].dtype);
        g_assert_cmpint(x->n_elements, ==, 5);
        SfuWeight *w = sfu_weight_new(x->name, x->dtype, x->n_dims, x->dims, x->data, 5 * sfu_dtype_bytes(x->dtype));
        sfu_weight_read_f32(w, 0, 5, v);
        for (int k = 0; k < 5; k++)
            g_assert_cmpfloat(v[k], ==, types[i].dtype == SFU_BOOL ? k > 0 : k);
        sfu_weight_destroy(w);
    }
    g_ptr_array_unref(t);
}

static void test_pth_models(void)
{
    static const struct {
        const char *name;
        int features;
    } cases[] = {
        {"plain.pth", 4},      {"srvgg.pth", 4},    {"training.pth", 4}, {"lightning.ckpt", 4},
        {"protocol-4.pth", 4}, {"legacy-4.pth", 4}, {"legacy.pth", 4}}; /* srvgg.pth: params_ema goes before params */
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SfuModel *m = open_good(pth(cases[i].name));
        float v[12];
        assert_complete(m);
        g_assert_cmpstr(sfu_model_family(m)->id, ==, "srvgg");
        g_assert_cmpint(sfu_model_upscaler(m)->features, ==, cases[i].features);
        g_assert_cmpint(sfu_model_upscaler(m)->scale, ==, 2);
        sfu_weight_read_f32(sfu_model_find(m, SFU_PART_UPSCALER, "body.2.bias"), 0, 4, v);
        g_assert_cmpfloat(v[3], ==, 3);
        sfu_model_close(m);
    }
    GPtrArray *t = pth_tensors("training.pth");
    g_assert_cmpint(tensor_named(t, "parameter")->n_elements, ==, 3);
    g_ptr_array_unref(t);
    t = pth_tensors("module.pth"); /* a module's state: an OrderedDict with attributes */
    g_assert_cmpint(tensor_named(t, "0.weight")->n_elements, ==, 4 * 3 * 9);
    g_assert_cmpint(t->len, ==, 7);
    g_ptr_array_unref(t);
}

/* A TorchScript archive: tensors by the attributes that lead to them; its code is not read. */
static void test_pth_torchscript(void)
{
    GPtrArray *t = pth_tensors("torchscript.pth");
    check_f32(t, "model.0.bias", 4, (const float[]){0, 1, 2, 3});
    check_f32(t, "model.1.running_var", 4, (const float[]){0, 1, 2, 3});
    g_assert_cmpint(tensor_named(t, "model.0.weight")->n_elements, ==, 4 * 3 * 9);
    g_assert_cmpint(t->len, ==, 7);
    g_ptr_array_unref(t);
}

/* A word's vectors in a module, as textual inversion first saved them. */
static void test_pth_parameter_dict(void)
{
    GError *error = NULL;
    GPtrArray *t = pth_tensors("embedding.pth");
    check_f32(t, "string_to_param._parameters.*", 12, (const float[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    g_ptr_array_unref(t);
    SfuEmbedding *e = sfu_embedding_read(pth("embedding.pth"), NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(e->n, ==, 3);
    g_assert_cmpint(e->width[0], ==, 4);
    sfu_embedding_free(e);
}

static void test_pth_refused(void)
{
    const char *trace = "/tmp/sfumato-was-here";
    g_remove(trace);
    open_bad(pth("evil-system.pth"), SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED, "'posix.system'");
    open_bad(pth("evil-eval.pth"), SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED, "eval'");
    open_bad(pth("evil-module.pth"), SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED, "'torch.nn.modules.linear.Linear'");
    g_assert_false(g_file_test(trace, G_FILE_TEST_EXISTS));
    open_bad(pth("bare.pth"), SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED, "bare pickle");
    open_bad(pth("evil-legacy.pth"), SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED, "'posix.system'");
    open_bad(pth("checkpoint.pth"), SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED, "convert it to safetensors");
    open_bad(pth("expanded.pth"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "larger than its storage");
    open_bad(pth("strides.pth"), SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "knows no model with these tensors");
    write_text(in(folder, "not.zip"), "PK\3\4 and nothing more, of some length");
    open_bad(in(folder, "not.zip"), SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "directory");
}

/* Cut, and with each byte changed: an answer, never a crash (the fuzzers do this at length). */
static void test_pth_damaged(gconstpointer name)
{
    char *text = NULL;
    gsize n;
    g_assert_true(g_file_get_contents(pth(name), &text, &n, NULL));
    for (gsize i = 0; i < 2 * n; i++) {
        GPtrArray *out = g_ptr_array_new_with_free_func(sfu_file_tensor_free);
        const gsize length = i < n ? i : n;
        guint8 *copy = g_memdup2(text, length ? length : 1);
        GError *error = NULL;
        if (i >= n)
            copy[i - n] ^= 0x41;
        const gboolean ok = sfu_pth_parse(copy, length, "damaged", out, &error);
        g_assert_true(ok == (error == NULL) && (i >= n || !ok));
        g_clear_error(&error);
        g_ptr_array_unref(out);
        g_free(copy);
    }
    g_free(text);
}

/* Messages quote the beginning of a text from outside; a UTF-8 character is not cut, whatever its length. */
static void test_text_head(void)
{
    static const char *const characters[] = {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8e\xa8"};
    for (gsize k = 0; k < G_N_ELEMENTS(characters); k++)
        for (int before = 0; before < 4; before++) {
            GString *text = g_string_new(NULL);
            for (int i = 0; i < before; i++)
                g_string_append_c(text, 'x');
            while (text->len < 100)
                g_string_append(text, characters[k]);
            const char *start = SFU_TEXT_HEAD(text->str);
            g_assert_true(g_utf8_validate(start, -1, NULL));
            g_assert_true(g_str_has_prefix(text->str, start));
            g_assert_cmpuint(strlen(start), <=, 60);
            g_assert_cmpuint(strlen(start), >, 60 - strlen(characters[k]));
            g_string_free(text, TRUE);
        }
    g_assert_cmpstr(SFU_TEXT_HEAD("short"), ==, "short");
    g_assert_cmpstr(SFU_TEXT_HEAD(""), ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = folder_new();
    g_test_add_func("/json/text-head", test_text_head);
    g_test_add_func("/model-bad/headers", test_headers);
    g_test_add_func("/model-bad/deep-nesting", test_deep_nesting);
    g_test_add_func("/model-bad/cut-anywhere", test_cut_anywhere);
    g_test_add_func("/model-bad/not-a-model", test_not_a_model);
    g_test_add_func("/model-bad/length-like-a-pickle", test_length_like_a_pickle);
    g_test_add_func("/model-bad/foreign", test_foreign);
    g_test_add_func("/model-bad/foreign-kin", test_foreign_kin);
    g_test_add_func("/model-bad/same-tensor-twice", test_same_tensor_twice);
    g_test_add_func("/model-bad/wild-shapes", test_wild_shapes);
    g_test_add_func("/model-bad/nan-weights", test_nan_weights);
    g_test_add_func("/model-bad/changed-while-open", test_changed_while_open);
    g_test_add_func("/pth/strides", test_pth_strides);
    g_test_add_func("/pth/dtypes", test_pth_dtypes);
    g_test_add_func("/pth/models", test_pth_models);
    g_test_add_func("/model-bad/pth-torchscript", test_pth_torchscript);
    g_test_add_func("/pth/parameter-dict", test_pth_parameter_dict);
    g_test_add_func("/pth/refused", test_pth_refused);
    g_test_add_data_func("/pth/damaged/zip", "strides.pth", test_pth_damaged);
    g_test_add_data_func("/pth/damaged/legacy", "legacy.pth", test_pth_damaged);
    const int status = g_test_run();
    folder_remove(folder);
    return status;
}
