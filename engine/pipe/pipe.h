/* Inside engine/pipe: the engine, a run's state, and the pipelines.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_PIPE_H
#define SFU_PIPE_H

#include "sfumato.h"
#include "region/image.h"
#include "params/styles.h"
#include "model/delta.h"
#include "model/model.h"
#include "family/adapter_modules.h"
#include "family/family.h"
#include "net/qwen3.h"
#include "net/vision.h"
#include "sample/sample.h"
#include "text/text.h"

G_BEGIN_DECLS

/* Moves e (taken, may be NULL) to *dest under the public domain's codes, sentence unchanged. Always FALSE. */
gboolean sfu_error_convert(GError **dest, GError *e);

/* ---- installed_models.c ---- */

/* Paths (char*) of what may be models below the folder, sorted, `depth` folders deep; networks: folders of one
 * network in diffusers' form too. */
void sfu_model_files(GPtrArray *paths, const char *folder, int depth, gboolean networks);
/* As sfu_model_resolve(), for "vae" or "taesd": the part itself comes before models that hold one. */
char *sfu_part_resolve(const char *name, const char *part, GError **error);

/* ---- catalogue_names.c ---- */

gboolean sfu_is_same_title(const char *a, const char *b); /* without regard to case; a may be NULL */
/* The file of the model that a catalogue in or above these folders calls so. Caller frees. NULL with MODEL if it has
 * not been downloaded, without error if no catalogue has it. */
char *sfu_catalogue_file(const char *name, char **folders, GError **error);

typedef struct SfuRun SfuRun;

/* ---- engine.c --------------------------------------------------------------------------------------------------- */

#define SFU_MAX_TEXTS 2

/* An open model and those of its networks that were asked for. Owned by the engine. */
typedef struct {
    char *path;
    SfuModel *model;
    SfuTextEncoder *text[SFU_MAX_TEXTS]; /* texts.c's: CLIP's, the first and the second */
    SfuQwen3 *language;                  /* the text encoder of families whose text encoder is a language model */
    SfuByteTokenizer *byte_tokenizer;    /* its own */
    SfuDenoiser *denoiser;
    SfuAutoencoder *autoencoder;
    SfuUpscaler *upscaler;
    SfuRemover *remover;
    SfuControl *control;
    SfuVision *vision;
    char *pieces[SFU_N_PARTS]; /* paths of what it lacks and was found; NULL: not looked for yet */
} SfuLoaded;

typedef struct SfuAdapters SfuAdapters; /* applied_adapters.c's */

struct SfuEngine {
    SfuQueue *q;
    char *device;
    gboolean warned;       /* a run has told the warning about the cache folder */
    GPtrArray *loaded;     /* SfuLoaded* */
    GPtrArray *outdated;   /* SfuLoaded*, changed on disk since a job took them; they go before the next job */
    SfuAdapters *adapters; /* what the models' weights carry; NULL: nothing */
    SfuTokenizer *tokenizer;
    char *words;          /* which textual inversions they know; NULL: none were looked for */
    GPtrArray *encodings; /* hidden states of texts: the same words again need no text encoder; condition.c's own */
};

/* ---- language.c: prompts for a language model ------------------------------------------------------------------- */

typedef struct {
    float *values; /* [n_tokens, dim]; g_free */
    int n_tokens, dim;
} SfuHiddenStates;
/* What the text encoder of m, whose family has a recipe, makes of the text; from disk where it was made before. */
gboolean sfu_language_encode(SfuRun *r, SfuLoaded *m, const char *text, SfuHiddenStates *h, GError **error);
/* From a safetensors file with one tensor [tokens, width] or [1, tokens, width], or with one called hidden_states or
 * prompt_embeds. */
gboolean sfu_language_read(const char *path, SfuHiddenStates *h, GError **error);
/* Drops the device copies of all such encoders. */
void sfu_language_unload(SfuEngine *e);

/* ---- texts.c ---------------------------------------------------------------------------------------------------- */

/* How many CLIP encoders m's family has. */
int sfu_run_n_texts(const SfuLoaded *m);
/* Number i of them, m's own or one in another file; *config: its. Borrowed; NULL with error. */
SfuTextEncoder *sfu_run_text(SfuRun *r, SfuLoaded *m, int i, const SfuTextConfig **config, GError **error);
/* Drops the device copies of all such encoders. */
void sfu_texts_unload(SfuEngine *e);

/* ---- parts.c: models in pieces ---------------------------------------------------------------------------------- */

/* The file or folder with the part that the model lacks; caller frees; NULL: none. *where (may be NULL): the folders
 * that were looked into, for a message; caller frees. */
char *sfu_piece_find(const SfuModel *m, SfuPart part, char **where);
/* The model that has the part for a run of m: the one that the parameter names, m itself, or one that is found.
 * Borrowed; NULL with MODEL. */
SfuLoaded *sfu_run_load_piece(SfuRun *r, SfuLoaded *m, SfuPart part, GError **error);

/* ---- kept.c: files that people call by name --------------------------------------------------------------------- */

typedef enum {
    SFU_NAMED_ADAPTER,
    SFU_NAMED_EMBEDDING,
    SFU_NAMED_WILDCARD,
    SFU_NAMED_CONTROL,
    SFU_NAMED_IMAGE_PROMPT,
    SFU_NAMED_VISION,
    SFU_NAMED_INPAINT /* models lie there too */
} SfuNamedKind;
/* The file of that name, with or without its ending and folders ("style/ink"), in the folders of that kind within or
 * beside the model folders. Caller frees; NULL: none. */
char *sfu_named_find(SfuNamedKind kind, const char *name);
/* Whether files called so stand for their folder: diffusers' and PEFT's are all called alike. */
gboolean sfu_named_by_folder(const char *file);
/* All files of the kind: name without ending -> path. whole: names include the folders. Caller unrefs. */
GHashTable *sfu_named_list(SfuNamedKind kind, gboolean whole);
GHashTable *sfu_named_list_in(SfuNamedKind kind, const char *const *folders,
                              gboolean whole); /* instead of the model folders */
/* find.c: the SfuNamedKind that a folder of that name holds, ignoring case; -1: none. Such folders are not searched
 * for models. */
int sfu_named_kind(const char *name);

/* ---- load.c ----------------------------------------------------------------------------------------------------- */

void sfu_loaded_free(gpointer loaded);
void sfu_engine_forget_words(SfuEngine *e); /* drops the encoded texts */
/* The networks of a loaded model, made on first use. Borrowed; NULL with error. */
SfuDenoiser *sfu_loaded_denoiser(SfuLoaded *l, SfuQueue *q, GError **error);
SfuControl *sfu_loaded_control(SfuLoaded *l, SfuQueue *q, GError **error);
SfuAutoencoder *sfu_loaded_autoencoder(SfuLoaded *l, SfuQueue *q, GError **error);
/* Borrowed. An already loaded model is checked for changes on disk, and opened anew if there are any. */
SfuLoaded *sfu_engine_load(SfuEngine *e, const char *path, GError **error);
/* The model that the run's parameters name, or the task's default, checked for the task. */
SfuLoaded *sfu_run_load(SfuRun *r, GError **error);

/* ---- progress.c: progress, cancel, previews of one job
 * ----------------------------------------------------------------- */

#define SFU_N_STAGES (SFU_STAGE_UPSCALE + 1)

/* Of floats on the host, [n, h, w, c]. */
typedef struct {
    int n, h, w, c;
} SfuShape;

struct SfuRun {
    SfuEngine *e;
    SfuQueue *q;
    const SfuJob *job;
    SfuTask task;
    SfuParams *p; /* a copy: "every value as used" is filled in as it becomes known */
    int image, n_images;
    guint64 seed;
    char *note;        /* for the results; NULL: nothing */
    gboolean prepares; /* only what it will launch is to be found out */

    /* Work in units that cost about the same within a stage. */
    double planned[SFU_N_STAGES], done[SFU_N_STAGES], seconds[SFU_N_STAGES], measured[SFU_N_STAGES];
    double fraction;
    gint64 last_us;     /* when the last unit ended */
    int trace_count;    /* blocks written to trace_dir */
    float *start_noise; /* from job->noise_file: [n, h, w, c] */
    SfuShape noise;
    GArray *latents; /* final ones, for job->latent_file: [image, h, w, c] */
    SfuShape latent; /* of one image */
};

/* Adds work to the plan. */
void sfu_run_plan(SfuRun *r, SfuStage stage, double units);
/* `units` of the stage are done; reports step of n_steps. FALSE with CANCELLED if the flag is set. */
gboolean sfu_run_tick(SfuRun *r, SfuStage stage, double units, int step, int n_steps, GError **error);
/* Reports a stage that has begun, without work done. */
gboolean sfu_run_stage(SfuRun *r, SfuStage stage, GError **error);
gboolean sfu_run_cancelled(const SfuRun *r, GError **error);
/* A sentence that the user should read although the run goes on; each is kept once. */
void sfu_run_note(SfuRun *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Keeps the final latents of the image that is being made, if the job wants them; again for the same image: replaces
 * them. */
void sfu_run_keep_latents(SfuRun *r, const SfuImage *z);

/* ---- tensorfile.c ----------------------------------------------------------------------------------------------- */

/* One tensor of fp32 in a safetensors file, [n, c, h, w] from [n, h, w, c]; written by rename. */
gboolean sfu_tensorfile_write(const char *path, const char *name, const float *x, SfuShape shape, GError **error);
/* The same tensor back as [n, h, w, c]; caller frees with g_free. */
float *sfu_tensorfile_read(const char *path, const char *name, SfuShape *shape, GError **error);
/* The same for rows: [1, n, c] in the file. */
gboolean sfu_tensorfile_write_rows(const char *path, const char *name, const float *x, int n, int c, GError **error);
/* names: NULL at the end; the first that is there, else the file's only tensor; [n, c] behind dims of 1. */
float *sfu_tensorfile_read_rows(const char *path, const char *const *names, int *n, int *c, GError **error);
/* For SfuTrace: data is the SfuRun. */
gboolean sfu_run_trace(const char *block, const SfuTensor *x, gpointer run, GError **error);

/* ---- coder.c: pictures to latents and back ---------------------------------------------------------------------- */

/* The autoencoder of a run, tiled where the whole does not fit. net NULL: none. */
typedef struct {
    SfuRun *run;
    SfuAutoencoder *net;  /* borrowed */
    int factor, channels; /* net's */
    int wrap;             /* SfuWrap bits: pictures continue at their other sides */
} SfuCoder;
SfuCoder sfu_coder(SfuRun *run, SfuAutoencoder *net);
/* rgb [h, w, 3] in 0..1, sides multiples of the factor -> latents [h/f, w/f, c] as the UNet works on them (the
 * mean). */
SfuImage *sfu_coder_encode(const SfuCoder *a, const SfuImage *rgb, GError **error);
/* -> [h*f, w*f, 3] in about 0..1, not clamped. */
SfuImage *sfu_coder_decode(const SfuCoder *a, const SfuImage *latents, GError **error);
/* Side in latent pixels of the largest piece that fits the budget; the larger of w and h if all does. */
int sfu_coder_tile(const SfuCoder *a, int w, int h, gboolean decode);
double sfu_coder_units(const SfuCoder *a, int latent_w, int latent_h);

/* ---- diffuse.c: from noise to latents ---------------------------------------------------------------------------- */

/* Mid-gray, the membrane, or texture copied from the surroundings. */
typedef enum { SFU_MASK_GREY, SFU_MASK_SMOOTH, SFU_MASK_PATCH } SfuMaskFill;

typedef struct SfuControls SfuControls;
typedef struct SfuImagePrompts SfuImagePrompts;

/* What a run needs of its model. */
typedef struct SfuSession SfuSession;
struct SfuSession {
    SfuRun *run;
    SfuLoaded *m;
    SfuCoder ae;
    SfuCoder preview;      /* a quicker one for previews; net NULL: none */
    SfuDenoiser *denoiser; /* NULL: the remover does it */
    SfuRemover *remover;   /* fills the hole in one pass; NULL: the denoiser does it, in steps */
    const SfuFamily *family;
    int least_px;                    /* side of the smallest pictures that it works as well on */
    int native_px, max_px, multiple; /* multiple: px, what working sides are rounded to */
    double guidance, image_guidance, rescale;
    int n_branches; /* of the batch: 1; 2 (text guidance); 3 (text and image guidance); with AND: the parts and one more
                     */
    int n_parts;    /* branches that are parts of the prompt, each with its weight; then the negative prompt */
    double part_weights[SFU_PROMPT_MAX_PARTS];
    SfuPromptPlan *prompt, *negative; /* NULL: no words */
    SfuTensor **references;           /* [n_references]: latents that the network sees beside its own */
    int n_references;
    char *embedding;         /* the file that takes the place of the prompt; NULL: none */
    struct SfuWords *words;  /* words.c's; NULL: none */
    gboolean chance;         /* the prompts have wildcards: another seed may mean other words */
    int n_plain_branches;    /* n_branches without AND; 0: not set yet */
    char *words_set;         /* which words and size the network has as its condition; NULL: none */
    int shown_w, shown_h;    /* px, of the picture that is being made */
    int grid;                /* side of the grid of tokens that the context is averaged from; 0: text */
    gboolean smooth_too;     /* the membrane is a second condition */
    SfuMaskFill mask_fill;   /* what is in the hole of the masked picture that the UNet sees */
    float reach;             /* px into a hole that the network is trusted (sfu_fill_reach()); 0: everywhere */
    int deep;                /* px of the low frequencies that are trusted deeper */
    int rounds;              /* of fill and network where only background is copied: each fill follows what the network
                                made of the one before */
    gboolean from_condition; /* the flow starts from the latents under the mask plus start_noise times noise */
    float start_noise;
    gboolean residual; /* inpainting: the change against the condition's own decoding is added to the condition */
    int class_label;   /* -1: none */
    SfuSampler sampler;
    SfuSchedule schedule;
    double eta;
    int steps;
    int wrap;                       /* SfuWrap bits: the picture continues at its other sides */
    SfuControls *controls;          /* networks that steer by a picture; NULL: none */
    SfuImagePrompts *image_prompts; /* pictures that cross-attention looks at; NULL: none */
    SfuSession *refiner;            /* makes the passes at timesteps below refiner_from; NULL: there is none */
    double refiner_from;
};

/* ---- controls.c: ControlNets and T2I-Adapters
 * --------------------------------------------------------------------- */

/* Opens those that the parameters name, or one for inpainting that is found. */
gboolean sfu_controls_open(SfuSession *s, GError **error);
void sfu_controls_close(SfuSession *s);
gboolean sfu_controls_set_condition(SfuSession *s, const SfuCondition *condition, GError **error);
/* Where a pass works, and on what. */
typedef struct {
    SfuRect canvas, at;         /* at: a part of the canvas */
    int w, h;                   /* working pixels */
    const SfuImage *own, *hole; /* the picture that is worked on [h, w, 3] and its hole [h, w, 1]; NULL: none */
} SfuControlView;
/* The pictures of that pass. */
gboolean sfu_controls_set_pictures(SfuSession *s, const SfuControlView *view, GError **error);
/* The adapter that belongs to one of them that was found; NULL: none does. Borrowed. */
const char *sfu_controls_adapter(const SfuSession *s);
/* What they add to step `step` of n_steps over the latents in rectangle r. */
gboolean sfu_controls_add(SfuSession *s, const SfuDenoiserInput *in, SfuRect r, int step, int n_steps,
                          SfuControlSum *sum, GError **error);

/* ---- image_prompts.c: references that a UNet looks at through an IP-Adapter
 * --------------------------------------- */

/* Opens the adapters and image encoders that the job's references need, where the model looks so, and encodes the
 * pictures. */
gboolean sfu_image_prompts_open(SfuSession *s, GError **error);
void sfu_image_prompts_close(SfuSession *s);
/* What the session's branches are to look at; borrowed until the prompts are closed. */
gboolean sfu_image_prompts_set_condition(SfuSession *s, SfuCondition *condition, GError **error);
/* The masks for a pass over rectangle `at` of the canvas, at w x h working pixels. */
gboolean sfu_image_prompts_set_place(SfuSession *s, SfuRect canvas, SfuRect at, int w, int h, GError **error);
/* For step `step` of n_steps over the latents in rectangle r: [n of them], borrowed until the next call; *uses NULL:
 * nothing is looked at. */
gboolean sfu_image_prompts_use(SfuSession *s, SfuRect r, int step, int n_steps, const SfuImagePromptUse **uses,
                               GError **error);
/* Whether step `step` looks at others than the one before it. */
gboolean sfu_image_prompts_change(const SfuSession *s, int step, int n_steps);

typedef struct {
    int w, h;              /* latent pixels */
    const SfuImage *x0;    /* [h, w, c] latents to start from; NULL: noise alone */
    gboolean from_noise;   /* start from noise alone although x0 is there (for blending) */
    const SfuImage *start; /* the flow runs from this plus start_noise times noise, not from noise alone (sfumato-mini);
                              NULL: noise alone */
    float start_noise;
    double strength;
    gboolean first;        /* of an image: the job's noise file is meant for this one */
    const SfuImage *extra; /* [h, w, c'] channels that the UNet sees after the noisy latent */
    const SfuImage *blend; /* [h, w, 1] 0: stays x0, 1: is repainted, between: from the step on that its strength
                              reaches; NULL: all */
    int tile, overlap;     /* latent pixels; 0: in one piece */
    guint64 noise_seed;
    /* Makes a picture of the denoised estimate; may be NULL. */
    gboolean (*preview)(gpointer data, const SfuImage *denoised, int step, GError **error);
    gpointer data;
} SfuDiffusion;
/* Caller frees. [h, w, c] latents. */
SfuImage *sfu_diffuse(SfuSession *s, const SfuDiffusion *d, GError **error);
int sfu_diffusion_calls(const SfuSession *s,
                        double strength); /* network passes that sfu_diffuse() will make over each pixel */

/* ---- condition.c: what the picture is to show
 * --------------------------------------------------------------------- */

/* Hidden states of prompt and negative prompt into the denoiser. */
gboolean sfu_session_set_prompts(SfuSession *s, GError **error);
/* For models without text (s->grid): the condition `extra` in rectangle r and the share that is repainted, averaged
 * over cells, into the denoiser. */
gboolean sfu_session_set_grid(SfuSession *s, const SfuImage *extra, SfuRect r, GError **error);

/* ---- references.c: pictures to look at ------------------------------------------------------------------------- */

/* Whether the network of this task looks at the picture that is worked on. */
gboolean sfu_session_sees_picture(const SfuSession *s);
/* And at the mask, as a picture. */
gboolean sfu_session_sees_mask(const SfuSession *s);
/* FALSE with USAGE if there are too many references, if they are too small, or if the network takes none. */
gboolean sfu_session_check_references(const SfuSession *s, GError **error);
/* Of the job's reference i, in latent pixels. */
void sfu_session_reference_size(const SfuSession *s, int i, int *w, int *h);
/* Latents of the job's reference i; caller frees. */
SfuImage *sfu_session_reference(SfuSession *s, int i, GError **error);
/* Gives the network these latents to look at, with the words of the next pass; copied. */
gboolean sfu_session_set_references(SfuSession *s, SfuImage *const *latents, int n, GError **error);
void sfu_session_drop_references(SfuSession *s);

/* ---- wildcards.c: words that are left to chance ------------------------------------------------------------------ */

/* The job's prompts, with the words of its style and a choice for each wildcard; caller frees both. Records the
 * choices in the run's parameters. *chance: there was a choice, so another seed may choose differently. FALSE with
 * USAGE if a wildcard has no file. */
gboolean sfu_run_prompts(SfuRun *r, char **prompt, char **negative, gboolean *chance, GError **error);

/* ---- words.c: textual inversion ---------------------------------------------------------------------------------- */

typedef struct SfuWords SfuWords;
/* The words of the session's model that stand for vectors of their own: files of the folders, and what adapters
 * bring. Encodings of words that have changed since are forgotten. Caller frees with sfu_words_free(). */
SfuWords *sfu_words_new(SfuSession *s);
void sfu_words_free(SfuWords *w);
/* The prompt for text encoder number i, and the encoder told of the vectors in it until sfu_words_done(). Caller
 * frees; NULL with error. */
SfuPrompt *sfu_words_parse(SfuWords *w, const char *text, int i, SfuTextEncoder *te, const SfuTextConfig *config,
                           GError **error);
void sfu_words_done(SfuTextEncoder *te);

/* ---- applied_adapters.c: adapters on the weights of open models --------------------------------------------- */

/* They go before the models do. */
SfuAdapters *sfu_adapters_new(void);
void sfu_adapters_free(SfuAdapters *a);
/* The file, opened on first use. Borrowed until the next sfu_adapters_apply(). */
const SfuAdapter *sfu_adapters_open(SfuAdapters *a, const char *path, GError **error);
typedef struct {
    const char *path;
    float weight, text;
} SfuAdapterChoice;
/* From now on the weights of all models carry these adapters (SfuAdapterChoice) and no others. The first base must
 * take them all. Appends the SfuDeltaUse's to uses, and a sentence (char*) for everything that is left out to notes. */
gboolean sfu_adapters_apply(SfuAdapters *a, const GArray *choices, const SfuAdapterBase *bases, int n_bases,
                            GArray *uses, GPtrArray *notes, GError **error);
/* Which of them change texts' encodings, and how much; "": none does. a may be NULL. */
const char *sfu_adapters_text_key(const SfuAdapters *a);
/* Textual inversions that come with them: name -> path. a may be NULL. */
void sfu_adapters_bundles(const SfuAdapters *a, GHashTable *names);
/* As sfu_file_check_intact(), of all their files; a may be NULL. */
gboolean sfu_adapters_check_intact(const SfuAdapters *a, GError **error);

/* ---- chosen_adapters.c: LoRA and its kin ---- */

/* Gives the weights of the session's models what the parameters and the tags ("lora:name:0.8") ask for. */
gboolean sfu_session_set_adapters(SfuSession *s, const GPtrArray *tags, GError **error);
/* The same for one model and rows "FILE=WEIGHT,TEXT". */
gboolean sfu_adapters_apply_rows(SfuAdapters *a, SfuModel *m, const char *const *rows, GArray *uses, GPtrArray *notes,
                                 GError **error);

/* ---- estimate.c: what a run will cost --------------------------------------------------------------------------- */

/* Kinds of work that the device has a rate of its own for: autoencoders, and the denoisers of each family, since small
 * networks reach a tenth of what large ones do. */
#define SFU_RATE_CODER "autoencoder"

#define SFU_MOST_REFERENCES 16
/* A pass of a pipeline: so many passes of the network over w x h latent pixels, beside references of these sizes. */
typedef struct {
    int w, h, n_passes, n_encodes;
    int n_references, references[SFU_MOST_REFERENCES][2]; /* h, w */
} SfuWork;
/* FALSE: the networks cannot be rehearsed, nothing is known. Gives the network a condition of no use: before the
 * words. */
gboolean sfu_session_estimate(SfuSession *s, const SfuWork *work, int n_work, SfuEstimate *e);
/* Notes the rate of work that began at start_us and was waited for. */
void sfu_note_rate(SfuQueue *q, const char *kind, double flops, gint64 start_us);
void sfu_note_denoiser_rate(const SfuSession *s, double flops, gint64 start_us);
void sfu_run_tell_estimate(SfuRun *r, const SfuEstimate *e);

/* ---- session.c -------------------------------------------------------------------------------------------------- */

JsonObject *sfu_json_child(JsonObject *o, const char *name); /* NULL if there is none */
double sfu_json_number(JsonObject *o, const char *name, double fallback);
gboolean sfu_session_init(SfuSession *s, SfuRun *run, SfuLoaded *m, GError **error);
void sfu_session_close(SfuSession *s); /* frees what it holds */
/* Latents to a small picture by the means that the parameters choose. Caller frees; [h', w', 3]. */
SfuImage *sfu_session_preview(SfuSession *s, const SfuImage *latents, GError **error);

/* ---- unused_params.c ---- */

/* Notes which of the values that were given the model m has no use for. s: the session that has run; NULL: m is an
 * upscaler network. */
void sfu_run_note_unused(SfuRun *r, const SfuLoaded *m, const SfuSession *s);

/* ---- odd_values.c ---- */

/* Notes that the picture has values that are not numbers, or that the run by model m clips. */
gboolean sfu_run_note_odd_values(SfuRun *r, const SfuModel *m);

/* ---- condition.c ------------------------------------------------------------------------------------------------- */

void sfu_session_clear(SfuSession *s); /* frees the words */
/* Encodes all texts that the prompts mean during the run, for the refiner too. */
gboolean sfu_session_set_prompts(SfuSession *s, GError **error);
/* Gives the network the words of the pass `call` (from 0) of a run of the sampler, if they are others than it has;
 * *changed (may be NULL) says so. */
gboolean sfu_session_use_words(SfuSession *s, int call, gboolean *changed, GError **error);
/* raw [branches, n], the network's output -> guided [n] in the first branch's place. */
void sfu_session_guide(const SfuSession *s, float *raw, gint64 n);

/* ---- pipelines: each appends SfuResult* to results
 * ----------------------------------------------------------------- */

gboolean sfu_pipe_paint(SfuSession *s, GPtrArray *results, GError **error);   /* paint.c: all tasks but UPSCALE */
gboolean sfu_pipe_enlarge(SfuSession *s, GPtrArray *results, GError **error); /* enlarge.c: by diffusion */
gboolean sfu_pipe_network(SfuRun *r, SfuLoaded *m, GPtrArray *results, GError **error); /* upscaling.c */
/* upscaling.c: m's upscaler network once over the picture. New buffer [w * scale, h * scale] at the same corner. */
GeglBuffer *sfu_network_enlarge(SfuRun *r, SfuLoaded *m, GeglBuffer *in, GError **error);

/* ---- enlarging: what both ways share (stretch.c)
 * ------------------------------------------------------------------ */

/* Size asked for; FALSE with USAGE if it cannot be. */
gboolean sfu_enlarged_size(const SfuRun *r, int *w, int *h, GError **error);
/* A strip of `in`, colors continued under transparency. rect in the buffer's own coordinates from its extent's
 * corner. */
SfuImage *sfu_enlarge_read(GeglBuffer *in, SfuRect rect, GError **error);
/* Floats of the buffer's own color model, alpha and space, on a curve as the eye weighs light: its colors lie
 * between 0 and 1 (in sRGB those of a wide gamut do not), and reading and writing them loses nothing. */
const Babl *sfu_enlarge_format(GeglBuffer *b);
/* As sfu_enlarge_read(), [h, w, 4], but in that format's space. */
SfuImage *sfu_enlarge_read_own(GeglBuffer *in, SfuRect rect, GError **error);
/* rgba [h, w, 4] to a buffer in such a format; overwrites rgba. */
void sfu_enlarge_write(GeglBuffer *out, SfuRect rect, float *rgba);
/* Takes the buffer, brings it to the size asked for at the picture's place, grays it if the picture is, and makes it
 * the result. */
gboolean sfu_enlarge_finish(SfuRun *r, GeglBuffer *taken, GPtrArray *results, GError **error);

/* masked: as SfuResult has it. */
SfuResult *sfu_result_new(SfuRun *r, GeglBuffer *taken, gboolean masked);

G_END_DECLS
#endif
