/* skt.c - the command skt: the table of its subcommands, and what belongs to none
 * of them. */
#include "cmd.h"
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int run_help(const struct cmd_settings *settings, int n, char **args);

static const struct command cmd_help = {
    .name = "help",
    .run = run_help,
    .line = "this, or with a word of these: its examples and options",
    .options = "h",
};

static const struct command *const commands[] = { &cmd_connect, &cmd_listen, &cmd_help };

static const char *command_name(size_t i)
{
    return i < COUNT(commands) ? commands[i]->name : NULL;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    const char *nearest = cmd_nearest(name, command_name);
    if (nearest)
        cmd_misuse("no command '%s'; did you mean '%s'?", name, nearest);
    else
        cmd_misuse("no command '%s'; skt help lists them", name);
    return NULL;
}

/* ---- Help ---- */

static void print_overview(void)
{
    puts("skt: talk over sockets\n"
         "\n"
         "  skt listen tcp://:8080           on one side, and on the other:\n"
         "  skt connect tcp://HOST:8080      what is typed here is printed there\n"
         "\n"
         "usage: skt COMMAND [OPTION]... ADDRESS");
    for (size_t i = 0; i < COUNT(commands); i++)
        printf("  %-9s %s\n", commands[i]->name, commands[i]->line);
    puts("\nADDRESS:");
    cmd_print_schemes();
    puts("\nexit status: 0 all went over, 1 something failed (and what was said),\n"
         "2 the command was called wrongly.  More: man skt");
}

static void print_help(const struct command *command)
{
    if (command == &cmd_help) {
        print_overview();
        return;
    }
    printf("skt %s: %s\n\n%s\n", command->name, command->line, command->help);
    cmd_print_options(command->options);
}

static int run_help(const struct cmd_settings *settings, int n, char **args)
{
    (void)settings;
    if (n > 1)
        return cmd_misuse("help takes one word, as in skt help connect");
    const struct command *command = n == 1 ? find(args[0]) : &cmd_help;
    if (!command)
        return STATUS_USAGE;
    print_help(command);
    return STATUS_OK;
}

/* ---- The start and the end ---- */

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
    const struct command *command = find(argv[0]);
    if (!command)
        return STATUS_USAGE;
    int status = cmd_read_options(command, argc, argv, &settings);
    if (status)
        return status;
    if (!settings.help)
        return command->run(&settings, argc - optind, argv + optind);
    print_help(command);
    return STATUS_OK;
}

static bool is_option(const char *word, const char *letter, const char *name)
{
    return !strcmp(word, letter) || !strcmp(word, name);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* an output that nobody reads is an error to be told */
    fill_standard_descriptors();
    if (argc < 2)
        return cmd_misuse("a command is missing, such as connect or listen; skt help lists them");
    if (is_option(argv[1], "-V", "--version"))
        puts("skt " SKT_VERSION);
    else if (is_option(argv[1], "-h", "--help"))
        print_overview();
    else
        return finish(run(argc - 1, argv + 1));
    return finish(STATUS_OK);
}
