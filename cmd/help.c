/* help.c - skt help: each answer on one screen, examples first. */
#include "cmd.h"
#include "completion.h"
#include <string.h>

static const char *command_name(size_t i)
{
    const struct command *command = cmd_command(i);
    return command ? command->name : NULL;
}

const struct command *cmd_find(const char *name)
{
    for (size_t i = 0; cmd_command(i); i++)
        if (!strcmp(cmd_command(i)->name, name))
            return cmd_command(i);
    const char *nearest = cmd_nearest(name, command_name);
    if (nearest)
        cmd_misuse("no command '%s'; did you mean '%s'?", name, nearest);
    else
        cmd_misuse("no command '%s'; skt help lists them", name);
    return NULL;
}

void cmd_print_overview(void)
{
    puts("skt: talk over sockets\n"
         "\n"
         "  skt listen tcp://:8080           on one side, and on the other:\n"
         "  skt connect tcp://HOST:8080      what is typed here is printed there\n"
         "\n"
         "usage: skt COMMAND [OPTION]... [ARGUMENT]...");
    for (size_t i = 0; cmd_command(i); i++)
        printf("  %-9s %s\n", cmd_command(i)->name, cmd_command(i)->line);
    puts("\nADDRESS is tcp://host:port, unix:/path ...; skt help address lists them.\n"
         "Exit status: 0 all went well, 1 something failed, 2 wrong call.  More: man skt");
}

void cmd_print_help(const struct command *command)
{
    if (command == &cmd_help) {
        cmd_print_overview();
        return;
    }
    printf("skt %s: %s\n\n%s\nusage: skt %s [OPTION]... %s\n", command->name, command->line, command->examples,
           command->name, command->operands);
    if (command->rules)
        printf("\n%s", command->rules);
    putchar('\n');
    cmd_print_options(command);
}

static void print_addresses(void)
{
    puts("skt help address: where to\n"
         "\n"
         "  skt connect tcp://example.org:80          or example.org:80, or example.org 80\n"
         "  skt connect 'tcp://[2001:db8::1]:http'    IPv6 in brackets; a service's name\n"
         "  skt listen tcp://:8080                    no host, or *: every address of this\n"
         "  skt listen tcp://localhost:0              machine; port 0: any that is free\n"
         "\n"
         "ADDRESS:");
    cmd_print_schemes();
    puts("\nIn paths and names %41 stands for the byte with that hexadecimal number.");
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    if (settings->completion != SHELL_NONE)
        return cmd_print_completion(settings->completion);
    if (n > 1)
        return cmd_misuse("help takes one word, as in skt help connect");
    if (n == 1 && !strcmp(args[0], "address")) {
        print_addresses();
        return STATUS_OK;
    }
    const struct command *command = n == 1 ? cmd_find(args[0]) : &cmd_help;
    if (!command)
        return STATUS_USAGE;
    cmd_print_help(command);
    return STATUS_OK;
}

const struct command cmd_help = {
    .name = "help",
    .run = run,
    .line = "this, or with a word of these: its examples and options",
    .options = "completion help",
    .operands = "[COMMAND]",
};
