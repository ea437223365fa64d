/* Where models lie: the folders that are searched, the files in them, and the pieces that a model in pieces lacks.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>

#define DEPTH 2 /* folders below one with pieces that are looked into */

/* ---- folders and files ------------------------------------------------------------------------------------------ */

static void add_folder(GPtrArray *v, char *path)
{
    char *canonical = g_canonicalize_filename(path, NULL);
    g_free(path);
    for (guint i = 0; i < v->len; i++) {
        if (strcmp(g_ptr_array_index(v, i), canonical) == 0) {
            g_free(canonical);
            return;
        }
    }
    g_ptr_array_add(v, canonical);
}

/* Folders beside the running program: `models` in the folder it lies in (the build tree, an unpacked archive), and its
 * prefix's own. */
static void add_program_folders(GPtrArray *v)
{
    char *program = g_file_read_link("/proc/self/exe", NULL);
    if (!program)
        return;
    char *folder = g_path_get_dirname(program), *beside = g_build_filename(folder, "models", NULL);
    if (g_file_test(beside, G_FILE_TEST_IS_DIR))
        add_folder(v, beside);
    else
        g_free(beside);
    add_folder(v, g_build_filename(folder, "..", "share", "sfumato", "models", NULL));
    g_free(folder);
    g_free(program);
}

static GMutex further_lock;
static char **further; /* NULL: none */

void sfu_model_folders_also(const char *const *folders)
{
    g_mutex_lock(&further_lock);
    g_strfreev(further);
    further = g_strdupv((char **)folders);
    g_mutex_unlock(&further_lock);
}

char **sfu_model_folders(const char *const *extra)
{
    GPtrArray *v = g_ptr_array_new();
    const char *env = g_getenv("SFUMATO_MODELS");
    char **named = g_strsplit(env ? env : "", G_SEARCHPATH_SEPARATOR_S, -1);
    for (int i = 0; named[i]; i++)
        if (*named[i])
            add_folder(v, g_strdup(named[i]));
    g_strfreev(named);
    add_folder(v, g_build_filename(g_get_user_data_dir(), "sfumato", "models", NULL));
    add_folder(v, g_build_filename(SFU_DATADIR, "sfumato", "models", NULL));
    const char *const *system = g_get_system_data_dirs();
    for (int i = 0; system[i]; i++)
        add_folder(v, g_build_filename(system[i], "sfumato", "models", NULL));
    add_program_folders(v);
    g_mutex_lock(&further_lock);
    for (int i = 0; further && further[i]; i++)
        if (*further[i])
            add_folder(v, g_strdup(further[i]));
    g_mutex_unlock(&further_lock);
    for (int i = 0; extra && extra[i]; i++)
        if (*extra[i])
            add_folder(v, g_strdup(extra[i]));
    g_ptr_array_add(v, NULL);
    return (char **)g_ptr_array_free(v, FALSE);
}

int sfu_named_kind(const char *name)
{
    static const struct {
        const char *name;
        SfuNamedKind kind;
    } folders[] = {{"loras", SFU_NAMED_ADAPTER},
                   {"lora", SFU_NAMED_ADAPTER},
                   {"lycoris", SFU_NAMED_ADAPTER},
                   {"embeddings", SFU_NAMED_EMBEDDING},
                   {"textual_inversion", SFU_NAMED_EMBEDDING},
                   {"wildcards", SFU_NAMED_WILDCARD},
                   {"controlnet", SFU_NAMED_CONTROL},
                   {"t2i_adapter", SFU_NAMED_CONTROL},
                   {"t2i-adapter", SFU_NAMED_CONTROL},
                   {"ipadapter", SFU_NAMED_IMAGE_PROMPT},
                   {"ip_adapter", SFU_NAMED_IMAGE_PROMPT},
                   {"ip-adapter", SFU_NAMED_IMAGE_PROMPT},
                   {"clip_vision", SFU_NAMED_VISION},
                   {"image_encoder", SFU_NAMED_VISION},
                   {"inpaint", SFU_NAMED_INPAINT}};
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
        if (g_ascii_strcasecmp(name, folders[i].name) == 0)
            return (int)folders[i].kind;
    return -1;
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static gboolean may_be_model(const char *name)
{
    static const char *const endings[] = {
        ".safetensors", ".sft", ".gguf", ".pth",
        ".param",       ".pt",  ".ckpt"}; /* the last: upscalers; others are refused with a way to convert them */
    for (gsize i = 0; i < G_N_ELEMENTS(endings); i++)
        if (g_str_has_suffix(name, endings[i]))
            return TRUE;
    return FALSE;
}

static gboolean has_file(const char *folder, const char *name)
{
    char *file = g_build_filename(folder, name, NULL);
    const gboolean has = g_file_test(file, G_FILE_TEST_IS_REGULAR);
    g_free(file);
    return has;
}

void sfu_model_files(GPtrArray *paths, const char *folder, int depth, gboolean networks)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    if (!dir)
        return;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while ((name = g_dir_read_name(dir)))
        g_ptr_array_add(names, g_strdup(name));
    g_dir_close(dir);
    g_ptr_array_sort(names, by_text);
    for (guint i = 0; i < names->len; i++) {
        name = g_ptr_array_index(names, i);
        char *path = g_build_filename(folder, name, NULL);
        const gboolean is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);
        const gboolean pipeline = is_folder && has_file(path, "model_index.json"),
                       network = networks && is_folder && has_file(path, "config.json");
        if (name[0] != '.' && (is_folder ? pipeline || network : may_be_model(name)))
            g_ptr_array_add(paths, g_strdup(path));
        const int kept = sfu_named_kind(name);
        if (name[0] != '.' && is_folder && !pipeline && depth > 0 && (kept < 0 || kept == SFU_NAMED_INPAINT))
            sfu_model_files(paths, path, depth - 1, networks);
        g_free(path);
    }
    g_ptr_array_unref(names);
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

/* Beside the folder that the model lies in, as ComfyUI, InvokeAI and diffusers call them. */
static const char vae_folders[] = "vae VAE ae", text_folders[] = "text_encoders text_encoder clip CLIP TextEncoder";

/* Whether `path` is a part for m. Files that are not models are not parts. */
static gboolean fits(const SfuModel *m, const char *path, SfuPart part)
{
    SfuModel *other = strcmp(path, sfu_model_path(m)) == 0 ? NULL : sfu_model_open(path, NULL);
    const gboolean ok = other && sfu_model_has_part(other, part) && sfu_model_family(m)->fits(m, other, part, NULL) &&
                        (!sfu_model_family(m)->likely || sfu_model_family(m)->likely(m, other, part));
    sfu_model_close(other);
    return ok;
}

/* The first model below the folder that is such a part; caller frees, NULL: none. */
static char *search(const SfuModel *m, const char *folder, SfuPart part, int depth)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    char *found = NULL;
    g_ptr_array_add(paths, g_strdup(folder)); /* it may be a network's own */
    sfu_model_files(paths, folder, depth, TRUE);
    for (guint i = 0; i < paths->len && !found; i++)
        if (fits(m, paths->pdata[i], part))
            found = g_strdup(paths->pdata[i]);
    g_ptr_array_unref(paths);
    return found;
}

char *sfu_piece_find(const SfuModel *m, SfuPart part, char **where)
{
    char *path = g_canonicalize_filename(sfu_model_path(m), NULL), *own = g_path_get_dirname(path),
         *parent = g_path_get_dirname(own), *found = NULL;
    GPtrArray *looked = g_ptr_array_new_with_free_func(g_free);
    char **folders = sfu_model_folders(NULL);
    char **names = g_strsplit(part == SFU_PART_VAE ? vae_folders : text_folders, " ", -1);
    for (int i = 0; names[i] && !found; i++) {
        char *beside = g_build_filename(parent, names[i], NULL);
        if (g_file_test(beside, G_FILE_TEST_IS_DIR)) {
            found = search(m, beside, part, DEPTH);
            g_ptr_array_add(looked, g_steal_pointer(&beside));
        }
        g_free(beside);
    }
    if (!found)
        found = search(m, own, part, 0);
    g_ptr_array_add(looked, g_strdup(own));
    for (int i = 0; folders[i] && !found; i++) {
        if (g_file_test(folders[i], G_FILE_TEST_IS_DIR))
            found = search(m, folders[i], part, DEPTH + 1);
        if (!g_ptr_array_find_with_equal_func(looked, folders[i], g_str_equal, NULL))
            g_ptr_array_add(looked, g_strdup(folders[i]));
    }
    g_ptr_array_add(looked, NULL);
    if (where)
        *where = g_strjoinv(", ", (char **)looked->pdata);
    g_strfreev(names);
    g_strfreev(folders);
    g_ptr_array_unref(looked);
    g_free(parent);
    g_free(own);
    g_free(path);
    return found;
}
