/* say.c - what is told to the user on standard error: one line for each thing. */
#include "cmd.h"
#include "terminal.h"
#include <stdarg.h>
#include <unistd.h>

const char *cmd_name = "skt";

/* In one write, so that lines of several processes do not mix. */
__attribute__((format(printf, 2, 0))) static void say(const char *name, const char *format, va_list args)
{
    char line[4096];
    size_t begin = name ? (size_t)snprintf(line, sizeof line, "%s: ", name) : 0;
    int n = vsnprintf(line + begin, sizeof line - begin - 1, format, args);
    size_t len = n < 0 ? begin : begin + (size_t)n;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    cmd_status_clear();
    line[len] = '\n';
    if (write(STDERR_FILENO, line, len + 1) < 0)
        return; /* nobody is left to be told */
}

void cmd_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(cmd_name, format, args);
    va_end(args);
}

void cmd_tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(NULL, format, args);
    va_end(args);
}

int cmd_misuse(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(cmd_name, format, args);
    va_end(args);
    return STATUS_USAGE;
}

int cmd_fail(void)
{
    cmd_say("%s", skt_strerror());
    return skt_error_record()->domain == SKT_ERROR_ARGUMENT ? STATUS_USAGE : STATUS_FAILED;
}
