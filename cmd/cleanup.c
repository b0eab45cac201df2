/* cleanup.c - the file of a listening AF_UNIX socket, which nothing but we would
 * remove.
 *
 * Only the file that we made is removed: another may have been put in its place. */
#include "cmd.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char path[sizeof((struct sockaddr_un *)0)->sun_path + 1]; /* "": there is none */
    dev_t device;
    ino_t inode;
} made;

static const int ending[] = { SIGHUP, SIGINT, SIGTERM };

/* Calls only what a signal handler may. */
void cmd_remove_socket_file(void)
{
    struct stat now;
    if (*made.path && lstat(made.path, &now) == 0 && now.st_dev == made.device && now.st_ino == made.inode)
        unlink(made.path);
    made.path[0] = '\0';
}

/* Ends by the same signal, so that who waits for us sees it. (SA_RESETHAND has
 * restored what it does by itself.) */
static void remove_and_end(int signal_number)
{
    cmd_remove_socket_file();
    raise(signal_number);
}

static void remove_at_end(const char *path)
{
    struct sigaction action = { .sa_handler = remove_and_end, .sa_flags = SA_RESETHAND }, old;
    struct stat file;
    if (lstat(path, &file) < 0)
        return;
    made.device = file.st_dev;
    made.inode = file.st_ino;
    snprintf(made.path, sizeof made.path, "%s", path);
    atexit(cmd_remove_socket_file);
    for (size_t i = 0; i < COUNT(ending); i++)
        if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) /* nohup's stay ignored */
            sigaction(ending[i], &action, NULL);
}

/* The path that addr makes a file at, or NULL: abstract names make none. */
static const char *path_of(const skt_addr *addr)
{
    const struct sockaddr_un *sa = (const struct sockaddr_un *)skt_addr_sockaddr(addr, NULL);
    return sa && addr->family == AF_UNIX && *sa->sun_path ? sa->sun_path : NULL;
}

/* With the signals held back, so that none comes between the file and the handler. */
int cmd_bind(skt *s, skt_addr addr)
{
    const char *path = path_of(&addr);
    sigset_t hold, before;
    sigemptyset(&hold);
    for (size_t i = 0; i < COUNT(ending); i++)
        sigaddset(&hold, ending[i]);
    pthread_sigmask(SIG_BLOCK, &hold, &before);
    int result = skt_bind(s, addr);
    if (result == 0 && path)
        remove_at_end(path);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}
