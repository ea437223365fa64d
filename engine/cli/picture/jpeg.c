/* JPEG, by libjpeg. Its errors, which would end the process, and those of its warnings that mean lost pixels end the
 * decoding instead. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <setjmp.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#define MAX_SEGMENT 65533

/* libjpeg leaves its functions by longjmp(): all that must be freed stands here. */
typedef struct {
    struct jpeg_error_mgr err; /* first: libjpeg knows only this */
    jmp_buf jump;
    struct jpeg_decompress_struct d;
    struct jpeg_compress_struct c;
    struct jpeg_destination_mgr to;
    boolean (*fill)(j_decompress_ptr); /* libjpeg's own reading of a file */
    guint64 n_read;
    guint8 block[16384];
    SfuPictureOut *out;
    SfuRows rows;
    GeglBuffer *buffer;
    guint8 *cmyk; /* one row */
    float *ink;
    GBytes *icc;
    GByteArray *block_of_iptc;
    gboolean adobe_rgb; /* says EXIF */
    char message[JMSG_LENGTH_MAX];
} Jpeg;

/* What segments begin with, a zero (of EXIF two) at the end. */
static const char EXIF[] = "Exif\0", XMP[] = "http://ns.adobe.com/xap/1.0/", BLOCKS[] = "Photoshop 3.0";

static void on_error(j_common_ptr info)
{
    Jpeg *j = (Jpeg *)info->err;
    info->err->format_message(info, j->message);
    longjmp(j->jump, 1);
}

/* msg_level < 0: a warning about damaged data. Stray bytes between markers and odd progressions lose nothing; cameras
 * write them. */
static void on_message(j_common_ptr info, int msg_level)
{
    const int code = info->err->msg_code;
    if (msg_level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
                          code == JWRN_MUST_RESYNC || code == JWRN_ARITH_BAD_CODE))
        on_error(info);
}

/* A picture that ends before its last marker is searched for one to the end of the file, which may be a disk's worth of
 * zeros. The room besides the pixels is for previews and other segments. */
static boolean on_fill(j_decompress_ptr d)
{
    Jpeg *j = (Jpeg *)d->err;
    const boolean ok = j->fill(d);
    j->n_read += d->src->bytes_in_buffer;
    if (j->n_read > SFU_PICTURE_EXTRA_BYTES + SFU_PICTURE_PIXEL_BYTES * d->image_width * d->image_height) {
        g_snprintf(j->message, sizeof j->message, "%u x %u pixels do not end within %" G_GUINT64_FORMAT " bytes",
                   d->image_width, d->image_height, j->n_read);
        longjmp(j->jump, 1);
    }
    return ok;
}

static gboolean is_jpeg(const guint8 *head, gsize n)
{
    return n >= 3 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
}

static void jpeg_clear(Jpeg *j)
{
    g_clear_object(&j->buffer);
    sfu_rows_clear(&j->rows);
    g_clear_pointer(&j->cmyk, g_free);
    g_clear_pointer(&j->ink, g_free);
    g_clear_pointer(&j->icc, g_bytes_unref);
    g_clear_pointer(&j->block_of_iptc, g_byte_array_unref);
}

/* Adobe's programs store 255 - ink; Pillow, ImageMagick and the browsers take every CMYK file so, with Adobe's marker
 * or without it. */
static void read_cmyk_rows(Jpeg *j, const Babl *space)
{
    const int w = (int)j->d.output_width;
    sfu_rows_init(&j->rows, j->buffer, babl_format("R'G'B' float"));
    j->cmyk = g_malloc((gsize)w * 4);
    j->ink = g_new(float, (gsize)w * 4);
    while (j->d.output_scanline < j->d.output_height) {
        jpeg_read_scanlines(&j->d, &j->cmyk, 1);
        for (int i = 0; i < 4 * w; i++)
            j->ink[i] = (float)(255 - j->cmyk[i]) / 255;
        sfu_cmyk_to_rgb((float *)sfu_rows_next(&j->rows), j->ink, w, space);
    }
}

static void read_rows(Jpeg *j)
{
    sfu_rows_init(&j->rows, j->buffer, gegl_buffer_get_format(j->buffer));
    while (j->d.output_scanline < j->d.output_height) {
        JSAMPROW row = sfu_rows_next(&j->rows);
        jpeg_read_scanlines(&j->d, &row, 1);
    }
}

/* A segment's data behind the word that it begins with; NULL: it begins with another, or is not the first of its kind.
 */
static GBytes *segment(jpeg_saved_marker_ptr m, int app, const char *word, gsize n_word, const GBytes *before)
{
    const gboolean is = !before && m->marker == JPEG_APP0 + app && m->data_length > n_word;
    return is && memcmp(m->data, word, n_word) == 0 ? g_bytes_new(m->data + n_word, m->data_length - n_word) : NULL;
}

static void read_meta(Jpeg *j, SfuPictureIn *in)
{
    SfuPictureMeta *to = &in->meta;
    const double unit = j->d.density_unit == 1 ? 1 : j->d.density_unit == 2 ? 2.54 : 0; /* inch, centimeter */
    to->x_dpi = j->d.saw_JFIF_marker ? j->d.X_density * unit : 0;
    to->y_dpi = j->d.saw_JFIF_marker ? j->d.Y_density * unit : 0;
    for (jpeg_saved_marker_ptr m = j->d.marker_list; m; m = m->next) {
        GBytes *exif = segment(m, 1, EXIF, sizeof EXIF, to->exif), *xmp = segment(m, 1, XMP, sizeof XMP, to->xmp),
               *blocks = segment(m, 13, BLOCKS, sizeof BLOCKS, to->iptc);
        to->exif = exif ? exif : to->exif;
        to->xmp = xmp ? xmp : to->xmp;
        if (blocks) {
            to->iptc = sfu_picture_iptc_find(g_bytes_get_data(blocks, NULL), g_bytes_get_size(blocks));
            g_bytes_unref(blocks);
        }
    }
    for (int k = 0; k < MIN(j->d.num_components, 2); k++) {
        const JQUANT_TBL *t = j->d.quant_tbl_ptrs[CLAMP(j->d.comp_info[k].quant_tbl_no, 0, NUM_QUANT_TBLS - 1)];
        if (t && (j->d.jpeg_color_space == JCS_YCbCr || j->d.jpeg_color_space == JCS_GRAYSCALE))
            memcpy(to->quant[k], t->quantval, sizeof to->quant[k]);
    }
    if (to->exif) {
        gsize n;
        const guint8 *data = g_bytes_get_data(to->exif, &n);
        in->orientation = sfu_exif_orientation(data, n);
        j->adobe_rgb = sfu_exif_is_adobe_rgb(data, n);
    }
}

static gboolean read_jpeg(Jpeg *j, SfuPictureIn *in, GError **error)
{
    JOCTET *icc;
    unsigned n_icc;
    const Babl *space = NULL;
    if (setjmp(j->jump))
        return FALSE;
    jpeg_create_decompress(&j->d);
    jpeg_stdio_src(&j->d, in->file);
    j->fill = j->d.src->fill_input_buffer;
    j->d.src->fill_input_buffer = on_fill;
    jpeg_save_markers(&j->d, JPEG_APP0 + 1, 0xffff);  /* EXIF, XMP */
    jpeg_save_markers(&j->d, JPEG_APP0 + 2, 0xffff);  /* ICC */
    jpeg_save_markers(&j->d, JPEG_APP0 + 13, 0xffff); /* IPTC */
    jpeg_read_header(&j->d, TRUE);
    read_meta(j, in);
    if (jpeg_read_icc_profile(&j->d, &icc, &n_icc)) {
        j->icc = sfu_picture_profile(in, icc, n_icc);
        free(icc);
    }
    const gboolean cmyk = j->d.out_color_space == JCS_CMYK;
    if (cmyk && !sfu_cmyk_space(in, j->icc, &space, error))
        return FALSE;
    if (!cmyk && j->d.out_color_space != JCS_GRAYSCALE)
        j->d.out_color_space = JCS_RGB;
    const gboolean gray = j->d.out_color_space == JCS_GRAYSCALE;
    if (!cmyk)
        space = j->icc ? sfu_picture_space(j->icc, gray) : j->adobe_rgb && !gray ? babl_space("Adobish") : NULL;
    const Babl *format = cmyk ? babl_format("R'G'B' u8") : babl_format_with_space(gray ? "Y' u8" : "R'G'B' u8", space);
    j->buffer = sfu_picture_buffer(in, j->d.image_width, j->d.image_height, format, cmyk ? NULL : j->icc, error);
    if (!j->buffer || in->header_only)
        return j->buffer != NULL;
    jpeg_start_decompress(&j->d);
    if (cmyk)
        read_cmyk_rows(j, space);
    else
        read_rows(j);
    sfu_rows_end(&j->rows);
    jpeg_finish_decompress(&j->d);
    return TRUE;
}

static void jpeg_init(Jpeg *j)
{
    j->d.err = j->c.err = jpeg_std_error(&j->err);
    j->err.error_exit = on_error;
    j->err.emit_message = on_message;
}

static GeglBuffer *load_jpeg(SfuPictureIn *in, GError **error)
{
    Jpeg *j = g_new0(Jpeg, 1);
    GError *local = NULL;
    GeglBuffer *made = NULL;
    jpeg_init(j);
    if (read_jpeg(j, in, &local))
        made = g_steal_pointer(&j->buffer);
    else if (local)
        g_propagate_error(error, local);
    else
        sfu_picture_refuse(in, error, "not a whole JPEG picture (%s)", j->message);
    jpeg_destroy_decompress(&j->d);
    jpeg_clear(j);
    g_free(j);
    return made;
}

/* ---- writing ---- */

static void to_begin(j_compress_ptr c)
{
    Jpeg *j = c->client_data;
    j->to.next_output_byte = j->block;
    j->to.free_in_buffer = sizeof j->block;
}

static boolean to_empty(j_compress_ptr c)
{
    Jpeg *j = c->client_data;
    if (!sfu_picture_put(j->out, j->block, sizeof j->block))
        ERREXIT(c, JERR_FILE_WRITE);
    to_begin(c);
    return TRUE;
}

static void to_end(j_compress_ptr c)
{
    Jpeg *j = c->client_data;
    if (!sfu_picture_put(j->out, j->block, sizeof j->block - j->to.free_in_buffer))
        ERREXIT(c, JERR_FILE_WRITE);
}

/* A segment holds 64 KB; what does not fit into one stays out. */
static void put_segment(Jpeg *j, int app, const char *word, gsize n_word, const guint8 *data, gsize n)
{
    if (n_word + n > MAX_SEGMENT) {
        j->out->note = "holds at most 64 KB of metadata (EXIF, XMP, IPTC), so the metadata of the input is left out";
        return;
    }
    jpeg_write_m_header(&j->c, JPEG_APP0 + app, (unsigned)(n_word + n));
    for (gsize i = 0; i < n_word; i++)
        jpeg_write_m_byte(&j->c, (guint8)word[i]);
    for (gsize i = 0; i < n; i++)
        jpeg_write_m_byte(&j->c, data[i]);
}

static void write_meta(Jpeg *j)
{
    const SfuPictureMeta *m = &j->out->meta;
    gsize n;
    const guint8 *data;
    if (m->exif && (data = g_bytes_get_data(m->exif, &n)))
        put_segment(j, 1, EXIF, sizeof EXIF, data, n);
    if (m->xmp && (data = g_bytes_get_data(m->xmp, &n)))
        put_segment(j, 1, XMP, sizeof XMP, data, n);
    if (m->iptc) {
        j->block_of_iptc = sfu_picture_iptc_block(m->iptc);
        put_segment(j, 13, BLOCKS, sizeof BLOCKS, j->block_of_iptc->data, j->block_of_iptc->len);
    }
}

/* The input's own steps where they are finer than those of quality 90: what was not worked on then stays nearly as it
 * is. */
static void keep_quality(Jpeg *j)
{
    for (int k = 0; k < 2; k++) {
        const guint16 *from = j->out->meta.quant[k];
        JQUANT_TBL *t = j->c.quant_tbl_ptrs[k];
        int sum[2] = {0, 0};
        for (int i = 0; i < DCTSIZE2; i++) {
            if (!from[i])
                return;
            sum[0] += from[i];
            sum[1] += t->quantval[i];
        }
        if (sum[0] < sum[1])
            memcpy(t->quantval, from, sizeof t->quantval);
    }
}

/* Quality 90 or better, colors not subsampled, progressive: what GEGL writes. */
static gboolean write_jpeg(Jpeg *j)
{
    struct jpeg_compress_struct *c = &j->c;
    gsize n;
    if (setjmp(j->jump))
        return FALSE;
    jpeg_create_compress(c);
    c->client_data = j;
    j->to = (struct jpeg_destination_mgr){
        .init_destination = to_begin, .empty_output_buffer = to_empty, .term_destination = to_end};
    c->dest = &j->to;
    c->image_width = (JDIMENSION)gegl_buffer_get_width(j->out->picture);
    c->image_height = (JDIMENSION)gegl_buffer_get_height(j->out->picture);
    c->input_components = j->out->gray ? 1 : 3;
    c->in_color_space = j->out->gray ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, 90, TRUE);
    keep_quality(j);
    c->optimize_coding = TRUE;
    jpeg_simple_progression(c);
    for (int k = 0; k < c->num_components; k++)
        c->comp_info[k].h_samp_factor = c->comp_info[k].v_samp_factor = 1;
    if (j->out->meta.x_dpi > 0 && j->out->meta.y_dpi > 0) {
        c->density_unit = 1;
        c->X_density = (UINT16)CLAMP(j->out->meta.x_dpi + 0.5, 1, G_MAXUINT16);
        c->Y_density = (UINT16)CLAMP(j->out->meta.y_dpi + 0.5, 1, G_MAXUINT16);
    }
    jpeg_start_compress(c, TRUE);
    write_meta(j);
    const guint8 *icc = j->out->icc ? g_bytes_get_data(j->out->icc, &n) : NULL;
    if (icc)
        jpeg_write_icc_profile(c, icc, (unsigned)n);
    while (c->next_scanline < c->image_height) {
        JSAMPROW row = (JSAMPROW)sfu_rows_get(&j->rows, (int)c->next_scanline);
        jpeg_write_scanlines(c, &row, 1);
    }
    jpeg_finish_compress(c);
    return TRUE;
}

/* EXIF data with the parameters: where both together are too large, the input's own go first. */
static void put_text(SfuPictureOut *out)
{
    GBytes *own = out->meta.exif ? g_bytes_ref(out->meta.exif) : NULL;
    sfu_picture_meta_put_text(&out->meta, out->text);
    if (out->meta.exif && g_bytes_get_size(out->meta.exif) > MAX_SEGMENT - sizeof EXIF) {
        const gboolean fits = own && g_bytes_get_size(own) <= MAX_SEGMENT - sizeof EXIF;
        g_clear_pointer(&out->meta.exif, g_bytes_unref);
        if (fits)
            out->meta.exif = g_bytes_ref(own);
        else
            sfu_picture_meta_put_text(&out->meta, out->text);
        out->note = fits ? "has no room for the parameters beside the EXIF data of the input"
                         : "holds at most 64 KB of EXIF data, so that of the input is left out";
    }
    g_clear_pointer(&own, g_bytes_unref);
}

static gboolean save_jpeg(SfuPictureOut *out, GError **error)
{
    Jpeg *j = g_new0(Jpeg, 1);
    j->out = out;
    jpeg_init(j);
    put_text(out);
    sfu_rows_init(&j->rows, out->picture, out->format);
    const gboolean ok = write_jpeg(j) || sfu_picture_unwritten(out, error, j->message);
    jpeg_destroy_compress(&j->c);
    jpeg_clear(j);
    g_free(j);
    return ok;
}

static const char *const endings[] = {"jpg", "jpeg", NULL};
const SfuPictureFormat sfu_picture_jpeg = {"JPEG", endings, is_jpeg, load_jpeg,          save_jpeg, 8,
                                           FALSE,  TRUE,    TRUE,    JPEG_MAX_DIMENSION, TRUE};
