/* job.c - a few threads for work that cannot be stopped: see job.h. */
#include "job.h"
#include "sys.h"
#include "wait.h"
#include <errno.h>
#include <sys/eventfd.h>

/* As many look-ups can hang at once before others have to queue. A helper ends when
 * the queue is empty: an idle program has no threads of ours. */
#define MOST_HELPERS 32

static struct {
    pthread_mutex_t lock;
    struct skti_job *first, **last;
    int helpers;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .last = &queue.first };

static void lock_queue(void)
{
    pthread_mutex_lock(&queue.lock);
}

static void unlock_queue(void)
{
    pthread_mutex_unlock(&queue.lock);
}

/* The helpers stay with the parent. */
static void forget_queue(void)
{
    queue.first = NULL;
    queue.last = &queue.first;
    queue.helpers = 0;
    unlock_queue();
}

__attribute__((constructor)) static void watch_fork(void)
{
    pthread_atfork(lock_queue, unlock_queue, forget_queue);
}

static struct skti_job *next_job(void)
{
    lock_queue();
    struct skti_job *job = queue.first;
    if (!job) {
        queue.helpers--;
    } else {
        queue.first = job->next;
        if (!queue.first)
            queue.last = &queue.first;
    }
    unlock_queue();
    return job;
}

static void finish(struct skti_job *job)
{
    pthread_mutex_lock(&job->lock);
    bool abandoned = job->abandoned;
    job->done = true;
    if (!abandoned)
        skti_set_off(job->done_fd);
    pthread_mutex_unlock(&job->lock);
    if (abandoned)
        job->dispose(job);
}

static void *help(void *unused)
{
    struct skti_job *job;
    while ((job = next_job())) {
        job->run(job);
        finish(job);
    }
    return unused;
}

/* Starts another helper; 0 or an errno.  The queue is locked. */
static int add_helper(void)
{
    if (queue.helpers >= MOST_HELPERS)
        return 0;
    int code = skti_sys.start_thread(help, NULL);
    if (code == 0)
        queue.helpers++;
    return queue.helpers > 0 ? 0 : code;
}

static int submit(struct skti_job *job)
{
    lock_queue();
    int code = add_helper();
    if (code == 0) {
        job->next = NULL;
        *queue.last = job;
        queue.last = &job->next;
    }
    unlock_queue();
    errno = code;
    return code ? -1 : 0;
}

/* Leaves a job whose result is no longer wanted to its helper: false if it is done already. */
static bool abandon(struct skti_job *job)
{
    pthread_mutex_lock(&job->lock);
    bool abandoned = job->abandoned = !job->done;
    pthread_mutex_unlock(&job->lock); /* from here on it may be gone */
    return abandoned;
}

static int run_beside(skt *s, struct skti_job *job, int64_t deadline, skti_blame *blame)
{
    if (submit(job) < 0) {
        job->dispose(job);
        return -1;
    }
    if (skti_wait_fd(s, false, job->done_fd, POLLIN, deadline) == 0) {
        pthread_mutex_lock(&job->lock); /* the helper has let go of done_fd */
        pthread_mutex_unlock(&job->lock);
        return 0;
    }
    int code = errno;
    *blame = code == ETIMEDOUT ? SKTI_OWN_TIMEOUT : SKTI_SYSTEM;
    if (!abandon(job))
        job->dispose(job);
    errno = code;
    return -1;
}

int skti_run_job(skt *s, struct skti_job *job, int64_t deadline, skti_blame *blame)
{
    *blame = SKTI_SYSTEM;
    if (deadline == SKTI_FOREVER && skti_kernel_may_wait()) {
        job->run(job);
        return 0;
    }
    if (skti_in_task() && skti_checkpoint_here() < 0) {
        int code = errno;
        job->dispose(job);
        errno = code;
        return -1;
    }
    pthread_mutex_init(&job->lock, NULL);
    job->done = job->abandoned = false;
    int done_fd = job->done_fd = skti_sys.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (done_fd < 0) {
        int code = errno;
        job->dispose(job);
        errno = code;
        return -1;
    }
    int result = run_beside(s, job, deadline, blame);
    int code = errno;
    skti_sys.close(done_fd);
    errno = code;
    return result;
}
