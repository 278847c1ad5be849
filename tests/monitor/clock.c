/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into what is tested: a wall clock that jumps. The file BZ_CLOCK holds how far, in seconds, from the real one;
 * it is mapped, so that a write to it is a jump at that moment. The other clocks of the system go on, as they do when
 * an administrator or a time server sets the wall clock.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static int64_t offset(void)
{
    static volatile int64_t *file;

    if (file == NULL) {
        int fd = open(getenv("BZ_CLOCK"), O_RDONLY | O_CLOEXEC);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *file, PROT_READ, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED)
            abort();
        close(fd);
        file = mapped;
    }
    return *file;
}

EXPORTED int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset();
    return result;
}

EXPORTED int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    int result = clock_gettime(CLOCK_REALTIME, &precise);

    *now = (struct timeval){ precise.tv_sec, precise.tv_nsec / 1000 };
    return result;
}

EXPORTED time_t time(time_t *also)
{
    struct timespec precise;

    clock_gettime(CLOCK_REALTIME, &precise);
    if (also)
        *also = precise.tv_sec;
    return precise.tv_sec;
}
