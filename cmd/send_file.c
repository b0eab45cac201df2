/* send_file.c - one conversation of a transfer, from the sender's side. */
#include "transfer.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* A file under way. */
struct sending {
    struct transfer_wire *w;
    struct send_source *source;
    struct transfer_digest digest;
    struct transfer_progress progress;
    int64_t at; /* how much of it the peer has or was sent */
    char buf[TRANSFER_CHUNK];
};

/* ---- What the peer says ---- */

static int unexpected(struct transfer_wire *w, const char *line)
{
    const char *reason = transfer_word(line, "refuse");
    if (reason)
        return transfer_fail(w, TRANSFER_FAILED, "the receiver refuses: %s", reason);
    return transfer_fail(w, TRANSFER_FAILED, "the receiver does not keep to the protocol, but says '%.60s'", line);
}

/* While we send, the peer has nothing to say but that it wants no more. */
static int listen_for_refusal(struct transfer_wire *w)
{
    char line[TRANSFER_LINE];
    int got = transfer_line_if_any(w, line);
    return got > 0 ? unexpected(w, line) : got;
}

/* Where sending failed, the peer may have said why before. */
static void hear_last_words(struct transfer_wire *w)
{
    char line[TRANSFER_LINE], why[sizeof w->why];
    memcpy(why, w->why, sizeof why);
    w->outcome = TRANSFER_DONE;
    if (transfer_line_if_any(w, line) > 0) {
        unexpected(w, line);
        return;
    }
    w->outcome = TRANSFER_BROKEN;
    memcpy(w->why, why, sizeof why);
}

/* ---- What we cannot go on with ---- */

/* Tells both sides. */
static int give_up(struct sending *t, const char *reason)
{
    transfer_fail(t->w, TRANSFER_FAILED, "%s: %s", t->source->path, reason);
    transfer_say(t->w, 0, "abort %.*s", TRANSFER_REASON, reason);
    return -1;
}

static int changed(struct sending *t)
{
    return give_up(t, "it was changed while it was being sent");
}

/* What was promised has to follow, though the file has no more. */
static int pad(struct sending *t, size_t len)
{
    memset(t->buf, 0, len);
    return transfer_send(t->w, t->buf, len, 0) < 0 ? -1 : changed(t);
}

/* ---- Data ---- */

/* 0, 1 where the file has less, or -1 with errno. */
static int read_all(int fd, char *buf, size_t len, int64_t offset)
{
    while (len > 0) {
        ssize_t n = pread(fd, buf, len, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -1 : 1;
        buf += n;
        len -= (size_t)n;
        offset += n;
    }
    return 0;
}

static int passed(struct sending *t, size_t n)
{
    t->at += (int64_t)n;
    transfer_progress_add(&t->progress, n);
    return listen_for_refusal(t->w);
}

/* The digest is of what was read, the data goes within the kernel: where the file changes between the two, the
 * receiver's digest is another one. */
static int send_chunk(struct sending *t)
{
    int64_t left = t->source->file.size - t->at;
    size_t len = left < TRANSFER_CHUNK ? (size_t)left : TRANSFER_CHUNK;
    int got = read_all(t->source->fd, t->buf, len, t->at);
    if (got != 0)
        return got > 0 ? changed(t) : give_up(t, strerror(errno));
    transfer_digest_add(&t->digest, t->buf, len);
    if (transfer_say(t->w, MSG_MORE, "data %zu", len) < 0)
        return -1;
    ssize_t sent = transfer_sendfile(t->w, t->source->fd, t->at, len);
    if (sent < 0)
        return -1;
    return (size_t)sent < len ? pad(t, len - (size_t)sent) : passed(t, len);
}

static int send_regular(struct sending *t)
{
    while (t->at < t->source->file.size)
        if (send_chunk(t) < 0)
            return -1;
    return send_source_is_unchanged(t->source) ? 0 : changed(t);
}

/* As read(2) of a pipe; meanwhile the peer is told that we are here. */
static ssize_t read_stream(struct sending *t)
{
    struct pollfd in = { .fd = t->source->fd, .events = POLLIN };
    for (;;) {
        int ready = skt_poll(&in, 1, 1);
        if (ready == 0 && (transfer_say_wait(t->w) < 0 || listen_for_refusal(t->w) < 0))
            return -1;
        if (ready == 0)
            continue;
        ssize_t n = read(in.fd, t->buf, sizeof t->buf);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN))
            return n < 0 ? give_up(t, strerror(errno)) : n;
    }
}

static int send_stream(struct sending *t)
{
    ssize_t n;
    t->source->begun = true;
    while ((n = read_stream(t)) > 0) {
        transfer_digest_add(&t->digest, t->buf, (size_t)n);
        if (transfer_say(t->w, MSG_MORE, "data %zd", n) < 0 || transfer_send(t->w, t->buf, (size_t)n, 0) < 0 ||
            passed(t, (size_t)n) < 0)
            return -1;
    }
    return n < 0 ? -1 : 0;
}

/* ---- A file ---- */

/* Whether the peer has so many of the file's first bytes; the digest is then that of those. */
static int compare(struct sending *t, int64_t length, const char *sha256)
{
    char ours[65];
    int got = length > t->source->file.size ? 1 : transfer_digest_file(&t->digest, t->w, t->source->fd, length);
    if (got < 0)
        return -1;
    if (got == 0 && transfer_digest_text(&t->digest, ours) && !strcmp(ours, sha256)) {
        t->at = length;
        return 0;
    }
    transfer_digest_end(&t->digest);
    return transfer_digest_begin(&t->digest) < 0 ? give_up(t, strerror(ENOMEM)) : 0;
}

/* Agrees with the peer on where to begin. */
static int announce(struct sending *t)
{
    char line[TRANSFER_LINE], sha256[65];
    int64_t length;
    transfer_write_file(&t->source->file, line);
    if (transfer_say(t->w, 0, "file %s", line) < 0 || transfer_line(t->w, line) < 0)
        return -1;
    const char *have = transfer_word(line, "have");
    if (!have || !transfer_read_have(have, &length, sha256))
        return unexpected(t->w, line);
    if (!t->source->streams && length > 0 && compare(t, length, sha256) < 0)
        return -1;
    return transfer_say(t->w, 0, "from %lld", (long long)t->at);
}

/* Says what it should be, and hears that it is. */
static int conclude(struct sending *t, char *sha256)
{
    char line[TRANSFER_LINE];
    if (!transfer_digest_text(&t->digest, sha256))
        return give_up(t, strerror(ENOMEM));
    if (transfer_say(t->w, 0, "end %s", sha256) < 0 || transfer_line(t->w, line) < 0)
        return -1;
    return strcmp(line, "ok") ? unexpected(t->w, line) : 0;
}

static int send_all(struct sending *t)
{
    char sha256[65];
    if (announce(t) < 0)
        return -1;
    transfer_progress_begin(&t->progress, t->at);
    if ((t->source->streams ? send_stream(t) : send_regular(t)) < 0 || conclude(t, sha256) < 0)
        return -1;
    transfer_report(&t->progress, sha256);
    return 0;
}

static int send_one(struct transfer_wire *w, struct send_job *job)
{
    static struct sending t; /* large */
    struct send_source *source = &job->source;
    if (source->begun)
        return transfer_fail(w, TRANSFER_FAILED, "%s cannot be read a second time, so it is not resumed", source->path);
    t.w = w;
    t.source = source;
    t.at = 0;
    t.progress = (struct transfer_progress){
        .settings = job->settings, .name = source->path, .done = "sent", .size = source->file.size
    };
    if (transfer_digest_begin(&t.digest) < 0)
        return give_up(&t, strerror(ENOMEM));
    int result = send_all(&t);
    transfer_digest_end(&t.digest);
    return result;
}

/* Those that are done are not sent again over the next connection. */
static int send_rest(struct transfer_wire *w, struct send_job *job)
{
    char why[400];
    for (; job->done < job->n; job->done++) {
        const char *path = job->paths[job->done];
        if (job->source.fd < 0 && send_source_open(&job->source, path, why, sizeof why) < 0) {
            transfer_fail(w, TRANSFER_FAILED, "%s", why);
            transfer_say(w, 0, "abort it cannot be opened");
            return -1;
        }
        if (send_one(w, job) < 0)
            return -1;
        send_source_close(&job->source);
    }
    return transfer_say(w, 0, "bye");
}

void send_talk(struct transfer_wire *w, void *arg)
{
    struct send_job *job = arg;
    if (transfer_greet(w, "send", job->settings->timeout) == 0)
        send_rest(w, job);
    if (w->outcome == TRANSFER_BROKEN)
        hear_last_words(w);
}
