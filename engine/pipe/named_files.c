/* Small files that people keep in folders of their own beside the models, and call by name: adapters, embeddings,
 * wildcards; in the places of this program, AUTOMATIC1111 and ComfyUI.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pipe.h"

#include <string.h>

#define MAX_DEPTH 4 /* folders below one of the kinds */

static const char *const file_endings[] = {".safetensors", ".sft", ".pt", ".bin", ".pth", NULL}, *const text_endings[] =
                                                                                                     {".txt", NULL};
static const char *const patch_endings[] = {".safetensors", ".pth", ".patch", NULL};
static const char *const *const endings[] = {file_endings, file_endings, text_endings, file_endings,
                                             file_endings, file_endings, patch_endings};

/* The length of a file's name without an ending of the kind; 0: it has none of them. */
static gsize stem_length(SfuNamedKind kind, const char *name)
{
    const gsize n = strlen(name);
    for (int i = 0; endings[kind][i]; i++) {
        const gsize e = strlen(endings[kind][i]);
        if (n > e && g_ascii_strcasecmp(name + n - e, endings[kind][i]) == 0)
            return n - e;
    }
    return 0;
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* char*: what a folder holds, in order, hidden things left out. Caller frees. */
static GPtrArray *names_in(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        if (name[0] != '.')
            g_ptr_array_add(names, g_strdup(name));
    g_clear_pointer(&dir, g_dir_close);
    g_ptr_array_sort(names, by_text);
    return names;
}

typedef void (*Visit)(const char *path, const char *name, gpointer data);

/* Calls visit(path, name within the top folder without its ending) for each file of the kind. */
static void walk(SfuNamedKind kind, const char *folder, const char *prefix, int depth, Visit visit, gpointer data)
{
    GPtrArray *names = names_in(folder);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        char *path = g_build_filename(folder, name, NULL);
        const gsize stem = stem_length(kind, name);
        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            char *deeper = g_strconcat(prefix, name, "/", NULL);
            if (depth > 0)
                walk(kind, path, deeper, depth - 1, visit, data);
            g_free(deeper);
        } else if (stem) {
            char *inner = g_strdup_printf("%s%.*s", prefix, (int)stem, name);
            visit(path, inner, data);
            g_free(inner);
        }
        g_free(path);
    }
    g_ptr_array_unref(names);
}

/* A folder of the kind within `parent`, by name without regard to case: file systems differ in it. */
static void walk_named(SfuNamedKind kind, const char *parent, Visit visit, gpointer data)
{
    GPtrArray *names = names_in(parent);
    for (guint i = 0; i < names->len; i++) {
        char *folder = g_build_filename(parent, names->pdata[i], NULL);
        if (sfu_named_kind(names->pdata[i]) == (int)kind)
            walk(kind, folder, "", MAX_DEPTH, visit, data);
        g_free(folder);
    }
    g_ptr_array_unref(names);
}

/* Those folders, "models" in them (the programs' own top folder), and, beside a folder called models, its neighbors
 * (AUTOMATIC1111's embeddings). */
static void walk_all(SfuNamedKind kind, const char *const *folders, Visit visit, gpointer data)
{
    for (int i = 0; folders[i]; i++) {
        char *within = g_build_filename(folders[i], "models", NULL), *base = g_path_get_basename(folders[i]),
             *parent = g_path_get_dirname(folders[i]);
        walk_named(kind, folders[i], visit, data);
        walk_named(kind, within, visit, data);
        if (strcmp(base, "models") == 0)
            walk_named(kind, parent, visit, data);
        g_free(within);
        g_free(base);
        g_free(parent);
    }
}

typedef struct {
    const char *name;
    char *path;
} Search;

gboolean sfu_named_by_folder(const char *file)
{
    static const char *const alike[] = {"diffusion_pytorch_model", "pytorch_lora_weights", "adapter_model"};
    gboolean yes = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(alike); i++)
        yes |= g_str_has_prefix(file, alike[i]);
    return yes;
}

/* "FOLDER" for "FOLDER/diffusion_pytorch_model". */
static gboolean is_folder_of(const char *folder, const char *base, const char *name)
{
    const gsize n = (gsize)(base - name);
    return n > 1 && sfu_named_by_folder(base) && strlen(folder) == n - 1 && strncmp(folder, name, n - 1) == 0;
}

static void compare(const char *path, const char *name, gpointer data)
{
    Search *s = data;
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    char *file = g_path_get_basename(path);
    if (!s->path && (strcmp(name, s->name) == 0 || strcmp(base, s->name) == 0 || strcmp(file, s->name) == 0 ||
                     is_folder_of(s->name, base, name)))
        s->path = g_strdup(path);
    g_free(file);
}

char *sfu_named_find(SfuNamedKind kind, const char *name)
{
    Search s = {.name = name};
    char **folders = sfu_model_folders(NULL);
    walk_all(kind, (const char *const *)folders, compare, &s);
    g_strfreev(folders);
    return s.path;
}

typedef struct {
    GHashTable *all;
    gboolean whole;
} Listing;

static void list_one(const char *path, const char *name, gpointer data)
{
    const Listing *l = data;
    const char *slash = l->whole ? NULL : strrchr(name, '/');
    const char *word = slash ? slash + 1 : name;
    if (!g_hash_table_contains(l->all, word))
        g_hash_table_insert(l->all, g_strdup(word), g_strdup(path));
}

GHashTable *sfu_named_list_in(SfuNamedKind kind, const char *const *folders, gboolean whole)
{
    Listing l = {g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free), whole};
    walk_all(kind, folders, list_one, &l);
    return l.all;
}

GHashTable *sfu_named_list(SfuNamedKind kind, gboolean whole)
{
    char **folders = sfu_model_folders(NULL);
    GHashTable *all = sfu_named_list_in(kind, (const char *const *)folders, whole);
    g_strfreev(folders);
    return all;
}
