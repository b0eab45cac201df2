/* nearest.c - the right word for a wrong one.
 *
 * Words are as far apart as the letters that have to be added, left out, changed
 * or swapped with their neighbour to make one of the other (Damerau's
 * distance). */
#include "cmd.h"
#include <string.h>

#define LONGEST 32

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* d[i][j] is the distance between the first i letters of a and the first j of b. */
static size_t distance(const char *a, const char *b)
{
    size_t d[LONGEST + 1][LONGEST + 1], la = strlen(a), lb = strlen(b);
    if (la > LONGEST || lb > LONGEST)
        return SIZE_MAX;
    for (size_t i = 0; i <= la; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= lb; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= la; i++)
        for (size_t j = 1; j <= lb; j++) {
            size_t changed = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1, changed);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    return d[la][lb];
}

const char *cmd_nearest(const char *wrong, const char *(*name)(size_t i))
{
    const char *nearest = NULL, *word;
    size_t best = 1 + strlen(wrong) / 3; /* farther off, it is another word */
    for (size_t i = 0; (word = name(i)); i++) {
        size_t d = distance(wrong, word);
        if (d <= best && (!nearest || d < best)) {
            nearest = word;
            best = d;
        }
    }
    return nearest;
}
