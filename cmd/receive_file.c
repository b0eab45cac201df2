/* receive_file.c - one conversation of a transfer, from the receiver's side. */
#include "terminal.h"
#include "transfer.h"
#include "units.h"
#include <errno.h>
#include <string.h>

/* A file under way. */
struct receiving {
    struct transfer_wire *w;
    struct receive_job *job;
    struct transfer_file file;
    struct receive_part part;
    struct transfer_digest digest;
    struct transfer_progress progress;
    char why[500];
};

/* ---- What we cannot go on with ---- */

/* Tells both sides, and lets the peer read it. */
static int refuse(struct transfer_wire *w, const char *reason)
{
    if (w->outcome == TRANSFER_DONE && transfer_say(w, 0, "refuse %.*s", TRANSFER_REASON, reason) == 0) {
        transfer_fail(w, TRANSFER_FAILED, "%s", reason);
        transfer_drain(w);
    }
    return transfer_fail(w, TRANSFER_FAILED, "%s", reason);
}

static int refuse_part(struct receiving *r)
{
    return refuse(r->w, r->why);
}

static int unexpected(struct transfer_wire *w, const char *line)
{
    char reason[TRANSFER_REASON];
    const char *abort_reason = transfer_word(line, "abort");
    if (abort_reason)
        return transfer_fail(w, TRANSFER_FAILED, "the sender has given up: %s", abort_reason);
    snprintf(reason, sizeof reason, "the sender does not keep to the protocol, but says '%.60s'", line);
    return refuse(w, transfer_printable(reason));
}

/* ---- Data ---- */

static int take_data(struct receiving *r, int64_t left)
{
    while (left > 0) {
        const char *data;
        ssize_t n = transfer_data(r->w, (size_t)left, &data);
        if (n == 0)
            transfer_fail(r->w, TRANSFER_BROKEN, "the peer has closed the connection");
        if (n <= 0)
            return -1;
        transfer_digest_add(&r->digest, data, (size_t)n);
        if (receive_part_write(&r->part, data, (size_t)n, r->why, sizeof r->why) < 0)
            return refuse_part(r);
        left -= n;
        transfer_progress_add(&r->progress, (size_t)n);
    }
    return 0;
}

/* "data LENGTH": not more than was announced. */
static int data_line(struct receiving *r, const char *length)
{
    int64_t most = r->file.size < 0 ? TRANSFER_CHUNK : r->file.size - r->progress.at, n;
    if (!transfer_read_number(length, most < TRANSFER_CHUNK ? most : TRANSFER_CHUNK, &n) || n == 0)
        return refuse(r->w, "the sender sends more than it has announced");
    return take_data(r, n);
}

/* "end SHA256" */
static int check_end(struct receiving *r, const char *theirs, char *ours)
{
    if (r->file.size >= 0 && r->progress.at != r->file.size)
        return refuse(r->w, "the sender has ended too early");
    if (!transfer_digest_text(&r->digest, ours))
        return refuse(r->w, strerror(ENOMEM));
    if (strcmp(ours, theirs) == 0)
        return 0;
    snprintf(r->why, sizeof r->why, "%s: what came is not what was sent (wrong SHA-256)", r->part.name);
    return refuse_part(r);
}

static int take_until_end(struct receiving *r, char *sha256)
{
    char line[TRANSFER_LINE];
    for (;;) {
        const char *rest;
        if (transfer_line(r->w, line) < 0)
            return -1;
        if ((rest = transfer_word(line, "end")))
            return transfer_is_sha256(rest) ? check_end(r, rest, sha256) : unexpected(r->w, line);
        if (!(rest = transfer_word(line, "data")))
            return unexpected(r->w, line);
        if (data_line(r, rest) < 0)
            return -1;
    }
}

/* ---- A file ---- */

/* Says what is there from before, and hears where the sender begins. */
static int agree(struct receiving *r)
{
    char line[TRANSFER_LINE], sha256[65];
    int64_t from;
    int got = transfer_digest_file(&r->digest, r->w, r->part.fd, r->part.have);
    if (got != 0)
        return got < 0 ? -1 : refuse(r->w, "what is there from before cannot be read");
    if (!transfer_digest_text(&r->digest, sha256))
        return refuse(r->w, strerror(ENOMEM));
    if (transfer_say(r->w, 0, "have %lld %s", (long long)r->part.have, sha256) < 0 || transfer_line(r->w, line) < 0)
        return -1;
    const char *rest = transfer_word(line, "from");
    if (!rest || !transfer_read_number(rest, r->part.have, &from) || (from != 0 && from != r->part.have))
        return unexpected(r->w, line);
    if (from == r->part.have)
        return 0;
    transfer_digest_end(&r->digest);
    if (transfer_digest_begin(&r->digest) < 0)
        return refuse(r->w, strerror(ENOMEM));
    return receive_part_restart(&r->part, r->file.size, r->why, sizeof r->why) < 0 ? refuse_part(r) : 0;
}

static int receive_all(struct receiving *r)
{
    char sha256[65];
    if (agree(r) < 0)
        return -1;
    r->progress = (struct transfer_progress){
        .settings = r->job->settings, .name = r->part.name, .done = "received", .size = r->file.size
    };
    transfer_progress_begin(&r->progress, r->part.have);
    if (take_until_end(r, sha256) < 0)
        return -1;
    if (receive_part_finish(&r->part, &r->file, r->why, sizeof r->why) < 0)
        return refuse_part(r);
    r->job->received++;
    if (transfer_say(r->w, 0, "ok") < 0)
        return -1;
    transfer_report(&r->progress, sha256);
    return 0;
}

/* What is lost and what is kept, said with the reason. */
static void explain(struct receiving *r)
{
    char at[CMD_UNITS_TEXT], size[CMD_UNITS_TEXT], reason[200];
    if (r->w->outcome != TRANSFER_BROKEN || r->progress.at == 0)
        return;
    snprintf(reason, sizeof reason, "%.199s", r->w->why);
    cmd_size_text((double)r->progress.at, at);
    if (r->part.resumable)
        snprintf(r->w->why, sizeof r->w->why, "%s after %s of %s, which are in %s, to be resumed", reason, at,
                 cmd_size_text((double)r->file.size, size), r->part.part);
    else
        snprintf(r->w->why, sizeof r->w->why, "%s after %s of %s", reason, at, r->part.name);
}

static int receive_one(struct transfer_wire *w, struct receive_job *job, const char *announcement)
{
    struct receiving r = { .w = w, .job = job };
    if (!transfer_read_file(announcement, &r.file))
        return refuse(w, "the sender announces a file in a way, or with a name, that cannot be");
    if (!job->target.directory && job->received > 0)
        return refuse(w, "one file is expected here, and the sender sends another");
    if (transfer_digest_begin(&r.digest) < 0)
        return refuse(w, strerror(ENOMEM));
    if (receive_part_begin(&r.part, &job->target, &r.file, r.why, sizeof r.why) < 0)
        refuse_part(&r);
    else if (receive_all(&r) < 0)
        explain(&r);
    transfer_digest_end(&r.digest);
    receive_part_leave(&r.part, w->outcome == TRANSFER_BROKEN || w->outcome == TRANSFER_STRANGER);
    return w->outcome == TRANSFER_DONE ? 0 : -1;
}

static void receive_files(struct transfer_wire *w, struct receive_job *job)
{
    char line[TRANSFER_LINE];
    while (transfer_line(w, line) == 0) {
        const char *file = transfer_word(line, "file");
        if (!strcmp(line, "bye") && job->received > 0)
            return;
        if ((file ? receive_one(w, job, file) : unexpected(w, line)) < 0)
            return;
    }
}

void receive_talk(struct transfer_wire *w, void *arg)
{
    struct receive_job *job = arg;
    if (transfer_greet(w, "receive", job->settings->timeout) == 0)
        receive_files(w, job);
}
