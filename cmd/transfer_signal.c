/* transfer_signal.c - a transfer that is interrupted says so, and what is left of it. */
#include "terminal.h"
#include "transfer.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int ending[] = { SIGHUP, SIGINT, SIGTERM };

static struct {
    char text[700];
    int dirfd;
    char file[280]; /* "": none */
} at_signal;

/* Calls only what a signal handler may. */
static void say_and_end(int signal_number)
{
    if (write(STDERR_FILENO, at_signal.text, strlen(at_signal.text)) < 0)
        at_signal.text[0] = '\0'; /* nobody is left to be told */
    if (*at_signal.file)
        unlinkat(at_signal.dirfd, at_signal.file, 0);
    cmd_remove_socket_file();
    raise(signal_number); /* SA_RESETHAND: our parent sees that it was the signal */
}

void transfer_at_signal(const char *say, int dirfd, const char *file)
{
    sigset_t hold, before;
    sigemptyset(&hold);
    for (size_t i = 0; i < COUNT(ending); i++)
        sigaddset(&hold, ending[i]);
    sigprocmask(SIG_BLOCK, &hold, &before);
    snprintf(at_signal.text, sizeof at_signal.text, "%sskt: %s\n", cmd_is_terminal(STDERR_FILENO) ? "\r\033[K" : "",
             say);
    at_signal.dirfd = dirfd;
    snprintf(at_signal.file, sizeof at_signal.file, "%s", file ? file : "");
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void transfer_watch_signals(void)
{
    struct sigaction action = { .sa_handler = say_and_end, .sa_flags = (int)SA_RESETHAND }, old;
    transfer_at_signal("interrupted", -1, NULL);
    for (size_t i = 0; i < COUNT(ending); i++)
        if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) /* nohup's stay ignored */
            sigaction(ending[i], &action, NULL);
}
