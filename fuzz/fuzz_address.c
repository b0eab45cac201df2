/* fuzz_address.c - any text and any sockaddr: nothing is read beyond its end, and what
 * was understood once means the same the second time.
 *
 * The first byte chooses: even, text follows; odd, the socket's protocol and a
 * sockaddr. */
#include "address.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool names_an_interface(const skt_addr *a)
{
    return skti_family(a->family, a->proto)->lookup && *skt_host(a);
}

/* Text, address, text: the same, and the addresses are equal (but for
 * interfaces, which by name are still to be looked up). */
static void check_round(const skt_addr *a)
{
    char text[SKT_ADDR_TEXT_MAX], again[SKT_ADDR_TEXT_MAX];
    skt_addr_text(a, text, sizeof text);
    must(strlen(text) < sizeof text - 1);
    must(strlen(skt_host(a)) < sizeof a->text && skt_port(a) >= -1);
    if (a->kind == SKTI_ADDR_BAD || a->kind == SKTI_ADDR_NONE)
        return;
    skt_addr b = skt_addr_parse(text);
    if (b.kind == SKTI_ADDR_BAD || !strncmp(text, "sockaddr:", 9))
        return; /* too short for its protocol, which bytes do not tell, or with values that no kernel gives */
    skt_addr_text(&b, again, sizeof again);
    must(!strcmp(text, again));
    skt_addr c = skt_addr_parse(again);
    must(skt_addr_equal(&b, &c));
}

/* sockaddr:FAMILY,BYTES may be values that no kernel gives and that no other text can say: for it, see check_round. */
static bool means_itself(const skt_addr *a)
{
    return a->kind != SKTI_ADDR_BAD && a->kind != SKTI_ADDR_RAW && !names_an_interface(a);
}

static void try_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    skt_addr a = skt_addr_parse(text);
    check_round(&a);
    if (means_itself(&a)) {
        char again[SKT_ADDR_TEXT_MAX];
        skt_addr b = skt_addr_parse(skt_addr_text(&a, again, sizeof again));
        must(b.kind != SKTI_ADDR_BAD);
        must(skt_addr_equal(&a, &b));
    }
    free(text);
}

static void try_sockaddr(const uint8_t *data, size_t size)
{
    skt_addr a;
    memset(&a, 0xee, sizeof a);
    memcpy(&a.as, data + 1, size - 1 < sizeof a.as ? size - 1 : sizeof a.as);
    skti_addr_received(&a, (socklen_t)(size - 1), data[0]);
    check_round(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 1 && data[0] % 2 == 0)
        try_text(data + 1, size - 1);
    else if (size >= 2 && size < 300)
        try_sockaddr(data + 1, size - 1);
    return 0;
}
