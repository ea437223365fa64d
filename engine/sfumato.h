/* Sfumato's public header: all that the plug-in, the dialogs and the command line see of the engine.
 * Pictures are GEGL buffers of any format; their colour space is taken from the buffer's babl format. No call prints, exits or
 * aborts; errors are GErrors of one sentence, fit to be shown to the user.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFUMATO_H
#define SFUMATO_H

#include <gegl.h>

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

/* ---- tasks and parameters ------------------------------------------------------------------------------------ */

typedef enum {
    SFU_TASK_TXT2IMG,  /* params -> picture */
    SFU_TASK_IMG2IMG,  /* picture [+ mask: only there] -> picture */
    SFU_TASK_INPAINT,  /* picture + mask -> region */
    SFU_TASK_OUTPAINT, /* picture + params left, right, top, bottom -> larger picture */
    SFU_TASK_EDIT,     /* picture + instruction (8-channel models) -> picture */
    SFU_TASK_UPSCALE,  /* picture -> scale times larger picture */
    SFU_N_TASKS
} SfuTask;
const char *sfu_task_name(SfuTask task); /* "txt2img" ... */

typedef enum { SFU_PARAM_BOOL, SFU_PARAM_INT, SFU_PARAM_FLOAT, SFU_PARAM_STRING, SFU_PARAM_CHOICE, SFU_PARAM_FILE } SfuParamType;

/* One row of the table of parameters (engine/pipe/params.c), from which the flags, PDB arguments, dialog fields, metadata and
 * reference are made. */
typedef struct {
    const char *name;  /* "guidance": --guidance, #:guidance */
    const char *label; /* short words for a dialog */
    const char *help;  /* one line */
    const char *unit;  /* "px", "%", "" */
    SfuParamType type;
    double min, max, def;       /* BOOL: 0 or 1; CHOICE: index */
    const char *def_text;       /* STRING, FILE */
    const char *const *choices; /* NULL-terminated, CHOICE only; the first is index 0 */
    guint tasks;                /* bit 1 << SfuTask */
    gboolean advanced;          /* belongs into a dialog's advanced section */
} SfuParamSpec;
const SfuParamSpec *sfu_param_table(int *n); /* static */
const SfuParamSpec *sfu_param_find(const char *name);
/* What the engine takes for `task` when the value is not given (strength differs by task); show this in a dialog. */
double sfu_param_default(const char *name, SfuTask task);

/* A set of values, one for each row; starts with the defaults. */
typedef struct SfuParams SfuParams;
SfuParams *sfu_params_new(void); /* caller frees with sfu_params_free() */
SfuParams *sfu_params_copy(const SfuParams *p);
void sfu_params_free(SfuParams *p);
/* From text as on the command line; checks type and range. FALSE with USAGE. */
gboolean sfu_params_set(SfuParams *p, const char *name, const char *value, GError **error);
gboolean sfu_params_set_double(SfuParams *p, const char *name, double value, GError **error); /* BOOL, INT, FLOAT, CHOICE */
double sfu_params_get_double(const SfuParams *p, const char *name);
const char *sfu_params_get_string(const SfuParams *p, const char *name); /* borrowed; CHOICE: the choice's word */
gboolean sfu_params_is_set(const SfuParams *p, const char *name);        /* differs from "not given" */
char *sfu_params_to_json(const SfuParams *p); /* caller frees with g_free */
gboolean sfu_params_from_json(SfuParams *p, const char *json, GError **error); /* unknown members are refused */
/* The text that AUTOMATIC1111 writes into PNG files ("parameters"). */
char *sfu_params_to_infotext(const SfuParams *p, int width, int height);
gboolean sfu_params_from_infotext(SfuParams *p, const char *text, GError **error); /* what it does not know is skipped */

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
    guint tasks;                /* bits 1 << SfuTask */
    gboolean has_text;          /* FALSE: prompts are not used */
    int native_px;              /* side that it was trained at; 0: any */
    int scale;                  /* upscalers: enlarges this many times; else 0 */
    const char *part;           /* "vae", "taesd": only a part, for the parameter of this name; NULL: a model */
    char *error;                /* why it cannot be used; NULL if it can */
} SfuModelInfo;
/* Folders that are searched: the user's, the system's, those beside the running program, then `extra` (NULL-terminated, may be NULL).
 * NULL-terminated; caller frees with g_strfreev(). */
char **sfu_model_folders(const char *const *extra);
/* Every model below the folders, one header read each. SfuModelInfo*; caller frees with g_ptr_array_unref(). */
GPtrArray *sfu_models(const char *const *folders);
/* The model that a task uses when none is named: the user's of the right family first, the embedded one last. Path, caller frees; NULL. */
char *sfu_model_default(GPtrArray *models, SfuTask task);
/* Family, dtype, sizes, missing and unexpected tensors, for people or as JSON. Caller frees; NULL with MODEL. */
char *sfu_model_report(const char *path, gboolean json, GError **error);

/* ---- the engine ------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *device;    /* NULL: the best; an index or part of a name */
    guint64 memory_bytes;  /* 0: chosen from the device */
    const char *precision; /* "auto" (NULL), "fp32", "bf16", "fp16" */
    gboolean profile;
} SfuEngineOptions;

/* One device with the models in use, kept loaded between jobs. Calls from one thread at a time. */
typedef struct SfuEngine SfuEngine;
SfuEngine *sfu_engine_new(const SfuEngineOptions *options, GError **error); /* caller frees with sfu_engine_free() */
void sfu_engine_free(SfuEngine *e);
const char *sfu_engine_device(const SfuEngine *e);   /* name; borrowed */
guint64 sfu_engine_peak_bytes(const SfuEngine *e);   /* on the device */
char *sfu_engine_profile(SfuEngine *e);              /* table of kernel times; caller frees; NULL if not profiling */
void sfu_engine_unload(SfuEngine *e);                /* drops loaded models */

typedef enum { SFU_STAGE_COMPILE, SFU_STAGE_LOAD, SFU_STAGE_ENCODE, SFU_STAGE_DENOISE, SFU_STAGE_DECODE, SFU_STAGE_UPSCALE } SfuStage;
typedef struct {
    SfuStage stage;
    int step, n_steps;     /* within the stage (steps, tiles) */
    double fraction;       /* of the whole job, 0..1, never falls */
    double seconds_left;   /* < 0: not known yet */
    int image, n_images;   /* which of the batch */
    const char *text;      /* "Denoising 7 of 20, 12 s left" */
} SfuProgress;

typedef struct {
    SfuTask task;
    const SfuParams *params;
    GeglBuffer *picture; /* NULL for txt2img; borrowed, only read */
    GeglBuffer *mask;    /* "Y float", 1 = repaint, in the picture's coordinates; outside its extent 0; NULL: all (img2img) */
    const int *cancel;   /* set non-zero from any thread to stop within a step; NULL: never */
    /* Both are called in the thread that runs the job. preview: R'G'B' float, extent as the result's; only while params say so. */
    void (*progress)(const SfuProgress *p, gpointer data);
    void (*preview)(GeglBuffer *picture, int step, gpointer data);
    gpointer data;
    const char *noise_file;  /* start noise from a safetensors file ("noise" [n, c, h, w]); NULL: from the seed */
    const char *latent_file; /* write the final latents there (safetensors, "latent"); NULL: no */
    const char *trace_dir;   /* write every block's output there; NULL: no */
} SfuJob;

/* One finished picture. */
typedef struct {
    /* R'G'B'A float in sRGB, straight alpha; its extent is its place in the picture's coordinates. Inpainting: alpha is the feathered mask, 0
     * where nothing may change. Upscaling and outpainting: the whole new picture; upscaling: floats of the picture's own colour model and space, so
     * that nothing is lost by converting. Gray input: R = G = B. */
    GeglBuffer *picture;
    guint64 seed;
    SfuParams *params; /* every value as used, seed and model included */
    SfuTask task;
    gboolean masked; /* lies over the picture through its alpha; else it replaces it */
} SfuResult;
void sfu_result_free(SfuResult *r);

/* Runs the job; SfuResult*, `count` of them; caller frees with g_ptr_array_unref(). NULL on error or cancel. */
GPtrArray *sfu_engine_run(SfuEngine *e, const SfuJob *job, GError **error);
/* picture with the result laid over it (Porter & Duff 1984, over; the backdrop's alpha kept under inpainting), in picture's own format. New
 * buffer, caller unrefs. Pixels under alpha 0 are bit-identical. */
GeglBuffer *sfu_result_composite(const SfuResult *r, GeglBuffer *picture);

G_END_DECLS
#endif
