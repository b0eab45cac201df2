/* chart.c - line charts in SVG: few enough of its words that no library is needed for it. */
#include "chart.h"
#include "units.h"
#include <math.h>
#include <string.h>

enum { ABOVE = 44, BELOW = 34, RIGHT = 24 };
static const char grey[] = "#57606a", pale[] = "#d8dee4", dark[] = "#24292f";

/* Where a value is: from least to most, between two places on the paper. */
struct scale {
    double least, most, from, to;
    bool logarithmic;
};

double chart_percent(double nines)
{
    return 100 * (1 - pow(10, -nines));
}

/* ---- Text ---- */

static void escape(FILE *file, const char *text)
{
    for (; *text; text++)
        if (*text == '<' || *text == '>' || *text == '&')
            fprintf(file, "&#%d;", *text);
        else if ((unsigned char)*text >= ' ' && (unsigned char)*text < 0x7f) /* whatever the locale, it is XML */
            putc(*text, file);
        else
            putc('?', file);
}

static void put_text(FILE *file, double x, double y, const char *attributes, const char *text)
{
    fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
    escape(file, text);
    fputs("</text>\n", file);
}

void chart_text(FILE *file, double x, double y, int size, const char *text)
{
    char attributes[64];
    snprintf(attributes, sizeof attributes, "font-size=\"%d\" fill=\"%s\"", size, dark);
    put_text(file, x, y, attributes, text);
}

void chart_begin(FILE *file, double height)
{
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" "
            "font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" font-size=\"11\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            CHART_WIDTH, height, CHART_WIDTH, height);
}

void chart_end(FILE *file)
{
    fputs("</svg>\n", file);
}

/* ---- Scales ---- */

static double place(const struct scale *s, double value)
{
    double part = s->logarithmic ? (log10(fmax(value, s->least)) - log10(s->least)) / (log10(s->most) - log10(s->least))
                                 : (value - s->least) / (s->most - s->least);
    return s->from + (s->to - s->from) * part;
}

/* 1, 2 or 5 times a power of ten, of which some `ticks` reach up to most; of bytes, times a power of 1024. */
static double step_to(double most, int ticks, bool bytes)
{
    double unit = bytes ? pow(1024, floor(log(fmax(most, 1)) / log(1024))) : 1, rough = most / unit / ticks;
    double power = pow(10, floor(log10(rough))), part = rough / power;
    return unit * power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/* The least above 0 and the greatest of all lines. */
static void find_range(const struct chart *chart, double *least, double *most)
{
    *least = HUGE_VAL;
    *most = 0;
    for (size_t k = 0; k < CHART_LINES && chart->series[k].values; k++)
        for (size_t i = 0; i < chart->n; i++) {
            double value = chart->series[k].values[i];
            *most = fmax(*most, value);
            *least = value > 0 ? fmin(*least, value) : *least;
        }
}

static struct scale y_scale(const struct chart *chart, double top)
{
    struct scale s = { .from = top + CHART_HEIGHT - BELOW, .to = top + ABOVE };
    double least, most;
    find_range(chart, &least, &most);
    s.logarithmic = chart->y == CHART_LOG_TIME;
    if (s.logarithmic) {
        s.least = most > 0 ? pow(10, floor(log10(least))) : 1e-6;
        s.most = most > 0 ? pow(10, ceil(log10(most))) : 1e-3;
        if (s.most < 10.5 * s.least) /* a decade is less than can be read */
            s.most = s.most < 1.5 * s.least ? 10 * s.least : s.most;
    } else {
        double step = step_to(most > 0 ? most : 1, 4, chart->y == CHART_BYTES);
        s.most = ceil((most > 0 ? most : 1) / step) * step;
    }
    return s;
}

static struct scale x_scale(const struct chart *chart)
{
    return (struct scale){
        .least = 0, .most = chart->last > 0 ? chart->last : 1, .from = CHART_LEFT, .to = CHART_WIDTH - RIGHT
    };
}

/* ---- Axes ---- */

static void y_label(const struct chart *chart, double value, char text[static CMD_UNITS_TEXT])
{
    if (chart->y == CHART_BYTES)
        cmd_rate_text(value, text);
    else if (chart->y == CHART_NUMBER)
        snprintf(text, CMD_UNITS_TEXT, "%.6g", value);
    else
        cmd_time_text(value, text);
}

static void y_tick(FILE *file, const struct chart *chart, const struct scale *s, double value)
{
    char text[CMD_UNITS_TEXT];
    double y = place(s, value);
    y_label(chart, value, text);
    fprintf(file, "<path d=\"M%d %.1f H%d\" stroke=\"%s\"/>\n", CHART_LEFT, y, CHART_WIDTH - RIGHT, pale);
    put_text(file, CHART_LEFT - 8, y + 4, "text-anchor=\"end\" fill=\"#57606a\"", value > 0 ? text : "0");
}

static void y_axis(FILE *file, const struct chart *chart, const struct scale *s)
{
    double step = s->logarithmic ? 1 : step_to(s->most, 4, chart->y == CHART_BYTES);
    int last = (int)lround(s->logarithmic ? log10(s->most / s->least) : s->most / step);
    for (int i = 0; i <= last; i++)
        y_tick(file, chart, s, s->logarithmic ? s->least * pow(10, i) : step * i);
}

static void x_tick(FILE *file, const struct scale *s, double top, double value, const char *text)
{
    double x = place(s, value), bottom = top + CHART_HEIGHT - BELOW;
    fprintf(file, "<path d=\"M%.1f %.1f v5\" stroke=\"%s\"/>\n", x, bottom, grey);
    put_text(file, x, bottom + 18, "text-anchor=\"middle\" fill=\"#57606a\"", text);
}

static void x_axis(FILE *file, const struct chart *chart, const struct scale *s, double top)
{
    char text[CMD_UNITS_TEXT];
    double step = chart->percentiles ? 1 : step_to(s->most, 8, false);
    int last = (int)(s->most / step + 0.001);
    for (int i = 0; i <= last; i++) {
        if (chart->percentiles)
            snprintf(text, sizeof text, "%.6g %%", chart_percent(i));
        else
            snprintf(text, sizeof text, "%.6g s", step * i);
        x_tick(file, s, top, step * i, text);
    }
    fprintf(file, "<path d=\"M%d %.1f H%d\" stroke=\"%s\"/>\n", CHART_LEFT, top + CHART_HEIGHT - BELOW,
            CHART_WIDTH - RIGHT, grey);
}

/* ---- Lines ---- */

static void draw_line(FILE *file, const struct chart *chart, const struct chart_series *series, const struct scale *x,
                      const struct scale *y)
{
    fprintf(file, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" stroke-linejoin=\"round\" d=\"",
            series->colour);
    if (chart->n == 1 && !isnan(series->values[0])) /* one interval: as long as it was */
        fprintf(file, "M%.1f %.1f H%.1f", x->from, place(y, series->values[0]), x->to);
    bool pen_down = false;
    for (size_t i = 0; i < chart->n && chart->n > 1; i++) {
        double value = series->values[i];
        bool alone = !pen_down && (i + 1 == chart->n || isnan(series->values[i + 1]));
        if (!isnan(value))
            fprintf(file, "%c%.1f %.1f%s", pen_down ? 'L' : 'M', place(x, chart->x[i]), place(y, value),
                    alone ? "h4" : ""); /* to be seen, too */
        pen_down = !isnan(value);
    }
    fputs("\"/>\n", file);
}

/* On the right, above the lines. */
static void draw_legend(FILE *file, const struct chart *chart, double top)
{
    double x = CHART_WIDTH - RIGHT;
    for (size_t k = 0; k < CHART_LINES && chart->series[k].values; k++) {
        put_text(file, x, top + 30, "text-anchor=\"end\" fill=\"#24292f\"", chart->series[k].name);
        x -= 6.4 * (double)strlen(chart->series[k].name) + 8;
        fprintf(file, "<path d=\"M%.1f %.1f h-18\" stroke=\"%s\" stroke-width=\"3\"/>\n", x, top + 26,
                chart->series[k].colour);
        x -= 34;
    }
}

void chart_draw(FILE *file, const struct chart *chart, double top)
{
    struct scale x = x_scale(chart), y = y_scale(chart, top);
    put_text(file, CHART_LEFT, top + 30, "font-weight=\"bold\" font-size=\"13\" fill=\"#24292f\"", chart->title);
    y_axis(file, chart, &y);
    x_axis(file, chart, &x, top);
    for (size_t k = 0; k < CHART_LINES && chart->series[k].values; k++)
        draw_line(file, chart, &chart->series[k], &x, &y);
    draw_legend(file, chart, top);
}
