/* address_unix.c - AF_UNIX: paths, abstract names and the unnamed address.
 *
 *     len = 2               unnamed (bound, the kernel chooses a name)
 *     len = 2 + path + NUL  "unix:/run/x"
 *     len = 2 + NUL + name  "unix-abstract:x", may hold any byte */
#include "address.h"
#include "address_text.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define HEAD offsetof(struct sockaddr_un, sun_path)
#define ROOM (sizeof(struct sockaddr_un) - HEAD)

skt_addr skt_unix(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    if (!path)
        return skti_bad_address(AF_UNIX, EFAULT, "the path is NULL");
    size_t len = strlen(path);
    if (len >= ROOM)
        return skti_bad_address(AF_UNIX, ENAMETOOLONG, "AF_UNIX path too long: %zu bytes, at most %zu: %.100s...", len,
                                ROOM - 1, path);
    memcpy(sa.sun_path, path, len);
    return skti_ready_address(&sa, (socklen_t)(len ? HEAD + len + 1 : HEAD), 0);
}

skt_addr skt_abstract(const void *name, size_t len)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    if (!name && len > 0)
        return skti_bad_address(AF_UNIX, EFAULT, "the name is NULL");
    if (len >= ROOM)
        return skti_bad_address(AF_UNIX, ENAMETOOLONG, "AF_UNIX name too long: %zu bytes, at most %zu", len, ROOM - 1);
    if (len > 0)
        memcpy(sa.sun_path + 1, name, len);
    return skti_ready_address(&sa, (socklen_t)(len ? HEAD + 1 + len : HEAD), 0);
}

bool skti_is_abstract(const skt_addr *a)
{
    return a->len > HEAD && a->as.unix_.sun_path[0] == '\0';
}

/* Bytes of the path up to its NUL or its end, or of the abstract name. */
static size_t name_length(const skt_addr *a)
{
    size_t room = a->len > HEAD ? a->len - HEAD : 0;
    if (room > ROOM)
        room = ROOM;
    if (skti_is_abstract(a))
        return room - 1;
    return strnlen(a->as.unix_.sun_path, room);
}

/* The kernel may report a path that fills sun_path and has no NUL: text has a form for it. */
static skt_addr parse_path(const char *text)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int n = skti_decode(text, sa.sun_path, ROOM);
    if (n < 0 || memchr(sa.sun_path, '\0', (size_t)n))
        return skti_bad_address(AF_UNIX, strlen(text) > ROOM ? ENAMETOOLONG : EINVAL,
                                "no path of at most %zu bytes, with %%25 for %%: %.100s", ROOM - 1, text);
    return (size_t)n < ROOM ? skt_unix(sa.sun_path) : skti_ready_address(&sa, sizeof sa, 0);
}

static skt_addr parse_abstract(const char *text)
{
    char name[ROOM];
    int n = skti_decode(text, name, sizeof name - 1);
    if (n <= 0)
        return skti_bad_address(AF_UNIX, strlen(text) >= ROOM ? ENAMETOOLONG : EINVAL,
                                "no abstract name of 1-%zu bytes: %.100s", ROOM - 1, text);
    return skt_abstract(name, (size_t)n);
}

static void format_path(const skt_addr *a, char *buf, size_t len)
{
    skti_encode(buf, len, a->as.unix_.sun_path, name_length(a), "");
}

static void format_abstract(const skt_addr *a, char *buf, size_t len)
{
    skti_encode(buf, len, a->as.unix_.sun_path + 1, name_length(a), "");
}

static void host_path(const skt_addr *a, char *buf, size_t len)
{
    snprintf(buf, len, "%.*s", (int)name_length(a), a->as.unix_.sun_path);
}

const struct skti_family skti_unix_row = {
    .family = AF_UNIX,
    .proto = -1,
    .name = "AF_UNIX",
    .scheme = "unix",
    .size = HEAD,
    .parse = parse_path,
    .format = format_path,
    .host = host_path,
};

const struct skti_family skti_abstract_row = {
    .family = AF_UNIX,
    .proto = -1,
    .name = "AF_UNIX",
    .scheme = "unix-abstract",
    .size = HEAD + 2, /* a name of no bytes has no text that a user would mean: it is shown as bytes */
    .parse = parse_abstract,
    .format = format_abstract,
    .host = format_abstract,
};
