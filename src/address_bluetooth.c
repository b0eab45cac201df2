/* address_bluetooth.c - AF_BLUETOOTH: L2CAP, RFCOMM, HCI and SCO.
 *
 * The kernel's structs are declared here, so that nobody needs the headers of
 * BlueZ.  A device's address is six bytes, the last one first in memory. */
#include "address.h"
#include "address_text.h"
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BTPROTO_L2CAP = 0, BTPROTO_HCI = 1, BTPROTO_SCO = 2, BTPROTO_RFCOMM = 3 };

#define BDADDR_TEXT 18 /* 01:23:45:67:89:ab and NUL */

struct bdaddr {
    uint8_t byte[6];
};

struct sockaddr_l2 {
    sa_family_t family;
    uint16_t psm; /* little-endian, as is cid */
    struct bdaddr bdaddr;
    uint16_t cid;
    uint8_t type, unused;
};

struct sockaddr_rc {
    sa_family_t family;
    struct bdaddr bdaddr;
    uint8_t channel, unused;
};

struct sockaddr_hci {
    sa_family_t family;
    uint16_t device, channel;
};

struct sockaddr_sco {
    sa_family_t family;
    struct bdaddr bdaddr;
};

_Static_assert(sizeof(struct sockaddr_l2) == 14 && sizeof(struct sockaddr_rc) == 10 &&
                   sizeof(struct sockaddr_hci) == 6 && sizeof(struct sockaddr_sco) == 8,
               "the kernel's sizes");

static bool read_bdaddr(const char *text, struct bdaddr *bdaddr)
{
    for (int i = 5; i >= 0; i--, text += 3) {
        char digits[3] = { text[0], text[0] ? text[1] : '\0', '\0' };
        if (strlen(digits) != 2 || skti_unhex(digits, &bdaddr->byte[i], 1) != 1 || text[2] != (i ? ':' : '\0'))
            return false;
    }
    return true;
}

static const char *write_bdaddr(const struct bdaddr *bdaddr, char *buf)
{
    const uint8_t *b = bdaddr->byte;
    snprintf(buf, BDADDR_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", b[5], b[4], b[3], b[2], b[1], b[0]);
    return buf;
}

static skt_addr bad_bdaddr(const char *text)
{
    if (!text)
        return skti_bad_address(AF_BLUETOOTH, EFAULT, "the device's address is NULL");
    return skti_bad_address(AF_BLUETOOTH, EINVAL, "not a device's address like 01:23:45:67:89:ab: %.40s", text);
}

static skt_addr bad_text(const char *form, const char *text)
{
    return skti_bad_address(AF_BLUETOOTH, EINVAL, "not %s: %.100s", form, text);
}

/* ---- L2CAP: bdaddr,psm,cid,type ---- */

skt_addr skt_l2cap(const char *bdaddr, uint16_t psm, uint16_t cid, uint8_t type)
{
    struct sockaddr_l2 sa = { .family = AF_BLUETOOTH, .psm = htole16(psm), .cid = htole16(cid), .type = type };
    if (!bdaddr || !read_bdaddr(bdaddr, &sa.bdaddr))
        return bad_bdaddr(bdaddr);
    return skti_ready_address(&sa, sizeof sa, BTPROTO_L2CAP);
}

static skt_addr parse_l2cap(const char *text)
{
    struct skti_fields f;
    uint64_t v[3];
    if (!skti_split(&f, text, 1, 4) || !skti_numbers(&f, 1, 3, (uint64_t[]){ 65535, 65535, 255 }, v))
        return bad_text("bdaddr,psm,cid,type", text);
    return skt_l2cap(f.at[0], (uint16_t)v[0], (uint16_t)v[1], (uint8_t)v[2]);
}

static void format_l2cap(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_l2 *sa = (const void *)&a->as;
    char bdaddr[BDADDR_TEXT];
    snprintf(buf, len, "%s,%d,%d,%d", write_bdaddr(&sa->bdaddr, bdaddr), le16toh(sa->psm), le16toh(sa->cid), sa->type);
}

static void host_l2cap(const skt_addr *a, char *buf, size_t len)
{
    char bdaddr[BDADDR_TEXT];
    snprintf(buf, len, "%s", write_bdaddr(&((const struct sockaddr_l2 *)&a->as)->bdaddr, bdaddr));
}

const struct skti_family skti_l2cap_row = {
    .family = AF_BLUETOOTH,
    .proto = BTPROTO_L2CAP,
    .name = "AF_BLUETOOTH",
    .scheme = "l2cap",
    .size = sizeof(struct sockaddr_l2),
    .parse = parse_l2cap,
    .format = format_l2cap,
    .host = host_l2cap,
};

/* ---- RFCOMM: bdaddr,channel ---- */

skt_addr skt_rfcomm(const char *bdaddr, uint8_t channel)
{
    struct sockaddr_rc sa = { .family = AF_BLUETOOTH, .channel = channel };
    if (!bdaddr || !read_bdaddr(bdaddr, &sa.bdaddr))
        return bad_bdaddr(bdaddr);
    return skti_ready_address(&sa, sizeof sa, BTPROTO_RFCOMM);
}

static skt_addr parse_rfcomm(const char *text)
{
    struct skti_fields f;
    uint64_t channel;
    if (!skti_split(&f, text, 1, 2) || !skti_number(f.at[1], 255, &channel))
        return bad_text("bdaddr,channel", text);
    return skt_rfcomm(f.at[0], (uint8_t)channel);
}

/* The device's address stands at the same place as in SCO's. */
static void host_rfcomm(const skt_addr *a, char *buf, size_t len)
{
    char bdaddr[BDADDR_TEXT];
    snprintf(buf, len, "%s", write_bdaddr(&((const struct sockaddr_rc *)&a->as)->bdaddr, bdaddr));
}

static void format_rfcomm(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_rc *sa = (const void *)&a->as;
    char bdaddr[BDADDR_TEXT];
    snprintf(buf, len, "%s,%d", write_bdaddr(&sa->bdaddr, bdaddr), sa->channel);
}

const struct skti_family skti_rfcomm_row = {
    .family = AF_BLUETOOTH,
    .proto = BTPROTO_RFCOMM,
    .name = "AF_BLUETOOTH",
    .scheme = "rfcomm",
    .size = sizeof(struct sockaddr_rc),
    .parse = parse_rfcomm,
    .format = format_rfcomm,
    .host = host_rfcomm,
};

/* ---- HCI: device,channel ---- */

skt_addr skt_hci(uint16_t device, uint16_t channel)
{
    struct sockaddr_hci sa = { .family = AF_BLUETOOTH, .device = device, .channel = channel };
    return skti_ready_address(&sa, sizeof sa, BTPROTO_HCI);
}

static skt_addr parse_hci(const char *text)
{
    struct skti_fields f;
    uint64_t v[2];
    if (!skti_split(&f, text, 1, 2) || !skti_numbers(&f, 0, 2, (uint64_t[]){ 65535, 65535 }, v))
        return bad_text("device,channel", text);
    return skt_hci((uint16_t)v[0], (uint16_t)v[1]);
}

static void format_hci(const skt_addr *a, char *buf, size_t len)
{
    const struct sockaddr_hci *sa = (const void *)&a->as;
    snprintf(buf, len, "%d,%d", sa->device, sa->channel);
}

const struct skti_family skti_hci_row = {
    .family = AF_BLUETOOTH,
    .proto = BTPROTO_HCI,
    .name = "AF_BLUETOOTH",
    .scheme = "hci",
    .size = sizeof(struct sockaddr_hci),
    .parse = parse_hci,
    .format = format_hci,
};

/* ---- SCO: bdaddr ---- */

skt_addr skt_sco(const char *bdaddr)
{
    struct sockaddr_sco sa = { .family = AF_BLUETOOTH };
    if (!bdaddr || !read_bdaddr(bdaddr, &sa.bdaddr))
        return bad_bdaddr(bdaddr);
    return skti_ready_address(&sa, sizeof sa, BTPROTO_SCO);
}

const struct skti_family skti_sco_row = {
    .family = AF_BLUETOOTH,
    .proto = BTPROTO_SCO,
    .name = "AF_BLUETOOTH",
    .scheme = "sco",
    .size = sizeof(struct sockaddr_sco),
    .parse = skt_sco,
    .format = host_rfcomm,
    .host = host_rfcomm,
};
