/* Style presets: words that are put round the prompt and into the negative prompt. Some are built in; more stand in
 * files that people edit, in the form of A1111's styles.csv: name, prompt, negative_prompt, with {prompt} where the own
 * words go.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "params/styles.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_FILE (4 << 20)
#define MAX_STYLES 4096

typedef struct {
    char *name, *prompt, *negative; /* with {prompt}, or added behind the own words */
} Style;

static const Style built_in[] = {
    {"none", "", ""},
    {"photo", "photograph, natural light, sharp focus, fine detail, 35mm",
     "painting, drawing, illustration, cartoon, 3d render"},
    {"portrait", "portrait photograph of {prompt}, 85mm lens, shallow depth of field, soft window light, detailed skin",
     "painting, cartoon, deformed, disfigured, extra fingers, bad anatomy"},
    {"landscape", "landscape photograph, golden hour, wide angle, deep depth of field, detailed",
     "people, text, blurry, oversaturated"},
    {"black and white", "black and white photograph, film grain, strong contrast, high dynamic range",
     "color, sepia, painting"},
    {"cinematic", "cinematic still, anamorphic lens, film grain, dramatic light, color grading",
     "cartoon, painting, text, logo"},
    {"oil painting", "oil painting on canvas, visible brush strokes, rich colors, impasto",
     "photograph, 3d render, smooth"},
    {"watercolor", "watercolor painting, wet on wet, soft edges, paper texture, delicate washes",
     "photograph, 3d render, hard lines"},
    {"ink", "ink drawing, black ink on white paper, hatching, confident lines", "photograph, color, blurry"},
    {"pencil", "pencil sketch, graphite on paper, fine shading, cross-hatching", "photograph, color, 3d render"},
    {"pastel", "soft pastel drawing, chalk texture, blended colors, toned paper", "photograph, 3d render, hard lines"},
    {"anime", "anime illustration, cel shading, clean lines, vivid colors",
     "photograph, realistic, 3d render, lowres, bad anatomy"},
    {"comic", "comic book panel, bold outlines, flat colors, halftone dots", "photograph, realistic, blurry"},
    {"pixel art", "pixel art, 16-bit, limited palette, crisp pixels",
     "photograph, blurry, smooth, anti-aliasing, realistic"},
    {"3d render", "3d render, global illumination, physically based materials, studio light",
     "photograph, drawing, flat, lowres"},
    {"concept art", "concept art, digital painting, atmospheric perspective, dramatic composition",
     "photograph, lowres, text"},
    {"clay", "clay model, plasticine, stop motion, fingerprints, studio light", "photograph, drawing, smooth"},
    {"texture", "seamless texture, flat even light, top-down view, high detail",
     "objects, people, perspective, shadows, text"},
};

static void style_free(gpointer data)
{
    Style *s = data;
    g_free(s->name);
    g_free(s->prompt);
    g_free(s->negative);
    g_free(s);
}

/* ---- styles.csv: RFC 4180, with a first line that names the columns. As Python's csv module reads it for A1111:
 * blanks before a field do not belong to it, and a line may end in CR, LF or both. ---- */

static gboolean ends_field(char c)
{
    return c == ',' || c == '\n' || c == '\r';
}

/* Takes one field off the text; *ends: it was the last of its line. Quotes may hold commas, quotes (doubled) and lines.
 */
static char *next_field(const char **text, const char *end, gboolean *ends)
{
    const char *t = *text;
    GString *field = g_string_new(NULL);
    while (t < end && *t == ' ')
        t++;
    const gboolean quoted = t < end && *t == '"';
    for (t += quoted; t < end && (quoted || !ends_field(*t)); t++) {
        if (quoted && *t == '"') {
            if (t + 1 == end || t[1] != '"')
                break;
            t++;
        }
        g_string_append_c(field, *t);
    }
    while (quoted && t < end && !ends_field(*t)) /* the closing quote, and whatever may stand behind it */
        t++;
    *ends = t >= end || *t != ',';
    if (t + 1 < end && t[0] == '\r' && t[1] == '\n')
        t++;
    *text = t < end ? t + 1 : end;
    return g_string_free(field, FALSE);
}

static GPtrArray *next_row(const char **text, const char *end)
{
    GPtrArray *row = g_ptr_array_new_with_free_func(g_free);
    gboolean ends = FALSE;
    while (!ends)
        g_ptr_array_add(row, next_field(text, end, &ends));
    return row;
}

static int column(const GPtrArray *head, const char *name)
{
    for (guint i = 0; i < head->len; i++)
        if (g_ascii_strcasecmp(g_strchomp(head->pdata[i]), name) == 0)
            return (int)i;
    return -1;
}

static char *cell(const GPtrArray *row, int i)
{
    return g_strdup(i >= 0 && i < (int)row->len ? row->pdata[i] : "");
}

/* Style*; lines without a name, or with one that begins with '#', are headings. *problem: why some styles are not among
 * them; else NULL. */
static GPtrArray *parse(const char *text, gsize n, const char **problem)
{
    GPtrArray *styles = g_ptr_array_new_with_free_func(style_free);
    const char *end = text + n;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    const gboolean empty = text == end;
    GPtrArray *head = next_row(&text, end);
    const int name = column(head, "name"),
              prompt = column(head, "prompt") >= 0 ? column(head, "prompt") : column(head, "text");
    const int negative = column(head, "negative_prompt");
    const gboolean named = name >= 0 && (prompt >= 0 || negative >= 0);
    *problem = named || empty ? NULL : _("its first line does not name the columns name, prompt, negative_prompt");
    while (named && text < end) {
        GPtrArray *row = next_row(&text, end);
        char *called = g_strstrip(cell(row, name));
        if (styles->len == MAX_STYLES) {
            *problem = _("it has too many styles");
            text = end;
        } else if (*called && *called != '#') {
            Style *s = g_new(Style, 1);
            *s = (Style){g_steal_pointer(&called), g_strstrip(cell(row, prompt)), g_strstrip(cell(row, negative))};
            g_ptr_array_add(styles, s);
        }
        g_free(called);
        g_ptr_array_unref(row);
    }
    g_ptr_array_unref(head);
    return styles;
}

guint sfu_styles_count(const char *text, gsize n, const char **problem)
{
    GPtrArray *styles = parse(text, n, problem);
    const guint count = styles->len;
    g_ptr_array_unref(styles);
    return count;
}

/* ---- all styles ---- */

static char *unread; /* a sentence about the first file that is not read, or not whole */

static void note_unread(const char *path, const char *problem)
{
    if (!unread)
        unread = g_strdup_printf(_("The styles of %s are not all read: %s."), path, problem);
}

/* Adds the file's; one of a name that is there replaces it ("none" stays). must: it was named, so it should be there.
 */
static void add_file(GPtrArray *all, const char *path, gboolean must)
{
    char *text = NULL;
    gsize n = 0;
    GError *local = NULL;
    const char *problem = NULL;
    if (!g_file_get_contents(path, &text, &n, &local)) {
        if (must || (local->code != G_FILE_ERROR_NOENT && local->code != G_FILE_ERROR_NOTDIR))
            note_unread(path, local->message);
        g_error_free(local);
        return;
    }
    if (n > MAX_FILE || !g_utf8_validate(text, (gssize)n, NULL)) {
        note_unread(path, n > MAX_FILE ? _("it is too large") : _("it is not UTF-8 text"));
        g_free(text);
        return;
    }
    GPtrArray *styles = parse(text, n, &problem);
    g_free(text);
    if (problem)
        note_unread(path, problem);
    for (guint i = 0; i < styles->len; i++) {
        Style *s = styles->pdata[i];
        guint at = 0;
        while (at < all->len && g_ascii_strcasecmp(((Style *)all->pdata[at])->name, s->name) != 0)
            at++;
        if (at == 0)
            continue;
        styles->pdata[i] = NULL;
        if (at == all->len) {
            g_ptr_array_add(all, s);
        } else {
            style_free(all->pdata[at]);
            all->pdata[at] = s;
        }
    }
    for (guint i = 0; i < styles->len; i++)
        if (styles->pdata[i])
            style_free(styles->pdata[i]);
    g_ptr_array_set_free_func(styles, NULL);
    g_ptr_array_unref(styles);
}

static gboolean without_files;

void sfu_params_without_files(void)
{
    without_files = TRUE;
}

/* Read once: the system's, then the user's; SFUMATO_STYLES names files in their place. Lives as long as the process. */
static const GPtrArray *all_styles(void)
{
    static GPtrArray *all;
    static gsize once;
    if (!g_once_init_enter(&once))
        return all;
    GPtrArray *styles = g_ptr_array_new();
    for (guint i = 0; i < G_N_ELEMENTS(built_in); i++) {
        Style *s = g_new(Style, 1);
        *s = (Style){g_strdup(built_in[i].name), g_strdup(built_in[i].prompt), g_strdup(built_in[i].negative)};
        g_ptr_array_add(styles, s);
    }
    const char *named = g_getenv("SFUMATO_STYLES"), *const *system = g_get_system_data_dirs();
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    char **list = named ? g_strsplit(named, G_SEARCHPATH_SEPARATOR_S, -1) : NULL;
    for (int i = 0; list && list[i]; i++)
        g_ptr_array_add(files, g_strdup(list[i]));
    for (int i = 0; !named && system[i]; i++)
        g_ptr_array_add(files, g_build_filename(system[i], "sfumato", "styles.csv", NULL));
    if (!named)
        g_ptr_array_add(files, g_build_filename(g_get_user_config_dir(), "sfumato", "styles.csv", NULL));
    for (guint i = 0; i < files->len && !without_files; i++)
        add_file(styles, files->pdata[i], named != NULL);
    g_strfreev(list);
    g_ptr_array_unref(files);
    all = styles;
    g_once_init_leave(&once, 1);
    return all;
}

const char *sfu_styles_unread(void)
{
    all_styles();
    return unread;
}

const char *sfu_style_name(int i)
{
    const GPtrArray *all = all_styles();
    return i >= 0 && i < (int)all->len ? ((const Style *)all->pdata[i])->name : NULL;
}

/* The own words in the style's place for them, else before its words. */
static char *merge(const char *own, const char *style)
{
    if (strstr(style, "{prompt}")) {
        char **parts = g_strsplit(style, "{prompt}", -1), *text = g_strjoinv(own, parts);
        g_strfreev(parts);
        return text;
    }
    if (!*style)
        return g_strdup(own);
    char *words = g_strstrip(g_strdup(own)), *text = g_strconcat(words, *words ? ", " : "", style, NULL);
    g_free(words);
    return text;
}

void sfu_style_apply(const SfuParams *p, char **prompt, char **negative)
{
    const Style *s = all_styles()->pdata[sfu_params_int(p, SFU_PARAM_STYLE)];
    *prompt = merge(sfu_params_text(p, SFU_PARAM_PROMPT), s->prompt);
    *negative = merge(sfu_params_text(p, SFU_PARAM_NEGATIVE), s->negative);
}
