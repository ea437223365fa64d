/* Tasks and generation parameters: a part of sfumato.h, which includes it.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PARAMS_H
#define SFU_PARAMS_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    SFU_TASK_TXT2IMG,  /* params -> picture */
    SFU_TASK_IMG2IMG,  /* picture [+ mask: only there] -> picture */
    SFU_TASK_INPAINT,  /* picture + mask -> region */
    SFU_TASK_OUTPAINT, /* picture + params left, right, top, bottom -> larger picture */
    SFU_TASK_EDIT,     /* picture [+ mask: only there] + instruction -> picture */
    SFU_TASK_UPSCALE,  /* picture -> scale times larger picture */
    SFU_N_TASKS
} SfuTask;
const char *sfu_task_name(SfuTask task); /* "txt2img" ... */

/* ---- the table ------------------------------------------------------------------------------------------------- */

typedef enum {
    SFU_PARAM_BOOL,
    SFU_PARAM_INT,
    SFU_PARAM_FLOAT,
    SFU_PARAM_STRING,
    SFU_PARAM_CHOICE,
    SFU_PARAM_FILE
} SfuParamType;

#ifndef SFU_PARAM_TABLE /* tests bring rows of their own */
#define SFU_PARAM_TABLE "params/table.inc"
#endif
typedef enum {
#define ROW(id, ...) SFU_PARAM_##id,
#include SFU_PARAM_TABLE
#undef ROW
    SFU_N_PARAMS
} SfuParam; /* SFU_PARAM_PROMPT ... */

#define SFU_SEED_MAX G_MAXINT64
#define SFU_EXACT_MAX                                                                                                  \
    9007199254740991.0 /* 2^53 - 1: the largest whole number that doubles, and so PDB floats and spin buttons, hold    \
                          exactly */

/* What a model must have, or a run must do, so that a parameter changes anything; bits of SfuParamSpec.needs. */
typedef enum {
    SFU_NEEDS_WORDS = 1 << 0,       /* it understands text */
    SFU_NEEDS_CLIP = 1 << 1,        /* by CLIP */
    SFU_NEEDS_TWO_TEXTS = 1 << 2,   /* by the second of two encoders */
    SFU_NEEDS_NETWORK = 1 << 3,     /* it is an upscaler network */
    SFU_NEEDS_DENOISER = 1 << 4,    /* it removes noise, */
    SFU_NEEDS_STEPS = 1 << 5,       /* in steps, */
    SFU_NEEDS_STRENGTH = 1 << 6,    /* beginning with a picture that has some noise */
    SFU_NEEDS_CONTENT = 1 << 7,     /* or with the filled hole */
    SFU_NEEDS_PATCHES = 1 << 8,     /* filled with copied texture */
    SFU_NEEDS_GUIDANCE = 1 << 9,    /* the scale of guidance counts */
    SFU_NEEDS_NEGATIVE = 1 << 10,   /* a second branch without the prompt */
    SFU_NEEDS_EDITS = 1 << 11,      /* a third one without the picture */
    SFU_NEEDS_SIZES = 1 << 12,      /* it is told sizes */
    SFU_NEEDS_SCORES = 1 << 13,     /* it is told a score */
    SFU_NEEDS_SEES = 1 << 14,       /* it sees the picture beside the new one */
    SFU_NEEDS_REFERENCES = 1 << 15, /* or others */
    SFU_NEEDS_VISION = 1 << 16,     /* through an image encoder */
    SFU_NEEDS_LOW_RES = 1 << 17,    /* it sees a small picture with noise */
    SFU_NEEDS_REFINER = 1 << 18,    /* a second model takes the last steps */
    SFU_NEEDS_CACHE = 1 << 19,      /* a pass can use the deep layers of another */
} SfuNeeds;

/* One row of the table (params/table.inc). Flags, PDB arguments, dialog fields, metadata and the reference are made
 * from the table. */
typedef struct {
    const char *name;  /* "guidance": --guidance */
    const char *label; /* short words for a dialog */
    const char *help;  /* one line */
    SfuParamType type;
    guint tasks;                /* bit 1 << SfuTask */
    const char *unit;           /* "px", "%", "" */
    double min, max, def;       /* BOOL: 0 or 1; CHOICE: index */
    const char *def_words;      /* what applies if no value is given, in words: "the model's own, else 2"; NULL: def */
    const char *const *choices; /* NULL-terminated, CHOICE only; the first is index 0 */
    const char *(*choices_of)(int index); /* makes `choices`; NULL: the row has them */
    const char *(*choices_lost)(void);    /* a sentence about choices that could not be read; NULL: none */
    gboolean list;                        /* STRING and FILE: any number of them, in order */
    gboolean advanced;                    /* belongs into a dialog's advanced section */
    guint needs;                          /* bits of SfuNeeds; 0: whatever the model is */
} SfuParamSpec;
const SfuParamSpec *sfu_param_table(int *n);          /* static; SFU_N_PARAMS rows, in the order of SfuParam */
const SfuParamSpec *sfu_param_find(const char *name); /* NULL: none */
gboolean sfu_param_is_text(const SfuParamSpec *spec); /* STRING or FILE */
/* A choice for people: "DPM++ 2M" for dpmpp_2m. Most choices are words already, to be translated. */
const char *sfu_param_choice_label(const SfuParamSpec *spec, int choice);
/* What the engine uses for `task` if neither the user nor the model gives a value (strength differs by task). */
double sfu_param_default(SfuParam param, SfuTask task);
/* The same in words: "7", "dpmpp_2m", or def_words. task < 0: for any. Caller frees with g_free(). */
char *sfu_param_default_words(SfuParam param, int task);
/* From now on the table offers only the built-in choices and reads no files. A host calls this first when it only asks
 * which actions exist. */
void sfu_params_without_files(void);
SfuParam sfu_param_of(const SfuParamSpec *spec); /* spec is one of sfu_param_table()'s */

/* ---- values ---------------------------------------------------------------------------------------------------- */

/* A set of values, one for each row. A value that was not given reads as the row's default. It still differs from the
 * same value given by hand: the engine may then use the model's own value instead. */
typedef struct SfuParams SfuParams;
SfuParams *sfu_params_new(void); /* nothing is given; caller frees with sfu_params_free() */
SfuParams *sfu_params_copy(const SfuParams *p);
void sfu_params_free(SfuParams *p);

gboolean sfu_params_given(const SfuParams *p, SfuParam param);
double sfu_params_double(const SfuParams *p, SfuParam param); /* FLOAT; others: as a number */
int sfu_params_int(const SfuParams *p, SfuParam param);       /* INT, CHOICE (its index); clamped to int */
gint64 sfu_params_int64(const SfuParams *p, SfuParam param);  /* INT, exactly: seeds */
gboolean sfu_params_bool(const SfuParams *p, SfuParam param);
const char *sfu_params_text(const SfuParams *p,
                            SfuParam param); /* STRING, FILE; CHOICE: its word; borrowed; "": none */
const char *const *sfu_params_list(const SfuParams *p,
                                   SfuParam param); /* rows with `list`; NULL-terminated, borrowed */
double sfu_params_for(const SfuParams *p, SfuParam param, SfuTask task); /* the value given, else the task's default */

/* Sets a value, clamped to the row's range. */
void sfu_params_put(SfuParams *p, SfuParam param, double value);
void sfu_params_put_int64(SfuParams *p, SfuParam param, gint64 value);
void sfu_params_put_text(SfuParams *p, SfuParam param, const char *value);
void sfu_params_unset(SfuParams *p, SfuParam param);

/* Sets a value from outside by name, and checks its type and range. FALSE with USAGE: nothing has changed. For a list,
 * the text is a JSON array of strings, or else its only item ("": no items). */
gboolean sfu_params_set(SfuParams *p, const char *name, const char *value, GError **error);
/* BOOL, INT, FLOAT, CHOICE. Refuses whole numbers beyond SFU_EXACT_MAX, because a double may have rounded them. */
gboolean sfu_params_set_double(SfuParams *p, const char *name, double value, GError **error);
gboolean sfu_params_set_int64(SfuParams *p, const char *name, gint64 value, GError **error);
gboolean sfu_params_add(SfuParams *p, const char *name, const char *value,
                        GError **error);                                 /* appends to a list; others: as set */
double sfu_params_get_double(const SfuParams *p, const char *name);      /* 0: no such row */
const char *sfu_params_get_string(const SfuParams *p, const char *name); /* as sfu_params_text(); "": no such row */
gboolean sfu_params_is_set(const SfuParams *p, const char *name);

char *sfu_params_to_json(const SfuParams *p); /* the given values; caller frees with g_free */
gboolean sfu_params_from_json(SfuParams *p, const char *json, GError **error); /* unknown members are refused */
/* The same of an object that sfu_json_read() has read. */
struct _JsonObject;
gboolean sfu_params_from_object(SfuParams *p, struct _JsonObject *object, GError **error);
/* The text that AUTOMATIC1111 writes into PNG files ("parameters"). */
char *sfu_params_to_infotext(const SfuParams *p, int width, int height);
/* Reads what A1111 reads from it. `warnings` (char*, may be NULL) receives a sentence for everything that is not taken
 * over unchanged. */
gboolean sfu_params_from_infotext(SfuParams *p, const char *text, GPtrArray *warnings, GError **error);

/* ---- lists whose items have a form of their own ---- */

typedef enum {
    SFU_PREPARE_NONE,
    SFU_PREPARE_CANNY,
    SFU_PREPARE_LINES,
    SFU_PREPARE_SCRIBBLE,
    SFU_PREPARE_BLUR,
    SFU_PREPARE_LUMINANCE,
    SFU_PREPARE_INVERT,
    SFU_PREPARE_INPAINT
} SfuPrepare;
/* An item of SFU_PARAM_CONTROL: "NET=PICTURE[,weight=..,from=..,to=..,type=..,prepare=..,guess=..]". */
typedef struct {
    char *net, *picture;     /* picture "": the job's own picture */
    double weight, from, to; /* from, to: parts of the steps */
    char *type;              /* of the picture, for unions; NULL: not given */
    SfuPrepare prepare;
    double low, high; /* Canny's thresholds */
    gboolean guess;
} SfuControlSpec;
/* FALSE with USAGE; the spec is then empty. */
gboolean sfu_control_spec_read(const char *text, SfuControlSpec *spec, GError **error);
void sfu_control_spec_clear(SfuControlSpec *spec);
/* The text for a spec. Caller frees. */
char *sfu_control_spec_write(const SfuControlSpec *spec);

/* An item of SFU_PARAM_REFERENCE: "PICTURE[,weight=..,from=..,to=..,mask=PICTURE,net=..]". */
typedef struct {
    char *picture;           /* "": the caller has it */
    double weight, from, to; /* from, to: parts of the steps */
    char *mask;              /* where the new picture uses it; NULL: everywhere */
    char *net;               /* the IP-Adapter; NULL: an installed one that fits */
    gboolean keyed;          /* one of these was given; only models with an IP-Adapter use them */
} SfuReferenceSpec;
/* FALSE with USAGE; the spec is then empty. */
gboolean sfu_reference_spec_read(const char *text, SfuReferenceSpec *spec, GError **error);
void sfu_reference_spec_clear(SfuReferenceSpec *spec);

/* Adds a sentence to an array of strings unless it is already there. NULL: does nothing. */
void sfu_warn(GPtrArray *warnings, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
#endif
