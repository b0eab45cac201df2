/* completion.c - what a shell needs to complete the words of skt, made from the tables, so that it
 * knows each new option by itself. */
#include "completion.h"
#include "options.h"
#include <string.h>

/* ---- bash ---- */

static const char bash_begin[] =
    "# bash completion for skt, made by: skt help --completion bash\n"
    "_skt()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= files=\n"
    "    COMPREPLY=()\n"
    "    # To bash, = and : are words of their own.\n"
    "    [ \"$prev\" = = ] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    [ \"$cur\" = = ] && cur=\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        prev=\n"
    "        words='";

static const char bash_end[] =
    "    if [ \"$cur\" = : ] || [ \"$prev\" = : ]; then\n"
    "        [ \"$cur\" = : ] && cur=\n"
    "        words= files=yes # unix:/path\n"
    "    fi\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\"; [ -z \"$files\" ] || compgen -f -- \"$cur\")\n"
    "    [ -z \"$files\" ] || compopt -o filenames 2>/dev/null\n"
    "    case \"${COMPREPLY[0]-}\" in *: | *://) compopt -o nospace 2>/dev/null ;; esac\n"
    "}\n"
    "complete -F _skt skt\n";

static void bash_commands(const char *between)
{
    for (size_t i = 0; cmd_command(i); i++)
        printf("%s%s", i ? between : "", cmd_command(i)->name);
}

/* What may follow an option. */
static void bash_value(const struct cmd_option *o)
{
    printf("        --%s", o->name);
    if (o->letter)
        printf(" | -%c", o->letter);
    printf(") words='");
    for (size_t i = 0; o->words && o->words[i]; i++)
        printf("%s ", o->words[i]);
    printf("' files=%s ;;\n", strstr(o->value, "FILE") ? "yes" : "");
}

static void bash_operands(const struct command *command)
{
    if (strstr(command->operands, "ADDRESS"))
        for (size_t i = 0; cmd_scheme_prefix(i); i++)
            printf(" %s", cmd_scheme_prefix(i));
    if (strstr(command->operands, "COMMAND")) {
        putchar(' ');
        bash_commands(" ");
    }
}

static void bash_command(const struct command *command)
{
    const struct cmd_option *const *options = cmd_options_of(command, NULL);
    printf("    %s)\n        case $prev in\n", command->name);
    for (size_t i = 0; options[i]; i++)
        if (options[i]->value)
            bash_value(options[i]);
    printf("        *) words='");
    for (size_t i = 0; options[i]; i++)
        printf("--%s ", options[i]->name);
    bash_operands(command);
    printf("' files=%s ;;\n        esac\n        ;;\n", strstr(command->operands, "FILE") ? "yes" : "");
}

static void print_bash(void)
{
    fputs(bash_begin, stdout);
    bash_commands(" ");
    puts("'\n    else\n    case ${COMP_WORDS[1]} in");
    for (size_t i = 0; cmd_command(i); i++)
        bash_command(cmd_command(i));
    puts("    esac\n    fi");
    fputs(bash_end, stdout);
}

/* ---- zsh ---- */

/* Inside single quotes and brackets. */
static void zsh_text(const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            printf("%s%c", strchr("[]:\\", *text) ? "\\" : "", *text);
}

static void zsh_value(const struct cmd_option *o)
{
    printf(":%s:", o->value);
    if (o->words) {
        putchar('(');
        for (size_t i = 0; o->words[i]; i++)
            printf("%s ", o->words[i]);
        putchar(')');
    } else if (strstr(o->value, "FILE")) {
        printf("_files");
    } else if (o->kind == OPTION_REST) {
        printf("_command_names -e");
    }
}

static void zsh_option(const struct cmd_option *o)
{
    const char *many = o->kind == OPTION_LIST ? "*" : "";
    if (o->letter)
        printf(" \\\n        '%s(-%c --%s)'{-%c%s,--%s%s}'[", many, o->letter, o->name, o->letter, o->value ? "+" : "",
               o->name, o->value ? "=" : "");
    else
        printf(" \\\n        '%s--%s%s[", many, o->name, o->value && o->kind != OPTION_REST ? "=" : "");
    zsh_text(o->help);
    putchar(']');
    if (o->value)
        zsh_value(o);
    putchar('\'');
}

static void zsh_command(const struct command *command)
{
    const struct cmd_option *const *options = cmd_options_of(command, NULL);
    printf("    %s)\n        _arguments -s", command->name);
    for (size_t i = 0; options[i]; i++)
        zsh_option(options[i]);
    if (strstr(command->operands, "FILE"))
        printf(" \\\n        ':FILE:_files'");
    if (strstr(command->operands, "ADDRESS"))
        printf(" \\\n        '*:ADDRESS:_skt_address'");
    if (strstr(command->operands, "COMMAND"))
        printf(" \\\n        ':COMMAND:_skt_command'");
    puts("\n        ;;");
}

static void print_zsh(void)
{
    puts("#compdef skt\n# zsh completion for skt, made by: skt help --completion zsh\n"
         "_skt_command()\n{\n    local -a known=(");
    for (size_t i = 0; cmd_command(i); i++) {
        printf("        '%s:", cmd_command(i)->name);
        zsh_text(cmd_command(i)->line);
        puts("'");
    }
    puts("    )\n    _describe command known\n}\n"
         "_skt_address()\n{\n    if compset -P 'unix(|-dgram|-seqpacket):'; then\n        _files\n    else\n"
         "        compadd -S '' -- \\");
    for (size_t i = 0; cmd_scheme_prefix(i); i++)
        printf("%s %s", i ? "" : "           ", cmd_scheme_prefix(i));
    puts("\n    fi\n}\n"
         "_skt()\n{\n    if ((CURRENT == 2)); then\n        _skt_command\n        return\n    fi\n"
         "    shift words\n    ((CURRENT--))\n    case $words[1] in");
    for (size_t i = 0; cmd_command(i); i++)
        zsh_command(cmd_command(i));
    puts("    esac\n}\n[ \"$funcstack[1]\" != _skt ] || _skt \"$@\"");
}

int cmd_print_completion(int shell)
{
    if (shell == SHELL_BASH)
        print_bash();
    else
        print_zsh();
    return STATUS_OK;
}
