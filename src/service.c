/* service.c - small look-ups that ask no server: services, protocols,
 * interfaces, and addresses as numbers. */
#include "error.h"
#include "result.h"
#include "sys.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

/* ---- Services and protocols ---- */

int skt_getservbyname(const char *name, const char *proto)
{
    if (!name)
        return skti_fail_argument("getservbyname", EFAULT, "the name is NULL");
    int port = skti_sys.getservbyname(name, proto);
    if (port >= 0)
        return port;
    skti_fail_at("getservbyname", NULL, name, errno, SKTI_SYSTEM);
    if (errno == ENOENT)
        skti_record_detail("service/proto not found");
    return -1;
}

int skt_getservbyport(int port, const char *proto, char *buf, size_t len)
{
    if (port < 0 || port > 65535)
        return skti_fail_argument("getservbyport", EINVAL, "port must be 0-65535, not %d", port);
    if (skti_result_room("getservbyport", buf, len) < 0)
        return -1;
    if (skti_sys.getservbyport(port, proto, buf, len) == 0)
        return 0;
    skti_fail("getservbyport", errno);
    skti_record_detail("port %d", port);
    return -1;
}

int skt_getprotobyname(const char *name)
{
    if (!name)
        return skti_fail_argument("getprotobyname", EFAULT, "the name is NULL");
    int number = skti_sys.getprotobyname(name);
    if (number >= 0)
        return number;
    skti_fail_at("getprotobyname", NULL, name, errno, SKTI_SYSTEM);
    if (errno == ENOENT)
        skti_record_detail("protocol not found");
    return -1;
}

/* ---- Interfaces ---- */

skt_interface *skt_if_nameindex(void)
{
    struct if_nameindex *found = skti_sys.if_nameindex();
    size_t n = 0;
    if (!found) {
        skti_fail("if_nameindex", errno);
        return NULL;
    }
    while (found[n].if_index)
        n++;
    skt_interface *list = skti_malloc("if_nameindex", (n + 1) * sizeof *list);
    for (size_t i = 0; list && i <= n; i++) {
        list[i].index = found[i].if_index;
        snprintf(list[i].name, sizeof list[i].name, "%s", i < n ? found[i].if_name : "");
    }
    int keep = errno;
    skti_sys.if_freenameindex(found);
    errno = keep;
    return list;
}

void skt_freenameindex(skt_interface *list)
{
    skti_sys.free(list);
}

unsigned skt_if_nametoindex(const char *name)
{
    if (!name) {
        skti_fail_argument("if_nametoindex", EFAULT, "the name is NULL");
        return 0;
    }
    unsigned index = skti_sys.if_nametoindex(name);
    if (index == 0)
        skti_fail_at("if_nametoindex", NULL, name, errno, SKTI_SYSTEM);
    return index;
}

int skt_if_indextoname(unsigned index, char *buf, size_t len)
{
    char name[IF_NAMESIZE];
    if (skti_result_room("if_indextoname", buf, len) < 0)
        return -1;
    if (!skti_sys.if_indextoname(index, name)) {
        skti_fail("if_indextoname", errno);
        skti_record_detail("index %u", index);
        return -1;
    }
    return skti_result("if_indextoname", name, buf, len);
}

/* ---- Addresses as numbers ---- */

int skt_inet_aton(const char *text, struct in_addr *packed)
{
    if (!text || !packed)
        return skti_fail_argument("inet_aton", EFAULT, "%s is NULL", text ? "packed" : "text");
    if (!inet_aton(text, packed))
        return skti_fail_argument("inet_aton", EINVAL, "illegal IP address string: %s", text);
    return 0;
}

int skt_inet_pton(int family, const char *text, void *packed)
{
    if (!text || !packed)
        return skti_fail_argument("inet_pton", EFAULT, "%s is NULL", text ? "packed" : "text");
    int result = inet_pton(family, text, packed);
    if (result < 0)
        return skti_fail_argument("inet_pton", EAFNOSUPPORT, "unknown address family %d", family);
    if (result == 0)
        return skti_fail_argument("inet_pton", EINVAL, "illegal IP address string: %s", text);
    return 0;
}

/* An address that has passed inet_ntop's checks. */
static char *to_text(const char *call, int family, const void *packed, char *buf, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    if (skti_result_room(call, buf, len) < 0)
        return NULL;
    inet_ntop(family, packed, text, sizeof text);
    if (strlen(text) >= len) {
        skti_fail_argument(call, ENOSPC, "%zu bytes are too few for %s", len, text);
        return NULL;
    }
    return strcpy(buf, text);
}

char *skt_inet_ntoa(struct in_addr packed, char *buf, size_t len)
{
    return to_text("inet_ntoa", AF_INET, &packed, buf, len);
}

char *skt_inet_ntop(int family, const void *packed, size_t packedlen, char *buf, size_t len)
{
    size_t wanted = family == AF_INET ? 4 : 16;
    if (!packed)
        skti_fail_argument("inet_ntop", EFAULT, "packed is NULL");
    else if (family != AF_INET && family != AF_INET6)
        skti_fail_argument("inet_ntop", EAFNOSUPPORT, "unknown address family %d", family);
    else if (packedlen != wanted)
        skti_fail_argument("inet_ntop", EINVAL, "a packed address has %zu bytes, not %zu", wanted, packedlen);
    else
        return to_text("inet_ntop", family, packed, buf, len);
    return NULL;
}
