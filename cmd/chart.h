/* chart.h - line charts in SVG, one below the other. */
#ifndef CMD_CHART_H
#define CMD_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CHART_WIDTH = 860, CHART_HEIGHT = 250, CHART_LEFT = 84, CHART_LINES = 3 };

/* What the values of a chart are. */
enum chart_values { CHART_NUMBER, CHART_BYTES /* per second */, CHART_TIME, CHART_LOG_TIME };

struct chart_series {
    const char *name, *colour;
    const double *values; /* NULL: no such line; NAN: a gap */
};

struct chart {
    const char *title;
    enum chart_values y;
    bool percentiles; /* x is how many nines (chart_percent), otherwise seconds */
    const double *x;
    double last; /* where the x axis ends; it begins at 0 */
    size_t n;
    struct chart_series series[CHART_LINES];
};

/* 0: 0 %, 1: 90 %, 2: 99 % ... */
double chart_percent(double nines);

void chart_begin(FILE *file, double height);
void chart_end(FILE *file);

/* Text of the user's is safe here. */
void chart_text(FILE *file, double x, double y, int size, const char *text);

/* Draws it CHART_HEIGHT high, its upper edge at top. */
void chart_draw(FILE *file, const struct chart *chart, double top);

#endif
