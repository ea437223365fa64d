/* --from: parameters out of the metadata of a picture, or out of a text file beside one.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#ifdef HAVE_GEXIV2
#include <gexiv2/gexiv2.h>
#if GEXIV2_CHECK_VERSION(0, 15, 0) /* gexiv2-0.16 gave it the shorter name */
#define gexiv2_metadata_try_get_tag_raw gexiv2_metadata_get_tag_raw
#endif
#endif

#define MAX_TEXT_FILE (1 << 20)
#define MAX_NESTING 32

/* json-glib recurses: what is nested deeply is not given to it. */
static JsonNode *parse_object(const char *text)
{
    int depth = 0;
    for (const char *t = text; *t; t++) {
        if (*t == '"')
            for (t++; *t && *t != '"'; t++)
                t += *t == '\\' && t[1];
        if (!*t || ((*t == '{' || *t == '[') && ++depth > MAX_NESTING))
            return NULL;
        depth -= *t == '}' || *t == ']';
    }
    JsonNode *node = json_from_string(text, NULL);
    if (node && !JSON_NODE_HOLDS_OBJECT(node))
        g_clear_pointer(&node, json_node_unref);
    return node;
}

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

/* NovelAI writes the prompt as "Description" and all else as JSON; A1111 reads it as the text below. Caller frees;
 * NULL: damaged. */
static char *novelai_text(const char *prompt, const char *comment)
{
    JsonNode *node = parse_object(comment);
    if (!node)
        return NULL;
    JsonObject *o = json_node_get_object(node);
    static const char *const names[] = {"steps", "scale", "seed", "width", "height"};
    char *v[G_N_ELEMENTS(names)];
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        v[i] = number_of(o, names[i]);
    const char *sampler = text_of(o, "sampler", "Euler a");
    char *text = g_strdup_printf("%s\nNegative prompt: %s\nSteps: %s, Sampler: %s, CFG scale: %s, Seed: %s, Size: "
                                 "%sx%s, Clip skip: 2, ENSD: 31337",
                                 prompt, text_of(o, "uc", ""), v[0], sampler, v[1], v[2], v[3], v[4]);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_free(v[i]);
    json_node_unref(node);
    return text;
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
    n = strnlen(text, n); /* fields of a fixed length end in zeros */
    return g_utf8_validate(text, (gssize)n, NULL) ? g_strndup(text, n)
                                                  : g_convert(text, (gssize)n, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
}
#endif

/* A1111 keeps the text of JPEG, WebP and AVIF files in EXIF's UserComment, and reads it in PNG files, too. */
static char *exif_text(const char *path)
{
    char *text = NULL;
#ifdef HAVE_GEXIV2
    GExiv2Metadata *m = gexiv2_metadata_new();
    GBytes *raw = gexiv2_metadata_open_path(m, path, NULL)
                      ? gexiv2_metadata_try_get_tag_raw(m, "Exif.Photo.UserComment", NULL)
                      : NULL;
    gsize n = 0;
    const guint8 *data = raw ? g_bytes_get_data(raw, &n) : NULL;
    text = data ? comment_text(data, n) : NULL;
    if (raw)
        g_bytes_unref(raw);
    g_object_unref(m);
#endif
    return text;
}

/* The first comment of a JPEG file (ITU T.81, B.2.4.5), where A1111 looks last. Caller frees; NULL: none. */
static char *jpeg_comment(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    guint8 head[4];
    gboolean more = f && fread(head, 1, 2, f) == 2 && head[0] == 0xff && head[1] == 0xd8;
    while (more && !text && fread(head, 1, 4, f) == 4 && head[0] == 0xff && head[1] != 0xda) {
        const gsize n = (gsize)head[2] << 8 | head[3];
        if (head[1] == 0xfe && n > 2) {
            char *bytes = g_malloc(n - 2);
            if (fread(bytes, 1, n - 2, f) == n - 2 && g_utf8_validate(bytes, (gssize)n - 2, NULL))
                text = g_strndup(bytes, n - 2);
            g_free(bytes);
            more = text != NULL;
        } else {
            more = n >= 2 && fseek(f, (long)n - 2, SEEK_CUR) == 0;
        }
    }
    if (f)
        fclose(f);
    return text;
}

/* The program whose metadata a PNG file holds instead; NULL: none that is known. */
static const char *program_of(const char *path)
{
    static const struct {
        const char *keyword, *program;
    } known[] = {{"invokeai_metadata", "InvokeAI"}, {"sd-metadata", "InvokeAI"}, {"Dream", "InvokeAI"},
                 {"workflow", "ComfyUI"},           {"prompt", "ComfyUI"},       {"fooocus_scheme", "Fooocus"},
                 {"generation_data", "Tensor.Art"}};
    enum { PLAIN_PROMPT = 4 };
    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        char *text = sfu_png_text_read(path, known[i].keyword, NULL);
        const gboolean words = text && i == PLAIN_PROMPT && *text != '{'; /* not ComfyUI's graph */
        g_free(text);
        if (text)
            return words ? "Easy Diffusion" : known[i].program;
    }
    return NULL;
}

static char *png_text(const char *path, GError **error)
{
    GError *local = NULL;
    char *text = sfu_png_text_read(path, "parameters", &local);
    if (text || local) {
        if (local)
            g_propagate_error(error, local);
        return text;
    }
    char *software = sfu_png_text_read(path, "Software", NULL), *comment = sfu_png_text_read(path, "Comment", NULL);
    if (g_strcmp0(software, "NovelAI") == 0 && comment) {
        char *prompt = sfu_png_text_read(path, "Description", NULL);
        text = novelai_text(prompt ? prompt : "", comment);
        g_free(prompt);
    }
    g_free(software);
    g_free(comment);
    if (!text)
        text = exif_text(path);
    const char *program = text ? NULL : program_of(path);
    if (program)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s was made by %s, whose metadata Sfumato does not read", path,
                    program);
    else if (!text)
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s has no generation parameters in it", path);
    return text;
}

/* A text file, as A1111 writes beside pictures if told to. NULL: it is none. */
static char *plain_text(const char *path)
{
    char *text = sfu_cli_text_read(path, MAX_TEXT_FILE, NULL);
    if (text && *text && g_utf8_validate(text, -1, NULL))
        return text;
    g_free(text);
    return NULL;
}

gboolean sfu_cli_params_from(SfuParams *p, const char *path, GPtrArray *warnings, GError **error)
{
    guint8 head[4] = {0};
    /* It is opened several times, and read whole: no pipe, and no device without an end. */
    FILE *f = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? fopen(path, "rb") : NULL;
    if (!f || fread(head, 1, sizeof head, f) == 0) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s cannot be read", path);
        if (f)
            fclose(f);
        return FALSE;
    }
    fclose(f);
    char *text = NULL;
    if (memcmp(head, "\x89PNG", 4) == 0) {
        if (!(text = png_text(path, error)))
            return FALSE;
    } else if (!(text = plain_text(path)) && !(text = exif_text(path)) && !(text = jpeg_comment(path))) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s has no generation parameters in it", path);
        return FALSE;
    }
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
