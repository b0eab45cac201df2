/* proxy_header.c - reads and writes headers of the PROXY protocol: see proxy_header.h. */
#include "proxy_header.h"
#include <arpa/inet.h>
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define UNIX_LEN ((size_t)108)
enum { SIGNATURE_LEN = 12, FIXED_LEN = 16, V1_LONGEST = 107 };

/* ---- Version 1 ---- */

/* Takes the word up to the next space, or to the end, from *text; NULL: there is none. */
static char *next_word(char **text)
{
    char *word = *text, *space;
    if (!word || !*word)
        return NULL;
    space = strchr(word, ' ');
    *text = space ? space + 1 : NULL;
    if (space)
        *space = '\0';
    return *word ? word : NULL;
}

/* Digits only, without zeros in front. */
static int read_port(const char *word)
{
    int port = 0;
    if (!word || !*word || (*word == '0' && word[1]))
        return -1;
    for (; *word; word++) {
        if (*word < '0' || *word > '9' || port > 6553)
            return -1;
        port = 10 * port + (*word - '0');
    }
    return port > 65535 ? -1 : port;
}

static bool read_end(int family, const char *host, const char *port_text, skt_addr *end)
{
    unsigned char packed[16];
    int port = read_port(port_text);
    if (!host || port < 0 || inet_pton(family, host, packed) != 1)
        return false;
    *end = family == AF_INET ? skt_inet(host, port) : skt_inet6(host, port, 0, 0);
    return true;
}

/* line: without its \r\n. */
static enum proxy_header_state read_line(char *line, struct proxy_header *h, const char **why)
{
    char *rest = line + 6, *protocol = next_word(&rest);
    bool ipv4 = protocol && !strcmp(protocol, "TCP4"), ipv6 = protocol && !strcmp(protocol, "TCP6");
    if (protocol && !strcmp(protocol, "UNKNOWN")) {
        h->local = true;
        return PROXY_HEADER_DONE;
    }
    *why = "its protocol is none of TCP4, TCP6 and UNKNOWN";
    if (!ipv4 && !ipv6)
        return PROXY_HEADER_WRONG;
    char *source = next_word(&rest), *destination = next_word(&rest), *from = next_word(&rest), *to = next_word(&rest);
    *why = "its addresses or ports make no sense";
    if (rest || !read_end(ipv4 ? AF_INET : AF_INET6, source, from, &h->source) ||
        !read_end(ipv4 ? AF_INET : AF_INET6, destination, to, &h->destination))
        return PROXY_HEADER_WRONG;
    return PROXY_HEADER_DONE;
}

static enum proxy_header_state read_v1(const unsigned char *buf, size_t len, struct proxy_header *h, size_t *used,
                                       const char **why)
{
    char line[V1_LONGEST + 1];
    const unsigned char *end = memchr(buf, '\n', len < V1_LONGEST ? len : V1_LONGEST);
    *why = "its line is too long";
    if (!end)
        return len < V1_LONGEST ? PROXY_HEADER_MORE : PROXY_HEADER_WRONG;
    *used = (size_t)(end - buf) + 1;
    *why = "its line is no text, or does not end with \\r\\n";
    if (end[-1] != '\r' || memchr(buf, '\0', *used))
        return PROXY_HEADER_WRONG;
    memcpy(line, buf, *used - 2);
    line[*used - 2] = '\0';
    h->version = 1;
    return read_line(line, h, why);
}

/* ---- Version 2 ---- */

static skt_addr ipv4_of(const unsigned char *host, const unsigned char *port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET };
    memcpy(&sa.sin_addr, host, 4);
    memcpy(&sa.sin_port, port, 2);
    return skt_sockaddr((const struct sockaddr *)&sa, sizeof sa);
}

static skt_addr ipv6_of(const unsigned char *host, const unsigned char *port)
{
    struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
    memcpy(&sa.sin6_addr, host, 16);
    memcpy(&sa.sin6_port, port, 2);
    return skt_sockaddr((const struct sockaddr *)&sa, sizeof sa);
}

/* 108 bytes of a path, or of an abstract name, which begins with a NUL. */
static skt_addr unix_of(const unsigned char *name)
{
    size_t len = UNIX_LEN;
    char path[UNIX_LEN + 1] = "";
    while (len > 0 && !name[len - 1])
        len--;
    if (len > 1 && !*name)
        return skt_abstract(name + 1, len - 1);
    memcpy(path, name, len < UNIX_LEN ? len : UNIX_LEN - 1);
    return skt_unix(path);
}

/* The addresses, in the first len bytes of what follows the fixed part. */
static bool read_addresses(int family, const unsigned char *at, size_t len, struct proxy_header *h)
{
    static const size_t needed[] = { 0, 12, 36, 2 * UNIX_LEN };
    if (len < needed[family])
        return false;
    h->local = family == 0;
    if (family == 1) {
        h->source = ipv4_of(at, at + 8);
        h->destination = ipv4_of(at + 4, at + 10);
    } else if (family == 2) {
        h->source = ipv6_of(at, at + 32);
        h->destination = ipv6_of(at + 16, at + 34);
    } else if (family == 3) {
        h->source = unix_of(at);
        h->destination = unix_of(at + UNIX_LEN);
    }
    return true;
}

static enum proxy_header_state read_v2(const unsigned char *buf, size_t len, struct proxy_header *h, size_t *used,
                                       const char **why)
{
    if (len < FIXED_LEN)
        return PROXY_HEADER_MORE;
    size_t rest = (size_t)buf[14] << 8 | buf[15];
    *why = "its version or command is not known";
    if (buf[12] >> 4 != 2 || (buf[12] & 15) > 1)
        return PROXY_HEADER_WRONG;
    *why = "its family or transport is not known";
    if (buf[13] >> 4 > 3 || (buf[13] & 15) > 2)
        return PROXY_HEADER_WRONG;
    *why = "it is too long";
    if (FIXED_LEN + rest > PROXY_HEADER_LONGEST)
        return PROXY_HEADER_WRONG;
    *used = FIXED_LEN + rest;
    if (len < *used)
        return PROXY_HEADER_MORE;
    h->version = 2;
    h->local = (buf[12] & 15) == 0;
    *why = "it is too short for its addresses";
    return h->local || read_addresses(buf[13] >> 4, buf + FIXED_LEN, rest, h) ? PROXY_HEADER_DONE : PROXY_HEADER_WRONG;
}

/* ---- Either ---- */

static bool begins(const unsigned char *buf, size_t len, const char *with, size_t with_len)
{
    return !memcmp(buf, with, len < with_len ? len : with_len);
}

enum proxy_header_state proxy_header_read(const unsigned char *buf, size_t len, struct proxy_header *h, size_t *used,
                                          const char **why)
{
    memset(h, 0, sizeof *h);
    if (begins(buf, len, "PROXY ", 6))
        return len < 6 ? PROXY_HEADER_MORE : read_v1(buf, len, h, used, why);
    if (begins(buf, len, SIGNATURE, SIGNATURE_LEN))
        return len < SIGNATURE_LEN ? PROXY_HEADER_MORE : read_v2(buf, len, h, used, why);
    *why = "there is none";
    return PROXY_HEADER_WRONG;
}

/* ---- Writing ---- */

/* ::ffff:192.0.2.1, which is how an IPv6 socket sees IPv4, as IPv4. */
static skt_addr unmapped(const skt_addr *a)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)skt_addr_sockaddr(a, NULL);
    if (a->family != AF_INET6 || !in6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        return *a;
    return ipv4_of((const unsigned char *)&in6->sin6_addr + 12, (const unsigned char *)&in6->sin6_port);
}

static size_t write_v1(int type, const skt_addr *source, const skt_addr *destination, unsigned char *buf)
{
    char host[INET6_ADDRSTRLEN + 1], *line = (char *)buf;
    bool known = type == SOCK_STREAM && source->family == destination->family &&
                 (source->family == AF_INET || source->family == AF_INET6);
    if (!known)
        return (size_t)snprintf(line, PROXY_HEADER_LONGEST, "PROXY UNKNOWN\r\n");
    snprintf(host, sizeof host, "%.*s", (int)strcspn(skt_host(destination), "%"), skt_host(destination));
    return (size_t)snprintf(line, PROXY_HEADER_LONGEST, "PROXY TCP%c %.*s %s %d %d\r\n",
                            source->family == AF_INET ? '4' : '6', (int)strcspn(skt_host(source), "%"),
                            skt_host(source), host, skt_port(source), skt_port(destination));
}

/* Copies an address and its port to where the header has them. */
static void put_ip(const skt_addr *a, unsigned char *host, unsigned char *port)
{
    const struct sockaddr *sa = skt_addr_sockaddr(a, NULL);
    const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
    if (a->family == AF_INET) {
        memcpy(host, &in->sin_addr, 4);
        memcpy(port, &in->sin_port, 2);
    } else {
        memcpy(host, &in6->sin6_addr, 16);
        memcpy(port, &in6->sin6_port, 2);
    }
}

static void put_unix(const skt_addr *a, unsigned char *name)
{
    socklen_t len;
    const struct sockaddr_un *un = (const struct sockaddr_un *)skt_addr_sockaddr(a, &len);
    size_t head = offsetof(struct sockaddr_un, sun_path);
    memset(name, 0, UNIX_LEN);
    if (un && len > head)
        memcpy(name, un->sun_path, len - head < UNIX_LEN ? len - head : UNIX_LEN);
}

/* The number of the family in version 2, and in *len the bytes of its addresses; 0: the header tells none. */
static int family_number(const skt_addr *source, const skt_addr *destination, size_t *len)
{
    static const struct {
        int family;
        size_t len;
    } rows[] = { { AF_UNSPEC, 0 }, { AF_INET, 12 }, { AF_INET6, 36 }, { AF_UNIX, 2 * UNIX_LEN } };
    for (int i = 3; i > 0; i--)
        if (source->family == rows[i].family && destination->family == rows[i].family &&
            skt_addr_sockaddr(source, NULL) && skt_addr_sockaddr(destination, NULL)) {
            *len = rows[i].len;
            return i;
        }
    *len = 0;
    return 0;
}

static size_t write_v2(int type, const skt_addr *source, const skt_addr *destination, unsigned char *buf)
{
    size_t len;
    int family = family_number(source, destination, &len), transport = type == SOCK_DGRAM ? 2 : 1;
    unsigned char *at = buf + FIXED_LEN;
    memcpy(buf, SIGNATURE, SIGNATURE_LEN);
    buf[12] = 0x21;
    buf[13] = (unsigned char)(family ? family << 4 | transport : 0);
    buf[14] = (unsigned char)(len >> 8);
    buf[15] = (unsigned char)len;
    if (family == 3) {
        put_unix(source, at);
        put_unix(destination, at + UNIX_LEN);
    } else if (family) {
        size_t host = family == 1 ? 4 : 16;
        put_ip(source, at, at + 2 * host);
        put_ip(destination, at + host, at + 2 * host + 2);
    }
    return FIXED_LEN + len;
}

size_t proxy_header_write(int version, int type, const skt_addr *source, const skt_addr *destination,
                          unsigned char *buf)
{
    skt_addr from = unmapped(source), to = unmapped(destination);
    if (from.family != to.family) {
        from = *source;
        to = *destination;
    }
    return (version == 1 ? write_v1 : write_v2)(type, &from, &to, buf);
}
