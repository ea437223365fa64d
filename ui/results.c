/* The results of an action's dialog: the strip, looking at one, comparing, adding, keeping.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog-private.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "whole-image.h"

#define THUMBNAIL_PX 104
#define FRAME_PX 4

SfuSharedInput *sfu_shared_input_new(SfuInput *taken)
{
    SfuSharedInput *s = g_new(SfuSharedInput, 1);
    *s = (SfuSharedInput){taken, NULL, 1};
    return s;
}

SfuSharedInput *sfu_shared_input_ref(SfuSharedInput *s)
{
    s->n_refs++;
    return s;
}

void sfu_shared_input_unref(SfuSharedInput *s)
{
    if (s && --s->n_refs == 0) {
        sfu_input_free(s->input);
        g_free(s->group);
        g_free(s);
    }
}

void sfu_dialog_free_entry(gpointer entry)
{
    SfuEntry *e = entry;
    sfu_request_free(e->request);
    g_ptr_array_unref(e->results);
    g_object_unref(e->look);
    g_clear_object(&e->plain);
    g_clear_object(&e->chosen);
    sfu_shared_input_unref(e->shared);
    g_free(e->kept);
    g_free(e);
}

const SfuResult *sfu_entry_result(const SfuEntry *e)
{
    return e->results->pdata[0];
}

/* ---- looking
 * ------------------------------------------------------------------------------------------------------------- */

static double before_scale(const SfuInput *in, const SfuRequest *r)
{
    return in->action == SFU_ACTION_ENLARGE ? sfu_request_get_double(r, "scale") : 1;
}

/* The region with `part` of its size more around it, but no more than the picture. */
static GeglRectangle surroundings(const SfuInput *in, const GeglRectangle *region, double part)
{
    GeglRectangle r = *region;
    if (!in->picture || in->action == SFU_ACTION_EXPAND || in->action == SFU_ACTION_ENLARGE)
        return r;
    const int pad = MAX(r.width, r.height) * part + 8;
    r = (GeglRectangle){r.x - pad, r.y - pad, r.width + 2 * pad, r.height + 2 * pad};
    gegl_rectangle_intersect(&r, &r, gegl_buffer_get_extent(in->picture));
    return r;
}

/* The mask as a veil of color, to show what will be repainted. Caller unrefs. */
static GeglBuffer *veil(GeglBuffer *mask)
{
    const GeglRectangle all = *gegl_buffer_get_extent(mask);
    GeglBuffer *out = gegl_buffer_new(&all, babl_format("R'G'B'A float"));
    float *m = g_new(float, all.width), *row = g_new(float, (gsize)all.width * 4);
    for (int y = 0; y < all.height; y++) {
        const GeglRectangle r = {all.x, all.y + y, all.width, 1};
        gegl_buffer_get(mask, &r, 1.0, babl_format("Y float"), m, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int x = 0; x < all.width; x++) {
            row[4 * x] = 0.95f;
            row[4 * x + 1] = 0.35f;
            row[4 * x + 2] = 0.2f;
            row[4 * x + 3] = 0.4f * m[x];
        }
        gegl_buffer_set(out, &r, 0, babl_format("R'G'B'A float"), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(m);
    g_free(row);
    return out;
}

/* Expand's canvas was dragged. A copy: each field that changes sets the preview's frame anew. */
static void canvas_moved(const GeglRectangle *moved, gpointer data)
{
    SfuDialog *d = data;
    const GeglRectangle frame = *moved, *e = gegl_buffer_get_extent(d->opened_with->picture);
    sfu_dialog_set_field(d, "left", e->x - frame.x);
    sfu_dialog_set_field(d, "top", e->y - frame.y);
    sfu_dialog_set_field(d, "right", frame.x + frame.width - e->x - e->width);
    sfu_dialog_set_field(d, "bottom", frame.y + frame.height - e->y - e->height);
}

void sfu_dialog_show_input(SfuDialog *d, const SfuInput *in, const SfuRequest *r)
{
    const double scale = before_scale(in, r);
    sfu_preview_set_before(d->preview, in->picture, scale);
    GeglBuffer *over = in->picture && in->mask ? veil(in->mask) : NULL;
    sfu_preview_set_over(d->preview, over, NULL);
    if (over)
        g_object_unref(over);
    if (!in->picture)
        return;
    GeglRectangle area = in->mask ? *gegl_buffer_get_extent(in->mask) : *gegl_buffer_get_extent(in->picture);
    area = (GeglRectangle){area.x * scale, area.y * scale, area.width * scale, area.height * scale};
    area = surroundings(in, &area, 0.5);
    if (in->action == SFU_ACTION_EXPAND) { /* the room that will be painted shows as empty */
        const int left = sfu_request_get_double(r, "left"), top = sfu_request_get_double(r, "top");
        area.x -= left;
        area.y -= top;
        area.width += left + (int)sfu_request_get_double(r, "right");
        area.height += top + (int)sfu_request_get_double(r, "bottom");
    }
    sfu_preview_focus(d->preview, &area);
    if (in->action == SFU_ACTION_EXPAND && in == d->opened_with && !d->orders.length)
        sfu_preview_set_frame(d->preview, &area, gegl_buffer_get_extent(in->picture), canvas_moved, d);
    else
        sfu_preview_set_frame(d->preview, NULL, NULL, NULL, NULL);
}

void sfu_dialog_sides_changed(SfuDialog *d)
{
    if (!d->opened_with || d->current >= 0 || sfu_worker_busy(d->worker))
        return;
    SfuRequest *r = sfu_dialog_collect(d);
    sfu_dialog_show_input(d, d->opened_with, r);
    sfu_request_free(r);
}

/* Where a result lies in the preview's coordinates: enlarged pictures may come with any origin. */
static GeglRectangle entry_area(const SfuEntry *e)
{
    return *gegl_buffer_get_extent(e->look);
}

static void pick(GtkWidget *button, gpointer data);

static void show_chosen(SfuDialog *d, int index)
{
    for (guint i = 0; i < d->entries->len; i++) {
        SfuEntry *e = d->entries->pdata[i];
        g_signal_handlers_block_by_func(e->button, pick, d);
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(e->button), (int)i == index);
        g_signal_handlers_unblock_by_func(e->button, pick, d);
        sfu_image_set(e->image, (int)i == index ? e->chosen : e->plain);
    }
}

/* Caller frees. */
static char *entry_words(const SfuEntry *e)
{
    const GeglRectangle size = *gegl_buffer_get_extent(e->look);
    if (e->seedless)
        return g_strdup_printf(e->added ? _("%d × %d px, %.1f s, added") : _("%d × %d px, %.1f s"), size.width,
                               size.height, e->seconds);
    char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, sfu_entry_result(e)->seed);
    char *text = g_strdup_printf(e->added ? _("Seed %s, %.1f s, added") : _("Seed %s, %.1f s"), seed, e->seconds);
    g_free(seed);
    return text;
}

void sfu_dialog_show_entry(SfuDialog *d, int index)
{
    d->current = index;
    show_chosen(d, index);
    gtk_widget_set_sensitive(d->add, index >= 0);
    gtk_widget_set_sensitive(d->add_and_close, index >= 0);
    gtk_widget_set_sensitive(d->before_button, index >= 0);
    gtk_widget_set_sensitive(d->compare_button, index >= 0);
    gtk_widget_set_sensitive(d->delete_button, index >= 0);
    gtk_dialog_set_default_response(GTK_DIALOG(d->window), index >= 0 ? RESPONSE_ADD_AND_CLOSE : RESPONSE_GENERATE);
    if (index < 0) {
        gtk_label_set_text(GTK_LABEL(d->status), "");
        return;
    }
    sfu_preview_set_frame(d->preview, NULL, NULL, NULL, NULL);
    const SfuEntry *e = d->entries->pdata[index];
    const SfuInput *in = e->shared->input;
    const GeglRectangle region = entry_area(e), area = surroundings(in, &region, 0.5);
    char *text = entry_words(e);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->before_button), FALSE);
    sfu_preview_set_before(d->preview, in->picture, before_scale(in, e->request));
    sfu_preview_set_over(d->preview, e->look, NULL);
    sfu_preview_focus(d->preview, &area);
    gtk_label_set_text(GTK_LABEL(d->status), text);
    gtk_widget_set_tooltip_text(d->status, sfu_params_text(sfu_entry_result(e)->params, SFU_PARAM_PROMPT));
    sfu_dialog_show_seed(d, (gint64)sfu_entry_result(e)->seed);
    g_free(text);
}

static void pick(GtkWidget *button, gpointer data)
{
    SfuDialog *d = data;
    for (guint i = 0; i < d->entries->len; i++)
        if (((SfuEntry *)d->entries->pdata[i])->button == button) {
            d->watching = FALSE;
            sfu_dialog_show_entry(d, i);
        }
}

void sfu_dialog_before_toggled(GtkWidget *button, gpointer data)
{
    sfu_preview_show_before(((SfuDialog *)data)->preview, gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(button)));
}

void sfu_dialog_compare_toggled(GtkWidget *button, gpointer data)
{
    SfuDialog *d = data;
    const gboolean on = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(button));
    sfu_preview_compare(d->preview, on);
    if (on) { /* the other would hide the result */
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->before_button), FALSE);
        gtk_widget_grab_focus(sfu_preview_widget(d->preview));
    }
}

/* ---- the strip
 * ----------------------------------------------------------------------------------------------------------- */

/* A copy with a frame that shows in light and in dark themes: blue, with a white line inside. Caller unrefs. */
static GdkPixbuf *framed(GdkPixbuf *plain, int frame)
{
    GdkPixbuf *copy = gdk_pixbuf_copy(plain);
    const int w = gdk_pixbuf_get_width(copy), h = gdk_pixbuf_get_height(copy), stride = gdk_pixbuf_get_rowstride(copy);
    guchar *pixels = gdk_pixbuf_get_pixels(copy);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const int edge = MIN(MIN(x, y), MIN(w - 1 - x, h - 1 - y));
            static const guchar blue[3] = {0x35, 0x84, 0xe4}, white[3] = {0xff, 0xff, 0xff};
            if (edge < frame)
                memcpy(pixels + (gsize)y * stride + 3 * x, edge < frame * 3 / 4 ? blue : white, 3);
        }
    return copy;
}

static gboolean delete_key(GtkWidget *button, GdkEventKey *event, gpointer data)
{
    SfuDialog *d = data;
    if (event->keyval != SFU_KEY(Delete) && event->keyval != SFU_KEY(KP_Delete))
        return FALSE;
    pick(button, d);
    sfu_dialog_delete_current(d);
    return TRUE;
}

/* Takes the entry, whose request, results, look and shared are set. */
static void add_entry(SfuDialog *d, SfuEntry *e)
{
    const GeglRectangle region = entry_area(e), area = surroundings(e->shared->input, &region, 0.12);
    const int factor = sfu_scale_factor(d->strip);
    e->plain = sfu_preview_thumbnail(e->shared->input->picture, before_scale(e->shared->input, e->request), e->look,
                                     &area, sfu_px(THUMBNAIL_PX) * factor);
    e->chosen = framed(e->plain, sfu_px(FRAME_PX) * factor);
    char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, sfu_entry_result(e)->seed);
    char *name = g_strdup_printf(_("Result %u, seed %s"), d->entries->len + 1, seed);
    e->button = gtk_toggle_button_new();
    e->image = gtk_image_new();
    sfu_image_set(e->image, e->plain);
    gtk_container_add(GTK_CONTAINER(e->button), e->image);
    gtk_widget_set_tooltip_text(e->button, name);
    sfu_name(e->button, name);
    gtk_widget_show_all(e->button);
    gtk_box_pack_start(GTK_BOX(d->strip), e->button, FALSE, FALSE, 0);
    gtk_widget_show(d->strip_room);
    g_signal_connect(e->button, "clicked", G_CALLBACK(pick), d);
    g_signal_connect(e->button, "key-press-event", G_CALLBACK(delete_key), d);
    g_free(name);
    g_free(seed);
    g_ptr_array_add(d->entries, e);
}

static SfuEntry *entry_new(const SfuDialog *d, const SfuOrder *o, GPtrArray *results, GeglBuffer *look, double seconds)
{
    const SfuModelInfo *used = o->to_try ? sfu_models_find(d->models, o->to_try[o->trying]) : NULL;
    SfuEntry *e = g_new0(SfuEntry, 1);
    e->shared = sfu_shared_input_ref(o->shared);
    e->request = sfu_request_copy(o->request);
    e->seconds = seconds;
    e->results = results;
    e->seedless = !sfu_dialog_uses_seed(d, used);
    e->look = g_object_ref(look);
    return e;
}

gboolean sfu_dialog_add_entries(SfuDialog *d, const SfuOrder *o, GPtrArray *results, double seconds, GError **error)
{
    if (o->shared->input->layers) {
        GeglBuffer *look = sfu_whole_image_look(o->shared->input, results, error);
        if (!look)
            return FALSE;
        add_entry(d, entry_new(d, o, g_ptr_array_ref(results), look, seconds));
        g_object_unref(look);
        return TRUE;
    }
    g_ptr_array_set_free_func(results, NULL); /* each entry owns its result from now on */
    for (guint i = 0; i < results->len; i++) {
        SfuResult *result = results->pdata[i];
        GPtrArray *one = g_ptr_array_new_with_free_func((GDestroyNotify)sfu_result_free);
        g_ptr_array_add(one, result);
        GeglBuffer *look = sfu_output_look(o->shared->input, result);
        add_entry(d, entry_new(d, o, one, look, seconds / results->len));
        g_object_unref(look);
    }
    return TRUE;
}

void sfu_dialog_delete_current(SfuDialog *d)
{
    if (d->current < 0)
        return;
    const int index = d->current;
    SfuEntry *e = d->entries->pdata[index];
    gtk_widget_destroy(e->button);
    sfu_kept_forget(e->kept);
    g_ptr_array_remove_index(d->entries, index);
    for (GList *l = d->orders.head; l; l = l->next) {
        SfuOrder *o = l->data;
        o->first_entry -= o->first_entry > index;
    }
    sfu_dialog_show_entry(d, MIN(index, (int)d->entries->len - 1));
    if (d->current < 0 && d->opened_with)
        sfu_dialog_show_input(d, d->opened_with, d->request);
    else if (d->current >= 0)
        gtk_widget_grab_focus(((SfuEntry *)d->entries->pdata[d->current])->button);
}

/* ---- what was kept
 * ------------------------------------------------------------------------------------------------------- */

static gboolean is_of(const SfuDialog *d, const SfuInput *in)
{
    SfuHostImage info;
    return in->image == d->image ||
           (in->image >= 0 && !sfu_host_image_info(in->image, &info)); /* closed: nowhere else */
}

static void kept_found(GPtrArray *kept, gpointer data)
{
    SfuDialog *d = data;
    guint n = 0;
    d->looking_for_kept = NULL;
    for (guint i = 0; i < kept->len; i++) {
        SfuKept *k = kept->pdata[i];
        if (!is_of(d, k->input) || !k->results->len)
            continue;
        SfuSharedInput *shared = sfu_shared_input_new(k->input);
        k->input = NULL;
        for (guint j = 0; j < k->results->len; j++) {
            const SfuKeptResult *one = k->results->pdata[j];
            const SfuOrder as_made = {.shared = shared, .request = one->request};
            SfuEntry *e = entry_new(d, &as_made, g_ptr_array_ref(one->results), one->look, one->seconds);
            e->kept = g_strdup(one->folder);
            add_entry(d, e);
            n++;
        }
        sfu_shared_input_unref(shared);
    }
    g_ptr_array_unref(kept);
    if (!n)
        return;
    char *text = g_strdup_printf(
        g_dngettext(GETTEXT_PACKAGE, "%u earlier result is still here", "%u earlier results are still here", n), n);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), text);
    g_free(text);
    if (!sfu_worker_busy(d->worker))
        sfu_dialog_show_entry(d, 0);
}

void sfu_dialog_look_for_kept(SfuDialog *d)
{
    d->looking_for_kept = sfu_kept_look(d->request->action, kept_found, d);
}

static void keep(SfuDialog *d)
{
    for (guint i = 0; i < d->entries->len; i++) {
        SfuEntry *e = d->entries->pdata[i];
        if (e->added || e->kept)
            continue;
        if (!e->shared->group)
            e->shared->group = sfu_kept_group_new();
        GError *error = NULL;
        SfuKeptResult result = {e->request, e->results, e->look, e->seconds, NULL};
        const gboolean ok = sfu_kept_save(e->shared->group, e->shared->input, &result, &error);
        e->kept = result.folder;
        if (!ok) {
            sfu_host_message(error->message);
            g_clear_error(&error);
            return;
        }
    }
}

/* ---- into the image
 * ------------------------------------------------------------------------------------------------------ */

gboolean sfu_dialog_add_current(SfuDialog *d)
{
    if (d->current < 0)
        return FALSE;
    SfuEntry *e = d->entries->pdata[d->current];
    GError *error = NULL;
    SfuMade made = {-1, -1};
    SfuInput *in = e->shared->input;
    const int above = in->above;
    if (above >= 0 && d->last.layer >= 0 && d->last.image == in->image &&
        sfu_host_layer_in_image(d->last.layer, in->image))
        in->above = d->last.layer; /* below a variant that was added before it would not be seen */
    const gboolean added = sfu_output_add(in, e->request, e->results, &made, &error);
    in->above = above;
    if (!added) {
        sfu_dialog_error(d, error->message);
        g_clear_error(&error);
        return FALSE;
    }
    if (made.image != d->image)
        sfu_host_show_image(made.image);
    sfu_host_flush();
    sfu_dialog_error(d, NULL);
    e->added = TRUE;
    sfu_kept_forget(e->kept);
    g_clear_pointer(&e->kept, g_free);
    d->last = made;
    d->n_added++;
    sfu_dialog_show_entry(d, d->current);
    return TRUE;
}

/* Of results that nothing was chosen from: where one was added, the others of its run are those that were not wanted.
 */
static guint count_open(const SfuDialog *d)
{
    guint n = 0;
    for (guint i = 0; i < d->entries->len; i++) {
        const SfuEntry *e = d->entries->pdata[i];
        gboolean chosen = e->added || e->kept;
        for (guint j = 0; !chosen && j < d->entries->len; j++) {
            const SfuEntry *other = d->entries->pdata[j];
            chosen = other->added && other->shared == e->shared;
        }
        n += !chosen;
    }
    return n;
}

gboolean sfu_dialog_settle_results(SfuDialog *d)
{
    const guint n = count_open(d);
    if (!n)
        return TRUE;
    enum { DISCARD = 1, KEEP, ADD };
    GtkWidget *ask =
        gtk_message_dialog_new(GTK_WINDOW(d->window), GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s",
                               g_dngettext(GETTEXT_PACKAGE, "The result was not added to the image.",
                                           "The results were not added to the image.", n));
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(ask), "%s",
        _("What you keep is here again when you open this dialog, until you quit GIMP. What you discard is lost."));
    gtk_dialog_add_buttons(GTK_DIALOG(ask), _("_Discard"), DISCARD, _("_Back"), GTK_RESPONSE_CANCEL, _("_Keep"), KEEP,
                           NULL);
    if (d->current >= 0)
        gtk_dialog_add_button(GTK_DIALOG(ask), _("_Add and Close"), ADD);
    gtk_dialog_set_default_response(GTK_DIALOG(ask), d->current >= 0 ? ADD : KEEP);
    const int answer = gtk_dialog_run(GTK_DIALOG(ask));
    gtk_widget_destroy(ask);
    if (answer == KEEP) {
        gtk_widget_hide(d->window); /* writing takes a moment */
        while (gtk_events_pending())
            gtk_main_iteration();
        keep(d);
    }
    return answer == DISCARD || answer == KEEP || (answer == ADD && sfu_dialog_add_current(d));
}

/* ---- history
 * ------------------------------------------------------------------------------------------------------------- */

static void use_request(GtkMenuItem *item, gpointer data)
{
    SfuDialog *d = data;
    sfu_dialog_show_request(d, g_object_get_data(G_OBJECT(item), "request"));
    sfu_dialog_update_model(d);
}

/* "a wooden bench, seed 1234, DreamShaper 8". Caller frees. */
static char *request_words(SfuDialog *d, const SfuRequest *r)
{
    const char *prompt = sfu_params_text(r->params, SFU_PARAM_PROMPT);
    char *head = g_utf8_strlen(prompt, -1) > 40 ? g_utf8_substring(prompt, 0, 39) : g_strdup(prompt);
    char *model = sfu_models_name(d->models, sfu_params_text(r->params, SFU_PARAM_MODEL));
    char *seed = g_strdup_printf("%" G_GINT64_FORMAT, sfu_params_int64(r->params, SFU_PARAM_SEED));
    char *words = g_strdup_printf(_("%s, seed %s, %s"), *head ? g_strdelimit(head, "\n", ' ') : _("no prompt"), seed,
                                  model ? model : _("Automatic"));
    g_free(seed);
    g_free(model);
    g_free(head);
    return words;
}

void sfu_dialog_show_history(GtkWidget *button, gpointer data)
{
    SfuDialog *d = data;
    GPtrArray *all = sfu_history_read(d->image);
    GtkWidget *menu = gtk_menu_new();
    guint n = 0;
    for (guint i = 0; i < all->len; i++) {
        SfuRequest *r = all->pdata[i];
        if (r->action != d->request->action)
            continue;
        char *words = request_words(d, r);
        GtkWidget *item = gtk_menu_item_new_with_label(words);
        g_object_set_data_full(G_OBJECT(item), "request", sfu_request_copy(r), (GDestroyNotify)sfu_request_free);
        g_signal_connect(item, "activate", G_CALLBACK(use_request), d);
        gtk_menu_shell_append(GTK_MENU_SHELL(menu), item);
        g_free(words);
        n++;
    }
    if (!n) {
        GtkWidget *item = gtk_menu_item_new_with_label(_("Nothing was made with this image yet"));
        gtk_widget_set_sensitive(item, FALSE);
        gtk_menu_shell_append(GTK_MENU_SHELL(menu), item);
    }
    g_ptr_array_unref(all);
    gtk_widget_show_all(menu);
    gtk_menu_attach_to_widget(GTK_MENU(menu), button, NULL); /* destroyed with it */
    sfu_menu_popup(menu, button);
}
