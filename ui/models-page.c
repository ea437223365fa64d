/* The page "Get Models".
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "models-page.h"

#include <string.h>
#include <glib/gi18n-lib.h>

#include "background.h"
#include "fields.h"
#include "offers.h"
#include "request.h"

typedef struct {
    SfuModelsPage *page;
    SfuOffer *offer;
    GtkWidget *button, *bar, *state; /* of the row as it stands now */
    SfuFetcher *fetcher;             /* NULL: nothing runs */
    gboolean removing;
    guint64 bytes;
    char *problem; /* why the last try failed; NULL: it did not */
} Row;

struct SfuModelsPage {
    const SfuSettings *settings;
    GtkWidget *widget, *filter, *about, *list;
    GPtrArray *offers; /* NULL: not known yet */
    GPtrArray *rows;   /* Row*, of all offers */
    SfuMachine machine;
    gboolean machine_known;
    char *problem; /* why there are no offers; NULL: there are, or it is not known yet */
    SfuBackground *looking;
    SfuFetcher *listing;
    void (*changed)(gpointer data);
    gpointer data;
};

/* What can be chosen to be shown; several actions may share a task. */
static const SfuTask filters[] = {SFU_TASK_INPAINT, SFU_TASK_OUTPAINT, SFU_TASK_TXT2IMG,
                                  SFU_TASK_IMG2IMG, SFU_TASK_EDIT,     SFU_TASK_UPSCALE};

static void row_free(gpointer data)
{
    Row *r = data;
    sfu_fetcher_forget(r->fetcher);
    g_free(r->problem);
    g_free(r);
}

/* ---- downloading
 * --------------------------------------------------------------------------------------------------------- */

static void show_state(Row *r)
{
    const SfuOffer *o = r->offer;
    if (!r->button)
        return;
    gtk_button_set_label(GTK_BUTTON(r->button), r->fetcher     ? _("Pause")
                                                : o->installed ? _("Remove")
                                                : r->problem   ? _("Try Again")
                                                : r->bytes     ? _("Resume")
                                                               : _("Download"));
    gtk_widget_set_sensitive(r->button, !r->removing);
    gtk_widget_set_visible(r->bar, r->fetcher != NULL && !r->removing);
    if (r->problem || o->installed || r->bytes) {
        char *size = g_format_size(r->bytes);
        char *text = r->problem     ? g_strdup(r->problem)
                     : r->fetcher   ? g_strdup("")
                     : o->installed ? g_strdup(_("Installed"))
                                    : g_strdup_printf(_("Paused after %s; it goes on from there."), size);
        gtk_label_set_text(GTK_LABEL(r->state), text);
        g_free(text);
        g_free(size);
    } else {
        gtk_label_set_text(GTK_LABEL(r->state), "");
    }
    gtk_widget_set_visible(r->state, *gtk_label_get_text(GTK_LABEL(r->state)) != 0);
}

static void on_progress(const char *state, guint64 bytes, gpointer data)
{
    Row *r = data;
    r->bytes = MAX(bytes, 1);
    if (!r->bar)
        return;
    char *done = g_format_size(bytes), *all = g_format_size(r->offer->bytes);
    char *text = strcmp(state, "checking") == 0 ? g_strdup(_("Checking"))
                 : r->offer->bytes              ? g_strdup_printf(_("%s of %s"), done, all)
                                                : g_strdup(done);
    if (r->offer->bytes)
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(r->bar), MIN(1, (double)bytes / r->offer->bytes));
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(r->bar), text);
    g_free(text);
    g_free(done);
    g_free(all);
}

static void on_ended(const GError *error, gpointer data)
{
    Row *r = data;
    r->fetcher = NULL;
    g_clear_pointer(&r->problem, g_free);
    if (error && !g_error_matches(error, SFU_ERROR, SFU_ERROR_CANCELLED))
        r->problem = g_strdup(error->message);
    if (!error) {
        r->offer->installed = !r->removing;
        r->bytes = 0;
    }
    r->removing = FALSE;
    show_state(r);
    if (!error)
        r->page->changed(r->page->data);
}

/* The license is read before anything is downloaded. */
static gboolean accept_license(Row *r)
{
    const SfuOffer *o = r->offer;
    char *size = g_format_size(o->bytes);
    GtkWidget *ask =
        gtk_message_dialog_new(GTK_WINDOW(gtk_widget_get_toplevel(r->page->widget)), GTK_DIALOG_MODAL,
                               GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, _("Download %s, %s?"), o->title, size);
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(ask), "%s: %s.%s%s", _("License"), o->license, o->non_commercial ? " " : "",
        o->non_commercial ? _("It does not allow commercial use of the model.") : "");
    if (*o->license_url) {
        GtkWidget *link = gtk_link_button_new_with_label(o->license_url, _("Read the license and the model's page"));
        gtk_box_pack_start(GTK_BOX(gtk_message_dialog_get_message_area(GTK_MESSAGE_DIALOG(ask))), link, FALSE, FALSE,
                           0);
        gtk_widget_show(link);
    }
    gtk_dialog_add_buttons(GTK_DIALOG(ask), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Accept and Download"),
                           GTK_RESPONSE_OK, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(ask), GTK_RESPONSE_OK);
    const gboolean yes = gtk_dialog_run(GTK_DIALOG(ask)) == GTK_RESPONSE_OK;
    gtk_widget_destroy(ask);
    g_free(size);
    return yes;
}

static gboolean confirm_removal(Row *r)
{
    GtkWidget *ask = gtk_message_dialog_new(GTK_WINDOW(gtk_widget_get_toplevel(r->page->widget)), GTK_DIALOG_MODAL,
                                            GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, _("Remove %s?"), r->offer->title);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(ask), "%s",
                                             _("Its files are deleted. You can download it again."));
    gtk_dialog_add_buttons(GTK_DIALOG(ask), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Remove"), GTK_RESPONSE_OK, NULL);
    const gboolean yes = gtk_dialog_run(GTK_DIALOG(ask)) == GTK_RESPONSE_OK;
    gtk_widget_destroy(ask);
    return yes;
}

static void clicked(GtkWidget *button, gpointer data)
{
    Row *r = data;
    const SfuFetcherCalls calls = {.progress = on_progress, .ended = on_ended, .data = r};
    if (r->fetcher) {
        gtk_widget_set_sensitive(button, FALSE); /* until it has ended */
        sfu_fetcher_stop(r->fetcher);
        return;
    }
    if (r->offer->installed) {
        if (!confirm_removal(r))
            return;
        r->removing = TRUE;
        r->fetcher = sfu_fetcher_remove(r->offer->name, &calls);
    } else {
        if (!r->bytes && !r->problem && !accept_license(r)) /* who resumes has accepted it */
            return;
        g_clear_pointer(&r->problem, g_free);
        gtk_progress_bar_set_text(GTK_PROGRESS_BAR(r->bar), _("Connecting"));
        r->fetcher = sfu_fetcher_get(r->offer->name, &calls);
    }
    show_state(r);
}

/* ---- rows
 * ------------------------------------------------------------------------------------------------------------- */

static GtkWidget *wrapped(const char *text)
{
    GtkWidget *l = sfu_label(text);
    gtk_label_set_line_wrap(GTK_LABEL(l), TRUE);
    gtk_widget_set_size_request(l, sfu_px(520), -1);
    return l;
}

/* "Can do: fill, expand. 2.1 GB. Needs 3 GB of memory, about 40 s a picture on this processor." Caller frees. */
static char *facts(const SfuModelsPage *p, const SfuOffer *o)
{
    GString *s = g_string_new(NULL);
    char *tasks = sfu_tasks_in_words(o->tasks), *size = g_format_size(o->bytes),
         *memory = g_format_size(o->memory_bytes), *time = sfu_offer_time(o, &p->machine);
    if (o->tasks)
        g_string_append_printf(s, "%s: %s. ", _("Can do"), tasks);
    g_string_append_printf(s, o->bytes ? _("%s to download") : _("Size not known"), size);
    if (o->memory_bytes)
        g_string_append_printf(s, _(", %s of memory"), memory);
    if (time)
        g_string_append_printf(s, ", %s", time);
    g_string_append_c(s, '.');
    if (p->machine.memory_bytes && o->memory_bytes > p->machine.memory_bytes)
        g_string_append_printf(s, " %s", _("That is more memory than this computer has."));
    g_free(tasks);
    g_free(size);
    g_free(memory);
    g_free(time);
    return g_string_free(s, FALSE);
}

static void add_row(SfuModelsPage *p, Row *r)
{
    const SfuOffer *o = r->offer;
    GtkWidget *row = sfu_hbox(12), *words = sfu_vbox(2), *side = sfu_vbox(4), *title = sfu_label(NULL);
    char *bold = g_markup_printf_escaped("<b>%s</b>   %s", o->title, *o->summary ? _(o->summary) : ""),
         *about = facts(p, o);
    char *license =
        g_strdup_printf("%s: %s%s", _("License"), o->license, o->non_commercial ? _(" (no commercial use)") : "");
    gtk_label_set_markup(GTK_LABEL(title), bold);
    gtk_label_set_line_wrap(GTK_LABEL(title), TRUE);
    gtk_widget_set_size_request(title, sfu_px(520), -1);
    gtk_box_pack_start(GTK_BOX(words), title, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(words), wrapped(about), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(words), wrapped(license), FALSE, FALSE, 0);
    r->state = wrapped("");
    gtk_widget_set_no_show_all(r->state, TRUE);
    gtk_box_pack_start(GTK_BOX(words), r->state, FALSE, FALSE, 0);
    r->button = gtk_button_new_with_label(_("Download"));
    r->bar = sfu_progress_bar();
    gtk_widget_set_size_request(r->bar, sfu_px(150), -1);
    gtk_widget_set_no_show_all(r->bar, TRUE);
    sfu_name(r->button, o->title);
    sfu_name(r->bar, o->title);
    g_signal_connect(r->button, "clicked", G_CALLBACK(clicked), r);
    gtk_box_pack_start(GTK_BOX(side), r->button, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(side), r->bar, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(row), words, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(row), side, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(p->list), row, FALSE, FALSE, 4);
    gtk_widget_show_all(row);
    show_state(r);
    g_free(bold);
    g_free(about);
    g_free(license);
}

static Row *row_of(SfuModelsPage *p, const SfuOffer *o)
{
    for (guint i = 0; i < p->rows->len; i++)
        if (((Row *)p->rows->pdata[i])->offer == o)
            return p->rows->pdata[i];
    return NULL;
}

static void heading(SfuModelsPage *p, const char *text)
{
    GtkWidget *l = sfu_label(NULL);
    char *bold = g_markup_printf_escaped("<b><big>%s</big></b>", text);
    gtk_label_set_markup(GTK_LABEL(l), bold);
    gtk_box_pack_start(GTK_BOX(p->list), l, FALSE, FALSE, 4);
    gtk_widget_show(l);
    g_free(bold);
}

static void clear_list(SfuModelsPage *p)
{
    GList *children = gtk_container_get_children(GTK_CONTAINER(p->list));
    for (GList *l = children; l; l = l->next)
        gtk_widget_destroy(l->data);
    g_list_free(children);
    for (guint i = 0; i < p->rows->len; i++) {
        Row *r = p->rows->pdata[i];
        r->button = r->bar = r->state = NULL;
    }
}

static void show_rows(SfuModelsPage *p)
{
    clear_list(p);
    if (!p->offers || !p->machine_known)
        return;
    const int chosen = gtk_combo_box_get_active(GTK_COMBO_BOX(p->filter));
    const int task = chosen > 0 ? (int)filters[chosen - 1] : -1;
    GPtrArray *best = sfu_offers_best(p->offers, &p->machine, task),
              *all = sfu_offers_ranked(p->offers, &p->machine, task);
    if (best->len)
        heading(p, _("Fit this computer best"));
    for (guint i = 0; i < best->len; i++)
        add_row(p, row_of(p, best->pdata[i]));
    if (all->len > best->len)
        heading(p, best->len ? _("Others") : _("Models"));
    for (guint i = 0; i < all->len; i++)
        if (!g_ptr_array_find(best, all->pdata[i], NULL))
            add_row(p, row_of(p, all->pdata[i]));
    if (!all->len)
        gtk_box_pack_start(GTK_BOX(p->list),
                           wrapped(_("The catalogue has no model for this. Add the folder of your own "
                                     "models on the page Models.")),
                           FALSE, FALSE, 4);
    gtk_widget_show_all(p->list);
    g_ptr_array_unref(best);
    g_ptr_array_unref(all);
}

/* ---- what there is
 * ------------------------------------------------------------------------------------------------------- */

static void say(SfuModelsPage *p)
{
    char *memory = g_format_size(p->machine.memory_bytes);
    char *machine = p->machine.name ? g_strdup_printf(_("This computer: %s, %s."), p->machine.name, memory)
                                    : g_strdup(_("This computer has no OpenCL device, which Sfumato needs."));
    char *text = p->problem
                     ? g_strdup(p->problem)
                     : g_strdup_printf("%s %s", p->machine_known ? machine : "",
                                       _("Sfumato works without a network. It fetches only what you download here, "
                                         "from the addresses of the models' makers."));
    gtk_label_set_text(GTK_LABEL(p->about), text);
    g_free(text);
    g_free(machine);
    g_free(memory);
}

static void on_offers(GPtrArray *offers, gpointer data)
{
    SfuModelsPage *p = data;
    p->offers = offers;
    for (guint i = 0; i < offers->len; i++) {
        Row *r = g_new0(Row, 1);
        *r = (Row){.page = p, .offer = offers->pdata[i]};
        g_ptr_array_add(p->rows, r);
    }
    show_rows(p);
}

static void on_listed(const GError *error, gpointer data)
{
    SfuModelsPage *p = data;
    p->listing = NULL;
    if (error) {
        p->problem = g_strdup(error->message);
        say(p);
    }
}

/* "Fill Selection, Remove Object" */
static void add_filter(SfuModelsPage *p, SfuTask task)
{
    GString *s = g_string_new(NULL);
    for (int a = 0; a < SFU_N_ACTIONS; a++)
        if (sfu_action_info(a)->task == task)
            g_string_append_printf(s, "%s%s", s->len ? ", " : "", _(sfu_action_info(a)->title));
    if (!s->len) { /* nothing in the menu does it */
        char *words = sfu_tasks_in_words(1u << task);
        g_string_append(s, words);
        g_free(words);
    }
    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(p->filter), s->str);
    g_string_free(s, TRUE);
}

static gpointer look_at_machine(gpointer device)
{
    SfuMachine *m = g_new0(SfuMachine, 1);
    sfu_machine_look(m, device);
    return m;
}

static void machine_free(gpointer machine)
{
    sfu_machine_clear(machine);
    g_free(machine);
}

static void on_machine(gpointer result, gpointer data)
{
    SfuModelsPage *p = data;
    p->looking = NULL;
    p->machine = *(SfuMachine *)result;
    p->machine_known = TRUE;
    g_free(result);
    say(p);
    show_rows(p);
}

SfuModelsPage *sfu_models_page_new(const SfuSettings *settings, void (*changed)(gpointer data), gpointer data)
{
    static const SfuBackgroundCalls calls = {look_at_machine, on_machine, g_free, machine_free};
    SfuModelsPage *p = g_new0(SfuModelsPage, 1);
    GtkWidget *top = sfu_hbox(6), *label = sfu_label(NULL), *scroll = gtk_scrolled_window_new(NULL, NULL),
              *port = gtk_viewport_new(NULL, NULL);
    p->settings = settings;
    p->changed = changed;
    p->data = data;
    p->rows = g_ptr_array_new_with_free_func(row_free);
    p->widget = sfu_vbox(8);
    gtk_container_set_border_width(GTK_CONTAINER(p->widget), 12);
    p->about = wrapped(_("Looking at this computer"));
    gtk_widget_set_size_request(p->about, sfu_px(640), -1);
    p->filter = gtk_combo_box_text_new();
    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(p->filter), _("Everything"));
    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++)
        add_filter(p, filters[i]);
    gtk_combo_box_set_active(GTK_COMBO_BOX(p->filter), 0);
    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), _("_For"));
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), p->filter);
    sfu_name(p->filter, _("For"));
    g_signal_connect_swapped(p->filter, "changed", G_CALLBACK(show_rows), p);
    gtk_box_pack_start(GTK_BOX(top), label, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(top), p->filter, FALSE, FALSE, 0);
    p->list = sfu_vbox(4);
    gtk_container_set_border_width(GTK_CONTAINER(p->list), 8);
    gtk_viewport_set_shadow_type(GTK_VIEWPORT(port), GTK_SHADOW_NONE);
    gtk_container_add(GTK_CONTAINER(port), p->list);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroll), GTK_SHADOW_IN);
    gtk_widget_set_size_request(scroll, sfu_px(660), sfu_px(260));
    gtk_container_add(GTK_CONTAINER(scroll), port);
    gtk_box_pack_start(GTK_BOX(p->widget), p->about, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(p->widget), top, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(p->widget), scroll, TRUE, TRUE, 0);
    /* GTK 2 gives no room to what was added while another page of the notebook was shown. */
    g_signal_connect_data(p->widget, "map", G_CALLBACK(gtk_widget_queue_resize), p->list, NULL,
                          G_CONNECT_SWAPPED | G_CONNECT_AFTER);
    p->looking = sfu_background_start(&calls, sfu_settings_get(settings, "device"), p);
    const SfuFetcherCalls list = {.offers = on_offers, .ended = on_listed, .data = p};
    p->listing = sfu_fetcher_list(&list);
    return p;
}

GtkWidget *sfu_models_page_widget(SfuModelsPage *p)
{
    return p->widget;
}

void sfu_models_page_show_task(SfuModelsPage *p, int task)
{
    int index = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(filters) && task >= 0 && !index; i++)
        if ((int)filters[i] == task)
            index = i + 1;
    gtk_combo_box_set_active(GTK_COMBO_BOX(p->filter), index);
}

void sfu_models_page_free(SfuModelsPage *p)
{
    sfu_background_cancel(p->looking);
    sfu_fetcher_forget(p->listing);
    g_ptr_array_unref(p->rows);
    if (p->offers)
        g_ptr_array_unref(p->offers);
    sfu_machine_clear(&p->machine);
    g_free(p->problem);
    g_free(p);
}
