/* ancillary.c - the items beside a message's data: any, and the usual ones by type.
 *
 * Everything here reads what a peer may have had a hand in: lengths are checked
 * against what there is, and payloads are copied, never cast, since they need
 * not be aligned. */
#include "address.h"
#include "error.h"
#include "sys.h"
#include <errno.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <string.h>
#include <sys/time.h>

#ifndef SCM_TIMESTAMPNS
#define SCM_TIMESTAMPNS SO_TIMESTAMPNS
#endif
#ifndef SCM_TIMESTAMPING
#define SCM_TIMESTAMPING SO_TIMESTAMPING
#endif

bool skt_next_cmsg(const skt_msg *msg, skt_cmsg *item)
{
    struct cmsghdr head;
    if (!msg || !item || !msg->control || item->next > msg->controllen || msg->controllen - item->next < sizeof head)
        return false;
    const char *at = (const char *)msg->control + item->next;
    size_t there = msg->controllen - item->next;
    memcpy(&head, at, sizeof head);
    if (head.cmsg_len < CMSG_LEN(0))
        return false;
    item->truncated = head.cmsg_len > there;
    size_t len = item->truncated ? there : head.cmsg_len;
    item->level = head.cmsg_level;
    item->type = head.cmsg_type;
    item->data = at + CMSG_LEN(0);
    item->len = len < CMSG_LEN(0) ? 0 : len - CMSG_LEN(0);
    item->next = item->truncated ? msg->controllen : item->next + CMSG_ALIGN(len);
    return true;
}

static int put(const char *call, skt_msg *msg, int level, int type, const void *data, size_t len)
{
    if (!msg || !msg->control || (!data && len > 0))
        return skti_fail_argument(call, EFAULT, "%s is NULL",
                                  !msg            ? "the message"
                                  : !msg->control ? "its control"
                                                  : "what to add");
    if (msg->controllen > msg->controlsize)
        return skti_fail_argument(call, EINVAL, "controllen %zu is above controlsize %zu", msg->controllen,
                                  msg->controlsize);
    if (len > SSIZE_MAX)
        return skti_fail_argument(call, EINVAL, "the length is negative");
    size_t used = CMSG_ALIGN(msg->controllen);
    if (used > msg->controlsize || len > msg->controlsize || CMSG_SPACE(len) > msg->controlsize - used)
        return skti_fail_argument(call, EMSGSIZE, "no room for %zu bytes in control: %zu of %zu are used", len,
                                  msg->controllen, msg->controlsize);
    struct cmsghdr head = { .cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type };
    char *at = (char *)msg->control + used;
    memset(at, 0, CMSG_SPACE(len));
    memcpy(at, &head, sizeof head);
    if (len > 0)
        memcpy(at + CMSG_LEN(0), data, len);
    msg->controllen = used + CMSG_SPACE(len);
    return 0;
}

int skt_put_cmsg(skt_msg *msg, int level, int type, const void *data, size_t len)
{
    return put("put_cmsg", msg, level, type, data, len);
}

/* Copies the item with this level and type, if it is there and has len bytes. */
static bool find(const skt_msg *msg, int level, int type, void *data, size_t len)
{
    skt_cmsg item = { .next = 0 };
    while (skt_next_cmsg(msg, &item)) {
        if (item.level != level || item.type != type || item.len < len)
            continue;
        memcpy(data, item.data, len);
        return true;
    }
    return false;
}

static int none_found(const char *call, const skt_msg *msg)
{
    if (!msg)
        return skti_fail_argument(call, EFAULT, "the message is NULL");
    return skti_fail_argument(call, ENOMSG, "the message has no such item");
}

/* ---- Descriptors ---- */

int skt_put_rights(skt_msg *msg, const int *fds, size_t n)
{
    if (n > SSIZE_MAX / sizeof *fds)
        return skti_fail_argument("put_rights", EINVAL, "%zu descriptors are too many", n);
    return put("put_rights", msg, SOL_SOCKET, SCM_RIGHTS, fds, n * sizeof *fds);
}

/* Keeps at most max descriptors and closes the others. */
static ssize_t take_rights(const skt_msg *msg, int *fds, size_t max)
{
    skt_cmsg item = { .next = 0 };
    size_t n = 0;
    int fd, keep = errno;
    while (skt_next_cmsg(msg, &item)) {
        if (item.level != SOL_SOCKET || item.type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof fd <= item.len; at += sizeof fd, n++) {
            memcpy(&fd, (const char *)item.data + at, sizeof fd);
            if (n < max)
                fds[n] = fd;
            else
                skti_sys.close(fd);
        }
    }
    errno = keep;
    return (ssize_t)n;
}

ssize_t skt_get_rights(const skt_msg *msg, int *fds, size_t max)
{
    if (!msg || (!fds && max > 0))
        return skti_fail_argument("get_rights", EFAULT, "%s is NULL", msg ? "fds" : "the message");
    if (max > SSIZE_MAX)
        return skti_fail_argument("get_rights", EINVAL, "the number of descriptors is negative");
    return take_rights(msg, fds, max);
}

void skt_close_rights(const skt_msg *msg)
{
    take_rights(msg, NULL, 0);
}

/* ---- Who, from where, how far, when ---- */

int skt_put_credentials(skt_msg *msg, skt_credentials who)
{
    struct ucred cred = { who.pid, who.uid, who.gid };
    return put("put_credentials", msg, SOL_SOCKET, SCM_CREDENTIALS, &cred, sizeof cred);
}

int skt_get_credentials(const skt_msg *msg, skt_credentials *who)
{
    struct ucred cred;
    if (!who)
        return skti_fail_argument("get_credentials", EFAULT, "who is NULL");
    if (!find(msg, SOL_SOCKET, SCM_CREDENTIALS, &cred, sizeof cred))
        return none_found("get_credentials", msg);
    *who = (skt_credentials){ cred.pid, cred.uid, cred.gid };
    return 0;
}

int skt_put_pktinfo(skt_msg *msg, const skt_addr *local, unsigned ifindex)
{
    if (!local)
        return skti_fail_argument("put_pktinfo", EFAULT, "the local address is NULL");
    if (local->kind == SKTI_ADDR_BAD)
        return skti_addr_check("put_pktinfo", local, local->family);
    if (local->kind == SKTI_ADDR_NAME)
        return skti_fail_argument("put_pktinfo", EINVAL, "%s is a name, not an address", skt_host(local));
    if (local->family == AF_INET6) {
        struct in6_pktinfo info = { .ipi6_addr = local->as.inet6.sin6_addr, .ipi6_ifindex = ifindex };
        return put("put_pktinfo", msg, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
    if (local->family == AF_INET) {
        struct in_pktinfo info = { .ipi_spec_dst = local->as.inet.sin_addr, .ipi_ifindex = (int)ifindex };
        return put("put_pktinfo", msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
    return skti_fail_argument("put_pktinfo", EAFNOSUPPORT, "the local address is not of IPv4 or IPv6");
}

static void set_local(skt_addr *local, const void *sa, socklen_t len)
{
    memcpy(&local->as, sa, len);
    skti_addr_received(local, len, 0);
}

int skt_get_pktinfo(const skt_msg *msg, skt_addr *local, unsigned *ifindex)
{
    struct in_pktinfo info4;
    struct in6_pktinfo info6;
    unsigned index;
    if (find(msg, IPPROTO_IP, IP_PKTINFO, &info4, sizeof info4)) {
        struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = info4.ipi_addr };
        index = (unsigned)info4.ipi_ifindex;
        if (local)
            set_local(local, &sa, sizeof sa);
    } else if (find(msg, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof info6)) {
        struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_addr = info6.ipi6_addr };
        index = info6.ipi6_ifindex;
        if (IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
            sa.sin6_scope_id = index;
        if (local)
            set_local(local, &sa, sizeof sa);
    } else {
        return none_found("get_pktinfo", msg);
    }
    if (ifindex)
        *ifindex = index;
    return 0;
}

int skt_put_hoplimit(skt_msg *msg, int family, int hops)
{
    if (hops < 0 || hops > 255)
        return skti_fail_argument("put_hoplimit", EINVAL, "hops must be 0-255, not %d", hops);
    if (family == AF_INET)
        return put("put_hoplimit", msg, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
    if (family == AF_INET6)
        return put("put_hoplimit", msg, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof hops);
    return skti_fail_argument("put_hoplimit", EAFNOSUPPORT, "family is %d: not AF_INET or AF_INET6", family);
}

int skt_get_hoplimit(const skt_msg *msg, int *hops)
{
    int found;
    if (!hops)
        return skti_fail_argument("get_hoplimit", EFAULT, "hops is NULL");
    if (!find(msg, IPPROTO_IP, IP_TTL, &found, sizeof found) &&
        !find(msg, IPPROTO_IPV6, IPV6_HOPLIMIT, &found, sizeof found))
        return none_found("get_hoplimit", msg);
    *hops = found;
    return 0;
}

static bool is_set(struct timespec t)
{
    return t.tv_sec != 0 || t.tv_nsec != 0;
}

int skt_get_timestamp(const skt_msg *msg, struct timespec *when)
{
    struct scm_timestamping all; /* software, (obsolete), hardware */
    struct timespec ns;
    struct timeval us;
    if (!when)
        return skti_fail_argument("get_timestamp", EFAULT, "when is NULL");
    if (find(msg, SOL_SOCKET, SCM_TIMESTAMPING, &all, sizeof all) && (is_set(all.ts[2]) || is_set(all.ts[0])))
        *when = is_set(all.ts[2]) ? all.ts[2] : all.ts[0];
    else if (find(msg, SOL_SOCKET, SCM_TIMESTAMPNS, &ns, sizeof ns))
        *when = ns;
    else if (find(msg, SOL_SOCKET, SCM_TIMESTAMP, &us, sizeof us))
        *when = (struct timespec){ us.tv_sec, (long)((unsigned long)us.tv_usec * 1000) };
    else
        return none_found("get_timestamp", msg);
    return 0;
}
