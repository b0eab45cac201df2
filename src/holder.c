/* holder.c - who holds an address that is in use, as far as /proc tells.
 *
 * /proc/net/tcp and its like list the sockets with their addresses and inodes;
 * a process that holds an inode has a link "socket:[inode]" among its
 * descriptors.  Only done when somebody asks for the sentence. */
#include "address.h"
#include "error.h"
#include "sys.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIME_WAIT 6 /* the state's number in /proc/net/tcp */

/* What is known of the holder. */
struct holder {
    const skt_addr *addr;
    unsigned long inode; /* 0: no socket that a process has */
    unsigned uid;
    bool time_wait; /* only the rest of a connection */
};

/* ---- Lines of a file ---- */

struct lines {
    int fd;
    size_t start, end;
    char buf[4096];
};

/* The next line without its newline, or NULL; one that does not fit is cut. */
static char *next_line(struct lines *l)
{
    for (;;) {
        char *line = l->buf + l->start, *newline = memchr(line, '\n', l->end - l->start);
        if (newline) {
            *newline = '\0';
            l->start = (size_t)(newline + 1 - l->buf);
            return line;
        }
        memmove(l->buf, line, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
        if (l->end == sizeof l->buf)
            l->end = 0;
        ssize_t n = skti_sys.read(l->fd, l->buf + l->end, sizeof l->buf - l->end);
        if (n <= 0)
            return NULL;
        l->end += (size_t)n;
    }
}

/* Gives the lines of a file after its first to look, until that says true. */
static bool search_file(const char *path, bool (*look)(const char *line, struct holder *h), struct holder *h)
{
    struct lines l = { .fd = skti_sys.open(path) };
    bool found = false;
    char *line;
    if (l.fd < 0)
        return false;
    next_line(&l); /* the headings */
    while (!found && (line = next_line(&l)))
        found = look(line, h);
    skti_sys.close(l.fd);
    return found;
}

/* ---- The tables of sockets ---- */

/* "0100007F:1F90" or 32 digits: words in the machine's order. */
static bool read_ip(const char *text, struct in6_addr *ip, socklen_t *len, unsigned *port)
{
    const char *colon = strchr(text, ':');
    size_t digits = colon ? (size_t)(colon - text) : 0;
    if (digits != 8 && digits != 32)
        return false;
    *len = digits / 2;
    for (size_t i = 0; i < digits; i += 8) {
        char word[9] = { 0 };
        memcpy(word, text + i, 8);
        uint32_t value = (uint32_t)strtoul(word, NULL, 16);
        memcpy((char *)ip + i / 2, &value, sizeof value);
    }
    *port = (unsigned)strtoul(colon + 1, NULL, 16);
    return true;
}

static bool is_any(const void *ip, size_t len)
{
    static const char zeros[16];
    return !memcmp(ip, zeros, len);
}

/* Whether a socket bound to ip is in the way of addr; a mapped or another family's address only if
 * one of the two is for all. */
static bool collides(const skt_addr *addr, const struct in6_addr *ip, socklen_t len)
{
    const void *wanted = addr->family == AF_INET ? (const void *)&addr->as.inet.sin_addr : &addr->as.inet6.sin6_addr;
    socklen_t wanted_len = addr->family == AF_INET ? 4 : 16;
    return is_any(ip, len) || is_any(wanted, wanted_len) || (len == wanted_len && !memcmp(ip, wanted, len));
}

/* sl local remote st queues timer retransmits uid timeout inode */
static bool look_at_ip(const char *line, struct holder *h)
{
    char local[40];
    struct in6_addr ip;
    socklen_t len;
    unsigned port, state, uid;
    unsigned long inode;
    if (sscanf(line, " %*d: %39s %*s %x %*s %*s %*s %u %*u %lu", local, &state, &uid, &inode) != 4 ||
        !read_ip(local, &ip, &len, &port) || port != h->addr->port || !collides(h->addr, &ip, len))
        return false;
    if (state == TIME_WAIT)
        h->time_wait = true;
    if (inode == 0)
        return false;
    h->inode = inode;
    h->uid = uid;
    return true;
}

/* Num RefCount Protocol Flags Type St Inode Path; an abstract name begins with @. */
static bool look_at_unix(const char *line, struct holder *h)
{
    unsigned long inode;
    int at = 0;
    const char *path = h->addr->as.unix_.sun_path;
    if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %n", &inode, &at) != 1 || at == 0)
        return false;
    if (*path ? strcmp(line + at, path) != 0 : line[at] != '@' || strcmp(line + at + 1, path + 1) != 0)
        return false;
    h->inode = inode;
    return true;
}

static void find_socket(struct holder *h, int type)
{
    bool stream = type == SOCK_STREAM;
    if (h->addr->family == AF_UNIX)
        search_file("/proc/net/unix", look_at_unix, h);
    else if (h->addr->family == AF_INET || h->addr->family == AF_INET6)
        (void)(search_file(stream ? "/proc/net/tcp" : "/proc/net/udp", look_at_ip, h) ||
               search_file(stream ? "/proc/net/tcp6" : "/proc/net/udp6", look_at_ip, h));
}

/* ---- The process ---- */

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[300], target[64], wanted[64];
    struct dirent *entry;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    DIR *dir = skti_sys.opendir(path);
    if (!dir)
        return false;
    while (!found && (entry = skti_sys.readdir(dir))) {
        snprintf(path, sizeof path, "/proc/%.20s/fd/%.20s", pid, entry->d_name);
        ssize_t n = skti_sys.readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        found = !strcmp(target, wanted);
    }
    skti_sys.closedir(dir);
    return found;
}

static void describe_process(const char *pid, char *buf, size_t len)
{
    char path[64], name[64];
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    int fd = skti_sys.open(path);
    ssize_t n = fd < 0 ? -1 : skti_sys.read(fd, name, sizeof name - 1);
    if (fd >= 0)
        skti_sys.close(fd);
    name[n > 0 ? n : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
    if (atol(pid) == getpid())
        snprintf(buf, len, "held by this process");
    else
        snprintf(buf, len, "held by %.20s, process %.20s", *name ? name : "?", pid);
}

static bool find_process(unsigned long inode, char *buf, size_t len)
{
    struct dirent *entry;
    bool found = false;
    DIR *dir = skti_sys.opendir("/proc");
    if (!dir)
        return false;
    while (!found && (entry = skti_sys.readdir(dir)))
        if (isdigit((unsigned char)*entry->d_name) && has_socket(entry->d_name, inode)) {
            describe_process(entry->d_name, buf, len);
            found = true;
        }
    skti_sys.closedir(dir);
    return found;
}

void skti_holder(const skt_addr *addr, int type, char *buf, size_t len)
{
    struct holder h = { .addr = addr };
    *buf = '\0';
    find_socket(&h, type);
    if (h.inode && find_process(h.inode, buf, len))
        return;
    if (h.inode && addr->family == AF_UNIX)
        snprintf(buf, len, "held by a process that we may not see");
    else if (h.inode)
        snprintf(buf, len, "held by a process of user %u that we may not see", h.uid);
    else if (h.time_wait)
        snprintf(
            buf, len,
            "a connection of an earlier server is in TIME_WAIT: both servers have to set SO_REUSEADDR before bind");
    else if (addr->family == AF_UNIX && *addr->as.unix_.sun_path)
        snprintf(buf, len, "no process holds it: a file left behind, to be removed");
}
