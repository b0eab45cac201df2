/* terminal.c - what is drawn only where somebody is looking: a file, a pipe and a blind user's line of
 * output get plain text and no rewriting. */
#include "terminal.h"
#include "cmd.h"
#include <langinfo.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool cmd_is_terminal(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

int cmd_terminal_width(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

bool cmd_has_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *cmd_colour(int fd, enum cmd_colour colour)
{
    static const char *const codes[] = {
        [COLOUR_NONE] = "\033[0m",  [COLOUR_BOLD] = "\033[1m",   [COLOUR_DIM] = "\033[2m",
        [COLOUR_RED] = "\033[31m",  [COLOUR_GREEN] = "\033[32m", [COLOUR_YELLOW] = "\033[33m",
        [COLOUR_BLUE] = "\033[34m",
    };
    const char *no_colour = getenv("NO_COLOR");
    return cmd_is_terminal(fd) && (!no_colour || !*no_colour) ? codes[colour] : "";
}

/* ---- The live line ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool shown;

/* A character each, continuation bytes being none; what is longer than a line would scroll. */
static void cut(char *text, int columns)
{
    for (char *s = text; *s; s++)
        if ((*s & 0xc0) != 0x80 && columns-- == 0) {
            *s = '\0';
            return;
        }
}

static void put(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* nobody is left to see it */
}

void cmd_status(const char *format, ...)
{
    char text[1024], line[1040];
    va_list args;
    if (!cmd_is_terminal(STDERR_FILENO))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cut(text, cmd_terminal_width(STDERR_FILENO) - 1);
    snprintf(line, sizeof line, "\r%s\033[K", text);
    pthread_mutex_lock(&lock);
    put(line);
    shown = true;
    pthread_mutex_unlock(&lock);
}

void cmd_status_clear(void)
{
    pthread_mutex_lock(&lock);
    if (shown)
        put("\r\033[K");
    shown = false;
    pthread_mutex_unlock(&lock);
}

/* ---- Bars ---- */

/* The empty, the partly filled ... the full column. */
static const char *const eighths[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
static const char *const heights[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const plain_bar[] = { "-", "#" };
static const char *const plain_heights[] = { "_", ".", "-", "=", "#" };

/* Column number `column` of a bar that fills `filled` columns. */
static const char *bar_column(double filled, int column)
{
    const size_t steps = COUNT(eighths) - 1;
    double part = fmin(fmax(filled - column, 0), 1);
    if (cmd_has_utf8())
        return eighths[(size_t)(part * (double)steps + 0.5)];
    return plain_bar[part >= 0.5];
}

char *cmd_bar(char *buf, int columns, double fraction)
{
    char *end = buf;
    *end = '\0';
    for (int i = 0; i < columns; i++)
        end = stpcpy(end, bar_column(fmin(fmax(fraction, 0), 1) * columns, i));
    return buf;
}

static const char *spark(double part)
{
    const char *const *levels = cmd_has_utf8() ? heights : plain_heights;
    size_t n = cmd_has_utf8() ? COUNT(heights) : COUNT(plain_heights);
    return isnan(part) ? " " : levels[(size_t)(fmin(fmax(part, 0), 1) * (double)(n - 1) + 0.5)];
}

char *cmd_sparkline(char *buf, const double *values, size_t n)
{
    double greatest = 0;
    char *end = buf;
    *end = '\0';
    for (size_t i = 0; i < n; i++)
        greatest = fmax(greatest, values[i]);
    for (size_t i = 0; i < n; i++)
        end = stpcpy(end, spark(greatest > 0 ? values[i] / greatest : values[i]));
    return buf;
}
