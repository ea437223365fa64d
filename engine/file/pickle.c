/* A reader of the part of Python's pickle that files of weights use. A pickle is a program for a stack machine, and
 * Python runs it with the right to call anything; this machine knows the operations that make dicts, tuples and
 * numbers, and three functions that make tensors. A module of a TorchScript archive, and a ParameterDict, becomes the
 * dict of its attributes; code is never read. Anything else ends the reading, by name. Copyright (C) 2026 The Sfumato
 * authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "file/pickle.h"
#include "file/file.h"
#include <string.h>
#include <glib/gi18n-lib.h>

#define MAX_VALUES 2000000 /* a tensor takes about 20 */

typedef enum { REBUILD_TENSOR, REBUILD_PARAMETER, ORDERED_DICT, STORAGE_TYPE, TYPED_LIST, MODULE_CLASS } Role;

static const struct {
    const char *module, *name;
    Role role;
    SfuDtype dtype;
} allowed[] = {
    {"torch._utils", "_rebuild_tensor_v2", REBUILD_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor", REBUILD_TENSOR, 0}, /* before 0.4 */
    {"torch._utils", "_rebuild_parameter", REBUILD_PARAMETER, 0},
    {"collections", "OrderedDict", ORDERED_DICT, 0},
    {"torch.jit._pickle", "build_intlist", TYPED_LIST, 0}, /* TorchScript's lists of one type */
    {"torch.jit._pickle", "build_doublelist", TYPED_LIST, 0},
    {"torch.jit._pickle", "build_boollist", TYPED_LIST, 0},
    {"torch.jit._pickle", "build_tensorlist", TYPED_LIST, 0},
    {"__builtin__", "set", TYPED_LIST, 0}, /* empty ones, among a module's attributes */
    {"builtins", "set", TYPED_LIST, 0},
    {"torch.nn.modules.container", "ParameterDict", MODULE_CLASS, 0}, /* textual inversion's first files */
    {"torch", "FloatStorage", STORAGE_TYPE, SFU_F32},
    {"torch", "HalfStorage", STORAGE_TYPE, SFU_F16},
    {"torch", "BFloat16Storage", STORAGE_TYPE, SFU_BF16},
    {"torch", "DoubleStorage", STORAGE_TYPE, SFU_F64},
    {"torch", "LongStorage", STORAGE_TYPE, SFU_I64},
    {"torch", "IntStorage", STORAGE_TYPE, SFU_I32},
    {"torch", "ShortStorage", STORAGE_TYPE, SFU_I16},
    {"torch", "CharStorage", STORAGE_TYPE, SFU_I8},
    {"torch", "ByteStorage", STORAGE_TYPE, SFU_U8},
    {"torch", "BoolStorage", STORAGE_TYPE, SFU_BOOL},
    {"__torch__", "", MODULE_CLASS, 0}, /* the last: any class of a TorchScript archive */
};
/* Training programs keep settings, dates and states beside the weights, as objects of these modules (a name that ends
 * in a dot: of all below it). Nothing of them is made or called; they are passed over. */
static const char *const passed_over[] = {"numpy.core.multiarray.scalar",
                                          "numpy.core.numeric._frombuffer",
                                          "numpy._core.numeric._frombuffer",
                                          "numpy.core.multiarray._reconstruct",
                                          "numpy._core.multiarray.scalar",
                                          "numpy._core.multiarray._reconstruct",
                                          "numpy.dtype",
                                          "numpy.ndarray",
                                          "numpy.dtypes.",
                                          "_codecs.encode",
                                          "argparse.Namespace",
                                          "datetime.",
                                          "pathlib.",
                                          "collections.defaultdict",
                                          "collections.Counter",
                                          "builtins.dict",
                                          "builtins.list",
                                          "builtins.int",
                                          "builtins.float",
                                          "builtins.str",
                                          "builtins.bool",
                                          "builtins.tuple",
                                          "builtins.slice",
                                          "builtins.complex",
                                          "builtins.bytearray",
                                          "__builtin__.dict",
                                          "__builtin__.list",
                                          "__builtin__.int",
                                          "__builtin__.float",
                                          "__builtin__.str",
                                          "__builtin__.bool",
                                          "__builtin__.tuple",
                                          "__builtin__.long",
                                          "__builtin__.bytearray",
                                          "__builtin__.frozenset",
                                          "builtins.frozenset",
                                          "torch.Size",
                                          "torch.device",
                                          "torch.float16",
                                          "torch.float32",
                                          "torch.float64",
                                          "torch.bfloat16",
                                          "torch.int64",
                                          "torch.optim.",
                                          "typing.Any",
                                          "omegaconf.",
                                          "pytorch_lightning.",
                                          "lightning.pytorch.",
                                          "lightning.fabric.",
                                          "lightning_fabric.",
                                          "torchmetrics.",
                                          "yacs.config.CfgNode",
                                          "easydict.EasyDict",
                                          "addict.addict.Dict",
                                          "mmengine.",
                                          "mmcv."};
#define ANY_MODULE ((int)G_N_ELEMENTS(allowed) - 1)

typedef struct {
    const guint8 *p, *end;
    const char *path;
    GPtrArray *arena, *stack;
    GHashTable *memo; /* number -> value */
    GError **error;
} Reader;

void sfu_pickle_value_free(gpointer v)
{
    if (((SfuPickleValue *)v)->items)
        g_ptr_array_unref(((SfuPickleValue *)v)->items);
    g_free(v);
}

static gboolean fail_damaged(Reader *r, const char *what)
{
    g_set_error(r->error, SFU_FILE_ERROR, SFU_FILE_ERROR_FORMAT, _("%s: the pickle inside is damaged (%s)"), r->path,
                what);
    return FALSE;
}

static gboolean refused(Reader *r, const char *what)
{
    g_set_error(r->error, SFU_FILE_ERROR, SFU_FILE_ERROR_REFUSED,
                _("%s is refused: it asks for %s, which a file of weights does not need and which could run a program"),
                r->path, what);
    return FALSE;
}

static SfuPickleValue *value_new(Reader *r, SfuPickleKind kind)
{
    if (r->arena->len >= MAX_VALUES) {
        fail_damaged(r, "too many values");
        return NULL;
    }
    SfuPickleValue *v = g_new0(SfuPickleValue, 1);
    v->kind = kind;
    if (kind == SFU_PICKLE_TUPLE || kind == SFU_PICKLE_LIST || kind == SFU_PICKLE_DICT)
        v->items = g_ptr_array_new();
    g_ptr_array_add(r->arena, v);
    return v;
}

static SfuPickleValue *push(Reader *r, SfuPickleKind kind)
{
    SfuPickleValue *v = value_new(r, kind);
    if (v)
        g_ptr_array_add(r->stack, v);
    return v;
}

/* NULL when the stack is empty or ends in a mark. */
static SfuPickleValue *pop(Reader *r)
{
    SfuPickleValue *top = r->stack->len ? g_ptr_array_index(r->stack, r->stack->len - 1) : NULL;
    if (!top || top->kind == SFU_PICKLE_MARK)
        return NULL;
    g_ptr_array_set_size(r->stack, (int)r->stack->len - 1);
    return top;
}

static SfuPickleValue *peek(Reader *r)
{
    SfuPickleValue *top = r->stack->len ? g_ptr_array_index(r->stack, r->stack->len - 1) : NULL;
    return top && top->kind != SFU_PICKLE_MARK ? top : NULL;
}

static gboolean push_int(Reader *r, gint64 i)
{
    SfuPickleValue *v = push(r, SFU_PICKLE_INT);
    if (v)
        v->i = i;
    return v != NULL;
}

/* Little-endian unsigned of n <= 8 bytes. */
static gboolean read_number(Reader *r, int n, guint64 *v)
{
    if (r->end - r->p < n)
        return fail_damaged(r, "it ends too early");
    *v = 0;
    for (int i = n - 1; i >= 0; i--)
        *v = *v << 8 | r->p[i];
    r->p += n;
    return TRUE;
}

static gboolean take_bytes(Reader *r, guint64 n, const char **s)
{
    if ((guint64)(r->end - r->p) < n)
        return fail_damaged(r, "it ends too early");
    *s = (const char *)r->p;
    r->p += n;
    return TRUE;
}

static gboolean push_string(Reader *r, int length_bytes)
{
    guint64 n;
    const char *s;
    if (!read_number(r, length_bytes, &n) || !take_bytes(r, n, &s))
        return FALSE;
    if (!g_utf8_validate(s, (gssize)n, NULL)) /* bytes as older protocols keep them, with zeros; no name of a weight */
        return push(r, SFU_PICKLE_OTHER) != NULL;
    SfuPickleValue *v = push(r, SFU_PICKLE_STRING);
    if (!v)
        return FALSE;
    v->s = s;
    v->s_len = n;
    return TRUE;
}

/* What lies above the last mark, which goes too, into `to`. */
static gboolean collect(Reader *r, GPtrArray *to)
{
    guint at = r->stack->len;
    while (at > 0 && ((SfuPickleValue *)g_ptr_array_index(r->stack, at - 1))->kind != SFU_PICKLE_MARK)
        at--;
    if (!at)
        return fail_damaged(r, "a mark is missing");
    for (guint i = at; i < r->stack->len; i++)
        g_ptr_array_add(to, g_ptr_array_index(r->stack, i));
    g_ptr_array_set_size(r->stack, (int)at - 1);
    return TRUE;
}

static gboolean push_tuple(Reader *r, int n)
{
    SfuPickleValue *v = value_new(r, SFU_PICKLE_TUPLE);
    if (!v)
        return FALSE;
    if (n < 0) {
        if (!collect(r, v->items))
            return FALSE;
    } else {
        g_ptr_array_set_size(v->items, n);
        for (int i = n - 1; i >= 0; i--)
            if (!(v->items->pdata[i] = pop(r)))
                return fail_damaged(r, "a tuple lacks values");
    }
    g_ptr_array_add(r->stack, v);
    return TRUE;
}

static gboolean is(const char *s, gsize n, const char *word)
{
    return strlen(word) == n && memcmp(s, word, n) == 0;
}

static gboolean push_allowed(Reader *r, int i)
{
    SfuPickleValue *v = push(r, SFU_PICKLE_GLOBAL);
    if (v)
        v->global = i;
    return v != NULL;
}

static gboolean push_global(Reader *r, const char *module, gsize module_len, const char *name, gsize name_len)
{
    for (int i = 0; i < ANY_MODULE; i++)
        if (is(module, module_len, allowed[i].module) && is(name, name_len, allowed[i].name))
            return push_allowed(r, i);
    if (is(module, module_len, "__torch__") || (module_len > 10 && memcmp(module, "__torch__.", 10) == 0))
        return push_allowed(r, ANY_MODULE);
    char *whole = g_strdup_printf("%.*s.%.*s", (int)MIN(module_len, 200), module, (int)MIN(name_len, 200), name);
    gboolean over = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(passed_over) && !over; i++)
        over = g_str_has_suffix(passed_over[i], ".") ? g_str_has_prefix(whole, passed_over[i])
                                                     : strcmp(whole, passed_over[i]) == 0;
    g_free(whole);
    if (over)
        return push(r, SFU_PICKLE_OTHER) != NULL;
    char *text = g_strdup_printf("'%.*s.%.*s'", (int)MIN(module_len, 60), module, (int)MIN(name_len, 60), name);
    char *safe = g_utf8_make_valid(text, -1);
    refused(r, safe);
    g_free(safe);
    g_free(text);
    return FALSE;
}

static gboolean global_by_lines(Reader *r)
{
    const guint8 *a = memchr(r->p, '\n', (gsize)(r->end - r->p));
    const guint8 *b = a ? memchr(a + 1, '\n', (gsize)(r->end - a - 1)) : NULL;
    if (!b)
        return fail_damaged(r, "a name without an end");
    const char *module = (const char *)r->p;
    r->p = b + 1;
    return push_global(r, module, (gsize)((const char *)a - module), (const char *)a + 1, (gsize)(b - a - 1));
}

static const SfuPickleValue *item(const SfuPickleValue *v, guint i, SfuPickleKind kind)
{
    const SfuPickleValue *x = v && v->items && i < v->items->len ? g_ptr_array_index(v->items, i) : NULL;
    return x && x->kind == kind ? x : NULL;
}

/* ('storage', torch.FloatStorage, '0', 'cpu', number of values); the old form has a sixth, for views of storages, which
 * is None since 0.4. */
static gboolean persistent_id(Reader *r)
{
    const SfuPickleValue *id = pop(r), *word = item(id, 0, SFU_PICKLE_STRING), *type = item(id, 1, SFU_PICKLE_GLOBAL),
                         *key = item(id, 2, SFU_PICKLE_STRING), *count = item(id, 4, SFU_PICKLE_INT);
    if (!id || id->kind != SFU_PICKLE_TUPLE || !word || !is(word->s, word->s_len, "storage") || !type ||
        allowed[type->global].role != STORAGE_TYPE || !key || !count ||
        (id->items->len > 5 && !item(id, 5, SFU_PICKLE_NONE)) || count->i < 0 || count->i > (gint64)1 << 40)
        return fail_damaged(r, "a storage of no known form");
    SfuPickleValue *v = push(r, SFU_PICKLE_STORAGE);
    if (!v)
        return FALSE;
    v->dtype = allowed[type->global].dtype;
    v->s = key->s;
    v->s_len = key->s_len;
    v->i = count->i;
    return TRUE;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks): every number is checked against the storage.
 */
static gboolean rebuild_tensor(Reader *r, const SfuPickleValue *args)
{
    const SfuPickleValue *storage = item(args, 0, SFU_PICKLE_STORAGE), *offset = item(args, 1, SFU_PICKLE_INT),
                         *size = item(args, 2, SFU_PICKLE_TUPLE), *stride = item(args, 3, SFU_PICKLE_TUPLE);
    if (!storage || !offset || !size || !stride || size->items->len != stride->items->len || size->items->len > 8)
        return fail_damaged(r, "a tensor of no known form");
    SfuPickleValue *v = push(r, SFU_PICKLE_TENSOR);
    if (!v)
        return FALSE;
    v->storage = storage;
    v->offset = offset->i;
    v->n_dims = (int)size->items->len;
    gint64 n = 1, last = offset->i;
    if (offset->i < 0 || offset->i > (gint64)1 << 40)
        return fail_damaged(r, "a tensor of impossible place");
    for (int i = 0; i < v->n_dims; i++) {
        const SfuPickleValue *d = item(size, (guint)i, SFU_PICKLE_INT), *s = item(stride, (guint)i, SFU_PICKLE_INT);
        const gint64 limit = (gint64)1 << 40;
        if (!d || !s || d->i < 0 || d->i > limit || s->i < 0 || s->i > limit || (d->i && n > limit / d->i))
            return fail_damaged(r, "a tensor of impossible size");
        v->dims[i] = d->i;
        v->strides[i] = s->i;
        n *= d->i;
    }
    v->i = n;
    for (int i = 0; n && i < v->n_dims; i++) {
        if (v->strides[i] && v->dims[i] - 1 > (storage->i - 1) / v->strides[i])
            return fail_damaged(r, "a tensor that is larger than its storage");
        last += (v->dims[i] - 1) * v->strides[i];
        if (last < 0 || last >= storage->i)
            return fail_damaged(r, "a tensor that is larger than its storage");
    }
    if ((n && v->offset >= storage->i) || n > storage->i)
        return fail_damaged(r, "a tensor that is larger than its storage");
    return TRUE;
}

static gboolean reduce(Reader *r)
{
    SfuPickleValue *args = pop(r), *fn = args ? pop(r) : NULL;
    if (!fn || args->kind != SFU_PICKLE_TUPLE)
        return fail_damaged(r, "a call without arguments");
    if (fn->kind == SFU_PICKLE_OTHER)
        return push(r, SFU_PICKLE_OTHER) != NULL;
    if (fn->kind != SFU_PICKLE_GLOBAL)
        return refused(r, "a call of something that is not a function");
    SfuPickleValue *dict;
    switch (allowed[fn->global].role) {
    case REBUILD_TENSOR:
        return rebuild_tensor(r, args);
    case REBUILD_PARAMETER:
        if (!item(args, 0, SFU_PICKLE_TENSOR))
            return fail_damaged(r, "a parameter that is not a tensor");
        g_ptr_array_add(r->stack, g_ptr_array_index(args->items, 0));
        return TRUE;
    case ORDERED_DICT: {
        const SfuPickleValue *pairs = item(args, 0, SFU_PICKLE_LIST);
        if (!(dict = push(r, SFU_PICKLE_DICT)))
            return FALSE;
        for (guint i = 0; pairs && i < pairs->items->len; i++) { /* as Python 2 wrote it */
            const SfuPickleValue *pair = g_ptr_array_index(pairs->items, i);
            if (!pair->items || pair->items->len != 2)
                return fail_damaged(r, "a dict of no pairs");
            g_ptr_array_add(dict->items, g_ptr_array_index(pair->items, 0));
            g_ptr_array_add(dict->items, g_ptr_array_index(pair->items, 1));
        }
        return TRUE;
    }
    case TYPED_LIST:
        if (!item(args, 0, SFU_PICKLE_LIST))
            return fail_damaged(r, "a list without items");
        g_ptr_array_add(r->stack, g_ptr_array_index(args->items, 0));
        return TRUE;
    case MODULE_CLASS:
        return refused(r, "a call of a module's class");
    default:
        return refused(r, "a storage outside of the file");
    }
}

/* NEWOBJ: an object of a module's class, which gets its attributes from BUILD; NEWOBJ_EX: with named arguments, too. */
static gboolean new_object(Reader *r, gboolean named)
{
    const SfuPickleValue *args = named && !pop(r) ? NULL : pop(r), *class = args ? pop(r) : NULL;
    if (class && class->kind == SFU_PICKLE_OTHER)
        return push(r, SFU_PICKLE_OTHER) != NULL;
    if (!class || args->kind != SFU_PICKLE_TUPLE || class->kind != SFU_PICKLE_GLOBAL ||
        allowed[class->global].role != MODULE_CLASS)
        return refused(r, "an object");
    SfuPickleValue *v = push(r, SFU_PICKLE_DICT);
    if (v)
        v->i = 1; /* a module */
    return v != NULL;
}

/* BUILD: a module's attributes. Those of an OrderedDict (_metadata) count nothing. */
static gboolean build(Reader *r)
{
    const SfuPickleValue *state = pop(r);
    SfuPickleValue *to = state ? peek(r) : NULL;
    if (to && to->kind == SFU_PICKLE_OTHER)
        return TRUE;
    if (!to || to->kind != SFU_PICKLE_DICT)
        return refused(r, "attributes of an object");
    if (to->i && state->kind == SFU_PICKLE_DICT && !to->items->len)
        for (guint i = 0; i < state->items->len; i++)
            g_ptr_array_add(to->items, g_ptr_array_index(state->items, i));
    return TRUE;
}

/* SETITEMS, APPENDS: what lies above the mark goes into the container below it. */
static gboolean fill(Reader *r, SfuPickleKind kind)
{
    GPtrArray *items = g_ptr_array_new();
    gboolean ok = collect(r, items);
    SfuPickleValue *to = ok ? peek(r) : NULL;
    if (to && to->kind == SFU_PICKLE_OTHER)
        g_ptr_array_set_size(items, 0);
    else if (ok && (!to || to->kind != kind || (kind == SFU_PICKLE_DICT && items->len % 2)))
        ok = fail_damaged(r, "items without a container");
    for (guint i = 0; ok && i < items->len; i++)
        g_ptr_array_add(to->items, g_ptr_array_index(items, i));
    g_ptr_array_unref(items);
    return ok;
}

static gboolean memo_put(Reader *r, guint64 i)
{
    SfuPickleValue *top = peek(r);
    if (!top || i >= MAX_VALUES)
        return fail_damaged(r, "nothing to remember");
    g_hash_table_insert(r->memo, GUINT_TO_POINTER((guint)i), top);
    return TRUE;
}

static gboolean memo_get(Reader *r, guint64 i)
{
    SfuPickleValue *v = i < MAX_VALUES ? g_hash_table_lookup(r->memo, GUINT_TO_POINTER((guint)i)) : NULL;
    if (!v || r->stack->len >= MAX_VALUES)
        return fail_damaged(r, "it recalls what it never stored");
    g_ptr_array_add(r->stack, v);
    return TRUE;
}

/* A little-endian number of up to 8 bytes, signed (longer ones count nothing in a file of weights). */
static gboolean push_long(Reader *r, guint64 n)
{
    guint64 v = 0;
    if (n > 8) {
        const char *s; /* the old form's magic number */
        return take_bytes(r, n, &s) && push_int(r, -1);
    }
    if (!read_number(r, (int)n, &v))
        return FALSE;
    if (n && n < 8 && v >> (8 * n - 1))
        v |= ~(guint64)0 << (8 * n);
    return push_int(r, (gint64)v);
}

/* Bytes, whose length stands before them; no network needs their value. */
static gboolean push_bytes(Reader *r, int length_bytes)
{
    guint64 n;
    const char *s;
    return read_number(r, length_bytes, &n) && take_bytes(r, n, &s) && push(r, SFU_PICKLE_OTHER) != NULL;
}

/* DICT, LIST, FROZENSET: of what lies above the mark. */
static gboolean push_collected(Reader *r, SfuPickleKind kind)
{
    SfuPickleValue *v = value_new(r, kind);
    if (!v || !collect(r, v->items))
        return FALSE;
    if (kind == SFU_PICKLE_DICT && v->items->len % 2)
        return fail_damaged(r, "a dict of no pairs");
    g_ptr_array_add(r->stack, v);
    return TRUE;
}

static gboolean pop_or_mark(Reader *r)
{
    if (!r->stack->len)
        return fail_damaged(r, "it takes more values than there are");
    g_ptr_array_set_size(r->stack, (int)r->stack->len - 1);
    return TRUE;
}

static gboolean duplicate(Reader *r)
{
    SfuPickleValue *top = peek(r);
    if (!top || r->stack->len >= MAX_VALUES)
        return fail_damaged(r, "it takes more values than there are");
    g_ptr_array_add(r->stack, top);
    return TRUE;
}

static gboolean stack_global(Reader *r)
{
    const SfuPickleValue *name = pop(r), *module = name ? pop(r) : NULL;
    if (!module || module->kind != SFU_PICKLE_STRING || name->kind != SFU_PICKLE_STRING)
        return fail_damaged(r, "a name that is not a text");
    return push_global(r, module->s, module->s_len, name->s, name->s_len);
}

static gboolean set_item(Reader *r)
{
    SfuPickleValue *value = pop(r), *key = value ? pop(r) : NULL, *dict = key ? peek(r) : NULL;
    if (dict && dict->kind == SFU_PICKLE_OTHER)
        return TRUE;
    if (!dict || dict->kind != SFU_PICKLE_DICT)
        return fail_damaged(r, "items without a container");
    g_ptr_array_add(dict->items, key);
    g_ptr_array_add(dict->items, value);
    return TRUE;
}

static gboolean append(Reader *r)
{
    SfuPickleValue *value = pop(r), *list = value ? peek(r) : NULL;
    if (list && list->kind == SFU_PICKLE_OTHER)
        return TRUE;
    if (!list || list->kind != SFU_PICKLE_LIST)
        return fail_damaged(r, "items without a container");
    g_ptr_array_add(list->items, value);
    return TRUE;
}

/* Operations that stand beside weights only, in what training programs keep there. */
static gboolean step_rare(Reader *r, guint8 op)
{
    guint64 v;
    switch (op) {
    case 'C': /* SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8 */
        return push_bytes(r, 1);
    case 'B':
        return push_bytes(r, 4);
    case 0x8e:
    case 0x96:
        return push_bytes(r, 8);
    case 0x8b: /* LONG4 */
        return read_number(r, 4, &v) && push_long(r, v);
    case 0x8f: /* EMPTY_SET, ADDITEMS, FROZENSET */
        return push(r, SFU_PICKLE_LIST) != NULL;
    case 0x90:
        return fill(r, SFU_PICKLE_LIST);
    case 'l':
    case 0x91:
        return push_collected(r, SFU_PICKLE_LIST);
    case 'd':
        return push_collected(r, SFU_PICKLE_DICT);
    case '0': /* POP, DUP */
        return pop_or_mark(r);
    case '2':
        return duplicate(r);
    default: {
        char what[64];
        g_snprintf(what, sizeof what, "the pickle operation 0x%02x", op);
        return refused(r, what);
    }
    }
}

/* Operations that push one number, text or constant, or recall a value. */
static gboolean step_value(Reader *r, guint8 op)
{
    guint64 v;
    switch (op) {
    case 'N':
        return push(r, SFU_PICKLE_NONE) != NULL;
    case 0x88:
        return push_int(r, 1);
    case 0x89:
        return push_int(r, 0);
    case 'J':
        return read_number(r, 4, &v) && push_int(r, (gint32)v);
    case 'K':
        return read_number(r, 1, &v) && push_int(r, (gint64)v);
    case 'M':
        return read_number(r, 2, &v) && push_int(r, (gint64)v);
    case 0x8a:
        return read_number(r, 1, &v) && push_long(r, v);
    case 'G':
        return read_number(r, 8, &v) && push(r, SFU_PICKLE_FLOAT) != NULL; /* its value is never needed */
    case 'X':
        return push_string(r, 4);
    case 'U':
        return push_string(r, 1); /* Python 2's short strings */
    case 'T':
        return push_string(r, 4);
    case 0x8c:
        return push_string(r, 1);
    case 0x8d:
        return push_string(r, 8);
    case 'q':
        return read_number(r, 1, &v) && memo_put(r, v);
    case 'r':
        return read_number(r, 4, &v) && memo_put(r, v);
    case 0x94:
        return memo_put(r, g_hash_table_size(r->memo)); /* MEMOIZE */
    case 'h':
        return read_number(r, 1, &v) && memo_get(r, v);
    case 'j':
        return read_number(r, 4, &v) && memo_get(r, v);
    default:
        return step_rare(r, op);
    }
}

/* One operation; *done at STOP. Numbers of operations: Python's pickletools. */
static gboolean step(Reader *r, gboolean *done)
{
    guint64 v;
    const guint8 op = *r->p++;
    switch (op) {
    case 0x80: /* PROTO */
        return read_number(r, 1, &v) && (v <= 5 || fail_damaged(r, "an unknown protocol"));
    case 0x95: /* FRAME */
        return read_number(r, 8, &v);
    case '(':
        if (r->stack->len >= MAX_VALUES)
            return fail_damaged(r, "too many values");
        return push(r, SFU_PICKLE_MARK) != NULL;
    case '.':
        return *done = TRUE;
    case '}':
        return push(r, SFU_PICKLE_DICT) != NULL;
    case ']':
        return push(r, SFU_PICKLE_LIST) != NULL;
    case ')':
        return push(r, SFU_PICKLE_TUPLE) != NULL;
    case 't':
        return push_tuple(r, -1);
    case 0x85:
        return push_tuple(r, 1);
    case 0x86:
        return push_tuple(r, 2);
    case 0x87:
        return push_tuple(r, 3);
    case 'c':
        return global_by_lines(r);
    case 0x93: /* STACK_GLOBAL */
        return stack_global(r);
    case 'Q':
        return persistent_id(r);
    case 'R':
        return reduce(r);
    case 'u':
        return fill(r, SFU_PICKLE_DICT);
    case 'e':
        return fill(r, SFU_PICKLE_LIST);
    case 's': /* SETITEM */
        return set_item(r);
    case 'a': /* APPEND */
        return append(r);
    case 0x81:
    case 0x92: /* NEWOBJ_EX */
        return new_object(r, op == 0x92);
    case 'b':
        return build(r);
    default:
        return step_value(r, op);
    }
}

SfuPickleValue *sfu_pickle_read(const guint8 *data, gsize n, const char *path, GPtrArray *arena, gsize *used,
                                GError **error)
{
    Reader r = {.p = data,
                .end = data + n,
                .path = path,
                .arena = arena,
                .stack = g_ptr_array_new(),
                .memo = g_hash_table_new(NULL, NULL),
                .error = error};
    gboolean ok = TRUE, done = FALSE;
    while (ok && !done)
        ok = r.p < r.end ? step(&r, &done) : fail_damaged(&r, "it has no end");
    SfuPickleValue *v = ok ? pop(&r) : NULL;
    if (ok && !v)
        fail_damaged(&r, "it holds nothing");
    if (used)
        *used = (gsize)(r.p - data);
    g_ptr_array_unref(r.stack);
    g_hash_table_unref(r.memo);
    return v;
}
