# SPDX-License-Identifier: BSD-2-Clause
"""
Who is attached while the load runs: nobody, empty programs, bpftrace, tlswhy. Each is a context manager, attached from
`with` to its end, whose pid holds the programs.

Must not know: the load.
"""
import functools
import os
import signal
import subprocess

import kernel
from stand import CLIENT_CPU, on_cpu
from lab import nginx, watch

SCRIPT = """
uprobe:{library}:SSL_do_handshake {{ @start[tid] = nsecs; }}
uretprobe:{library}:SSL_do_handshake /@start[tid]/ {{ @latency = hist(nsecs - @start[tid]); delete(@start[tid]); }}
"""
FREE = "uprobe:{library}:SSL_free {{ @freed = count(); }}"
WINDOW_SECONDS = 3600


class Nobody:
    name = "nobody"
    pid = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Holder:
    """A process that has something attached once ready() is true. Ended as Ctrl-C does."""

    def __init__(self, name, command):
        self.name, self.command, self.process = name, command, None

    @property
    def pid(self):
        return self.process.pid

    def ready(self):
        raise NotImplementedError

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=on_cpu(CLIENT_CPU))
        try:
            self.ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=60)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.communicate()


class Floor(Holder):
    """Empty programs at the given sites."""

    def __init__(self, program, attach, sites):
        super().__init__("empty programs", [program, "--attach", attach, *sites])

    def __enter__(self):
        # Its standard input must not end before it is told to.
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=on_cpu(CLIENT_CPU))
        line = self.process.stdout.readline()
        if not line.startswith("attached"):
            raise RuntimeError(f"floor: {self.process.communicate()[1]}")
        return self


class Bpftrace(Holder):
    """Entry, return and a latency histogram, and nothing else."""

    def __init__(self, library, with_free=False):
        self.probes = 3 if with_free else 2
        super().__init__("bpftrace + SSL_free" if with_free else "bpftrace",
                         ["bpftrace", "-e", (SCRIPT + (FREE if with_free else "")).format(library=library)])

    def _attached(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"bpftrace: {self.process.communicate()}")
        return len(kernel.attached(self.pid)) == self.probes

    def ready(self):
        nginx.wait_until(self._attached, 60, "bpftrace is attached")


class Tlswhy:
    """The program as it is used: a report, whose ring is drained."""
    name = "tlswhy"

    def __init__(self, program, pid):
        self.make = functools.partial(watch.Watch, program, pid)
        self.watch = None

    @property
    def pid(self):
        return self.watch.process.pid

    def __enter__(self):
        self.watch = self.make().__enter__()
        for task in os.listdir(f"/proc/{self.pid}/task"):
            if CLIENT_CPU in os.sched_getaffinity(0):
                os.sched_setaffinity(int(task), {CLIENT_CPU})
        return self

    def __exit__(self, *_):
        try:
            if self.watch.process.poll() is None:
                self.report = self.watch.finish()
        finally:
            self.watch.__exit__()


def word(path, offset, is_return):
    """The floor's word for a site."""
    return f"{path}:{offset}" + ("%return" if is_return else "")


def sites_of(variant):
    """Where it attaches, as the kernel lists it; and how: "perf" or "multi"."""
    with variant as holder:
        rows, links = kernel.attached(holder.pid), kernel.multi_sites(holder.pid)
    tracepoints = [f"tp:{row['tracepoint']}" for row in rows if row["fd_type"] == "raw_tracepoint"]
    events = [(row["filename"], row["offset"], row["fd_type"] == "uretprobe") for row in rows
              if row["fd_type"] in ("uprobe", "uretprobe")]
    if bool(events) == bool(links):
        raise RuntimeError(f"the kernel lists {len(events)} events and {len(links)} links of uprobes, not one of both")
    return tracepoints + [word(*site) for site in events or links], "perf" if events else "multi"
