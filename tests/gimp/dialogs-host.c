/* A host of the test's own: one image of one layer.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogs.h"

#include <string.h>

#include "host-ui.h"

TestHost host;

void sfu_host_ui_init(void)
{
}

/* Every dialog names a page that the manual has. */
GtkWidget *sfu_host_dialog_new(const char *title, const char *page)
{
    char *file = g_strdup_printf("%s/%s.html", MANUAL, page);
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    g_free(file);
    GtkWidget *dialog = gtk_dialog_new();
    gtk_window_set_title(GTK_WINDOW(dialog), title);
    gtk_dialog_add_button(GTK_DIALOG(dialog), "_Help", GTK_RESPONSE_HELP); /* GIMP's own has it */
    return dialog;
}

static GeglRectangle canvas(void)
{
    return host.picture ? *gegl_buffer_get_extent(host.picture) : (GeglRectangle){0, 0, W, H};
}

gboolean sfu_host_image_info(int image, SfuHostImage *info)
{
    const GeglRectangle all = canvas();
    *info = (SfuHostImage){.width = all.width, .height = all.height, .type = host.image_type, .largest_px = 262144};
    return image == IMAGE && !host.closed;
}

char *sfu_host_image_name(int image)
{
    return g_strdup("photo.jpg");
}

int sfu_host_active_layer(int image)
{
    return LAYER;
}

int sfu_host_layer_of(int drawable, GError **error)
{
    return drawable;
}

GeglRectangle sfu_host_layer_bounds(int layer)
{
    return canvas();
}

gboolean sfu_host_layer_in_image(int layer, int image)
{
    return TRUE;
}

gboolean sfu_host_layer_is_shown(int layer)
{
    return TRUE;
}

gboolean sfu_host_layer_covers(int layer)
{
    return TRUE;
}

int sfu_host_layer_parent(int layer)
{
    return -1;
}

GArray *sfu_host_locks_lift(int image)
{
    return g_array_new(FALSE, FALSE, sizeof(int));
}

void sfu_host_locks_restore(GArray *locked)
{
    g_array_unref(locked);
}

GArray *sfu_host_pixel_layers(int image)
{
    GArray *a = g_array_new(FALSE, FALSE, sizeof(int));
    const int layers[] = {SKETCH, LAYER};
    return host.has_sketch ? g_array_append_vals(a, layers, 2) : g_array_append_vals(a, layers + 1, 1);
}

int sfu_host_layer_named(int image, const char *name)
{
    return host.has_sketch && strcmp(name, "sketch") == 0 ? SKETCH : strcmp(name, "photo") == 0 ? LAYER : -1;
}

char *sfu_host_layer_name(int layer)
{
    return g_strdup(layer == SKETCH ? "sketch" : "photo");
}

GeglBuffer *sfu_host_read_layer(int image, int layer, GError **error)
{
    return gegl_buffer_dup(host.picture);
}

/* The sketch is black, in the middle of the image. */
GeglBuffer *sfu_host_read_layer_look(int image, int layer, GError **error)
{
    if (layer == SKETCH)
        return gegl_buffer_new(GEGL_RECTANGLE(100, 100, 200, 100), babl_format("R'G'B' u8"));
    return gegl_buffer_dup(host.picture);
}

GBytes *sfu_host_layer_glance(int layer)
{
    return NULL;
}

GeglBuffer *sfu_host_read_visible(int image, GError **error)
{
    return gegl_buffer_dup(host.picture);
}

GeglBuffer *sfu_host_read_up_to(int image, int layer, GError **error)
{
    return gegl_buffer_dup(host.picture);
}

GeglBuffer *sfu_host_read_mask(int layer)
{
    return NULL;
}

gboolean sfu_host_selection_bounds(int image, GeglRectangle *bounds)
{
    if (host.selection)
        *bounds = *gegl_buffer_get_extent(host.selection);
    return host.selection != NULL;
}

GeglBuffer *sfu_host_read_channel(int image, const char *name)
{
    return strcmp(name, SFU_EXCLUDE_CHANNEL) == 0 && host.excluded ? gegl_buffer_dup(host.excluded)
           : strcmp(name, "sky") == 0                              ? gegl_buffer_dup(host.picture)
                                                                   : NULL;
}

gboolean sfu_host_selection_keep(int image, const char *name)
{
    g_clear_object(&host.excluded);
    host.excluded = host.selection ? gegl_buffer_dup(host.selection) : NULL;
    return host.excluded != NULL;
}

char *sfu_host_image_text_get(int image, const char *name)
{
    const char *text = host.texts ? g_hash_table_lookup(host.texts, name) : NULL;
    return g_strdup(text);
}

void sfu_host_image_text_set(int image, const char *name, const char *text, gboolean saved)
{
    if (!host.texts)
        host.texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(host.texts, g_strdup(name), g_strdup(text));
}

GeglBuffer *sfu_host_read_selection(int image)
{
    return host.selection ? gegl_buffer_dup(host.selection) : NULL;
}

char *sfu_host_parasite_get(int layer)
{
    return g_strdup(host.parasite);
}

void sfu_host_parasite_set(int layer, const char *text)
{
}

guint sfu_host_layer_tattoo(int layer)
{
    return 7;
}

int sfu_host_layer_by_tattoo(int image, guint tattoo)
{
    return LAYER;
}

int sfu_host_layer_new(int image, GeglBuffer *pixels, const char *name, SfuLayerKind kind, GError **error)
{
    host.last_layer = *gegl_buffer_get_extent(pixels);
    return LAYER + 1;
}

void sfu_host_layer_look_like(int layer, int source)
{
}

void sfu_host_layer_insert(int image, int layer, int above, GeglBuffer *pixels, SfuLayerKind kind)
{
    host.n_inserted++;
    host.last_above = above;
}

void sfu_host_layer_discard(int layer)
{
}

void sfu_host_set_active_layer(int image, int layer)
{
}

void sfu_host_undo_begin(int image)
{
}

void sfu_host_undo_end(int image)
{
}

void sfu_host_resize_canvas(int image, int width, int height, int offset_x, int offset_y)
{
}

void sfu_host_convert_to_rgb(int image)
{
    host.image_type = SFU_HOST_RGB;
}

gboolean sfu_host_scale_image(int image, int width, int height, GError **error)
{
    host.n_scaled += image == IMAGE;
    return TRUE;
}

gboolean sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error)
{
    if (++host.n_written != host.fail_at)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "write %d fails", host.n_written);
    return FALSE;
}

void sfu_host_restore_image(int image, int duplicate)
{
    host.n_restored += image == IMAGE && duplicate == COPY;
}

int sfu_host_duplicate_image(int image)
{
    return COPY;
}

void sfu_host_undo_enable(int image)
{
}

int sfu_host_new_image(int like, int width, int height)
{
    return IMAGE + 1;
}

void sfu_host_delete_image(int image)
{
}

void sfu_host_show_image(int image)
{
}

void sfu_host_flush(void)
{
}

void sfu_host_message(const char *text)
{
    g_free(host.last_message);
    host.last_message = g_strdup(text);
}

void sfu_host_progress_begin(const char *text)
{
}

void sfu_host_progress(double fraction, const char *text)
{
    if (host.progress)
        g_string_append_printf(host.progress, "%s\n", text);
}

void sfu_host_progress_end(void)
{
}

char *sfu_host_folder(void)
{
    return NULL;
}

char **sfu_host_channels(int image)
{
    return g_strsplit(host.excluded ? SFU_EXCLUDE_CHANNEL "|sky" : "sky", "|", -1);
}
