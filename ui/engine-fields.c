/* Device, memory limit and precision.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine-fields.h"

#include "job.h"

#include <string.h>
#include <glib/gi18n-lib.h>

static void show_device(SfuEngineFields *f, const SfuSettings *settings);

static void attach(GtkWidget *grid, int row, const char *label, GtkWidget *control, GtkWidget *box, const char *tooltip)
{
    GtkWidget *l = sfu_label(label);
    gtk_label_set_mnemonic_widget(GTK_LABEL(l), control);
    sfu_name(control, label);
    gtk_widget_set_tooltip_text(control, tooltip);
    sfu_grid_attach(grid, l, 0, row, 1, FALSE);
    sfu_grid_attach(grid, box, 1, row, 1, TRUE);
}

/* A combo whose longest entry does not make the dialog as wide. */
static GtkWidget *narrow_combo(void)
{
    GtkWidget *combo = gtk_combo_box_text_new();
    GList *cells = gtk_cell_layout_get_cells(GTK_CELL_LAYOUT(combo));
    g_object_set(cells->data, "ellipsize", PANGO_ELLIPSIZE_END, "width-chars", 24, NULL);
    g_list_free(cells);
    return combo;
}

int sfu_engine_fields_attach(SfuEngineFields *f, GtkWidget *grid, int row, const SfuSettings *settings)
{
    GtkWidget *memory = sfu_hbox(6);
    f->device = narrow_combo();
    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(f->device), _("Automatic"));
    f->memory = gtk_spin_button_new(sfu_adjustment(0, 0, 1 << 20, 256, 1024), 256, 0);
    gtk_entry_set_width_chars(GTK_ENTRY(f->memory), 6);
    gtk_box_pack_start(GTK_BOX(memory), f->memory, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(memory), gtk_label_new(_("MiB, 0: automatic")), FALSE, FALSE, 0);
    f->precision = gtk_combo_box_text_new();
    for (int i = 0; sfu_precisions[i]; i++)
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(f->precision), i ? sfu_precisions[i] : _("Automatic"));
    attach(grid, row++, _("Device"), f->device, f->device, _("What computes: a graphics card or the processor"));
    attach(grid, row++, _("Memory limit"), f->memory, memory,
           _("What does not fit is processed in tiles or read from disk as needed"));
    attach(grid, row++, _("Precision"), f->precision, f->precision,
           _("fp32 is exact. bf16 and fp16 (where the device has them) and int16 (on processors) are faster and hardly "
             "differ. int8 also needs less memory, but may differ visibly."));
    f->problem = sfu_label("");
    gtk_label_set_line_wrap(GTK_LABEL(f->problem), TRUE);
    gtk_widget_set_size_request(f->problem, sfu_px(280), -1);
    gtk_widget_set_no_show_all(f->problem, TRUE);
    sfu_grid_attach(grid, f->problem, 0, row++, 2, TRUE);
    sfu_engine_fields_show(f, settings);
    return row;
}

void sfu_engine_fields_finish(SfuEngineFields *f)
{
    sfu_background_cancel(f->asking);
    g_clear_pointer(&f->devices, g_ptr_array_unref);
}

typedef struct {
    GPtrArray *devices;
    GError *error;
} Answer;

static gpointer ask(gpointer job)
{
    Answer *a = g_new0(Answer, 1);
    a->devices = sfu_devices(NULL, &a->error);
    return a;
}

static void answer_free(gpointer p)
{
    Answer *a = p;
    if (a->devices)
        g_ptr_array_unref(a->devices);
    g_clear_error(&a->error);
    g_free(a);
}

static void show_devices(gpointer result, gpointer data)
{
    Answer *a = result;
    SfuEngineFields *f = data;
    f->asking = NULL;
    f->devices = a->devices;
    a->devices = NULL;
    for (guint i = 0; f->devices && i < f->devices->len; i++) {
        const SfuDevice *device = f->devices->pdata[i];
        char *size = g_format_size(device->memory_bytes), *name = sfu_device_words(device->name);
        char *text = g_strdup_printf("%s, %s", name, size);
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(f->device), text);
        g_free(text);
        g_free(name);
        g_free(size);
    }
    gtk_label_set_text(GTK_LABEL(f->problem), a->error ? a->error->message : "");
    gtk_widget_set_visible(f->problem, a->error != NULL);
    answer_free(a);
    show_device(f, f->settings);
}

void sfu_engine_fields_list_devices(SfuEngineFields *f, const SfuSettings *settings)
{
    static const SfuBackgroundCalls calls = {ask, show_devices, NULL, answer_free};
    if (f->devices || f->asking)
        return;
    f->settings = settings;
    f->asking = sfu_background_start(&calls, NULL, f);
}

static void show_device(SfuEngineFields *f, const SfuSettings *settings)
{
    char *device = sfu_settings_get(settings, "device");
    gtk_combo_box_set_active(GTK_COMBO_BOX(f->device), 0);
    for (guint i = 0; f->devices && i < f->devices->len; i++)
        if (g_strcmp0(device, ((SfuDevice *)f->devices->pdata[i])->name) == 0)
            gtk_combo_box_set_active(GTK_COMBO_BOX(f->device), i + 1);
    g_free(device);
}

void sfu_engine_fields_show(SfuEngineFields *f, const SfuSettings *settings)
{
    char *precision = sfu_settings_get(settings, "precision");
    show_device(f, settings);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(f->memory), sfu_settings_memory_bytes(settings) >> 20);
    for (int i = 0; sfu_precisions[i]; i++)
        if (i == 0 || g_strcmp0(precision, sfu_precisions[i]) == 0)
            gtk_combo_box_set_active(GTK_COMBO_BOX(f->precision), i);
    g_free(precision);
}

static gboolean store(SfuSettings *settings, const char *key, const char *value)
{
    char *old = sfu_settings_get(settings, key);
    const gboolean differs = strcmp(old ? old : "", value ? value : "") != 0;
    if (differs)
        sfu_settings_set(settings, key, value);
    g_free(old);
    return differs;
}

gboolean sfu_engine_fields_store(SfuEngineFields *f, SfuSettings *settings)
{
    char text[32];
    const int device = gtk_combo_box_get_active(GTK_COMBO_BOX(f->device)),
              precision = gtk_combo_box_get_active(GTK_COMBO_BOX(f->precision));
    gtk_spin_button_update(GTK_SPIN_BUTTON(f->memory));
    g_snprintf(text, sizeof text, "%d", gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(f->memory)));
    gboolean changed = store(settings, "memory-mib", strcmp(text, "0") ? text : NULL);
    changed |= store(settings, "precision", precision > 0 ? sfu_precisions[precision] : "");
    if (f->devices) /* else nobody has seen which there are */
        changed |= store(settings, "device", device > 0 ? ((SfuDevice *)f->devices->pdata[device - 1])->name : NULL);
    return changed;
}
