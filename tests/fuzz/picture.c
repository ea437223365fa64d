/* The parsers of picture files that are ours: Netpbm, Radiance HDR, OpenEXR's header, EXIF's orientation. The input is
 * the whole file. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"
#include "cli/picture/format.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gboolean once;
    if (!once) {
        gegl_init(NULL, NULL);
        once = TRUE;
    }
    const int orientation = sfu_exif_orientation(data, size);
    g_assert_true(orientation >= 1 && orientation <= 8);
    const SfuPictureFormat *f = size ? sfu_picture_format_of(data, MIN(size, SFU_PICTURE_HEAD)) : NULL;
    if (f != &sfu_picture_pnm && f != &sfu_picture_hdr && f != &sfu_picture_exr)
        return 0;
    GError *error = NULL;
    SfuPictureIn in = {
        .path = "input", .file = fmemopen((void *)data, size, "rb"), .n_bytes = size, .orientation = 1, .n_frames = 1};
    in.header_only = f == &sfu_picture_exr; /* the rest is OpenEXR's */
    GeglBuffer *b = f->load(&in, &error);
    fuzz_check_error(b != NULL, &error);
    g_clear_object(&b);
    fclose(in.file);
    return 0;
}
