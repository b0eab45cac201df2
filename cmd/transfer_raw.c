/* transfer_raw.c - send and receive without a protocol (--raw): the bytes, and the end of input is the end. */
#include "clock.h"
#include "transfer.h"
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- Sending ---- */

/* Waits until the peer's system has all of it: until then the connection may still break.  What the peer sends is
 * thrown away, since closing with data unread would reset the connection. */
static int wait_until_taken(struct transfer_wire *w)
{
    double last = cmd_now();
    int left = 0, before = 0;
    for (;;) {
        ssize_t n = skt_recv(w->sock, w->buf, sizeof w->buf, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return transfer_fail_socket(w);
        if (ioctl(skt_fileno(w->sock), SIOCOUTQ, &left) < 0 || left == 0 || n == 0)
            return 0;
        if (left != before)
            last = cmd_now();
        before = left;
        if (w->idle >= 0 && cmd_now() - last > w->idle)
            return transfer_fail(w, TRANSFER_BROKEN, "nothing has come or gone for %g seconds", w->idle);
        skt_sleep(0.002);
    }
}

static int fail_to_read(struct transfer_wire *w, const struct send_source *source)
{
    return transfer_fail(w, TRANSFER_FAILED, "%s: %s", source->path, strerror(errno));
}

static int send_stream(struct transfer_wire *w, struct send_source *source, struct transfer_progress *progress)
{
    ssize_t n;
    source->begun = true;
    while ((n = read(source->fd, w->buf, sizeof w->buf)) != 0) {
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return fail_to_read(w, source);
        if (transfer_send(w, w->buf, (size_t)n, 0) < 0)
            return -1;
        transfer_progress_add(progress, (size_t)n);
    }
    return 0;
}

/* In pieces, so that something can be shown; up to the end, wherever that is by then. */
static int send_regular(struct transfer_wire *w, struct send_source *source, struct transfer_progress *progress)
{
    ssize_t n;
    while ((n = transfer_sendfile(w, source->fd, progress->at, 4 * (size_t)TRANSFER_CHUNK)) > 0)
        transfer_progress_add(progress, (size_t)n);
    return n < 0 ? -1 : 0;
}

void send_raw(struct transfer_wire *w, void *arg)
{
    struct send_job *job = arg;
    struct send_source *source = &job->source;
    char why[400];
    if (source->fd < 0 && send_source_open(source, job->paths[0], why, sizeof why) < 0) {
        transfer_fail(w, TRANSFER_FAILED, "%s", why);
        return;
    }
    if (source->begun) {
        transfer_fail(w, TRANSFER_FAILED, "%s cannot be read a second time", source->path);
        return;
    }
    struct transfer_progress progress = {
        .settings = job->settings, .name = source->path, .done = "sent", .size = source->file.size
    };
    transfer_progress_begin(&progress, 0);
    if ((source->streams ? send_stream : send_regular)(w, source, &progress) < 0)
        return;
    skt_shutdown(w->sock, SHUT_WR); /* fails only where the peer is gone, which the next call tells */
    if (wait_until_taken(w) == 0)
        transfer_report(&progress, NULL);
}

/* ---- Receiving ---- */

static int receive_all(struct transfer_wire *w, struct receive_part *part, struct transfer_progress *progress)
{
    char why[500];
    const char *data;
    ssize_t n;
    while ((n = transfer_data(w, sizeof w->buf, &data)) > 0) {
        if (receive_part_write(part, data, (size_t)n, why, sizeof why) < 0)
            return transfer_fail(w, TRANSFER_FAILED, "%s", why);
        transfer_progress_add(progress, (size_t)n);
    }
    return n < 0 ? -1 : 0;
}

void receive_raw(struct transfer_wire *w, void *arg)
{
    struct receive_job *job = arg;
    struct transfer_file file = { .size = -1, .mode = 0666 };
    struct receive_part part;
    char why[500];
    if (receive_part_begin(&part, &job->target, &file, why, sizeof why) < 0) {
        transfer_fail(w, TRANSFER_FAILED, "%s", why);
    } else {
        struct transfer_progress progress = {
            .settings = job->settings, .name = part.name, .done = "received", .size = -1
        };
        transfer_progress_begin(&progress, 0);
        if (receive_all(w, &part, &progress) == 0 && receive_part_finish(&part, &file, why, sizeof why) < 0)
            transfer_fail(w, TRANSFER_FAILED, "%s", why);
        if (w->outcome == TRANSFER_DONE)
            transfer_report(&progress, NULL);
    }
    receive_part_leave(&part, false);
}
