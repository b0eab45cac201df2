/* receive.c - skt receive: what skt send sends. */
#include "transfer.h"
#include <signal.h>
#include <unistd.h>

static int open_target(const struct cmd_settings *settings, const char *path, struct receive_target *target)
{
    int status = receive_target_open(target, path, settings);
    if (status)
        return status;
    if (settings->raw && target->directory)
        return cmd_misuse("--raw needs a FILE or -: the bytes alone have no name");
    if (settings->json && target->out == STDOUT_FILENO)
        return cmd_misuse("--json would print between the data; give a FILE instead of -");
    return STATUS_OK;
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    struct receive_job job = { .settings = settings };
    int words = n;
    int status = transfer_address(settings, &words, args, false, &address);
    if (status)
        return status;
    if (n - words > 1)
        return cmd_misuse("'%s': after ADDRESS comes one FILE or DIRECTORY", args[words + 1]);
    signal(SIGXFSZ, SIG_IGN); /* a limit on files' sizes is an error to be told */
    const char *path = n > words ? args[words] : settings->raw ? "-" : ".";
    status = open_target(settings, path, &job.target);
    if (status == 0)
        status = transfer_run(&address, !settings->connect, settings, settings->raw ? receive_raw : receive_talk, &job);
    receive_target_close(&job.target);
    return status;
}

const struct command cmd_receive = {
    .name = "receive",
    .run = run,
    .line = "take files from skt send, and store what came whole",
    .options = "retry timeout idle connect replace raw json verbose | source interface ttl dscp option send-buffer "
               "receive-buffer ipv4 ipv6 help",
    .operands = "ADDRESS [FILE | DIRECTORY]",
    .examples = "  skt receive tcp://:9000                 into this directory, by their names\n"
                "  skt receive --retry 1s :9000 disk.img   go on after a broken connection\n"
                "  skt receive :9000 - | tar x             what comes out of a pipe\n"
                "  skt receive --raw :9000 copy            from nc host 9000 < file\n",
    .rules = "Until it is whole a file is called NAME.skt-part.  In a directory no file is\n"
             "replaced without --replace.\n",
};
