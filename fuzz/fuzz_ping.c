/* fuzz_ping.c - what comes back when a host is pinged, of any content and length: nothing is read beyond its end, and
 * only what has our cookie and identifier is taken for an answer.  The first byte chooses the kind of packet, the
 * second the size of the question's data. */
#include "../cmd/ping_packet.c" /* all of it: it needs nothing else, and who builds fuzzers need not know of it */
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct ping_format *format, const unsigned char *packet, size_t len)
{
    uint32_t number = 0;
    size_t size = 0;
    if (ping_read(format, packet, len, &number, &size) && (size > len || (format->icmp && number > 65535)))
        abort();
    if (ping_read_quote(format, packet, len, &number) && format->icmp && number > 65535)
        abort();
}

/* A question is no answer, but is known when it is quoted; once its type is an answer's it is one. */
static void check_own(const struct ping_format *format, uint32_t number)
{
    static unsigned char packet[PING_ROOM];
    uint32_t read = 0;
    size_t size, len = ping_make(format, number, packet);
    if (!ping_read_quote(format, packet, len, &read) || read != (format->icmp ? number & 0xffff : number))
        abort();
    if (!format->icmp || (format->raw && !format->ipv6)) /* such an answer begins with IPv4's header */
        return;
    if (ping_read(format, packet, len, &read, &size))
        abort();
    packet[0] = format->ipv6 ? ECHO6_REPLY : ECHO_REPLY;
    if (!ping_read(format, packet, len, &read, &size) || read != (number & 0xffff) || size != format->size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ping_format format = { .identifier = 0x1234, .cookie = "12345678" };
    if (size < 2)
        return 0;
    format.icmp = data[0] & 1;
    format.ipv6 = data[0] & 2;
    format.raw = data[0] & 4;
    format.size = format.icmp ? data[1] : data[1] + PING_DATA_MIN;
    unsigned char *packet = malloc(size > 2 ? size - 2 : 1); /* just so long, for AddressSanitizer */
    if (!packet)
        abort();
    memcpy(packet, data + 2, size - 2);
    check_answer(&format, packet, size - 2);
    check_own(&format, (uint32_t)size * 65537U);
    free(packet);
    return 0;
}
