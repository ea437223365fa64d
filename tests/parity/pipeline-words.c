/* What prompts call from files: adapters, textual inversions and wildcards, in the folders that people keep them in. On
 * a small model of pipelines.json.gz. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "small_models.h"
#include "pipe/pipe.h"

static SfuEngine *engine;
static char *top; /* a folder of models, as SFUMATO_MODELS names it */

static GPtrArray *run(const char *prompt, const char *lora, int count, GError **error)
{
    SfuParams *p = sfu_params_new();
    char *path = parity_model_path("sd1", NULL);
    GError *local = NULL;
    sfu_params_set(p, "model", path, &local);
    sfu_params_set(p, "prompt", prompt, &local);
    sfu_params_set(p, "seed", "5", &local);
    sfu_params_set(p, "steps", "2", &local);
    sfu_params_set(p, "width", "64", &local);
    sfu_params_set(p, "height", "64", &local);
    sfu_params_set_int64(p, "count", count, &local);
    if (lora)
        sfu_params_add(p, "lora", lora, &local);
    g_assert_no_error(local);
    const SfuJob job = {.task = SFU_TASK_TXT2IMG, .params = p};
    GPtrArray *r = sfu_engine_run(engine, &job, error);
    sfu_params_free(p);
    g_free(path);
    return r;
}

/* Pixels of the first picture; the sentence of its metadata goes to *words (may be NULL). Caller frees both. */
static float *say(const char *prompt, const char *lora, char **words, char **note)
{
    GError *error = NULL;
    GPtrArray *r = run(prompt, lora, 1, &error);
    g_assert_no_error(error);
    const SfuResult *first = r->pdata[0];
    float *v = g_new(float, 64 * 64 * 4);
    gegl_buffer_get(first->picture, GEGL_RECTANGLE(0, 0, 64, 64), 1, babl_format("R'G'B'A float"), v,
                    GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    if (words)
        *words = g_strdup(sfu_params_text(first->params, SFU_PARAM_PROMPT));
    if (note)
        *note = g_strdup(first->note);
    g_ptr_array_unref(r);
    return v;
}

static void same(const char *a, const char *lora_a, const char *b, const char *lora_b, gboolean expected)
{
    float *va = say(a, lora_a, NULL, NULL), *vb = say(b, lora_b, NULL, NULL);
    const double e = parity_error(va, vb, 64 * 64 * 4);
    g_test_message("%s (%s) from %s (%s): %g", a, lora_a ? lora_a : "", b, lora_b ? lora_b : "", e);
    if (expected)
        g_assert_cmpfloat(e, ==, 0);
    else
        g_assert_cmpfloat(e, >, 1e-3);
    g_free(va);
    g_free(vb);
}

static void fails(const char *prompt, const char *lora, const char *says)
{
    GError *error = NULL;
    g_assert_null(run(prompt, lora, 1, &error));
    g_assert_nonnull(error);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, says));
    g_error_free(error);
}

/* Moves a file of parity_file_write() into a folder beside the models. */
static void keep(char *taken, const char *folder, const char *name)
{
    char *dir = g_build_filename(top, folder, NULL), *to = g_build_filename(dir, name, NULL);
    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_cmpint(g_rename(taken, to), ==, 0);
    g_free(taken);
    g_free(dir);
    g_free(to);
}

#define NET "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_v"
#define TEXT "lora_te_text_model_encoder_layers_0_self_attn_out_proj"

/* By tag and by parameter the same; weights for network and text; without it the model is as it was. */
static void test_lora(void)
{
    const ParityTensor tensors[] = {
        {NET ".lora_up.weight", {32, 2}}, {NET ".lora_down.weight", {2, 64}}, {TEXT ".diff_b", {64}}, {NULL}};
    keep(parity_file_write("ink.safetensors", tensors, NULL), "Lora/style", "ink.safetensors");
    char *words;
    same("a cat", NULL, "a cat <lora:ink:1>", NULL, FALSE);
    same("a cat <lora:ink:0.5>", NULL, "a cat", "ink=0.5", TRUE);
    same("a cat <lora:ink:0.5:0>", NULL, "a cat", "style/ink=0.5,0", TRUE);
    same("a cat <lora:ink:unet=0:te=1>", NULL, "a cat", "ink=0,1", TRUE);
    same("a cat <lora:ink:0.5>", NULL, "a cat <lora:ink:0.5:0>", NULL, FALSE);
    same("a cat <lora:ink:0>", NULL, "a cat", NULL, TRUE);
    g_free(say("a cat", "ink=0.5,0.25", &words, NULL));
    g_assert_cmpstr(words, ==, "a cat <lora:ink:unet=0.5:te=0.25>");
    g_free(words);
    /* folders of diffusers and PEFT: by name, and by their path */
    keep(parity_file_write("folded.safetensors", tensors, NULL), "Lora/folded", "pytorch_lora_weights.safetensors");
    char *folder = g_build_filename(top, "Lora", "folded", NULL), *row = g_strconcat(folder, "=0.5", NULL);
    same("a cat <lora:folded:0.5>", NULL, "a cat", "ink=0.5", TRUE);
    same("a cat", row, "a cat", "ink=0.5", TRUE);
    fails("a cat", top, "holds no adapter_model.safetensors");
    g_free(say("a cat", row, &words, NULL));
    g_assert_cmpstr(words, ==, "a cat <lora:folded:0.5>");
    g_free(words);
    g_free(row);
    g_free(folder);
    fails("a cat <lora:nothing:1>", NULL, "No LoRA \"nothing\"");
    fails("a cat", "ink=x", "weight");
    fails("a cat <lora:ink:1e9>", NULL, "weight");
}

/* Adapters of the text encoder one after another: none is taken for an earlier one, and none is left behind. */
static void test_loras_in_turn(void)
{
    float *first[5];
    char name[8], file[32];
    for (int i = 0; i < 5; i++) {
        const ParityTensor pair[] = {
            {TEXT ".lora_up.weight", {64, 1 + i}}, {TEXT ".lora_down.weight", {1 + i, 64}}, {NULL}};
        g_snprintf(name, sizeof name, "turn%d", i);
        g_snprintf(file, sizeof file, "%s.safetensors", name);
        keep(parity_file_write(file, pair, NULL), "Lora", file);
        first[i] = say("a cat", name, NULL, NULL);
        for (int k = 0; k < i; k++)
            g_assert_cmpfloat(parity_error(first[i], first[k], 64 * 64 * 4), >, 1e-4);
    }
    for (int i = 0; i < 5; i++) {
        g_snprintf(name, sizeof name, "turn%d", i);
        float *again = say("a cat", name, NULL, NULL);
        g_assert_cmpfloat(parity_error(again, first[i], 64 * 64 * 4), ==, 0);
        g_free(again);
    }
    for (int i = 0; i < 5; i++)
        g_free(first[i]);
}

/* The vector of "cat" in the model's own table [64], written twice. */
static void vectors_of_cat(float row[2 * 64])
{
    SfuTokenizer *t = sfu_tokenizer_new();
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint32));
    GError *error = NULL;
    sfu_tokenizer_encode(t, "cat", -1, ids, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(ids->len, ==, 1);
    SfuWeight *table =
        sfu_model_find(parity_model("sd1"), SFU_PART_TEXT, "text_model.embeddings.token_embedding.weight");
    g_assert_nonnull(table);
    const gint64 width = sfu_weight_dim(table, 1), token = g_array_index(ids, gint32, 0);
    g_assert_cmpint(width, ==, 64);
    sfu_weight_read_f32(table, token * width, width, row);
    memcpy(row + 64, row, 64 * sizeof *row);
    g_array_unref(ids);
    sfu_tokenizer_free(t);
}

/* A file in the embeddings' folder, whose last n vectors of 64 values are those of `row`. */
static void keep_embedding(const char *file, const ParityTensor *tensors, const float *row, int n)
{
    char *path = parity_file_write(file, tensors, NULL), *bytes;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    memcpy(bytes + size - (gsize)n * 256, row, (gsize)n * 256); /* the values stand at the end */
    g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
    g_free(bytes);
    keep(path, "embeddings", file);
}

/* Vectors that are a token's own make the picture that the token makes. */
static void test_embedding(void)
{
    float row[2 * 64];
    vectors_of_cat(row);
    static const struct {
        const char *file, *tensor;
        int n;
    } k[] = {{"xqone.safetensors", "emb_params", 2},
             {"xqtwo.safetensors", "<word>", 1},
             {"xqthree.safetensors", "clip_l", 2}};
    for (gsize i = 0; i < G_N_ELEMENTS(k); i++) {
        const ParityTensor tensors[] = {{k[i].tensor, {k[i].n, 64}}, {NULL}};
        keep_embedding(k[i].file, tensors, row, k[i].n);
    }
    /* a pickled list of dictionaries */
    const ParityTensor listed[] = {{"0.<one>", {1, 64}}, {"1.<two>", {1, 64}}, {NULL}},
                       pair[] = {{"0.<wide>", {2, 128}}, {"1.<narrow>", {2, 64}}, {NULL}};
    keep_embedding("xqlist.safetensors", listed, row, 2);
    keep_embedding("xqpair.safetensors", pair, row, 2); /* the narrow vectors at the end are the first encoder's */
    same("a xqlist", NULL, "a cat cat", NULL, TRUE);
    same("a xqpair", NULL, "a cat cat", NULL, TRUE);
    same("a (xqone:1.2), sitting", NULL, "a (cat cat:1.2), sitting", NULL, TRUE);
    same("a embedding:xqtwo", NULL, "a cat", NULL, TRUE);
    same("a XQThree", NULL, "a cat cat", NULL, TRUE);
    same("a xqone", NULL, "a cat", NULL, FALSE);
    const ParityTensor wide[] = {{"emb_params", {2, 48}}, {NULL}};
    keep(parity_file_write("xqwide.safetensors", wide, NULL), "embeddings", "xqwide.safetensors");
    char *note;
    g_free(say("a xqwide", NULL, NULL, &note));
    g_assert_nonnull(note);
    g_assert_nonnull(strstr(note, "48"));
    g_free(note);
    keep(parity_file_write("xqtorn.safetensors", wide, "emb_params"), "embeddings", "xqtorn.safetensors");
    fails("a xqtorn", NULL, "NaN");
}

/* What the seed chose is what the metadata say, and the next picture has a choice of its own. */
static void test_wildcards(void)
{
    char *dir = g_build_filename(top, "wildcards", NULL), *file = g_build_filename(dir, "beast.txt", NULL), *words;
    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "# beasts\n\ncat\r\ndog\nowl\nbee\nfox\nelk\nape\ncow\nhen\n", -1, NULL));
    float *v = say("a __beast__ {by|at} night", NULL, &words, NULL), *again = say(words, NULL, NULL, NULL);
    g_test_message("%s", words);
    g_assert_null(strpbrk(words, "_{|"));
    g_assert_cmpfloat(parity_error(v, again, 64 * 64 * 4), ==, 0);
    GError *error = NULL;
    GPtrArray *r = run("a __beast__", NULL, 6, &error);
    int others = 0;
    g_assert_no_error(error);
    for (guint i = 1; i < r->len; i++)
        others += strcmp(sfu_params_text(((SfuResult *)r->pdata[0])->params, SFU_PARAM_PROMPT),
                         sfu_params_text(((SfuResult *)r->pdata[i])->params, SFU_PARAM_PROMPT)) != 0;
    g_assert_cmpint(others, >, 0);
    g_ptr_array_unref(r);
    fails("a __nothing__", NULL, "No wildcard __nothing__");
    g_free(again);
    g_free(v);
    g_free(words);
    g_free(file);
    g_free(dir);
}

/* Another program writes the file's last byte anew during the first step. */
static void write_into(const SfuProgress *p, gpointer file)
{
    if (p->stage != SFU_STAGE_DENOISE || p->step != 1)
        return;
    const int fd = g_open(file, O_RDWR, 0);
    const off_t last = lseek(fd, -1, SEEK_END);
    char byte;
    g_assert_cmpint(pread(fd, &byte, 1, last), ==, 1);
    g_assert_cmpint(pwrite(fd, &byte, 1, last), ==, 1);
    close(fd);
}

/* Every file that a run maps: a LoRA and a VAE beside the model. The next run takes the file as it is then. */
static void test_files_written_during_a_run(void)
{
    const ParityTensor tensors[] = {{NET ".lora_up.weight", {32, 2}}, {NET ".lora_down.weight", {2, 64}}, {NULL}};
    const ParityDamage none = {0};
    char *lora = parity_file_write("wet.safetensors", tensors, NULL), *vae = parity_model_path("sd1", &none),
         *vae_file = g_build_filename(vae, "vae", "diffusion_pytorch_model.safetensors", NULL);
    const struct {
        const char *param, *value, *file;
    } cases[] = {{"lora", lora, lora}, {"vae", vae, vae_file}};
    for (guint i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        SfuParams *p = parity_model_params("sd1", "prompt cat seed 5 steps 2 width 64 height 64");
        GError *error = NULL;
        sfu_params_add(p, cases[i / 2].param, cases[i / 2].value, &error);
        g_assert_no_error(error);
        const SfuJob job = {.task = SFU_TASK_TXT2IMG,
                            .params = p,
                            .progress = i % 2 ? NULL : write_into,
                            .data = (gpointer)cases[i / 2].file};
        GPtrArray *r = sfu_engine_run(engine, &job, &error);
        g_test_message("%s: %s", cases[i / 2].param, error ? error->message : "made");
        g_assert_true((r != NULL) == (i % 2 == 1));
        if (error) {
            g_assert_nonnull(strstr(error->message, cases[i / 2].file));
            g_assert_nonnull(strstr(error->message, "written to"));
            g_error_free(error);
        } else {
            g_ptr_array_unref(r);
        }
        sfu_params_free(p);
    }
    g_remove(lora);
    g_free(lora);
    g_free(vae);
    g_free(vae_file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    engine = parity_engine_open();
    if (!engine)
        return 0;
    char *model = parity_model_path("sd1", NULL);
    top = g_strconcat(model, "-kept", NULL);
    g_setenv("SFUMATO_MODELS", top, TRUE);
    g_test_add_func("/words/lora", test_lora);
    g_test_add_func("/words/loras-in-turn", test_loras_in_turn);
    g_test_add_func("/words/embedding", test_embedding);
    g_test_add_func("/words/wildcards", test_wildcards);
    g_test_add_func("/words/files-written-during-a-run", test_files_written_during_a_run);
    const int status = g_test_run();
    sfu_engine_free(engine);
    parity_data_close();
    gegl_exit();
    g_free(top);
    g_free(model);
    return status;
}
