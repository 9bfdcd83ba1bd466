// Preloaded into a host's daemon: the time of day is off by what the file BLIXARD_TEST_CLOCK holds (seconds, an int64), and is set
// by writing there. Nothing else is touched: monotonic clocks, timers and waits are the kernel's. (Debian's faketime also bends
// absolute timers of the monotonic clocks.)
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t offset_s(void) {
    static volatile const int64_t* shared;
    if (!shared) {
        const char* path = getenv("BLIXARD_TEST_CLOCK");
        const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void* seen = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
        if (file >= 0) close(file);
        if (seen == MAP_FAILED) return 0;
        shared = seen;
    }
    return *shared;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
    const int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += offset_s();
    return failed;
}

int gettimeofday(struct timeval* restrict time, void* restrict zone) {
    const int failed = (int)syscall(SYS_gettimeofday, time, zone);
    if (!failed) time->tv_sec += offset_s();
    return failed;
}

time_t time(time_t* out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
