/* measure.c - skt measure: how many requests a server answers, how fast, and how much goes through to it and back. */
#include "measure.h"
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    MESSAGE = 64,         /* bytes, if --size says nothing */
    PIECE = 128 << 10,    /* in bulk */
    BULK_DATAGRAM = 1400, /* passes everywhere in one packet */
    LARGEST = 1 << 30,
    LONGEST_DATAGRAM = 65507,
    INTERVALS = 1000000,
    OTHER_DESCRIPTORS = 100, /* than those of connections: of threads, look-ups, our parent's */
};

/* ---- What is measured ---- */

/* A row for each that --bulk may say, for streams and for datagrams. */
static const struct measure_kind *const kinds[][2] = {
    [BULK_NONE] = { &measure_requests, &measure_datagrams },
    [BULK_UP] = { &measure_bulk_up, &measure_datagrams_up },
    [BULK_DOWN] = { &measure_bulk_down, NULL },
    [BULK_BOTH] = { &measure_bulk_both, &measure_datagrams_both },
};

/* Whether the options go together. */
static int check_words(const struct measure_plan *plan)
{
    const struct cmd_settings *settings = plan->settings;
    bool datagrams = plan->address.type == SOCK_DGRAM;
    if (plan->path && (settings->bulk || settings->request || settings->size >= 0))
        return cmd_misuse("--bulk, --request and --size are not for http://; it asks for '%s'", plan->path);
    if (settings->bulk && (settings->request || settings->answer))
        return cmd_misuse("--bulk has neither requests nor answers");
    if (datagrams && (settings->request || settings->answer))
        return cmd_misuse("--request and --answer are for connections; datagrams carry numbers, and are echoed");
    if (settings->bulk == BULK_DOWN && settings->pace)
        return cmd_misuse("--pace is for what we send, not for --bulk down");
    if (plan->path && settings->answer && settings->answer != ANSWER_HTTP)
        return cmd_misuse("--answer: http:// is answered by http");
    if (!plan->path && !settings->request && (settings->answer == ANSWER_LINE || settings->answer == ANSWER_HTTP))
        return cmd_misuse("--answer line and http need a --request that is answered so");
    if (settings->request && settings->size >= 0)
        return cmd_misuse("--request and --size exclude each other");
    return 0;
}

static int choose_kind(struct measure_plan *plan)
{
    plan->kind = kinds[plan->settings->bulk][plan->address.type == SOCK_DGRAM];
    if (!plan->kind)
        return cmd_misuse("--bulk down is not for datagrams: nobody can be made to send more of them than he was sent; "
                          "use --bulk both with skt echo");
    return check_words(plan);
}

static int check_times(const struct cmd_settings *settings)
{
    if (settings->duration <= 0 || settings->duration > 1e7)
        return cmd_misuse("--duration: more than no time is needed, and at most 10000000 seconds");
    if (settings->every < 0.001 || settings->duration / settings->every > INTERVALS)
        return cmd_misuse("--every: at least 1 ms is needed, and at most a million lines");
    return 0;
}

static enum cmd_answer default_answer(const struct measure_plan *plan)
{
    return plan->path ? ANSWER_HTTP : plan->settings->request ? ANSWER_LINE : ANSWER_ECHO;
}

/* ---- What is sent ---- */

static int hexadecimal(const char *digits)
{
    char text[3] = { digits[0], digits[0] ? digits[1] : '\0', '\0' }, *end;
    long byte = strtol(text, &end, 16);
    return strlen(text) == 2 && !*end && text[0] != ' ' && text[0] != '-' && text[0] != '+' ? (int)byte : -1;
}

/* Reads what follows a backslash at *from; -1: nothing that is known. */
static int read_escape(const char **from)
{
    static const char letters[] = "rnt0\\", meanings[] = "\r\n\t\0\\";
    const char *letter = **from ? strchr(letters, **from) : NULL;
    if (letter) {
        ++*from;
        return meanings[letter - letters];
    }
    int byte = **from == 'x' ? hexadecimal(*from + 1) : -1;
    *from += byte < 0 ? 0 : 3;
    return byte;
}

/* --request, with its escapes; the result has at most as many bytes. */
static int read_request(struct measure_plan *plan, const char *text)
{
    char *request = malloc(strlen(text) + 1);
    size_t n = 0;
    plan->request = request;
    for (const char *at = text; request && *at;) {
        int byte = (unsigned char)*at++;
        if (byte == '\\' && (byte = read_escape(&at)) < 0)
            return cmd_misuse("--request: '\\%.1s' is no escape; there are \\r \\n \\t \\0 \\\\ and \\x41", at);
        request[n++] = (char)byte;
    }
    plan->size = n;
    return n > 0 ? 0 : cmd_misuse("--request: there is nothing to be sent");
}

static int choose_size(struct measure_plan *plan)
{
    const struct measure_kind *kind = plan->kind;
    int64_t size = plan->settings->size, least = kind->datagrams ? FLOW_HEADER : 1;
    int64_t most = kind->datagrams ? LONGEST_DATAGRAM : LARGEST;
    if (size < 0)
        size = !kind->bulk ? MESSAGE : kind->datagrams ? BULK_DATAGRAM : PIECE;
    if (size < least || size > most)
        return cmd_misuse("--size: %lld bytes cannot be; it is %lld to %lld here", (long long)size, (long long)least,
                          (long long)most);
    plan->size = (size_t)size;
    return 0;
}

/* Not zeros, which some compress. */
static char *noise(size_t size)
{
    char *text = malloc(size);
    uint32_t state = 1;
    for (size_t i = 0; text && i < size; i++) {
        state = state * 1664525 + 1013904223;
        text[i] = (char)(state >> 24);
    }
    return text;
}

static int make_request(struct measure_plan *plan)
{
    int status = 0;
    if (plan->path) {
        plan->request = measure_http_request(plan);
        plan->size = plan->request ? strlen(plan->request) : 0;
    } else if (plan->settings->request) {
        status = read_request(plan, plan->settings->request);
    } else if ((status = choose_size(plan)) == 0) {
        plan->request = noise(plan->size);
    }
    if (status == 0 && !plan->request) {
        cmd_say("there is no memory for a request");
        status = STATUS_FAILED;
    }
    return status;
}

/* ---- Where to ---- */

/* http://host[:port][/path] becomes host:port. */
static int read_url(struct measure_plan *plan, const char *text)
{
    static char address[sizeof plan->host + 16];
    const char *host = text + strlen("http://");
    size_t len = strcspn(host, "/?#");
    const char *bracket = memchr(host, ']', len), *from = bracket ? bracket : host;
    bool has_port = memchr(from, ':', len - (size_t)(from - host));
    if (len == 0 || len >= sizeof plan->host)
        return cmd_misuse("'%.60s': write http://host:port/path", text);
    if (host[len] && host[len] != '/')
        return cmd_misuse("'%.60s': a / has to follow the host", text);
    if (host[strcspn(host, " \r\n\t")])
        return cmd_misuse("'%.60s': there is no space in a URL", text);
    snprintf(plan->host, sizeof plan->host, "%.*s", (int)len, host);
    snprintf(address, sizeof address, "tcp://%s%s", plan->host, has_port ? "" : ":80");
    plan->path = host[len] ? host + len : "/";
    return cmd_read_one_address(plan->settings, address, &plan->address);
}

/* All connections go to the address that the first one has found, and look nothing up. */
static int open_first(struct measure_plan *plan)
{
    skt_addr peer;
    int status = cmd_dial(&plan->address, plan->settings, &plan->opened);
    if (status == 0 && plan->address.ip && skt_getpeername(plan->opened, &peer) == 0)
        snprintf(plan->address.host, sizeof plan->address.host, "%s", skt_host(&peer));
    return status;
}

static int read_address(struct measure_plan *plan, int n, char **args)
{
    bool url = n == 1 && !strncmp(args[0], "http://", 7);
    int status = url ? read_url(plan, args[0]) : cmd_read_address(plan->settings, n, args, &plan->address);
    if (status)
        return status;
    int most = cmd_raise_descriptor_limit() - OTHER_DESCRIPTORS;
    if (plan->settings->connections > most)
        return cmd_misuse("--connections: %d are more than the %d that can be had (ulimit -Hn)",
                          plan->settings->connections, most);
    if (plan->address.fd >= 0 && plan->settings->connections > 1)
        return cmd_misuse("'%s' is one connection, not %d", args[0], plan->settings->connections);
    if (url || n == 1)
        snprintf(plan->text, sizeof plan->text, "%s", args[0]);
    else
        snprintf(plan->text, sizeof plan->text, "%s:%s", args[0], args[1]);
    return 0;
}

/* ---- The command ---- */

/* What there is to be said against the result; the exit status. */
static int judge(const struct measure_plan *plan, const struct measure_result *r)
{
    unsigned long long unanswered = r->late.unanswered + r->counts.unanswered,
                       refused = r->late.refused + r->counts.refused;
    bool silent = plan->kind->datagrams && r->reporting && r->late.received == 0;
    if (r->failed)
        cmd_say("%s (%d of %d connections)", r->trouble, r->failed, plan->settings->connections);
    else if (unanswered)
        cmd_say("%s: %llu requests were not answered", plan->text, unanswered);
    else if (silent)
        cmd_say("%s: no datagram has %s", plan->text, plan->kind == &measure_datagrams_up ? "arrived" : "come back");
    else if (refused)
        cmd_say("%s: %llu answers had a status of 400 or more", plan->text, refused);
    return r->failed || unanswered || silent || refused ? STATUS_FAILED : STATUS_OK;
}

static int measure(struct measure_plan *plan)
{
    static struct measure_result result;
    int status = measure_run(plan, &result);
    if (status == 0) {
        measure_report_end(plan, &result);
        status = judge(plan, &result);
    }
    if (result.n > 0 && plan->settings->plot) {
        int drawn = measure_plot(plan, &result);
        status = status ? status : drawn;
    }
    free(result.intervals);
    return status;
}

static int run(const struct cmd_settings *settings, int n, char **args)
{
    static struct measure_plan plan;
    plan.settings = settings;
    int status = read_address(&plan, n, args);
    if (status == 0)
        status = choose_kind(&plan);
    if (status == 0)
        status = check_times(settings);
    plan.answer = settings->answer ? (enum cmd_answer)settings->answer : default_answer(&plan);
    plan.period = settings->pace ? 1e9 * settings->connections / settings->pace : 0;
    if (status == 0)
        status = make_request(&plan);
    if (status == 0 && settings->plot)
        status = measure_plot_check(settings->plot);
    if (status == 0)
        status = open_first(&plan);
    if (status == 0) {
        prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* what has its time is not to be 50 us late */
        status = measure(&plan);
    }
    if (status && settings->plot)
        measure_plot_drop(settings->plot);
    free(plan.request);
    return status;
}

const struct command cmd_measure = {
    .name = "measure",
    .run = run,
    .line = "put load on a server: requests a second, latencies, throughput",
    .options =
        "connections duration pace size request bulk plot | answer json timeout every threads option send-buffer "
        "receive-buffer source interface ttl dscp ipv4 ipv6 help",
    .operands = "ADDRESS",
    .examples = "  skt measure localhost:7                 an echo server, one request at a time\n"
                "  skt measure -n 64 http://localhost/     64 connections ask for a page\n"
                "  skt measure --pace 500 udp://host:7     loss, reordering and jitter, too\n"
                "  skt measure --request 'PING\\r\\n' localhost:6379    answered by a line\n"
                "  skt measure --bulk up --plot a.svg host:9    all that goes through\n",
    .rules = "Servers for it: skt echo, discard (up), chargen (down).  With --pace latency\n"
             "counts from when a request was to be sent (no coordinated omission).\n",
};
