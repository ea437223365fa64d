/* Writing a picture: whole, into a file of its own beside the place where it belongs, synced, read back, and only then
 * put there. Whatever fails, the old file stays. Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#include "cli/picture/format.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is written ---- */

/* TRUE if the test holds for every pixel: n floats of that format. */
static gboolean all_pixels(GeglBuffer *picture, const char *format, int n, gboolean (*test)(const float *pixel))
{
    GeglBufferIterator *it =
        gegl_buffer_iterator_new(picture, NULL, 0, babl_format(format), GEGL_ACCESS_READ, GEGL_ABYSS_NONE, 1);
    gboolean yes = TRUE;
    while (gegl_buffer_iterator_next(it)) {
        const float *p = it->items[0].data;
        for (int i = 0; i < it->length && yes; i++)
            yes = test(p + (gsize)n * i);
        if (!yes) {
            gegl_buffer_iterator_stop(it);
            break;
        }
    }
    return yes;
}

static gboolean pixel_is_opaque(const float *ya)
{
    return ya[1] >= 1.0f;
}

static gboolean is_opaque(GeglBuffer *picture)
{
    return all_pixels(picture, "YA float", 2, pixel_is_opaque);
}

/* With a margin for what rounding adds. */
static gboolean pixel_is_in_range(const float *rgb)
{
    return MAX(MAX(rgb[0], rgb[1]), rgb[2]) < 1.004f && MIN(MIN(rgb[0], rgb[1]), rgb[2]) > -0.004f;
}

static gboolean is_gray(GeglBuffer *like)
{
    return like && babl_get_model_flags(gegl_buffer_get_format(like)) & BABL_MODEL_FLAG_GRAY;
}

static int depth_of(const Babl *like)
{
    const int bytes = babl_format_get_bytes_per_pixel(like) / MAX(1, babl_format_get_n_components(like));
    return bytes >= 4 || babl_format_get_type(like, 0) == babl_type("half") ? 32 : bytes == 2 ? 16 : 8;
}

/* The bits to write: those that were asked for; else those of the input, as far as the format has them. Formats of
 * floats get floats. */
static int depth_to_write(const SfuPictureFormat *f, int asked, const Babl *like)
{
    if (asked)
        return asked;
    const int wanted = f->depths & 8 ? (like ? depth_of(like) : 8) : 32;
    for (int d = wanted; d <= 32; d *= 2)
        if (f->depths & (guint)d)
            return d;
    return f->depths & 32 ? 32 : f->depths & 16 ? 16 : 8;
}

/* Is the profile for pictures of that kind? (ICC.1:2022, 7.2.6: the data's color space) */
static gboolean profile_fits(GBytes *icc, gboolean gray)
{
    return g_bytes_get_size(icc) >= 128 &&
           memcmp((const char *)g_bytes_get_data(icc, NULL) + 16, gray ? "GRAY" : "RGB ", 4) == 0;
}

static GBytes *profile_of_space(const Babl *space)
{
    int n = 0;
    const char *icc = space && space != babl_space("sRGB") ? babl_space_get_icc(space, &n) : NULL;
    return icc && n > 0 ? g_bytes_new(icc, (gsize)n) : NULL;
}

/* White under what is transparent. New buffer. */
static GeglBuffer *on_white(GeglBuffer *picture, const Babl *space)
{
    const Babl *format = babl_format_with_space("R'G'B'A float", space);
    GeglBuffer *out = gegl_buffer_new(gegl_buffer_get_extent(picture), format);
    GeglBufferIterator *it = gegl_buffer_iterator_new(out, NULL, 0, format, GEGL_ACCESS_WRITE, GEGL_ABYSS_NONE, 2);
    gegl_buffer_iterator_add(it, picture, NULL, 0, format, GEGL_ACCESS_READ, GEGL_ABYSS_NONE);
    while (gegl_buffer_iterator_next(it)) {
        float *to = it->items[0].data;
        const float *from = it->items[1].data;
        for (int i = 0; i < it->length; i++, to += 4, from += 4) {
            for (int k = 0; k < 3; k++)
                to[k] = from[k] * from[3] + 1 - from[3];
            to[3] = 1;
        }
    }
    return out;
}

/* Components and space of `like` (R'G'B' in sRGB without one), alpha only if it is used. Fills all but the file;
 * release with out_clear(). */
static void out_init(SfuPictureOut *out, const SfuPictureFormat *f, GeglBuffer *picture, GeglBuffer *like,
                     gboolean clipped, int depth)
{
    const Babl *format = like ? gegl_buffer_get_format(like) : NULL,
               *space = format ? babl_format_get_space(format) : NULL;
    GBytes *carried = like ? g_object_get_data(G_OBJECT(like), SFU_CLI_PICTURE_ICC) : NULL;
    char name[32];
    const gboolean opaque = is_opaque(picture);
    out->gray = f->gray && is_gray(like);
    out->alpha = f->alpha && ((format && babl_format_has_alpha(format)) || !opaque);
    out->depth = depth_to_write(f, depth, format);
    if (!f->icc) {
        if (carried && !sfu_picture_space(carried, TRUE))
            sfu_cli_note("%s: %s holds no color profile, so that of the input is lost", out->path, f->name);
        space = f == &sfu_picture_exr ? space : NULL;
    } else {
        out->icc = carried ? g_bytes_ref(carried) : profile_of_space(space);
        if (out->icc && !profile_fits(out->icc, out->gray)) {
            if (out->gray && profile_fits(out->icc, FALSE)) {
                out->gray = FALSE;
            } else {
                g_clear_pointer(&out->icc, g_bytes_unref);
                space = NULL;
                sfu_cli_note("%s: the color profile of the input is for another kind of pixels, so it is left out",
                             out->path);
            }
        }
    }
    sfu_picture_meta_renew(&out->meta, like, gegl_buffer_get_width(picture), gegl_buffer_get_height(picture));
    if (!clipped && out->depth < 32 && format && depth_of(format) == 32 &&
        !all_pixels(like, "R'G'B' float", 3, pixel_is_in_range))
        sfu_cli_note(
            "%s: values below 0 or above 1 in the input are clipped; OpenEXR and TIFF with --depth 32 keep them",
            out->path);
    if (!f->meta && (out->meta.exif || out->meta.xmp || out->meta.iptc))
        sfu_cli_note("%s: %s holds no metadata (EXIF, XMP, IPTC), so the metadata of the input is lost", out->path,
                     f->name);
    g_snprintf(name, sizeof name, "%s%s %s", out->gray ? "Y'" : "R'G'B'", out->alpha ? "A" : "",
               out->depth == 32   ? "float"
               : out->depth == 16 ? "u16"
                                  : "u8");
    out->format = babl_format_with_space(name, space);
    if (!opaque && !out->alpha) {
        sfu_cli_note("%s: %s holds no transparency; white is put under it", out->path, f->name);
        out->picture = on_white(picture, space);
    } else {
        out->picture = g_object_ref(picture);
    }
}

static void out_clear(SfuPictureOut *out)
{
    sfu_picture_meta_clear(&out->meta);
    g_clear_object(&out->picture);
    g_clear_pointer(&out->icc, g_bytes_unref);
}

/* ---- where it is written ---- */

static gboolean cannot(GError **error, SfuError code, const char *path, const char *why)
{
    g_set_error(error, SFU_ERROR, code, "%s cannot be written: %s", path, why);
    return FALSE;
}

#define MOST_LINKS 40 /* as Linux has it */

/* Where the links that begin at `path` end: that file is written and the links stay. Caller frees; NULL with error. */
static char *end_of_links(const char *path, GError **error)
{
    char *at = g_strdup(path);
    for (int i = 0; i < MOST_LINKS; i++) {
        char *to = g_file_read_link(at, NULL);
        if (!to)
            return at;
        char *dir = g_path_get_dirname(at);
        g_free(at);
        at = g_path_is_absolute(to) ? g_strdup(to) : g_build_filename(dir, to, NULL);
        g_free(dir);
        g_free(to);
    }
    g_free(at);
    cannot(error, SFU_ERROR_USAGE, path, g_strerror(ELOOP));
    return NULL;
}

/* A new file beside `path`, under a name that nobody can foretell; it follows no link. -1 with errno. */
static int open_beside(const char *path, char **name)
{
    char *dir = g_path_get_dirname(path);
    *name = g_build_filename(dir, ".sfumato-XXXXXX", NULL);
    const int fd = mkstemp(*name);
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    else
        g_clear_pointer(name, g_free);
    g_free(dir);
    return fd;
}

/* The same for a place that no link stands at; `path` is for messages. */
static gboolean can_write_to(const char *place, const char *path, GError **error)
{
    GStatBuf s;
    char *name, block[4096] = "";
    const gboolean exists = g_lstat(place, &s) == 0;
    if (exists && !S_ISREG(s.st_mode))
        return cannot(error, SFU_ERROR_USAGE, path, S_ISDIR(s.st_mode) ? "it is a folder" : "it is not a file");
    if ((!exists && errno == ENAMETOOLONG) || (exists && g_access(place, W_OK) != 0))
        return cannot(error, SFU_ERROR_USAGE, path, g_strerror(errno));
    int failed = 0;
    const int fd = open_beside(place, &name);
    if (fd < 0) {
        failed = errno;
        char *dir = g_path_get_dirname(place), *why = g_strdup_printf("the folder %s: %s", dir, g_strerror(failed));
        cannot(error, SFU_ERROR_USAGE, path, why);
        g_free(dir);
        g_free(why);
        return FALSE;
    }
    for (gsize n = 0; !failed && n < sizeof block;) { /* after a part, the next write tells the reason */
        const gssize written = write(fd, block, sizeof block - n);
        failed = written < 0 ? errno : written == 0 ? ENOSPC : 0;
        n += written > 0 ? (gsize)written : 0;
    }
    close(fd);
    (void)g_unlink(name);
    g_free(name);
    return !failed || cannot(error, SFU_ERROR_FAILED, path, g_strerror(failed));
}

gboolean sfu_cli_can_write(const char *path, GError **error)
{
    char *place = end_of_links(path, error);
    const gboolean ok = place && can_write_to(place, path, error);
    g_free(place);
    return ok;
}

gboolean sfu_cli_picture_writes(const char *path)
{
    const SfuPictureFormat *f = sfu_picture_format_for(path);
    return f && f->save;
}

/* Whether the format that the name asks for is written, and can hold the picture. */
static gboolean can_hold(const char *path, GeglBuffer *like, int depth, int w, int h, GError **error)
{
    const SfuPictureFormat *f = sfu_picture_format_for(path);
    if (!sfu_cli_picture_writes(path)) {
        char *endings = sfu_picture_endings();
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s is a folder; name the file to write", path);
        else if (!*sfu_picture_ending(path))
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                        "%s has no ending that tells the format; the name must end in one of %s",
                        *path ? path : "An empty name", endings);
        else
            g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                        "%s: '%s' is not a format that Sfumato writes; the name must end in one of %s", path,
                        sfu_picture_ending(path), endings);
        g_free(endings);
        return FALSE;
    }
    if (depth && !(f->depths & (guint)depth)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s: %s holds no %d bits per channel", path, f->name, depth);
        return FALSE;
    }
    if (g_ascii_strcasecmp(sfu_picture_ending(path), "pgm") == 0 && !is_gray(like)) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE, "%s: PGM holds no colors; use .ppm", path);
        return FALSE;
    }
    if (MAX(w, h) > f->max_px) {
        g_set_error(error, SFU_ERROR, SFU_ERROR_USAGE,
                    "%s: %d x %d pixels are too many for %s, whose sides have at most %d", path, w, h, f->name,
                    f->max_px);
        return FALSE;
    }
    return TRUE;
}

gboolean sfu_cli_picture_can_save(const char *path, GeglBuffer *like, int depth, int w, int h, GError **error)
{
    return can_hold(path, like, depth, w, h, error) && sfu_cli_can_write(path, error);
}

/* ---- writing ---- */

/* What is on disk is read as any program would, as far as its header goes. */
static gboolean check_written(const SfuPictureOut *out, const SfuPictureFormat *f, GError **error)
{
    struct stat s;
    GError *local = NULL;
    SfuPictureIn in = {.path = out->path, .file = out->file, .header_only = TRUE, .orientation = 1, .n_frames = 1};
    if (fstat(fileno(out->file), &s) != 0)
        return cannot(error, SFU_ERROR_FAILED, out->path, g_strerror(errno));
    in.n_bytes = (guint64)s.st_size;
    rewind(out->file);
    GeglBuffer *b = f->load(&in, &local);
    sfu_picture_meta_clear(&in.meta);
    const gboolean ok = b && gegl_buffer_get_width(b) == gegl_buffer_get_width(out->picture) &&
                        gegl_buffer_get_height(b) == gegl_buffer_get_height(out->picture);
    g_clear_object(&b);
    if (!ok)
        cannot(error, SFU_ERROR_FAILED, out->path,
               local ? local->message : "what was written has another size when it is read back");
    g_clear_error(&local);
    return ok;
}

/* Permissions of the file that is replaced, or those of a new one. */
static void set_mode(int fd, const char *path)
{
    GStatBuf s;
    const mode_t mask = umask(022);
    umask(mask);
    (void)!fchmod(fd, g_stat(path, &s) == 0 && S_ISREG(s.st_mode) ? s.st_mode & 0777 : 0666 & ~mask);
}

static gboolean write_to(SfuPictureOut *out, const SfuPictureFormat *f, const char *place, GError **error)
{
    errno = 0;
    if (!f->save(out, error))
        return FALSE;
    if (fflush(out->file) != 0 || ferror(out->file) ||
        (fsync(fileno(out->file)) != 0 && errno != EINVAL && errno != ENOTSUP)) {
        out->broken = out->broken ? out->broken : errno ? errno : EIO;
        return sfu_picture_unwritten(out, error, "");
    }
    set_mode(fileno(out->file), place);
    return check_written(out, f, error) && sfu_cli_swap_check(error);
}

/* The new name survives a loss of power, too. */
static void sync_folder(const char *path)
{
    char *dir = g_path_get_dirname(path);
    const int fd = g_open(dir, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    g_free(dir);
}

gboolean sfu_cli_picture_save(GeglBuffer *picture, GeglBuffer *like, gboolean clipped, int depth, const char *text,
                              const char *path, GError **error)
{
    const SfuPictureFormat *f = sfu_picture_format_for(path);
    SfuPictureOut out = {.path = path, .text = text};
    char *name = NULL, *place = NULL;
    if (!can_hold(path, like, depth, gegl_buffer_get_width(picture), gegl_buffer_get_height(picture), error) ||
        !(place = end_of_links(path, error)) || !can_write_to(place, path, error)) {
        g_free(place);
        return FALSE;
    }
    const int fd = open_beside(place, &name);
    out.file = fd >= 0 ? fdopen(fd, "w+b") : NULL;
    if (!out.file) {
        const int why = errno;
        if (fd >= 0)
            close(fd);
        g_free(name);
        g_free(place);
        return cannot(error, SFU_ERROR_FAILED, path, g_strerror(why));
    }
    out_init(&out, f, picture, like, clipped, depth);
    gboolean ok = write_to(&out, f, place, error);
    if (fclose(out.file) != 0 && ok)
        ok = cannot(error, SFU_ERROR_FAILED, path, g_strerror(errno));
    if (ok && g_rename(name, place) != 0)
        ok = cannot(error, SFU_ERROR_FAILED, path, g_strerror(errno));
    if (ok)
        sync_folder(place);
    if (ok && out.note)
        sfu_cli_note("%s %s", path, out.note);
    if (!ok)
        (void)g_unlink(name);
    out_clear(&out);
    g_free(name);
    g_free(place);
    return ok;
}
