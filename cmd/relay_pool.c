/* relay_pool.c - buffers and pipes for the data, kept for the next connection: to have them anew from the system each
 * time would cost more than a short connection's data. */
#include "relay.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    KEPT = 256,              /* buffers of each size */
    MOST_PIPES = 64,         /* of 1 MiB, which is what an unprivileged user may have at all (pipe(7)) */
    LEAST_PIPE = 256 * 1024, /* smaller ones are no better than a buffer */
};

static struct {
    pthread_mutex_t lock;
    char *buffers[2][KEPT];
    unsigned n[2];
    int pipes[MOST_PIPES][2];
    unsigned kept_pipes, pipes_made, most_pipes;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .most_pipes = MOST_PIPES };

char *relay_take_buffer(bool large)
{
    char *buf = NULL;
    pthread_mutex_lock(&pool.lock);
    if (pool.n[large] > 0)
        buf = pool.buffers[large][--pool.n[large]];
    pthread_mutex_unlock(&pool.lock);
    return buf ? buf : malloc(large ? RELAY_LARGE_BUFFER : RELAY_BUFFER);
}

void relay_give_buffer(char *buf, bool large)
{
    pthread_mutex_lock(&pool.lock);
    if (pool.n[large] < KEPT) {
        pool.buffers[large][pool.n[large]++] = buf;
        buf = NULL;
    }
    pthread_mutex_unlock(&pool.lock);
    free(buf);
}

/* Counts one more pipe, taking a kept one if there is one.  false: there are enough. */
static bool take_kept(int fds[2])
{
    fds[0] = -1;
    pthread_mutex_lock(&pool.lock);
    bool may = pool.kept_pipes > 0 || pool.pipes_made < pool.most_pipes;
    if (pool.kept_pipes > 0) {
        fds[0] = pool.pipes[--pool.kept_pipes][0];
        fds[1] = pool.pipes[pool.kept_pipes][1];
    } else if (may) {
        pool.pipes_made++;
    }
    pthread_mutex_unlock(&pool.lock);
    return may;
}

static void uncount(void)
{
    pthread_mutex_lock(&pool.lock);
    pool.pipes_made--;
    pthread_mutex_unlock(&pool.lock);
}

bool relay_take_pipe(int fds[2])
{
    int keep = errno;
    if (!take_kept(fds))
        return false;
    if (fds[0] >= 0)
        return true;
    bool made = pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0;
    if (made && (fcntl(fds[1], F_SETPIPE_SZ, RELAY_PIPE) >= LEAST_PIPE || fcntl(fds[1], F_GETPIPE_SZ) >= LEAST_PIPE))
        return true;
    if (made)
        relay_drop_pipe(fds);
    else
        uncount();
    errno = keep;
    return false;
}

void relay_give_pipe(const int fds[2])
{
    pthread_mutex_lock(&pool.lock);
    pool.pipes[pool.kept_pipes][0] = fds[0]; /* there are at most as many as have been made */
    pool.pipes[pool.kept_pipes++][1] = fds[1];
    pthread_mutex_unlock(&pool.lock);
}

void relay_drop_pipe(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
    uncount();
}

void relay_limit_pipes(unsigned n)
{
    pool.most_pipes = n < MOST_PIPES ? n : MOST_PIPES;
}

void relay_end_pools(void)
{
    for (int large = 0; large < 2; large++)
        while (pool.n[large] > 0)
            free(pool.buffers[large][--pool.n[large]]);
    while (pool.kept_pipes > 0) {
        const int *fds = pool.pipes[--pool.kept_pipes];
        relay_drop_pipe(fds);
    }
}
