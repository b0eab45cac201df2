/* send.c - skt send: files, or what comes out of a pipe, to skt receive. */
#include "transfer.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mistake is better told before anybody is bothered.  What is no regular file is left alone: to open a pipe and
 * close it again would end its writer. */
static int check_files(int n, char **paths)
{
    for (int i = 0; i < n; i++) {
        struct send_source source;
        struct stat st;
        char why[400];
        bool special = stat(paths[i], &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
        if (special && strcmp(paths[i], "-") != 0)
            continue;
        if (send_source_open(&source, paths[i], why, sizeof why) < 0) {
            cmd_say("%s", why);
            return STATUS_FAILED;
        }
        send_source_close(&source);
    }
    return STATUS_OK;
}

/* Finds out which arguments are files, and how many; where they are to go is in *address. */
static int read_arguments(const struct cmd_settings *settings, int n, char **args, struct cmd_address *address,
                          int *files)
{
    int words = n;
    if (n < 2)
        return cmd_misuse("a FILE and an ADDRESS are needed, as in skt send notes.txt tcp://host:9000");
    int status = transfer_address(settings, &words, args, true, address);
    *files = n - words;
    if (status)
        return status;
    if (*files < 1)
        return cmd_misuse("a FILE is missing before '%s'; - is standard input", args[0]);
    if (settings->raw && *files > 1)
        return cmd_misuse("--raw sends one FILE: nothing would tell where the next begins");
    return check_files(*files, args);
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address;
    struct send_job job = { .settings = settings, .paths = args, .source = { .fd = -1 } };
    int status = read_arguments(settings, n, args, &address, &job.n);
    if (status)
        return status;
    status = transfer_run(&address, settings->listen, settings, settings->raw ? send_raw : send_talk, &job);
    send_source_close(&job.source);
    return status;
}

const struct command cmd_send = {
    .name = "send",
    .run = run,
    .line = "send files, checked and resumed, to skt receive",
    .options = "retry timeout idle listen raw json verbose | source interface ttl dscp option send-buffer "
               "receive-buffer ipv4 ipv6 help",
    .operands = "FILE... ADDRESS",
    .examples = "  skt send photo.jpg tcp://host:9000      to skt receive tcp://:9000\n"
                "  tar c dir | skt send - host 9000        a pipe; the receiver names the file\n"
                "  skt send --retry 1s disk.img host:9000  goes on where a connection broke\n"
                "  skt send --raw notes host:9000          to nc -l 9000: just the bytes\n",
    .rules = "Exit status 0 means: it is there under its name, and its SHA-256 is the same.\n",
};
