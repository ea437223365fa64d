/* RRDBNet (Wang 2018, ESRGAN; Wang 2021, Real-ESRGAN) in its three namings, and ESRGAN+ (Rakotonirina 2020).
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/measure.h"
#include "family/registry.h"
#include "model/model_struct.h"
#include "net/rrdb.h"
#include <stdio.h>
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_BLOCKS 256
#define MAX_STAGES 4

typedef enum { NAMES_NONE, NAMES_TODAY, NAMES_SEQUENTIAL, NAMES_MIDDLE } Naming;

static Naming naming(const SfuSource *s)
{
    return sfu_source_find(s, "model.1.sub.0.RDB1.conv1.0.weight") ? NAMES_SEQUENTIAL
           : sfu_source_find(s, "RRDB_trunk.0.RDB1.conv1.weight")  ? NAMES_MIDDLE
           : sfu_source_find(s, "body.0.rdb1.conv1.weight")        ? NAMES_TODAY
                                                                   : NAMES_NONE;
}

static gboolean recognize(const SfuSource *s)
{
    return naming(s) != NAMES_NONE;
}

/* Of enlargement, in the sequential naming, where each takes three places and two convolutions follow them. */
static int sequential_stages(const SfuSource *s)
{
    int n = 0;
    while (n <= MAX_STAGES && sfu_source_find(s, "model.%d.weight", 3 * n + 3))
        n++;
    return n;
}

/* The sequential naming of the first ESRGAN: model.0, model.1.sub.B.RDBr.convc.0, model.1.sub.N behind the N blocks,
 * then an enlargement every three, two convolutions. Caller frees; NULL: not such a name. */
static char *sequential_name(const SfuSource *source, const char *s)
{
    int i, r, c, used = 0;
    if (sscanf(s, "model.1.sub.%3d.RDB%1d.conv%1d.0.%n", &i, &r, &c, &used) == 3 && used)
        return g_strdup_printf("body.%d.rdb%d.conv%d.%s", i, r, c, s + used);
    used = 0;
    if (sscanf(s, "model.1.sub.%3d.RDB%1d.conv1x1.%n", &i, &r, &used) == 2 && used)
        return g_strdup_printf("body.%d.rdb%d.conv1x1.%s", i, r, s + used);
    used = 0;
    if (sscanf(s, "model.1.sub.%3d.%n", &i, &used) == 1 && used) /* behind the last block, if a block lies before it */
        return i > 0 && !strchr(s + used, '.') && sfu_source_find(source, "model.1.sub.%d.RDB1.conv1.0.weight", i - 1)
                   ? g_strconcat("conv_body.", s + used, NULL)
                   : NULL;
    used = 0;
    if (sscanf(s, "model.%3d.%n", &i, &used) != 1 || !used)
        return NULL;
    const int n_stages = sequential_stages(source);
    if (i == 0)
        return g_strconcat("conv_first.", s + used, NULL);
    if (i >= 3 && i % 3 == 0 && i / 3 <= n_stages)
        return g_strdup_printf("conv_up%d.%s", i / 3, s + used);
    if (i == 3 * n_stages + 2)
        return g_strconcat("conv_hr.", s + used, NULL);
    return i == 3 * n_stages + 4 ? g_strconcat("conv_last.", s + used, NULL) : NULL;
}

/* The naming between the first and today's (BSRGAN, RealSR): RRDB_trunk.B.RDBr.convc, trunk_conv, upconv1, HRconv. */
static char *middle_name(const char *s)
{
    int i, r, used = 0;
    if (sscanf(s, "RRDB_trunk.%3d.RDB%1d.%n", &i, &r, &used) == 2 && used)
        return g_strdup_printf("body.%d.rdb%d.%s", i, r, s + used);
    if (g_str_has_prefix(s, "trunk_conv."))
        return g_strconcat("conv_body.", s + 11, NULL);
    if (g_str_has_prefix(s, "upconv"))
        return g_strconcat("conv_up", s + 6, NULL);
    if (g_str_has_prefix(s, "HRconv."))
        return g_strconcat("conv_hr.", s + 7, NULL);
    return g_strdup(s);
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    *part = SFU_PART_UPSCALER;
    switch (naming(s)) {
    case NAMES_SEQUENTIAL:
        return sequential_name(s, name);
    case NAMES_MIDDLE:
        return middle_name(name);
    default:
        return g_strdup(name);
    }
}

/* Whether a word of the file's name says "3x" or "x3": "3x_Photo.pth", "RealESRGAN_x3plus.pth". */
static gboolean name_says_three(const char *path)
{
    char *name = g_path_get_basename(path);
    gboolean says = FALSE;
    for (const char *p = name; *p && !says; p++) {
        const char a = g_ascii_tolower(p[0]), b = g_ascii_tolower(p[1]);
        const gboolean begins = p == name || !g_ascii_isalnum(p[-1]);
        says = begins && ((a == 'x' && b == '3') || (a == '3' && b == 'x')) && !g_ascii_isdigit(p[2]);
    }
    g_free(name);
    return says;
}

static gboolean configure(SfuModel *m, GError **error)
{
    SfuUpscalerConfig *c = &m->upscaler;
    SfuRrdbConfig *own = g_new0(SfuRrdbConfig, 1);
    c->own = own;
    c->features = sfu_measure(m, 0, "conv_first.weight");
    own->growth = sfu_measure(m, 0, "body.0.rdb1.conv1.weight");
    c->blocks = sfu_measure_count(m, "body.", MAX_BLOCKS);
    c->n_stages = MAX(0, sfu_measure_count(m, "conv_up", MAX_STAGES + 1) - 1);
    own->skip_1x1 = sfu_measure(m, 0, "body.0.rdb1.conv1x1.weight") > 0;
    if (!sfu_measure_channels(m, sfu_measure(m, 1, "conv_first.weight"), sfu_measure(m, 0, "conv_last.weight"), error))
        return FALSE;
    if (c->features < 1 || own->growth < 1)
        return sfu_family_refuse(m, error, _("its blocks have no channels"));
    /* One stage enlarges by two or by three, and nothing in the file tells which. */
    c->scale_by_name = c->n_stages == 1 && c->unshuffle == 1;
    own->stage_factor = c->scale_by_name && name_says_three(m->path) ? 3 : 2;
    const int factor = own->stage_factor == 3 ? 3 : 1 << c->n_stages;
    if (factor % c->unshuffle)
        return sfu_family_refuse(m, error, _("it would make pictures smaller"));
    c->scale = factor / c->unshuffle;
    return TRUE;
}

static void describe(const SfuModel *m, GString *text)
{
    const SfuRrdbConfig *own = sfu_model_upscaler(m)->own;
    g_string_append(text, own->skip_1x1 ? ", 1x1 branches (ESRGAN+)" : "");
}

const SfuFamily sfu_family_rrdb = {.id = "rrdb",
                                   .name = "RRDBNet (ESRGAN)",
                                   .tasks = 1u << SFU_TASK_UPSCALE,
                                   .enlargement = SFU_ENLARGE_NETWORK,
                                   .upscaler = &sfu_rrdb_kind,
                                   .recognize = recognize,
                                   .canonical = canonical,
                                   .configure = configure,
                                   .describe = describe};
