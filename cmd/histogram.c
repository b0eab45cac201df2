/* histogram.c - many durations in fixed memory: an exact list of a minute's load would take gigabytes. */
#include "histogram.h"
#include <math.h>

/* How far a value has to be shifted to lie in 128 ... 255; 0 for those below. */
static int shift_of(int64_t ns)
{
    return ns < HISTOGRAM_EXACT ? 0 : 63 - __builtin_clzll((uint64_t)ns) - 7;
}

static size_t counter_of(int64_t ns)
{
    int shift = shift_of(ns);
    size_t i = (size_t)shift * HISTOGRAM_HALF + (size_t)(ns >> shift);
    return i < HISTOGRAM_COUNTERS ? i : HISTOGRAM_COUNTERS - 1;
}

/* The greatest value that the counter stands for. */
static int64_t value_of(size_t i)
{
    if (i < HISTOGRAM_EXACT)
        return (int64_t)i;
    int shift = (int)(i / HISTOGRAM_HALF) - 1;
    return ((int64_t)(i - (size_t)shift * HISTOGRAM_HALF + 1) << shift) - 1;
}

void cmd_histogram_add(struct cmd_histogram *h, int64_t ns)
{
    if (ns < 0)
        ns = 0;
    if (h->count == 0 || ns < h->min)
        h->min = ns;
    if (h->count == 0 || ns > h->max)
        h->max = ns;
    h->count++;
    h->sum += (double)ns;
    h->counters[counter_of(ns)]++;
}

void cmd_histogram_merge(struct cmd_histogram *h, const struct cmd_histogram *other)
{
    if (other->count == 0)
        return;
    if (h->count == 0 || other->min < h->min)
        h->min = other->min;
    if (h->count == 0 || other->max > h->max)
        h->max = other->max;
    h->count += other->count;
    h->sum += other->sum;
    for (size_t i = 0; i < HISTOGRAM_COUNTERS; i++)
        h->counters[i] += other->counters[i];
}

static int64_t within(const struct cmd_histogram *h, int64_t value)
{
    return value < h->min ? h->min : value > h->max ? h->max : value;
}

int64_t cmd_histogram_percentile(const struct cmd_histogram *h, double percent)
{
    double wanted = ceil((double)h->count * percent / 100);
    uint64_t seen = 0;
    if (h->count == 0)
        return 0;
    if (percent <= 0)
        return h->min;
    for (size_t i = 0; i < HISTOGRAM_COUNTERS; i++) {
        seen += h->counters[i];
        if ((double)seen >= wanted)
            return i == HISTOGRAM_COUNTERS - 1 ? h->max : within(h, value_of(i));
    }
    return h->max;
}

double cmd_histogram_mean(const struct cmd_histogram *h)
{
    return h->count ? h->sum / (double)h->count : 0;
}
