/* What the files of the `sfumato` command share.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_CLI_H
#define SFU_CLI_H

#include "sfumato.h"

/* Exit statuses, after sysexits(3) where it has one. */
enum { SFU_EXIT_OK = 0, SFU_EXIT_FAILED = 1, SFU_EXIT_USAGE = 2, SFU_EXIT_INTERRUPTED = 130 };

/* ---- commands.c ---- */

typedef struct SfuCliOptions SfuCliOptions;
typedef struct SfuCliCommand SfuCliCommand;
struct SfuCliCommand {
    const char *name, *args, *help;
    int task;          /* whose parameters it takes: an SfuTask's, or one of the values below */
    const char *words; /* that may follow the command, for completion; NULL: none */
};
enum {
    SFU_CLI_OWN_OPTIONS = -2, /* not even the common options */
    SFU_CLI_NO_PARAMETERS = -1,
    SFU_CLI_ALL_PARAMETERS = SFU_N_TASKS,
    SFU_CLI_ADAPTERS /* --lora only */
};
const SfuCliCommand *sfu_cli_commands(int *n);
const SfuCliCommand *sfu_cli_command(const char *name); /* NULL: none */
/* Whether commands with this `task` take the parameter. */
gboolean sfu_cli_takes(int task, const SfuParamSpec *p);
char *sfu_cli_flag(const char *name); /* of a parameter: "clip_skip" -> "clip-skip"; caller frees */
/* Prints "sfumato: <message>" and returns the exit status for the error. */
int sfu_cli_fail(GError *error);

/* ---- options.c ---- */

struct SfuCliOptions {
    SfuParams *params;
    char *device, *precision, *mask, *exclude, *from, *noise, *latent, *trace, *shard, *type;
    char *from_model; /* the model that --from names */
    guint64 memory_bytes;
    int depth; /* bits per channel of the written picture; 0: as the input, 8 without one */
    gboolean profile, json, quiet, force, claim, invert_mask, help;
    char **args;         /* words that are not options; NULL-terminated */
    GPtrArray *warnings; /* of reading --from */
};

/* Parses argv[1..]; argv[0] is the command's name. NULL with error. --help ends the parsing. `task` < 0: the command
 * takes no generation parameters; SFU_N_TASKS: those of every task. Caller frees with sfu_cli_options_free(). */
SfuCliOptions *sfu_cli_options_parse(int argc, char **argv, int task, GError **error);
void sfu_cli_options_free(SfuCliOptions *o);

/* One row of the options that are not generation parameters, for help, man page and completion. */
typedef struct {
    const char *name, *arg, *help; /* arg NULL: a switch */
    const char *const *words;      /* that it takes, NULL-terminated; NULL: anything */
    const char *only;              /* the commands that it applies to, separated by blanks; NULL: all */
} SfuCliOption;
const SfuCliOption *sfu_cli_option_table(int *n);
/* `only` is that of a row. */
gboolean sfu_cli_option_is_for(const char *only, const char *command);
/* The letter that stands for the flag of that name ("m" for "model"); NULL: none. */
const char *sfu_cli_short_form(const char *name);

/* ---- help.c ---- */

/* What `sfumato --help` says. */
void sfu_cli_print_commands(void);
/* What `sfumato COMMAND --help` says. */
void sfu_cli_print_help(const SfuCliCommand *c);
/* What a flag's value is called, "FILE" for instance; NULL for a switch. */
const char *sfu_cli_value_name(const SfuParamSpec *p);

/* ---- picture/load.c, picture/save.c ---- */

/* Under this name a buffer carries the ICC profile of its file (GBytes). */
#define SFU_CLI_PICTURE_ICC "sfu-icc-profile"

/* Reads a picture by what is in the file, upright. A file that is not whole is an error. New buffer, caller unrefs. */
GeglBuffer *sfu_cli_picture_load(const char *path, GError **error);
/* A mask that was drawn on a picture lying on its side, as its file stores it, is turned upright as the picture was.
 * `file` is for messages. FALSE with error. */
gboolean sfu_cli_picture_turn_along(const char *file, GeglBuffer **mask, GeglBuffer *picture, GError **error);
/* TRUE if the ending of that name is one of a format that is written. */
gboolean sfu_cli_picture_writes(const char *path);
/* TRUE if the file's ending or its content is a picture's. */
gboolean sfu_cli_is_picture(const char *path);
/* Writes in the format that the name's ending says; on any failure the file that is there stays. `like` (NULL: none)
 * gives components, precision, color space and profile, and values below 0 and above 1, unless they are `clipped` and
 * the user knows; `depth` (0: as `like`, else 8) 8, 16 or 32 bits. `text`:
 * generation parameters, "parameters" of a PNG file, EXIF's UserComment of JPEG and WebP; NULL: none. */
gboolean sfu_cli_picture_save(GeglBuffer *picture, GeglBuffer *like, gboolean clipped, int depth, const char *text,
                              const char *path, GError **error);
/* What can be known before the work: FALSE with error if the format is not written or does not hold such a picture, or
 * if `path` cannot be written to. w x h: the size as far as it is known, else 0. */
gboolean sfu_cli_picture_can_save(const char *path, GeglBuffer *like, int depth, int w, int h, GError **error);
/* The same for any file. */
gboolean sfu_cli_can_write(const char *path, GError **error);

/* ---- png_text.c ---- */

/* The text of the first tEXt or iTXt chunk with that keyword (PNG specification 3rd ed., 11.3.3). UTF-8; caller frees.
 * NULL without error if the file is a PNG and has none. */
char *sfu_png_text_read(const char *path, const char *keyword, GError **error);
/* The parser behind sfu_png_text_read(), for the fuzzer. */
char *sfu_png_text_find(const guint8 *data, gsize n, const char *keyword, GError **error);

/* ---- comment.c ---- */

/* The first comment of a JPEG or GIF file. UTF-8, caller frees; NULL: none, or not UTF-8. */
char *sfu_jpeg_comment_find(const guint8 *data, gsize n);
char *sfu_gif_comment_find(const guint8 *data, gsize n);
/* EXIF data, from its TIFF header on, within an AVIF, HEIF or JPEG XL file; NULL: none. */
const guint8 *sfu_boxes_exif_find(const guint8 *data, gsize n, gsize *n_exif);

/* ---- text_file.c ---- */

/* A file's text, without its byte order mark; UTF-16 that has one becomes UTF-8. NULL with error if it cannot be read,
 * is larger than `max_bytes`, or holds zeros. Caller frees. */
char *sfu_cli_text_read(const char *path, guint64 max_bytes, GError **error);

/* ---- from.c ---- */

/* Parameters out of a picture's metadata or a text file, as A1111 reads them. `warnings` gets a sentence for each thing
 * that is not taken over. */
gboolean sfu_cli_params_from(SfuParams *p, const char *path, GPtrArray *warnings, GError **error);
void sfu_cli_print_warnings(const SfuCliOptions *o, const GPtrArray *warnings);

/* ---- signals.c ---- */

extern int sfu_cli_cancel; /* set by Ctrl-C, atomically: a signal handler and other threads share it */
void sfu_cli_signals(void);
/* Takes them again: LLVM, inside an OpenCL driver, takes many when it first compiles something. */
void sfu_cli_signals_again(void);

/* ---- swap.c: where GEGL keeps the parts of pictures that do not fit its cache ---- */

/* Gives GEGL another folder if its own cannot be written. Before gegl_init(). */
void sfu_cli_swap_prepare(void);
/* For the writer of the log: notes GEGL's word that it lost a part of a picture, which it tells nobody else. */
void sfu_cli_swap_listen(const GLogField *fields, gsize n_fields);
/* FALSE with error if parts of pictures were lost. */
gboolean sfu_cli_swap_check(GError **error);

/* ---- report.c ---- */

/* Prints one JSON object as a line. Members: name, value pairs of strings, NULL-terminated. */
void sfu_cli_json_event(const char *event, ...) G_GNUC_NULL_TERMINATED;
void sfu_cli_json_progress(const SfuProgress *p);
/* Tells of something that the user should know and that stops nothing, on stderr, unless --quiet was given. */
extern gboolean sfu_cli_quiet;
void sfu_cli_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* One job of many has failed: says so, with what it was about, and frees the error. */
void sfu_cli_job_failed(const SfuCliOptions *o, const char *what, GError *error);

/* ---- run.c ---- */

/* Runs one task: `in` (NULL for txt2img) and o->mask to `out`; several results get -1, -2 ... before the ending. */
gboolean sfu_cli_run(SfuEngine *e, SfuTask task, const SfuCliOptions *o, const char *in, const char *out,
                     GError **error);
/* The files that a job writes: `out`, or out-1, out-2 ... NULL-terminated; caller frees with g_strfreev(). */
char **sfu_cli_outputs(SfuTask task, const SfuParams *params, const char *out);
/* Where a name leads, as an absolute path without links; what does not exist yet stands in its folder. Caller frees. */
char *sfu_cli_place(const char *path);
/* Whether both names lead to one place. */
gboolean sfu_cli_is_same_file(const char *a, const char *b);
/* TRUE if every file that the job would write is there. */
gboolean sfu_cli_is_done(SfuTask task, const SfuParams *params, const char *out);
SfuEngine *sfu_cli_engine(const SfuCliOptions *o, GError **error);
/* The table of kernel times on stderr, if --profile asks for it. */
void sfu_cli_print_profile(SfuEngine *e, const SfuCliOptions *o);

/* ---- the commands, by main.c's table: each returns the exit status, and its error is printed ---- */

int sfu_cli_generate(const SfuCliCommand *c, const SfuCliOptions *o, GError **error);
int sfu_cli_batch(const SfuCliCommand *c, const SfuCliOptions *o, GError **error);
int sfu_cli_devices(const SfuCliCommand *c, const SfuCliOptions *o, GError **error);
int sfu_cli_models(const SfuCliCommand *c, const SfuCliOptions *o, GError **error);
int sfu_cli_inspect(const SfuCliCommand *c, const SfuCliOptions *o, GError **error);
int sfu_cli_convert(const SfuCliCommand *c, const SfuCliOptions *o, GError **error);
int sfu_cli_warm(const SfuCliCommand *c, const SfuCliOptions *o, GError **error);
/* `models --available`, `models get NAME ...` and `models remove NAME ...`, by sfumato-fetch. */
int sfu_cli_fetch(int argc, char **argv);
int sfu_cli_completion(int argc, char **argv);
int sfu_cli_man(int argc, char **argv);
int sfu_cli_params(int argc, char **argv);

/* ---- claim.c ---- */

typedef struct SfuClaim SfuClaim;
/* Takes the job that writes `out`. NULL without error and *taken: another worker has it; NULL with error: no claim can
 * be made there. End it with sfu_cli_claim_end(), when the output is in its place or the job has failed. */
SfuClaim *sfu_cli_claim(const char *out, gboolean *taken, GError **error);
void sfu_cli_claim_end(SfuClaim *c);

/* A whole number of n bytes, the most significant one first. */
static inline guint32 sfu_big_endian(const guint8 *p, int n)
{
    guint32 v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

#endif
