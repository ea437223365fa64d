/* WebP, by libwebp: 8 bits per channel; of an animation the first frame on its canvas.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>

#define MAX_FILE                                                                                                       \
    ((guint64)1 << 30) /* 16383 x 16383 RGBA pixels, the most that the format has, without any compression */

static gboolean is_webp(const guint8 *head, gsize n)
{
    return n >= 12 && memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0;
}

/* A chunk's bytes; NULL if there is none. */
static GBytes *chunk_of(WebPDemuxer *demuxer, const char *name)
{
    WebPChunkIterator it;
    GBytes *bytes = NULL;
    if (WebPDemuxGetChunk(demuxer, name, 1, &it))
        bytes = g_bytes_new(it.chunk.bytes, it.chunk.size);
    WebPDemuxReleaseChunkIterator(&it);
    return bytes;
}

static GBytes *profile_of(SfuPictureIn *in, WebPDemuxer *demuxer)
{
    GBytes *chunk = chunk_of(demuxer, "ICCP"),
           *icc = chunk ? sfu_picture_profile(in, g_bytes_get_data(chunk, NULL), g_bytes_get_size(chunk)) : NULL;
    g_clear_pointer(&chunk, g_bytes_unref);
    return icc;
}

/* Some programs put JPEG's word before the TIFF header. Takes exif. */
static GBytes *without_head(GBytes *exif)
{
    gsize n;
    const guint8 *data = g_bytes_get_data(exif, &n);
    if (n < 6 || memcmp(data, "Exif\0\0", 6) != 0)
        return exif;
    GBytes *rest = g_bytes_new(data + 6, n - 6);
    g_bytes_unref(exif);
    return rest;
}

static gboolean put_pixels(GeglBuffer *b, const guint8 *from, gsize stride, int bytes, const GeglRectangle *at)
{
    const Babl *space = babl_format_get_space(gegl_buffer_get_format(b));
    gegl_buffer_set(b, at, 0, babl_format_with_space(bytes == 4 ? "R'G'B'A u8" : "R'G'B' u8", space), from,
                    (int)stride);
    return TRUE;
}

static gboolean decode_still(GeglBuffer *b, const WebPData *data, gboolean alpha)
{
    WebPDecoderConfig c;
    if (!WebPInitDecoderConfig(&c))
        return FALSE;
    c.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
    const gboolean ok =
        WebPDecode(data->bytes, data->size, &c) == VP8_STATUS_OK &&
        put_pixels(b, c.output.u.RGBA.rgba, (gsize)c.output.u.RGBA.stride, alpha ? 4 : 3, gegl_buffer_get_extent(b));
    WebPFreeDecBuffer(&c.output);
    return ok;
}

static gboolean decode_first_frame(GeglBuffer *b, const WebPData *data)
{
    WebPAnimDecoderOptions options;
    uint8_t *pixels;
    int time_ms;
    if (!WebPAnimDecoderOptionsInit(&options))
        return FALSE;
    options.color_mode = MODE_RGBA;
    WebPAnimDecoder *d = WebPAnimDecoderNew(data, &options);
    const gboolean ok = d && WebPAnimDecoderGetNext(d, &pixels, &time_ms) &&
                        put_pixels(b, pixels, (gsize)gegl_buffer_get_width(b) * 4, 4, gegl_buffer_get_extent(b));
    WebPAnimDecoderDelete(d);
    return ok;
}

static GeglBuffer *decode(SfuPictureIn *in, const WebPData *data, GError **error)
{
    WebPDemuxState state;
    WebPDemuxer *demuxer = WebPDemuxPartial(data, &state);
    if (!demuxer || state != WEBP_DEMUX_DONE) {
        WebPDemuxDelete(demuxer);
        return sfu_picture_refuse(in, error, "not a whole WebP picture (%s)",
                                  state == WEBP_DEMUX_PARSE_ERROR ? "it is damaged" : "the file ends too early");
    }
    const guint32 flags = WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS),
                  w = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH), h = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
    const gboolean animated = flags & ANIMATION_FLAG, alpha = flags & ALPHA_FLAG || animated;
    GBytes *icc = flags & ICCP_FLAG ? profile_of(in, demuxer) : NULL,
           *exif = flags & EXIF_FLAG ? chunk_of(demuxer, "EXIF") : NULL;
    in->meta.xmp = flags & XMP_FLAG ? chunk_of(demuxer, "XMP ") : NULL;
    WebPBitstreamFeatures features;
    in->meta.lossless =
        !animated && WebPGetFeatures(data->bytes, data->size, &features) == VP8_STATUS_OK && features.format == 2;
    if (exif)
        in->orientation = sfu_exif_orientation(g_bytes_get_data(exif, NULL), g_bytes_get_size(exif));
    in->n_frames = animated ? (int)WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT) : 1;
    GeglBuffer *b = sfu_picture_buffer(
        in, w, h, babl_format_with_space(alpha ? "R'G'B'A u8" : "R'G'B' u8", sfu_picture_space(icc, FALSE)), icc,
        error);
    if (b && !in->header_only && !(animated ? decode_first_frame(b, data) : decode_still(b, data, alpha))) {
        g_clear_object(&b);
        sfu_picture_refuse(in, error, "not a whole WebP picture (it is damaged)");
    }
    if (icc)
        g_bytes_unref(icc);
    in->meta.exif = exif ? without_head(exif) : NULL;
    WebPDemuxDelete(demuxer);
    return b;
}

static GeglBuffer *load_webp(SfuPictureIn *in, GError **error)
{
    guint8 *bytes = in->n_bytes <= MAX_FILE ? g_try_malloc(in->n_bytes) : NULL;
    GeglBuffer *b = NULL;
    if (!bytes) {
        sfu_picture_refuse(in, error, "not enough memory for a WebP file of %" G_GUINT64_FORMAT " bytes", in->n_bytes);
    } else if (fread(bytes, 1, in->n_bytes, in->file) != in->n_bytes) {
        sfu_picture_refuse(in, error, "the file cannot be read to its end");
    } else {
        const WebPData data = {bytes, in->n_bytes};
        b = decode(in, &data, error);
    }
    g_free(bytes);
    return b;
}

/* ---- writing: quality 90, as GEGL does, or without loss where the input was so ---- */

static gboolean import(WebPPicture *p, const SfuPictureOut *out)
{
    const int w = p->width, h = p->height, bytes = out->alpha ? 4 : 3;
    guint8 *pixels = g_try_malloc_n((gsize)w * h, bytes);
    if (!pixels)
        return FALSE;
    const Babl *format =
        babl_format_with_space(out->alpha ? "R'G'B'A u8" : "R'G'B' u8", babl_format_get_space(out->format));
    gegl_buffer_get(out->picture, gegl_buffer_get_extent(out->picture), 1.0, format, pixels, w * bytes,
                    GEGL_ABYSS_NONE);
    const gboolean ok = out->alpha ? WebPPictureImportRGBA(p, pixels, w * 4) : WebPPictureImportRGB(p, pixels, w * 3);
    g_free(pixels);
    return ok;
}

/* With what stands beside the pixels. */
static gboolean put_chunks(SfuPictureOut *out, const WebPMemoryWriter *image, const char **why)
{
    const struct {
        const char *name;
        GBytes *bytes;
    } chunks[] = {{"ICCP", out->icc}, {"EXIF", out->meta.exif}, {"XMP ", out->meta.xmp}};
    if (!out->icc && !out->meta.exif && !out->meta.xmp)
        return sfu_picture_put(out, image->mem, image->size);
    const WebPData data = {image->mem, image->size};
    WebPData file = {0};
    WebPMux *mux = WebPMuxNew();
    gboolean ok = mux && WebPMuxSetImage(mux, &data, 0) == WEBP_MUX_OK;
    for (guint i = 0; ok && i < G_N_ELEMENTS(chunks); i++) {
        gsize n;
        const guint8 *bytes = chunks[i].bytes ? g_bytes_get_data(chunks[i].bytes, &n) : NULL;
        ok = !bytes || WebPMuxSetChunk(mux, chunks[i].name, &(WebPData){bytes, n}, 0) == WEBP_MUX_OK;
    }
    ok = ok && WebPMuxAssemble(mux, &file) == WEBP_MUX_OK;
    if (!ok)
        *why = "its color profile or its metadata cannot be written";
    ok = ok && sfu_picture_put(out, file.bytes, file.size);
    WebPDataClear(&file);
    WebPMuxDelete(mux);
    return ok;
}

static gboolean save_webp(SfuPictureOut *out, GError **error)
{
    WebPConfig config;
    WebPPicture p;
    WebPMemoryWriter memory;
    const char *why = "libwebp failed";
    if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, 90) || !WebPPictureInit(&p))
        return sfu_picture_unwritten(out, error, "libwebp is of another version");
    sfu_picture_meta_put_text(&out->meta, out->text);
    if (out->meta.iptc)
        out->note = "holds no IPTC data, so that of the input is left out";
    config.lossless = config.exact = out->meta.lossless;
    WebPMemoryWriterInit(&memory);
    p.use_argb = 1;
    p.width = gegl_buffer_get_width(out->picture);
    p.height = gegl_buffer_get_height(out->picture);
    p.writer = WebPMemoryWrite;
    p.custom_ptr = &memory;
    gboolean ok = import(&p, out);
    if (!ok)
        why = "not enough memory for its pixels";
    ok = ok && WebPEncode(&config, &p) && put_chunks(out, &memory, &why);
    WebPPictureFree(&p);
    WebPMemoryWriterClear(&memory);
    return ok || sfu_picture_unwritten(out, error, why);
}

static const char *const endings[] = {"webp", NULL};
const SfuPictureFormat sfu_picture_webp = {"WebP", endings, is_webp, load_webp,          save_webp, 8,
                                           TRUE,   TRUE,    FALSE,   WEBP_MAX_DIMENSION, TRUE};
