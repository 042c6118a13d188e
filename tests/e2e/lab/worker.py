# SPDX-License-Identifier: BSD-2-Clause
"""
An nginx worker as the kernel's scheduler sees it, and what a test does to it there: stop it, pin it, take its CPU away.

Must not know: TLS, tlswhy.
"""
import contextlib
import os
import signal
import subprocess
import sys
import time

from lab import nginx

HOG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hog.py")
TICKS = os.sysconf("SC_CLK_TCK")


def schedstat(pid):
    """(seconds on a CPU, seconds ready to run without one)"""
    with open(f"/proc/{pid}/schedstat") as file:
        ran, waited, _ = file.read().split()
    return int(ran) / 1e9, int(waited) / 1e9


def give_precedence(task=0):
    """
    Over whatever else runs on this machine, whose delays are not the test's: a real-time class, below the hog's. Of a
    process, or of the calling thread; what it starts does not inherit it.
    """
    os.sched_setscheduler(task, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def ran_seconds(pid):
    return schedstat(pid)[0]


def run_delay_seconds(pid):
    return schedstat(pid)[1]


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the command's name: state first."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def cpu_seconds(pid):
    """User and system time, by /proc/PID/stat."""
    user, system = map(int, stat_fields(pid)[11:13])
    return (user + system) / TICKS


def wait_idle(pid):
    """Until it has not run for a while."""
    def idle():
        ran = ran_seconds(pid)
        time.sleep(0.5)
        return ran_seconds(pid) == ran
    nginx.wait_until(idle, 60, "the worker has nothing to do")


class Stopped:
    """A process that does not run, from `with` to its end or until it goes on before. since: when it was stopped."""

    def __init__(self, pid):
        self.pid = pid
        self.since = None

    def go_on(self):
        """Returns for how long it was stopped."""
        os.kill(self.pid, signal.SIGCONT)
        return time.monotonic() - self.since

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        self.since = time.monotonic()
        try:
            nginx.wait_until(lambda: stat_fields(self.pid)[0] == "T", 10, "stopped")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


@contextlib.contextmanager
def pinned(pid):
    """The process on one CPU and the test on the others. Yields the CPU."""
    mine, its = os.sched_getaffinity(0), os.sched_getaffinity(pid)
    cpu = max(its)
    os.sched_setaffinity(pid, {cpu})
    os.sched_setaffinity(0, mine - {cpu})
    try:
        yield cpu
    finally:
        os.sched_setaffinity(0, mine)
        os.sched_setaffinity(pid, its)


class Hog:
    """A process of a real-time class on one CPU that takes it for a while when it is told to."""

    def __init__(self, cpu):
        self.process = subprocess.Popen([sys.executable, "-B", HOG, str(cpu)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.process.stdout.readline() # ready

    def burn(self, after_seconds, seconds):
        self.process.stdin.write(f"{after_seconds} {seconds}\n")

    def burnt(self):
        """For how long it has, once it is over."""
        return float(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
