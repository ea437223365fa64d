/* --from: what is read out of PNG text chunks of every kind, JPEG's EXIF, text files, and other programs' pictures.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>
#include "cli/cli.h"

#define TEXT                                                                                                           \
    "a cat\nNegative prompt: dog\nSteps: 7, Sampler: Euler, CFG scale: 5, Seed: 6687881544318117707, Size: 64x48"

static char *path;

void sfu_cli_json_event(const char *event, ...) /* from.c's only need of run.c */
{
}

static void put_u32(GByteArray *a, guint32 v)
{
    const guint8 b[] = {(guint8)(v >> 24), (guint8)(v >> 16), (guint8)(v >> 8), (guint8)v};
    g_byte_array_append(a, b, 4);
}

static void put_chunk(GByteArray *png, const char *type, const void *data, gsize n)
{
    put_u32(png, (guint32)n);
    const guint start = png->len;
    g_byte_array_append(png, (const guint8 *)type, 4);
    g_byte_array_append(png, data, (guint)n);
    put_u32(png, (guint32)crc32(0, png->data + start, png->len - start));
}

/* keyword NUL `between` text, the text packed or not. */
static void put_text(GByteArray *png, const char *type, const char *keyword, const char *between, gsize n_between,
                     const char *text, gboolean pack)
{
    GByteArray *chunk = g_byte_array_new();
    g_byte_array_append(chunk, (const guint8 *)keyword, (guint)strlen(keyword) + 1);
    g_byte_array_append(chunk, (const guint8 *)between, (guint)n_between);
    uLongf n = compressBound(strlen(text));
    Bytef *packed = g_malloc(n);
    if (pack)
        compress(packed, &n, (const Bytef *)text, strlen(text));
    g_byte_array_append(chunk, pack ? packed : (const guint8 *)text, pack ? (guint)n : (guint)strlen(text));
    put_chunk(png, type, chunk->data, chunk->len);
    g_free(packed);
    g_byte_array_unref(chunk);
}

static GByteArray *png_start(void)
{
    static const guint8 head[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
                        ihdr[13] = {0, 0, 0, 1, 0, 0, 0, 1, 8, 2};
    GByteArray *png = g_byte_array_new();
    g_byte_array_append(png, head, sizeof head);
    put_chunk(png, "IHDR", ihdr, sizeof ihdr);
    return png;
}

static void png_save(GByteArray *png)
{
    put_chunk(png, "IEND", "", 0);
    g_assert_true(g_file_set_contents(path, (const char *)png->data, png->len, NULL));
    g_byte_array_unref(png);
}

static SfuParams *reads(guint n_warnings)
{
    SfuParams *p = sfu_params_new();
    GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
    GError *e = NULL;
    g_assert_true(sfu_cli_params_from(p, path, warnings, &e));
    g_assert_no_error(e);
    g_assert_cmpuint(warnings->len, ==, n_warnings);
    g_ptr_array_unref(warnings);
    return p;
}

static void reads_text(void)
{
    SfuParams *p = reads(0);
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_PROMPT), ==, "a cat");
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_NEGATIVE), ==, "dog");
    g_assert_cmpint(sfu_params_int64(p, SFU_PARAM_SEED), ==, 6687881544318117707);
    g_assert_cmpint(sfu_params_int(p, SFU_PARAM_HEIGHT), ==, 48);
    sfu_params_free(p);
}

static void fails_with(const char *word)
{
    SfuParams *p = sfu_params_new();
    GError *e = NULL;
    g_assert_false(sfu_cli_params_from(p, path, NULL, &e));
    g_assert_error(e, SFU_ERROR, SFU_ERROR_USAGE);
    g_assert_nonnull(strstr(e->message, word));
    g_error_free(e);
    sfu_params_free(p);
}

static void test_png_chunks(void)
{
    static const struct {
        const char *type, *between;
        gsize n;
        gboolean pack;
    } kinds[] = {{"tEXt", "", 0, FALSE},
                 {"zTXt", "\0", 1, TRUE},
                 {"iTXt", "\0\0\0\0", 4, FALSE},
                 {"iTXt", "\1\0\0\0", 4, TRUE},
                 {"iTXt", "\0\0en\0words\0", 11, FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        GByteArray *png = png_start();
        put_text(png, "tEXt", "Title", "", 0, "another", FALSE);
        if (i == 2) /* text may come behind the pixels */
            put_chunk(png, "IDAT", "\x78\x9c\x63\x60\x60\x60\x00\x00\x00\x04\x00\x01", 12);
        put_text(png, kinds[i].type, "parameters", kinds[i].between, kinds[i].n, TEXT, kinds[i].pack);
        png_save(png);
        reads_text();
    }
    GByteArray *png = png_start();
    put_text(png, "zTXt", "parameters", "\0", 1, "not packed at all", FALSE);
    png_save(png);
    fails_with("no generation parameters");
}

static void test_other_programs(void)
{
    static const struct {
        const char *keyword, *text, *program;
    } known[] = {{"prompt", "{\"3\": {\"class_type\": \"KSampler\"}}", "ComfyUI"},
                 {"invokeai_metadata", "{}", "InvokeAI"},
                 {"Dream", "x", "InvokeAI"},
                 {"parameters", "{\"sui_image_params\": {\"prompt\": \"x\"}}", "SwarmUI"}};
    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        GByteArray *png = png_start();
        put_text(png, "tEXt", known[i].keyword, "", 0, known[i].text, FALSE);
        png_save(png);
        fails_with(known[i].program);
    }
    GByteArray *png = png_start(); /* NovelAI's are read, as A1111 does */
    put_text(png, "tEXt", "Software", "", 0, "NovelAI", FALSE);
    put_text(png, "tEXt", "Description", "", 0, "a cat", FALSE);
    put_text(png, "tEXt", "Comment", "", 0,
             "{\"steps\": 28, \"sampler\": \"k_euler_ancestral\", \"seed\": 4012345678, \"strength\": 0.7, \"noise\": "
             "0.2, \"scale\": 11.0, \"uc\": "
             "\"dog, bird\", \"width\": 512, \"height\": 768}",
             FALSE);
    png_save(png);
    SfuParams *p = reads(1); /* ENSD */
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_NEGATIVE), ==, "dog, bird");
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_SAMPLER), ==, "euler_a");
    g_assert_cmpint(sfu_params_int64(p, SFU_PARAM_SEED), ==, 4012345678);
    g_assert_cmpint(sfu_params_int(p, SFU_PARAM_STEPS), ==, 28);
    g_assert_cmpfloat(sfu_params_double(p, SFU_PARAM_GUIDANCE), ==, 11);
    g_assert_cmpint(sfu_params_int(p, SFU_PARAM_HEIGHT), ==, 768);
    sfu_params_free(p);
    static const char *const torn[] = {"", "{", "[]", "{\"steps\": {}, \"uc\": 3, \"sampler\": []}"};
    for (guint i = 0; i < G_N_ELEMENTS(torn); i++) {
        GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
        png = png_start();
        put_text(png, "tEXt", "Software", "", 0, "NovelAI", FALSE);
        put_text(png, "tEXt", "Comment", "", 0, torn[i], FALSE);
        png_save(png);
        p = sfu_params_new();
        sfu_cli_params_from(p, path, warnings, NULL); /* must not crash */
        sfu_params_free(p);
        g_ptr_array_unref(warnings);
    }
}

/* JPEG with an EXIF block of one IFD entry that leads to the Exif IFD with UserComment, in UTF-16 as A1111 writes it.
 */
static void test_jpeg(void)
{
#ifndef HAVE_GEXIV2
    g_test_skip("built without gexiv2");
#else
    gsize n_utf16;
    char *utf16 = g_convert(TEXT, -1, "UTF-16BE", "UTF-8", NULL, &n_utf16, NULL);
    GByteArray *tiff = g_byte_array_new(), *jpeg = g_byte_array_new();
    static const guint8 head[] = "MM\0*\0\0\0\10"
                                 "\0\1"
                                 "\207\151\0\4\0\0\0\1\0\0\0\32"
                                 "\0\0\0\0"
                                 "\0\1"
                                 "\222\206\0\7";
    g_byte_array_append(tiff, head, sizeof head - 1);
    put_u32(tiff, (guint32)n_utf16 + 8);
    put_u32(tiff, 44);
    put_u32(tiff, 0);
    g_assert_cmpuint(tiff->len, ==, 44);
    g_byte_array_append(tiff, (const guint8 *)"UNICODE\0", 8);
    g_byte_array_append(tiff, (const guint8 *)utf16, (guint)n_utf16);
    const guint size = tiff->len + 8;
    const guint8 start[] = {0xff, 0xd8, 0xff, 0xe1, (guint8)(size >> 8), (guint8)size, 'E', 'x', 'i', 'f', 0, 0};
    static const guint8 rest[] = {0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0, 0xff, 0xd9};
    g_byte_array_append(jpeg, start, sizeof start);
    g_byte_array_append(jpeg, tiff->data, tiff->len);
    g_byte_array_append(jpeg, rest, sizeof rest);
    g_assert_true(g_file_set_contents(path, (const char *)jpeg->data, jpeg->len, NULL));
    reads_text();
    g_byte_array_unref(tiff);
    g_byte_array_unref(jpeg);
    g_free(utf16);
#endif
}

static void test_plain_files(void)
{
    g_assert_true(g_file_set_contents(path, TEXT, -1, NULL));
    reads_text();
    g_assert_true(g_file_set_contents(path, "\xff\xd8 no picture", -1, NULL));
    fails_with("no generation parameters");
    g_assert_true(g_file_set_contents(path, "", -1, NULL));
    fails_with("cannot be read");
    g_unlink(path);
    fails_with("cannot be read");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    char *folder = g_dir_make_tmp("sfumato-from-XXXXXX", NULL);
    path = g_build_filename(folder, "file", NULL);
    g_test_add_func("/from/png-chunks", test_png_chunks);
    g_test_add_func("/from/other-programs", test_other_programs);
    g_test_add_func("/from/jpeg", test_jpeg);
    g_test_add_func("/from/plain-files", test_plain_files);
    const int status = g_test_run();
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    return status;
}
