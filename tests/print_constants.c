/* print_constants.c - prints the constants of data/constants.txt as C has them, for test_constants.py. */
#include "system.h"
#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#include "constants.inc"
};

int main(void)
{
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        printf("%s %" PRId64 "\n", constants[i].name, constants[i].value);
}
