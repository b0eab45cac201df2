/* error.h - how a failure is put on record.
 *
 * Each function sets errno and the record and returns -1, so that a caller can
 * write `return skti_fail(...)`.  Call it after cleaning up, with the code kept. */
#ifndef SKTI_ERROR_H
#define SKTI_ERROR_H

#include <skt.h>

/* Which of the two ways a wait or a call failed; the code is ETIMEDOUT for our own timeout. */
typedef enum skti_blame { SKTI_SYSTEM, SKTI_OWN_TIMEOUT } skti_blame;

/* A system error without an address. */
int skti_fail(const char *call, int code);

/* An error on a socket: tells the peer's address, where it is known. */
int skti_fail_on(skt *s, const char *call, int code, skti_blame blame);

/* An error about an address.  name: what addr was looked up by, "" or NULL if it was not; addr NULL:
 * only the name is known. */
int skti_fail_at(const char *call, const skt_addr *addr, const char *name, int code, skti_blame blame);

/* The same for an address that may be in use: skt_strerror will look for the
 * holder among sockets of this type (SOCK_STREAM ...). */
int skti_fail_in_use(const char *call, const skt_addr *addr, int type, int code);

/* A mistake in an argument, in words.  code is EINVAL mostly. */
int skti_fail_argument(const char *call, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* getaddrinfo and its like failed for name: eai is EAI_...; with EAI_SYSTEM, code is
 * the errno. */
int skti_fail_name(const char *call, const char *name, int eai, int code);

/* gethostbyaddr and its like: h is HOST_NOT_FOUND ... */
int skti_fail_host(const char *call, const char *name, int h);

/* Connection attempts that failed, kept until all have. */
#define SKTI_ATTEMPTS 16
struct skti_attempt {
    int code;
    socklen_t len;
    struct sockaddr_in6 sa; /* or a sockaddr_in */
};
struct skti_attempts {
    size_t n; /* may exceed SKTI_ATTEMPTS, of which no more are kept */
    struct skti_attempt list[SKTI_ATTEMPTS];
};
void skti_add_attempt(struct skti_attempts *attempts, const struct sockaddr *sa, socklen_t len, int code);

/* All attempts failed: errno is the last one's that tells something, or ETIMEDOUT. */
int skti_fail_attempts(const char *call, const char *name, const struct skti_attempts *attempts, skti_blame blame);

/* Tells with the record just made how many bytes had gone before, or adds
 * words to it.  Both keep errno. */
void skti_record_done(size_t done);
void skti_record_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Keeps the record as it was across calls whose failure is none of the caller's:
 * what skti_keep_record copied, skti_put_back_record restores. */
void skti_keep_record(skt_error *copy);
void skti_put_back_record(const skt_error *copy);

/* Who holds an address, in words such as "held by nc, process 17"; "" where that
 * cannot be seen (holder.c). */
void skti_holder(const skt_addr *addr, int type, char *buf, size_t len);

#endif
