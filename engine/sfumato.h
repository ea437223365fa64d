/* Sfumato's public header: everything that the plug-in, the dialogs and the command line use of the engine.
 * Pictures are GEGL buffers of any format; their babl format tells the color space. No call prints, exits or aborts.
 * Errors are GErrors with one sentence for the user.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFUMATO_H
#define SFUMATO_H

#include <gegl.h>

#include "params/params.h"

G_BEGIN_DECLS

#define SFU_ERROR sfu_error_quark()
GQuark sfu_error_quark(void);
typedef enum {
    SFU_ERROR_USAGE,     /* a parameter, mask or picture cannot be used */
    SFU_ERROR_MODEL,     /* no model, a damaged or unknown file, or a model that cannot do the task */
    SFU_ERROR_DEVICE,    /* no OpenCL device, or the device was lost */
    SFU_ERROR_MEMORY,    /* does not fit even when tiled and streamed; the sentence says how many bytes */
    SFU_ERROR_CANCELLED, /* the cancel flag was seen; nothing was produced */
    SFU_ERROR_FAILED,
} SfuError;

/* Reads JSON from outside (a picture, a settings file, a list of jobs): one object of at most 1 MiB without deep
 * nesting. Never give such text to json-glib directly: a file can crash it. `source` names the text in messages. NULL
 * with USAGE; caller frees with json_node_unref(). */
struct _JsonNode *sfu_json_read(const char *text, const char *source, GError **error);

/* ---- devices and models --------------------------------------------------------------------------------------- */

typedef struct {
    int index;
    char *name, *platform, *driver;
    gboolean is_cpu, is_remote, has_fp16; /* is_remote: another machine's, over the network */
    gboolean has_bf16, has_amx;           /* products of bf16, and matrix units for them; CPUs only */
    guint64 memory_bytes;
} SfuDevice;
/* SfuDevice*; caller frees with g_ptr_array_unref(). NULL with DEVICE. *broken (may be NULL) names a driver that cannot
 * be loaded; caller frees. */
GPtrArray *sfu_devices(char **broken, GError **error);

typedef struct {
    char *path, *name, *title, *family; /* name: without folder and ending; title, family: for people */
    guint64 file_bytes;
    guint tasks;       /* bits 1 << SfuTask */
    gboolean has_text; /* FALSE: prompts are not used */
    int native_px;     /* side of its training pictures; 0: any */
    int scale;         /* upscalers: how many times it enlarges; else 0 */
    const char *part;  /* "vae", "taesd": only a part of models, for the parameter of this name; NULL: a model */
    char *error;       /* why it cannot be used; NULL: it can */
} SfuModelInfo;
/* The folders to search for models: the user's, the system's, those beside the running program, then `extra`
 * (NULL-terminated, may be NULL). NULL-terminated; caller frees with g_strfreev(). */
char **sfu_model_folders(const char *const *extra);
/* Further folders that later calls search, in place of those of an earlier call; NULL-terminated. From any thread. */
void sfu_model_folders_also(const char *const *folders);
/* Lists every model below the folders, by its file's header. SfuModelInfo*; caller frees with g_ptr_array_unref(). */
GPtrArray *sfu_models(const char *const *folders);
/* The path of the model that a task uses if the user names none. The user's own models come before the model in the
 * box. NULL: no model can do the task. Caller frees. */
char *sfu_model_default(GPtrArray *models, SfuTask task);
/* The path of the model that a person names: by its path, file, name, title or name in the catalogue; one that can do
 * the task (SFU_N_TASKS: any) comes first. Empty: the default. Caller frees; NULL with MODEL if none or two fit. */
char *sfu_model_resolve(const char *name, SfuTask task, GError **error);
/* A network that steers a model by a picture: a ControlNet or a T2I-Adapter. */
typedef struct {
    char *path, *name;
    gboolean has_types; /* it knows several kinds of pictures and must be told which one it gets */
} SfuControlNet;
/* Lists the networks that fit the model at the path `model`, from the folders called controlnet or t2i_adapter within
 * `folders`. SfuControlNet*; caller frees with g_ptr_array_unref(). */
GPtrArray *sfu_control_nets(const char *const *folders, const char *model);
/* Whether the model looks at reference pictures: as they are, or weighed, through an installed IP-Adapter. */
typedef enum { SFU_REFERENCES_NONE, SFU_REFERENCES_PLAIN, SFU_REFERENCES_WEIGHTED } SfuReferences;
SfuReferences sfu_model_references(const char *model);
/* Family, dtype, sizes, missing and unexpected tensors of a model, by path or name. Caller frees; NULL with MODEL. */
char *sfu_model_report(const char *name, gboolean json, GError **error);
typedef struct {
    const char *in, *out, *type; /* out: .gguf or .safetensors; type of the large matrices, "q8_0" for instance */
    const char *const *adapters; /* "FILE=WEIGHT,TEXT" to merge, NULL-terminated; NULL: none */
    gboolean replace;            /* a file at `out` */
    gboolean (*progress)(double done, gpointer data); /* 0..1; stops the work by returning FALSE. NULL: none */
    gpointer data;
} SfuConversion;
/* Writes a model file in another type, row by row, and renames the finished file into place. notes receives a sentence
 * (char*) for everything that could not be merged, or is NULL. */
gboolean sfu_model_convert(const SfuConversion *c, GPtrArray *notes, GError **error);

/* ---- the engine ------------------------------------------------------------------------------------------------ */

extern const char *const sfu_precisions[]; /* "auto" first, NULL at the end */
typedef struct {
    const char *device;    /* NULL: the best; an index or part of a name */
    guint64 memory_bytes;  /* 0: chosen for the device */
    const char *precision; /* one of sfu_precisions; NULL: "auto" */
    gboolean profile;
} SfuEngineOptions;

/* One device and its loaded models, which stay loaded between jobs. Only one thread at a time may call it. */
typedef struct SfuEngine SfuEngine;
SfuEngine *sfu_engine_new(const SfuEngineOptions *options, GError **error); /* caller frees with sfu_engine_free() */
void sfu_engine_free(SfuEngine *e);
/* A private folder below the system's temporary folder, made on first use. Borrowed; NULL: it cannot be made. */
const char *sfu_temporary_folder(void);
/* Says that the cache folder cannot be written, and what happens instead. NULL: it can. Caller frees. */
char *sfu_engine_warning(void);
const char *sfu_engine_device(const SfuEngine *e); /* name; borrowed */
guint64 sfu_engine_peak_bytes(const SfuEngine *e); /* on the device */
char *sfu_engine_profile(SfuEngine *e);            /* table of kernel times; caller frees; NULL if not profiling */
void sfu_engine_unload(SfuEngine *e);              /* drops loaded models */
/* Measures once how the device computes fastest, and keeps the answer on disk. Takes seconds; for before a job. */
void sfu_engine_measure(SfuEngine *e);

typedef enum {
    SFU_STAGE_COMPILE,
    SFU_STAGE_LOAD,
    SFU_STAGE_ENCODE,
    SFU_STAGE_DENOISE,
    SFU_STAGE_DECODE,
    SFU_STAGE_UPSCALE
} SfuStage;
typedef struct {
    SfuStage stage;
    int step, n_steps;   /* within the stage (steps, tiles) */
    double fraction;     /* of the whole job, 0..1, never decreases */
    double seconds_left; /* < 0: not known yet */
    int image, n_images; /* position in the batch */
    const char *text;    /* as sfu_progress_text(); borrowed */
} SfuProgress;
char *sfu_progress_text(const SfuProgress *p); /* "Denoising 7 of 20, 12 s left", translated; caller frees */

/* What a run will cost. */
typedef struct {
    double seconds;
    guint64 bytes; /* on the device */
} SfuEstimate;
char *sfu_estimate_text(const SfuEstimate *e); /* "about 3 min on this device, needs 3.1 GB"; caller frees */

typedef struct {
    SfuTask task;
    const SfuParams *params;
    GeglBuffer *picture; /* NULL for txt2img; borrowed and only read */
    GeglBuffer *mask;    /* "Y float" in the picture's coordinates, 1 = repaint; 0 outside; NULL: all of it (img2img) */
    GeglBuffer *exclude; /* "Y float" like the mask: fills copy nothing from where it is above 0.5; NULL: none */
    /* Reference pictures of any size, in the order of the items of SFU_PARAM_REFERENCE, which tell how to use them.
     * Pictures without an item are used in the default way. Borrowed and only read. */
    GeglBuffer *const *references;
    int n_references;
    /* [n_references] "Y float" of any size, stretched over the new picture: where the model looks at each reference.
     * NULL, or an entry NULL: everywhere. */
    GeglBuffer *const *reference_masks;
    GeglBuffer *const *controls; /* pictures for the items of SFU_PARAM_CONTROL, in their order; NULL: the picture
                                    itself; borrowed and only read */
    int n_controls;
    const int *cancel; /* any thread may set it to non-zero to stop within a step; NULL: never */
    /* The thread that runs the job calls these; each may be NULL. preview: R'G'B' float with the extent of the result;
     * called only if params ask for previews. */
    void (*progress)(const SfuProgress *p, gpointer data);
    void (*preview)(GeglBuffer *picture, int step, gpointer data);
    void (*estimate)(const SfuEstimate *e, gpointer data); /* once, if it is known */
    gpointer data;
    const char *noise_file;  /* safetensors file of the start noise, "noise" [n, c, h, w]; NULL: from the seed */
    const char *latent_file; /* where to write the final latents (safetensors, "latent"); NULL: nowhere */
    const char *trace_dir;   /* folder for the output of every block; NULL: none */
} SfuJob;

/* One finished picture. */
typedef struct {
    /* R'G'B'A float in sRGB, straight alpha; its extent is its place in the picture's coordinates. Inpainting: alpha is
     * the feathered mask, 0 where nothing may change. Upscaling and outpainting: the whole new picture. Upscaling keeps
     * the picture's own color model and space, as floats, so conversion is lossless. Gray input: R = G = B. */
    GeglBuffer *picture;
    guint64 seed;
    SfuParams *params; /* every value as used, seed and model included */
    SfuTask task;
    gboolean masked, clipped; /* lay it over the picture through its alpha; values beyond 0 and 1 are lost (see note) */
    char *note;               /* a sentence that the user should read; NULL: none */
    GError *unsaved;          /* of the first result: why the latents could not be written; NULL: nothing is missing */
} SfuResult;
void sfu_result_free(SfuResult *r);

/* Makes a mask for the pixels of `place` from a picture: "Y float", 1 = repaint. Stored values count (128 of 255 is a
 * half), for colors their luma. If the picture has any transparency, its alpha counts instead (then *alpha is TRUE). A
 * picture of another size is scaled if it has the same shape, and refused with USAGE otherwise, as in AUTOMATIC1111.
 * Caller unrefs. */
GeglBuffer *sfu_mask_from_picture(GeglBuffer *picture, const GeglRectangle *place, gboolean invert, gboolean *alpha,
                                  GError **error);
/* Gets ready for a job like this one, which may never come: opens its model and has other processes compile what it
 * will launch, until a job has run. Takes less than a second. Errors are left for the job to report. */
void sfu_engine_prepare(SfuEngine *e, const SfuJob *job);
/* Runs the job; SfuResult*, `count` of them; caller frees with g_ptr_array_unref(). NULL on error or cancel. */
GPtrArray *sfu_engine_run(SfuEngine *e, const SfuJob *job, GError **error);
/* Lays the result over the picture, in the picture's own format (Porter & Duff 1984, over; inpainting keeps the
 * picture's alpha). Where the result's alpha is 0, pixels stay identical to the bit. New buffer; caller unrefs. */
GeglBuffer *sfu_result_composite(const SfuResult *r, GeglBuffer *picture);

G_END_DECLS
#endif
