/* test_handover.c - one process hands its listeners to the next: real processes, restarted under load.
 *
 * This program is also the server (test_handover server ...), which tells at its standard output how many connections
 * it has served. */
#include "check.h"
#include "peer.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* This one, to be run again.  (In valgrind /proc/self/exe is another.) */
static const char *program;

/* ---- The server's side ---- */

static int served;

/* Tells who serves it, then echoes until the end. */
static void talk(skt *conn, void *arg)
{
    const char *name = arg;
    char buf[64];
    ssize_t n;
    __atomic_add_fetch(&served, 1, __ATOMIC_RELAXED);
    if (skt_sendall(conn, name, 1, 0) < 0)
        return;
    while ((n = skt_recv(conn, buf, sizeof buf, 0)) > 0 && skt_sendall(conn, buf, (size_t)n, 0) == 0)
        ;
}

static void quiet(const char *line, void *arg)
{
    (void)line;
    (void)arg;
}

/* server PATH ADDRESS NAME THREADS [die] */
static int be_server(char **args)
{
    skt_serve_options options = { .threads = atoi(args[3]), .log = quiet, .grace = SKT_NO_TIMEOUT };
    skt *server = skt_create_server(skt_addr_parse(args[1]), &(skt_server_options){ .handover = args[0] });
    if (!server)
        skt_die("server");
    if (args[4] && !strcmp(args[4], "die")) {
        printf("has the listeners\n");
        fflush(stdout);
        pause();
    }
    if (skt_serve(server, talk, args[2], &options) < 0)
        skt_die("server");
    skt_close(server);
    printf("end %d\n", served);
    return 0;
}

/* ---- The test's side ---- */

struct process {
    pid_t pid;
    FILE *out;
};

static char folder[64], path[96];

static struct process launch(const char *address, const char *name, int threads, const char *more)
{
    struct process p;
    char digits[16];
    int ends[2];
    snprintf(digits, sizeof digits, "%d", threads);
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    p.pid = fork();
    if (p.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, "server", path, address, name, digits, more, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    p.out = fdopen(ends[0], "r");
    CHECK(p.pid > 0 && p.out != NULL);
    return p;
}

/* Its next line, "" at the end of its output. */
static const char *line_of(struct process *p)
{
    static char line[64];
    if (!fgets(line, sizeof line, p->out))
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return line;
}

/* The process that answers at the path; 0: none does. */
static pid_t who_answers(void)
{
    struct ucred who = { .pid = 0 };
    socklen_t len = sizeof who;
    skt *s = skt_socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (skt_connect(s, skt_unix(path)) == 0)
        CHECK_INT(skt_getsockopt(s, SOL_SOCKET, SO_PEERCRED, &who, &len), 0);
    skt_close(s);
    return who.pid;
}

/* A server that serves, and can be asked by the next. */
static struct process start(const char *address, const char *name, int threads)
{
    struct process p = launch(address, name, threads, NULL);
    while (who_answers() != p.pid) {
        CHECK_INT(waitpid(p.pid, NULL, WNOHANG), 0);
        usleep(1000);
    }
    return p;
}

static int status_of(struct process *p)
{
    int status;
    CHECK_INT(waitpid(p->pid, &status, 0), p->pid);
    fclose(p->out);
    return status;
}

/* Waits for a good end; how many connections it has served. */
static int finish(struct process *p)
{
    int n;
    CHECK_INT(sscanf(line_of(p), "end %d", &n), 1);
    CHECK_INT(status_of(p), 0);
    return n;
}

static int terminate(struct process *p)
{
    CHECK_INT(kill(p->pid, SIGTERM), 0);
    return finish(p);
}

static void begin(void)
{
    strcpy(folder, "/tmp/skt-handover-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/handover", folder);
}

static void end(void)
{
    CHECK_INT(rmdir(folder), 0); /* nothing has been left in it */
}

/* A port where nobody listens, for every server of a case. */
static void choose_address(char address[32], skt_addr *addr)
{
    skt *s = local_server(addr);
    skt_addr_text(addr, address, 32);
    skt_close(s);
}

/* A connection; who serves it. */
static char ask(skt_addr addr, skt **kept)
{
    char name = 0, word[4];
    skt *conn = skt_socket(addr.family, SOCK_STREAM, 0);
    CHECK_INT(skt_connect(conn, addr), 0);
    CHECK_INT(skt_recv(conn, &name, 1, 0), 1);
    CHECK_INT(skt_sendall(conn, "ping", 4, 0), 0);
    CHECK(skt_recv(conn, word, 4, MSG_WAITALL) == 4 && !memcmp(word, "ping", 4));
    if (kept)
        *kept = conn;
    else
        skt_close(conn);
    return name;
}

/* ---- Cases ---- */

/* What a client sees who connects all the time. */
struct client {
    skt_addr addr;
    bool stop;
    int connections;
    struct peer peer;
};

/* Every failure ends the test: a refusal, a reset, an end too early. */
static void connect_again_and_again(void *arg)
{
    struct client *c = arg;
    while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
        ask(c->addr, NULL);
        c->connections++;
    }
}

static void restarts(const char *address, skt_addr addr, int restarts_count)
{
    struct client clients[3];
    int sum = 0, asked = 0;
    struct process now = start(address, "A", 2);
    for (int i = 0; i < 3; i++) {
        clients[i] = (struct client){ .addr = addr };
        start_thread_peer(&clients[i].peer, connect_again_and_again, &clients[i]);
    }
    for (int i = 1; i <= restarts_count; i++) {
        skt *kept;
        char name[2] = { (char)('A' + i), '\0' };
        CHECK_INT(ask(addr, &kept), 'A' + i - 1);
        asked++;
        struct process next = start(address, name, 1 + i % 4);
        /* The old one still serves whom it has, though the new one has all who come. */
        char word[4];
        CHECK_INT(skt_sendall(kept, "more", 4, 0), 0);
        CHECK(skt_recv(kept, word, 4, MSG_WAITALL) == 4 && !memcmp(word, "more", 4));
        while (ask(addr, NULL) != name[0])
            asked++;
        asked++;
        skt_close(kept);
        sum += finish(&now);
        now = next;
    }
    for (int i = 0; i < 3; i++) {
        __atomic_store_n(&clients[i].stop, true, __ATOMIC_RELAXED);
        join_peer(&clients[i].peer);
        asked += clients[i].connections;
    }
    sum += terminate(&now);
    printf("# %d restarts, %d connections, none refused or reset\n", restarts_count, asked);
    CHECK_INT(sum, asked);
}

static void nobody_is_refused(void)
{
    char address[32];
    skt_addr addr;
    begin();
    choose_address(address, &addr);
    restarts(address, addr, 20);
    end();
}

static void nobody_is_refused_by_a_path(void)
{
    char address[128], file[96];
    begin();
    snprintf(file, sizeof file, "%s/server", folder);
    snprintf(address, sizeof address, "unix:%s", file);
    restarts(address, skt_unix(file), 5);
    CHECK_INT(unlink(file), 0);
    end();
}

/* Whatever happens to a new process before it serves, the old one goes on, and the next finds it. */
static void a_new_process_dies(void)
{
    char address[32];
    skt_addr addr;
    begin();
    choose_address(address, &addr);
    struct process old = start(address, "A", 2);
    for (int i = 0; i < 3; i++) {
        struct process dying = launch(address, "B", 1, "die");
        CHECK_STR(line_of(&dying), "has the listeners");
        CHECK_INT(ask(addr, NULL), 'A');
        CHECK_INT(kill(dying.pid, SIGKILL), 0);
        CHECK_INT(WTERMSIG(status_of(&dying)), SIGKILL);
        CHECK_INT(ask(addr, NULL), 'A');
    }
    struct process next = start(address, "C", 1);
    finish(&old);
    CHECK_INT(ask(addr, NULL), 'C');
    terminate(&next);
    end();
}

/* Of several that start together each takes over from the one before; one is left. */
static void several_start_together(void)
{
    enum { NEW = 5 };
    char address[32];
    skt_addr addr;
    struct process all[1 + NEW];
    int ended = 0;
    begin();
    choose_address(address, &addr);
    all[0] = start(address, "A", 2);
    for (int i = 1; i <= NEW; i++) {
        char name[2] = { (char)('A' + i), '\0' };
        all[i] = launch(address, name, 2, NULL);
    }
    while (ended < NEW) {
        int status;
        pid_t pid = wait(&status);
        CHECK(pid > 0 && status == 0);
        for (int i = 0; i <= NEW; i++) {
            if (all[i].pid != pid)
                continue;
            fclose(all[i].out);
            all[i].pid = 0;
            ended++;
        }
    }
    for (int i = 0; i <= NEW; i++) {
        if (all[i].pid == 0)
            continue;
        CHECK_INT(ask(addr, NULL), 'A' + i);
        terminate(&all[i]);
    }
    end();
}

/* A restart with another address: the old one ends, after it has served those who have connected to it. */
static void another_address(void)
{
    char one[32], other[32];
    skt_addr addr, other_addr;
    skt *kept, *conn;
    begin();
    choose_address(one, &addr);
    choose_address(other, &other_addr);
    struct process old = start(one, "A", 2);
    CHECK_INT(ask(addr, &kept), 'A');
    struct process next = start(other, "B", 2);
    CHECK_INT(ask(other_addr, NULL), 'B');
    skt_close(kept);
    finish(&old);
    conn = skt_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(skt_connect(conn, addr), ECONNREFUSED);
    skt_close(conn);
    CHECK_INT(ask(other_addr, NULL), 'B');
    terminate(&next);
    end();
}

static void the_path_is_removed(void)
{
    char address[32];
    skt_addr addr;
    struct stat is;
    begin();
    choose_address(address, &addr);
    struct process p = start(address, "A", 1);
    CHECK(ask(addr, NULL) == 'A' && stat(path, &is) == 0 && S_ISSOCK(is.st_mode));
    terminate(&p);
    CHECK_ERRNO(stat(path, &is), ENOENT);
    /* What a process that was killed has left there harms nobody. */
    p = start(address, "A", 1);
    CHECK_INT(ask(addr, NULL), 'A');
    CHECK_INT(kill(p.pid, SIGKILL), 0);
    CHECK_INT(WTERMSIG(status_of(&p)), SIGKILL);
    CHECK_INT(stat(path, &is), 0);
    p = start(address, "B", 1);
    CHECK_INT(ask(addr, NULL), 'B');
    terminate(&p);
    end();
}

static skt *at_the_path(void)
{
    skt *s = skt_socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK_INT(skt_connect(s, skt_unix(path)), 0);
    return s;
}

static void garbage_at_the_path(void)
{
    static const char *const words[] = {
        "",           "skt 1 ready", "skt 1 take it",
        "skt 2 take", "\0\xff\xff",  "GET / HTTP/1.0\r\n\r\nand more of it than any line has, to be sure"
    };
    char address[32], byte;
    skt_addr addr;
    skt *silent[8];
    begin();
    choose_address(address, &addr);
    struct process p = start(address, "A", 2);
    CHECK_INT(ask(addr, NULL), 'A');
    for (int i = 0; i < 8; i++)
        silent[i] = at_the_path();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        skt *s = at_the_path();
        CHECK_INT(skt_sendall(s, words[i], strlen(words[i]), 0), 0);
        if (!*words[i])
            CHECK_INT(skt_shutdown(s, SHUT_WR), 0);
        ssize_t n = skt_recv(s, &byte, 1, 0);
        CHECK(n == 0 || (n < 0 && errno == ECONNRESET));
        skt_close(s);
    }
    CHECK_INT(ask(addr, NULL), 'A');
    struct process next = start(address, "B", 2);
    finish(&p);
    CHECK_INT(ask(addr, NULL), 'B');
    for (int i = 0; i < 8; i++)
        skt_close(silent[i]);
    terminate(&next);
    end();
}

/* Who answers at the path but is no server like this one is not taken for one. */
static void a_stranger_at_the_path(void)
{
    char address[32];
    skt_addr addr;
    begin();
    choose_address(address, &addr);
    skt *stranger = skt_socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK(skt_bind(stranger, skt_unix(path)) == 0 && skt_listen(stranger, 1) == 0);
    struct process p = launch(address, "A", 1, NULL);
    skt *conn = skt_accept(stranger, NULL);
    CHECK_INT(skt_sendall(conn, "hello", 5, 0), 0);
    CHECK_STR(line_of(&p), "");
    CHECK_INT(WEXITSTATUS(status_of(&p)), 1);
    skt_close(conn);
    skt_close(stranger);
    CHECK_INT(unlink(path), 0);
    end();
}

/* Another user's process, even where the file's mode lets it connect. */
static void another_user(void)
{
    char address[32];
    skt_addr addr;
    int status;
    if (geteuid() != 0)
        SKIP("only root can be somebody else");
    begin();
    CHECK_INT(chmod(folder, 0755), 0);
    choose_address(address, &addr);
    struct process p = start(address, "A", 2);
    CHECK_INT(ask(addr, NULL), 'A');
    CHECK_INT(chmod(path, 0777), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_INT(setgid(65534), 0);
        CHECK_INT(setuid(65534), 0);
        CHECK_ERRNO(skt_create_server(addr, &(skt_server_options){ .handover = path }), EPERM);
        CHECK(strstr(skt_strerror(), "another user") != NULL);
        fflush(NULL);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_INT(ask(addr, NULL), 'A');
    terminate(&p);
    end();
}

static void too_long_a_path(void)
{
    char long_path[108];
    memset(long_path, 'x', sizeof long_path - 1);
    memcpy(long_path, "/tmp/", 5);
    long_path[sizeof long_path - 1] = '\0';
    CHECK_ERRNO(skt_create_server(skt_inet("127.0.0.1", 0), &(skt_server_options){ .handover = long_path }),
                ENAMETOOLONG);
    long_path[96] = '\0';
    CHECK_ERRNO(skt_create_server(skt_inet("127.0.0.1", 0), &(skt_server_options){ .handover = long_path }),
                ENAMETOOLONG);
    long_path[95] = '\0';
    skt *s = skt_create_server(skt_inet("127.0.0.1", 0), &(skt_server_options){ .handover = long_path });
    CHECK(s != NULL);
    CHECK_INT(skt_error_record()->code, ENAMETOOLONG); /* that nobody is there is no failure */
    skt_close(s);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        { "twenty restarts under load: nobody is refused or reset", nobody_is_refused },
        { "restarts of a server at a path", nobody_is_refused_by_a_path },
        { "a new process that dies before it serves", a_new_process_dies },
        { "several that start together", several_start_together },
        { "a restart with another address", another_address },
        { "the path is taken over, and removed at the end", the_path_is_removed },
        { "garbage at the path", garbage_at_the_path },
        { "a stranger at the path", a_stranger_at_the_path },
        { "another user's process is refused", another_user },
        { "a path that is too long", too_long_a_path },
    };
    program = argv[0];
    signal(SIGPIPE, SIG_IGN);
    if (argc > 5 && !strcmp(argv[1], "server"))
        return be_server(argv + 2);
    if (under_qemu()) {
        puts("1..0 # SKIP under qemu-user a program cannot run itself again");
        return 0;
    }
    return RUN_CASES_ON_THREAD(cases);
}
