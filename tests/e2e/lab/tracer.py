# SPDX-License-Identifier: BSD-2-Clause
"""
Runs `tlswhy trace` and keeps its events with the moment each arrived. Must not know: scenarios.
"""
import datetime
import json
import re
import signal
import subprocess
import threading
import time

from lab import nginx

READY = "tlswhy: attached"
# The labs' own clients map the library that is probed: as foreign processes, and often above the default budget.
NO_BUDGET = ("--foreign-budget", "0")
FRACTION = re.compile(r"\.(\d+)")


def event_seconds(event):
    """An event's `time` as Unix seconds: RFC 3339 text (any number of decimals) or a number."""
    value = event["time"]
    if isinstance(value, (int, float)):
        return float(value)
    whole = datetime.datetime.fromisoformat(FRACTION.sub("", value).replace("Z", "+00:00"))
    fraction = FRACTION.search(value)
    return whole.timestamp() + (float("0." + fraction[1]) if fraction else 0.0)


class Pulse:
    """
    How long this machine let nobody run: a thread that wants to wake every few milliseconds notes when it could
    not. What a loaded host holds back is not the tracer's lateness.
    """
    STEP_SECONDS = 0.02

    def __init__(self):
        self.stalls = [] # (moment it ended, how long), Unix seconds
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self):
        last = time.time()
        while not self.stopping.wait(self.STEP_SECONDS):
            now = time.time()
            if now - last > 2 * self.STEP_SECONDS:
                self.stalls.append((now, now - last - self.STEP_SECONDS))
            last = now

    def stalled(self, begin, end):
        """Seconds of stall that ended between two moments."""
        return sum(seconds for moment, seconds in self.stalls if begin <= moment <= end)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(1)


class Child:
    """A tlswhy on one nginx that runs until it is stopped, from `with` to its end. stderr goes to a file."""

    def __init__(self, command, stderr_path):
        self.command = command
        self.stderr_path = stderr_path
        self.process = None

    def stderr(self):
        with open(self.stderr_path, errors="replace") as file:
            return file.read()

    def __enter__(self):
        with open(self.stderr_path, "w") as stderr:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=stderr, text=True, errors="replace", bufsize=1)
        return self

    def wait_ready(self, seconds=60):
        end = time.monotonic() + seconds * nginx.patience()
        while READY not in self.stderr():
            if self.process.poll() is not None:
                raise RuntimeError(f"tlswhy ended with {self.process.returncode}: {self.stderr()}")
            if time.monotonic() > end:
                raise TimeoutError(f"tlswhy is not attached after {seconds} s: {self.stderr()}")
            time.sleep(0.02)

    def stop(self):
        """Ctrl-C, as a user would. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60 * nginx.patience())
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def __exit__(self, *_):
        self.stop()


def only(pids):
    """Options that choose an nginx, several of them, or (None) all of the host."""
    chosen = [] if pids is None else [pids] if isinstance(pids, (int, str)) else pids
    return [option for pid in chosen for option in ("-p", str(pid))]


class Reporter(Child):
    """`tlswhy report --format json`, whose report is there once it is stopped."""

    def __init__(self, tlswhy, pids, stderr_path):
        super().__init__([tlswhy, "report", "-d", "600", "--format", "json", *NO_BUDGET, *only(pids)], stderr_path)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.text = ""

    def _read(self):
        self.text = self.process.stdout.read()

    def __enter__(self):
        super().__enter__()
        self.reader.start()
        return self

    def report(self):
        self.stop()
        self.reader.join(60)
        return json.loads(self.text)


class Tracer(Child):
    """`tlswhy trace --format json`, of one nginx, several or (None) all, or as the options say: its events."""

    def __init__(self, tlswhy, pids, stderr_path, options=()):
        super().__init__([tlswhy, "trace", "--format", "json", *NO_BUDGET, *only(pids), *options], stderr_path)
        self.events = [] # (arrival in Unix seconds, event)
        self.rubbish = []
        self.thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        super().__enter__()
        self.thread.start()
        return self

    def _read(self):
        for line in self.process.stdout:
            arrival = time.time()
            try:
                event = json.loads(line)
                known = {"cause", "direction", "time"} <= event.keys()
            except (ValueError, AttributeError):
                known = False
            if known:
                self.events.append((arrival, event))
            else:
                self.rubbish.append(line.rstrip("\n"))

    def wait_events(self, condition, seconds=60):
        """Waits until condition(events) is true. Returns whether it became so."""
        end = time.monotonic() + seconds * nginx.patience()
        while not condition([event for _, event in self.events]):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def stop(self):
        code = super().stop()
        self.thread.join(60)
        return code
