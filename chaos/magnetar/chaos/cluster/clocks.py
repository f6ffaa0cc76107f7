"""Wall clocks that jump: of a worker, of the store, and of nobody else; monotonic clocks go on as they did.

Programs ask a few lines of C before they ask the machine, which add what a file says, mapped into each of them. Who
waits until a time of day is told the kernel's, which did not jump: else a wait for nothing would take as long as the
clock is ahead. The lines are compiled when the cluster starts; where there is no compiler, no clock jumps.
"""

from __future__ import annotations

import email.utils
import shutil
import struct
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.errors import ClockFixed, CommandFailed
from magnetar.chaos.cluster.running import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.cluster.profile import Node

_PLACE = Path("/run/magnetar-clocks")  # the enclosure's own, and open to whoever a server runs as
_NAME = "MAGNETAR_CHAOS_CLOCK"
_SECONDS = 5.0
_MICROS = struct.Struct("=q")
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static const volatile int64_t *ahead;   /* microseconds */
static int (*real)(clockid_t, struct timespec *);
typedef int waiting(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
static waiting *timed;
__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("MAGNETAR_CHAOS_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *found = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    if (found != MAP_FAILED) ahead = found;
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    timed = (waiting *)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2"); /* x86-64 has an older one, too */
    if (!timed) timed = (waiting *)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
}
static void move(struct timespec *at, int64_t by) {
    int64_t micros = at->tv_sec * INT64_C(1000000) + at->tv_nsec / 1000 + by;
    at->tv_sec = micros / 1000000;
    at->tv_nsec = micros % 1000000 * 1000 + at->tv_nsec % 1000;
}
int clock_gettime(clockid_t id, struct timespec *at) {
    int failed = real ? real(id, at) : (int)syscall(SYS_clock_gettime, id, at);
    if (failed || !ahead || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return failed;
    move(at, *ahead);
    return 0;
}
int pthread_cond_timedwait(pthread_cond_t *told, pthread_mutex_t *held, const struct timespec *until) {
    struct timespec kernels = *until;
    if (ahead && until->tv_sec > 1000000000) move(&kernels, -*ahead); /* no machine is up so long: a time of day */
    return timed(told, held, &kernels);
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


class Clocks:
    """Made inside an enclosure, after its switch. Raises `ClockFixed` for whoever has none that jumps."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        """Compile, and let nobody be ahead. Where that fails, `environ` is empty and `jump` says why."""
        self._files = {node.name: _PLACE / node.name for node in nodes}
        self._why = ""
        _PLACE.mkdir(mode=0o755)
        for file in self._files.values():
            file.write_bytes(_MICROS.pack(0))
        try:
            _compile()
        except CommandFailed as problem:
            self._why = str(problem)

    def environ(self, node: Node) -> Mapping[str, str]:
        """What a program there must find in its environment."""
        if self._why or node.name not in self._files:
            return {}
        return {"LD_PRELOAD": str(_library()), _NAME: str(self._files[node.name])}

    def prefix(self, node: Node) -> Sequence[str]:
        """The same as the begin of a command."""
        return ("env", *(f"{name}={value}" for name, value in self.environ(node).items()))

    def jump(self, node: Node, seconds: float) -> None:
        """From now on it is so far ahead of this machine; behind, if that is negative."""
        if self._why or node.name not in self._files:
            raise ClockFixed(node.name, self._why or f"only those of {', '.join(self._files)} can jump")
        with self._files[node.name].open("r+b", buffering=0) as file:
            file.write(_MICROS.pack(round(seconds * 1_000_000)))  # eight bytes of one page: seen at once as a whole


def _library() -> Path:
    return _PLACE / "clock.so"


def _compile() -> None:
    if shutil.which("cc") is None:
        raise CommandFailed(("cc",), "not found: install gcc")
    run("cc", "-O1", "-shared", "-fPIC", "-x", "c", "-o", str(_library()), "-", "-ldl", given=_SOURCE)


def web_ahead(url: str) -> float:
    """How many seconds whoever serves there is ahead of us, by the date of its answer. Raises `OSError`."""
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - our own workers
        date = email.utils.parsedate_to_datetime(answer.headers["Date"])
    return date.timestamp() - time.time()


def store_ahead(psql: Path, url: str) -> float:
    """The same of the store. Raises `CommandFailed`."""
    said = run(str(psql), url, "-Atc", "SELECT extract(epoch FROM clock_timestamp())")
    return float(said) - time.time()
