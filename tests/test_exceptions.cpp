/* test_exceptions.cpp - C++ exceptions are a task's own, also while it waits in the middle of handling one. */
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <skt.h>
#include <stdexcept>
#include <string>

/* check.h is C: its few words again. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::printf("not ok - %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                     \
            std::fflush(stdout);                                                                                       \
            std::_Exit(1);                                                                                             \
        }                                                                                                              \
    } while (0)

namespace
{

int ended, destroyed;

struct guard {
    ~guard()
    {
        destroyed++;
    }
};

void go(void (*fn)(void *), void *arg)
{
    CHECK(skt_go(fn, arg) == 0);
}

void deep(int depth, int number)
{
    guard here;
    if (depth > 0)
        deep(depth - 1, number);
    else
        throw std::runtime_error("task " + std::to_string(number));
    destroyed += 1000; /* not reached */
}

void throw_and_catch(void *arg)
{
    int number = *static_cast<int *>(arg);
    for (int i = 0; i < 20; i++) {
        try {
            skt_yield();
            deep(5, number);
            CHECK(false);
        } catch (const std::exception &e) {
            CHECK(e.what() == "task " + std::to_string(number));
        }
        CHECK(std::current_exception() == nullptr && std::uncaught_exceptions() == 0);
    }
    ended++;
}

/* Others throw and catch while this one waits in its catch block, and in another one inside it. */
void wait_while_handling(void *arg)
{
    int number = *static_cast<int *>(arg);
    for (int i = 0; i < 20; i++) {
        try {
            deep(3, number);
        } catch (const std::exception &) {
            CHECK(skt_sleep(i % 3 * 1e-5) == 0);
            try {
                skt_yield();
                throw i;
            } catch (int inner) {
                skt_yield();
                CHECK(inner == i);
                try {
                    skt_yield();
                    throw; /* whichever is being handled here */
                } catch (int again) {
                    CHECK(again == i);
                }
            }
            skt_yield();
            try {
                throw;
            } catch (const std::runtime_error &outer) {
                skt_yield();
                CHECK(outer.what() == "task " + std::to_string(number));
            }
            CHECK(std::current_exception() != nullptr);
        }
        CHECK(std::current_exception() == nullptr);
    }
    ended++;
}

/* Waits in a destructor, while an exception is on its way. */
struct waits_at_end {
    int before = std::uncaught_exceptions();
    ~waits_at_end()
    {
        int now = std::uncaught_exceptions();
        skt_yield();
        CHECK(std::uncaught_exceptions() == now && now == before + 1);
    }
};

void wait_while_unwinding(void *)
{
    for (int i = 0; i < 20; i++) {
        try {
            waits_at_end one, two;
            throw std::string("unwinding");
        } catch (const std::string &s) {
            CHECK(s == "unwinding");
        }
    }
    ended++;
}

int numbers[30];

void start(void *)
{
    for (int i = 0; i < 30; i++) {
        numbers[i] = i;
        go(i % 3 == 0 ? throw_and_catch : i % 3 == 1 ? wait_while_handling : wait_while_unwinding, &numbers[i]);
    }
}

/* The thread may be handling one itself. */
void start_while_handling()
{
    try {
        throw 42;
    } catch (int n) {
        CHECK(skt_run(start, nullptr) == 0 && n == 42);
        try {
            throw;
        } catch (int again) {
            CHECK(again == 42);
        }
    }
}

void see_none_of_the_threads(void *)
{
    CHECK(std::current_exception() == nullptr && std::uncaught_exceptions() == 0);
}

void calls_fail_as_ever(void *)
{
    skt *none = nullptr;
    char c;
    try {
        if (!skt_fromfd(-1))
            throw std::runtime_error(skt_strerror());
    } catch (const std::exception &e) {
        CHECK(skt_recv(none, &c, 1, 0) == -1);
        CHECK(!std::strcmp(e.what(), "fromfd: negative file descriptor: -1"));
    }
}

} // namespace

int main()
{
    std::printf("1..3\n");
    CHECK(skt_run(start, nullptr) == 0);
    CHECK(ended == 30 && destroyed == 10 * 20 * 6 + 10 * 20 * 4);
    std::printf("ok 1 - exceptions of many tasks\n");
    start_while_handling();
    CHECK(ended == 60);
    try {
        throw 1;
    } catch (int) {
        CHECK(skt_run(see_none_of_the_threads, nullptr) == 0);
    }
    std::printf("ok 2 - beside the thread's own\n");
    CHECK(skt_run(calls_fail_as_ever, nullptr) == 0);
    std::printf("ok 3 - errors as exceptions\n");
}
