/* exec.c - --exec and --shell: a program that talks to the peer by its standard input and output, as
 * those of inetd do.  It has the socket itself, so that we cost it nothing. */
#include "cmd.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The address of one of fd's ends, for the program: SKT_PEER, SKT_LOCAL. */
static void export(const char *name, int (*get)(int fd, struct sockaddr *sa, socklen_t *len), int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    char text[SKT_ADDR_TEXT_MAX] = "";
    if (get(fd, (struct sockaddr *)&sa, &len) == 0 && len > sizeof sa.ss_family) {
        skt_addr addr = skt_sockaddr((struct sockaddr *)&sa, len);
        skt_addr_text(&addr, text, sizeof text);
    }
    setenv(name, text, 1);
}

/* Returns only if it cannot be run, having said why. */
static void run_program(const struct cmd_settings *settings, int fd, const char *peer, const char *local)
{
    char *shell[] = { (char *)"/bin/sh", (char *)"-c", (char *)settings->shell, NULL };
    char **words = settings->shell ? shell : settings->exec;
    export("SKT_PEER", getpeername, fd);
    export("SKT_LOCAL", getsockname, fd);
    if (peer)
        setenv("SKT_PEER", peer, 1);
    if (local)
        setenv("SKT_LOCAL", local, 1);
    signal(SIGPIPE, SIG_DFL); /* it is ignored here, and would be there */
    if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
        cmd_say("%s: %m", words[0]);
    else if (execvp(words[0], words) < 0)
        cmd_say("%s cannot be run: %m", words[0]);
}

int cmd_become(const struct cmd_settings *settings, int fd)
{
    run_program(settings, fd, NULL, NULL);
    return STATUS_FAILED;
}

int cmd_start_program(const struct cmd_settings *settings, int fd, const char *peer, const char *local)
{
    static const struct sigaction unwaited = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
    sigaction(SIGCHLD, &unwaited, NULL); /* nobody asks how they ended */
    pid_t child = fork();
    if (child < 0) {
        cmd_say("no process can be had: %m");
        return STATUS_FAILED;
    }
    if (child == 0) {
        run_program(settings, fd, peer, local);
        _exit(STATUS_FAILED);
    }
    return STATUS_OK;
}
