/* test_alg.c - AF_ALG, the kernel's cryptography: a hash, a cipher, and a cipher with authentication, against known
 * results. */
#include "kernels.h"
#include <linux/if_alg.h>

static char header[] = "header", text[] = "sixteen bytes ok", first[] = "Single block", second[] = " msg";

static skt *algorithm(const char *type, const char *name)
{
    skt *s = open_family(AF_ALG, SOCK_SEQPACKET, 0);
    if (s)
        OK(skt_bind(s, skt_alg(type, name, 0, 0)));
    return s;
}

static skt *operation(skt *s)
{
    skt *op = skt_accept(s, NULL);
    OK_SOCKET(op);
    return op;
}

static void check_hex(const unsigned char *bytes, size_t len, const char *expected)
{
    char hex[256];
    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    CHECK_STR(hex, expected);
}

static void hash(void)
{
    unsigned char digest[32];
    skt_addr none;
    skt *s = algorithm("hash", "sha256");
    if (!s)
        return;
    skt *op = skt_accept(s, &none);
    OK_SOCKET(op);
    CHECK(skt_addr_sockaddr(&none, NULL) == NULL); /* AF_ALG has no peers */
    OK(skt_sendall(op, "ab", 2, MSG_MORE));
    OK(skt_sendall(op, "c", 1, 0));
    CHECK_INT(skt_recv(op, digest, sizeof digest, 0), sizeof digest);
    check_hex(digest, sizeof digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    OK(skt_close(op));
    OK(skt_close(s));
}

static void keyed_hash(void)
{
    unsigned char digest[32];
    skt *s = algorithm("hash", "hmac(sha256)");
    if (!s)
        return;
    OK(skt_setsockopt(s, SOL_ALG, ALG_SET_KEY, "Jefe", 4));
    skt *op = operation(s);
    OK(skt_sendall(op, "what do ya want for nothing?", 28, 0));
    CHECK_INT(skt_recv(op, digest, sizeof digest, 0), sizeof digest);
    check_hex(digest, sizeof digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    OK(skt_close(op));
    OK(skt_close(s));
}

/* RFC 3602, case 1, and the way back. */
static void cipher(void)
{
    static const char key[] = "\x06\xa9\x21\x40\x36\xb8\xa1\x5b\x51\x2e\x03\xd5\x34\x12\x00\x06";
    static const char iv[] = "\x3d\xaf\xba\x42\x9d\x9e\xb4\x30\xb4\x22\xda\x80\x2c\x9f\xac\x41";
    unsigned char out[16], back[16];
    skt *s = algorithm("skcipher", "cbc(aes)");
    if (!s)
        return;
    OK(skt_setsockopt(s, SOL_ALG, ALG_SET_KEY, key, 16));
    skt *op = operation(s);
    struct iovec iov[2] = { { first, 12 }, { second, 4 } };
    CHECK_INT(skt_sendmsg_afalg(op, iov, 2, ALG_OP_ENCRYPT, iv, 16, -1, 0), 16);
    CHECK_INT(skt_recv(op, out, sizeof out, 0), 16);
    check_hex(out, sizeof out, "e353779c1079aeb82708942dbe77181a");
    iov[0] = (struct iovec){ out, sizeof out };
    CHECK_INT(skt_sendmsg_afalg(op, iov, 1, ALG_OP_DECRYPT, iv, 16, -1, 0), 16);
    CHECK_INT(skt_recv(op, back, sizeof back, 0), 16);
    CHECK(memcmp(back, "Single block msg", 16) == 0);
    OK(skt_close(op));
    OK(skt_close(s));
}

static skt *gcm(void)
{
    static const char key[] = "\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf";
    skt *s = algorithm("aead", "gcm(aes)");
    if (!s)
        return NULL;
    OK(skt_setsockopt(s, SOL_ALG, ALG_SET_KEY, key, 16));
    OK(skt_setsockopt(s, SOL_ALG, ALG_SET_AEAD_AUTHSIZE, NULL, 16));
    skt *op = operation(s);
    OK(skt_close(s));
    return op;
}

static const char gcm_iv[] = "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b";

/* What is only authenticated stands first, and says with assoclen how long it is. */
static void authenticated(void)
{
    unsigned char out[6 + 16 + 16], back[6 + 16];
    struct iovec iov[2] = { { header, 6 }, { text, 16 } };
    skt *op = gcm();
    if (!op)
        return;
    CHECK_INT(skt_sendmsg_afalg(op, iov, 2, ALG_OP_ENCRYPT, gcm_iv, 12, 6, 0), 22);
    CHECK_INT(skt_recv(op, out, sizeof out, 0), sizeof out);
    CHECK(memcmp(out, "header", 6) == 0);
    check_hex(out + 6, 32, "b7477bdb6a2ad8cf75a42990b4078455a3d19cef9c0229d7fe60e6d20fa3e9a1");
    iov[0] = (struct iovec){ out, sizeof out };
    CHECK_INT(skt_sendmsg_afalg(op, iov, 1, ALG_OP_DECRYPT, gcm_iv, 12, 6, 0), sizeof out);
    CHECK_INT(skt_recv(op, back, sizeof back, 0), sizeof back);
    CHECK(memcmp(back, "headersixteen bytes ok", sizeof back) == 0);
    OK(skt_close(op));
}

static void forged(void)
{
    unsigned char out[6 + 16 + 16];
    struct iovec iov[2] = { { header, 6 }, { text, 16 } };
    skt *op = gcm();
    if (!op)
        return;
    CHECK_INT(skt_sendmsg_afalg(op, iov, 2, ALG_OP_ENCRYPT, gcm_iv, 12, 6, 0), 22);
    CHECK_INT(skt_recv(op, out, sizeof out, 0), sizeof out);
    out[0] ^= 1;
    iov[0] = (struct iovec){ out, sizeof out };
    CHECK_INT(skt_sendmsg_afalg(op, iov, 1, ALG_OP_DECRYPT, gcm_iv, 12, 6, 0), sizeof out);
    CHECK_ERRNO(skt_recv(op, out, sizeof out, 0), EBADMSG);
    CHECK_STR(skt_strerror(), "recv: Bad message");
    OK(skt_close(op));
}

static void unknown(void)
{
    OPEN(s, AF_ALG, SOCK_SEQPACKET, 0);
    CHECK_ERRNO(skt_bind(s, skt_alg("hash", "nosuchhash", 0, 0)), ENOENT);
    CHECK_STR(skt_strerror(), "bind alg:hash,nosuchhash,0,0: No such file or directory");
    OK(skt_close(s));
}

int main(void)
{
    static const struct test_case cases[] = {
        { "AF_ALG: sha256, given in two pieces", hash },
        { "AF_ALG: hmac(sha256) with a key", keyed_hash },
        { "AF_ALG: cbc(aes), there and back", cipher },
        { "AF_ALG: gcm(aes) with associated data, there and back", authenticated },
        { "AF_ALG: gcm(aes) finds a forgery", forged },
        { "AF_ALG: an algorithm that is not there is an error that tells its name", unknown },
    };
    return RUN_CASES(cases);
}
