/* --from: parameters out of the metadata of a picture, or out of a text file beside one.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#ifdef HAVE_GEXIV2
#include <gexiv2/gexiv2.h>
#if GEXIV2_CHECK_VERSION(0, 15, 0) /* gexiv2-0.16 gave them the shorter names */
#define gexiv2_metadata_try_get_tag_raw gexiv2_metadata_get_tag_raw
#define gexiv2_metadata_try_get_tag_string gexiv2_metadata_get_tag_string
#endif
#endif

#define MAX_TEXT_FILE (1 << 20)

static const char *text_of(JsonObject *o, const char *name, const char *fallback)
{
    JsonNode *n = json_object_get_member(o, name);
    return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n)
                                                                                         : fallback;
}

static char *number_of(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (!n || !JSON_NODE_HOLDS_VALUE(n))
        return g_strdup("");
    if (json_node_get_value_type(n) == G_TYPE_INT64)
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(n));
    return g_strdup(g_ascii_formatd(number, sizeof number, "%.10g", json_node_get_double(n)));
}

/* NovelAI has braces and "1.2::words::" for emphasis, which are plain characters to everybody else. */
#define EMPHASIS                                                                                                       \
    "NovelAI's signs for emphasis ({}, [] and ::) stay in the prompt as they are; they mean something else here."

/* NovelAI writes the prompt as "Description" and all else as JSON; A1111 reads it as the text below. Its schedule and
 * its rescaling are added, which A1111 leaves out. Caller frees; NULL: damaged. */
static char *novelai_text(const char *description, const char *comment, GPtrArray *warnings)
{
    JsonNode *node = sfu_json_read(comment, "The comment", NULL);
    if (!node)
        return NULL;
    JsonObject *o = json_node_get_object(node);
    static const char *const names[] = {"steps", "scale", "seed", "width", "height", "cfg_rescale"};
    char *v[G_N_ELEMENTS(names)];
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        v[i] = number_of(o, names[i]);
    const char *prompt = description && *description ? description : text_of(o, "prompt", ""),
               *negative = text_of(o, "uc", ""), *schedule = text_of(o, "noise_schedule", "native");
    if (strpbrk(prompt, "{[") || strstr(prompt, "::") || strpbrk(negative, "{[") || strstr(negative, "::"))
        sfu_warn(warnings, "%s", EMPHASIS);
    GString *text = g_string_new(NULL);
    g_string_printf(text,
                    "%s\nNegative prompt: %s\nSteps: %s, Sampler: %s, CFG scale: %s, Seed: %s, Size: %sx%s, "
                    "Clip skip: 2, ENSD: 31337",
                    prompt, negative, v[0], text_of(o, "sampler", "Euler a"), v[1], v[2], v[3], v[4]);
    if (strcmp(schedule, "native") != 0)
        g_string_append_printf(text, ", Schedule type: %s", schedule);
    if (*v[5] && strcmp(v[5], "0") != 0)
        g_string_append_printf(text, ", CFG Rescale phi: %s", v[5]);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_free(v[i]);
    json_node_unref(node);
    return g_string_free(text, FALSE);
}

#ifdef HAVE_GEXIV2
/* UTF-16 has no agreed order here: the specification means the file's, A1111 writes big-endian into any file, and other
 * programs save such files anew in the other order. A mark decides, else the zeros that nearly all such text has.
 * Caller frees; NULL: damaged. */
static char *utf16_text(const guint8 *data, gsize n)
{
    guint zeros[2] = {0, 0}; /* at even and at odd places */
    for (gsize i = 0; i < n; i++)
        zeros[i % 2] += data[i] == 0;
    if (zeros[0] + zeros[1] == 0 && g_utf8_validate((const char *)data, (gssize)n, NULL))
        return g_strndup((const char *)data, n);
    const gboolean marked = n >= 2 && (memcmp(data, "\xfe\xff", 2) == 0 || memcmp(data, "\xff\xfe", 2) == 0),
                   big = marked ? data[0] == 0xfe : zeros[0] >= zeros[1];
    data += marked ? 2 : 0;
    n -= marked ? 2 : 0;
    return g_convert((const char *)data, (gssize)(n & ~(gsize)1), "UTF-8", big ? "UTF-16BE" : "UTF-16LE", NULL, NULL,
                     NULL);
}

/* EXIF 2.32, 4.6.6: eight bytes name the letters, the text follows. Programs that do not know it leave the eight out.
 */
static char *comment_text(const guint8 *data, gsize n)
{
    static const char *const one_byte[] = {"ASCII\0\0", "\0\0\0\0\0\0\0"};
    if (n >= 8 && memcmp(data, "UNICODE", 8) == 0)
        return utf16_text(data + 8, n - 8);
    for (guint i = 0; i < G_N_ELEMENTS(one_byte); i++)
        if (n >= 8 && memcmp(data, one_byte[i], 8) == 0) {
            data += 8;
            n -= 8;
            break;
        }
    const char *text = (const char *)data;
    if (n >= 8 && memcmp(data, "JIS\0\0\0\0\0", 8) == 0)
        return g_convert(text + 8, (gssize)strnlen(text + 8, n - 8), "UTF-8", "ISO-2022-JP", NULL, NULL, NULL);
    n = strnlen(text, n); /* fields of a fixed length end in zeros */
    return g_utf8_validate(text, (gssize)n, NULL) ? g_strndup(text, n)
                                                  : g_convert(text, (gssize)n, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
}

/* EXIF and XMP of the file; NULL if exiv2 does not know it. exiv2 misses EXIF data in many AVIF files. Caller unrefs.
 */
static GExiv2Metadata *exif_open(const char *path)
{
    GExiv2Metadata *m = gexiv2_metadata_new();
    GMappedFile *map = g_mapped_file_new(path, FALSE, NULL);
    gboolean ok = FALSE;
    gsize n = 0;
    const guint8 *data =
        map ? sfu_boxes_exif_find((const guint8 *)g_mapped_file_get_contents(map), g_mapped_file_get_length(map), &n)
            : NULL;
    if (data) { /* with the head that it has in JPEG files */
        GByteArray *segment = g_byte_array_new();
        g_byte_array_append(segment, (const guint8 *)"Exif\0\0", 6);
        g_byte_array_append(segment, data, (guint)MIN(n, G_MAXINT));
        ok = gexiv2_metadata_from_app1_segment(m, segment->data, segment->len, NULL);
        g_byte_array_unref(segment);
    }
    if (!ok && !gexiv2_metadata_open_path(m, path, NULL))
        g_clear_object(&m);
    if (map)
        g_mapped_file_unref(map);
    return m;
}

static char *exif_comment(GExiv2Metadata *m)
{
    GBytes *raw = gexiv2_metadata_try_get_tag_raw(m, "Exif.Photo.UserComment", NULL);
    gsize n = 0;
    const guint8 *data = raw ? g_bytes_get_data(raw, &n) : NULL;
    char *text = data ? comment_text(data, n) : NULL;
    if (raw)
        g_bytes_unref(raw);
    return text;
}

/* The program that shows itself in another tag than the one that is read. */
static const char *exif_program(GExiv2Metadata *m)
{
    static const struct {
        const char *tag, *begins, *program;
    } known[] = {{"Exif.Image.Model", "prompt:", "ComfyUI"},
                 {"Exif.Image.Make", "workflow:", "ComfyUI"},
                 {"Exif.Image.ImageDescription", "Workflow:", "ComfyUI"},
                 {"Exif.Image.Model", "{\"sui_image_params\"", "SwarmUI"},
                 {"Exif.Image.Software", "NovelAI", "NovelAI"},
                 {"Exif.Image.Software", "Fooocus", "Fooocus"},
                 {"Xmp.xmp.CreatorTool", "Draw Things", "Draw Things"}};
    const char *program = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(known) && !program; i++) {
        char *text = gexiv2_metadata_try_get_tag_string(m, known[i].tag, NULL);
        program = text && g_str_has_prefix(text, known[i].begins) ? known[i].program : NULL;
        g_free(text);
    }
    return program;
}
#endif

/* A1111 keeps the text of JPEG, WebP and AVIF files in EXIF's UserComment, and reads it in PNG files, too. *program
 * (may be NULL): who else left traces. Caller frees; NULL: none. */
static char *exif_text(const char *path, const char **program)
{
    char *text = NULL;
    *program = NULL;
#ifdef HAVE_GEXIV2
    GExiv2Metadata *m = exif_open(path);
    text = m ? exif_comment(m) : NULL;
    *program = m ? exif_program(m) : NULL;
    if (!text && *program && strcmp(*program, "SwarmUI") == 0) /* before it had the comment */
        text = gexiv2_metadata_try_get_tag_string(m, "Exif.Image.Model", NULL);
    g_clear_object(&m);
#endif
    return text;
}

/* The comment of a JPEG or GIF file, where A1111 looks last. Caller frees; NULL: none. */
static char *own_comment(const char *path)
{
    GMappedFile *map = g_mapped_file_new(path, FALSE, NULL);
    if (!map)
        return NULL;
    const guint8 *data = (const guint8 *)g_mapped_file_get_contents(map);
    char *text = sfu_jpeg_comment_find(data, g_mapped_file_get_length(map));
    if (!text)
        text = sfu_gif_comment_find(data, g_mapped_file_get_length(map));
    g_mapped_file_unref(map);
    return text;
}

/* The program whose metadata a PNG file holds instead; NULL: none that is known. */
static const char *png_program(const char *path)
{
    static const struct {
        const char *keyword, *begins, *program;
    } known[] = {{"invokeai_metadata", "", "InvokeAI"},
                 {"invokeai_graph", "", "InvokeAI"},
                 {"invokeai_workflow", "", "InvokeAI"},
                 {"sd-metadata", "", "InvokeAI"},
                 {"Dream", "", "InvokeAI"},
                 {"workflow", "", "ComfyUI"},
                 {"prompt", "{", "ComfyUI"},
                 {"prompt", "", "Easy Diffusion"},
                 {"Prompt", "", "Easy Diffusion"},
                 {"fooocus_scheme", "", "Fooocus"},
                 {"Software", "NovelAI", "NovelAI"},
                 {"generation_data", "", "Tensor.Art"},
                 {"Comment", "{", "another program"}};
    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        char *text = sfu_png_text_read(path, known[i].keyword, NULL);
        const gboolean fits = text && g_str_has_prefix(text, known[i].begins);
        g_free(text);
        if (fits)
            return known[i].program;
    }
    return NULL;
}

/* The text of a PNG file: A1111's, or NovelAI's in A1111's form. NULL with error: damaged; without: there is none. */
static char *png_text(const char *path, GPtrArray *warnings, GError **error)
{
    GError *local = NULL;
    char *text = sfu_png_text_read(path, "parameters", &local);
    if (local)
        g_propagate_error(error, local);
    if (text || local)
        return text;
    /* InvokeAI's; without their prompts they hold a graph of its nodes only. */
    static const struct {
        const char *keyword, *holds;
    } of_invoke[] = {{"invokeai_metadata", "\"positive_prompt\""}, {"sd-metadata", "\"image\""}};
    for (guint i = 0; i < G_N_ELEMENTS(of_invoke); i++) {
        text = sfu_png_text_read(path, of_invoke[i].keyword, NULL);
        if (text && strstr(text, of_invoke[i].holds))
            return text;
        g_free(text);
    }
    text = NULL;
    char *software = sfu_png_text_read(path, "Software", NULL), *comment = sfu_png_text_read(path, "Comment", NULL);
    if (software && g_str_has_prefix(software, "NovelAI") && comment) {
        char *prompt = sfu_png_text_read(path, "Description", NULL);
        text = novelai_text(prompt, comment, warnings);
        g_free(prompt);
    }
    if (!text && comment && strstr(comment, "\"Sharpness\"")) /* Fooocus before version 2.2 */
        text = g_steal_pointer(&comment);
    g_free(software);
    g_free(comment);
    return text;
}

/* Whether this program's own words are read. */
static gboolean is_read(const char *program)
{
    return strcmp(program, "SwarmUI") == 0 || strcmp(program, "Fooocus") == 0;
}

static gboolean has_control_characters(const char *text)
{
    for (; *text; text++)
        if (g_ascii_iscntrl(*text) && !g_ascii_isspace(*text))
            return TRUE;
    return FALSE;
}

/* A text file, as A1111 writes beside pictures if told to; in an old editor's letters, perhaps. NULL: it is none. */
static char *plain_text(const char *path)
{
    char *text = sfu_cli_text_read(path, MAX_TEXT_FILE, NULL);
    if (text && *text && g_utf8_validate(text, -1, NULL))
        return text;
    char *old = text && strstr(text, "Steps:") && !has_control_characters(text)
                    ? g_convert(text, -1, "UTF-8", "WINDOWS-1252", NULL, NULL, NULL)
                    : NULL;
    g_free(text);
    return old;
}

/* The text with the parameters; NULL with error. Caller frees. */
static char *picture_or_file_text(const char *path, gboolean is_png, GPtrArray *warnings, GError **error)
{
    GError *local = NULL;
    const char *program = NULL;
    char *text = is_png ? png_text(path, warnings, &local) : plain_text(path);
    if (local) {
        g_propagate_error(error, local);
        return NULL;
    }
    if (!text) {
        text = exif_text(path, &program);
        if (text && program && *text == '{' && !is_read(program)) /* its own words in the place of A1111's */
            g_clear_pointer(&text, g_free);
    }
    if (!text && !program)
        text = own_comment(path);
    if (!text && is_png && !program)
        program = png_program(path);
    if (program && !text)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s was made by %s, whose metadata Sfumato does not read", path,
                    program);
    else if (!text)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s contains no generation parameters", path);
    return text;
}

gboolean sfu_cli_params_from(SfuParams *p, const char *path, GPtrArray *warnings, GError **error)
{
    guint8 head[4] = {0};
    /* It is opened several times, and read whole: no pipe, and no device without an end. */
    FILE *f = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? fopen(path, "rb") : NULL;
    if (!f || fread(head, 1, sizeof head, f) == 0) {
        const char *why = f && !ferror(f)                             ? "it is empty"
                          : g_file_test(path, G_FILE_TEST_IS_DIR)     ? "it is a folder"
                          : g_file_test(path, G_FILE_TEST_IS_REGULAR) ? "it may not be read"
                          : g_file_test(path, G_FILE_TEST_EXISTS)     ? "it is not a file"
                                                                      : "there is no such file";
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s cannot be read: %s", path, why);
        if (f)
            fclose(f);
        return FALSE;
    }
    fclose(f);
    char *text = picture_or_file_text(path, memcmp(head, "\x89PNG", 4) == 0, warnings, error);
    if (!text)
        return FALSE;
    const gboolean ok = sfu_params_from_infotext(p, text, warnings, error);
    g_free(text);
    return ok;
}

void sfu_cli_print_warnings(const SfuCliOptions *o, const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++) {
        if (o->json)
            sfu_cli_json_event("warning", "message", warnings->pdata[i], NULL);
        else if (!o->quiet)
            g_printerr("sfumato: note: %s\n", (const char *)warnings->pdata[i]);
    }
}
