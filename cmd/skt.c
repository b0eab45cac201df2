/* skt.c - the command skt: the table of its subcommands, its start and its end. */
#include "cmd.h"
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = { &cmd_connect, &cmd_listen,  &cmd_relay,   &cmd_nc,
#ifdef CMD_TRANSFER
                                                  &cmd_send,    &cmd_receive,
#endif
                                                  &cmd_measure, &cmd_echo,    &cmd_discard, &cmd_chargen, &cmd_ping,
                                                  &cmd_resolve, &cmd_options, &cmd_trace,   &cmd_help };

const struct command *cmd_command(size_t i)
{
    return i < COUNT(commands) ? commands[i] : NULL;
}

/* A socket must not become descriptor 0, 1 or 2.  A closed input is an empty one; writing
 * to a closed output fails as it should. */
static void fill_standard_descriptors(void)
{
    static const int modes[] = { O_RDONLY, O_RDONLY, O_WRONLY };
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) < 0)
            _exit(STATUS_FAILED);
}

/* What was printed may not have been written yet. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    cmd_say("standard output: %m");
    return status ? status : STATUS_FAILED;
}

static int run(int argc, char **argv)
{
    struct cmd_settings settings;
    const struct command *command = cmd_find(argv[0]);
    if (!command)
        return STATUS_USAGE;
    if (command->arguments == ARGUMENTS_RAW)
        return command->run(NULL, argc - 1, argv + 1);
    int status = cmd_read_options(command, &argc, argv, &settings);
    if (status)
        return status;
    if (!settings.help)
        return command->run(&settings, argc - optind, argv + optind);
    cmd_print_help(command);
    return STATUS_OK;
}

int cmd_run(int argc, char **argv)
{
    return finish(run(argc, argv));
}

static bool is_option(const char *word, const char *letter, const char *name)
{
    return !strcmp(word, letter) || !strcmp(word, name);
}

/* Who calls us by a command's name, nc, means that. */
static bool is_nc(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !strcmp(slash ? slash + 1 : path, "nc");
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");  /* for names that are not ASCII, and for bars */
    signal(SIGPIPE, SIG_IGN); /* an output that nobody reads is an error to be told */
    fill_standard_descriptors();
    if (argc > 0 && is_nc(argv[0]))
        return finish(cmd_nc.run(NULL, argc - 1, argv + 1));
    if (argc < 2)
        return cmd_misuse("a command is missing, such as connect or listen; skt help lists them");
    if (is_option(argv[1], "-V", "--version"))
        puts("skt " SKT_VERSION);
    else if (is_option(argv[1], "-h", "--help"))
        cmd_print_overview();
    else
        return cmd_run(argc - 1, argv + 1);
    return finish(STATUS_OK);
}
