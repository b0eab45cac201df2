/* trace_text.c - the ladder as text, a line an arrow, as they come.
 *
 *      0.000021   ESTABLISHED |<- SYN ACK, seq 0, ack 1 ---------------| SYN-RECEIVED
 *
 * A state stands there where it has changed; in parentheses, where nothing that was seen shows it. */
#include "terminal.h"
#include "trace.h"
#include <stdlib.h>
#include <string.h>

enum { TIME = 9, STATE = 13, LEFT_BAR = TIME + 1 + STATE + 1, LEAST = 70, MOST = 132 };

struct text_writer {
    struct trace_writer base;
    unsigned last, highest; /* conversations */
};

struct pieces {
    const char *bar, *dash, *left, *right;
};

static const struct pieces *pieces(void)
{
    static const struct pieces plain = { "|", "-", "<", ">" }, drawn = { "│", "─", "◀", "▶" };
    return cmd_has_utf8() ? &drawn : &plain;
}

static int width(FILE *file)
{
    int columns = cmd_terminal_width(fileno(file));
    return columns < LEAST ? LEAST : columns > MOST ? MOST : columns;
}

/* ---- Lines ---- */

/* A line that is written at once, so that those of the command do not come between; bytes and columns differ. */
struct line {
    char text[1024];
    size_t len;
    int column;
};

static void put(struct line *l, const char *text, int columns)
{
    size_t n = strlen(text);
    if (l->len + n + 2 > sizeof l->text)
        return;
    memcpy(l->text + l->len, text, n);
    l->len += n;
    l->column += columns;
}

static void put_text(struct line *l, const char *text)
{
    put(l, text, (int)strlen(text));
}

static void repeat(struct line *l, const char *piece, int column)
{
    while (l->column < column && l->len < sizeof l->text - 8)
        put(l, piece, 1);
}

static void finish(struct line *l, FILE *file)
{
    while (l->len > 0 && l->text[l->len - 1] == ' ')
        l->len--;
    l->text[l->len++] = '\n';
    fwrite(l->text, 1, l->len, file);
    fflush(file);
}

/* ---- Heads ---- */

static int clamp(int value, int least, int most)
{
    return value < least || most < least ? least : value > most ? most : value;
}

/* Each name in the middle above its bar, as far as there is room. */
static void write_names(struct text_writer *w, const struct trace_talk *talk, int columns)
{
    struct line l = { .len = 0 };
    char head[32], names[2][TRACE_NAME];
    int left = (int)strlen(trace_name(talk, 0, names[0])), right = (int)strlen(trace_name(talk, 1, names[1]));
    int right_bar = columns - STATE - 2;
    snprintf(head, sizeof head, "#%u %s  ", talk->number, trace_protocol_name(talk->protocol));
    put_text(&l, head);
    repeat(&l, " ", LEFT_BAR - left / 2);
    put_text(&l, names[0]);
    int at = clamp(right_bar - right / 2, 0, columns - right);
    if (at < l.column + 2) {
        finish(&l, w->base.file);
        l = (struct line){ .len = 0 };
    }
    repeat(&l, " ", at);
    put_text(&l, names[1]);
    finish(&l, w->base.file);
}

static void write_head(struct text_writer *w, const struct trace_talk *talk, int columns)
{
    struct line l = { .len = 0 };
    bool first = talk->number > w->highest;
    if (talk->number == w->last)
        return;
    if (first && w->last)
        fputc('\n', w->base.file);
    write_names(w, talk, columns);
    w->last = talk->number;
    if (!first)
        return;
    w->highest = talk->number;
    put_text(&l, "  seconds");
    repeat(&l, " ", LEFT_BAR);
    put(&l, pieces()->bar, 1);
    repeat(&l, " ", columns - STATE - 2);
    put(&l, pieces()->bar, 1);
    finish(&l, w->base.file);
}

/* ---- Rows ---- */

static const char *state_text(const struct trace_row *row, int side, char buf[static 20])
{
    const char *name = row->changed[side] ? trace_state_name(row->states[side]) : "";
    snprintf(buf, 20, row->supposed[side] && *name ? "(%s)" : "%s", name);
    return buf;
}

static void put_arrow(struct line *l, const struct trace_row *row, int right_bar, int fd)
{
    static const enum cmd_colour colours[KINDS] = {
        [KIND_OPEN] = COLOUR_GREEN, [KIND_DATA] = COLOUR_BLUE,  [KIND_ACK] = COLOUR_DIM,  [KIND_CLOSE] = COLOUR_YELLOW,
        [KIND_RESET] = COLOUR_RED,  [KIND_AGAIN] = COLOUR_BOLD, [KIND_ERROR] = COLOUR_RED
    };
    const struct pieces *p = pieces();
    char label[160];
    trace_label(row, right_bar - l->column - 6, label, sizeof label);
    put(l, cmd_colour(fd, colours[row->kind]), 0);
    put(l, row->from == 0 ? p->dash : p->left, 1);
    put(l, p->dash, 1);
    put_text(l, " ");
    put_text(l, label);
    put_text(l, " ");
    repeat(l, p->dash, right_bar - 1);
    put(l, row->from == 0 ? p->right : p->dash, 1);
    put(l, cmd_colour(fd, COLOUR_NONE), 0);
}

static void write_row(struct trace_writer *writer, const struct trace_row *row)
{
    struct text_writer *w = (struct text_writer *)writer;
    struct line l = { .len = 0 };
    char text[40], state[20];
    int columns = width(writer->file), right_bar = columns - STATE - 2;
    write_head(w, row->talk, columns);
    snprintf(text, sizeof text, "%*.6f %*s ", TIME, (double)row->time / 1e9, STATE, state_text(row, 0, state));
    put_text(&l, text);
    put(&l, pieces()->bar, 1);
    put_arrow(&l, row, right_bar, fileno(writer->file));
    put(&l, pieces()->bar, 1);
    put_text(&l, " ");
    put_text(&l, state_text(row, 1, state));
    finish(&l, writer->file);
}

static void end(struct trace_writer *writer)
{
    free(writer);
}

struct trace_writer *trace_text(FILE *file)
{
    struct text_writer *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->base = (struct trace_writer){ write_row, end, file, NULL };
    return &w->base;
}
