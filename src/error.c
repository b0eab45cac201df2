/* error.c - the record of what failed last, and the sentence made of it.
 *
 * One record a thread, made with its first failure, and one a task, likewise.  The first thread (as a rule the
 * only one) has its place in the program, so that it can record a failure when there is no memory; a task without
 * memory uses its thread's; threads without memory share one.  (A place for each in thread-local
 * storage would be simpler, but is too large for a library that is loaded late: dlopen(3), Python's ctypes.)  The
 * sentence is put together only when somebody asks for it. */
#include "error.h"
#include "address.h"
#include "here.h"
#include "object.h"
#include "sys.h"
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct skti_error_state {
    skt_error record;
    int in_use_type; /* SOCK_...: skt_strerror is to look for the address' holder; 0: no */
    struct skti_attempts attempts;
    char sentence[2048];
};

static const struct skti_error_state nothing_failed;
static struct skti_error_state first_threads, shared; /* shared: whatever two threads write, its texts end */
static bool first_is_taken;
static pthread_key_t key; /* of a thread's record: gives it back when the thread ends */
static bool has_key;      /* where the program has none left, a thread's record stays for the process' life */

static void give_back(void *errors)
{
    skti_thread_scope()->errors = NULL;
    if (errors == &first_threads)
        __atomic_store_n(&first_is_taken, false, __ATOMIC_RELEASE);
    else if (errors != &shared)
        skti_sys.free(errors);
}

__attribute__((constructor)) static void make_key(void)
{
    has_key = pthread_key_create(&key, give_back) == 0;
}

__attribute__((destructor)) static void delete_key(void) /* dlclose(3): nobody is to call give_back any more */
{
    if (has_key)
        pthread_key_delete(key);
}

static struct skti_error_state *new_state(void)
{
    int keep = errno;
    struct skti_error_state *errors = skti_sys.calloc(1, sizeof *errors);
    errno = keep;
    return errors;
}

static struct skti_error_state *threads_state(void)
{
    struct skti_scope *own = skti_thread_scope();
    if (own->errors)
        return own->errors;
    if (!__atomic_exchange_n(&first_is_taken, true, __ATOMIC_ACQ_REL))
        own->errors = &first_threads;
    else if (!(own->errors = new_state()))
        own->errors = &shared;
    if (has_key)
        pthread_setspecific(key, own->errors); /* without memory it is not given back */
    return own->errors;
}

/* To be written: the running task's, or the thread's. */
static struct skti_error_state *state(void)
{
    struct skti_scope *scope = skti_scope();
    if (!scope->errors && skti_in_task())
        scope->errors = new_state();
    if (!scope->errors)
        scope->errors = threads_state();
    return scope->errors;
}

void skti_free_errors(struct skti_error_state *errors)
{
    if (errors != skti_thread_scope()->errors)
        skti_sys.free(errors);
}

/* To be read: without making one. */
static const struct skti_error_state *state_now(void)
{
    const struct skti_error_state *errors = skti_scope()->errors;
    return errors ? errors : &nothing_failed;
}

const skt_error *skt_error_record(void)
{
    return &state_now()->record;
}

bool skt_timed_out(void)
{
    return state_now()->record.domain == SKT_ERROR_TIMEOUT;
}

/* Starts a record anew. */
static void begin(skt_error_domain domain, const char *call, int code)
{
    struct skti_error_state *here = state();
    skt_error *r = &here->record;
    r->domain = domain;
    r->code = code;
    r->call = call;
    r->has_addr = false;
    r->name[0] = r->detail[0] = '\0';
    r->done = r->attempts = 0;
    here->in_use_type = 0;
}

/* errno is set last, since anything before may have changed it. */
static int finish(int code)
{
    errno = code;
    return -1;
}

static void set_name(const char *name)
{
    snprintf(state()->record.name, sizeof state()->record.name, "%s", name ? name : "");
}

static void set_addr(const skt_addr *addr)
{
    if (addr->kind == SKTI_ADDR_NAME) {
        set_name(addr->text);
    } else if (addr->kind != SKTI_ADDR_BAD && addr->kind != SKTI_ADDR_NONE) {
        state()->record.addr = *addr;
        state()->record.has_addr = true;
    }
}

static skt_error_domain domain_of(skti_blame blame)
{
    return blame == SKTI_OWN_TIMEOUT ? SKT_ERROR_TIMEOUT : SKT_ERROR_SYSTEM;
}

int skti_fail(const char *call, int code)
{
    begin(SKT_ERROR_SYSTEM, call, code);
    return finish(code);
}

int skti_fail_at(const char *call, const skt_addr *addr, const char *name, int code, skti_blame blame)
{
    begin(domain_of(blame), call, code);
    if (addr)
        set_addr(addr);
    if (name && *name)
        set_name(name);
    return finish(code);
}

int skti_fail_in_use(const char *call, const skt_addr *addr, int type, int code)
{
    skti_fail_at(call, addr, NULL, code, SKTI_SYSTEM);
    if (code == EADDRINUSE)
        state()->in_use_type = type;
    return finish(code);
}

int skti_fail_on(skt *s, const char *call, int code, skti_blame blame)
{
    skt_addr peer;
    peer.kind = SKTI_ADDR_NONE;
    pthread_mutex_lock(&s->lock);
    if (s->peer_len) {
        memcpy(&peer.as, &s->peer, s->peer_len);
        skti_addr_received(&peer, s->peer_len, s->proto);
    }
    pthread_mutex_unlock(&s->lock);
    return skti_fail_at(call, &peer, NULL, code, blame);
}

int skti_fail_argument(const char *call, int code, const char *format, ...)
{
    va_list args;
    begin(SKT_ERROR_ARGUMENT, call, code);
    va_start(args, format);
    vsnprintf(state()->record.detail, sizeof state()->record.detail, format, args);
    va_end(args);
    return finish(code);
}

int skti_fail_name(const char *call, const char *name, int eai, int code)
{
    if (eai == EAI_SYSTEM || eai == EAI_MEMORY)
        return skti_fail_at(call, NULL, name, eai == EAI_MEMORY ? ENOMEM : code, SKTI_SYSTEM);
    begin(SKT_ERROR_NAME, call, eai);
    set_name(name);
    return finish(EHOSTUNREACH);
}

int skti_fail_host(const char *call, const char *name, int h)
{
    begin(SKT_ERROR_HOST, call, h);
    set_name(name);
    return finish(EHOSTUNREACH);
}

void skti_add_attempt(struct skti_attempts *attempts, const struct sockaddr *sa, socklen_t len, int code)
{
    if (attempts->n < SKTI_ATTEMPTS && len <= sizeof attempts->list->sa) {
        struct skti_attempt *a = &attempts->list[attempts->n];
        memcpy(&a->sa, sa, len);
        a->len = len;
        a->code = code;
    }
    attempts->n++;
}

static size_t kept(const struct skti_attempts *attempts)
{
    return attempts->n < SKTI_ATTEMPTS ? attempts->n : SKTI_ATTEMPTS;
}

/* "No route" is what a machine without IPv6 says of every IPv6 address, and tells nothing of the server. */
static bool says_little(int code)
{
    return code == ENETUNREACH || code == EADDRNOTAVAIL || code == EAFNOSUPPORT || code == EHOSTUNREACH;
}

static int telling_code(const struct skti_attempts *attempts)
{
    for (size_t i = kept(attempts); i-- > 0;)
        if (!says_little(attempts->list[i].code))
            return attempts->list[i].code;
    return kept(attempts) ? attempts->list[kept(attempts) - 1].code : EHOSTUNREACH;
}

int skti_fail_attempts(const char *call, const char *name, const struct skti_attempts *attempts, skti_blame blame)
{
    int code = blame == SKTI_OWN_TIMEOUT ? ETIMEDOUT : telling_code(attempts);
    begin(domain_of(blame), call, code);
    set_name(name);
    struct skti_error_state *here = state();
    here->attempts = *attempts;
    here->record.attempts = attempts->n;
    if (attempts->n == 1)
        skt_attempt(0, &here->record.addr);
    here->record.has_addr = attempts->n == 1;
    return finish(code);
}

int skt_attempt(size_t i, skt_addr *addr)
{
    const struct skti_error_state *here = state_now();
    if (i >= here->record.attempts || i >= kept(&here->attempts))
        return 0;
    const struct skti_attempt *a = &here->attempts.list[i];
    if (addr) {
        memcpy(&addr->as, &a->sa, a->len);
        skti_addr_received(addr, a->len, 0);
    }
    return a->code;
}

void skti_record_done(size_t done)
{
    state()->record.done = done;
}

void skti_record_detail(const char *format, ...)
{
    va_list args;
    int keep = errno;
    va_start(args, format);
    vsnprintf(state()->record.detail, sizeof state()->record.detail, format, args);
    va_end(args);
    errno = keep;
}

void skti_keep_record(skt_error *copy)
{
    *copy = state_now()->record;
}

void skti_put_back_record(const skt_error *copy)
{
    state()->record = *copy;
}

/* ---- The sentence ---- */

/* Text that grows in a buffer and is cut at its end. */
struct text {
    char *buf;
    size_t size, used;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->buf + t->used, t->size - t->used, format, args);
    va_end(args);
    if (n > 0)
        t->used = (size_t)n < t->size - t->used ? t->used + (size_t)n : t->size - 1;
}

static void add_target(struct text *t, const skt_error *r)
{
    char addr[SKT_ADDR_TEXT_MAX] = "";
    if (r->has_addr)
        skt_addr_text(&r->addr, addr, sizeof addr);
    if (*r->name && *addr)
        add(t, " %s (%s)", r->name, addr);
    else if (*r->name || *addr)
        add(t, " %s", *r->name ? r->name : addr);
}

static const char *reason(const skt_error *r)
{
    switch (r->domain) {
    case SKT_ERROR_NAME:
        return gai_strerror(r->code);
    case SKT_ERROR_HOST:
        return hstrerror(r->code);
    case SKT_ERROR_TIMEOUT:
        return "timed out";
    case SKT_ERROR_ARGUMENT:
        return r->detail;
    case SKT_ERROR_SYSTEM:
    case SKT_ERROR_NONE:
    default:
        return strerror(r->code);
    }
}

/* ([::1]:81: Connection refused; 127.0.0.1:81: timed out) */
static void add_attempts(struct text *t, const skt_error *r)
{
    char text[SKT_ADDR_TEXT_MAX];
    skt_addr addr;
    const char *separator = " (";
    for (size_t i = 0; i < r->attempts; i++, separator = "; ") {
        int code = skt_attempt(i, &addr);
        if (!code) {
            add(t, "%s%zu more", separator, r->attempts - i);
            break;
        }
        add(t, "%s%s: %s", separator, skt_addr_text(&addr, text, sizeof text), strerror(code));
    }
    add(t, ")");
}

static void add_holder(struct text *t, const skt_error *r)
{
    char holder[160];
    skti_holder(&r->addr, state_now()->in_use_type, holder, sizeof holder);
    if (*holder)
        add(t, " (%s)", holder);
}

const char *skt_strerror(void)
{
    const skt_error *r = skt_error_record();
    int keep = errno;
    if (r->domain == SKT_ERROR_NONE)
        return "no error";
    struct skti_error_state *here = state();
    struct text t = { here->sentence, sizeof here->sentence, 0 };
    add(&t, "%s", r->call);
    add_target(&t, r);
    add(&t, ": %s", reason(r));
    if (r->attempts > 1)
        add_attempts(&t, r);
    if (*r->detail && r->domain != SKT_ERROR_ARGUMENT)
        add(&t, " (%s)", r->detail);
    if (here->in_use_type && r->has_addr)
        add_holder(&t, r);
    errno = keep;
    return here->sentence;
}

void skt_die(const char *who)
{
    fprintf(stderr, "%s: %s\n", who ? who : "skt", skt_strerror());
    exit(1);
}
