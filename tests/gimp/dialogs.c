/* Every dialog in every state, without a GIMP: with a host of the test's own and the stand-in engine. Each control must
 * have a name for screen readers, and what is written into the controls must reach the engine. Needs a screen
 * (dialogs.py gives one). With SFU_SHOTS=FOLDER each state is left there as a picture, to be looked at.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <unistd.h>

#include "ui/dialog-private.h"
#include "host-ui.h"
#include "whole-image.h"
#include "ui/ui.h"

/* ---- a host with one image of one layer
 * ------------------------------------------------------------------------------- */

enum { IMAGE = 1, LAYER = 2, W = 400, H = 300 };

static GeglBuffer *picture, *selection, *excluded;
static gboolean closed; /* the image */
static GeglRectangle last_layer;
static char *last_message;
static GHashTable *texts; /* of the image */
static SfuHostType image_type;
enum { COPY = IMAGE + 5 };
static int n_inserted, n_scaled, n_restored, n_written, fail_at; /* fail_at: the write that fails, from 1 */

void sfu_host_ui_init(void)
{
}

GtkWidget *sfu_host_dialog_new(const char *title)
{
    GtkWidget *dialog = gtk_dialog_new();
    gtk_window_set_title(GTK_WINDOW(dialog), title);
    return dialog;
}

gboolean sfu_host_image_info(int image, SfuHostImage *info)
{
    *info = (SfuHostImage){.width = W, .height = H, .type = image_type, .largest_px = 262144};
    return image == IMAGE && !closed;
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
    return (GeglRectangle){0, 0, W, H};
}

gboolean sfu_host_layer_in_image(int layer, int image)
{
    return TRUE;
}

gboolean sfu_host_layer_is_shown(int layer)
{
    return TRUE;
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
    const int layer = LAYER;
    return g_array_append_val(a, layer);
}

GeglBuffer *sfu_host_read_layer(int image, int layer, GError **error)
{
    return gegl_buffer_dup(picture);
}

GeglBuffer *sfu_host_read_layer_look(int image, int layer, GError **error)
{
    return gegl_buffer_dup(picture);
}

GeglBuffer *sfu_host_read_visible(int image, GError **error)
{
    return gegl_buffer_dup(picture);
}

GeglBuffer *sfu_host_read_mask(int layer)
{
    return NULL;
}

gboolean sfu_host_selection_bounds(int image, GeglRectangle *bounds)
{
    if (selection)
        *bounds = *gegl_buffer_get_extent(selection);
    return selection != NULL;
}

char **sfu_host_channels(int image)
{
    return g_strsplit(excluded ? SFU_EXCLUDE_CHANNEL "|sky" : "sky", "|", -1);
}

GeglBuffer *sfu_host_read_channel(int image, const char *name)
{
    return strcmp(name, SFU_EXCLUDE_CHANNEL) == 0 && excluded ? gegl_buffer_dup(excluded)
           : strcmp(name, "sky") == 0                         ? gegl_buffer_dup(picture)
                                                              : NULL;
}

gboolean sfu_host_selection_keep(int image, const char *name)
{
    g_clear_object(&excluded);
    excluded = selection ? gegl_buffer_dup(selection) : NULL;
    return excluded != NULL;
}

char *sfu_host_image_text_get(int image, const char *name)
{
    const char *text = texts ? g_hash_table_lookup(texts, name) : NULL;
    return g_strdup(text);
}

void sfu_host_image_text_set(int image, const char *name, const char *text, gboolean saved)
{
    if (!texts)
        texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(texts, g_strdup(name), g_strdup(text));
}

GeglBuffer *sfu_host_read_selection(int image)
{
    return selection ? gegl_buffer_dup(selection) : NULL;
}

char *sfu_host_parasite_get(int layer)
{
    return NULL;
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
    last_layer = *gegl_buffer_get_extent(pixels);
    return LAYER + 1;
}

void sfu_host_layer_look_like(int layer, int source)
{
}

void sfu_host_layer_insert(int image, int layer, int above, GeglBuffer *pixels, SfuLayerKind kind)
{
    n_inserted++;
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
    image_type = SFU_HOST_RGB;
}

gboolean sfu_host_scale_image(int image, int width, int height, GError **error)
{
    n_scaled += image == IMAGE;
    return TRUE;
}

gboolean sfu_host_write_layer(int image, int layer, GeglBuffer *pixels, GError **error)
{
    if (++n_written != fail_at)
        return TRUE;
    g_set_error(error, SFU_ERROR, SFU_ERROR_FAILED, "write %d fails", n_written);
    return FALSE;
}

void sfu_host_restore_image(int image, int duplicate)
{
    n_restored += image == IMAGE && duplicate == COPY;
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
    g_free(last_message);
    last_message = g_strdup(text);
}

void sfu_host_progress_begin(const char *text)
{
}

void sfu_host_progress(double fraction, const char *text)
{
}

void sfu_host_progress_end(void)
{
}

char *sfu_host_folder(void)
{
    return NULL;
}

/* ---- walking
 * ------------------------------------------------------------------------------------------------------------- */

typedef void (*Visit)(GtkWidget *w, gpointer data);

typedef struct {
    Visit visit;
    gpointer data;
} Walk;

static void walk_child(GtkWidget *w, gpointer data)
{
    const Walk *walk = data;
    walk->visit(w, walk->data);
    if (GTK_IS_CONTAINER(w))
        gtk_container_forall(GTK_CONTAINER(w), walk_child, data);
}

static void walk(GtkWidget *w, Visit visit, gpointer data)
{
    Walk walk_data = {visit, data};
    walk_child(w, &walk_data);
}

static void note_labelled(GtkWidget *w, gpointer data)
{
    GtkWidget *names = GTK_IS_LABEL(w) ? gtk_label_get_mnemonic_widget(GTK_LABEL(w)) : NULL;
    if (names)
        g_hash_table_add(data, names);
}

/* Something that is worked with, and not a piece of a larger control. */
static gboolean is_control(GtkWidget *w)
{
    GtkWidget *parent = gtk_widget_get_parent(w);
    if (!gtk_widget_get_mapped(w) || GTK_IS_SCROLLBAR(w) ||
        (parent &&
         (gtk_widget_get_ancestor(parent, GTK_TYPE_COMBO_BOX) || gtk_widget_get_ancestor(parent, GTK_TYPE_TREE_VIEW))))
        return FALSE;
    return GTK_IS_BUTTON(w) || GTK_IS_ENTRY(w) || GTK_IS_COMBO_BOX(w) || GTK_IS_TEXT_VIEW(w) || GTK_IS_TREE_VIEW(w) ||
           GTK_IS_RANGE(w) || GTK_IS_EXPANDER(w) || GTK_IS_DRAWING_AREA(w) || GTK_IS_PROGRESS_BAR(w);
}

typedef struct {
    GHashTable *labelled;
    int n_controls;
} Names;

static void check_name(GtkWidget *w, gpointer data)
{
    Names *names = data;
    if (!is_control(w))
        return;
    names->n_controls++;
    const char *name = atk_object_get_name(gtk_widget_get_accessible(w));
    const char *label = GTK_IS_BUTTON(w)     ? gtk_button_get_label(GTK_BUTTON(w))
                        : GTK_IS_EXPANDER(w) ? gtk_expander_get_label(GTK_EXPANDER(w))
                                             : NULL;
    if ((name && *name) || (label && *label) || g_hash_table_contains(names->labelled, w))
        return;
    g_test_message("a %s has no accessible name (tooltip: %s)", G_OBJECT_TYPE_NAME(w), gtk_widget_get_tooltip_text(w));
    g_test_fail();
}

static void settle(int ms)
{
    const gint64 end = g_get_monotonic_time() + ms * 1000;
    while (g_get_monotonic_time() < end) {
        while (gtk_events_pending())
            gtk_main_iteration();
        g_usleep(5000);
    }
}

static void look_at(GtkWidget *window, const char *action, const char *state)
{
    settle(120);
    Names names = {g_hash_table_new(NULL, NULL), 0};
    walk(window, note_labelled, names.labelled);
    walk(window, check_name, &names);
    g_hash_table_destroy(names.labelled);
    g_test_message("%s, %s: %d controls", action, state, names.n_controls);
    g_assert_cmpint(names.n_controls, >, 5);
    const char *shots = g_getenv("SFU_SHOTS");
    if (!shots)
        return;
    char *command =
        g_strdup_printf("import -window root '%s/gtk%d-%s-%s.png'", shots, GTK_MAJOR_VERSION, action, state);
    settle(400);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(command);
}

/* ---- what a user does
 * --------------------------------------------------------------------------------------------------- */

typedef struct {
    GType type;
    const char *name;
    GtkWidget *found;
} Search;

static void match(GtkWidget *w, gpointer data)
{
    Search *s = data;
    if (s->found || !gtk_widget_get_mapped(w) || !g_type_is_a(G_OBJECT_TYPE(w), s->type))
        return;
    const char *name = atk_object_get_name(gtk_widget_get_accessible(w));
    const char *label = GTK_IS_BUTTON(w)     ? gtk_button_get_label(GTK_BUTTON(w))
                        : GTK_IS_EXPANDER(w) ? gtk_expander_get_label(GTK_EXPANDER(w))
                                             : NULL;
    if (g_strcmp0(name, s->name) == 0 || g_strcmp0(label, s->name) == 0)
        s->found = w;
}

static GtkWidget *find(GtkWidget *window, GType type, const char *name)
{
    Search s = {type, name, NULL};
    walk(window, match, &s);
    return s.found;
}

static GtkWidget *find_or_fail(GtkWidget *window, GType type, const char *name)
{
    GtkWidget *w = find(window, type, name);
    if (!w)
        g_error("there is no %s \"%s\"", g_type_name(type), name);
    return w;
}

static void match_start(GtkWidget *w, gpointer data)
{
    Search *s = data;
    const char *name = atk_object_get_name(gtk_widget_get_accessible(w));
    if (!s->found && name && g_str_has_prefix(name, s->name))
        s->found = w;
}

static void match_words(GtkWidget *w, gpointer data)
{
    Search *s = data;
    if (!s->found && GTK_IS_LABEL(w) && gtk_widget_get_mapped(w) && strstr(gtk_label_get_text(GTK_LABEL(w)), s->name))
        s->found = w;
}

/* Where on the window a button stands, from above. */
static int place_of(GtkWidget *window, const char *name)
{
    int x = 0, y = 0;
    g_assert_true(gtk_widget_translate_coordinates(find_or_fail(window, GTK_TYPE_BUTTON, name), window, 0, 0, &x, &y));
    return y;
}

static GtkWidget *find_start(GtkWidget *window, const char *start)
{
    Search s = {GTK_TYPE_WIDGET, start, NULL};
    walk(window, match_start, &s);
    return s.found;
}

static GtkWidget *the_dialog(void)
{
    GtkWidget *dialog = NULL;
    GList *all = gtk_window_list_toplevels();
    for (GList *l = all; l; l = l->next)
        if (GTK_IS_DIALOG(l->data) && gtk_widget_get_visible(l->data))
            dialog = l->data;
    g_list_free(all);
    return dialog;
}

static SfuAction current;
static char *log_file;

static const char *add_label(void)
{
    return sfu_action_spec(current, "new_image") ? "_Add to GIMP" : "_Add as Layer";
}

static gboolean is_sensitive(GtkWidget *window, GType type, const char *name)
{
    GtkWidget *w = find(window, type, name); /* finds what is shown */
    return w && gtk_widget_is_sensitive(w);
}

static gboolean is_running(GtkWidget *window)
{
    return find(window, GTK_TYPE_BUTTON, "S_top") != NULL;
}

static void use_action(GtkWidget *window)
{
    const char *action = sfu_action_info(current)->name, *go = current == SFU_ACTION_ENLARGE ? "_Enlarge" : "_Generate";
    GtkWidget *model = find_or_fail(window, GTK_TYPE_COMBO_BOX, "Model");
    look_at(window, action, "1-opened");
    /* The first model has no text encoder, where it can do the task. */
    if (sfu_action_info(current)->task == SFU_TASK_INPAINT || current == SFU_ACTION_EXPAND ||
        current == SFU_ACTION_ENLARGE)
        g_assert_false(is_sensitive(window, GTK_TYPE_TEXT_VIEW, "Prompt")); /* and so the field is not shown */
    sfu_model_combo_set(model, "/models/dreamshaper_8.safetensors");
    settle(50);
    g_assert_true(is_sensitive(window, GTK_TYPE_TEXT_VIEW, "Prompt"));
    gtk_expander_set_expanded(GTK_EXPANDER(find_or_fail(window, GTK_TYPE_EXPANDER, "Ad_vanced")), TRUE);
    look_at(window, action, "2-advanced");
    for (int k = 0; current == SFU_ACTION_ENLARGE && k < 2; k++) { /* a network that enlarges has no steps; others do */
        sfu_model_combo_set(model, k ? "/models/dreamshaper_8.safetensors" : "/models/RealESRGAN_x4plus.safetensors");
        settle(50);
        g_assert_true(is_sensitive(window, GTK_TYPE_SPIN_BUTTON, "Steps") == k);
    }
    GtkWidget *vae = find_or_fail(window, GTK_TYPE_COMBO_BOX, "VAE"),
              *device = find_or_fail(window, GTK_TYPE_COMBO_BOX, "Device");
    g_assert_cmpint(gtk_tree_model_iter_n_children(gtk_combo_box_get_model(GTK_COMBO_BOX(vae)), NULL), ==,
                    3); /* own, found, choose */
    g_assert_cmpint(gtk_tree_model_iter_n_children(gtk_combo_box_get_model(GTK_COMBO_BOX(device)), NULL), ==, 3);
    sfu_model_combo_set(vae, "/models/vae-ft-mse.safetensors");
    gtk_combo_box_set_active(GTK_COMBO_BOX(device), 2);
    gtk_combo_box_set_active(GTK_COMBO_BOX(find_or_fail(window, GTK_TYPE_COMBO_BOX, "Precision")), 2);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(find_or_fail(window, GTK_TYPE_SPIN_BUTTON, "Memory limit")), 2048);
    GtkWidget *whole = find(window, GTK_TYPE_TOGGLE_BUTTON, "Whole image");
    g_assert_true(!whole == (current != SFU_ACTION_ENLARGE));
    if (whole) {
        g_assert_true(is_sensitive(window, GTK_TYPE_TOGGLE_BUTTON, "Sample merged"));
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(whole), TRUE);
        g_assert_false(is_sensitive(window, GTK_TYPE_TOGGLE_BUTTON, "Sample merged"));
    }
    gtk_text_buffer_set_text(
        gtk_text_view_get_buffer(GTK_TEXT_VIEW(find_or_fail(window, GTK_TYPE_TEXT_VIEW, "Prompt"))), "a red door", -1);

    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, go)));
    settle(400);
    g_assert_true(is_running(window));
    look_at(window, action, "3-running");
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "S_top")));
    for (int i = 0; i < 100 && is_running(window); i++)
        settle(50);
    g_setenv("SFU_STANDIN_STEP_MS", "20", TRUE);
    look_at(window, action, "4-stopped");
    g_assert_false(is_sensitive(window, GTK_TYPE_BUTTON, add_label()));
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, go)));
    settle(300);
    for (int i = 0; i < 200 && is_running(window); i++)
        settle(50);
    look_at(window, action, "5-done");
    GtkWidget *add = find_or_fail(window, GTK_TYPE_BUTTON, add_label());
    g_assert_true(gtk_widget_is_sensitive(add));
    gtk_button_clicked(GTK_BUTTON(add));
    settle(50);

    char *text = NULL;
    g_assert_true(g_file_get_contents(log_file, &text, NULL, NULL));
    g_assert_nonnull(strstr(
        text,
        "device Stand-in GPU memory 2147483648 precision bf16 vae /models/vae-ft-mse.safetensors prompt a red door"));
    g_free(text);
    selection = NULL; /* what the user may do meanwhile */
    image_type = SFU_HOST_INDEXED;
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, go)));
    settle(50);
    if (current != SFU_ACTION_GENERATE)
        look_at(window, action, "6-refused");
    for (int i = 0; i < 200 && is_running(window); i++)
        settle(50);
    image_type = SFU_HOST_RGB;
}

static gboolean act(gpointer data)
{
    void (*use)(GtkWidget * window) = data;
    GtkWidget *window = the_dialog();
    settle(100);
    use(window);
    gtk_dialog_response(GTK_DIALOG(window), GTK_RESPONSE_CLOSE);
    return G_SOURCE_REMOVE;
}

/* What is used closes the dialog itself. */
static gboolean act_alone(gpointer data)
{
    void (*use)(GtkWidget * window) = data;
    GtkWidget *window = the_dialog();
    settle(100);
    use(window);
    return G_SOURCE_REMOVE;
}

static void paint(GeglBuffer *b)
{
    float row[W * 3];
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            row[3 * x] = 0.2f + 0.6f * x / W;
            row[3 * x + 1] = 0.3f + 0.5f * y / H;
            row[3 * x + 2] = (x / 20 + y / 20) % 2 ? 0.7f : 0.4f;
        }
        gegl_buffer_set(b, GEGL_RECTANGLE(0, y, W, 1), 0, babl_format("R'G'B' float"), row, GEGL_AUTO_ROWSTRIDE);
    }
}

static void dialog_of_action(gconstpointer data)
{
    current = GPOINTER_TO_INT(data);
    char *folder = g_dir_make_tmp("sfumato-dialogs-XXXXXX", NULL);
    SfuSettings *settings = sfu_settings_load(folder);
    SfuRequest *r = sfu_request_new(current);
    GError *error = NULL;
    int layer, image;
    GeglBuffer *chosen = gegl_buffer_new(GEGL_RECTANGLE(120, 80, 150, 110), babl_format("Y float"));
    GeglColor *white = gegl_color_new("white");
    gegl_buffer_set_color(chosen, gegl_buffer_get_extent(chosen), white);
    g_object_unref(white);
    selection = chosen;
    picture = gegl_buffer_new(GEGL_RECTANGLE(0, 0, W, H), babl_format("R'G'B' u8"));
    paint(picture);
    log_file = g_build_filename(folder, "log", NULL);
    g_setenv("SFU_STANDIN_LOG", log_file, TRUE);
    g_setenv("SFU_STANDIN_STEP_MS", "2000", TRUE); /* a run that is sure to be stopped */
    g_timeout_add(100, act, use_action);
    n_inserted = 0;
    g_assert_true(sfu_ui_run(r, IMAGE, LAYER, settings, &layer, &image, &error)); /* something was added */
    g_assert_no_error(error);
    g_assert_cmpint(n_inserted, ==, current == SFU_ACTION_ENLARGE ? 0 : 1); /* the whole image gets no new layer */
    g_assert_cmpuint(sfu_settings_memory_bytes(settings), ==, G_GUINT64_CONSTANT(2) << 30);
    sfu_request_free(r);
    sfu_settings_free(settings);
    g_object_unref(picture);
    g_object_unref(chosen);
    g_free(log_file);
    g_free(folder);
}

static void use_settings(GtkWidget *window)
{
    look_at(window, "settings", "1-opened");
}

static void dialog_of_settings(void)
{
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    g_timeout_add(100, act, use_settings);
    g_assert_false(sfu_ui_settings(settings));
    sfu_settings_free(settings);
}

static gboolean convert(gpointer data)
{
    GtkWidget *window = the_dialog();
    settle(100);
    gtk_dialog_response(GTK_DIALOG(window), GPOINTER_TO_INT(data));
    return G_SOURCE_REMOVE;
}

static void conversion_is_asked_for(void)
{
    image_type = SFU_HOST_INDEXED;
    g_timeout_add(100, convert, GINT_TO_POINTER(GTK_RESPONSE_CANCEL));
    g_assert_false(sfu_ui_offer_conversion(IMAGE));
    g_assert_cmpint(image_type, ==, SFU_HOST_INDEXED);
    g_timeout_add(100, convert, GINT_TO_POINTER(GTK_RESPONSE_OK));
    g_assert_true(sfu_ui_offer_conversion(IMAGE));
    g_assert_cmpint(image_type, ==, SFU_HOST_RGB);
}

static SfuResult *result_new(void)
{
    SfuResult *r = g_new0(SfuResult, 1);
    r->picture = gegl_buffer_dup(picture);
    r->params = sfu_params_new();
    sfu_params_set_double(r->params, "scale", 2, NULL);
    return r;
}

/* Enlarges the host's image, of one layer, with n results. */
static gboolean enlarge_with(const SfuInput *in, int n, gboolean copy, GError **error)
{
    int layer, image;
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
    for (int i = 0; i < n; i++)
        g_ptr_array_add(results, result_new());
    n_scaled = n_written = n_restored = 0;
    const gboolean ok = sfu_whole_image_add(in, results, copy, &layer, &image, error);
    g_ptr_array_unref(results);
    return ok;
}

static void a_result_for_each_layer(void)
{
    GError *error = NULL;
    SfuInput *in = g_new0(SfuInput, 1);
    image_type = SFU_HOST_RGB;
    picture = gegl_buffer_new(GEGL_RECTANGLE(0, 0, W, H), babl_format("R'G'B' u8"));
    in->image = IMAGE;
    g_assert_true(sfu_whole_image_read(in, 2, &error));
    g_assert_no_error(error);
    g_assert_true(enlarge_with(in, 1, FALSE, &error));
    g_assert_no_error(error);
    g_assert_cmpint(n_scaled, ==, 1);
    for (int copy = 0; copy < 2; copy++) {
        for (int n = 0; n <= 2; n += 2) {
            g_assert_false(enlarge_with(in, n, copy, &error));
            g_assert_error(error, SFU_ERROR, SFU_ERROR_FAILED);
            g_assert_nonnull(strstr(error->message, n ? "but 2 were" : "but 0 were"));
            g_assert_cmpint(n_scaled, ==, 0);
            g_clear_error(&error);
        }
    }
    fail_at = 1; /* refused already in the copy */
    g_assert_false(enlarge_with(in, 1, FALSE, &error));
    g_assert_cmpstr(error->message, ==, "write 1 fails");
    g_assert_cmpint(n_scaled, ==, 0);
    g_clear_error(&error);
    fail_at = 2; /* in the image itself, after it was scaled */
    g_assert_false(enlarge_with(in, 1, FALSE, &error));
    g_assert_cmpstr(error->message, ==, "write 2 fails");
    g_assert_cmpint(n_scaled, ==, 1);
    g_assert_cmpint(n_restored, ==, 1);
    g_clear_error(&error);
    fail_at = 0;
    sfu_input_free(in);

    in = g_new0(SfuInput, 1);
    in->image = IMAGE + 7; /* closed */
    g_assert_false(sfu_whole_image_read(in, 2, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&error);
    sfu_input_free(in);
    g_clear_object(&picture);
}

/* ---- models
 * --------------------------------------------------------------------------------------------------------------- */

static void remove_goes_to_models_made_for_filling(void)
{
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    GPtrArray *models = sfu_models(NULL);
    SfuRequest *r = sfu_request_new(SFU_ACTION_REMOVE);
    char **to_try = sfu_models_to_try(settings, models, r), *all = g_strjoinv(" ", to_try);
    g_assert_cmpstr(
        all, ==,
        "/models/Sfumato mini.safetensors /models/sd-v1-5-inpainting.safetensors /models/dreamshaper_8.safetensors");
    g_strfreev(to_try);
    g_free(all);
    sfu_settings_set(settings, "model-remove",
                     "/models/dreamshaper_8.safetensors"); /* what the user has chosen comes first */
    to_try = sfu_models_to_try(settings, models, r);
    g_assert_cmpstr(to_try[0], ==, "/models/dreamshaper_8.safetensors");
    g_assert_cmpuint(g_strv_length(to_try), ==, 3);
    g_strfreev(to_try);
    sfu_request_set(r, "model", "/models/other.safetensors", NULL); /* one that is named, and no other */
    to_try = sfu_models_to_try(settings, models, r);
    g_assert_cmpuint(g_strv_length(to_try), ==, 1);
    g_strfreev(to_try);
    sfu_request_free(r);
    g_ptr_array_unref(models);
    sfu_settings_free(settings);
}

static void new_scene(void)
{
    GeglColor *white = gegl_color_new("white");
    image_type = SFU_HOST_RGB;
    closed = FALSE;
    selection = gegl_buffer_new(GEGL_RECTANGLE(120, 80, 150, 110), babl_format("Y float"));
    gegl_buffer_set_color(selection, gegl_buffer_get_extent(selection), white);
    picture = gegl_buffer_new(GEGL_RECTANGLE(0, 0, W, H), babl_format("R'G'B' u8"));
    paint(picture);
    g_setenv("SFU_STANDIN_STEP_MS", "5", TRUE);
    g_object_unref(white);
}

static void end_scene(void)
{
    g_clear_object(&selection);
    g_clear_object(&picture);
}

static void a_failing_model_is_passed_over(void)
{
    int layer, image;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    SfuRequest *r = sfu_request_new(SFU_ACTION_REMOVE);
    new_scene();
    g_setenv("SFU_STANDIN_FAIL", "model:/models/Sfumato mini.safetensors", TRUE);
    g_assert_true(sfu_run(r, IMAGE, LAYER, settings, FALSE, &layer, &image, &error));
    g_assert_no_error(error);
    g_assert_nonnull(strstr(last_message, "Sfumato mini could not be used, so sd-v1-5-inpainting was taken. "));
    sfu_request_set(r, "model", "/models/Sfumato mini.safetensors", NULL);
    g_assert_false(
        sfu_run(r, IMAGE, LAYER, settings, FALSE, &layer, &image, &error)); /* asked for by name: no other one */
    g_assert_error(error, SFU_ERROR, SFU_ERROR_MODEL);
    g_clear_error(&error);
    g_unsetenv("SFU_STANDIN_FAIL");
    end_scene();
    sfu_request_free(r);
    sfu_settings_free(settings);
}

/* ---- nothing lost
 * ----------------------------------------------------------------------------------------------------------- */

static void an_image_closed_meanwhile(void)
{
    int layer = -1, image = -1;
    GError *error = NULL;
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    new_scene();
    SfuInput *in = sfu_input_new(r, IMAGE, LAYER, &error);
    g_assert_no_error(error);
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
    g_ptr_array_add(results, result_new());
    SfuResult *patch = results->pdata[0];
    g_object_unref(patch->picture);
    patch->picture = gegl_buffer_new(GEGL_RECTANGLE(120, 80, 150, 110), babl_format("R'G'B'A float"));
    closed = TRUE;
    g_assert_true(sfu_output_add(in, r, results, &layer, &image, &error));
    g_assert_cmpint(image, ==, IMAGE + 1);
    g_assert_true(gegl_rectangle_equal(&last_layer, GEGL_RECTANGLE(0, 0, W, H))); /* the patch in its picture */
    sfu_input_free(in);

    closed = FALSE;
    in = g_new0(SfuInput, 1);
    in->image = IMAGE;
    g_assert_true(sfu_whole_image_read(in, 2, &error));
    closed = TRUE;
    g_assert_true(sfu_whole_image_add(in, results, FALSE, &layer, &image, &error));
    g_assert_cmpint(image, ==, IMAGE + 1);
    sfu_input_free(in);
    closed = FALSE;
    g_ptr_array_unref(results);
    sfu_request_free(r);
    end_scene();
}

static gboolean answer(gpointer data)
{
    GtkWidget *question = NULL;
    GList *all = gtk_window_list_toplevels();
    for (GList *l = all; l; l = l->next)
        if (GTK_IS_MESSAGE_DIALOG(l->data) && gtk_widget_get_visible(l->data))
            question = l->data;
    g_list_free(all);
    g_assert_nonnull(question);
    gtk_button_clicked(GTK_BUTTON(find_or_fail(question, GTK_TYPE_BUTTON, data)));
    return G_SOURCE_REMOVE;
}

static void close_without_adding(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && !is_sensitive(window, GTK_TYPE_BUTTON, "_Add as Layer"); i++)
        settle(50);
    g_timeout_add(300, answer, "_Back");
    gtk_dialog_response(GTK_DIALOG(window), GTK_RESPONSE_CLOSE);
    g_assert_true(gtk_widget_get_visible(window));
    g_assert_cmpint(n_inserted, ==, 0);
    g_timeout_add(300, answer, "_Add and Close"); /* answers what act() asks for next */
}

static void results_are_asked_about(void)
{
    int layer, image;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    new_scene();
    n_inserted = 0;
    current = SFU_ACTION_FILL;
    g_timeout_add(100, act, close_without_adding);
    g_assert_true(sfu_ui_run(r, IMAGE, LAYER, settings, &layer, &image, &error));
    g_assert_cmpint(n_inserted, ==, 1);
    sfu_request_free(r);
    sfu_settings_free(settings);
    end_scene();
}

static void keep_them(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Generate"))); /* waits behind the first */
    for (int i = 0; i < 200 && is_running(window); i++)
        settle(50);
    g_timeout_add(300, answer, "_Keep");
}

static guint count_results(GtkWidget *window)
{
    guint n = 0;
    for (int i = 1; i < 20; i++) {
        char *start = g_strdup_printf("Result %d, seed", i);
        n += find_start(window, start) != NULL;
        g_free(start);
    }
    return n;
}

static void find_them_again(GtkWidget *window)
{
    for (int i = 0; i < 100 && count_results(window) < 6; i++)
        settle(50);
    g_assert_cmpuint(count_results(window), ==, 6); /* two orders of three variants */
    look_at(window, "fill", "7-kept");
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "Delete this result")));
    g_assert_cmpuint(count_results(window), ==, 5);
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Add as Layer")));
    g_assert_cmpint(n_inserted, ==, 1);
}

static void find_the_rest(GtkWidget *window)
{
    for (int i = 0; i < 100 && count_results(window) < 4; i++)
        settle(50);
    settle(100);
    g_assert_cmpuint(count_results(window), ==, 4);
    for (int i = 0; i < 4; i++)
        gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "Delete this result")));
    g_assert_false(is_sensitive(window, GTK_TYPE_BUTTON, "_Add as Layer"));
}

/* What is not added waits for this session's next dialog, with its pixels and values. */
static void results_are_kept(void)
{
    static void (*const dialogs[])(GtkWidget *) = {keep_them, find_them_again, find_the_rest};
    int layer, image;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    new_scene();
    n_inserted = 0;
    current = SFU_ACTION_FILL;
    for (gsize i = 0; i < G_N_ELEMENTS(dialogs); i++) {
        SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
        g_timeout_add(100, act, dialogs[i]);
        g_assert_true(sfu_ui_run(r, IMAGE, LAYER, settings, &layer, &image, &error) == (i == 1));
        g_assert_no_error(error);
        sfu_request_free(r);
    }
    GPtrArray *history = sfu_history_read(IMAGE);
    g_assert_cmpuint(history->len, >=, 6);
    const SfuRequest *newest = history->pdata[0];
    g_assert_cmpint(newest->action, ==, SFU_ACTION_FILL);
    g_assert_true(sfu_params_is_set(newest->params, "seed"));
    g_ptr_array_unref(history);
    sfu_settings_free(settings);
    end_scene();
}

static void history_is_bounded(void)
{
    g_clear_pointer(&texts, g_hash_table_unref);
    for (int i = 0; i < 60; i++) {
        SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
        sfu_params_put(r->params, SFU_PARAM_SEED, i);
        char *json = sfu_request_to_json(r, 0);
        sfu_history_note(IMAGE, json, i % 2);
        sfu_history_note(IMAGE, json, TRUE); /* noted twice, it is there once */
        g_free(json);
        sfu_request_free(r);
    }
    GPtrArray *all = sfu_history_read(IMAGE);
    g_assert_cmpuint(all->len, ==, 50);
    g_ptr_array_unref(all);
    sfu_host_image_text_set(IMAGE, "sfumato-history", "{\"action\": 7}\n[[[[", TRUE); /* a picture from anywhere */
    sfu_host_image_text_set(IMAGE, "sfumato-tried", "", TRUE);
    all = sfu_history_read(IMAGE);
    g_assert_cmpuint(all->len, ==, 0);
    g_ptr_array_unref(all);
    g_clear_pointer(&texts, g_hash_table_unref);
}

/* GIMP's query asks for names and must not wait for a disk. */
static void query_reads_no_file(void)
{
    if (!g_test_subprocess()) {
        char *path = NULL;
        const int fd = g_file_open_tmp("sfumato-styles-XXXXXX", &path, NULL);
        g_assert_cmpint(fd, >=, 0);
        g_assert_true(g_file_set_contents(path, "name,prompt,negative_prompt\nmy own,{prompt} in red,\n", -1, NULL));
        g_setenv("SFUMATO_STYLES", path, TRUE);
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_passed();
        g_unsetenv("SFUMATO_STYLES");
        g_assert_cmpint(remove(path), ==, 0);
        g_free(path);
        return;
    }
    sfu_params_without_files();
    const SfuParamSpec *style = sfu_action_spec(SFU_ACTION_FILL, "style");
    g_assert_true(sfu_spec_is_open(style));
    g_assert_true(g_strv_contains(style->choices, "photo"));
    g_assert_false(g_strv_contains(style->choices, "my own"));
}

static void exclude_it(GtkWidget *window)
{
    GtkWidget *combo = find_or_fail(window, GTK_TYPE_COMBO_BOX, "Exclude");
    char *value = sfu_model_combo_get(combo);
    g_assert_cmpstr(value, ==, "");
    g_free(value);
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "E_xclude Selection")));
    g_assert_cmpint(gtk_tree_model_iter_n_children(gtk_combo_box_get_model(GTK_COMBO_BOX(combo)), NULL), ==, 3);
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && is_running(window); i++)
        settle(50);
    sfu_model_combo_set(combo, SFU_EXCLUDE_NOTHING);
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && is_running(window); i++)
        settle(50);
    g_timeout_add(300, answer, "_Discard");
}

static void an_excluded_area_reaches_the_engine(void)
{
    int layer, image;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    char *text = NULL;
    new_scene();
    const int fd = g_file_open_tmp("sfumato-dialogs-XXXXXX", &log_file, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_setenv("SFU_STANDIN_LOG", log_file, TRUE);
    g_timeout_add(100, act, exclude_it);
    g_assert_false(sfu_ui_run(r, IMAGE, LAYER, settings, &layer, &image, &error));
    g_assert_true(g_file_get_contents(log_file, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, " exclude 120 80 150 110 "));
    g_assert_nonnull(strstr(text, " exclude 0 0 0 0 "));
    g_assert_cmpstr(sfu_request_get_string(r, "exclude"), ==, SFU_EXCLUDE_NOTHING);
    sfu_request_set(r, "exclude", "no such", NULL);
    g_assert_null(sfu_input_new(r, IMAGE, LAYER, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_USAGE);
    g_clear_error(&error);
    char *json = sfu_request_to_json(r, 0);
    SfuRequest *again = sfu_request_from_json(json, NULL, &error);
    g_assert_cmpstr(again->exclude, ==, "no such");
    sfu_request_free(again);
    sfu_request_free(r);
    sfu_settings_free(settings);
    g_clear_object(&excluded);
    g_free(json);
    g_free(text);
    g_free(log_file);
    close(fd);
    end_scene();
}

static void restore_it(GtkWidget *window)
{
    g_assert_null(find(window, GTK_TYPE_TEXT_VIEW, "Prompt"));
    g_assert_null(find(window, GTK_TYPE_SPIN_BUTTON, "Seed"));
    look_at(window, "restore", "1-opened");
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Restore")));
    for (int i = 0; i < 200 && is_running(window); i++)
        settle(50);
    g_assert_cmpuint(count_results(window), ==, 1); /* another seed would change nothing */
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "Add and C_lose")));
}

static void edit_it(GtkWidget *window)
{
    gtk_expander_set_expanded(GTK_EXPANDER(find_or_fail(window, GTK_TYPE_EXPANDER, "Ad_vanced")), TRUE);
    settle(300);
    gtk_entry_set_text(GTK_ENTRY(find_or_fail(window, GTK_TYPE_ENTRY, "LoRA")), "snow ; ice=0.8;");
    gtk_text_buffer_set_text(
        gtk_text_view_get_buffer(GTK_TEXT_VIEW(find_or_fail(window, GTK_TYPE_TEXT_VIEW, "Prompt"))), "make it winter",
        -1);
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 200 && is_running(window); i++)
        settle(50);
    g_assert_cmpuint(count_results(window), ==, 3);
    look_at(window, "edit", "5-done");
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "Add and C_lose")));
}

static void newer_tools(void)
{
    static const struct {
        SfuAction action;
        void (*use)(GtkWidget *);
    } tools[] = {{SFU_ACTION_RESTORE, restore_it}, {SFU_ACTION_EDIT, edit_it}};
    for (gsize i = 0; i < G_N_ELEMENTS(tools); i++) {
        int layer, image;
        GError *error = NULL;
        SfuSettings *settings = sfu_settings_load("/nonexistent");
        SfuRequest *r = sfu_request_new(tools[i].action);
        new_scene();
        n_inserted = 0;
        current = tools[i].action;
        g_timeout_add(100, act_alone, tools[i].use);
        g_assert_true(sfu_ui_run(r, IMAGE, LAYER, settings, &layer, &image, &error));
        g_assert_cmpint(n_inserted, ==, 1);
        g_assert_true(gegl_rectangle_equal(&last_layer, gegl_buffer_get_extent(selection)));
        const char *const *lora = sfu_params_list(r->params, SFU_PARAM_LORA);
        g_assert_cmpuint(g_strv_length((char **)lora), ==, i ? 2 : 0);
        g_assert_true(!i || (strcmp(lora[0], "snow") == 0 && strcmp(lora[1], "ice=0.8") == 0));
        sfu_request_free(r);
        sfu_settings_free(settings);
        end_scene();
    }
}

static void close_while_it_runs(GtkWidget *window)
{
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    settle(300);
}

static void closing_does_not_wait_with_the_window_shown(void)
{
    int layer, image;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    SfuRequest *r = sfu_request_new(SFU_ACTION_FILL);
    new_scene();
    g_setenv("SFU_STANDIN_STEP_MS", "2000", TRUE);
    g_timeout_add(100, act, close_while_it_runs);
    g_assert_false(sfu_ui_run(r, IMAGE, LAYER, settings, &layer, &image, &error));
    g_assert_no_error(error);
    sfu_request_free(r);
    sfu_settings_free(settings);
    end_scene();
}

/* ---- the page Get Models
 * ------------------------------------------------------------------------------------------------- */

/* The button of a model, and what is said about it (of the row's texts the one that has `words`). */
static GtkWidget *row_button(GtkWidget *window, const char *title)
{
    return find_or_fail(window, GTK_TYPE_BUTTON, title);
}

static gboolean row_says(GtkWidget *window, const char *title, const char *words)
{
    GtkWidget *row = gtk_widget_get_parent(gtk_widget_get_parent(row_button(window, title)));
    Search s = {GTK_TYPE_LABEL, words, NULL};
    walk(row, match_words, &s);
    return s.found != NULL;
}

static void wait_for(GtkWidget *window, const char *title, const char *words)
{
    for (int i = 0; i < 400 && !row_says(window, title, words); i++)
        settle(25);
    if (!row_says(window, title, words))
        g_error("%s: nothing says \"%s\"", title, words);
}

static void download(GtkWidget *window, const char *title, const char *words)
{
    g_timeout_add(300, answer, "_Accept and Download");
    gtk_button_clicked(GTK_BUTTON(row_button(window, title)));
    wait_for(window, title, words);
}

static gboolean is_whole(const char *name)
{
    char *path = g_build_filename(g_getenv("SFU_TEST_MODELS"), name, NULL);
    const gboolean there = g_file_test(path, G_FILE_TEST_EXISTS);
    g_free(path);
    return there;
}

static void get_models(GtkWidget *window)
{
    for (int i = 0; i < 200 && !find(window, GTK_TYPE_BUTTON, "Good"); i++)
        settle(25);
    look_at(window, "settings", "2-get-models");
    /* The quickest that fits and may be used stands first; what may not, and what does not fit, is no suggestion. */
    g_assert_cmpint(place_of(window, "Good"), <, place_of(window, "Lies"));
    g_assert_cmpint(place_of(window, "Lies"), <, place_of(window, "Private"));
    g_assert_cmpint(place_of(window, "Private"), <, place_of(window, "Huge"));
    g_assert_true(row_says(window, "Private", "no commercial use"));
    g_assert_true(row_says(window, "Huge", "more memory than this computer has"));
    g_assert_false(is_whole("good.safetensors")); /* nothing without a click */

    g_timeout_add(300, answer, "_Cancel"); /* the license is not accepted */
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good")));
    g_assert_cmpstr(gtk_button_get_label(GTK_BUTTON(row_button(window, "Good"))), ==, "_Download");
    g_timeout_add(300, answer, "_Accept and Download");
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good")));
    g_assert_cmpstr(gtk_button_get_label(GTK_BUTTON(row_button(window, "Good"))), ==, "_Pause");
    settle(900);
    look_at(window, "settings", "3-downloading");
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good")));
    wait_for(window, "Good", "Paused after");
    g_assert_false(is_whole("good.safetensors"));
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good"))); /* whoever resumes has accepted the license */
    wait_for(window, "Good", "Installed");
    g_assert_true(is_whole("good.safetensors"));

    download(window, "Refused", "401");
    download(window, "Changed", "SHA-256");
    download(window, "Lies", "bytes");
    g_assert_false(is_whole("changed.safetensors") || is_whole("lies.safetensors") || is_whole("refused.safetensors"));
    look_at(window, "settings", "4-after-downloads");
    g_timeout_add(300, answer, "_Remove");
    gtk_button_clicked(GTK_BUTTON(row_button(window, "Good")));
    for (int i = 0; i < 200 && is_whole("good.safetensors"); i++)
        settle(25);
    g_assert_false(is_whole("good.safetensors"));
}

static void models_are_had(void)
{
    if (!g_getenv("SFUMATO_FETCH")) {
        g_test_skip("no sfumato-fetch");
        return;
    }
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    sfu_settings_set(settings, "device", "Stand-in CPU");
    g_timeout_add(100, act, get_models);
    g_assert_false(sfu_ui_settings_above(settings, NULL, SFU_SETTINGS_GET_MODELS, SFU_TASK_INPAINT));
    sfu_settings_free(settings);
}

static void without_the_program(GtkWidget *window)
{
    Search s = {GTK_TYPE_LABEL, "is not installed", NULL};
    for (int i = 0; i < 100 && !s.found; i++) {
        settle(25);
        walk(window, match_words, &s);
    }
    g_assert_nonnull(s.found);
}

static void no_program_is_said(void)
{
    char *program = g_strdup(g_getenv("SFUMATO_FETCH")), *path = g_strdup(g_getenv("PATH"));
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    g_setenv("SFUMATO_FETCH", "/nonexistent/fetch", TRUE);
    g_timeout_add(100, act, without_the_program);
    g_assert_false(sfu_ui_settings_above(settings, NULL, SFU_SETTINGS_GET_MODELS, -1));
    if (program)
        g_setenv("SFUMATO_FETCH", program, TRUE);
    else
        g_unsetenv("SFUMATO_FETCH");
    sfu_settings_free(settings);
    g_free(program);
    g_free(path);
}

static gboolean close_settings(gpointer data)
{
    int *seen = data;
    GtkWidget *book = NULL;
    Search s = {GTK_TYPE_COMBO_BOX, "For", NULL};
    GList *all = gtk_window_list_toplevels();
    for (GList *l = all; l; l = l->next)
        if (GTK_IS_DIALOG(l->data) && gtk_widget_get_visible(l->data)) {
            walk(l->data, match, &s);
            book = s.found && !book ? l->data : book;
        }
    g_list_free(all);
    *seen += book != NULL;
    if (book)
        gtk_dialog_response(GTK_DIALOG(book), GTK_RESPONSE_CANCEL);
    return G_SOURCE_REMOVE;
}

static void ask_for_a_model(GtkWidget *window)
{
    int seen = 0;
    GtkWidget *get = find_or_fail(window, GTK_TYPE_BUTTON, "Get a Mo_del...");
    look_at(window, "generate", "0-no-model");
    g_timeout_add(600, close_settings, &seen);
    gtk_button_clicked(GTK_BUTTON(get));
    g_timeout_add(600, close_settings, &seen); /* and Generate leads there too */
    gtk_button_clicked(GTK_BUTTON(find_or_fail(window, GTK_TYPE_BUTTON, "_Generate")));
    for (int i = 0; i < 100 && seen < 2; i++)
        settle(50);
    g_assert_cmpint(seen, ==, 2);
    settle(200);
}

static void no_model_is_no_dead_end(void)
{
    int layer, image;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load("/nonexistent");
    SfuRequest *remove = sfu_request_new(SFU_ACTION_REMOVE), *make = sfu_request_new(SFU_ACTION_GENERATE);
    g_setenv("SFU_STANDIN_NO_MODELS", "1", TRUE);
    new_scene();
    g_assert_false(sfu_run(remove, IMAGE, LAYER, settings, FALSE, &layer, &image, &error));
    g_assert_error(error, SFU_ERROR, SFU_ERROR_MODEL);
    g_assert_nonnull(strstr(error->message, "Models and Settings"));
    g_clear_error(&error);
    current = SFU_ACTION_GENERATE;
    g_timeout_add(100, act, ask_for_a_model);
    g_assert_false(sfu_ui_run(make, IMAGE, LAYER, settings, &layer, &image, &error));
    g_assert_no_error(error);
    g_unsetenv("SFU_STANDIN_NO_MODELS");
    sfu_request_free(remove);
    sfu_request_free(make);
    sfu_settings_free(settings);
    end_scene();
}

static void names_of_devices(void)
{
    static const char *const names[][2] = {{"cpu-znver3-AMD EPYC 7B13", "CPU (AMD EPYC 7B13)"},
                                           {"pthread-skylake-avx512-Intel(R) Xeon(R)", "CPU (Intel(R) Xeon(R))"},
                                           {"cpu-x86-64-v3-QEMU", "CPU (QEMU)"},
                                           {"cpu-generic-", "cpu-generic-"},
                                           {"NVIDIA H200", "NVIDIA H200"}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        char *words = sfu_device_words(names[i][0]);
        g_assert_cmpstr(words, ==, names[i][1]);
        g_free(words);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!gtk_init_check(&argc, &argv)) {
        g_print("1..0 # SKIP no screen\n");
        return 0;
    }
    gegl_init(NULL, NULL);
    for (int a = 0; a < SFU_N_ACTIONS; a++) {
        char *name = g_strdup_printf("/dialog/%s", sfu_action_info(a)->name);
        if (sfu_action_info(a)->has_dialog && a != SFU_ACTION_RESTORE && a != SFU_ACTION_EDIT)
            g_test_add_data_func(name, GINT_TO_POINTER(a), dialog_of_action);
        g_free(name);
    }
    g_test_add_func("/dialog/settings", dialog_of_settings);
    g_test_add_func("/dialog/an indexed image is converted only when that is wanted", conversion_is_asked_for);
    g_test_add_func("/whole-image/as many results as layers, or a sentence and nothing changed",
                    a_result_for_each_layer);
    g_test_add_func("/models/are had by a click, and by nothing else", models_are_had);
    g_test_add_func("/models/none is no dead end", no_model_is_no_dead_end);
    g_test_add_func("/models/that the program is missing is said", no_program_is_said);
    g_test_add_func("/models/names of devices", names_of_devices);
    g_test_add_func("/models/removing goes to models that are made for filling",
                    remove_goes_to_models_made_for_filling);
    g_test_add_func("/models/one that fails is passed over, and that is said", a_failing_model_is_passed_over);
    g_test_add_func("/results/an image closed meanwhile becomes a new one", an_image_closed_meanwhile);
    g_test_add_func("/results/closing asks about what was not added", results_are_asked_about);
    g_test_add_func("/results/what is kept is there again", results_are_kept);
    g_test_add_func("/results/the history holds the last 50", history_is_bounded);
    g_test_add_func("/request/a query reads no file", query_reads_no_file);
    g_test_add_func("/excluded/it reaches the engine", an_excluded_area_reaches_the_engine);
    g_test_add_func("/tools/restore and edit", newer_tools);
    g_test_add_func("/results/closing in a run", closing_does_not_wait_with_the_window_shown);
    return g_test_run();
}
