/* traced.c - whether skt trace draws our calls: then data is not to pass by the library, within the kernel. */
#include "cmd.h"

enum cmd_traced cmd_traced = TRACED_NOT;

bool cmd_may_splice(skt *s)
{
    bool ip = skt_family(s) == AF_INET || skt_family(s) == AF_INET6;
    return cmd_traced == TRACED_NOT || (cmd_traced == TRACED_PACKETS && ip);
}
