/* duration.h - seconds, as the public interface has them, and nanoseconds, as we have. */
#ifndef SKTI_DURATION_H
#define SKTI_DURATION_H

#include <stdint.h>

/* Nanoseconds, rounded up so that no timeout becomes 0; -1 for SKT_NO_TIMEOUT.
 * Other negative values, NaN and more than 9e9 seconds are -2, and reported for call. */
int64_t skti_nanoseconds(const char *call, double seconds);

/* The way back. */
double skti_seconds(int64_t ns);

/* The timeout of new sockets (skt_setdefaulttimeout). */
int64_t skti_default_timeout(void);

#endif
