/* nc_text.c - what nc -C and nc -t do to the bytes that pass: line ends, and answers to telnet (RFC 854). */
#include "nc.h"

size_t nc_crlf(char *out, const char *data, size_t n, char *last)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\n' && *last != '\r')
            out[len++] = '\r';
        out[len++] = *last = data[i];
    }
    return len;
}

enum { WILL = 251, WONT, DO, DONT, IAC };

/* The state after IAC and a byte; DO and DON'T are answered by WON'T, WILL and WON'T by DON'T. */
static enum nc_telnet after_command(unsigned char byte)
{
    if (byte == DO || byte == DONT)
        return TELNET_DO;
    return byte == WILL || byte == WONT ? TELNET_WILL : TELNET_DATA;
}

size_t nc_telnet(unsigned char *out, const unsigned char *data, size_t n, enum nc_telnet *state)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (*state == TELNET_DATA) {
            *state = data[i] == IAC ? TELNET_COMMAND : TELNET_DATA;
        } else if (*state == TELNET_COMMAND) {
            *state = after_command(data[i]);
        } else {
            out[len++] = IAC;
            out[len++] = *state == TELNET_DO ? WONT : DONT;
            out[len++] = data[i];
            *state = TELNET_DATA;
        }
    }
    return len;
}
