/* The parsers of picture files that are ours: Netpbm, Radiance HDR, TGA, OpenEXR's header, EXIF (alone and in TIFF
 * files), Photoshop's blocks. The input is the whole file. Copyright (C) 2026 The Sfumato authors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "cli/picture/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gboolean once;
    if (!once) {
        gegl_init(NULL, NULL);
        once = TRUE;
    }
    const int orientation = sfu_exif_orientation(data, size);
    g_assert_true(orientation >= 1 && orientation <= 8);
    sfu_exif_is_adobe_rgb(data, size);
    GBytes *whole = g_bytes_new(data, size), *exif = sfu_exif_renew(whole, 5, 7),
           *iptc = sfu_picture_iptc_find(data, size);
    GBytes *text = sfu_exif_with_text(exif, "text");
    if (exif)
        g_assert_cmpint(sfu_exif_orientation(g_bytes_get_data(exif, NULL), g_bytes_get_size(exif)), ==, 1);
    if (text)
        g_assert_cmpint(sfu_exif_orientation(g_bytes_get_data(text, NULL), g_bytes_get_size(text)), ==, 1);
    guint32 exif_at, gps_at;
    GByteArray *shifted = sfu_exif_for_tiff(whole, 1000, &exif_at, &gps_at);
    g_free(sfu_exif_words(whole, 271));
    g_clear_pointer(&shifted, g_byte_array_unref);
    g_bytes_unref(whole);
    g_clear_pointer(&text, g_bytes_unref);
    g_clear_pointer(&exif, g_bytes_unref);
    g_clear_pointer(&iptc, g_bytes_unref);
    const SfuPictureFormat *f = size ? sfu_picture_format_of(data, MIN(size, SFU_PICTURE_HEAD)) : NULL;
    if (f == &sfu_picture_tiff) {
        SfuPictureMeta meta = {0};
        FILE *file = fmemopen((void *)data, size, "rb");
        sfu_tiff_meta_read(file, &meta);
        sfu_picture_meta_clear(&meta);
        fclose(file);
    }
    if (f != &sfu_picture_pnm && f != &sfu_picture_hdr && f != &sfu_picture_exr && f != &sfu_picture_tga)
        return 0;
    GError *error = NULL;
    SfuPictureIn in = {
        .path = "input", .file = fmemopen((void *)data, size, "rb"), .n_bytes = size, .orientation = 1, .n_frames = 1};
    in.header_only = f == &sfu_picture_exr; /* the rest is OpenEXR's */
    GeglBuffer *b = f->load(&in, &error);
    fuzz_check_error(b != NULL, &error);
    g_clear_object(&b);
    sfu_picture_meta_clear(&in.meta);
    fclose(in.file);
    return 0;
}
