/* Makes every fsync and fdatasync cost DELAY_US microseconds more (default 2000), as an ordinary disk does.
 *
 * Preloaded (LD_PRELOAD) into the process under test and into nothing else. The call itself is still made.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_like_a_disk(void)
{
    const char *text = getenv("DELAY_US");
    long us = text ? atol(text) : 2000;
    struct timespec nap = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&nap, NULL);
}

int fsync(int file)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_like_a_disk();
    return real(file);
}

int fdatasync(int file)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_like_a_disk();
    return real(file);
}
