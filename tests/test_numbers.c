/* test_numbers.c - the numbers in data/constants.txt are the kernel's.
 *
 * They stand in for headers that are older than the kernel, or cannot be included beside netinet/: those are
 * included here, alone. */
#include "check.h"
#include <asm/socket.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/tcp.h>
#include <linux/udp.h>

static const struct {
    const char *name;
    long long kernel, list;
} numbers[] = {
#include "numbers.inc"
};

static void numbers_are_the_kernels(void)
{
    size_t n = sizeof numbers / sizeof *numbers;
    CHECK(n > 60);
    for (size_t i = 0; i < n; i++)
        if (numbers[i].kernel != numbers[i].list)
            check_failed(__FILE__, __LINE__, "%s is %lld, not %lld", numbers[i].name, numbers[i].kernel,
                         numbers[i].list);
}

static const struct test_case cases[] = {
    { "numbers in the list are the kernel's", numbers_are_the_kernels },
};

int main(void)
{
    return RUN_CASES_ON_THREAD(cases);
}
