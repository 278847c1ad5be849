/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks that go on after a failure, and cases that each run in a process of their own: the provider keeps one VM a
 * process.
 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One for all files of a test. */
__attribute__((weak)) unsigned check_failures;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stdout, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                  \
            check_failures++;                                                                                          \
        }                                                                                                              \
    } while (0)

#define CHECK_EQUAL(actual, expected)                                                                                  \
    do {                                                                                                               \
        uint64_t check_a = (uint64_t)(actual), check_e = (uint64_t)(expected);                                         \
        if (check_a != check_e) {                                                                                      \
            fprintf(stdout, "%s:%d: %s is 0x%" PRIx64 ", expected 0x%" PRIx64 "\n", __FILE__, __LINE__, #actual,       \
                    check_a, check_e);                                                                                 \
            check_failures++;                                                                                          \
        }                                                                                                              \
    } while (0)

#define CHECK_TEXT(actual, expected)                                                                                   \
    do {                                                                                                               \
        const char *check_a = (actual), *check_e = (expected);                                                         \
        if (check_a == NULL || strcmp(check_a, check_e) != 0) {                                                        \
            fprintf(stdout, "%s:%d: text is\n    %s\n  expected\n    %s\n", __FILE__, __LINE__,                        \
                    check_a ? check_a : "(null)", check_e);                                                            \
            check_failures++;                                                                                          \
        }                                                                                                              \
    } while (0)

#define CHECK_CONTAINS(text, part)                                                                                     \
    do {                                                                                                               \
        const char *check_a = (text), *check_e = (part);                                                               \
        if (check_a == NULL || strstr(check_a, check_e) == NULL) {                                                     \
            fprintf(stdout, "%s:%d: text\n    %s\n  lacks\n    %s\n", __FILE__, __LINE__,                              \
                    check_a ? check_a : "(null)", check_e);                                                            \
            check_failures++;                                                                                          \
        }                                                                                                              \
    } while (0)

/* A case may also be impossible here. */
#define SKIP(reason)                                                                                                   \
    do {                                                                                                               \
        printf("skipped: %s\n", reason);                                                                               \
        fflush(stdout);                                                                                                \
        _exit(check_failures ? 1 : 77);                                                                                \
    } while (0)

struct check_case {
    const char *name;
    void (*run)(void);
};

#define CASE(function) { #function, function }

static inline int check_run_case(const struct check_case *one)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        check_failures = 0;
        alarm(120);
        one->run();
        fflush(NULL);
        exit(check_failures ? 1 : 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("killed by signal %d: ", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Runs each case in a child; with an argument, that one only. 0, 1, or 77 when every case was skipped. */
static inline int check_main(int argc, char **argv, const struct check_case *cases, size_t count)
{
    unsigned failed = 0, skipped = 0, ran = 0;

    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0)
            continue;
        int result = check_run_case(&cases[i]);
        printf("%s %s\n", result == 0 ? "ok     " : result == 77 ? "skipped" : "FAILED ", cases[i].name);
        ran++;
        failed += result != 0 && result != 77;
        skipped += result == 77;
    }
    if (ran == 0) {
        printf("no case is called '%s'\n", argc > 1 ? argv[1] : "");
        return 1;
    }
    return failed ? 1 : skipped == ran ? 77 : 0;
}

#define CHECK_MAIN(...)                                                                                                \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        static const struct check_case cases[] = { __VA_ARGS__ };                                                      \
        return check_main(argc, argv, cases, sizeof cases / sizeof cases[0]);                                          \
    }
