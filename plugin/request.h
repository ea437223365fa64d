/* What the user can ask for: the actions of the menu, and one request with its values. The parameters come from the
 * engine's table. The few that only the plug-in has (what to read, where the result goes) are rows of the same kind.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SFU_REQUEST_H
#define SFU_REQUEST_H

#include "sfumato.h"

G_BEGIN_DECLS

typedef enum {
    SFU_ACTION_FILL,
    SFU_ACTION_REMOVE,
    SFU_ACTION_EXPAND,
    SFU_ACTION_REFINE,
    SFU_ACTION_GENERATE,
    SFU_ACTION_ENLARGE,
    SFU_ACTION_RESTYLE,
    SFU_ACTION_EDIT,
    SFU_ACTION_SEAMLESS,
    SFU_ACTION_RESTORE,
    SFU_N_ACTIONS
} SfuAction;

typedef struct {
    const char *name;      /* "fill": in parasites and settings */
    const char *procedure; /* "plug-in-sfumato-fill" */
    const char *menu;      /* menu label, untranslated, with mnemonic */
    const char *title;     /* short, untranslated: dialog titles, undo steps */
    const char *layer;     /* one word, untranslated: "Fill", for the names of new layers */
    const char *blurb, *help;
    SfuTask task;
    gboolean has_dialog;
    gboolean needs_image, needs_selection;
} SfuActionInfo;
const SfuActionInfo *sfu_action_info(SfuAction action);
char *sfu_action_help(SfuAction action); /* translated, for procedure browsers; caller frees */
int sfu_action_find(const char *name);   /* by name or procedure; -1 */

/* The rows that an action has, plain ones first; static, NULL-terminated. */
const SfuParamSpec *const *sfu_action_specs(SfuAction action);
const SfuParamSpec *sfu_action_spec(SfuAction action, const char *name); /* NULL: the action has no such row */
/* TRUE: the row is an argument of its own in GIMP 2.10, where scripts pass arguments by position. That list can
 * never grow, so newer and advanced rows go into the string "options" there. */
gboolean sfu_spec_has_position(const SfuParamSpec *spec);
/* TRUE: a choice to which the user's files add words. A host with fixed choices must accept any text for it. */
gboolean sfu_spec_is_open(const SfuParamSpec *spec);
double sfu_action_default(SfuAction action, const SfuParamSpec *spec);
/* "steps" and range in words, for procedure browsers: "Sampling steps (0 to 1000, default 0)". Caller frees. */
char *sfu_spec_describe(SfuAction action, const SfuParamSpec *spec);

typedef struct {
    SfuAction action;
    SfuParams *params;
    gboolean sample_merged; /* read the visible image, not the active layer */
    gboolean layer_mask;    /* the feathered mask becomes a layer mask */
    gboolean new_image;     /* the result becomes a new image */
    gboolean whole_image;   /* enlarging: the whole image with all its layers */
    char *exclude; /* filling: name of a channel whose area is never copied from; "": the kept area, if the image has
                      one; SFU_EXCLUDE_NOTHING: none */
} SfuRequest;
#define SFU_EXCLUDE_NOTHING "-"
/* The channel that Keep Excluded Area makes from the selection. */
#define SFU_EXCLUDE_CHANNEL "Sfumato: excluded"
SfuRequest *sfu_request_new(SfuAction action); /* with the action's defaults; caller frees with sfu_request_free() */
SfuRequest *sfu_request_copy(const SfuRequest *r);
void sfu_request_assign(SfuRequest *to, const SfuRequest *from); /* all values; `to` keeps its action */
void sfu_request_free(SfuRequest *r);
/* Values by row name. A value that is set counts as given, even if it equals the default. A value that is not given
 * is the model's choice, or else the table's default. An empty text is not given. FALSE with USAGE. */
gboolean sfu_request_set(SfuRequest *r, const char *name, const char *value, GError **error);
gboolean sfu_request_set_double(SfuRequest *r, const char *name, double value, GError **error);
/* Arguments of the PDB, each of which must have a value. SFU_NOT_GIVEN, "" and SFU_NOT_GIVEN_WORD mean "not given".
 * No row uses that number except to say "automatic", and no choice is called by those words. FALSE with USAGE. */
#define SFU_NOT_GIVEN (-1.0)
#define SFU_NOT_GIVEN_WORD "default"
gboolean sfu_request_set_argument(SfuRequest *r, const char *name, double value, GError **error);
gboolean sfu_request_set_text_argument(SfuRequest *r, const char *name, const char *value, GError **error);
gboolean sfu_request_given(const SfuRequest *r, const char *name);
double sfu_request_get_double(const SfuRequest *r, const char *name);
const char *sfu_request_get_string(const SfuRequest *r, const char *name); /* borrowed */
/* "name=value name2='two words'" */
gboolean sfu_request_set_options(SfuRequest *r, const char *options, GError **error);
/* {"action": "fill", ..., "params": {...}}; `source` is the tattoo of the layer that was read; 0 leaves it out.
 * Caller frees. */
char *sfu_request_to_json(const SfuRequest *r, guint source);
/* NULL with USAGE; caller frees. source may be NULL. */
SfuRequest *sfu_request_from_json(const char *json, guint *source, GError **error);

G_END_DECLS
#endif
