/* Images that change between reading and adding: a dialog leaves GIMP to the user meanwhile. Reading and adding are
 * called here without the engine between them.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "check.h"

#include <math.h>

#include "session.h"

/* How often a layer's pixels were read: the linker puts these in the place of the host's own. */
static int n_read;

GeglBuffer *__real_sfu_host_read_layer(int image, int layer, GError **error);
GeglBuffer *__wrap_sfu_host_read_layer(int image, int layer, GError **error);
GeglBuffer *__wrap_sfu_host_read_layer(int image, int layer, GError **error)
{
    n_read++;
    return __real_sfu_host_read_layer(image, layer, error);
}

GeglBuffer *__real_sfu_host_read_layer_look(int image, int layer, GError **error);
GeglBuffer *__wrap_sfu_host_read_layer_look(int image, int layer, GError **error);
GeglBuffer *__wrap_sfu_host_read_layer_look(int image, int layer, GError **error)
{
    n_read++;
    return __real_sfu_host_read_layer_look(image, layer, error);
}

static const float color[4] = {0.2f, 0.4f, 0.8f, 1};

typedef struct {
    Image image;
    Layer work;
    SfuRequest *request;
    SfuInput *in;
    GPtrArray *results; /* one, of one color */
} Late;

static void result_free(gpointer p)
{
    sfu_result_free(p);
}

/* What the engine would give. */
static SfuResult *result_new(const Late *l)
{
    SfuResult *r = g_new0(SfuResult, 1);
    GeglRectangle area = *gegl_buffer_get_extent(l->in->mask ? l->in->mask : l->in->picture);
    if (l->in->action == SFU_ACTION_EXPAND) {
        area.x -= 7, area.y -= 3;
        area.width += 16, area.height += 3;
    }
    r->picture = gegl_buffer_new(&area, babl_format("R'G'B'A float"));
    float *row = g_new(float, area.width * 4);
    for (int i = 0; i < area.width * 4; i++)
        row[i] = color[i % 4];
    for (int y = 0; y < area.height; y++)
        gegl_buffer_set(r->picture, GEGL_RECTANGLE(area.x, area.y + y, area.width, 1), 0, NULL, row,
                        GEGL_AUTO_ROWSTRIDE);
    g_free(row);
    r->params = sfu_params_copy(l->request->params);
    r->seed = 77;
    r->task = sfu_action_info(l->in->action)->task;
    r->masked = l->in->mask != NULL;
    return r;
}

static Late begin(SfuAction action)
{
    Late l = {0};
    GError *error = NULL;
    l.image = check_new_image(&check_plain, &l.work);
    l.request = sfu_request_new(action);
    if (action == SFU_ACTION_EXPAND)
        sfu_request_set_options(l.request, "left=7 right=9 top=3 bottom=0", NULL);
    l.in = sfu_input_new(l.request, IMAGE_ID(l.image), ID(l.work), &error);
    CHECK(l.in, "nothing was read: %s", error ? error->message : "");
    g_clear_error(&error);
    l.results = g_ptr_array_new_with_free_func(result_free);
    if (l.in)
        g_ptr_array_add(l.results, result_new(&l));
    return l;
}

/* The layer's id; -1 with the sentence, which the caller frees. */
static int add(Late *l, int *image, char **sentence)
{
    GError *error = NULL;
    SfuMade made = {-1, -1};
    *sentence = NULL;
    if (!l->in || sfu_output_add(l->in, l->request, l->results, &made, &error)) {
        *image = made.image;
        return made.layer;
    }
    *sentence = g_strdup(error->message);
    g_error_free(error);
    return -1;
}

static void end(Late *l, const char *name)
{
    if (l->image)
        gimp_image_delete(l->image);
    sfu_input_free(l->in);
    sfu_request_free(l->request);
    g_ptr_array_unref(l->results);
    check_end_case(name);
}

static Layer find_layer(Image image, int id)
{
    int n = 0;
    Layer *all = list_layers(image, &n), found = NO_LAYER;
    for (int i = 0; i < n; i++)
        if (ID(all[i]) == id)
            found = all[i];
    g_free(all);
    return found;
}

static void must_lie_at(Late *l, int x, int y, int w, int h)
{
    char *sentence;
    int image = -1;
    const Layer made = find_layer(l->image, add(l, &image, &sentence));
    CHECK(made != NO_LAYER && image == IMAGE_ID(l->image), "it was not added: %s", sentence ? sentence : "");
    if (made != NO_LAYER)
        check_place(l->image, made, NO_LAYER, x, y, w, h);
    g_free(sentence);
}

static void must_be_refused(Late *l, const char *word)
{
    char *sentence;
    int image = -1;
    const int n = n_layers(l->image);
    CHECK(add(l, &image, &sentence) < 0 && sentence && strstr(sentence, word), "the sentence lacks \"%s\": %s", word,
          sentence ? sentence : "(none)");
    CHECK(n_layers(l->image) == n, "the number of layers changed");
    g_free(sentence);
}

static void moved(void)
{
    Late l = begin(SFU_ACTION_FILL);
    gimp_image_resize(l.image, W + 20, H + 10, 7, 5);
    must_lie_at(&l, 14 + 7, 9 + 5, 30, 25);
    end(&l, "the canvas was resized meanwhile: the result lies where its layer is now");
    l = begin(SFU_ACTION_FILL);
    gimp_layer_set_offsets(l.work, -3, 4);
    must_lie_at(&l, 14 - 3, 9 + 4, 30, 25);
    end(&l, "the layer was moved meanwhile: the result has moved along");
    l = begin(SFU_ACTION_FILL);
    gimp_layer_scale(l.work, 2 * W, 2 * H, FALSE);
    must_be_refused(&l, "scaled");
    end(&l, "the layer was scaled meanwhile: a sentence");
    l = begin(SFU_ACTION_FILL);
    gimp_image_crop(l.image, W - 20, H - 10, 10, 5);
    must_be_refused(&l, "cropped");
    end(&l, "the image was cropped meanwhile: a sentence");
    l = begin(SFU_ACTION_FILL);
    gimp_image_remove_layer(l.image, l.work);
    must_lie_at(&l, 14, 9, 30, 25);
    end(&l, "the layer was deleted meanwhile: the result is added on top");
}

#if GIMP_MAJOR_VERSION >= 3
#define QUARTER GIMP_ROTATE_DEGREES90
#define HALF GIMP_ROTATE_DEGREES180
#else
#define QUARTER GIMP_ROTATE_90
#define HALF GIMP_ROTATE_180
#endif

/* A result whose upper left corner is white lies there, with that corner at u, v of it. */
static void must_lie_turned(Late *l, int x, int y, int w, int h, int u, int v)
{
    const float white[4] = {1, 1, 1, 1};
    GeglBuffer *picture = ((SfuResult *)l->results->pdata[0])->picture;
    const GeglRectangle *at = gegl_buffer_get_extent(picture);
    gegl_buffer_set(picture, GEGL_RECTANGLE(at->x, at->y, 1, 1), 0, babl_format("R'G'B'A float"), white,
                    GEGL_AUTO_ROWSTRIDE);
    must_lie_at(l, x, y, w, h);
    const Layer made = active_layer(l->image);
    for (int corner = 0; corner < 4; corner++) {
        const int cx = corner % 2 ? w - 1 : 0, cy = corner / 2 ? h - 1 : 0;
        float row[4 * W];
        check_get_row(l->image, made, cy, row);
        CHECK((row[4 * cx] > 0.9) == (cx == u && cy == v), "%g at %d, %d of the result", row[4 * cx], cx, cy);
    }
}

static void turned(void)
{
    Late l = begin(SFU_ACTION_FILL);
    gimp_image_rotate(l.image, HALF);
    must_lie_turned(&l, W - 14 - 30, H - 9 - 25, 30, 25, 29, 24);
    end(&l, "the image was turned upside down meanwhile: so is the result");
    l = begin(SFU_ACTION_FILL);
    gimp_image_rotate(l.image, QUARTER);
    must_lie_turned(&l, H - 9 - 25, 14, 25, 30, 24, 0);
    end(&l, "the image was rotated by a quarter meanwhile: so is the result");
    l = begin(SFU_ACTION_REFINE);
    gimp_image_flip(l.image, GIMP_ORIENTATION_HORIZONTAL);
    gimp_image_convert_grayscale(l.image);
    must_lie_turned(&l, W - 14 - 30, 9, 30, 25, 29, 0);
    end(&l, "the image was flipped and became gray meanwhile: so does the result");
    l = begin(SFU_ACTION_EXPAND);
    gimp_image_rotate(l.image, HALF);
    must_be_refused(&l, "turned");
    end(&l, "the image was turned upside down before it was expanded: a sentence");
}

/* Nothing is read again of a layer that nobody has touched. */
static void untouched(void)
{
    for (int touched = 0; touched < 2; touched++) {
        Late l = begin(SFU_ACTION_FILL);
        if (touched)
            gimp_drawable_fill(AS_DRAWABLE(l.work), GIMP_FILL_WHITE);
        n_read = 0;
        must_lie_at(&l, 14, 9, 30, 25);
        CHECK(n_read == touched, "the layer was read %d times", n_read);
        end(&l, touched ? "the layer was painted meanwhile: it is read to see whether it was turned"
                        : "nothing was done meanwhile: the layer is not read again");
    }
}

static void converted(void)
{
    Late l = begin(SFU_ACTION_FILL);
    gimp_image_convert_indexed(l.image, GIMP_CONVERT_DITHER_NONE, GIMP_CONVERT_PALETTE_GENERATE, 16, FALSE, FALSE, "");
    must_be_refused(&l, "indexed");
    end(&l, "the image became indexed meanwhile: a sentence");
    l = begin(SFU_ACTION_FILL);
    gimp_image_convert_grayscale(l.image);
    must_lie_at(&l, 14, 9, 30, 25);
    end(&l, "the image became gray meanwhile: so does the result");
    l = begin(SFU_ACTION_FILL);
    gimp_image_convert_precision(l.image, FLOAT_LINEAR);
    must_lie_at(&l, 14, 9, 30, 25);
    end(&l, "the image got 32 bits meanwhile: so does the result");
    l = begin(SFU_ACTION_FILL);
    edit_copy_paste(l.work);
    must_be_refused(&l, "floating");
    end(&l, "something was pasted meanwhile: a sentence");
    l = begin(SFU_ACTION_FILL);
    gimp_item_set_lock_content(AS_ITEM(l.work), TRUE);
    gimp_item_set_lock_position(AS_ITEM(l.work), TRUE);
    item_set_visible(l.work, FALSE);
    must_lie_at(&l, 14, 9, 30, 25);
    end(&l, "the layer was locked and hidden meanwhile: the result is added above it");
}

static void closed(void)
{
    static const SfuAction actions[] = {SFU_ACTION_FILL, SFU_ACTION_REMOVE, SFU_ACTION_REFINE, SFU_ACTION_EXPAND};
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        const SfuAction a = actions[i];
        Late l = begin(a);
        char *sentence;
        int id = -1;
        float row[(W + 16) * 4];
        gimp_image_delete(l.image);
        const int layer = add(&l, &id, &sentence);
        CHECK(layer >= 0 && id >= 0, "%s: it was not added: %s", sfu_action_info(a)->name, sentence ? sentence : "");
        if (layer >= 0) {
            const Image image = check_image_by_id(id);
            const Layer made = find_layer(image, layer);
            const int grown = a == SFU_ACTION_EXPAND;
            check_place(image, made, NO_LAYER, 0, 0, W + 16 * grown, H + 3 * grown);
            check_get_row(image, made, 12, row);
            const float in = row[4 * 20 + 2], out = row[4 * 5 + 2];
            CHECK(fabs(in - color[2]) < 0.005, "%s: %g inside the selection", sfu_action_info(a)->name, in);
            CHECK(grown || fabs(out - color[2]) > 0.05, "%s: %g outside of it", sfu_action_info(a)->name, out);
            gimp_image_delete(image);
        }
        g_free(sentence);
        l.image = 0;
        sfu_input_free(l.in);
        sfu_request_free(l.request);
        g_ptr_array_unref(l.results);
    }
    check_end_case("the image was closed meanwhile: the result opens as a new one");
}

/* The second variant finds the canvas large enough, and its layer elsewhere. */
static void expanded_twice(void)
{
    Late l = begin(SFU_ACTION_EXPAND);
    for (int i = 0; i < 2; i++) {
        must_lie_at(&l, 0, 0, W + 16, H + 3);
        CHECK(image_width(l.image) == W + 16 && image_height(l.image) == H + 3, "the canvas is %d x %d",
              image_width(l.image), image_height(l.image));
        int x = 0, y = 0;
        drawable_offsets(l.work, &x, &y);
        CHECK(x == 7 && y == 3, "the layer lies at %d, %d", x, y);
    }
    end(&l, "two variants of a larger canvas: it grows once");
}

void check_late(void)
{
    moved();
    turned();
    untouched();
    converted();
    closed();
    expanded_twice();
}
