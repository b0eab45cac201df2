/* address_kernel.c - the families through which programs talk to the kernel and
 * its neighbours: netlink, packet, vsock, TIPC, ALG, QIPCRTR.  Each is a
 * constructor and a row; their text is Python's tuple. */
#include "address.h"
#include "address_interface.h"
#include "address_text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>

static skt_addr bad_text(int family, const char *form, const char *text)
{
    return skti_bad_address(family, EINVAL, "not %s: %.100s", form, text);
}

/* ---- Netlink: pid,groups ---- */

skt_addr skt_netlink(uint32_t pid, uint32_t groups)
{
    struct sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_pid = pid, .nl_groups = groups };
    return skti_ready_address(&sa, sizeof sa, 0);
}

static skt_addr parse_netlink(const char *text)
{
    struct skti_fields f;
    uint64_t v[2];
    if (!skti_split(&f, text, 1, 2) || !skti_numbers(&f, 0, 2, (uint64_t[]){ UINT32_MAX, UINT32_MAX }, v))
        return bad_text(AF_NETLINK, "pid,groups", text);
    return skt_netlink((uint32_t)v[0], (uint32_t)v[1]);
}

static void format_netlink(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_nl *sa = (const void *)&a->as;
    snprintf(buf, len, "%u,%u", sa->nl_pid, sa->nl_groups);
}

const struct skti_family skti_netlink_row = {
    .family = AF_NETLINK,
    .proto = -1,
    .name = "AF_NETLINK",
    .scheme = "netlink",
    .size = sizeof(struct sockaddr_nl),
    .parse = parse_netlink,
    .format = format_netlink,
};

/* ---- Packet: interface,protocol,pkttype,hatype,address ---- */

skt_addr skt_packet(const char *ifname, int proto, int pkttype, int hatype, const void *address, size_t len)
{
    struct sockaddr_ll sa = { .sll_family = AF_PACKET };
    if (!ifname || (!address && len > 0))
        return skti_bad_address(AF_PACKET, EFAULT, "the %s is NULL", ifname ? "address" : "interface's name");
    if (proto < 0 || proto > 65535)
        return skti_bad_address(AF_PACKET, EINVAL, "the protocol must be 0-65535, not %d", proto);
    if (pkttype < 0 || pkttype > 255 || hatype < 0 || hatype > 65535)
        return skti_bad_address(AF_PACKET, EINVAL, "pkttype must be 0-255 and hatype 0-65535, not %d and %d", pkttype,
                                hatype);
    if (len > sizeof sa.sll_addr)
        return skti_bad_address(AF_PACKET, EINVAL, "a hardware address has at most %zu bytes, not %zu",
                                sizeof sa.sll_addr, len);
    sa.sll_protocol = htons((uint16_t)proto);
    sa.sll_pkttype = (unsigned char)pkttype;
    sa.sll_hatype = (unsigned short)hatype;
    sa.sll_halen = (unsigned char)len;
    if (len > 0)
        memcpy(sa.sll_addr, address, len);
    return skti_interface_address(&sa, sizeof sa, 0, ifname);
}

static skt_addr parse_packet(const char *text)
{
    struct skti_fields f;
    uint64_t v[3];
    unsigned char address[8];
    int n = -1;
    if (skti_split(&f, text, 1, 5) && skti_numbers(&f, 1, 3, (uint64_t[]){ 65535, 255, 65535 }, v))
        n = skti_unhex(f.at[4], address, sizeof address);
    if (n < 0)
        return bad_text(AF_PACKET, "interface,protocol,pkttype,hatype,address", text);
    return skt_packet(f.at[0], (int)v[0], (int)v[1], (int)v[2], address, (size_t)n);
}

static void format_packet(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_ll *sa = (const void *)&a->as;
    char name[3 * IF_NAMESIZE + 1], hex[2 * sizeof sa->sll_addr + 1];
    skti_encode(name, sizeof name, skt_host(a), strlen(skt_host(a)), ",");
    skti_hex(hex, sizeof hex, sa->sll_addr, sa->sll_halen < sizeof sa->sll_addr ? sa->sll_halen : sizeof sa->sll_addr);
    snprintf(buf, len, "%s,0x%04x,%d,%d,%s", name, ntohs(sa->sll_protocol), sa->sll_pkttype, sa->sll_hatype, hex);
}

static int *packet_index(skt_addr *a)
{
    return &((struct sockaddr_ll *)&a->as)->sll_ifindex;
}

static void host_packet(const skt_addr *a, char *buf, size_t len)
{
    skti_interface_name(((const struct sockaddr_ll *)&a->as)->sll_ifindex, buf, len);
}

static int lookup_packet(skt_addr *a)
{
    return skti_interface_lookup(a, packet_index(a), sizeof(struct sockaddr_ll));
}

const struct skti_family skti_packet_row = {
    .family = AF_PACKET,
    .proto = -1,
    .name = "AF_PACKET",
    .scheme = "packet",
    .size = offsetof(struct sockaddr_ll, sll_addr),
    .parse = parse_packet,
    .format = format_packet,
    .host = host_packet,
    .lookup = lookup_packet,
};

/* ---- Vsock: cid,port ---- */

skt_addr skt_vsock(uint32_t cid, uint32_t port)
{
    struct sockaddr_vm sa = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
    return skti_ready_address(&sa, sizeof sa, 0);
}

static skt_addr parse_vsock(const char *text)
{
    struct skti_fields f;
    uint64_t v[2];
    if (!skti_split(&f, text, 2, 2) || !skti_numbers(&f, 0, 2, (uint64_t[]){ UINT32_MAX, UINT32_MAX }, v))
        return bad_text(AF_VSOCK, "cid,port", text);
    return skt_vsock((uint32_t)v[0], (uint32_t)v[1]);
}

static void format_vsock(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_vm *sa = (const void *)&a->as;
    snprintf(buf, len, "%u,%u", sa->svm_cid, sa->svm_port);
}

static void host_vsock(const skt_addr *a, char *buf, size_t len)
{
    snprintf(buf, len, "%u", ((const struct sockaddr_vm *)&a->as)->svm_cid);
}

static int small_port(uint32_t port)
{
    return port <= INT_MAX ? (int)port : -1;
}

static int port_vsock(const skt_addr *a)
{
    return small_port(((const struct sockaddr_vm *)&a->as)->svm_port);
}

const struct skti_family skti_vsock_row = {
    .family = AF_VSOCK,
    .proto = -1,
    .name = "AF_VSOCK",
    .scheme = "vsock",
    .size = sizeof(struct sockaddr_vm),
    .parse = parse_vsock,
    .format = format_vsock,
    .host = host_vsock,
    .port = port_vsock,
};

/* ---- TIPC: type,v1,v2,v3,scope ---- */

skt_addr skt_tipc(int type, uint32_t v1, uint32_t v2, uint32_t v3, int scope)
{
    struct sockaddr_tipc sa = { .family = AF_TIPC, .addrtype = (unsigned char)type, .scope = (signed char)scope };
    if (scope < SCHAR_MIN || scope > SCHAR_MAX)
        return skti_bad_address(AF_TIPC, EINVAL, "the scope is %d", scope);
    switch (type) {
    case TIPC_ADDR_ID:
        sa.addr.id = (struct tipc_socket_addr){ .node = v1, .ref = v2 };
        break;
    case TIPC_ADDR_NAME:
        sa.addr.name.name = (struct tipc_service_addr){ .type = v1, .instance = v2 };
        sa.addr.name.domain = v3;
        break;
    case TIPC_ADDR_NAMESEQ: /* TIPC_ADDR_MCAST is the same number */
        sa.addr.nameseq = (struct tipc_service_range){ .type = v1, .lower = v2, .upper = v3 };
        break;
    default:
        return skti_bad_address(AF_TIPC, EINVAL, "the address type is %d: not TIPC_ADDR_ID, _NAME or _NAMESEQ", type);
    }
    return skti_ready_address(&sa, sizeof sa, 0);
}

static skt_addr parse_tipc(const char *text)
{
    struct skti_fields f;
    uint64_t v[5];
    const uint64_t max[] = { 255, UINT32_MAX, UINT32_MAX, UINT32_MAX, SCHAR_MAX };
    if (!skti_split(&f, text, 3, 5) || !skti_numbers(&f, 0, 5, max, v))
        return bad_text(AF_TIPC, "type,v1,v2,v3,scope", text);
    return skt_tipc((int)v[0], (uint32_t)v[1], (uint32_t)v[2], (uint32_t)v[3], (int)v[4]);
}

/* All three forms are three numbers, at the same places. */
static void format_tipc(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_tipc *sa = (const void *)&a->as;
    const struct tipc_service_range *v = &sa->addr.nameseq;
    uint32_t v3 = sa->addrtype == TIPC_ADDR_ID ? 0 : v->upper;
    if (sa->addrtype == TIPC_ADDR_ID)
        snprintf(buf, len, "%d,%u,%u,%u,%d", sa->addrtype, sa->addr.id.node, sa->addr.id.ref, v3, sa->scope);
    else
        snprintf(buf, len, "%d,%u,%u,%u,%d", sa->addrtype, v->type, v->lower, v3, sa->scope);
}

const struct skti_family skti_tipc_row = {
    .family = AF_TIPC,
    .proto = -1,
    .name = "AF_TIPC",
    .scheme = "tipc",
    .size = sizeof(struct sockaddr_tipc),
    .parse = parse_tipc,
    .format = format_tipc,
};

/* ---- ALG: type,name,feat,mask ---- */

skt_addr skt_alg(const char *type, const char *name, uint32_t feat, uint32_t mask)
{
    struct sockaddr_alg sa = { .salg_family = AF_ALG, .salg_feat = feat, .salg_mask = mask };
    if (!type || !name)
        return skti_bad_address(AF_ALG, EFAULT, "the %s is NULL", type ? "name" : "type");
    if (strlen(type) >= sizeof sa.salg_type)
        return skti_bad_address(AF_ALG, EINVAL, "AF_ALG type too long: %.40s", type);
    if (strlen(name) >= sizeof sa.salg_name)
        return skti_bad_address(AF_ALG, EINVAL, "AF_ALG name too long: %.80s", name);
    strcpy((char *)sa.salg_type, type);
    strcpy((char *)sa.salg_name, name);
    return skti_ready_address(&sa, sizeof sa, 0);
}

static skt_addr parse_alg(const char *text)
{
    struct skti_fields f;
    uint64_t v[2];
    if (!skti_split(&f, text, 2, 4) || !skti_numbers(&f, 2, 2, (uint64_t[]){ UINT32_MAX, UINT32_MAX }, v))
        return bad_text(AF_ALG, "type,name,feat,mask", text);
    return skt_alg(f.at[0], f.at[1], (uint32_t)v[0], (uint32_t)v[1]);
}

static void format_alg(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_alg *sa = (const void *)&a->as;
    char type[3 * sizeof sa->salg_type], name[3 * sizeof sa->salg_name];
    skti_encode(type, sizeof type, sa->salg_type, strnlen((const char *)sa->salg_type, sizeof sa->salg_type), ",");
    skti_encode(name, sizeof name, sa->salg_name, strnlen((const char *)sa->salg_name, sizeof sa->salg_name), ",");
    snprintf(buf, len, "%s,%s,%u,%u", type, name, sa->salg_feat, sa->salg_mask);
}

const struct skti_family skti_alg_row = {
    .family = AF_ALG,
    .proto = -1,
    .name = "AF_ALG",
    .scheme = "alg",
    .size = sizeof(struct sockaddr_alg),
    .parse = parse_alg,
    .format = format_alg,
};

/* ---- QIPCRTR: node,port ---- */

skt_addr skt_qipcrtr(uint32_t node, uint32_t port)
{
    struct sockaddr_qrtr sa;
    memset(&sa, 0, sizeof sa); /* what lies between the members too */
    sa.sq_family = AF_QIPCRTR;
    sa.sq_node = node;
    sa.sq_port = port;
    return skti_ready_address(&sa, sizeof sa, 0);
}

static skt_addr parse_qipcrtr(const char *text)
{
    struct skti_fields f;
    uint64_t v[2];
    if (!skti_split(&f, text, 2, 2) || !skti_numbers(&f, 0, 2, (uint64_t[]){ UINT32_MAX, UINT32_MAX }, v))
        return bad_text(AF_QIPCRTR, "node,port", text);
    return skt_qipcrtr((uint32_t)v[0], (uint32_t)v[1]);
}

static void format_qipcrtr(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_qrtr *sa = (const void *)&a->as;
    snprintf(buf, len, "%u,%u", sa->sq_node, sa->sq_port);
}

static int port_qipcrtr(const skt_addr *a)
{
    return small_port(((const struct sockaddr_qrtr *)&a->as)->sq_port);
}

const struct skti_family skti_qipcrtr_row = {
    .family = AF_QIPCRTR,
    .proto = -1,
    .name = "AF_QIPCRTR",
    .scheme = "qipcrtr",
    .size = sizeof(struct sockaddr_qrtr),
    .parse = parse_qipcrtr,
    .format = format_qipcrtr,
    .port = port_qipcrtr,
};
