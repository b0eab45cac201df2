/* address_can.c - AF_CAN in its forms, raw and BCM, ISO-TP and J1939, and what
 * families that name an interface have in common. */
#include "address.h"
#include "address_interface.h"
#include "address_text.h"
#include "sys.h"
#include <errno.h>
#include <linux/can.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>

/* ---- Interfaces ---- */

/* Where the index stands in sa differs by family; that of "#7" is put in by the row's own lookup. */
skt_addr skti_interface_address(const void *sa, socklen_t len, int proto, const char *ifname)
{
    skt_addr a = skti_ready_address(sa, len, proto);
    if (!*ifname)
        return a;
    if (strlen(ifname) >= IF_NAMESIZE)
        return skti_bad_address(a.family, EINVAL, "an interface's name has at most %d bytes: %.40s", IF_NAMESIZE - 1,
                                ifname);
    strcpy(a.text, ifname);
    a.kind = SKTI_ADDR_NAME;
    a.len = 0;
    if (*ifname == '#')
        skti_family(a.family, proto)->lookup(&a);
    return a;
}

int skti_interface_lookup(skt_addr *a, int *index, socklen_t len)
{
    uint64_t number;
    errno = 0;
    if (*a->text == '#' && a->text[1] && skti_number(a->text + 1, INT32_MAX, &number))
        *index = (int)number;
    else
        *index = (int)skti_sys.if_nametoindex(a->text);
    if (*index == 0)
        return errno ? errno : ENODEV;
    skti_addr_received(a, len, a->proto);
    return 0;
}

void skti_interface_name(int index, char *buf, size_t len)
{
    char name[IF_NAMESIZE];
    int keep = errno;
    if (index == 0)
        snprintf(buf, len, "%s", "");
    else if (skti_sys.if_indextoname((unsigned)index, name))
        snprintf(buf, len, "%s", name);
    else
        snprintf(buf, len, "#%d", index);
    errno = keep;
}

static const struct sockaddr_can *can_of(const skt_addr *a)
{
    return (const void *)&a->as;
}

static void host_can(const skt_addr *a, char *buf, size_t len)
{
    skti_interface_name(can_of(a)->can_ifindex, buf, len);
}

static int lookup_can(skt_addr *a)
{
    return skti_interface_lookup(a, &((struct sockaddr_can *)&a->as)->can_ifindex, sizeof(struct sockaddr_can));
}

static const char *encoded_host(const skt_addr *a, char *buf, size_t len)
{
    skti_encode(buf, len, skt_host(a), strlen(skt_host(a)), ",");
    return buf;
}

/* All of it 0, what lies between the members too. */
static struct sockaddr_can empty_can(void)
{
    struct sockaddr_can sa;
    memset(&sa, 0, sizeof sa);
    sa.can_family = AF_CAN;
    return sa;
}

static skt_addr no_name(void)
{
    return skti_bad_address(AF_CAN, EFAULT, "the interface's name is NULL");
}

static skt_addr bad_text(const char *form, const char *text)
{
    return skti_bad_address(AF_CAN, EINVAL, "not %s: %.100s", form, text);
}

/* ---- Raw and BCM: interface ---- */

skt_addr skt_can(const char *ifname)
{
    struct sockaddr_can sa = empty_can();
    return ifname ? skti_interface_address(&sa, sizeof sa, CAN_RAW, ifname) : no_name();
}

static skt_addr parse_can(const char *text)
{
    struct skti_fields f;
    return skti_split(&f, text, 1, 1) ? skt_can(f.at[0]) : bad_text("an interface", text);
}

static void format_can(const skt_addr *a, char *buf, size_t len)
{
    encoded_host(a, buf, len);
}

const struct skti_family skti_can_row = {
    .family = AF_CAN,
    .proto = -1,
    .name = "AF_CAN",
    .scheme = "can",
    .size = offsetof(struct sockaddr_can, can_addr),
    .parse = parse_can,
    .format = format_can,
    .host = host_can,
    .lookup = lookup_can,
};

/* ---- ISO-TP: interface,rx_id,tx_id ---- */

skt_addr skt_can_isotp(const char *ifname, uint32_t rx_id, uint32_t tx_id)
{
    struct sockaddr_can sa = empty_can();
    sa.can_addr.tp.rx_id = rx_id;
    sa.can_addr.tp.tx_id = tx_id;
    return ifname ? skti_interface_address(&sa, sizeof sa, CAN_ISOTP, ifname) : no_name();
}

static skt_addr parse_isotp(const char *text)
{
    struct skti_fields f;
    uint64_t v[2];
    if (!skti_split(&f, text, 1, 3) || !skti_numbers(&f, 1, 2, (uint64_t[]){ UINT32_MAX, UINT32_MAX }, v))
        return bad_text("interface,rx_id,tx_id", text);
    return skt_can_isotp(f.at[0], (uint32_t)v[0], (uint32_t)v[1]);
}

static void format_isotp(const skt_addr *a, char *buf, size_t len)
{
    char name[3 * IF_NAMESIZE];
    snprintf(buf, len, "%s,0x%x,0x%x", encoded_host(a, name, sizeof name), can_of(a)->can_addr.tp.rx_id,
             can_of(a)->can_addr.tp.tx_id);
}

const struct skti_family skti_isotp_row = {
    .family = AF_CAN,
    .proto = CAN_ISOTP,
    .name = "AF_CAN",
    .scheme = "can-isotp",
    .size = offsetof(struct sockaddr_can, can_addr) + sizeof(((struct sockaddr_can *)0)->can_addr.tp),
    .parse = parse_isotp,
    .format = format_isotp,
    .host = host_can,
    .lookup = lookup_can,
};

/* ---- J1939: interface,name,pgn,address ---- */

skt_addr skt_can_j1939(const char *ifname, uint64_t name, uint32_t pgn, uint8_t address)
{
    struct sockaddr_can sa = empty_can();
    sa.can_addr.j1939.name = name;
    sa.can_addr.j1939.pgn = pgn;
    sa.can_addr.j1939.addr = address;
    return ifname ? skti_interface_address(&sa, sizeof sa, CAN_J1939, ifname) : no_name();
}

static skt_addr parse_j1939(const char *text)
{
    struct skti_fields f;
    uint64_t v[3];
    if (!skti_split(&f, text, 1, 4) || !skti_numbers(&f, 1, 3, (uint64_t[]){ UINT64_MAX, UINT32_MAX, 255 }, v))
        return bad_text("interface,name,pgn,address", text);
    return skt_can_j1939(f.at[0], v[0], (uint32_t)v[1], (uint8_t)v[2]);
}

static void format_j1939(const skt_addr *a, char *buf, size_t len)
{
    char name[3 * IF_NAMESIZE];
    snprintf(buf, len, "%s,%llu,0x%x,%d", encoded_host(a, name, sizeof name),
             (unsigned long long)can_of(a)->can_addr.j1939.name, can_of(a)->can_addr.j1939.pgn,
             can_of(a)->can_addr.j1939.addr);
}

const struct skti_family skti_j1939_row = {
    .family = AF_CAN,
    .proto = CAN_J1939,
    .name = "AF_CAN",
    .scheme = "can-j1939",
    .size = offsetof(struct sockaddr_can, can_addr) + sizeof(((struct sockaddr_can *)0)->can_addr.j1939),
    .parse = parse_j1939,
    .format = format_j1939,
    .host = host_can,
    .lookup = lookup_can,
};
