/* trace_json.c - a line of JSON for each arrow. */
#include "json.h"
#include "trace.h"
#include <stdlib.h>

static void write_sides(struct cmd_json *j, const char *name, const char *left, const char *right)
{
    cmd_json_open(j, name, '[');
    cmd_json_text(j, NULL, left);
    cmd_json_text(j, NULL, right);
    cmd_json_close(j, ']');
}

static const char *state_or_null(const struct trace_row *row, int side)
{
    return row->states[side] == STATE_NONE ? NULL : trace_state_name(row->states[side]);
}

static void write_interface(struct cmd_json *j, unsigned interface)
{
    char name[16];
    if (interface)
        cmd_json_text(j, "interface", skt_if_indextoname(interface, name, sizeof name) == 0 ? name : NULL);
}

static void write_row(struct trace_writer *writer, const struct trace_row *row)
{
    struct cmd_json j = { .file = writer->file };
    const struct trace_talk *talk = row->talk;
    cmd_json_open(&j, NULL, '{');
    cmd_json_integer(&j, "conversation", talk->number);
    cmd_json_number(&j, "time", (double)row->time / 1e9);
    const char *protocol = trace_protocol_name(talk->protocol);
    cmd_json_text(&j, "protocol", *protocol ? protocol : NULL);
    cmd_json_text(&j, "from", talk->names[row->from]);
    cmd_json_text(&j, "to", talk->names[!row->from]);
    cmd_json_text(&j, "kind", trace_kind_name(row->kind));
    cmd_json_text(&j, "what", row->what);
    if (row->bytes >= 0)
        cmd_json_integer(&j, "bytes", row->bytes);
    if (row->numbered) {
        cmd_json_integer(&j, "seq", row->seq);
        if (talk->protocol == IPPROTO_TCP)
            cmd_json_integer(&j, "ack", row->ack);
    }
    cmd_json_text(&j, "note", row->note ? row->note : *row->more ? row->more : NULL);
    write_sides(&j, "states", state_or_null(row, row->from), state_or_null(row, !row->from));
    write_interface(&j, row->interface);
    cmd_json_close(&j, '}');
    fflush(writer->file);
}

static void end(struct trace_writer *writer)
{
    free(writer);
}

struct trace_writer *trace_json(FILE *file)
{
    struct trace_writer *w = calloc(1, sizeof *w);
    if (w)
        *w = (struct trace_writer){ write_row, end, file, NULL };
    return w;
}
