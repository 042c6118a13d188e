# SPDX-License-Identifier: BSD-2-Clause
"""
One run of `tlswhy report` on a given nginx, from the moment it is attached to its report; and what a report must
hold: the sums that every report owes, and the counts that a load produced.

Must not know: nginx's configuration, the load generator.
"""
import collections
import json
import os
import re
import signal
import subprocess
import tempfile

from lab import nginx, tracer

READY = "tlswhy: attached"
WINDOW_SECONDS = 1200 # of a watch that is ended before: it must not end by itself
DIRECTIONS = ("client", "upstream", "unknown")


class Watch:
    """A context manager: entered, it is attached; at the end it is gone, whatever happened."""

    def __init__(self, tlswhy, pid, options=(), form="json"):
        seconds = int(WINDOW_SECONDS * nginx.patience())
        self.command = [tlswhy, "report", "-d", str(seconds), "--format", form, *tracer.NO_BUDGET, "-p", str(pid),
                        *options]
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err)
        try:
            nginx.wait_until(self._attached, 60, "attached")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.out.close()
        self.err.close()

    def messages(self):
        return read_all(self.err)

    def _attached(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"tlswhy ended with status {self.process.returncode}: {self.messages()}")
        return any(line.startswith(READY) for line in self.messages().splitlines())

    def finish(self):
        """Ends the watch as Ctrl-C does. The report: a dict, or text where the form is text."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(60 * nginx.patience())
        if status != 0:
            raise RuntimeError(f"tlswhy ended with status {status}: {self.messages()}")
        text = read_all(self.out)
        return json.loads(text) if "json" in self.command else text

    def kill(self):
        self.process.kill()
        self.process.wait()


def read_all(file):
    """From the start, without moving the offset that the writing process shares."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")


def cause_counts(report):
    return {(row["direction"], row["cause"]): row["count"] for row in report["causes"] if row["count"]}


def sum_faults(report):
    """What the report's own sums must say, whatever was traced: a list of what is wrong."""
    faults = []
    for direction in DIRECTIONS:
        totals = report["totals"][direction]
        settled = sum(totals[name] for name in ("ok", "failed", "open", "evicted", "unmatched"))
        if totals["begun"] != settled:
            faults.append(f"{direction}: begun is not the sum of its ends: {totals}")
        causes = sum(count for (where, _), count in cause_counts(report).items() if where == direction)
        if report["exact"] and causes != totals["failed"]:
            faults.append(f"{direction}: failed {totals['failed']}, but its causes add up to {causes}")
    for row in report["causes"] + report["ok"]:
        buckets, latency = [bucket["count"] for bucket in row["latency_seconds"]["buckets"]], row["latency_seconds"]
        if buckets != sorted(buckets) or (buckets and buckets[-1] != latency["count"]):
            faults.append(f"{row['direction']} {row.get('cause', 'ok')}: buckets are not cumulative to their count")
    return faults


def count_faults(report, want, opened=0, evicted=0):
    """Where the report differs from {begun, ok, failed, resumed, causes} of the client side, to the last one."""
    totals = report["totals"]["client"]
    expected = {"begun": want["begun"] + opened + evicted, "ok": want["ok"], "failed": want["failed"],
                "resumed": want["resumed"], "open": opened, "evicted": evicted, "joined": 0, "unmatched": 0}
    faults = [f"{name} {totals[name]}, must be {count}" for name, count in expected.items() if totals[name] != count]
    faults += [f"{name} handshakes in direction {direction}" for direction in ("upstream", "unknown")
               for name in ("begun", "ok", "failed") if report["totals"][direction][name]]
    return faults


def differences(what, got, expected):
    return [f"{what} {key} {got.get(key, 0)}, must be {expected.get(key, 0)}"
            for key in sorted(got.keys() | expected.keys()) if got.get(key, 0) != expected.get(key, 0)]


def cause_faults(report, want):
    """Causes, their errors and the versions of the good, against {causes, errors, versions, ok} of the client side."""
    errors = collections.Counter()
    for row in report["causes"]:
        errors.update({error["code"]: error["count"] for error in row["errors"]})
    return (differences("cause", cause_counts(report), {("client", name): n for name, n in want["causes"].items()}) +
            differences("error", errors, want["errors"]) +
            differences("version", {row["version"]: row["count"] for row in report["versions"]}, want["versions"]) +
            differences("ok", {row["direction"]: row["count"] for row in report["ok"]}, {"client": want["ok"]}))


def detail_faults(report):
    """Every settled handshake has a latency and a worker. True only where none was joined and nothing was lost."""
    faults = []
    for row in report["causes"] + report["ok"]:
        latencies = row["latency_seconds"]["count"]
        if latencies != row["count"]:
            faults.append(f"{row['direction']} {row.get('cause', 'ok')}: {latencies} latencies of {row['count']}")
    for name, parts in (("handshakes", ("ok", "failed")), ("failed", ("failed",))):
        workers = sum(worker[name] for worker in report["workers"])
        total = sum(report["totals"][direction][part] for direction in DIRECTIONS for part in parts)
        if workers != total:
            faults.append(f"the workers' {name} add up to {workers}, not {total}")
    return faults


def exact_faults(report, exact=True):
    if report["exact"] is not exact:
        return [f"exact is {report['exact']}: {report.get('exact_reason')}, losses {report['losses']}"]
    if not exact and not report.get("exact_reason"):
        return ["exact is false without a reason"]
    return []


def probes_of(pid):
    """The BPF programs and links that a process holds: {("prog", id), ("link", id)}"""
    directory, held = f"/proc/{pid}/fdinfo", set()
    for name in os.listdir(directory):
        with open(os.path.join(directory, name)) as info:
            text = info.read()
        held |= {(match[1], int(match[2])) for match in re.finditer(r"^(prog|link)_id:\s+(\d+)$", text, re.M)}
    return held


def probes_left():
    """The BPF programs and links that exist, whoever holds them."""
    return {(kind, item["id"]) for kind in ("prog", "link") for item in bpf_objects(kind)}


def bpf_objects(kind):
    done = subprocess.run(["bpftool", "--json", kind, "show"], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout or "[]")


def traced_events():
    """Names of the kernel's text-defined uprobes."""
    for directory in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"):
        try:
            with open(os.path.join(directory, "uprobe_events")) as events:
                return {line.split()[0] for line in events if line.strip()}
        except FileNotFoundError:
            continue
    return set()


def patched_bytes(pid, library):
    """How many bytes of a library's code differ in a process's memory from the file: a probe is a breakpoint there."""
    differing = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            match = re.match(r"(\w+)-(\w+) r-xp (\w+) \S+ \d+ +(\S+)", line)
            if not match or library not in os.path.basename(match.group(4)):
                continue
            start, end, offset = (int(match.group(i), 16) for i in (1, 2, 3))
            memory.seek(start)
            code = memory.read(end - start)
            with open(match.group(4), "rb") as file:
                file.seek(offset)
                differing += sum(a != b for a, b in zip(code, file.read(end - start)))
    return differing
