/* Model files: every family in every layout, by its true names and shapes (names.txt.gz, from make-names.py).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-files.h"
#include <glib/gstdio.h>
#include <string.h>

/* ---- single files at full size: names and shapes; the values are a hole in the file ---- */

typedef struct {
    const char *name, *unet, *vae, *text;
    const char *family; /* its id */
    int in_channels, context, text_layers;
    double unet_millions, text_millions; /* published parameter counts; of a text encoder as in the file */
    gboolean v;
} Single;

static const Single singles[] = {
    {"sd1", "unet sd1", "vae", "text sd1", "sd1", 4, 768, 12, 859.52, 123.06, FALSE},
    {"sd1-inpaint", "unet sd1 inpaint", "vae", "text sd1", "sd1-inpaint", 9, 768, 12, 859.54, 123.06, FALSE},
    {"sd1-edit", "unet sd1 edit", "vae", "text sd1", "sd1-edit", 8, 768, 12, 859.53, 123.06, FALSE},
    {"sd2", "unet sd2", "vae", "openclip", "sd2", 4, 1024, 23, 865.91, 352.98, FALSE},
    {"sd2-inpaint", "unet sd2 inpaint", "vae", "openclip", "sd2-inpaint", 9, 1024, 23, 865.93, 352.98, FALSE},
    {"x4", "unet x4", "vae x4", "openclip", "sd-x4", 7, 1024, 23, 473.40, 352.98, TRUE},
};

static gint64 part_number(SfuModel *m, SfuPart part, const char *member)
{
    JsonNode *n = sfu_model_inspect_json(m);
    JsonObject *parts = json_object_get_object_member(json_node_get_object(n), "parts");
    const gint64 v = json_object_get_int_member(json_object_get_object_member(parts, sfu_part_name(part)), member);
    json_node_unref(n);
    return v;
}

static void check_config(SfuModel *m, const Single *s)
{
    const SfuUnetConfig *u = sfu_model_unet(m);
    const gboolean x4 = strcmp(s->family, "sd-x4") == 0, two = s->context == 1024;
    g_assert_cmpstr(sfu_model_family(m)->id, ==, s->family);
    g_assert_cmpint(u->in_channels, ==, s->in_channels);
    g_assert_cmpint(u->out_channels, ==, 4);
    g_assert_cmpint(u->cross_attention_dim, ==, s->context);
    g_assert_cmpint(u->n_blocks, ==, 4);
    g_assert_cmpint(u->layers_per_block, ==, 2);
    g_assert_cmpint(u->linear_projection, ==, two);
    g_assert_true(u->mid_attention);
    g_assert_cmpint(u->num_class_embeds, ==, x4 ? 1000 : 0);
    for (int i = 0; i < 4; i++) {
        const int c = x4 ? 256 << (i == 0 ? 0 : i == 3 ? 2 : 1) : 320 << MIN(i, 2);
        const gboolean cross = x4 ? i > 0 : i < 3, used = cross || i == 3;
        g_assert_cmpint(u->block_out_channels[i], ==, c);
        g_assert_cmpint(u->cross_attention[i], ==, cross);
        g_assert_cmpint(u->n_heads[i], ==, !used ? 0 : two && !x4 ? c / 64 : 8);
        g_assert_cmpint(u->only_cross[i], ==, x4 && (i == 1 || i == 2));
    }
    g_assert_cmpint(sfu_model_vae(m)->n_blocks, ==, x4 ? 3 : 4);
    g_assert_cmpint(sfu_model_vae(m)->layers_per_block, ==, 2);
    g_assert_cmpint(sfu_model_vae(m)->latent_channels, ==, 4);
    g_assert_true(sfu_model_vae(m)->mid_attention && sfu_model_vae(m)->quant_conv && sfu_model_vae(m)->post_quant_conv);
    g_assert_cmpfloat_with_epsilon(sfu_model_vae(m)->scaling_factor, x4 ? 0.08333f : 0.18215f, 1e-9f);
    g_assert_cmpint(sfu_model_text(m, SFU_PART_TEXT)->layers, ==, s->text_layers);
    g_assert_cmpint(sfu_model_text(m, SFU_PART_TEXT)->hidden, ==, s->context);
    g_assert_cmpint(sfu_model_text(m, SFU_PART_TEXT)->heads, ==, s->context / 64);
    g_assert_cmpint(sfu_model_text(m, SFU_PART_TEXT)->vocab, ==, 49408);
    g_assert_cmpint(sfu_model_text(m, SFU_PART_TEXT)->quick_gelu, ==, !two);
    g_assert_cmpint(sfu_model_scheduler(m)->prediction, ==, s->v ? SFU_PREDICT_V : SFU_PREDICT_EPSILON);
    g_assert_cmpfloat_with_epsilon((double)part_number(m, SFU_PART_UNET, "parameters") * 1e-6, s->unet_millions, 0.006);
}

static GPtrArray *checkpoint_rows(const Single *s)
{
    GPtrArray *rows = names_section(s->unet);
    rows_append(rows, names_section(s->vae));
    rows_append(rows, names_section(s->text));
    return rows;
}

static void test_single_full(gconstpointer data)
{
    const Single *s = data;
    char *folder = folder_new(), *path = in(folder, "model.safetensors");
    GPtrArray *rows = checkpoint_rows(s);
    /* What real checkpoints also hold. */
    rows_add(rows, "cond_stage_model.transformer.text_model.embeddings.position_ids", SFU_I64, 2, (gint64)1,
             (gint64)77);
    rows_add(rows, "betas", SFU_F32, 1, (gint64)1000);
    rows_add(rows, "alphas_cumprod_prev", SFU_F32, 1, (gint64)1000);
    rows_add(rows, "model_ema.decay", SFU_F32, 0);
    rows_add(rows, "model_ema.diffusion_modelinput_blocks00weight", SFU_F32, 4, (gint64)320, (gint64)4, (gint64)3,
             (gint64)3);
    rows_add(rows, "global_step", SFU_I64, 0);
    write_safetensors(path, rows, USE_ORIGINAL, NULL, FILL_HOLE);
    SfuModel *m = open_good(path);
    assert_complete(m);
    check_config(m, s);
    g_assert_cmpfloat_with_epsilon((double)part_number(m, SFU_PART_TEXT, "parameters") * 1e-6, s->text_millions, 0.006);
    GError *error = NULL;
    g_assert_true(sfu_model_check_unchanged(m, &error));
    g_assert_cmpuint(sfu_model_strays(m)->len, ==, 0);
    g_assert_false(sfu_model_has_part(m, SFU_PART_UPSCALER));
    char *text = sfu_model_inspect(m);
    g_assert_nonnull(strstr(text, sfu_model_family(m)->name));
    g_assert_nonnull(strstr(text, "F16"));
    g_free(text);
    sfu_model_close(m);
    g_ptr_array_unref(rows);
    folder_remove(folder);
}

/* ---- the same, small, with values: that each canonical name leads to the right bytes ---- */

/* Value `at` of the weight must be value `from` of the file's tensor. */
static void check_value(SfuModel *m, SfuPart part, const char *name, const char *in_file, gint64 at, gint64 from)
{
    float v;
    SfuWeight *w = sfu_model_find(m, part, name);
    g_assert_nonnull(w);
    sfu_weight_read_f32(w, at, 1, &v);
    if (v != file_value(in_file, from))
        g_error("%s, value %" G_GINT64_FORMAT ": %g instead of %g", name, at, (double)v,
                (double)file_value(in_file, from));
}

static void check_rows(SfuModel *m, SfuPart part, GPtrArray *rows, UseNames names, const char *strip)
{
    for (guint i = 0; i < rows->len; i++) {
        const Row *r = g_ptr_array_index(rows, i);
        const char *in_file = names == USE_CANONICAL ? r->canonical : r->original;
        const gint64 n = row_elements(r);
        if (strip && g_str_has_prefix(in_file, strip))
            in_file += strlen(strip);
        if (strcmp(r->canonical, "-") == 0)
            continue;
        if (!strstr(in_file, "in_proj_")) {
            check_value(m, part, r->canonical, in_file, 0, 0);
            check_value(m, part, r->canonical, in_file, n - 1, n - 1);
            continue;
        }
        for (int k = 0; k < 3; k++) { /* q, k and v are the thirds of one tensor */
            char *name = g_strdup(r->canonical);
            *strstr(name, "q_proj") = "qkv"[k];
            check_value(m, part, name, in_file, 0, k * (n / 3));
            check_value(m, part, name, in_file, n / 3 - 1, (k + 1) * (n / 3) - 1);
            g_assert_cmpint(sfu_weight_dim(sfu_model_find(m, part, name), 0), ==, r->dims[0] / 3);
            g_free(name);
        }
    }
}

static void test_single_values(gconstpointer data)
{
    const Single *s = data;
    char *folder = folder_new(), *path = in(folder, "tiny.safetensors");
    GPtrArray *parts[3] = {names_section(s->unet), names_section(s->vae), names_section(s->text)},
              *all = g_ptr_array_new();
    for (int i = 0; i < 3; i++) {
        rows_shrink(parts[i], i ? 128 : 320, i ? 4 : 10);
        for (guint k = 0; k < parts[i]->len; k++) {
            Row *r = g_ptr_array_index(parts[i], k);
            if (r->n_dims && r->dims[0] == 49408 / 4)
                r->dims[0] = 64;
            g_ptr_array_add(all, r);
        }
    }
    write_safetensors(path, all, USE_ORIGINAL, NULL, FILL_VALUES);
    SfuModel *m = open_good(path);
    assert_complete(m);
    g_assert_cmpstr(sfu_model_family(m)->id, ==, s->family);
    check_rows(m, SFU_PART_UNET, parts[0], USE_ORIGINAL, NULL);
    check_rows(m, SFU_PART_VAE, parts[1], USE_ORIGINAL, NULL);
    check_rows(m, SFU_PART_TEXT, parts[2], USE_ORIGINAL, NULL);
    sfu_model_close(m);
    g_ptr_array_unref(all);
    for (int i = 0; i < 3; i++)
        g_ptr_array_unref(parts[i]);
    folder_remove(folder);
}

/* ---- diffusers folders ---- */

#define UNET_SD1                                                                                                       \
    "{\"_class_name\":\"UNet2DConditionModel\",\"attention_head_dim\":8,\"norm_num_groups\":32,\"cross_attention_"     \
    "dim\":768}"
#define UNET_SD2                                                                                                       \
    "{\"_class_name\":\"UNet2DConditionModel\",\"attention_head_dim\":[5,10,20,20],\"use_linear_projection\":true,"    \
    "\"sample_size\":96}"
#define UNET_X4 "{\"_class_name\":\"UNet2DConditionModel\",\"attention_head_dim\":8,\"num_class_embeds\":1000}"
#define VAE_SD "{\"_class_name\":\"AutoencoderKL\",\"norm_num_groups\":32}"
#define VAE_X4 "{\"_class_name\":\"AutoencoderKL\",\"norm_num_groups\":32,\"scaling_factor\":0.08333}"
#define TEXT_SD1 "{\"architectures\":[\"CLIPTextModel\"],\"hidden_act\":\"quick_gelu\",\"num_attention_heads\":12}"
#define TEXT_SD2 "{\"architectures\":[\"CLIPTextModel\"],\"hidden_act\":\"gelu\",\"num_attention_heads\":16}"
#define INDEX "{\"_class_name\":\"StableDiffusionPipeline\"}"
#define SCHEDULER_V                                                                                                    \
    "{\"_class_name\":\"DDIMScheduler\",\"beta_start\":0.00085,\"beta_end\":0.012,\"beta_schedule\":\"scaled_"         \
    "linear\",\"prediction_type\":\"v_prediction\"}"

static void test_folder(gconstpointer data)
{
    const Single *s = data;
    const gboolean x4 = strcmp(s->family, "sd-x4") == 0, two = s->context == 1024;
    char *folder = folder_new();
    GPtrArray *unet = names_section(s->unet), *vae = names_section(s->vae),
              *text = names_section(two ? "text sd2" : "text sd1");
    write_text(in(folder, "model_index.json"), INDEX);
    write_text(in(folder, "scheduler/scheduler_config.json"),
               two ? SCHEDULER_V : "{\"_class_name\":\"PNDMScheduler\"}");
    write_text(in(folder, "unet/config.json"), x4 ? UNET_X4 : two ? UNET_SD2 : UNET_SD1);
    write_text(in(folder, "vae/config.json"), x4 ? VAE_X4 : VAE_SD);
    write_text(in(folder, "text_encoder/config.json"), two ? TEXT_SD2 : TEXT_SD1);
    write_safetensors(in(folder, "unet/diffusion_pytorch_model.fp16.safetensors"), unet, USE_CANONICAL, NULL,
                      FILL_HOLE);
    write_safetensors(in(folder, "vae/diffusion_pytorch_model.safetensors"), vae, USE_CANONICAL, NULL, FILL_HOLE);
    write_safetensors(in(folder, "text_encoder/model.safetensors"), text, USE_CANONICAL, NULL, FILL_HOLE);
    SfuModel *m = open_good(folder);
    assert_complete(m);
    Single expect = *s;
    expect.v = two;
    check_config(m, &expect);
    g_assert_cmpfloat_with_epsilon((double)part_number(m, SFU_PART_TEXT, "parameters") * 1e-6, two ? 340.39 : 123.06,
                                   0.006);
    g_assert_cmpint(sfu_model_unet(m)->sample_size, ==, two && !x4 ? 96 : 64);
    g_assert_true(sfu_model_scheduler(m)->in_file);
    sfu_model_close(m);
    g_ptr_array_unref(unet);
    g_ptr_array_unref(vae);
    g_ptr_array_unref(text);
    folder_remove(folder);
}

/* OpenCLIP's encoder of 2.x under other names and without a configuration: exact GELU, and all layers but the last. */
static void test_encoder_without_configuration(void)
{
    char *folder = folder_new(), *path = in(folder, "two.safetensors");
    GPtrArray *unet = names_section("unet sd2"), *text = names_section("text sd2");
    for (guint k = 0; k < text->len; k++) {
        Row *r = g_ptr_array_index(text, k);
        g_free(r->original);
        r->original = g_strconcat("cond_stage_model.transformer.", r->canonical, NULL);
    }
    rows_append(unet, text);
    write_safetensors(path, unet, USE_ORIGINAL, NULL, FILL_HOLE);
    SfuModel *m = open_good(path);
    const SfuTextConfig *c = sfu_model_text(m, SFU_PART_TEXT);
    g_assert_cmpint(c->hidden, ==, 1024);
    g_assert_cmpint(c->layers, ==, 23);
    g_assert_false(c->quick_gelu);
    g_assert_true(c->zero_padded);
    sfu_model_close(m);
    g_ptr_array_unref(unet);
    folder_remove(folder);
}

/* A diffusers folder in one file, as stable-diffusion.cpp converts it. */
static void test_folder_in_one_file(void)
{
    static const struct {
        const char *section, *prefix;
        SfuPart part;
    } parts[] = {
        {"unet sd1", "unet.", SFU_PART_UNET}, {"vae", "vae.", SFU_PART_VAE}, {"text sd1", "te.", SFU_PART_TEXT}};
    char *folder = folder_new(), *path = in(folder, "tiny.safetensors");
    GPtrArray *rows[3], *all = g_ptr_array_new();
    for (int i = 0; i < 3; i++) {
        rows[i] = names_section(parts[i].section);
        rows_shrink(rows[i], i ? 128 : 320, i ? 4 : 10);
        for (guint k = 0; k < rows[i]->len; k++) {
            Row *r = g_ptr_array_index(rows[i], k);
            if (r->n_dims && r->dims[0] == 49408 / 4)
                r->dims[0] = 64;
            g_free(r->original);
            r->original = g_strconcat(parts[i].prefix, r->canonical, NULL);
            g_ptr_array_add(all, r);
        }
    }
    write_safetensors(path, all, USE_ORIGINAL, NULL, FILL_VALUES);
    SfuModel *m = open_good(path);
    assert_complete(m);
    g_assert_cmpstr(sfu_model_family(m)->id, ==, "sd1");
    for (int i = 0; i < 3; i++)
        check_rows(m, parts[i].part, rows[i], USE_ORIGINAL, NULL);
    sfu_model_close(m);
    g_ptr_array_unref(all);
    for (int i = 0; i < 3; i++)
        g_ptr_array_unref(rows[i]);
    folder_remove(folder);
}

/* A UNet in two shards of the variant fp16, named by an index. */
static void test_shards(void)
{
    char *folder = folder_new();
    GPtrArray *unet = names_section("unet sd1"), *half[2] = {g_ptr_array_new(), g_ptr_array_new()};
    GString *index = g_string_new("{\"metadata\":{},\"weight_map\":{");
    const char *names[] = {"diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
                           "diffusion_pytorch_model.fp16-00002-of-00002.safetensors"};
    for (guint i = 0; i < unet->len; i++) {
        g_ptr_array_add(half[i % 2], g_ptr_array_index(unet, i));
        g_string_append_printf(index, "%s\"%s\":\"%s\"", i ? "," : "", ((Row *)g_ptr_array_index(unet, i))->canonical,
                               names[i % 2]);
    }
    g_string_append(index, "}}");
    write_text(in(folder, "unet/config.json"), UNET_SD1);
    for (int i = 0; i < 2; i++) {
        char *path = g_build_filename(folder, "unet", names[i], NULL);
        write_safetensors(path, half[i], USE_CANONICAL, NULL, FILL_HOLE);
        g_free(path);
    }
    write_text(in(folder, "unet/diffusion_pytorch_model.safetensors.index.fp16.json"), index->str);
    SfuModel *m = open_good(folder);
    assert_complete(m);
    g_assert_cmpint(sfu_model_unet(m)->n_heads[0], ==, 8);
    sfu_model_close(m);
    /* A shard outside of the folder, and one that is not there. */
    write_text(in(folder, "unet/diffusion_pytorch_model.safetensors.index.fp16.json"),
               "{\"weight_map\":{\"a\":\"../../x.safetensors\"}}");
    open_bad(folder, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "shard");
    write_text(in(folder, "unet/diffusion_pytorch_model.safetensors.index.fp16.json"),
               "{\"weight_map\":{\"a\":\"x.safetensors\"}}");
    open_bad(folder, SFU_FILE_ERROR, SFU_FILE_ERROR_OPEN, "x.safetensors");
    write_text(in(folder, "unet/diffusion_pytorch_model.safetensors.index.fp16.json"), "{\"weight_map\":[]}");
    open_bad(folder, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, "weight_map");
    g_ptr_array_unref(half[0]);
    g_ptr_array_unref(half[1]);
    g_ptr_array_unref(unet);
    g_string_free(index, TRUE);
    folder_remove(folder);
}

/* VAEs saved before diffusers 0.18 call their attention's matrices query, key, value and proj_attn. */
static void test_old_vae(void)
{
    static const char *const names[][2] = {
        {"to_q", "query"}, {"to_k", "key"}, {"to_v", "value"}, {"to_out.0", "proj_attn"}};
    char *folder = folder_new();
    GPtrArray *vae = names_section("vae");
    rows_shrink(vae, 128, 4);
    for (guint i = 0; i < vae->len; i++) {
        Row *r = g_ptr_array_index(vae, i);
        g_free(r->original);
        r->original = g_strdup(r->canonical);
        if (!strstr(r->canonical, "attentions.0"))
            continue;
        for (int k = 0; k < 4; k++) {
            GString *s = g_string_new(r->original);
            g_string_replace(s, names[k][0], names[k][1], 1);
            g_free(r->original);
            r->original = g_string_free(s, FALSE);
        }
        if (r->n_dims == 4)
            r->n_dims = 2;
    }
    write_text(in(folder, "config.json"), VAE_SD);
    write_safetensors(in(folder, "diffusion_pytorch_model.safetensors"), vae, USE_ORIGINAL, NULL, FILL_VALUES);
    SfuModel *m = open_good(folder); /* the network's own folder, not a pipeline's */
    assert_complete(m);
    check_rows(m, SFU_PART_VAE, vae, USE_ORIGINAL, NULL);
    g_assert_false(sfu_model_has_part(m, SFU_PART_UNET));
    sfu_model_close(m);
    g_ptr_array_unref(vae);
    folder_remove(folder);
}

/* A VAE alone in a file, with original and with diffusers' names. */
static void test_lone_vae(void)
{
    char *folder = folder_new(), *path = in(folder, "vae.safetensors");
    for (int use = USE_CANONICAL; use <= USE_ORIGINAL; use++) {
        GPtrArray *vae = names_section("vae");
        rows_shrink(vae, 128, 4);
        write_safetensors(path, vae, use, "first_stage_model.", FILL_VALUES);
        SfuModel *m = open_good(path);
        assert_complete(m);
        check_rows(m, SFU_PART_VAE, vae, use, "first_stage_model.");
        sfu_model_close(m);
        g_ptr_array_unref(vae);
    }
    folder_remove(folder);
}

/* The model in the box: no text encoder, a small context, attention at the deepest level only, flow prediction, class
 * embeddings. */
static void write_mini(const char *folder)
{
    GPtrArray *unet = names_section("unet x4"), *vae = names_section("vae x4"), *kept = g_ptr_array_new();
    rows_shrink(unet, 256, 8);
    rows_shrink(vae, 128, 4);
    for (guint i = 0; i < unet->len; i++) {
        Row *r = g_ptr_array_index(unet, i);
        /* Levels 1 and 2 lose their attention; the context is 9 wide. */
        if (strstr(r->canonical, "down_blocks.1.att") || strstr(r->canonical, "down_blocks.2.att") ||
            strstr(r->canonical, "up_blocks.1.att") || strstr(r->canonical, "up_blocks.2.att"))
            continue;
        if (strstr(r->canonical, "attn2.to_k") || strstr(r->canonical, "attn2.to_v"))
            r->dims[1] = 9;
        if (strcmp(r->canonical, "class_embedding.weight") == 0)
            r->dims[0] = 5;
        g_ptr_array_add(kept, r);
    }
    for (guint i = vae->len; i-- > 0;) {
        const Row *r = g_ptr_array_index(vae, i);
        if (strstr(r->canonical, "mid_block.attentions") || g_str_has_prefix(r->canonical, "quant_conv"))
            g_ptr_array_remove_index(vae, i);
    }
    /* Its encoder's output goes through no quant_conv then; post_quant_conv stays. */
    write_text(in(folder, "model_index.json"),
               "{\"_class_name\":\"Any\",\"sfumato\":{\"version\":1,\"tasks\":[\"inpaint\"]}}");
    write_text(in(folder, "scheduler/scheduler_config.json"),
               "{\"_class_name\":\"FlowMatchEulerDiscreteScheduler\",\"num_train_timesteps\":1000,\"shift\":3.0}");
    write_text(in(folder, "unet/config.json"),
               "{\"num_attention_heads\":4,\"attention_head_dim\":[64,1,7,3],\"norm_num_groups\":16,\"norm_eps\":1e-6,"
               "\"flip_sin_to_cos\":false,\"freq_shift\":1}");
    write_text(in(folder, "vae/config.json"),
               "{\"_class_name\":\"AutoencoderKL\",\"norm_num_groups\":8,\"scaling_factor\":1.5,\"shift_factor\":0.25,"
               "\"mid_block_add_attention\":false,\"use_quant_conv\":false}");
    write_safetensors(in(folder, "unet/diffusion_pytorch_model.safetensors"), kept, USE_CANONICAL, NULL, FILL_HOLE);
    write_safetensors(in(folder, "vae/diffusion_pytorch_model.safetensors"), vae, USE_CANONICAL, NULL, FILL_HOLE);
    g_ptr_array_unref(kept);
    g_ptr_array_unref(unet);
    g_ptr_array_unref(vae);
}

static void test_mini(void)
{
    char *folder = folder_new();
    write_mini(folder);
    SfuModel *m = open_good(folder);
    assert_complete(m);
    const SfuUnetConfig *u = sfu_model_unet(m);
    g_assert_cmpstr(sfu_model_family(m)->id, ==, "mini");
    g_assert_cmpint(json_object_get_int_member(sfu_model_sfumato(m), "version"), ==, 1);
    g_assert_cmpint(u->cross_attention_dim, ==, 9);
    g_assert_cmpint(u->num_class_embeds, ==, 5);
    g_assert_cmpint(u->norm_num_groups, ==, 16);
    g_assert_cmpfloat_with_epsilon(u->norm_eps, 1e-6f, 1e-12f);
    g_assert_cmpint(u->flip_sin_to_cos, ==, FALSE);
    g_assert_cmpfloat(u->freq_shift, ==, 1);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpint(u->cross_attention[i], ==, i == 3);
        g_assert_cmpint(u->n_heads[i], ==, i == 3 ? 4 : 0); /* num_attention_heads goes before attention_head_dim */
    }
    g_assert_cmpfloat(sfu_model_vae(m)->scaling_factor, ==, 1.5f);
    g_assert_cmpfloat(sfu_model_vae(m)->shift_factor, ==, 0.25f);
    g_assert_false(sfu_model_vae(m)->mid_attention || sfu_model_vae(m)->quant_conv);
    g_assert_true(sfu_model_vae(m)->post_quant_conv);
    g_assert_cmpint(sfu_model_scheduler(m)->prediction, ==, SFU_PREDICT_FLOW);
    g_assert_cmpfloat(sfu_model_scheduler(m)->shift, ==, 3.0);
    sfu_model_close(m);
    write_text(in(folder, "unet/config.json"), "{\"attention_head_dim\":[64,1,7,3]}");
    open_bad(folder, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "heads do not divide");
    write_text(in(folder, "unet/config.json"), "{\"norm_num_groups\":7}");
    open_bad(folder, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "norm groups");
    folder_remove(folder);
}

/* ---- TAESD ---- */

static void test_taesd(void)
{
    char *folder = folder_new();
    GPtrArray *rows = names_section("taesd"), *encoder = g_ptr_array_new(), *decoder = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        Row *r = g_ptr_array_index(rows, i);
        g_ptr_array_add(g_str_has_prefix(r->canonical, "encoder.") ? encoder : decoder, r);
    }
    write_text(in(folder, "tiny/config.json"), "{\"_class_name\":\"AutoencoderTiny\"}");
    write_safetensors(in(folder, "tiny/diffusion_pytorch_model.safetensors"), rows, USE_CANONICAL, NULL, FILL_VALUES);
    SfuModel *m = open_good(in(folder, "tiny"));
    assert_complete(m);
    g_assert_cmpstr(sfu_model_family(m)->id, ==, "taesd");
    check_value(m, SFU_PART_TAESD_DECODER, "layers.0.weight", "decoder.layers.0.weight", 3, 3);
    check_value(m, SFU_PART_TAESD_ENCODER, "layers.14.bias", "encoder.layers.14.bias", 3, 3);
    sfu_model_close(m);
    for (guint i = 0; i < rows->len; i++) { /* canonical names are those of a half: without the half's name */
        Row *r = g_ptr_array_index(rows, i);
        memmove(r->canonical, r->canonical + 8, strlen(r->canonical + 8) + 1);
    }
    write_safetensors(in(folder, "taesd_decoder.safetensors"), decoder, USE_ORIGINAL, NULL, FILL_VALUES);
    m = open_good(in(folder, "taesd_decoder.safetensors"));
    assert_complete(m);
    g_assert_false(sfu_model_has_part(m, SFU_PART_TAESD_ENCODER));
    sfu_model_close(m);
    write_safetensors(in(folder, "taesd_encoder.safetensors"), encoder, USE_ORIGINAL, NULL, FILL_VALUES);
    const char *const names[] = {"taesd_decoder.safetensors", "taesd_encoder.safetensors"};
    for (int i = 0; i < 2; i++) { /* either brings the other */
        m = open_good(in(folder, names[i]));
        assert_complete(m);
        check_rows(m, SFU_PART_TAESD_ENCODER, encoder, USE_ORIGINAL, NULL);
        check_rows(m, SFU_PART_TAESD_DECODER, decoder, USE_ORIGINAL, NULL);
        sfu_model_close(m);
    }
    g_ptr_array_unref(encoder);
    g_ptr_array_unref(decoder);
    g_ptr_array_unref(rows);
    folder_remove(folder);
}

/* ---- what a file may also be like ---- */

static void test_dtypes(void)
{
    static const SfuDtype types[] = {SFU_F8_E4M3, SFU_BF16, SFU_F32, SFU_F8_E5M2, SFU_F16, SFU_F64};
    char *folder = folder_new(), *path = in(folder, "vae.safetensors");
    GPtrArray *vae = names_section("vae");
    rows_shrink(vae, 128, 4);
    for (guint i = 0; i < vae->len; i++)
        ((Row *)g_ptr_array_index(vae, i))->dtype = types[i % G_N_ELEMENTS(types)];
    write_safetensors(path, vae, USE_CANONICAL, NULL, FILL_VALUES);
    SfuModel *m = open_good(path);
    assert_complete(m);
    check_rows(m, SFU_PART_VAE, vae, USE_CANONICAL, NULL);
    GError *error = NULL;
    g_assert_true(sfu_model_check_finite(m, SFU_PART_VAE, &error));
    char *text = sfu_model_inspect(m);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        g_assert_nonnull(strstr(text, sfu_dtype_name(types[i])));
    g_free(text);
    sfu_model_close(m);
    g_ptr_array_unref(vae);
    folder_remove(folder);
}

static void test_missing_and_unexpected(void)
{
    char *folder = folder_new(), *path = in(folder, "model.safetensors");
    GPtrArray *rows = checkpoint_rows(&singles[0]);
    for (guint i = rows->len; i-- > 0;)
        if (strcmp(((Row *)g_ptr_array_index(rows, i))->canonical, "up_blocks.2.resnets.1.conv2.bias") == 0)
            g_ptr_array_remove_index(rows, i);
    row_find(rows, "mid_block.resnets.1.norm2.weight")->dims[0] = 1281;
    rows_add(rows, "model.diffusion_model.input_blocks.1.0.extra.weight", SFU_F16, 1, (gint64)3);
    rows_add(rows, "some.thing", SFU_F16, 1, (gint64)3);
    write_safetensors(path, rows, USE_ORIGINAL, NULL, FILL_HOLE);
    SfuModel *m = open_good(path);
    char *missing = inspect_list(m, "missing"), *unexpected = inspect_list(m, "unexpected"),
         *text = sfu_model_inspect(m);
    g_assert_nonnull(strstr(missing, "unet: up_blocks.2.resnets.1.conv2.bias [640]"));
    g_assert_nonnull(strstr(missing, "unet: mid_block.resnets.1.norm2.weight [1280], which is [1281]"));
    g_assert_nonnull(strstr(unexpected, "input_blocks.1.0.extra.weight"));
    g_assert_nonnull(strstr(unexpected, "some.thing"));
    g_assert_nonnull(strstr(text, "missing: 2"));
    g_assert_nonnull(strstr(text, "unexpected: 2"));
    g_assert_cmpuint(sfu_model_strays(m)->len, ==, 1); /* some.thing lies in no part */
    g_assert_null(sfu_model_find(m, SFU_PART_UNET, "up_blocks.2.resnets.1.conv2.bias"));
    g_free(missing);
    g_free(unexpected);
    g_free(text);
    sfu_model_close(m);
    g_ptr_array_unref(rows);
    folder_remove(folder);
}

/* The middle attention of a VAE is required, whatever its tensors are called, and so are the convolutions between the
 * halves: a VAE without them runs, and its pictures are wrong. */
static void test_vae_needs_its_attention(void)
{
    static const char *const renamed[][5] = {{"q.", "k.", "v.", "proj_out.", "norm."},
                                             {"to_q.", "to_k.", "to_v.", "to_out.0.", "group_norm."},
                                             {"query.", "key.", "value.", "proj_attn.", "norm."},
                                             {"qu.", "ke.", "va.", "out.", "no."}};
    static const char *const drops[] = {"mid_block.attentions",
                                        "encoder.mid_block.attentions.0.to_q",
                                        "post_quant_conv",
                                        "decoder.mid_block.resnets.1.",
                                        "decoder.up_blocks.3.resnets.2",
                                        "decoder.up_blocks.0.resnets.2.conv1.weight",
                                        "encoder.down_blocks.3."};
    char *folder = folder_new(), *path = in(folder, "vae.safetensors");
    for (gsize i = 0; i < G_N_ELEMENTS(renamed); i++) {
        GPtrArray *vae = names_section("vae");
        rows_shrink(vae, 128, 4);
        for (guint k = 0; k < vae->len; k++) {
            Row *r = g_ptr_array_index(vae, k);
            char *at = strstr(r->original, "attn_1.");
            for (int w = 0; at && w < 5; w++)
                if (g_str_has_prefix(at + 7, renamed[0][w])) {
                    char *name = g_strdup_printf("%.*s%s%s", (int)(at + 7 - r->original), r->original, renamed[i][w],
                                                 at + 7 + strlen(renamed[0][w]));
                    g_free(r->original);
                    r->original = name;
                    break;
                }
        }
        write_safetensors(path, vae, USE_ORIGINAL, "first_stage_model.", FILL_VALUES);
        SfuModel *m = open_good(path);
        char *missing = inspect_list(m, "missing");
        g_assert_true(sfu_model_vae(m)->mid_attention);
        g_assert_cmpuint(sfu_model_strays(m)->len, ==, i == 3 ? 20 : 0);
        g_assert_true((strstr(missing, "decoder.mid_block.attentions.0.to_q.weight") != NULL) == (i == 3));
        if (i < 3) {
            assert_complete(m);
            check_rows(m, SFU_PART_VAE, vae, USE_ORIGINAL, "first_stage_model.");
        }
        g_free(missing);
        sfu_model_close(m);
        g_ptr_array_unref(vae);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(drops); i++) {
        GPtrArray *vae = names_section("vae");
        rows_shrink(vae, 128, 4);
        for (guint k = vae->len; k-- > 0;)
            if (strstr(((Row *)g_ptr_array_index(vae, k))->canonical, drops[i]))
                g_ptr_array_remove_index(vae, k);
        write_safetensors(path, vae, USE_CANONICAL, NULL, FILL_HOLE);
        SfuModel *m = open_good(path);
        char *missing = inspect_list(m, "missing");
        if (!strstr(missing, drops[i]))
            g_error("without %s: missing are '%s'", drops[i], missing);
        g_free(missing);
        sfu_model_close(m);
        g_ptr_array_unref(vae);
    }
    folder_remove(folder);
}

/* Losing any module of a UNet is noticed: nothing is inferred from the presence of what could be lost. */
static void test_unet_needs_its_modules(void)
{
    static const char *const drops[] = {"down_blocks.1.attentions.0.proj_in",
                                        "down_blocks.0.attentions",
                                        "mid_block.attentions.0.norm",
                                        "mid_block.resnets.1",
                                        "up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_k",
                                        "up_blocks.0.upsamplers",
                                        "down_blocks.3.resnets.1.",
                                        "time_embedding.linear_2",
                                        "up_blocks.1.resnets.2.conv_shortcut",
                                        "conv_norm_out",
                                        "transformer_blocks.0.norm1",
                                        "down_blocks.0.resnets.1.conv1.weight"};
    char *folder = folder_new(), *path = in(folder, "model.safetensors");
    for (gsize i = 0; i < G_N_ELEMENTS(drops); i++) {
        GPtrArray *rows = checkpoint_rows(&singles[0]);
        for (guint k = rows->len; k-- > 0;)
            if (strstr(((Row *)g_ptr_array_index(rows, k))->canonical, drops[i]))
                g_ptr_array_remove_index(rows, k);
        write_safetensors(path, rows, USE_ORIGINAL, NULL, FILL_HOLE);
        SfuModel *m = open_good(path);
        char *missing = inspect_list(m, "missing");
        if (!strstr(missing, drops[i]))
            g_error("without %s: missing are '%s'", drops[i], missing);
        g_free(missing);
        sfu_model_close(m);
        g_ptr_array_unref(rows);
    }
    folder_remove(folder);
}

/* Files that are nearly those of a family: the right family, or the right reason. */
static void test_right_reasons(void)
{
    static const struct {
        const char *from, *to, *word; /* of the names' beginnings; word NULL: opens as `family` */
        const char *family;
    } cases[] = {
        {"model.diffusion_model.", "", NULL, "sd2"},
        {"model.diffusion_model.", "model_ema.diffusion_model", "training average", NULL},
        {"cond_stage_model.model.", "conditioner.embedders.0.model.", NULL, "sd-turbo"},
        {"cond_stage_model.model.", "conditioner.embedders.1.model.", "XL", NULL},
        {"model.diffusion_model.input_blocks.", "model.diffusion_model.joint_blocks.", "Stable Diffusion 3", NULL},
        {"first_stage_model.", "first_stage_model.", NULL, "sd2"},
    };
    char *folder = folder_new(), *path = in(folder, "model.safetensors");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GPtrArray *rows = i ? checkpoint_rows(&singles[3]) : names_section(singles[3].unet);
        for (guint k = 0; k < rows->len; k++) {
            Row *r = g_ptr_array_index(rows, k);
            if (g_str_has_prefix(r->original, cases[i].from)) {
                char *name = g_strconcat(cases[i].to, r->original + strlen(cases[i].from), NULL);
                g_free(r->original);
                r->original = name;
            }
        }
        write_safetensors(path, rows, USE_ORIGINAL, NULL, FILL_HOLE);
        if (cases[i].word) {
            open_bad(path, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, cases[i].word);
        } else {
            SfuModel *m = open_good(path);
            assert_complete(m);
            g_assert_cmpstr(sfu_model_family(m)->id, ==, cases[i].family);
            g_assert_true((sfu_model_family(m)->defaults != NULL) == (strcmp(cases[i].family, "sd-turbo") == 0));
            sfu_model_close(m);
        }
        g_ptr_array_unref(rows);
    }
    folder_remove(folder);
}

/* Some programs store a text encoder under both of its names. */
static void test_text_encoder_twice(void)
{
    char *folder = folder_new(), *path = in(folder, "model.safetensors");
    GPtrArray *rows = checkpoint_rows(&singles[0]);
    for (guint k = rows->len; k-- > 0;) {
        const Row *r = g_ptr_array_index(rows, k);
        const char *at = strstr(r->original, "transformer.text_model.");
        if (!at || r->dtype != SFU_F16)
            continue;
        char *name = g_strdup_printf("%.*s%s", (int)(at + 12 - r->original), r->original, at + 23);
        rows_add(rows, name, r->dtype, 0);
        Row *copy = g_ptr_array_index(rows, rows->len - 1);
        copy->n_dims = r->n_dims;
        memcpy(copy->dims, r->dims, sizeof r->dims);
        g_free(name);
    }
    write_safetensors(path, rows, USE_ORIGINAL, NULL, FILL_HOLE); /* all zero: the same values */
    SfuModel *m = open_good(path);
    assert_complete(m);
    g_assert_cmpstr(sfu_model_family(m)->id, ==, "sd1");
    sfu_model_close(m);
    g_ptr_array_unref(rows);
    folder_remove(folder);
}

/* A lone 2.x file does not say whether it predicts epsilon or v: the .yaml beside it does, or a bias' spread, or a
 * marker. */
static void test_v_prediction(void)
{
    char *folder = folder_new(), *path = in(folder, "model.safetensors");
    GPtrArray *rows = names_section("unet sd2");
    rows_shrink(rows, 320, 10);
    write_safetensors(path, rows, USE_ORIGINAL, NULL, FILL_HOLE); /* all zero: no spread */
    SfuModel *m = open_good(path);
    g_assert_cmpint(sfu_model_scheduler(m)->prediction, ==, SFU_PREDICT_EPSILON);
    g_assert_false(sfu_model_scheduler(m)->in_file);
    sfu_model_close(m);
    write_text(in(folder, "model.yaml"), "model:\n  params:\n    parameterization: \"v\"\n");
    m = open_good(path);
    g_assert_cmpint(sfu_model_scheduler(m)->prediction, ==, SFU_PREDICT_V);
    sfu_model_close(m);
    write_text(in(folder, "model.yaml"), "model:\n  params:\n    parameterization: \"eps\"\n");
    write_safetensors(path, rows, USE_ORIGINAL, NULL, FILL_VALUES); /* a spread of about 0.9 */
    m = open_good(path);
    g_assert_cmpint(sfu_model_scheduler(m)->prediction, ==, SFU_PREDICT_EPSILON);
    sfu_model_close(m);
    g_assert_cmpint(g_remove(in(folder, "model.yaml")), ==, 0);
    m = open_good(path);
    g_assert_cmpint(sfu_model_scheduler(m)->prediction, ==, SFU_PREDICT_V);
    sfu_model_close(m);
    rows_add(rows, "v_pred", SFU_F16, 0);
    rows_add(rows, "ztsnr", SFU_F16, 0);
    write_safetensors(path, rows, USE_ORIGINAL, NULL, FILL_HOLE);
    m = open_good(path);
    g_assert_cmpint(sfu_model_scheduler(m)->prediction, ==, SFU_PREDICT_V);
    g_assert_true(sfu_model_scheduler(m)->zero_terminal_snr);
    sfu_model_close(m);
    g_ptr_array_unref(rows);
    folder_remove(folder);
}

static void test_scheduler(void)
{
    static const struct {
        const char *json;
        SfuPrediction prediction;
        double start, end, shift;
        gboolean scaled, zero;
    } cases[] = {
        {"{}", SFU_PREDICT_EPSILON, 0.00085, 0.012, 1, TRUE, FALSE},
        {"{\"beta_start\":0.0001,\"beta_end\":0.02,\"beta_schedule\":\"linear\",\"prediction_type\":\"sample\"}",
         SFU_PREDICT_SAMPLE, 0.0001, 0.02, 1, FALSE, FALSE},
        {"{\"rescale_betas_zero_snr\":true,\"prediction_type\":\"v_prediction\"}", SFU_PREDICT_V, 0.00085, 0.012, 1,
         TRUE, TRUE},
        {"{\"_class_name\":\"FlowMatchEulerDiscreteScheduler\",\"shift\":2}", SFU_PREDICT_FLOW, 0.00085, 0.012, 2, TRUE,
         FALSE},
        {"{\"prediction_type\":null,\"beta_start\":\"x\",\"shift\":null}", SFU_PREDICT_EPSILON, 0.00085, 0.012, 1, TRUE,
         FALSE},
    };
    char *folder = folder_new();
    GPtrArray *vae = names_section("vae");
    write_text(in(folder, "vae/config.json"), VAE_SD);
    write_safetensors(in(folder, "vae/diffusion_pytorch_model.safetensors"), vae, USE_CANONICAL, NULL, FILL_HOLE);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        write_text(in(folder, "scheduler/scheduler_config.json"), cases[i].json);
        SfuModel *m = open_good(folder);
        const SfuSchedulerConfig *c = sfu_model_scheduler(m);
        g_assert_cmpint(c->prediction, ==, cases[i].prediction);
        g_assert_cmpfloat(c->beta_start, ==, cases[i].start);
        g_assert_cmpfloat(c->beta_end, ==, cases[i].end);
        g_assert_cmpfloat(c->shift, ==, cases[i].shift);
        g_assert_cmpint(c->scaled_linear, ==, cases[i].scaled);
        g_assert_cmpint(c->zero_terminal_snr, ==, cases[i].zero);
        sfu_model_close(m);
    }
    write_text(in(folder, "scheduler/scheduler_config.json"), "{\"beta_start\":-1}");
    open_bad(folder, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "betas");
    write_text(in(folder, "scheduler/scheduler_config.json"), "{\"prediction_type\":3}");
    open_bad(folder, SFU_MODEL_ERROR, SFU_MODEL_ERROR_FAMILY, "prediction_type = 3");
    g_ptr_array_unref(vae);
    folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(singles); i++) {
        char *name[3] = {g_strdup_printf("/model/single-file/%s", singles[i].name),
                         g_strdup_printf("/model/single-file-values/%s", singles[i].name),
                         g_strdup_printf("/model/folder/%s", singles[i].name)};
        g_test_add_data_func(name[0], &singles[i], test_single_full);
        if (strcmp(singles[i].family, "sd1") == 0 ||
            strcmp(singles[i].family, "sd2") == 0) /* the others' names differ in nothing */
            g_test_add_data_func(name[1], &singles[i], test_single_values);
        g_test_add_data_func(name[2], &singles[i], test_folder);
        for (int k = 0; k < 3; k++)
            g_free(name[k]);
    }
    g_test_add_func("/model/folder-in-one-file", test_folder_in_one_file);
    g_test_add_func("/model/encoder-without-configuration", test_encoder_without_configuration);
    g_test_add_func("/model/shards", test_shards);
    g_test_add_func("/model/vae-with-old-attention-names", test_old_vae);
    g_test_add_func("/model/vae-alone", test_lone_vae);
    g_test_add_func("/model/mini", test_mini);
    g_test_add_func("/model/taesd", test_taesd);
    g_test_add_func("/model/dtypes", test_dtypes);
    g_test_add_func("/model/missing-and-unexpected", test_missing_and_unexpected);
    g_test_add_func("/model/vae-needs-its-attention", test_vae_needs_its_attention);
    g_test_add_func("/model/unet-needs-its-modules", test_unet_needs_its_modules);
    g_test_add_func("/model/right-reasons", test_right_reasons);
    g_test_add_func("/model/text-encoder-twice", test_text_encoder_twice);
    g_test_add_func("/model/v-prediction", test_v_prediction);
    g_test_add_func("/model/scheduler", test_scheduler);
    return g_test_run();
}
