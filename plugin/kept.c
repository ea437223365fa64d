/* Files of results that wait. A session's folder has a folder for each run, with what was read ("input.json" and its
 * pixels) and a folder for each result. Pixels are floats behind a line of numbers.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "kept.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#define MAX_SIDE 300000

static void kept_result_free(gpointer p)
{
    SfuKeptResult *k = p;
    sfu_request_free(k->request);
    if (k->results)
        g_ptr_array_unref(k->results);
    g_clear_object(&k->look);
    g_free(k->folder);
    g_free(k);
}

static void kept_free(gpointer p)
{
    SfuKept *k = p;
    sfu_input_free(k->input);
    g_ptr_array_unref(k->results);
    g_free(k);
}

/* ---- folders
 * ------------------------------------------------------------------------------------------------------------- */

/* When a process began, in the kernel's ticks: tells two processes with one number apart. 0: not known. */
static guint64 start_of(int pid)
{
    char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
    guint64 start = 0;
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        const char *rest = strrchr(text, ')'); /* the name before it may hold anything */
        char **fields = g_strsplit(rest ? rest : "", " ", 0);
        if (g_strv_length(fields) > 20)
            start = g_ascii_strtoull(fields[20], NULL, 10); /* field 22 of the line */
        g_strfreev(fields);
    }
    g_free(text);
    g_free(path);
    return start;
}

/* GIMP starts its plug-ins itself, so it is their parent. Caller frees. */
static char *session_name(int pid)
{
    return g_strdup_printf("%d-%" G_GUINT64_FORMAT, pid, start_of(pid));
}

static char *kept_folder(void)
{
    return g_build_filename(g_get_user_cache_dir(), "sfumato", "kept", NULL);
}

static char *session_folder(void)
{
    char *all = kept_folder(), *name = session_name(getppid()), *folder = g_build_filename(all, name, NULL);
    g_free(all);
    g_free(name);
    return folder;
}

/* Removes a folder of ours: at most three deep, and through no link. */
static void remove_folder(const char *folder, int depth)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL);
        if (g_unlink(path) != 0 && depth > 0 && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            remove_folder(path, depth - 1);
        g_free(path);
    }
    if (dir)
        g_dir_close(dir);
    g_rmdir(folder);
}

static void remove_old_sessions(void)
{
    char *all = kept_folder();
    GDir *dir = g_dir_open(all, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        const int pid = atoi(name);
        char *now = session_name(pid);
        if (pid <= 0 || strcmp(now, name) != 0 || (kill(pid, 0) != 0 && errno == ESRCH)) {
            char *path = g_build_filename(all, name, NULL);
            remove_folder(path, 2);
            g_free(path);
        }
        g_free(now);
    }
    if (dir)
        g_dir_close(dir);
    g_free(all);
}

/* ---- pixels
 * -------------------------------------------------------------------------------------------------------------- */

static const Babl *pixel_format(int n_channels)
{
    return babl_format(n_channels == 1 ? "Y float" : "R'G'B'A float");
}

/* buffer NULL: nothing is written. */
static gboolean write_pixels(const char *folder, const char *name, GeglBuffer *buffer, int n_channels, GError **error)
{
    if (!buffer)
        return TRUE;
    const GeglRectangle all = *gegl_buffer_get_extent(buffer);
    char *path = g_build_filename(folder, name, NULL);
    float *row = g_new(float, (gsize)all.width *n_channels);
    FILE *f = fopen(path, "wb");
    gboolean ok = f && fprintf(f, "%d %d %d %d %d\n", all.x, all.y, all.width, all.height, n_channels) > 0;
    for (int y = 0; ok && y < all.height; y++) {
        gegl_buffer_get(buffer, GEGL_RECTANGLE(all.x, all.y + y, all.width, 1), 1.0, pixel_format(n_channels), row,
                        GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        ok = fwrite(row, sizeof(float) * n_channels, all.width, f) == (gsize)all.width;
    }
    ok = (!f || fclose(f) == 0) && ok;
    if (!ok)
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("%s cannot be written: %s"), path, g_strerror(errno));
    g_free(row);
    g_free(path);
    return ok;
}

/* NULL: there is no such file, or it is not whole. */
static GeglBuffer *read_pixels(const char *folder, const char *name)
{
    char *path = g_build_filename(folder, name, NULL);
    FILE *f = fopen(path, "rb");
    GeglRectangle all;
    int n_channels = 0;
    GeglBuffer *buffer = NULL;
    g_free(path);
    if (!f)
        return NULL;
    if (fscanf(f, "%d %d %d %d %d", &all.x, &all.y, &all.width, &all.height, &n_channels) == 5 && fgetc(f) == '\n' &&
        all.width > 0 && all.height > 0 && all.width < MAX_SIDE && all.height < MAX_SIDE &&
        (n_channels == 1 || n_channels == 4)) {
        buffer = gegl_buffer_new(&all, pixel_format(n_channels));
        float *row = g_new(float, (gsize)all.width *n_channels);
        for (int y = 0; buffer && y < all.height; y++) {
            if (fread(row, sizeof(float) * n_channels, all.width, f) != (gsize)all.width)
                g_clear_object(&buffer);
            else
                gegl_buffer_set(buffer, GEGL_RECTANGLE(all.x, all.y + y, all.width, 1), 0, pixel_format(n_channels),
                                row, GEGL_AUTO_ROWSTRIDE);
        }
        g_free(row);
    }
    fclose(f);
    return buffer;
}

/* ---- what was read
 * ------------------------------------------------------------------------------------------------------- */

static void set_place(JsonObject *o, const GeglRectangle *r)
{
    json_object_set_int_member(o, "x", r->x);
    json_object_set_int_member(o, "y", r->y);
    json_object_set_int_member(o, "width", r->width);
    json_object_set_int_member(o, "height", r->height);
}

static GeglRectangle get_place(JsonObject *o)
{
    return (GeglRectangle){json_object_get_int_member_with_default(o, "x", 0),
                           json_object_get_int_member_with_default(o, "y", 0),
                           json_object_get_int_member_with_default(o, "width", 0),
                           json_object_get_int_member_with_default(o, "height", 0)};
}

static JsonObject *place_new(const GeglRectangle *r)
{
    JsonObject *o = json_object_new();
    set_place(o, r);
    return o;
}

static GeglRectangle get_place_of(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);
    return node && JSON_NODE_HOLDS_OBJECT(node) ? get_place(json_node_get_object(node)) : (GeglRectangle){0};
}

/* Takes the object. */
static gboolean write_json(const char *folder, const char *name, JsonObject *o, GError **error)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, o);
    char *text = json_to_string(node, FALSE), *path = g_build_filename(folder, name, NULL);
    const gboolean ok = g_file_set_contents(path, text, -1, error);
    g_free(path);
    g_free(text);
    json_node_unref(node);
    return ok;
}

/* Caller frees with json_node_unref(); NULL. */
static JsonNode *read_json(const char *folder, const char *name)
{
    char *path = g_build_filename(folder, name, NULL), *text = NULL;
    JsonNode *node = g_file_get_contents(path, &text, NULL, NULL) ? sfu_json_read(text, path, NULL) : NULL;
    g_free(text);
    g_free(path);
    return node;
}

static gboolean write_input(const char *folder, const SfuInput *in, GError **error)
{
    JsonObject *o = json_object_new();
    json_object_set_string_member(o, "action", sfu_action_info(in->action)->name);
    json_object_set_int_member(o, "image", in->image);
    json_object_set_int_member(o, "layer", in->layer);
    json_object_set_int_member(o, "above", in->above);
    json_object_set_int_member(o, "source", in->source);
    json_object_set_boolean_member(o, "has_alpha", in->has_alpha);
    json_object_set_boolean_member(o, "merged", in->merged);
    set_place(o, &in->place);
    json_object_set_object_member(o, "canvas", place_new(&in->canvas));
    json_object_set_object_member(o, "layer_was", place_new(&in->layer_was));
    JsonArray *layers = json_array_new();
    gboolean ok = TRUE;
    for (guint i = 0; ok && in->layers && i < in->layers->len; i++) {
        const SfuInputLayer *l = in->layers->pdata[i];
        JsonObject *one = json_object_new();
        char *name = g_strdup_printf("layer-%u", i);
        json_object_set_int_member(one, "layer", l->layer);
        set_place(one, &l->place);
        json_array_add_object_element(layers, one);
        ok = write_pixels(folder, name, l->picture, 4, error);
        g_free(name);
    }
    json_object_set_array_member(o, "layers", layers);
    ok = ok && write_pixels(folder, "picture", in->picture, 4, error) &&
         write_pixels(folder, "mask", in->mask, 1, error) && write_pixels(folder, "cover", in->cover, 1, error);
    if (!ok) {
        json_object_unref(o);
        return FALSE;
    }
    return write_json(folder, "input.json", o, error);
}

static SfuInput *read_input(const char *folder)
{
    JsonNode *node = read_json(folder, "input.json");
    if (!node)
        return NULL;
    JsonObject *o = json_node_get_object(node);
    const int action = sfu_action_find(json_object_get_string_member_with_default(o, "action", NULL));
    SfuInput *in = action >= 0 ? sfu_input_empty(action) : NULL;
    if (in) {
        in->image = json_object_get_int_member_with_default(o, "image", -1);
        in->layer = json_object_get_int_member_with_default(o, "layer", -1);
        in->above = json_object_get_int_member_with_default(o, "above", -1);
        in->source = json_object_get_int_member_with_default(o, "source", 0);
        in->has_alpha = json_object_get_boolean_member_with_default(o, "has_alpha", FALSE);
        in->merged = json_object_get_boolean_member_with_default(o, "merged", FALSE);
        in->place = get_place(o);
        in->canvas = get_place_of(o, "canvas");
        in->layer_was = get_place_of(o, "layer_was");
        in->picture = read_pixels(folder, "picture");
        in->mask = read_pixels(folder, "mask");
        in->cover = read_pixels(folder, "cover");
        JsonNode *list = json_object_get_member(o, "layers");
        JsonArray *layers = list && JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;
        for (guint i = 0; layers && i < json_array_get_length(layers); i++) {
            JsonObject *one = json_array_get_object_element(layers, i);
            char *name = g_strdup_printf("layer-%u", i);
            sfu_input_add_layer(in, json_object_get_int_member_with_default(one, "layer", -1), get_place(one),
                                read_pixels(folder, name));
            g_free(name);
        }
    }
    json_node_unref(node);
    return in;
}

/* ---- results
 * ------------------------------------------------------------------------------------------------------------- */

static void result_free(gpointer p)
{
    sfu_result_free(p);
}

static gboolean write_result(const SfuKeptResult *k, GError **error)
{
    const char *folder = k->folder;
    const GPtrArray *results = k->results;
    JsonObject *o = json_object_new();
    JsonArray *list = json_array_new();
    char *request = sfu_request_to_json(k->request, 0);
    gboolean ok = TRUE;
    json_object_set_string_member(o, "request", request);
    json_object_set_double_member(o, "seconds", k->seconds);
    for (guint i = 0; ok && i < results->len; i++) {
        const SfuResult *result = results->pdata[i];
        JsonObject *one = json_object_new();
        char *params = sfu_params_to_json(result->params), *name = g_strdup_printf("result-%u", i),
             *seed = g_strdup_printf("%" G_GUINT64_FORMAT, result->seed);
        json_object_set_string_member(one, "params", params);
        json_object_set_string_member(one, "seed", seed);
        json_object_set_int_member(one, "task", result->task);
        json_object_set_boolean_member(one, "masked", result->masked);
        if (result->note)
            json_object_set_string_member(one, "note", result->note);
        json_array_add_object_element(list, one);
        ok = write_pixels(folder, name, result->picture, 4, error);
        g_free(params);
        g_free(name);
        g_free(seed);
    }
    json_object_set_array_member(o, "results", list);
    g_free(request);
    /* The list is written last: a result without it is not there. */
    ok = ok && (!results->len || k->look == ((SfuResult *)results->pdata[0])->picture ||
                write_pixels(folder, "look", k->look, 4, error));
    if (!ok) {
        json_object_unref(o);
        return FALSE;
    }
    return write_json(folder, "result.json", o, error);
}

/* NULL: not whole. */
static SfuResult *read_result(const char *folder, JsonObject *one, guint index)
{
    char *name = g_strdup_printf("result-%u", index);
    SfuResult *result = g_new0(SfuResult, 1);
    result->picture = read_pixels(folder, name);
    result->params = sfu_params_new();
    result->seed = g_ascii_strtoull(json_object_get_string_member_with_default(one, "seed", "0"), NULL, 10);
    result->task = json_object_get_int_member_with_default(one, "task", 0);
    result->masked = json_object_get_boolean_member_with_default(one, "masked", FALSE);
    result->note = g_strdup(json_object_get_string_member_with_default(one, "note", NULL));
    g_free(name);
    if (result->picture &&
        sfu_params_from_json(result->params, json_object_get_string_member_with_default(one, "params", "{}"), NULL))
        return result;
    sfu_result_free(result);
    return NULL;
}

static SfuKeptResult *read_kept_result(const char *folder)
{
    JsonNode *node = read_json(folder, "result.json");
    if (!node)
        return NULL;
    JsonObject *o = json_node_get_object(node);
    SfuKeptResult *k = g_new0(SfuKeptResult, 1);
    JsonNode *list = json_object_get_member(o, "results");
    JsonArray *results = list && JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;
    gboolean ok = results && json_array_get_length(results) > 0;
    k->folder = g_strdup(folder);
    k->seconds = json_object_get_double_member_with_default(o, "seconds", 0);
    k->request = sfu_request_from_json(json_object_get_string_member_with_default(o, "request", ""), NULL, NULL);
    k->results = g_ptr_array_new_with_free_func(result_free);
    for (guint i = 0; ok && i < json_array_get_length(results); i++) {
        SfuResult *result = read_result(folder, json_array_get_object_element(results, i), i);
        ok = result != NULL;
        if (ok)
            g_ptr_array_add(k->results, result);
    }
    json_node_unref(node);
    k->look = read_pixels(folder, "look");
    if (ok && !k->look)
        k->look = g_object_ref(((SfuResult *)k->results->pdata[0])->picture);
    if (ok && k->request)
        return k;
    kept_result_free(k);
    return NULL;
}

/* ---- both ways
 * ----------------------------------------------------------------------------------------------------------- */

char *sfu_kept_group_new(void)
{
    return g_strdup_printf("%" G_GINT64_FORMAT "-%08x", g_get_real_time(), g_random_int());
}

gboolean sfu_kept_save(const char *group, const SfuInput *in, SfuKeptResult *result, GError **error)
{
    remove_old_sessions();
    char *session = session_folder(), *run = g_build_filename(session, group, NULL),
         *read = g_build_filename(run, "input.json", NULL),
         *one = g_strdup_printf("%" G_GINT64_FORMAT, g_get_real_time());
    result->folder = g_build_filename(run, one, NULL);
    gboolean ok = g_mkdir_with_parents(result->folder, 0700) == 0;
    if (!ok)
        g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, _("%s cannot be written: %s"), result->folder,
                    g_strerror(errno));
    ok = ok && (g_file_test(read, G_FILE_TEST_EXISTS) || write_input(run, in, error)) && write_result(result, error);
    if (!ok) {
        sfu_kept_forget(result->folder);
        g_clear_pointer(&result->folder, g_free);
    }
    g_free(one);
    g_free(read);
    g_free(run);
    g_free(session);
    return ok;
}

void sfu_kept_forget(const char *folder)
{
    if (!folder)
        return;
    remove_folder(folder, 0);
    char *run = g_path_get_dirname(folder);
    GDir *dir = g_dir_open(run, 0, NULL);
    gboolean last = TRUE;
    const char *name;
    while (last && dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(run, name, NULL);
        last = !g_file_test(path, G_FILE_TEST_IS_DIR);
        g_free(path);
    }
    if (dir)
        g_dir_close(dir);
    if (last)
        remove_folder(run, 0);
    g_free(run);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the folders in a folder, sorted: by the time that they begin with. */
static GPtrArray *folders_in(const char *folder)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            g_ptr_array_add(found, path);
        else
            g_free(path);
    }
    if (dir)
        g_dir_close(dir);
    g_ptr_array_sort(found, by_name);
    return found;
}

static GPtrArray *look(gpointer action)
{
    GPtrArray *kept = g_ptr_array_new_with_free_func(kept_free);
    remove_old_sessions();
    char *session = session_folder();
    GPtrArray *runs = folders_in(session);
    for (guint i = 0; i < runs->len; i++) {
        SfuInput *in = read_input(runs->pdata[i]);
        if (!in || in->action != (SfuAction)GPOINTER_TO_INT(action)) {
            sfu_input_free(in);
            continue;
        }
        SfuKept *k = g_new(SfuKept, 1);
        *k = (SfuKept){in, g_ptr_array_new_with_free_func(kept_result_free)};
        GPtrArray *results = folders_in(runs->pdata[i]);
        for (guint j = 0; j < results->len; j++) {
            SfuKeptResult *one = read_kept_result(results->pdata[j]);
            if (one)
                g_ptr_array_add(k->results, one);
        }
        g_ptr_array_unref(results);
        g_ptr_array_add(kept, k);
    }
    g_ptr_array_unref(runs);
    g_free(session);
    return kept;
}

SfuBackground *sfu_kept_look(SfuAction action, SfuFound found, gpointer data)
{
    return sfu_background_look(look, GINT_TO_POINTER(action), NULL, found, data);
}
