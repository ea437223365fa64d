/* Finding widgets, using them, looking at a dialog's state.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogs.h"
#include <glib/gstdio.h>

#include <string.h>

SfuAction dlg_action;
char *dlg_log;

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

void dlg_walk(GtkWidget *w, Visit visit, gpointer data)
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

/* The Alt key of a label in German; 0: none. */
static gunichar german_key(const char *label)
{
    static char *catalogue;
    if (!catalogue)
        g_file_get_contents(PO, &catalogue, NULL, NULL);
    g_assert_nonnull(catalogue);
    char *entry = g_strdup_printf("\nmsgid \"%s\"\nmsgstr \"", label);
    const char *found = strstr(catalogue, entry), *from = found ? found + strlen(entry) : label;
    const char *line = strpbrk(from, "\"\n"), *key = strchr(from, '_');
    g_free(entry);
    return key && (!line || key < line) ? g_unichar_tolower(g_utf8_get_char(key + 1)) : 0;
}

typedef struct {
    GHashTable *english, *german; /* keys to labels */
} Mnemonics;

/* An Alt key that two labels have only goes from one to the other. */
static void check_key(GHashTable *keys, gunichar key, const char *label, const char *language)
{
    const char *other = g_hash_table_lookup(keys, GUINT_TO_POINTER(key));
    if (other) {
        g_test_message("%s: Alt+%c is of \"%s\" and of \"%s\"", language, (int)key, other, label);
        g_test_fail();
    }
    g_hash_table_insert(keys, GUINT_TO_POINTER(key), (gpointer)label);
}

static void check_mnemonic(GtkWidget *w, gpointer data)
{
    Mnemonics *m = data;
    const char *label = GTK_IS_LABEL(w) && gtk_widget_get_mapped(w) ? gtk_label_get_label(GTK_LABEL(w)) : NULL;
    if (!label || gtk_label_get_mnemonic_keyval(GTK_LABEL(w)) == SFU_KEY(VoidSymbol))
        return;
    check_key(m->english, gdk_keyval_to_lower(gtk_label_get_mnemonic_keyval(GTK_LABEL(w))), label, "English");
    const gunichar key = german_key(label);
    if (key)
        check_key(m->german, key, label, "German");
}

/* ---- the tab order ---- */

/* Where Tab came to: the box that scrolls it, or the window, and where it stands in that. */
typedef struct {
    GtkWidget *widget, *room;
    GdkRectangle at;
} Stop;

static GtkWidget *room_of(GtkWidget *w)
{
    GtkWidget *port = gtk_widget_get_ancestor(w, GTK_TYPE_VIEWPORT);
    return port ? gtk_bin_get_child(GTK_BIN(port)) : gtk_widget_get_toplevel(w);
}

static Stop stop_at(GtkWidget *w)
{
    Stop s = {.widget = w, .room = room_of(w)};
    GtkAllocation size;
    gtk_widget_get_allocation(w, &size);
    gtk_widget_translate_coordinates(w, s.room, 0, 0, &s.at.x, &s.at.y);
    s.at.width = size.width;
    s.at.height = size.height;
    return s;
}

static void press_tab(GtkWidget *window)
{
    GdkKeymapKey *keys = NULL;
    int n = 0;
    gboolean handled;
    gdk_keymap_get_entries_for_keyval(gdk_keymap_get_for_display(gtk_widget_get_display(window)), SFU_KEY(Tab), &keys,
                                      &n);
    g_assert_cmpint(n, >, 0);
    GdkEvent *event = gdk_event_new(GDK_KEY_PRESS);
    event->key.window = g_object_ref(gtk_widget_get_window(window));
    event->key.send_event = TRUE;
    event->key.keyval = SFU_KEY(Tab);
    event->key.hardware_keycode = (guint16)keys[0].keycode;
    event->key.group = (guint8)keys[0].group;
#if GTK_CHECK_VERSION(3, 0, 0)
    gdk_event_set_device(event, gdk_seat_get_keyboard(gdk_display_get_default_seat(gtk_widget_get_display(window))));
#endif
    g_signal_emit_by_name(window, "key-press-event", event, &handled);
    gdk_event_free(event);
    g_free(keys);
}

/* A line below, or further right in the same line. */
static gboolean is_after(const GdkRectangle *b, const GdkRectangle *a)
{
    const int overlap = MIN(a->y + a->height, b->y + b->height) - MAX(a->y, b->y);
    if (2 * overlap > MIN(a->height, b->height))
        return b->x > a->x;
    return b->y > a->y;
}

typedef struct {
    const Stop *stops;
    guint n;
    const char *state;
} Walked;

/* Every control; no frame around one, and not the other buttons of a radio group. */
static void check_reached(GtkWidget *w, gpointer data)
{
    const Walked *walked = data;
    const gboolean expected = gtk_widget_get_can_focus(w) || (is_control(w) && !GTK_IS_PROGRESS_BAR(w));
    if (!expected || !gtk_widget_get_mapped(w) || !gtk_widget_is_sensitive(w) || GTK_IS_WINDOW(w) ||
        GTK_IS_SCROLLED_WINDOW(w) || GTK_IS_LABEL(w) || GTK_IS_MENU_ITEM(w) ||
        (GTK_IS_RADIO_BUTTON(w) && !gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(w))))
        return;
    for (guint i = 0; i < walked->n; i++) {
        GtkWidget *at = walked->stops[i].widget;
        if (at == w || gtk_widget_is_ancestor(at, w) || gtk_widget_is_ancestor(w, at))
            return;
    }
    const char *name = atk_object_get_name(gtk_widget_get_accessible(w));
    g_test_message("%s: Tab does not reach the %s \"%s\"", walked->state, G_OBJECT_TYPE_NAME(w), name ? name : "");
    g_test_fail();
}

static char *words_of(GtkWidget *w)
{
    const char *name = atk_object_get_name(gtk_widget_get_accessible(w));
    return g_strdup_printf("%s \"%s\"", G_OBJECT_TYPE_NAME(w), name ? name : "");
}

/* In each part of the window from above to below, and no part left in its middle. */
static void check_order(const Stop *stops, guint n, const char *state)
{
    for (guint i = 1; i < n; i++) {
        const Stop *before = NULL;
        for (guint k = i; k > 0 && !before; k--)
            if (stops[k - 1].room == stops[i].room)
                before = &stops[k - 1];
        const gboolean is_window = GTK_IS_WINDOW(stops[i].room);
        if (!before || (is_after(&stops[i].at, &before->at) && (is_window || before == &stops[i - 1])))
            continue;
        char *from = words_of(before->widget), *to = words_of(stops[i].widget);
        g_test_message("%s: Tab goes from %s at %d, %d to %s at %d, %d", state, from, before->at.x, before->at.y, to,
                       stops[i].at.x, stops[i].at.y);
        g_test_fail();
        g_free(from);
        g_free(to);
    }
}

/* Tab once around the window. */
static void check_tabs(GtkWidget *window, const char *state)
{
    enum { MOST = 200 };
    GtkWidget *was = gtk_window_get_focus(GTK_WINDOW(window));
    GArray *stops = g_array_new(FALSE, FALSE, sizeof(Stop));
    gtk_window_set_focus(GTK_WINDOW(window), NULL);
    for (int i = 0; i < MOST; i++) {
        press_tab(window);
        GtkWidget *at = gtk_window_get_focus(GTK_WINDOW(window));
        if (at && stops->len && at == g_array_index(stops, Stop, 0).widget)
            break;
        if (at) {
            const Stop s = stop_at(at);
            g_array_append_val(stops, s);
        }
    }
    g_assert_cmpuint(stops->len, >, 3);
    g_assert_cmpuint(stops->len, <, MOST);
    Walked walked = {(const Stop *)(void *)stops->data, stops->len, state};
    check_order(walked.stops, walked.n, state);
    dlg_walk(window, check_reached, &walked);
    g_array_unref(stops);
    gtk_window_set_focus(GTK_WINDOW(window), was);
}

void dlg_settle(int ms)
{
    const gint64 end = g_get_monotonic_time() + ms * 1000;
    while (g_get_monotonic_time() < end) {
        while (gtk_events_pending())
            gtk_main_iteration();
        g_usleep(5000);
    }
}

void dlg_picture(const char *action, const char *state)
{
    const char *shots = g_getenv("SFU_SHOTS");
    if (!shots)
        return;
    char *command =
        g_strdup_printf("import -window root '%s/gtk%d-%s-%s.png'", shots, GTK_MAJOR_VERSION, action, state);
    dlg_settle(400);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(command);
}

void dlg_look_at(GtkWidget *window, const char *action, const char *state)
{
    dlg_settle(120);
    Names names = {g_hash_table_new(NULL, NULL), 0};
    dlg_walk(window, note_labelled, names.labelled);
    dlg_walk(window, check_name, &names);
    g_hash_table_destroy(names.labelled);
    Mnemonics mnemonics = {g_hash_table_new(NULL, NULL), g_hash_table_new(NULL, NULL)};
    dlg_walk(window, check_mnemonic, &mnemonics);
    g_hash_table_destroy(mnemonics.english);
    g_hash_table_destroy(mnemonics.german);
    g_test_message("%s, %s: %d controls", action, state, names.n_controls);
    g_assert_cmpint(names.n_controls, >, 5);
    dlg_picture(action, state);
    char *words = g_strdup_printf("%s, %s", action, state);
    check_tabs(window, words);
    g_free(words);
}

void dlg_come_back(GtkWidget *window)
{
    gboolean handled = FALSE;
    GdkEvent *event = gdk_event_new(GDK_FOCUS_CHANGE);
    event->focus_change.window = g_object_ref(gtk_widget_get_window(window));
    event->focus_change.in = TRUE;
    g_signal_emit_by_name(window, "focus-in-event", event, &handled);
    gdk_event_free(event);
    dlg_settle(50);
}

void dlg_match(GtkWidget *w, gpointer data)
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

GtkWidget *dlg_find(GtkWidget *window, GType type, const char *name)
{
    Search s = {type, name, NULL};
    dlg_walk(window, dlg_match, &s);
    return s.found;
}

GtkWidget *dlg_find_or_fail(GtkWidget *window, GType type, const char *name)
{
    GtkWidget *w = dlg_find(window, type, name);
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

void dlg_match_words(GtkWidget *w, gpointer data)
{
    Search *s = data;
    if (!s->found && GTK_IS_LABEL(w) && gtk_widget_get_mapped(w) && strstr(gtk_label_get_text(GTK_LABEL(w)), s->name))
        s->found = w;
}

/* Where on the window a button stands, from above. */
int dlg_place_of(GtkWidget *window, const char *name)
{
    int x = 0, y = 0;
    g_assert_true(
        gtk_widget_translate_coordinates(dlg_find_or_fail(window, GTK_TYPE_BUTTON, name), window, 0, 0, &x, &y));
    return y;
}

GtkWidget *dlg_find_start(GtkWidget *window, const char *start)
{
    Search s = {GTK_TYPE_WIDGET, start, NULL};
    dlg_walk(window, match_start, &s);
    return s.found;
}

GtkWidget *dlg_the_dialog(void)
{
    GtkWidget *dialog = NULL;
    GList *all = gtk_window_list_toplevels();
    for (GList *l = all; l; l = l->next)
        if (GTK_IS_DIALOG(l->data) && gtk_widget_get_visible(l->data))
            dialog = l->data;
    g_list_free(all);
    return dialog;
}

const char *dlg_add_label(void)
{
    return sfu_action_spec(dlg_action, "new_image") ? "_Add to GIMP" : "_Add as Layer";
}

gboolean dlg_is_sensitive(GtkWidget *window, GType type, const char *name)
{
    GtkWidget *w = dlg_find(window, type, name); /* finds what is shown */
    return w && gtk_widget_is_sensitive(w);
}

gboolean dlg_is_running(GtkWidget *window)
{
    return dlg_find(window, GTK_TYPE_BUTTON, "S_top") != NULL;
}

gboolean dlg_act(gpointer data)
{
    void (*use)(GtkWidget * window) = data;
    GtkWidget *window = dlg_the_dialog();
    dlg_settle(100);
    use(window);
    gtk_dialog_response(GTK_DIALOG(window), GTK_RESPONSE_CLOSE);
    return G_SOURCE_REMOVE;
}

/* What is used closes the dialog itself. */
gboolean dlg_act_alone(gpointer data)
{
    void (*use)(GtkWidget * window) = data;
    GtkWidget *window = dlg_the_dialog();
    dlg_settle(100);
    use(window);
    return G_SOURCE_REMOVE;
}

void dlg_paint(GeglBuffer *b)
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

SfuResult *dlg_result_new(void)
{
    SfuResult *r = g_new0(SfuResult, 1);
    r->picture = gegl_buffer_dup(host.picture);
    r->params = sfu_params_new();
    sfu_params_set_double(r->params, "scale", 2, NULL);
    return r;
}

void dlg_new_scene(void)
{
    GeglColor *white = gegl_color_new("white");
    host.image_type = SFU_HOST_RGB;
    host.closed = FALSE;
    host.selection = gegl_buffer_new(GEGL_RECTANGLE(120, 80, 150, 110), babl_format("Y float"));
    gegl_buffer_set_color(host.selection, gegl_buffer_get_extent(host.selection), white);
    host.picture = gegl_buffer_new(GEGL_RECTANGLE(0, 0, W, H), babl_format("R'G'B' u8"));
    dlg_paint(host.picture);
    g_setenv("SFU_STANDIN_STEP_MS", "5", TRUE);
    g_object_unref(white);
}

void dlg_end_scene(void)
{
    g_clear_object(&host.selection);
    g_clear_object(&host.picture);
}

gboolean dlg_answer(gpointer data)
{
    GtkWidget *question = NULL;
    GList *all = gtk_window_list_toplevels();
    for (GList *l = all; l; l = l->next)
        if (GTK_IS_MESSAGE_DIALOG(l->data) && gtk_widget_get_visible(l->data))
            question = l->data;
    g_list_free(all);
    g_assert_nonnull(question);
    gtk_button_clicked(GTK_BUTTON(dlg_find_or_fail(question, GTK_TYPE_BUTTON, data)));
    return G_SOURCE_REMOVE;
}

guint dlg_count_results(GtkWidget *window)
{
    guint n = 0;
    for (int i = 1; i < 20; i++) {
        char *start = g_strdup_printf("Result %d, seed", i);
        n += dlg_find_start(window, start) != NULL;
        g_free(start);
    }
    return n;
}

gboolean dlg_run(SfuAction action, void (*use)(GtkWidget *window))
{
    SfuMade made;
    GError *error = NULL;
    SfuSettings *settings = sfu_settings_load(NO_FOLDER);
    SfuRequest *r = sfu_request_new(action);
    dlg_action = action;
    g_timeout_add(100, dlg_act, use);
    const gboolean added = sfu_ui_run(r, IMAGE, LAYER, settings, &made, &error);
    g_assert_no_error(error);
    sfu_request_free(r);
    sfu_settings_free(settings);
    return added;
}

void dlg_log_begin(void)
{
    const int fd = g_file_open_tmp("sfumato-dialogs-XXXXXX", &dlg_log, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_assert_true(g_close(fd, NULL));
    g_setenv("SFU_STANDIN_LOG", dlg_log, TRUE);
}

char *dlg_log_end(void)
{
    char *text = NULL, *begun = g_strconcat(dlg_log, ".begun", NULL);
    g_assert_true(g_file_get_contents(dlg_log, &text, NULL, NULL));
    g_unsetenv("SFU_STANDIN_LOG");
    g_assert_cmpint(g_remove(dlg_log), ==, 0);
    g_remove(begun); /* there is one if a run has begun */
    g_free(begun);
    g_clear_pointer(&dlg_log, g_free);
    return text;
}

char **dlg_run_logged(SfuAction action, void (*use)(GtkWidget *window))
{
    dlg_log_begin();
    g_assert_false(dlg_run(action, use));
    char *text = dlg_log_end(), **lines = g_strsplit(text, "\n", 0);
    g_free(text);
    return lines;
}
