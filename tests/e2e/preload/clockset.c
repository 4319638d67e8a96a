/* Another wall clock for one process: CLOCK_REALTIME is CLOCKSET_MS milliseconds off, or behind where that
   is below 0. What passes is not changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int (*gettime)(clockid_t, struct timespec *);

int clock_gettime(clockid_t clock, struct timespec *at)
{
    static gettime real;
    static long long off_ms;
    if (!real) {
        const char *off = getenv("CLOCKSET_MS");
        off_ms = off ? atoll(off) : 0;
        real = (gettime)dlsym(RTLD_NEXT, "clock_gettime");
    }
    int got = real(clock, at);
    if (got == 0 && clock == CLOCK_REALTIME) {
        long long ns = at->tv_nsec + (off_ms % 1000) * 1000000LL;
        at->tv_sec += off_ms / 1000 + ns / 1000000000LL;
        at->tv_nsec = ns % 1000000000LL;
        if (at->tv_nsec < 0) {
            at->tv_nsec += 1000000000L;
            at->tv_sec -= 1;
        }
    }
    return got;
}
