/* histogram.h - many durations in fixed memory, for percentiles.
 *
 * A counter for each value up to 255 ns, from there on 128 for each doubling, so that a value is told within
 * 1 part in 128:
 *
 *   counters   | 0 1 2 ... 255 | 128 of 2 ns | 128 of 4 ns | 128 of 8 ns | ...
 *   values       0 ... 255       256 ... 511   512 ... 1023  1024 ...
 *
 * All zeros is an empty one.  Each thread may have its own; they are merged at the end. */
#ifndef CMD_HISTOGRAM_H
#define CMD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_EXACT = 256,    /* values that have a counter each */
    HISTOGRAM_HALF = 128,     /* counters for each doubling */
    HISTOGRAM_DOUBLINGS = 36, /* up to 2^44 ns, some five hours; more is counted there */
    HISTOGRAM_COUNTERS = (HISTOGRAM_DOUBLINGS + 2) * HISTOGRAM_HALF,
};

struct cmd_histogram {
    uint64_t count;
    double sum;       /* of all, in ns; for the mean */
    int64_t min, max; /* exact; of no meaning while count is 0 */
    uint64_t counters[HISTOGRAM_COUNTERS];
};

/* Counts a duration of ns nanoseconds; what is below 0 counts as 0. */
void cmd_histogram_add(struct cmd_histogram *h, int64_t ns);

/* Counts in h all that is in other. */
void cmd_histogram_merge(struct cmd_histogram *h, const struct cmd_histogram *other);

/* The duration that `percent` of all (0 to 100) do not exceed: 0 is the least, 100 the greatest; 0 if there are none.
 */
int64_t cmd_histogram_percentile(const struct cmd_histogram *h, double percent);

double cmd_histogram_mean(const struct cmd_histogram *h);

#endif
