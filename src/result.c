/* result.c - text that a call gives back: see result.h. */
#include "result.h"
#include "error.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

int skti_result_room(const char *call, const char *buf, size_t len)
{
    if (!buf)
        return skti_fail_argument(call, EFAULT, "the buffer is NULL");
    if (len > SSIZE_MAX)
        return skti_fail_argument(call, EINVAL, "the length is negative");
    return 0;
}

int skti_result(const char *call, const char *text, char *buf, size_t len)
{
    size_t wanted = strlen(text) + 1;
    if (wanted > len)
        return skti_fail_argument(call, ENAMETOOLONG, "%zu bytes are too few for %s", len, text);
    memcpy(buf, text, wanted);
    return 0;
}
