/* Sfumato's public header: all that the plug-in, the dialogs and the command line see of the engine.
 * Pictures are GEGL buffers of any format; their colour space is taken from the buffer's babl format. No call prints,
 * exits or aborts; errors are GErrors of one sentence, fit to be shown to the user.
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
    SFU_ERROR_USAGE,     /* a parameter, mask or picture that cannot be worked with */
    SFU_ERROR_MODEL,     /* no model, a torn or foreign file, or one that cannot do the task */
    SFU_ERROR_DEVICE,    /* no OpenCL device, or it was lost */
    SFU_ERROR_MEMORY,    /* does not fit even tiled and streamed; the sentence says the bytes */
    SFU_ERROR_CANCELLED, /* the cancel flag was seen; nothing was produced */
    SFU_ERROR_FAILED,
} SfuError;

/* JSON from outside (a picture, a settings file, a list of jobs): one object of at most 1 MiB that is not nested
 * deeply; json-glib alone can be crashed by a file. `source` names it in messages. NULL with USAGE; caller frees with
 * json_node_unref(). */
struct _JsonNode *sfu_json_read(const char *text, const char *source, GError **error);

/* ---- devices and models --------------------------------------------------------------------------------------- */

typedef struct {
    int index;
    char *name, *platform, *driver;
    gboolean is_cpu, has_fp16;
    guint64 memory_bytes;
} SfuDevice;
GPtrArray *sfu_devices(GError **error); /* SfuDevice*; caller frees with g_ptr_array_unref(); NULL with DEVICE */

typedef struct {
    char *path, *name, *family; /* family in words */
    guint64 file_bytes;
    guint tasks;       /* bits 1 << SfuTask */
    gboolean has_text; /* FALSE: prompts are not used */
    int native_px;     /* side that it was trained at; 0: any */
    int scale;         /* upscalers: enlarges this many times; else 0 */
    const char *part;  /* "vae", "taesd": only a part, for the parameter of this name; NULL: a model */
    char *error;       /* why it cannot be used; NULL if it can */
} SfuModelInfo;
/* Folders that are searched: the user's, the system's, those beside the running program, then `extra` (NULL-terminated,
 * may be NULL). NULL-terminated; caller frees with g_strfreev(). */
char **sfu_model_folders(const char *const *extra);
/* Every model below the folders, one header read each. SfuModelInfo*; caller frees with g_ptr_array_unref(). */
GPtrArray *sfu_models(const char *const *folders);
/* The model that a task uses when none is named: the user's of the right family first, the embedded one last. Path,
 * caller frees; NULL. */
char *sfu_model_default(GPtrArray *models, SfuTask task);
/* A network that steers a model by a picture: a ControlNet or a T2I-Adapter. */
typedef struct {
    char *path, *name;
    gboolean has_types; /* it knows several kinds of pictures and has to be told which it gets */
} SfuControlNet;
/* Those for the model at `model`, from the folders called controlnet or t2i_adapter within `folders`; a header read
 * each. SfuControlNet*; caller frees with g_ptr_array_unref(). */
GPtrArray *sfu_control_nets(const char *const *folders, const char *model);
/* Family, dtype, sizes, missing and unexpected tensors, for people or as JSON. Caller frees; NULL with MODEL. */
char *sfu_model_report(const char *path, gboolean json, GError **error);
/* Writes the model file `in` to `out` (.gguf or .safetensors) with its large matrices as `type`: f32, f16, bf16, q8_0,
 * q4_0, q4_k, fp8, int8. A row at a time, and by rename. adapters: "FILE=WEIGHT,TEXT" to merge into it, NULL at the
 * end; NULL: none. replace: a file at `out` is written over. progress(0..1) may be NULL; FALSE from it stops. notes
 * gets sentences (char*) about what could not be merged. */
gboolean sfu_model_convert(const char *in, const char *out, const char *type, const char *const *adapters,
                           gboolean replace, gboolean (*progress)(double done, gpointer data), gpointer data,
                           GPtrArray *notes, GError **error);

/* ---- the engine ------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *device;    /* NULL: the best; an index or part of a name */
    guint64 memory_bytes;  /* 0: chosen from the device */
    const char *precision; /* "auto" (NULL), "fp32", "bf16", "fp16", "int8" */
    gboolean profile;
} SfuEngineOptions;

/* One device with the models in use, kept loaded between jobs. Calls from one thread at a time. */
typedef struct SfuEngine SfuEngine;
SfuEngine *sfu_engine_new(const SfuEngineOptions *options, GError **error); /* caller frees with sfu_engine_free() */
void sfu_engine_free(SfuEngine *e);
/* A folder of this user's own under the system's temporary one, made on first use. Borrowed; NULL: there is none. */
const char *sfu_temporary_folder(void);
char *
sfu_engine_warning(void); /* that the cache folder cannot be written, and what is done instead; NULL; caller frees */
const char *sfu_engine_device(const SfuEngine *e); /* name; borrowed */
guint64 sfu_engine_peak_bytes(const SfuEngine *e); /* on the device */
char *sfu_engine_profile(SfuEngine *e);            /* table of kernel times; caller frees; NULL if not profiling */
void sfu_engine_unload(SfuEngine *e);              /* drops loaded models */

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
    double fraction;     /* of the whole job, 0..1, never falls */
    double seconds_left; /* < 0: not known yet */
    int image, n_images; /* which of the batch */
    const char *text;    /* "Denoising 7 of 20, 12 s left" */
} SfuProgress;

/* What a run will cost, told before it begins. */
typedef struct {
    double seconds;
    guint64 bytes; /* on the device */
} SfuEstimate;
char *sfu_estimate_text(const SfuEstimate *e); /* "about 3 min on this device, needs 3.1 GB"; caller frees */

typedef struct {
    SfuTask task;
    const SfuParams *params;
    GeglBuffer *picture; /* NULL for txt2img; borrowed, only read */
    GeglBuffer
        *mask; /* "Y float", 1 = repaint, in the picture's coordinates; outside its extent 0; NULL: all (img2img) */
    GeglBuffer
        *exclude; /* "Y float" as the mask: filling, nothing is taken from where it is above a half; NULL: none */
    /* Pictures to look at, of any size, in the order of the items of SFU_PARAM_REFERENCE, which say how; where there
     * are fewer items, as usual. Borrowed, only read. */
    GeglBuffer *const *references;
    int n_references;
    /* [n_references] "Y float", over the whole picture that is made, of any size: where it looks at each; NULL, or an
     * entry NULL: everywhere. */
    GeglBuffer *const *reference_masks;
    GeglBuffer *const *controls; /* pictures of the items of SFU_PARAM_CONTROL, in their order; NULL: the one that is
                                    worked on; borrowed, only read */
    int n_controls;
    const int *cancel; /* set non-zero from any thread to stop within a step; NULL: never */
    /* Both are called in the thread that runs the job. preview: R'G'B' float, extent as the result's; only while params
     * say so. */
    void (*progress)(const SfuProgress *p, gpointer data);
    void (*preview)(GeglBuffer *picture, int step, gpointer data);
    void (*estimate)(const SfuEstimate *e, gpointer data); /* once, where it can be told; may be NULL */
    gpointer data;
    const char *noise_file;  /* start noise from a safetensors file ("noise" [n, c, h, w]); NULL: from the seed */
    const char *latent_file; /* write the final latents there (safetensors, "latent"); NULL: no */
    const char *trace_dir;   /* write every block's output there; NULL: no */
} SfuJob;

/* One finished picture. */
typedef struct {
    /* R'G'B'A float in sRGB, straight alpha; its extent is its place in the picture's coordinates. Inpainting: alpha is
     * the feathered mask, 0 where nothing may change. Upscaling and outpainting: the whole new picture; upscaling:
     * floats of the picture's own colour model and space, so that nothing is lost by converting. Gray input: R = G = B.
     */
    GeglBuffer *picture;
    guint64 seed;
    SfuParams *params; /* every value as used, seed and model included */
    SfuTask task;
    gboolean masked; /* lies over the picture through its alpha; else it replaces it */
    char *note;      /* what the user should know about it; NULL: nothing */
} SfuResult;
void sfu_result_free(SfuResult *r);

/* A picture as a mask for the pixels of `place`: "Y float", 1 = repaint. Values count as they are stored (128 of 255 is
 * a half), colours by their luma; where the picture is transparent anywhere, its alpha counts instead (*alpha tells).
 * Another size is scaled if the shape is the same, else refused with USAGE. AUTOMATIC1111 does the same. Caller unrefs.
 */
GeglBuffer *sfu_mask_from_picture(GeglBuffer *picture, const GeglRectangle *place, gboolean invert, gboolean *alpha,
                                  GError **error);
/* Runs the job; SfuResult*, `count` of them; caller frees with g_ptr_array_unref(). NULL on error or cancel. */
GPtrArray *sfu_engine_run(SfuEngine *e, const SfuJob *job, GError **error);
/* picture with the result laid over it (Porter & Duff 1984, over; the backdrop's alpha kept under inpainting), in
 * picture's own format. New buffer, caller unrefs. Pixels under alpha 0 are bit-identical. */
GeglBuffer *sfu_result_composite(const SfuResult *r, GeglBuffer *picture);

G_END_DECLS
#endif
