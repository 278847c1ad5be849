/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes AddressSanitizer's runtime (GCC 12's) bearable for libvirt's programs, which are not instrumented, so that an
 * instrumented plugin can be tested in them. Without that runtime in the process nothing here does anything.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

extern void __asan_init(void) __attribute__((weak));

/* What libvirtd starts inherits the runtime, but not its options, and is not ours to judge. */
EXPORT const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

/*
 * As many allocations of every size as the runtime keeps for a thread, so that it has to take each lock it has: it keeps
 * up to 512 of a size, or 128 KiB of them, or two. Its sizes are 16 bytes apart up to 256, then at least an eighth; what
 * is beyond 128 KiB it maps, under another lock.
 */
static void try_allocator(void)
{
    free(malloc(1024 * 1024));
    for (size_t size = 1; size <= 160 * 1024; size += size < 256 ? 16 : size / 8) {
        void *volatile chunks[513];
        size_t n = 0;

        while (n < 513 && (n < 3 || n * size <= 128 * 1024))
            chunks[n++] = malloc(size);
        while (n > 0)
            free(chunks[--n]);
    }
}

/*
 * At exit, a destructor of p11-kit waits for a lock of the C library whose count is off under the runtime, whatever else
 * is preloaded. So destructors are left out; the process has done its work by then.
 */
static void leave(int status, void *unused)
{
    fflush(NULL);
    _exit(status);
}

/* libvirt's programs begin with this call. A constructor would be too early: what registers last is called first. */
EXPORT char *setlocale(int category, const char *locale)
{
    static int done;
    char *(*next)(int, const char *) = (char *(*)(int, const char *))dlsym(RTLD_NEXT, "setlocale");

    if (__asan_init != NULL && !__atomic_exchange_n(&done, 1, __ATOMIC_SEQ_CST))
        on_exit(leave, NULL);
    return next(category, locale);
}

/*
 * libvirt allocates between fork and exec. The runtime does not know fork: when another thread was just allocating, the
 * child waits for that thread, which it does not have, for ever. So a child has to allocate before fork returns; one
 * that cannot is replaced, and nobody has seen it.
 */
EXPORT pid_t fork(void)
{
    pid_t (*next)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");

    while (__asan_init != NULL) {
        int ready[2];
        pid_t child;
        struct pollfd answer;

        if (pipe2(ready, O_CLOEXEC) < 0)
            return -1;
        child = next();
        if (child == 0) {
            close(ready[0]);
            try_allocator();
            if (write(ready[1], "", 1) != 1)
                _exit(127);
            close(ready[1]);
            return 0;
        }
        close(ready[1]);
        answer = (struct pollfd){.fd = ready[0], .events = POLLIN};
        if (child < 0 || poll(&answer, 1, 3000) > 0) {
            close(ready[0]);
            return child;
        }
        close(ready[0]);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    return next();
}
