/* bulk.h - what the bulk servers in C share. */
#include "../common.h"

#define CHUNK 131072
#define REQUEST 16

static inline uint64_t bytes_of(const char *request)
{
    return strtoull(request + 1, NULL, 10);
}
