/* constants.c - the module's integer constants, from the list that the command shares (data/constants.txt). */
#include "module.h"
#include "system.h"

const struct constant constants[] = {
#include "constants.inc"
    { NULL, 0 },
};
