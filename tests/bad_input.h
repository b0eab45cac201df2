/* bad_input.h - how a function of skt.h is called wrongly, and what has to come of it.
 *
 * Each macro notes the function's name, so that test_bad_input.c can tell in the end which
 * functions of skt.h nobody has called wrongly. */
#ifndef BAD_INPUT_H
#define BAD_INPUT_H

#include "check.h"
#include <skt.h>
#include <stdint.h>

/* Whom a call was made on. */
enum with { WITH_ARGUMENTS, WITHOUT_SOCKET };

/* Notes that the function was exercised. */
void note(const char *function, enum with with);

/* The last call gave result, and is to have failed with this errno and a sentence that begins with call. */
void check_refusal(int line, const char *function, const char *call, int code, long long result);

/* An address that was built wrongly tells so to the call that uses it. */
void check_bad_address(int line, const char *function, int code, skt_addr addr);

/* Makes a failure that is not to be forgotten; and whether it was not. */
void fail_before(void);
void check_untouched(int line, const char *function);

/* A socket that is closed. */
skt *closed_socket(void);

/* The function, which is called rightly too. */
#define NOTED(function) (note(#function, WITH_ARGUMENTS), function)

/* The call fails with this errno. */
#define FAILS(function, call, code, args)                                                                              \
    do {                                                                                                               \
        note(#function, WITH_ARGUMENTS);                                                                               \
        errno = 0;                                                                                                     \
        check_refusal(__LINE__, #function, call, code, (long long)(intptr_t)(function args));                          \
    } while (0)

/* The arguments, which contain the socket s, are good: but s is NULL, and then closed. */
#define NEEDS_SOCKET(function, call, args)                                                                             \
    do {                                                                                                               \
        note(#function, WITHOUT_SOCKET);                                                                               \
        skt *s = NULL;                                                                                                 \
        fail_before();                                                                                                 \
        long long without = (long long)(intptr_t)(function args);                                                      \
        check_untouched(__LINE__, #function);                                                                          \
        if (without != -1 && without != 0)                                                                             \
            check_failed(__FILE__, __LINE__, "%s: %lld for a socket that is NULL", #function, without);                \
        s = closed_socket();                                                                                           \
        FAILS(function, call, EBADF, args);                                                                            \
    } while (0)

#define BAD_ADDRESS(function, code, args)                                                                              \
    do {                                                                                                               \
        note(#function, WITH_ARGUMENTS);                                                                               \
        check_bad_address(__LINE__, #function, code, function args);                                                   \
    } while (0)

#endif
