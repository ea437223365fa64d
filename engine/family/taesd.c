/* TAESD, the tiny autoencoder (Bohan 2023, github.com/madebyollin/taesd): one half a file, or AutoencoderTiny's folder.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"
#include "family/sd.h"
#include "model/model_struct.h"
#include "model/canonical_names.h"

/* The encoder begins with a convolution, the decoder with a clamp, which has no weights. SFU_N_PARTS: neither. */
static SfuPart half_of(const SfuSource *s)
{
    const gboolean prefixed = sfu_source_find(s, "decoder.1.weight") || sfu_source_find(s, "encoder.0.weight");
    if (sfu_source_find(s, prefixed ? "encoder.1.conv.0.weight" : "1.conv.0.weight"))
        return SFU_PART_TAESD_ENCODER;
    return sfu_source_find(s, prefixed ? "decoder.3.conv.0.weight" : "3.conv.0.weight") &&
                   sfu_source_find(s, prefixed ? "decoder.1.weight" : "1.weight")
               ? SFU_PART_TAESD_DECODER
               : SFU_N_PARTS;
}

/* AutoencoderTiny's names in a file of its own: both halves in one (TAEF1, TAEF2). */
static gboolean is_whole(const SfuSource *s)
{
    return sfu_source_find(s, "decoder.layers.2.conv.0.weight") || sfu_source_find(s, "encoder.layers.1.conv.0.weight");
}

static gboolean recognize(const SfuSource *s)
{
    return is_whole(s) || half_of(s) != SFU_N_PARTS;
}

static char *canonical(const SfuSource *s, const char *name, SfuPart *part)
{
    if (is_whole(s))
        return sfu_name_from_tiny(name, part);
    *part = half_of(s);
    return sfu_name_from_taesd(name, *part);
}

/* The half that `s` is not, from the file beside it of which the name says "encoder" for "decoder" or the other way
 * round, if there is one. */
static gboolean add_other_half(SfuModel *m, const SfuSource *s, GError **error)
{
    const gboolean decoder = half_of(s) == SFU_PART_TAESD_DECODER;
    char *base = g_path_get_basename(s->path), *folder = g_path_get_dirname(s->path);
    char **parts = g_strsplit(base, decoder ? "decoder" : "encoder", 2);
    gboolean ok = TRUE;
    if (parts[0] && parts[1]) {
        char *other = g_strdup_printf("%s/%s%s%s", folder, parts[0], decoder ? "encoder" : "decoder", parts[1]);
        const SfuFile *f = g_file_test(other, G_FILE_TEST_IS_REGULAR) ? sfu_model_add_file(m, other, NULL) : NULL;
        SfuSource second = {
            .path = other, .file = f, .wrap = s->wrap, .names = g_hash_table_new(g_str_hash, g_str_equal)};
        for (guint i = 0; f && i < f->tensors->len; i++) {
            SfuFileTensor *t = g_ptr_array_index(f->tensors, i);
            g_hash_table_insert(second.names, t->name, t);
        }
        if (f && half_of(&second) == (decoder ? SFU_PART_TAESD_ENCODER : SFU_PART_TAESD_DECODER))
            ok = sfu_family_take(m, m->family, &second, error);
        g_hash_table_unref(second.names);
        g_free(other);
    }
    g_strfreev(parts);
    g_free(base);
    g_free(folder);
    return ok;
}

static gboolean open_halves(SfuModel *m, const SfuSource *s, GError **error)
{
    return sfu_family_take(m, m->family, s, error) && (is_whole(s) || add_other_half(m, s, error));
}

static gboolean claims(const SfuModel *m)
{
    return !sfu_model_has_part(m, SFU_PART_UNET) &&
           (sfu_model_has_part(m, SFU_PART_TAESD_DECODER) || sfu_model_has_part(m, SFU_PART_TAESD_ENCODER));
}

const SfuFamily sfu_family_taesd = {.id = "taesd",
                                    .name = "TAESD",
                                    .part = "taesd",
                                    .use = "previews, and in place of a VAE",
                                    .recognize = recognize,
                                    .canonical = canonical,
                                    .ignores = sfu_name_is_ignorable,
                                    .open = open_halves,
                                    .claims = claims,
                                    .configure = sfu_sd_configure_parts,
                                    .expect = sfu_sd_expect,
                                    .autoencoder = sfu_sd_autoencoder};
