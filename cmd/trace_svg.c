/* trace_svg.c - the ladder as a picture: each conversation below the last, a lane for each end, arrows that fall as
 * far as the packet took time, and gaps in time as gaps.
 *
 * Time runs downwards, but not in proportion: a conversation may rest for seconds and then go on within
 * microseconds.  Rows are a step apart, and more by the logarithm of the time between them. */
#include "trace.h"
#include "units.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 900,
    LEFT = 262, /* the lanes */
    RIGHT = 706,
    STEP = 38,
    HEAD = 62, /* a conversation's */
    TOP = 64,
    LEGEND = 64,
    ROWS = 2000, /* more would be no picture any more */
};

struct drawn {
    struct trace_row row;
    unsigned talk; /* index in talks */
};

struct svg_writer {
    struct trace_writer base;
    char *title;
    struct drawn *rows;
    struct trace_talk *talks;
    size_t n, room, n_talks, room_talks, left_out;
    bool used[KINDS];
};

static const struct look {
    const char *colour, *dash, *words;
    double width;
} looks[KINDS] = {
    [KIND_OPEN] = { "#2e7d32", "", "opening", 1.6 },      [KIND_DATA] = { "#1256a8", "", "data", 2.6 },
    [KIND_ACK] = { "#666666", "", "acknowledgement", 1 }, [KIND_CLOSE] = { "#a65a00", "", "closing", 1.6 },
    [KIND_RESET] = { "#c62828", "", "reset", 1.6 },       [KIND_AGAIN] = { "#8e24aa", "8 4", "sent again", 2 },
    [KIND_ERROR] = { "#c62828", "2 3", "error", 1.6 },
};

/* ---- Keeping ---- */

static void *grow(void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return array;
    size_t more = *room ? 2 * *room : 64;
    void *grown = realloc(array, more * size);
    if (grown)
        *room = more;
    return grown;
}

/* The copy of a conversation, which is there for as long as the picture; -1: no memory. */
static long keep_talk(struct svg_writer *w, const struct trace_talk *talk)
{
    size_t i = w->n_talks;
    while (i > 0 && w->talks[i - 1].number != talk->number)
        i--;
    if (i == 0) {
        struct trace_talk *talks = grow(w->talks, w->n_talks, &w->room_talks, sizeof *talks);
        if (!talks)
            return -1;
        w->talks = talks;
        i = ++w->n_talks;
    }
    w->talks[i - 1] = *talk;
    return (long)i - 1;
}

static void keep_row(struct trace_writer *writer, const struct trace_row *row)
{
    struct svg_writer *w = (struct svg_writer *)writer;
    struct drawn *rows = w->n < ROWS ? grow(w->rows, w->n, &w->room, sizeof *rows) : NULL;
    if (rows)
        w->rows = rows;
    long talk = rows ? keep_talk(w, row->talk) : -1;
    if (talk < 0) {
        w->left_out++;
        return;
    }
    w->rows[w->n++] = (struct drawn){ *row, (unsigned)talk };
    w->used[row->kind] = true;
}

/* ---- Pieces ---- */

/* Names of files may have any bytes. */
static void put_escaped(FILE *f, const char *text)
{
    for (; *text; text++)
        if (strchr("<>&\"", *text))
            fprintf(f, "&#%d;", *text);
        else
            fputc(*text >= ' ' && *text <= '~' ? *text : '?', f);
}

static void put_text(FILE *f, double x, double y, const char *anchor, const char *style, const char *text)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>", x, y, anchor, style);
    put_escaped(f, text);
    fputs("</text>\n", f);
}

static void put_line(FILE *f, double x1, double y1, double x2, double y2, const struct look *look)
{
    fprintf(f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%.1f\"", x1, y1, x2,
            y2, look->colour, look->width);
    if (*look->dash)
        fprintf(f, " stroke-dasharray=\"%s\"", look->dash);
    fputs("/>\n", f);
}

/* The head of an arrow that ends at x, y and comes down by `angle` degrees; a cross for a reset. */
static void put_head(FILE *f, double x, double y, double angle, enum trace_kind kind)
{
    const char *colour = looks[kind].colour;
    if (kind == KIND_RESET)
        fprintf(f,
                "<path d=\"M-12 -6 L0 6 M-12 6 L0 -6\" transform=\"translate(%.1f %.1f) rotate(%.1f)\" "
                "stroke=\"%s\" stroke-width=\"2.4\"/>\n",
                x, y, angle, colour);
    else
        fprintf(f, "<path d=\"M0 0 L-11 -5 L-11 5 Z\" transform=\"translate(%.1f %.1f) rotate(%.1f)\" fill=\"%s\"/>\n",
                x, y, angle, colour);
}

/* ---- Rows ---- */

/* How far an arrow falls: by the logarithm of the time a packet takes. */
static double fall(const struct trace_talk *talk)
{
    return 8 + fmin(4 * log10(1 + (double)talk->delay / 1e5), 14);
}

static void put_state(FILE *f, const struct trace_row *row, int side, double y)
{
    char text[24];
    if (!row->changed[side] || row->states[side] == STATE_NONE)
        return;
    snprintf(text, sizeof text, row->supposed[side] ? "(%s)" : "%s", trace_state_name(row->states[side]));
    double lane = side == 0 ? LEFT : RIGHT;
    fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\" stroke=\"#444\"/>\n", lane, y,
            row->supposed[side] ? "#fff" : "#444");
    put_text(f, lane + (side == 0 ? -12 : 12), y + 4, side == 0 ? "end" : "start",
             row->supposed[side] ? "class=\"state\" fill=\"#777\"" : "class=\"state\"", text);
}

static void put_row(FILE *f, const struct drawn *d, const struct trace_talk *talk, double y)
{
    const struct trace_row *row = &d->row;
    double dy = fall(talk), tail = row->outgoing ? y : y - dy, head = tail + dy;
    bool right = row->from == 0;
    double x1 = right ? LEFT : RIGHT, x2 = right ? RIGHT : LEFT, angle = atan2(dy, RIGHT - LEFT) * 180 / M_PI;
    double inside = row->kind == KIND_RESET ? 0 : right ? -8 : 8; /* the line ends within its head */
    char text[160], style[160];
    put_state(f, row, row->from, tail);
    put_state(f, row, !row->from, head);
    put_line(f, x1, tail, x2 + inside, head - fabs(inside) * dy / (RIGHT - LEFT), &looks[row->kind]);
    put_head(f, x2, head, right ? angle : 180 - angle, row->kind);
    trace_label(row, 62, text, sizeof text);
    snprintf(style, sizeof style, "class=\"label\" fill=\"%s\" transform=\"rotate(%.2f %d %.1f)\"",
             looks[row->kind].colour, right ? angle : -angle, (LEFT + RIGHT) / 2, (tail + head) / 2);
    put_text(f, (LEFT + RIGHT) / 2.0, (tail + head) / 2 - 5, "middle", style, text);
    snprintf(text, sizeof text, "%.6f", (double)row->time / 1e9);
    put_text(f, 104, y + 4, "end", "class=\"time\"", text);
}

/* ---- Conversations ---- */

/* How far below the last row the next one is. */
static double step(int64_t gap)
{
    double more = gap > 1000000 ? 10 * log10((double)gap / 1e6) : 0;
    return STEP + fmin(more, 40);
}

static void put_gap(FILE *f, int64_t gap, double y)
{
    char time[CMD_UNITS_TEXT], text[CMD_UNITS_TEXT + 10];
    if (gap < 100000000)
        return;
    snprintf(text, sizeof text, "%s later", cmd_time_text((double)gap / 1e9, time));
    put_text(f, (LEFT + RIGHT) / 2.0, y, "middle", "class=\"time\" font-style=\"italic\"", text);
}

static const struct drawn *next_of(const struct svg_writer *w, const struct drawn *d, unsigned talk)
{
    for (d = d ? d + 1 : w->rows; d < w->rows + w->n; d++)
        if (d->talk == talk)
            return d;
    return NULL;
}

/* Draws its rows, or with file NULL only measures; returns where the lanes end. */
static double put_rows(const struct svg_writer *w, unsigned talk, double y, FILE *f)
{
    const struct drawn *last = NULL;
    for (const struct drawn *d = next_of(w, NULL, talk); d; last = d, d = next_of(w, d, talk)) {
        int64_t gap = last ? d->row.time - last->row.time : 0;
        double down = last ? step(gap) : 30;
        if (f) {
            put_gap(f, gap, y + (down - STEP) / 2 + 10);
            put_row(f, d, &w->talks[talk], y + down);
        }
        y += down;
    }
    return y + 34;
}

static double put_talk(const struct svg_writer *w, unsigned index, double y, FILE *f)
{
    static const struct look lane = { "#999999", "", "", 1.6 };
    const struct trace_talk *talk = &w->talks[index];
    char text[40], name[TRACE_NAME];
    double lanes = y + HEAD, end = put_rows(w, index, lanes, NULL);
    if (!f)
        return end;
    snprintf(text, sizeof text, "#%u %s", talk->number, trace_protocol_name(talk->protocol));
    put_text(f, 24, y + 20, "start", "class=\"number\"", text);
    put_text(f, 104, lanes + 4, "end", "class=\"time\"", "seconds");
    for (int i = 0; i < 2; i++) {
        double x = i == 0 ? LEFT : RIGHT;
        trace_name(talk, i, name);
        put_text(f, x, y + 42, "middle",
                 strlen(name) > 36 ? "class=\"name\" style=\"font-size:10px\"" : "class=\"name\"", name);
        put_line(f, x, lanes - 8, x, end - 12, &lane);
    }
    return put_rows(w, index, lanes, f);
}

static double put_talks(const struct svg_writer *w, FILE *f)
{
    double y = TOP - 24;
    for (size_t i = 0; i < w->n_talks; i++)
        y = put_talk(w, (unsigned)i, y, f);
    return y;
}

/* ---- The whole ---- */

/* That somebody listens was supposed: what came later tells. */
static void settle(struct svg_writer *w, struct drawn *d)
{
    struct trace_row *row = &d->row;
    int side = !row->from;
    if (!row->supposed[side] || row->states[side] != STATE_LISTEN)
        return;
    enum tcp_state later = w->talks[d->talk].tcp[side].state;
    const struct drawn *answer = next_of(w, d, d->talk);
    bool refused = answer && answer->row.kind == KIND_RESET;
    row->supposed[side] = later == STATE_LISTEN;
    row->changed[side] &= !refused;
}

static void put_legend(const struct svg_writer *w, double y, FILE *f)
{
    double x = 24;
    for (int i = 0; i < KINDS; i++) {
        if (!w->used[i])
            continue;
        put_line(f, x, y, x + 30, y, &looks[i]);
        put_head(f, x + 38, y, 0, (enum trace_kind)i);
        put_text(f, x + 46, y + 4, "start", "class=\"time\"", looks[i].words);
        x += 60 + 7.2 * (double)strlen(looks[i].words);
    }
    put_text(f, 24, y + 24, "start", "class=\"time\"",
             "(STATE): supposed, not shown by a packet. Time runs downwards, long pauses are shortened; "
             "sequence numbers count from the first.");
}

static void draw(struct svg_writer *w)
{
    FILE *f = w->base.file;
    for (size_t i = 0; i < w->n; i++)
        settle(w, &w->rows[i]);
    double height = put_talks(w, NULL) + LEGEND;
    char more[80];
    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" "
            "font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"12\">\n"
            "<style>.time{font-size:11px;fill:#666}.state{font-size:11px;font-weight:bold}.label{font-size:12px}"
            ".name{font-size:13px;font-weight:bold}.number{font-size:13px;fill:#666}.title{font-size:16px;"
            "font-weight:bold}</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            WIDTH, height, WIDTH, height);
    put_text(f, 24, 32, "start", "class=\"title\"", w->title);
    double y = put_talks(w, f);
    if (w->left_out > 0) {
        snprintf(more, sizeof more, "... and %zu more, which are not drawn", w->left_out);
        put_text(f, (LEFT + RIGHT) / 2.0, y, "middle", "class=\"time\"", more);
    }
    put_legend(w, y + 22, f);
    fputs("</svg>\n", f);
}

static void end(struct trace_writer *writer)
{
    struct svg_writer *w = (struct svg_writer *)writer;
    draw(w);
    fflush(w->base.file);
    trace_note_file(w->base.file);
    free(w->title);
    free(w->rows);
    free(w->talks);
    free(w);
}

struct trace_writer *trace_svg(FILE *file, const char *title)
{
    struct svg_writer *w = calloc(1, sizeof *w);
    if (!w || !(w->title = strdup(title))) {
        free(w);
        return NULL;
    }
    w->base = (struct trace_writer){ keep_row, end, file, NULL };
    return &w->base;
}
