/* --from: what is read out of PNG text chunks of every kind, JPEG's EXIF, text files, and other programs' pictures.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
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

static void test_refused_programs(void)
{
    static const struct {
        const char *keyword, *text, *program;
    } known[] = {{"prompt", "{\"3\": {\"class_type\": \"KSampler\"}}", "ComfyUI"},
                 {"prompt", "a cat", "Easy Diffusion"},
                 {"workflow", "{\"nodes\": []}", "ComfyUI"},
                 {"invokeai_metadata", "{}", "InvokeAI"},
                 {"invokeai_graph", "{}", "InvokeAI"},
                 {"sd-metadata", "{}", "InvokeAI"},
                 {"Dream", "x", "InvokeAI"},
                 {"Prompt", "a cat", "Easy Diffusion"},
                 {"generation_data", "{}", "Tensor.Art"},
                 {"Comment", "{\"adm_guidance\": \"(1.5, 0.8, 0.3)\"}", "another program"},
                 {"parameters", "{\"prompt\": \"a cat\", \"seed\": 5}", "another program"}};
    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        GByteArray *png = png_start();
        put_text(png, "tEXt", known[i].keyword, "", 0, known[i].text, FALSE);
        png_save(png);
        fails_with(known[i].program);
    }
}

static void test_read_programs(void)
{
    static const struct {
        const char *keyword, *text;
    } read[] = {
        {"parameters", "{\"sui_image_params\": {\"prompt\": \"a cat\", \"steps\": 9}}"},
        {"parameters", "{\"prompt\": \"a cat\", \"steps\": 9, \"metadata_scheme\": \"fooocus\"}"},
        {"Comment", "{\"Prompt\": \"a cat\", \"Sharpness\": 0, \"Steps\": 9}"},
        {"invokeai_metadata", "{\"positive_prompt\": \"a cat\", \"steps\": 9}"},
        {"sd-metadata", "{\"app_id\": \"invoke-ai/InvokeAI\", \"image\": {\"prompt\": \"a cat\", \"steps\": 9}}"}};
    for (guint i = 0; i < G_N_ELEMENTS(read); i++) {
        GByteArray *png = png_start();
        put_text(png, "tEXt", "invokeai_graph", "", 0, "{}", FALSE);
        put_text(png, i % 2 ? "iTXt" : "tEXt", read[i].keyword, "\0\0\0\0", i % 2 ? 4 : 0, read[i].text, FALSE);
        png_save(png);
        SfuParams *p = reads(0);
        g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_PROMPT), ==, "a cat");
        g_assert_cmpint(sfu_params_int(p, SFU_PARAM_STEPS), ==, 9);
        sfu_params_free(p);
    }
}

/* NovelAI's are read, as A1111 does. */
static void test_novelai(void)
{
    GByteArray *png = png_start();
    put_text(png, "tEXt", "Software", "", 0, "NovelAI", FALSE);
    put_text(png, "tEXt", "Description", "", 0, "a cat", FALSE);
    put_text(png, "tEXt", "Comment", "", 0,
             "{\"steps\": 28, \"sampler\": \"k_euler_ancestral\", \"seed\": 4012345678, \"strength\": 0.7, \"noise\": "
             "0.2, \"scale\": 11.0, \"uc\": "
             "\"dog, bird\", \"width\": 512, \"height\": 768, \"noise_schedule\": \"karras\", \"cfg_rescale\": "
             "0.25}",
             FALSE);
    png_save(png);
    SfuParams *p = reads(1); /* ENSD */
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_SCHEDULE), ==, "karras");
    g_assert_cmpfloat(sfu_params_double(p, SFU_PARAM_GUIDANCE_RESCALE), ==, 0.25);
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_NEGATIVE), ==, "dog, bird");
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_SAMPLER), ==, "euler_a");
    g_assert_cmpint(sfu_params_int64(p, SFU_PARAM_SEED), ==, 4012345678);
    g_assert_cmpint(sfu_params_int(p, SFU_PARAM_STEPS), ==, 28);
    g_assert_cmpfloat(sfu_params_double(p, SFU_PARAM_GUIDANCE), ==, 11);
    g_assert_cmpint(sfu_params_int(p, SFU_PARAM_HEIGHT), ==, 768);
    sfu_params_free(p);
    png = png_start(); /* without a description, with its signs for emphasis, which are said to stay */
    put_text(png, "tEXt", "Software", "", 0, "NovelAI", FALSE);
    put_text(png, "tEXt", "Comment", "", 0, "{\"prompt\": \"a [cat]\", \"steps\": 28, \"seed\": 7, \"scale\": 5}",
             FALSE);
    png_save(png);
    p = reads(3); /* ENSD, the size, the signs */
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_PROMPT), ==, "a [cat]");
    sfu_params_free(p);
}

static void test_torn_novelai(void)
{
    static const char *const torn[] = {"", "{", "[]", "{\"steps\": {}, \"uc\": 3, \"sampler\": []}"};
    for (guint i = 0; i < G_N_ELEMENTS(torn); i++) {
        GPtrArray *warnings = g_ptr_array_new_with_free_func(g_free);
        GByteArray *png = png_start();
        put_text(png, "tEXt", "Software", "", 0, "NovelAI", FALSE);
        put_text(png, "tEXt", "Comment", "", 0, torn[i], FALSE);
        png_save(png);
        SfuParams *p = sfu_params_new();
        sfu_cli_params_from(p, path, warnings, NULL); /* must not crash */
        sfu_params_free(p);
        g_ptr_array_unref(warnings);
    }
}

static void put_in_order(GByteArray *a, gboolean big, int n, guint32 v)
{
    for (int i = 0; i < n; i++) {
        const guint8 b = (guint8)(v >> 8 * (big ? n - 1 - i : i));
        g_byte_array_append(a, &b, 1);
    }
}

/* EXIF data of one entry that leads to the Exif directory with UserComment. Unused without gexiv2. */
G_GNUC_UNUSED static GByteArray *exif_with(gboolean big, const char *letters, const char *text, gsize n)
{
    GByteArray *a = g_byte_array_new();
    const guint32 length = (guint32)n + (letters ? 8 : 0);
    g_byte_array_append(a, (const guint8 *)(big ? "MM" : "II"), 2);
    put_in_order(a, big, 2, 42);
    put_in_order(a, big, 4, 8);
    const guint32 entries[2][4] = {{0x8769, 4, 1, 26}, {0x9286, 7, length, 44}};
    for (int i = 0; i < 2; i++) {
        put_in_order(a, big, 2, 1);
        put_in_order(a, big, 2, entries[i][0]);
        put_in_order(a, big, 2, entries[i][1]);
        put_in_order(a, big, 4, entries[i][2]);
        put_in_order(a, big, 4, entries[i][3]);
        put_in_order(a, big, 4, 0);
    }
    g_assert_cmpuint(a->len, ==, 44);
    if (letters)
        g_byte_array_append(a, (const guint8 *)letters, 8);
    g_byte_array_append(a, (const guint8 *)text, (guint)n);
    return a;
}

/* One segment of a JPEG file: its marker, `head`, `data`. */
static void save_jpeg(guint8 marker, const char *head, gsize n_head, const guint8 *data, gsize n)
{
    GByteArray *jpeg = g_byte_array_new();
    const gsize size = n_head + n + 2;
    const guint8 start[] = {0xff, 0xd8, 0xff, marker, (guint8)(size >> 8), (guint8)size};
    static const guint8 rest[] = {0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0, 0xff, 0xd9};
    g_byte_array_append(jpeg, start, sizeof start);
    g_byte_array_append(jpeg, (const guint8 *)head, (guint)n_head);
    g_byte_array_append(jpeg, data, (guint)n);
    g_byte_array_append(jpeg, rest, sizeof rest);
    g_assert_true(g_file_set_contents(path, (const char *)jpeg->data, jpeg->len, NULL));
    g_byte_array_unref(jpeg);
}

/* UserComment as A1111 (UTF-16, big-endian in any file), exiftool (in the file's order) and careless programs write it.
 */
static void test_jpeg(void)
{
#ifndef HAVE_GEXIV2
    g_test_skip("built without gexiv2");
#else
    static const struct {
        const char *letters, *code;
    } kinds[] = {{"UNICODE", "UTF-16BE"}, {"UNICODE", "UTF-16LE"},       {"UNICODE", "UTF-16"},
                 {"UNICODE", "UTF-8"},    {"ASCII\0\0", "UTF-8"},        {"\0\0\0\0\0\0\0", "UTF-8"},
                 {NULL, "UTF-8"},         {"JIS\0\0\0\0", "ISO-2022-JP"}};
    for (guint i = 0; i < 2 * G_N_ELEMENTS(kinds); i++) {
        gsize n = 0;
        char *text = g_convert(TEXT, -1, kinds[i / 2].code, "UTF-8", NULL, &n, NULL);
        GByteArray *exif = exif_with(i % 2, kinds[i / 2].letters, text, n);
        save_jpeg(0xe1, "Exif\0\0", 6, exif->data, exif->len);
        reads_text();
        if (i == 0) {
            GByteArray *png = png_start();
            put_chunk(png, "eXIf", exif->data, exif->len);
            put_chunk(png, "IDAT", "\x78\x9c\x63\x60\x60\x60\x00\x00\x00\x04\x00\x01", 12);
            png_save(png);
            reads_text();
        }
        g_byte_array_unref(exif);
        g_free(text);
    }
#endif
    save_jpeg(0xfe, "", 0, (const guint8 *)TEXT, strlen(TEXT));
    reads_text();
}

/* Programs that show themselves in EXIF tags other than UserComment: the one entry of a directory. */
static void test_other_programs_in_exif(void)
{
#ifndef HAVE_GEXIV2
    g_test_skip("built without gexiv2");
#else
    static const struct {
        guint32 tag;
        const char *text, *program;
    } known[] = {{0x0110, "prompt:{\"3\": {\"class_type\": \"KSampler\"}}", "ComfyUI"},
                 {0x010f, "workflow:{\"nodes\": []}", "ComfyUI"},
                 {0x0110, "{\"sui_image_params\": {}}", "no generation parameters"},
                 {0x0131, "NovelAI", "NovelAI"},
                 {0x0131, "Fooocus v2.5.5", "Fooocus"}};
    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        GByteArray *exif = g_byte_array_new();
        const guint32 n = (guint32)strlen(known[i].text) + 1;
        const guint32 numbers[][2] = {{2, 42}, {4, 8}, {2, 1}, {2, known[i].tag}, {2, 2}, {4, n}, {4, 26}, {4, 0}};
        g_byte_array_append(exif, (const guint8 *)"II", 2);
        for (guint k = 0; k < G_N_ELEMENTS(numbers); k++)
            put_in_order(exif, FALSE, (int)numbers[k][0], numbers[k][1]);
        g_byte_array_append(exif, (const guint8 *)known[i].text, n);
        save_jpeg(0xe1, "Exif\0\0", 6, exif->data, exif->len);
        fails_with(known[i].program);
        g_byte_array_unref(exif);
    }
    static const char xmp[] =
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
        "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" "
        "xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"><xmp:CreatorTool>Draw Things</xmp:CreatorTool></rdf:Description>"
        "</rdf:RDF></x:xmpmeta>";
    save_jpeg(0xe1, "", 0, (const guint8 *)xmp, sizeof xmp - 1);
    fails_with("Draw Things");
#endif
}

/* ISO/IEC 14496-12, 4.2: size, type, data. Takes nothing; the caller unrefs. */
static GByteArray *box(const char *type, const void *data, gsize n)
{
    GByteArray *b = g_byte_array_new();
    put_u32(b, (guint32)n + 8);
    g_byte_array_append(b, (const guint8 *)type, 4);
    g_byte_array_append(b, data, (guint)n);
    return b;
}

static void append_box(GByteArray *to, const char *type, const void *data, gsize n)
{
    GByteArray *b = box(type, data, n);
    g_byte_array_append(to, b->data, b->len);
    g_byte_array_unref(b);
}

/* AVIF: the item list (infe), where the item lies (iloc version 0, 4-byte numbers), and EXIF data behind its offset.
 * JPEG XL: a box of its own. `head`: what stands between that offset and the TIFF header. */
G_GNUC_UNUSED static void save_boxes(gboolean jxl, const char *head, const GByteArray *exif)
{
    GByteArray *item = g_byte_array_new(), *file, *meta = g_byte_array_new();
    put_u32(item, (guint32)strlen(head) ? 6 : 0);
    g_byte_array_append(item, (const guint8 *)"Exif\0\0", strlen(head) ? 6 : 0);
    g_byte_array_append(item, exif->data, exif->len);
    file = jxl ? box("JXL ", "\r\n\x87\n", 4) : box("ftyp", "avif\0\0\0\0avif", 12);
    if (!jxl) {
        static const char infe[] = "\2\0\0\0\0\2\0\0Exif", iinf[] = "\0\0\0\0\0\1";
        GByteArray *list = g_byte_array_new(), *place = g_byte_array_new();
        g_byte_array_append(list, (const guint8 *)iinf, 6);
        append_box(list, "infe", infe, sizeof infe); /* with an empty name */
        g_byte_array_append(place, (const guint8 *)"\0\0\0\0\x44\0\0\1\0\2\0\0\0\1", 14);
        const guint32 meta_bytes = 8 + 4 + (8 + list->len) + (8 + 14 + 8);
        put_u32(place, file->len + meta_bytes + 8);
        put_u32(place, item->len);
        put_u32(meta, 0);
        append_box(meta, "iloc", place->data, place->len);
        append_box(meta, "iinf", list->data, list->len);
        append_box(file, "meta", meta->data, meta->len);
        g_byte_array_unref(list);
        g_byte_array_unref(place);
    }
    append_box(file, jxl ? "Exif" : "mdat", item->data, item->len);
    g_assert_true(g_file_set_contents(path, (const char *)file->data, file->len, NULL));
    g_byte_array_unref(item);
    g_byte_array_unref(meta);
    g_byte_array_unref(file);
}

static void test_boxes(void)
{
#ifndef HAVE_GEXIV2
    g_test_skip("built without gexiv2");
#else
    gsize n = 0;
    char *text = g_convert(TEXT, -1, "UTF-16BE", "UTF-8", NULL, &n, NULL);
    GByteArray *exif = exif_with(TRUE, "UNICODE", text, n);
    for (int i = 0; i < 4; i++) {
        save_boxes(i & 1, i & 2 ? "Exif" : "", exif);
        reads_text();
    }
    g_byte_array_unref(exif);
    g_free(text);
#endif
}

/* Before a picture or behind it, in blocks of at most 255 bytes. */
static void test_gif(void)
{
    static const guint8 picture[] = {0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 2, 2, 0x44, 1, 0};
    for (int i = 0; i < 2; i++) {
        GByteArray *gif = g_byte_array_new();
        g_byte_array_append(gif, (const guint8 *)"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff", 19);
        if (i)
            g_byte_array_append(gif, picture, sizeof picture);
        g_byte_array_append(gif, (const guint8 *)"\x21\xf9\4\0\0\0\0\0\x21\xfe", 10);
        for (gsize at = 0; at < strlen(TEXT); at += 50) {
            const guint8 length = (guint8)MIN(50, strlen(TEXT) - at);
            g_byte_array_append(gif, &length, 1);
            g_byte_array_append(gif, (const guint8 *)TEXT + at, length);
        }
        g_byte_array_append(gif, (const guint8 *)"\0\x3b", 2);
        g_assert_true(g_file_set_contents(path, (const char *)gif->data, gif->len, NULL));
        reads_text();
        g_byte_array_unref(gif);
    }
}

static void test_plain_files(void)
{
    g_assert_true(g_file_set_contents(path, TEXT, -1, NULL));
    reads_text();
    static const char *const codes[][2] = {
        {"UTF-8", "\xef\xbb\xbf"}, {"UTF-16LE", "\xff\xfe"}, {"UTF-16BE", "\xfe\xff"}};
    for (guint i = 0; i < 2 * G_N_ELEMENTS(codes); i++) { /* editors of Windows: a mark first, lines end in CR LF */
        gsize n = 0;
        char **lines = g_strsplit(TEXT, "\n", -1), *all = g_strjoinv(i % 2 ? "\r\n" : "\n", lines),
             *text = g_convert(all, -1, codes[i / 2][0], "UTF-8", NULL, &n, NULL);
        GString *file = g_string_new(codes[i / 2][1]);
        g_string_append_len(file, text, (gssize)n);
        g_assert_true(g_file_set_contents(path, file->str, (gssize)file->len, NULL));
        reads_text();
        g_string_free(file, TRUE);
        g_strfreev(lines);
        g_free(all);
        g_free(text);
    }
    g_assert_true(g_file_set_contents(path, "\xff\xfe\x00\xd8x\0", 6, NULL)); /* half a pair */
    fails_with("no generation parameters");
    g_assert_true(g_file_set_contents(path, "a\0 cat", 6, NULL));
    fails_with("no generation parameters");
    g_assert_cmpint(truncate(path, (off_t)1 << 34), ==, 0); /* is not read first */
    fails_with("no generation parameters");
    g_assert_true(g_file_set_contents(path, "\xff\xd8 no picture", -1, NULL));
    fails_with("no generation parameters");
    g_assert_true(g_file_set_contents(path, "caf\xe9\nSteps: 7, Seed: 1, Size: 8x8", -1, NULL)); /* Windows-1252 */
    SfuParams *p = reads(0);
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_PROMPT), ==, "caf\xc3\xa9");
    sfu_params_free(p);
    g_assert_true(g_file_set_contents(path, "", -1, NULL));
    fails_with("it is empty");
    g_unlink(path);
    fails_with("there is no such file");
}

/* The web UI takes braces for words; Sfumato writes what it chose. */
static void test_braces_are_words(void)
{
    g_assert_true(g_file_set_contents(
        path, "a {red|blue} __cat__\nNegative prompt: {x|y}\nSteps: 7, Seed: 1, Size: 8x8", -1, NULL));
    SfuParams *p = reads(0);
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_PROMPT), ==, "a \\{red|blue} \\__cat__");
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_NEGATIVE), ==, "\\{x|y}");
    sfu_params_free(p);
    g_assert_true(g_file_set_contents(path, "a {red|blue}", -1, NULL)); /* somebody's own prompt */
    p = reads(1);
    g_assert_cmpstr(sfu_params_text(p, SFU_PARAM_PROMPT), ==, "a {red|blue}");
    sfu_params_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    char *folder = g_dir_make_tmp("sfumato-from-XXXXXX", NULL);
    path = g_build_filename(folder, "file", NULL);
    g_test_add_func("/from/png-chunks", test_png_chunks);
    g_test_add_func("/from/refused-programs", test_refused_programs);
    g_test_add_func("/from/read-programs", test_read_programs);
    g_test_add_func("/from/novelai", test_novelai);
    g_test_add_func("/from/torn-novelai", test_torn_novelai);
    g_test_add_func("/from/jpeg", test_jpeg);
    g_test_add_func("/from/other-programs-in-exif", test_other_programs_in_exif);
    g_test_add_func("/from/boxes", test_boxes);
    g_test_add_func("/from/gif", test_gif);
    g_test_add_func("/from/plain-files", test_plain_files);
    g_test_add_func("/from/braces-are-words", test_braces_are_words);
    const int status = g_test_run();
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    return status;
}
