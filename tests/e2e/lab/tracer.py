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

READY = "tlswhy: attached"
FRACTION = re.compile(r"\.(\d+)")


def event_seconds(event):
    """An event's `time` as Unix seconds: RFC 3339 text (any number of decimals) or a number."""
    value = event["time"]
    if isinstance(value, (int, float)):
        return float(value)
    whole = datetime.datetime.fromisoformat(FRACTION.sub("", value).replace("Z", "+00:00"))
    fraction = FRACTION.search(value)
    return whole.timestamp() + (float("0." + fraction[1]) if fraction else 0.0)


class Tracer:
    """`tlswhy trace --format json` on one nginx, from `with` to its end."""

    def __init__(self, tlswhy, master_pid, stderr_path, options=()):
        self.command = [tlswhy, "trace", "--format", "json", "-p", str(master_pid), *options]
        self.stderr_path = stderr_path
        self.events = [] # (arrival in Unix seconds, event)
        self.rubbish = []
        self.process = self.thread = None

    def stderr(self):
        with open(self.stderr_path, errors="replace") as file:
            return file.read()

    def __enter__(self):
        with open(self.stderr_path, "w") as stderr:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=stderr, text=True, errors="replace", bufsize=1)
        self.thread = threading.Thread(target=self._read, daemon=True)
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

    def wait_ready(self, seconds=30):
        end = time.monotonic() + seconds
        while READY not in self.stderr():
            if self.process.poll() is not None:
                raise RuntimeError(f"tlswhy ended with {self.process.returncode}: {self.stderr()}")
            if time.monotonic() > end:
                raise TimeoutError(f"tlswhy is not attached after {seconds} s: {self.stderr()}")
            time.sleep(0.02)

    def wait_events(self, condition, seconds=5):
        """Waits until condition(events) is true. Returns whether it became so."""
        end = time.monotonic() + seconds
        while not condition([event for _, event in self.events]):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def stop(self):
        """Ctrl-C, as a user would. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.thread.join(2)
        return self.process.returncode

    def __exit__(self, *_):
        self.stop()
