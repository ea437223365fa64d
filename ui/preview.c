/* The preview: drawn by cairo from GEGL buffers, which scale by themselves.
 *
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "preview.h"

#include <math.h>
#include <glib/gi18n-lib.h>

#define CHECK_PX 8
#define HANDLE_PX 9 /* side of a handle, and how near the pointer must come */

typedef enum { DRAG_NOTHING, DRAG_VIEW, DRAG_LINE, DRAG_FRAME } Drag;
enum { EDGE_LEFT = 1, EDGE_RIGHT = 2, EDGE_TOP = 4, EDGE_BOTTOM = 8 };

struct SfuPreview {
    GtkWidget *area;
    GeglBuffer *before, *over, *mask;
    double before_scale;
    gboolean only_before, fitted;
    GeglRectangle focus;
    double scale, x, y; /* widget pixels per picture pixel; picture coordinates of the widget's upper left corner */
    double drag_x, drag_y;
    Drag drag;
    int edges;   /* of the frame, that are dragged */
    double line; /* part of the width where the comparing line stands; < 0: there is none */
    GeglRectangle frame, inner;
    void (*frame_moved)(const GeglRectangle *frame, gpointer data); /* NULL: there is no frame */
    gpointer frame_data;
    void (*on_zoom)(gpointer data);
    gpointer data;
    cairo_surface_t *cache, *cache_before; /* what is shown now, and without the overlay; NULL: to be drawn */
    int cache_w, cache_h;
};

/* ---- drawing
 * ---------------------------------------------------------------------------------------------------------- */

/* The part of a picture that a surface shows. */
typedef struct {
    double x, y;  /* its upper left corner, in the picture's coordinates */
    double scale; /* pixels of the surface per pixel of the picture */
    int w, h;     /* of the surface, px */
} View;

/* A checkerboard where the picture may be transparent or is still to come, and plain gray outside of it. */
static void background(cairo_surface_t *s, const GeglRectangle *room, const View *v)
{
    const double scale = v->scale;
    unsigned char *data = cairo_image_surface_get_data(s);
    const int stride = cairo_image_surface_get_stride(s);
    const int left = floor(v->x * scale + 0.5), top = floor(v->y * scale + 0.5); /* rounded as lay_over() does */
    const int x0 = floor(room->x * scale + 0.5) - left, x1 = floor((room->x + room->width) * scale) - left;
    const int y0 = floor(room->y * scale + 0.5) - top, y1 = floor((room->y + room->height) * scale) - top;
    for (int j = 0; j < v->h; j++) {
        guint32 *row = (guint32 *)(data + (gsize)j * stride);
        for (int i = 0; i < v->w; i++)
            row[i] = i < x0 || i >= x1 || j < y0 || j >= y1 ? 0xff444444
                     : (i / CHECK_PX + j / CHECK_PX) % 2    ? 0xff999999
                                                            : 0xff666666;
    }
}

/* Lays a buffer over a surface that shows that part of it. mask NULL: all of it. */
static void lay_over(cairo_surface_t *s, GeglBuffer *buffer, GeglBuffer *mask, const View *v)
{
    const double scale = v->scale;
    const GeglRectangle *all = gegl_buffer_get_extent(buffer);
    const GeglRectangle view = {floor(v->x * scale + 0.5), floor(v->y * scale + 0.5), v->w, v->h};
    const int x0 = floor(all->x * scale + 0.5), y0 = floor(all->y * scale + 0.5);
    /* Rounded down: the buffer has no more than a part of a last pixel, and mixes that with the transparent nothing
     * beyond its edge. */
    const GeglRectangle have = {x0, y0, MAX(1, (int)floor((all->x + all->width) * scale) - x0),
                                MAX(1, (int)floor((all->y + all->height) * scale) - y0)};
    GeglRectangle r;
    if (!gegl_rectangle_intersect(&r, &view, &have))
        return;
    float *pixels = g_new(float, (gsize)r.width *r.height * 4),
          *alpha = mask ? g_new(float, (gsize)r.width *r.height) : NULL;
    gegl_buffer_get(buffer, &r, scale, babl_format("R'G'B'A float"), pixels, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_CLAMP);
    if (mask)
        gegl_buffer_get(mask, &r, scale, babl_format("Y float"), alpha, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    unsigned char *data = cairo_image_surface_get_data(s);
    const int stride = cairo_image_surface_get_stride(s);
    for (int j = 0; j < r.height; j++) {
        guint32 *row = (guint32 *)(data + (gsize)(j + r.y - view.y) * stride) + (r.x - view.x);
        for (int i = 0; i < r.width; i++) {
            const gsize k = (gsize)j * r.width + i;
            const float a = CLAMP(pixels[4 * k + 3], 0, 1) * (mask ? CLAMP(alpha[k], 0, 1) : 1);
            guint32 out = 0xff;
            for (int c = 0; c < 3; c++) {
                const float old = (row[i] >> (16 - 8 * c) & 0xff) / 255.0f;
                out = out << 8 | (guint32)((CLAMP(pixels[4 * k + c], 0, 1) * a + old * (1 - a)) * 255 + 0.5f);
            }
            row[i] = out;
        }
    }
    g_free(pixels);
    g_free(alpha);
}

/* All that is or will be picture. */
static GeglRectangle room_of(GeglBuffer *before, double before_scale, GeglBuffer *over, const GeglRectangle *focus)
{
    GeglRectangle room = *focus;
    if (before) {
        const GeglRectangle *e = gegl_buffer_get_extent(before);
        gegl_rectangle_bounding_box(&room, &room,
                                    GEGL_RECTANGLE(e->x * before_scale, e->y * before_scale, e->width * before_scale,
                                                   e->height * before_scale));
    }
    if (over)
        gegl_rectangle_bounding_box(&room, &room, gegl_buffer_get_extent(over));
    return room;
}

/* What is rendered: pictures over each other, each of which may be NULL. */
typedef struct {
    GeglBuffer *before, *over, *mask;
    double before_scale;
    const GeglRectangle *focus;
} Stack;

static cairo_surface_t *render(const Stack *stack, const View *v)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, v->w, v->h);
    const double b = stack->before_scale;
    const GeglRectangle room = room_of(stack->before, b, stack->over, stack->focus);
    const View of_before = {v->x / b, v->y / b, v->scale * b, v->w, v->h};
    background(s, &room, v);
    if (stack->before)
        lay_over(s, stack->before, NULL, &of_before);
    if (stack->over)
        lay_over(s, stack->over, stack->mask, v);
    cairo_surface_mark_dirty(s);
    return s;
}

/* over NULL: the picture before alone. */
static cairo_surface_t *render_preview(const SfuPreview *p, GeglBuffer *over, int w, int h)
{
    const Stack stack = {p->before, over, p->mask, p->before_scale, &p->focus};
    const View view = {p->x, p->y, p->scale, w, h};
    return render(&stack, &view);
}

static void redraw(SfuPreview *p)
{
    g_clear_pointer(&p->cache, cairo_surface_destroy);
    g_clear_pointer(&p->cache_before, cairo_surface_destroy);
    gtk_widget_queue_draw(p->area);
}

/* Where a view of `length` begins that has `from` to `from + n` in its middle, and shows nothing beyond the room while
 * that goes. */
static double view_start(int from, int n, double length, int room_from, int room_n)
{
    if (room_n <= length)
        return room_from + (room_n - length) / 2;
    return CLAMP(from + (n - length) / 2, room_from, room_from + room_n - length);
}

static void apply_fit(SfuPreview *p, int w, int h)
{
    if (p->focus.width <= 0 || p->focus.height <= 0)
        return;
    p->scale = MIN((double)w / p->focus.width, (double)h / p->focus.height);
    p->scale = CLAMP(p->scale, 1.0 / 64, 16);
    const GeglRectangle room = room_of(p->before, p->before_scale, p->over, &p->focus);
    p->x = view_start(p->focus.x, p->focus.width, w / p->scale, room.x, room.width);
    p->y = view_start(p->focus.y, p->focus.height, h / p->scale, room.y, room.height);
}

static void fill_handle(cairo_t *cr, double x, double y)
{
    cairo_rectangle(cr, x - HANDLE_PX / 2.0, y - HANDLE_PX / 2.0, HANDLE_PX, HANDLE_PX);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_fill_preserve(cr);
    cairo_set_source_rgb(cr, 0.21, 0.52, 0.89);
    cairo_set_line_width(cr, 2);
    cairo_stroke(cr);
}

/* White within blue shows on any picture. */
static void stroke_twice(cairo_t *cr)
{
    cairo_set_source_rgb(cr, 0.21, 0.52, 0.89);
    cairo_set_line_width(cr, 3);
    cairo_stroke_preserve(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);
}

/* In the widget's own coordinates. */
static void frame_on_widget(const SfuPreview *p, double *x0, double *y0, double *x1, double *y1)
{
    const double f = p->scale / sfu_scale_factor(p->area);
    *x0 = (p->frame.x - p->x) * f;
    *y0 = (p->frame.y - p->y) * f;
    *x1 = *x0 + p->frame.width * f;
    *y1 = *y0 + p->frame.height * f;
}

static void draw_frame(const SfuPreview *p, cairo_t *cr)
{
    double x0, y0, x1, y1;
    frame_on_widget(p, &x0, &y0, &x1, &y1);
    cairo_rectangle(cr, x0 + 0.5, y0 + 0.5, x1 - x0 - 1, y1 - y0 - 1);
    stroke_twice(cr);
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++)
            if (i != 1 || j != 1)
                fill_handle(cr, x0 + (x1 - x0) * i / 2, y0 + (y1 - y0) * j / 2);
}

static gboolean compares(const SfuPreview *p)
{
    return p->line >= 0 && p->over && !p->only_before;
}

static void draw_line(SfuPreview *p, cairo_t *cr, int width, int height, int factor)
{
    const double x = floor(p->line * width) + 0.5;
    if (!p->cache_before)
        p->cache_before = render_preview(p, NULL, width * factor, height * factor);
    cairo_save(cr);
    cairo_rectangle(cr, 0, 0, x, height);
    cairo_clip(cr);
    cairo_scale(cr, 1.0 / factor, 1.0 / factor);
    cairo_set_source_surface(cr, p->cache_before, 0, 0);
    cairo_paint(cr);
    cairo_restore(cr);
    cairo_move_to(cr, x, 0);
    cairo_line_to(cr, x, height);
    stroke_twice(cr);
    fill_handle(cr, x, height / 2.0);
}

static void draw(SfuPreview *p, cairo_t *cr, int width, int height)
{
    const int factor = sfu_scale_factor(p->area), w = width * factor, h = height * factor;
    if (p->fitted && (!p->cache || p->cache_w != w || p->cache_h != h)) {
        apply_fit(p, w, h);
        if (p->on_zoom)
            p->on_zoom(p->data);
    }
    if (!p->before && !p->over) {
        PangoLayout *text = gtk_widget_create_pango_layout(p->area, _("The picture forms here"));
        int tw, th;
        pango_layout_get_pixel_size(text, &tw, &th);
        cairo_set_source_rgba(cr, 0.5, 0.5, 0.5, 1);
        cairo_move_to(cr, (width - tw) / 2.0, (height - th) / 2.0);
        pango_cairo_show_layout(cr, text);
        g_object_unref(text);
        return;
    }
    if (!p->cache || p->cache_w != w || p->cache_h != h) {
        g_clear_pointer(&p->cache, cairo_surface_destroy);
        g_clear_pointer(&p->cache_before, cairo_surface_destroy);
        p->cache = render_preview(p, p->only_before ? NULL : p->over, w, h);
        p->cache_w = w;
        p->cache_h = h;
    }
    cairo_save(cr);
    cairo_scale(cr, 1.0 / factor, 1.0 / factor);
    cairo_set_source_surface(cr, p->cache, 0, 0);
    cairo_paint(cr);
    cairo_restore(cr);
    if (compares(p))
        draw_line(p, cr, width, height, factor);
    if (p->frame_moved)
        draw_frame(p, cr);
}

#if GTK_CHECK_VERSION(3, 0, 0)
static gboolean on_draw(GtkWidget *w, cairo_t *cr, gpointer data)
{
    draw(data, cr, gtk_widget_get_allocated_width(w), gtk_widget_get_allocated_height(w));
    return TRUE;
}
#else
static gboolean on_draw(GtkWidget *w, GdkEventExpose *event, gpointer data)
{
    GtkAllocation a;
    gtk_widget_get_allocation(w, &a);
    cairo_t *cr = gdk_cairo_create(gtk_widget_get_window(w));
    draw(data, cr, a.width, a.height);
    cairo_destroy(cr);
    return TRUE;
}
#endif

/* ---- zoom and pan
 * ------------------------------------------------------------------------------------------------------ */

static void zoom_about(SfuPreview *p, double scale, double wx, double wy)
{
    scale = CLAMP(scale, 1.0 / 64, 16);
    const double x = p->x + wx / p->scale, y = p->y + wy / p->scale; /* stays under the pointer */
    p->scale = scale;
    p->x = x - wx / scale;
    p->y = y - wy / scale;
    p->fitted = FALSE;
    redraw(p);
    if (p->on_zoom)
        p->on_zoom(p->data);
}

static gboolean on_scroll(GtkWidget *w, GdkEventScroll *e, gpointer data)
{
    SfuPreview *p = data;
    const int factor = sfu_scale_factor(w);
    double by = e->direction == GDK_SCROLL_UP ? 1.25 : e->direction == GDK_SCROLL_DOWN ? 0.8 : 1;
#if GTK_CHECK_VERSION(3, 0, 0)
    double dx, dy;
    if (e->direction == GDK_SCROLL_SMOOTH && gdk_event_get_scroll_deltas((GdkEvent *)e, &dx, &dy))
        by = pow(0.8, dy);
#endif
    zoom_about(p, p->scale * by, e->x * factor, e->y * factor);
    return TRUE;
}

static int widget_width(const SfuPreview *p)
{
    GtkAllocation a;
    gtk_widget_get_allocation(p->area, &a);
    return MAX(1, a.width);
}

/* Edges of the frame that the pointer is on. */
static int edges_at(const SfuPreview *p, double x, double y)
{
    double x0, y0, x1, y1;
    if (!p->frame_moved)
        return 0;
    frame_on_widget(p, &x0, &y0, &x1, &y1);
    if (x < x0 - HANDLE_PX || x > x1 + HANDLE_PX || y < y0 - HANDLE_PX || y > y1 + HANDLE_PX)
        return 0;
    return (fabs(x - x0) <= HANDLE_PX   ? EDGE_LEFT
            : fabs(x - x1) <= HANDLE_PX ? EDGE_RIGHT
                                        : 0) |
           (fabs(y - y0) <= HANDLE_PX   ? EDGE_TOP
            : fabs(y - y1) <= HANDLE_PX ? EDGE_BOTTOM
                                        : 0);
}

static Drag drag_at(const SfuPreview *p, double x, double y)
{
    return edges_at(p, x, y)                                                 ? DRAG_FRAME
           : compares(p) && fabs(x - p->line * widget_width(p)) <= HANDLE_PX ? DRAG_LINE
                                                                             : DRAG_VIEW;
}

static gboolean on_press(GtkWidget *w, GdkEventButton *e, gpointer data)
{
    SfuPreview *p = data;
    p->drag = e->button == 1 ? drag_at(p, e->x, e->y) : e->button == 2 ? DRAG_VIEW : DRAG_NOTHING;
    p->edges = edges_at(p, e->x, e->y);
    p->drag_x = e->x;
    p->drag_y = e->y;
    if (p->drag == DRAG_LINE)
        gtk_widget_grab_focus(w);
    return TRUE;
}

static gboolean on_release(GtkWidget *w, GdkEventButton *e, gpointer data)
{
    SfuPreview *p = data;
    const gboolean framed = p->drag == DRAG_FRAME;
    p->drag = DRAG_NOTHING;
    if (framed)
        sfu_preview_fit(p); /* not before: the picture would run away from under the pointer */
    return TRUE;
}

static void move_frame(SfuPreview *p, double x, double y)
{
    const double f = sfu_scale_factor(p->area) / p->scale;
    const int px = floor(p->x + x * f + 0.5), py = floor(p->y + y * f + 0.5);
    const GeglRectangle *in = &p->inner;
    int x0 = p->frame.x, y0 = p->frame.y, x1 = x0 + p->frame.width, y1 = y0 + p->frame.height;
    if (p->edges & EDGE_LEFT)
        x0 = MIN(px, in->x);
    if (p->edges & EDGE_RIGHT)
        x1 = MAX(px, in->x + in->width);
    if (p->edges & EDGE_TOP)
        y0 = MIN(py, in->y);
    if (p->edges & EDGE_BOTTOM)
        y1 = MAX(py, in->y + in->height);
    p->frame = (GeglRectangle){x0, y0, x1 - x0, y1 - y0};
    p->frame_moved(&p->frame, p->frame_data);
    gtk_widget_queue_draw(p->area);
}

/* What a drag would do here. */
static void show_cursor(SfuPreview *p, double x, double y)
{
    static const GdkCursorType by_edges[] = {
        [EDGE_LEFT] = GDK_LEFT_SIDE,
        [EDGE_RIGHT] = GDK_RIGHT_SIDE,
        [EDGE_TOP] = GDK_TOP_SIDE,
        [EDGE_BOTTOM] = GDK_BOTTOM_SIDE,
        [EDGE_TOP | EDGE_LEFT] = GDK_TOP_LEFT_CORNER,
        [EDGE_TOP | EDGE_RIGHT] = GDK_TOP_RIGHT_CORNER,
        [EDGE_BOTTOM | EDGE_LEFT] = GDK_BOTTOM_LEFT_CORNER,
        [EDGE_BOTTOM | EDGE_RIGHT] = GDK_BOTTOM_RIGHT_CORNER,
    };
    const Drag drag = drag_at(p, x, y);
    GdkWindow *window = gtk_widget_get_window(p->area);
    if (drag == DRAG_FRAME)
        sfu_set_cursor(window, by_edges[edges_at(p, x, y)]);
    else if (drag == DRAG_LINE)
        sfu_set_cursor(window, GDK_SB_H_DOUBLE_ARROW);
    else
        gdk_window_set_cursor(window, NULL);
}

static gboolean on_motion(GtkWidget *w, GdkEventMotion *e, gpointer data)
{
    SfuPreview *p = data;
    const int factor = sfu_scale_factor(w);
    switch (p->drag) {
    case DRAG_NOTHING:
        show_cursor(p, e->x, e->y);
        return FALSE;
    case DRAG_LINE:
        p->line = CLAMP(e->x / widget_width(p), 0, 1);
        gtk_widget_queue_draw(w);
        return TRUE;
    case DRAG_FRAME:
        move_frame(p, e->x, e->y);
        return TRUE;
    case DRAG_VIEW:
        break;
    }
    p->x -= (e->x - p->drag_x) * factor / p->scale;
    p->y -= (e->y - p->drag_y) * factor / p->scale;
    p->drag_x = e->x;
    p->drag_y = e->y;
    p->fitted = FALSE;
    redraw(p);
    return TRUE;
}

static gboolean on_key(GtkWidget *w, GdkEventKey *e, gpointer data)
{
    SfuPreview *p = data;
    const double by = e->keyval == SFU_KEY(Left) ? -0.05 : e->keyval == SFU_KEY(Right) ? 0.05 : 0;
    if (!compares(p) || by == 0)
        return FALSE;
    p->line = CLAMP(p->line + by, 0, 1);
    gtk_widget_queue_draw(w);
    return TRUE;
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    SfuPreview *p = data;
    g_clear_object(&p->before);
    g_clear_object(&p->over);
    g_clear_object(&p->mask);
    g_clear_pointer(&p->cache, cairo_surface_destroy);
    g_clear_pointer(&p->cache_before, cairo_surface_destroy);
    g_free(p);
}

SfuPreview *sfu_preview_new(void)
{
    SfuPreview *p = g_new0(SfuPreview, 1);
    p->area = gtk_drawing_area_new();
    p->scale = p->before_scale = 1;
    p->fitted = TRUE;
    p->line = -1;
    gtk_widget_set_can_focus(p->area, TRUE);
    gtk_widget_set_size_request(p->area, 360, 300);
    gtk_widget_add_events(p->area, GDK_SCROLL_MASK | GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK |
                                       GDK_BUTTON_MOTION_MASK | GDK_POINTER_MOTION_MASK | GDK_KEY_PRESS_MASK
#if GTK_CHECK_VERSION(3, 0, 0)
                                       | GDK_SMOOTH_SCROLL_MASK
#endif
    );
    g_signal_connect(p->area,
#if GTK_CHECK_VERSION(3, 0, 0)
                     "draw",
#else
                     "expose-event",
#endif
                     G_CALLBACK(on_draw), p);
    g_signal_connect(p->area, "scroll-event", G_CALLBACK(on_scroll), p);
    g_signal_connect(p->area, "button-press-event", G_CALLBACK(on_press), p);
    g_signal_connect(p->area, "button-release-event", G_CALLBACK(on_release), p);
    g_signal_connect(p->area, "motion-notify-event", G_CALLBACK(on_motion), p);
    g_signal_connect(p->area, "key-press-event", G_CALLBACK(on_key), p);
    g_signal_connect(p->area, "destroy", G_CALLBACK(on_destroy), p);
    sfu_name(p->area, _("Preview"));
    return p;
}

GtkWidget *sfu_preview_widget(SfuPreview *p)
{
    return p->area;
}

void sfu_preview_set_before(SfuPreview *p, GeglBuffer *before, double before_scale)
{
    g_set_object(&p->before, before);
    p->before_scale = before_scale;
    redraw(p);
}

void sfu_preview_set_over(SfuPreview *p, GeglBuffer *over, GeglBuffer *mask)
{
    g_set_object(&p->over, over);
    g_set_object(&p->mask, mask);
    redraw(p);
}

void sfu_preview_show_before(SfuPreview *p, gboolean on)
{
    p->only_before = on;
    redraw(p);
}

/* Where the comparing line begins: what has changed lies on both sides of it. */
static double middle_of_change(const SfuPreview *p)
{
    if (!p->over)
        return 0.5;
    const GeglRectangle *e = gegl_buffer_get_extent(p->over);
    const double seen = widget_width(p) * sfu_scale_factor(p->area) / p->scale; /* picture pixels */
    const double middle = (e->x + e->width / 2.0 - p->x) / seen;
    return middle > 0 && middle < 1 ? middle : 0.5;
}

void sfu_preview_compare(SfuPreview *p, gboolean on)
{
    p->line = on ? middle_of_change(p) : -1;
    gtk_widget_queue_draw(p->area);
}

void sfu_preview_set_frame(SfuPreview *p, const GeglRectangle *frame, const GeglRectangle *inner,
                           void (*moved)(const GeglRectangle *frame, gpointer data), gpointer data)
{
    p->frame_moved = frame ? moved : NULL;
    p->frame_data = data;
    if (frame) {
        p->frame = *frame;
        p->inner = *inner;
    } else if (p->drag == DRAG_FRAME) {
        p->drag = DRAG_NOTHING;
    }
    gtk_widget_queue_draw(p->area);
}

void sfu_preview_focus(SfuPreview *p, const GeglRectangle *area)
{
    if (p->drag == DRAG_FRAME) { /* what is seen stays until it is let go */
        p->focus = *area;
        p->fitted = FALSE;
        redraw(p);
        return;
    }
    if (p->fitted && gegl_rectangle_equal(&p->focus, area))
        return;
    p->focus = *area;
    sfu_preview_fit(p);
}

void sfu_preview_fit(SfuPreview *p)
{
    p->fitted = TRUE;
    redraw(p);
}

void sfu_preview_zoom(SfuPreview *p, double factor)
{
    GtkAllocation a;
    gtk_widget_get_allocation(p->area, &a);
    const int f = sfu_scale_factor(p->area);
    zoom_about(p, factor > 0 ? p->scale * factor : 1, a.width * f / 2.0, a.height * f / 2.0);
}

double sfu_preview_scale(const SfuPreview *p)
{
    return p->scale;
}

void sfu_preview_on_zoom(SfuPreview *p, void (*fn)(gpointer data), gpointer data)
{
    p->on_zoom = fn;
    p->data = data;
}

GdkPixbuf *sfu_preview_thumbnail(GeglBuffer *before, double before_scale, GeglBuffer *over, const GeglRectangle *area,
                                 int size)
{
    const double scale = (double)size / MAX(area->width, area->height);
    const int w = MAX(1, area->width * scale), h = MAX(1, area->height * scale);
    const Stack stack = {before, over, NULL, before_scale, area};
    const View view = {area->x, area->y, scale, w, h};
    cairo_surface_t *s = render(&stack, &view);
    GdkPixbuf *pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, w, h);
    const unsigned char *from = cairo_image_surface_get_data(s);
    guchar *to = gdk_pixbuf_get_pixels(pixbuf);
    for (int y = 0; y < h; y++) {
        const guint32 *row = (const guint32 *)(from + (gsize)y * cairo_image_surface_get_stride(s));
        for (int x = 0; x < w; x++) {
            guchar *pixel = to + (gsize)y * gdk_pixbuf_get_rowstride(pixbuf) + 3 * x;
            pixel[0] = row[x] >> 16;
            pixel[1] = row[x] >> 8;
            pixel[2] = row[x];
        }
    }
    cairo_surface_destroy(s);
    return pixbuf;
}
