# SPDX-License-Identifier: BSD-2-Clause
"""
The rows about tlswhy's own life: how soon it is attached and gone again, and what it uses while nothing happens.

Seen from outside: from before the program is started to the line that says so, from the signal to the end of the
process, whose report is on its standard output by then. Must not know: what is attached.
"""
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time

import rows
from measure import figure
from stand import Stand, make_keys
from lab import tracer, worker

IDS = ("attach", "leave", "idle")
LIBRARIES, WORKERS = 3, 64
IDLE_WORKERS = 128
TURNS, IDLE_PIECES, IDLE_PIECE_SECONDS = 15, 10, 3.0
HANDSHAKES = 200
SETTLE_SECONDS = 2


@contextlib.contextmanager
def stands(directory, tools, workers):
    """Nginx, each with libraries of its own, that have so many workers in all."""
    keys = make_keys(os.path.join(directory, "pki"))
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Stand(os.path.join(directory, str(at)), tools.loadgen, pinned=False, keys=keys,
                                         workers=workers // LIBRARIES + (at < workers % LIBRARIES)))
               for at in range(LIBRARIES)]


class Run:
    """A `tlswhy report` from exec to its end. attach_ms, print_ms and leave_ms are what it took."""

    def __init__(self, tools, running, form="text"):
        self.command = [tools.tlswhy, "report", "-d", "3600", "--format", form, *tracer.NO_BUDGET,
                        *tracer.only([stand.pid for stand in running])]
        self.process = self.output = self.attach_ms = self.print_ms = self.leave_ms = None

    def __enter__(self):
        begin = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        said = b""
        while tracer.READY.encode() not in said:
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError(f"tlswhy ended with {self.process.wait()}: {said.decode()}")
            said += line
        self.attach_ms = (time.monotonic() - begin) * 1e3
        return self

    def leave(self):
        """Ctrl-C. The report is read while it is written, as a terminal does."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.output = b""
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.output += data
            self.print_ms = (time.monotonic() - begin) * 1e3
        self.process.wait(60)
        self.leave_ms = (time.monotonic() - begin) * 1e3

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def lives(tools, turns):
    """Milliseconds to attached, to the report's last byte and to the end, of runs that each see handshakes."""
    found = []
    with tempfile.TemporaryDirectory(prefix="tlswhy-bench-") as directory, \
            stands(os.path.realpath(directory), tools, WORKERS) as running:
        for _ in range(turns):
            with Run(tools, running, "json") as run:
                for stand in running:
                    stand.load("ok13", HANDSHAKES, 8)
                    stand.rig.wait_quiet()
                run.leave()
            seen = json.loads(run.output)["totals"]["client"]["ok"]
            if seen != HANDSHAKES * LIBRARIES:
                raise RuntimeError(f"the report has {seen} handshakes of {HANDSHAKES * LIBRARIES}")
            found.append((run.attach_ms, run.print_ms, run.leave_ms))
    return map(figure, zip(*found))


def process_seconds(pid):
    """CPU time of all threads."""
    return sum(worker.ran_seconds(f"{pid}/task/{task}") for task in os.listdir(f"/proc/{pid}/task"))


def idle(tools, pieces):
    """Percent of a core, piece by piece."""
    found = []
    with tempfile.TemporaryDirectory(prefix="tlswhy-bench-") as directory, \
            stands(os.path.realpath(directory), tools, IDLE_WORKERS) as running, Run(tools, running) as run:
        time.sleep(SETTLE_SECONDS)
        for _ in range(pieces):
            begin, before = time.monotonic(), process_seconds(run.process.pid)
            time.sleep(IDLE_PIECE_SECONDS)
            used = process_seconds(run.process.pid) - before
            found.append(100 * used / (time.monotonic() - begin))
    return figure(found)


def run(tools, wanted, quick):
    found = []
    if wanted("attach") or wanted("leave"):
        attach, printed, leave = lives(tools, 3 if quick else TURNS)
        found += [rows.at_most("attach", f"from exec to attached, {WORKERS} workers, three libraries", 80, "ms", attach,
                               digits=0, notes=("from before fork to the line on standard error; nginx are named by "
                                                "-p",)),
                  rows.at_most("leave", "from Ctrl-C to the prompt, report printed", 300, "ms", leave, digits=0,
                               notes=("from the signal to the end of the process, on the same; the report's last byte "
                                      f"after {printed.median:.0f} ms; {HANDSHAKES * LIBRARIES} handshakes in it",))]
    if wanted("idle"):
        pieces = 2 if quick else IDLE_PIECES
        found.append(rows.at_most("idle", "CPU while nothing happens", 0.1, "% core", idle(tools, pieces), digits=3,
                                  notes=(f"report on {IDLE_WORKERS} workers, {pieces} times {IDLE_PIECE_SECONDS:g} s, "
                                         "all threads",)))
    return found
