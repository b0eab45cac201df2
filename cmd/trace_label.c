/* trace_label.c - the words at an arrow, which all writers share. */
#include "trace.h"
#include <string.h>

const char *trace_kind_name(enum trace_kind kind)
{
    static const char *const names[KINDS] = { "open", "data", "ack", "close", "reset", "retransmission", "error" };
    return names[kind];
}

const char *trace_protocol_name(unsigned protocol)
{
    return protocol == IPPROTO_TCP ? "TCP" : protocol == IPPROTO_UDP ? "UDP" : protocol == IPPROTO_ICMP ? "ICMP" : "";
}

char *trace_name(const struct trace_talk *talk, int side, char buf[static TRACE_NAME])
{
    if (side == talk->ours)
        snprintf(buf, TRACE_NAME, "%s (skt %s)", talk->names[side], talk->command);
    else
        snprintf(buf, TRACE_NAME, "%s", talk->names[side]);
    return buf;
}

/* Adds a part if there is room for it. */
static void add(char *buf, size_t len, int columns, const char *part)
{
    size_t used = strlen(buf), more = strlen(part) + (used ? 2 : 0);
    if (*part && (used == 0 || used + more <= (size_t)columns) && used + more < len)
        sprintf(buf + used, "%s%s", used ? ", " : "", part);
}

/* What is most important comes first, so that the rest may be left out. */
void trace_label(const struct trace_row *row, int columns, char *buf, size_t len)
{
    char part[40];
    *buf = '\0';
    add(buf, len, columns, row->what);
    if (row->bytes > 0 || (row->bytes == 0 && !row->numbered && row->kind != KIND_RESET)) {
        snprintf(part, sizeof part, "%lld byte%s", (long long)row->bytes, row->bytes == 1 ? "" : "s");
        add(buf, len, columns, part);
    }
    add(buf, len, columns, row->note ? row->note : "");
    add(buf, len, columns, row->more);
    if (row->numbered && (row->bytes > 0 || row->kind != KIND_ACK)) {
        snprintf(part, sizeof part, "seq %u", row->seq);
        add(buf, len, columns, part);
    }
    if (row->numbered && strstr(row->what, "ACK")) {
        snprintf(part, sizeof part, "ack %u", row->ack);
        add(buf, len, columns, part);
    }
}
