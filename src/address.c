/* address.c - addresses as values, whatever their family: see address.h. */
#include "address.h"
#include "address_text.h"
#include "error.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#ifndef AF_SMC
#define AF_SMC 43
#endif

/* ---- The table ---- */

/* Where a family has several forms, those of one protocol stand before the one for the rest. */
static const struct skti_family *const rows[] = {
    &skti_inet_row,    &skti_inet6_row,  &skti_name_row,    &skti_unix_row, &skti_abstract_row,
    &skti_netlink_row, &skti_packet_row, &skti_vsock_row,   &skti_tipc_row, &skti_isotp_row,
    &skti_j1939_row,   &skti_can_row,    &skti_l2cap_row,   &skti_hci_row,  &skti_sco_row,
    &skti_rfcomm_row,  &skti_alg_row,    &skti_qipcrtr_row, &skti_rds_row,
};
#define ROWS (sizeof rows / sizeof *rows)

/* What is not known is shown as Python shows it, (family, bytes). */
static skt_addr parse_unknown(const char *text);
static void format_unknown(const skt_addr *a, char *buf, size_t len);
static const struct skti_family unknown_row = {
    .proto = -1, .name = "AF_UNSPEC", .scheme = "sockaddr", .parse = parse_unknown, .format = format_unknown
};

const struct skti_family *skti_family(int family, int proto)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i]->family == family && (rows[i]->proto == -1 || rows[i]->proto == proto))
            return rows[i];
    return &unknown_row;
}

const char *skti_family_name(int family)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i]->family == family && family != AF_UNSPEC)
            return rows[i]->name;
    return NULL;
}

/* The row that can read a: not its family's if the sockaddr is too short for that. */
static const struct skti_family *row_of(const skt_addr *a)
{
    const struct skti_family *row = skti_family(a->family, a->proto);
    if (a->kind == SKTI_ADDR_NAME)
        return row;
    if (row == &skti_unix_row && skti_is_abstract(a))
        row = &skti_abstract_row;
    return row->size && a->len >= row->size ? row : &unknown_row;
}

static skt_addr parse_unknown(const char *text)
{
    struct skti_fields f;
    struct sockaddr_storage sa;
    uint64_t family;
    memset(&sa, 0, sizeof sa);
    if (!skti_split(&f, text, 1, 2) || !skti_number(f.at[0], UINT16_MAX, &family))
        return skti_bad_address(AF_UNSPEC, EINVAL, "not a family and bytes: %s", text);
    int n = skti_unhex(f.at[1], (unsigned char *)&sa + sizeof sa.ss_family, sizeof sa - sizeof sa.ss_family);
    if (n < 0)
        return skti_bad_address(AF_UNSPEC, EINVAL, "not hexadecimal, or too long: %s", f.at[1]);
    sa.ss_family = (sa_family_t)family;
    return skt_sockaddr((struct sockaddr *)&sa, (socklen_t)(sizeof sa.ss_family + (size_t)n));
}

static void format_unknown(const skt_addr *a, char *buf, size_t len)
{
    char hex[2 * sizeof a->as + 1];
    size_t head = sizeof a->as.any.sa_family;
    skti_hex(hex, sizeof hex, (const unsigned char *)&a->as + head, a->len > head ? a->len - head : 0);
    snprintf(buf, len, "%d,%s", a->family, hex);
}

/* ---- Making ---- */

skt_addr skti_bad_address(int family, int code, const char *format, ...)
{
    skt_addr a;
    va_list args;
    memset(&a, 0, sizeof a);
    va_start(args, format);
    vsnprintf(a.text, sizeof a.text, format, args);
    va_end(args);
    a.family = family;
    a.kind = SKTI_ADDR_BAD;
    a.scope_id = (uint32_t)code;
    return a;
}

skt_addr skti_named_address(int family, int proto, const char *name)
{
    skt_addr a;
    memset(&a, 0, sizeof a);
    a.family = family;
    a.proto = proto;
    a.kind = SKTI_ADDR_NAME;
    if (strlen(name) >= sizeof a.text)
        return skti_bad_address(family, EINVAL, "a name of %zu bytes is too long: %.40s...", strlen(name), name);
    strcpy(a.text, name);
    return a;
}

/* Cheap, since every datagram has one: text is made when somebody asks. */
void skti_addr_received(skt_addr *a, socklen_t len, int proto)
{
    a->len = len < sizeof a->as ? len : sizeof a->as;
    a->family = len >= sizeof a->as.any.sa_family ? a->as.any.sa_family : AF_UNSPEC;
    a->proto = proto;
    a->kind = a->family == AF_UNSPEC ? SKTI_ADDR_NONE : SKTI_ADDR_READY;
    a->port = 0;
    a->text_state = 0;
    a->scope_id = 0;
    a->text[0] = '\0';
    if ((a->family == AF_INET && a->len >= sizeof a->as.inet) ||
        (a->family == AF_INET6 && a->len >= sizeof a->as.inet6))
        a->port = ntohs(a->as.inet.sin_port);
    else if (a->family == AF_UNIX && a->len < sizeof a->as)
        ((char *)&a->as)[a->len] = '\0'; /* the kernel need not end a path with NUL */
}

skt_addr skti_ready_address(const void *sa, socklen_t len, int proto)
{
    skt_addr a;
    memset(&a.as, 0, sizeof a.as);
    memcpy(&a.as, sa, len);
    skti_addr_received(&a, len, proto);
    return a;
}

skt_addr skt_sockaddr(const struct sockaddr *sa, socklen_t len)
{
    if (!sa)
        return skti_bad_address(AF_UNSPEC, EFAULT, "the sockaddr is NULL");
    if (len > sizeof(struct sockaddr_storage))
        return skti_bad_address(AF_UNSPEC, EINVAL, "a sockaddr of %u bytes is too long", (unsigned)len);
    skt_addr a = skti_ready_address(sa, len, -1); /* of which protocol, nobody said */
    a.kind = SKTI_ADDR_RAW;
    return a;
}

/* ---- Text ---- */

skt_addr skt_addr_parse(const char *text)
{
    if (!text)
        return skti_bad_address(AF_UNSPEC, EFAULT, "the text is NULL");
    size_t word = strcspn(text, ":");
    for (size_t i = 0; text[word] && i < ROWS; i++)
        if (*rows[i]->scheme && strlen(rows[i]->scheme) == word && !strncmp(rows[i]->scheme, text, word))
            return rows[i]->parse(text + word + 1);
    if (text[word] && word == strlen(unknown_row.scheme) && !strncmp(text, unknown_row.scheme, word))
        return unknown_row.parse(text + word + 1);
    return skti_name_row.parse(text);
}

char *skt_addr_text(const skt_addr *a, char *buf, size_t len)
{
    if (!buf || len == 0)
        return NULL;
    if (len > INT_MAX)
        len = INT_MAX; /* more is an error to some snprintf */
    *buf = '\0';
    if (!a || a->kind == SKTI_ADDR_NONE)
        return buf;
    if (a->kind == SKTI_ADDR_BAD) {
        snprintf(buf, len, "%s", a->text);
        return buf;
    }
    const struct skti_family *row = row_of(a);
    int n = snprintf(buf, len, *row->scheme ? "%s:" : "%s", row->scheme);
    if ((size_t)n < len)
        row->format(a, buf + n, len - (size_t)n);
    return buf;
}

enum { NO_TEXT, MAKING_TEXT, TEXT_READY };

/* Several threads may ask at once: one makes the text, the others wait for those
 * few instructions. */
const char *skt_host(const skt_addr *a)
{
    uint32_t expected = NO_TEXT;
    if (!a || a->kind == SKTI_ADDR_NONE || a->kind == SKTI_ADDR_BAD)
        return "";
    if (a->kind == SKTI_ADDR_NAME)
        return a->text;
    skt_addr *own = (skt_addr *)(uintptr_t)a; /* the text is a cache: see skt.h */
    if (__atomic_load_n(&own->text_state, __ATOMIC_ACQUIRE) == TEXT_READY)
        return own->text;
    if (__atomic_compare_exchange_n(&own->text_state, &expected, MAKING_TEXT, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_ACQUIRE)) {
        const struct skti_family *row = row_of(a);
        if (row->host)
            row->host(a, own->text, sizeof own->text);
        __atomic_store_n(&own->text_state, TEXT_READY, __ATOMIC_RELEASE);
    }
    while (__atomic_load_n(&own->text_state, __ATOMIC_ACQUIRE) != TEXT_READY)
        ;
    return own->text;
}

int skt_port(const skt_addr *a)
{
    if (!a || a->kind == SKTI_ADDR_NONE || a->kind == SKTI_ADDR_BAD)
        return -1;
    const struct skti_family *row = row_of(a);
    return row->port ? row->port(a) : -1;
}

const struct sockaddr *skt_addr_sockaddr(const skt_addr *a, socklen_t *len)
{
    bool has = a && (a->kind == SKTI_ADDR_READY || a->kind == SKTI_ADDR_RAW);
    if (len)
        *len = has ? a->len : 0;
    return has ? &a->as.any : NULL;
}

/* The bytes of a sockaddr that mean something: not sin_zero, nor what follows an IPv6 one. */
static socklen_t significant(const skt_addr *a)
{
    socklen_t most = a->family == AF_INET    ? offsetof(struct sockaddr_in, sin_zero)
                     : a->family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                             : a->len;
    return a->len < most ? a->len : most;
}

/* Families have padding, members that count for another protocol only, and paths that end with a NUL or with the
 * address: what means the same has the same text. */
static bool same_text(const skt_addr *a, const skt_addr *b)
{
    char text[2][SKT_ADDR_TEXT_MAX];
    int keep = errno;
    skt_addr_text(a, text[0], sizeof text[0]);
    skt_addr_text(b, text[1], sizeof text[1]);
    errno = keep;
    return !strcmp(text[0], text[1]);
}

static bool has_sockaddr(const skt_addr *a)
{
    return skt_addr_sockaddr(a, NULL) != NULL;
}

bool skt_addr_equal(const skt_addr *a, const skt_addr *b)
{
    if (!a || !b || a->family != b->family)
        return false;
    if (has_sockaddr(a) && has_sockaddr(b))
        return (significant(a) == significant(b) && !memcmp(&a->as, &b->as, significant(a))) ||
               (a->family != AF_INET && a->family != AF_INET6 && same_text(a, b));
    if (a->kind != b->kind)
        return false;
    return a->kind == SKTI_ADDR_NONE ||
           (!strcmp(a->text, b->text) && a->port == b->port && !memcmp(&a->as, &b->as, sizeof a->as));
}

/* ---- Use ---- */

/* Families that are addressed as another one is. */
static bool fits(int address, int socket)
{
    return address == socket || (address == AF_INET && (socket == AF_RDS || socket == AF_SMC)) ||
           (address == AF_INET6 && socket == AF_SMC);
}

static const char *name_or_unknown(int family)
{
    const char *name = skti_family_name(family);
    return name ? name : "of another family";
}

int skti_addr_check(const char *call, const skt_addr *a, int family)
{
    char text[SKT_ADDR_TEXT_MAX];
    if (a->kind == SKTI_ADDR_BAD)
        return skti_fail_argument(call, (int)a->scope_id, "%s", a->text);
    if (a->kind == SKTI_ADDR_NONE)
        return skti_fail_argument(call, EINVAL, "the address is empty");
    if (a->kind == SKTI_ADDR_RAW || fits(a->family, family) || (a->family == AF_UNSPEC && a->kind == SKTI_ADDR_NAME))
        return 0;
    skt_addr_text(a, text, sizeof text);
    if (a->family == AF_INET && family == AF_INET6)
        return skti_fail_argument(
            call, EAFNOSUPPORT, "the socket is AF_INET6: for %s use skt_inet6(\"::ffff:%s\", ...)", text, skt_host(a));
    return skti_fail_argument(call, EAFNOSUPPORT, "the socket is %s, the address %s is %s", name_or_unknown(family),
                              text, name_or_unknown(a->family));
}
