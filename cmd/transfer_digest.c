/* transfer_digest.c - SHA-256, by OpenSSL's libcrypto: it uses what the processor has for it, and is well kept. */
#include "transfer.h"
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

int transfer_digest_begin(struct transfer_digest *d)
{
    d->context = EVP_MD_CTX_new();
    if (d->context && EVP_DigestInit_ex(d->context, EVP_sha256(), NULL))
        return 0;
    transfer_digest_end(d);
    return -1;
}

void transfer_digest_add(struct transfer_digest *d, const void *buf, size_t len)
{
    EVP_DigestUpdate(d->context, buf, len); /* of SHA-256 it cannot fail */
}

bool transfer_digest_text(const struct transfer_digest *d, char sha256[static 65])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok = copy && EVP_MD_CTX_copy_ex(copy, d->context) && EVP_DigestFinal_ex(copy, bytes, &n);
    EVP_MD_CTX_free(copy);
    for (unsigned i = 0; ok && i < n; i++)
        snprintf(sha256 + 2 * (size_t)i, 3, "%02x", bytes[i]);
    return ok;
}

void transfer_digest_end(struct transfer_digest *d)
{
    EVP_MD_CTX_free(d->context);
    d->context = NULL;
}

int transfer_digest_file(struct transfer_digest *d, struct transfer_wire *w, int fd, int64_t n)
{
    char buf[65536];
    for (int64_t at = 0; at < n;) {
        size_t len = n - at < (int64_t)sizeof buf ? (size_t)(n - at) : sizeof buf;
        ssize_t got = pread(fd, buf, len, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 1;
        transfer_digest_add(d, buf, (size_t)got);
        at += got;
        if (transfer_say_wait(w) < 0)
            return -1;
    }
    return 0;
}
