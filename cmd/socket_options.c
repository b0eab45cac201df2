/* socket_options.c - skt options: what options a socket has, their values, and what they mean.
 *
 * The table has more than this kernel knows: what it calls unknown is left out. */
#include "cmd.h"
#include "option_names.h"
#include <errno.h>
#include <string.h>

/* One option of a socket, as it was found. */
struct finding {
    const struct cmd_sockopt *option;
    bool read; /* value is there */
    struct cmd_sockopt_value value;
    const char *trouble; /* why it is not */
};

/* ---- The socket ---- */

/* Made as it would be for the address, and not connected. */
static skt *new_socket(const struct cmd_address *address, const struct cmd_settings *settings)
{
    int family = settings->family;
    if (!address->ip)
        family = address->addr.family;
    else if (family == AF_UNSPEC)
        family = strchr(address->host, ':') ? AF_INET6 : AF_INET;
    return skt_socket(family, address->type, 0);
}

static int open_socket(const struct cmd_address *address, const struct cmd_settings *settings, skt **s)
{
    if (settings->connect)
        return cmd_dial(address, settings, s);
    *s = address->fd >= 0 ? skt_fromfd(address->fd) : new_socket(address, settings);
    return *s ? STATUS_OK : cmd_fail();
}

/* ---- What it has ---- */

static bool matches(const struct cmd_sockopt *option, const char *word)
{
    return !word || strcasestr(option->name, word) || strcasestr(option->meaning, word);
}

/* false if this system does not know it. */
static bool find(skt *s, const struct cmd_sockopt *option, struct finding *finding)
{
    *finding = (struct finding){ .option = option, .trouble = option->writable ? "write only" : "a struct" };
    if (!option->readable)
        return true;
    finding->read = cmd_get_sockopt(s, option, &finding->value) == 0;
    if (!finding->read)
        finding->trouble = cmd_sockopt_trouble(errno);
    return finding->trouble != NULL;
}

/* ---- Telling ---- */

static void tell(const struct finding *finding, int width)
{
    char text[1024], trouble[64];
    snprintf(trouble, sizeof trouble, "(%s)", finding->trouble);
    printf("%-*s  %-18s  %s\n", width, finding->option->name,
           finding->read ? cmd_sockopt_text(finding->option, &finding->value, text, sizeof text) : trouble,
           finding->option->meaning);
}

static void tell_json(const struct finding *finding, struct cmd_json *j)
{
    const struct cmd_sockopt *option = finding->option;
    cmd_json_open(j, NULL, '{');
    cmd_json_text(j, "name", option->name);
    cmd_json_text(j, "level", option->level_name);
    if (finding->read)
        cmd_sockopt_json(option, &finding->value, j, "value");
    else
        cmd_json_text(j, "value", NULL);
    cmd_json_text(j, "trouble", finding->read ? NULL : finding->trouble);
    cmd_json_bool(j, "settable", option->writable);
    cmd_json_text(j, "meaning", option->meaning);
    cmd_json_close(j, '}');
}

/* Of the longest name among them. */
static int name_width(unsigned sockets, const char *word)
{
    const struct cmd_sockopt *option;
    size_t width = 0;
    for (size_t i = 0; (option = cmd_sockopt_at(i)); i++)
        if ((option->sockets & sockets) && matches(option, word) && strlen(option->name) > width)
            width = strlen(option->name);
    return (int)width;
}

static int list(skt *s, const char *word, bool json)
{
    struct cmd_json j = { .file = stdout };
    struct finding finding;
    const struct cmd_sockopt *option;
    unsigned sockets = cmd_sockopt_sockets(s);
    size_t found = 0;
    int width = name_width(sockets, word);
    if (!sockets)
        return cmd_fail();
    if (json)
        cmd_json_open(&j, NULL, '[');
    for (size_t i = 0; (option = cmd_sockopt_at(i)); i++) {
        if (!(option->sockets & sockets) || !matches(option, word) || !find(s, option, &finding))
            continue;
        found++;
        if (json)
            tell_json(&finding, &j);
        else
            tell(&finding, width);
    }
    if (json)
        cmd_json_close(&j, ']');
    if (found)
        return STATUS_OK;
    cmd_say("this socket has no option with '%s' in its name or meaning", word);
    return STATUS_FAILED;
}

/* ---- The command ---- */

/* A word has neither a colon nor a slash. */
static int run(const struct cmd_settings *settings, int n, char **args)
{
    struct cmd_address address = { .ip = true, .type = SOCK_STREAM, .fd = -1, .text = "" };
    skt *s;
    int status = 0;
    if (n > 2)
        return cmd_misuse("options takes an ADDRESS and a word to look for, no more; see skt help options");
    bool has_address = n > 0 && (n == 2 || strpbrk(args[0], ":/"));
    if (has_address)
        status = cmd_read_address(settings, 1, args, &address);
    else if (settings->connect)
        status = cmd_misuse("options: --connect needs an ADDRESS to connect to");
    if (status == 0)
        status = open_socket(&address, settings, &s);
    if (status)
        return status;
    status = list(s, n > has_address ? args[n - 1] : NULL, settings->json);
    skt_close(s);
    return status;
}

const struct command cmd_options = {
    .name = "options",
    .run = run,
    .line = "list a socket's options, their values and meanings",
    .options = "connect json | timeout ipv4 ipv6 help",
    .operands = "[ADDRESS] [WORD]",
    .examples = "  skt options                             of a TCP socket\n"
                "  skt options KEEP                        those with this word in them\n"
                "  skt options udp://[::1]:53 multicast    of a UDP socket, IPv6\n"
                "  skt options --connect example.org:80    of a connection: TCP_INFO, MTU ...\n"
                "  skt options fd:0                        of a socket we were started with\n",
    .rules = "Nothing is connected without --connect: the address tells the kind of socket.\n"
             "Options that this system does not know are left out.  In brackets: why there\n"
             "is no value.  They are set by -O NAME=VALUE, the values as they are shown.\n",
};
