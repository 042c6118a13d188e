# SPDX-License-Identifier: BSD-2-Clause
"""
A worker that has more to do than it can, against one that has nothing to do and slow clients; and how much of a CPU a
worker takes. Load, in short, where the scheduler's own account says what is true.
"""
import contextlib
import os
import subprocess
import time

from lab import crowd, loadrig, nginx, tracer, worker
from lab.bench import require, takes_long, test
from cases_delay import cost

AT_ONCE, BURST_SECONDS, PATIENCE_SECONDS = 300, 4.0, 1.0
SLOW_CLIENTS = 300
MOST = 0.8
WATCH_SECONDS, CPU_RATIO = 10.0, 0.02


@contextlib.contextmanager
def reporting(lab, stand):
    """A report on the stand. Yields a function that ends it and gives it."""
    path = os.path.join(stand.nginx.dir, "report.err")
    with tracer.Reporter(lab.tlswhy, stand.nginx.pid, path) as reporter:
        reporter.wait_ready()
        yield reporter.report


def failures(stand, port, before):
    return [event for event in stand.events_of(port)[before:] if event["outcome"] != "ok"]


def share_waiting_for(events, whom):
    return sum(event["waited_for"] == whom for event in events) / len(events)


def waited(report):
    """{"worker", "peer"}: how many failures of clients, by the report's causes."""
    rows = [row for row in report["causes"] if row["direction"] == "client"]
    return {whom: sum(row["waited_for"][whom] for row in rows) for whom in ("worker", "peer")}


def judge_report(report, events, saturated):
    """A report must say of the failures what the trace says."""
    traced = {whom: sum(event["waited_for"] == whom for event in events) for whom in ("worker", "peer")}
    require(waited(report) == traced, f"waited for: {waited(report)} reported, {traced} traced")
    (row,) = report["workers"]
    require(row["failed"] == len(events), f"{row['failed']} failed of the worker, {len(events)} traced")
    require(row["given_up"] >= row["given_up_late"], f"given up {row['given_up']}, late {row['given_up_late']}")
    late = row["given_up_late"] / max(1, row["given_up"])
    require(late > MOST if saturated else late == 0, f"{row['given_up_late']} of {row['given_up']} given up were late")
    found = {finding["id"] for finding in report["findings"]}
    require(("workers_saturated" in found) == saturated, f"findings {found}")


@test
def too_much_for_a_worker(lab):
    stand, port = lab.busy, lab.busy.ports["rsa"]
    before = len(stand.events_of(port))
    with reporting(lab, stand) as report:
        counts = crowd.Crowd(port, PATIENCE_SECONDS).visit(AT_ONCE, BURST_SECONDS)
        worker.wait_idle(stand.worker)
        ended = report()
    require(counts.get("gave up", 0) > AT_ONCE, f"lab: that was not too much: {counts}")
    events = failures(stand, port, before)
    share = share_waiting_for(events, "worker")
    print(f"# {counts}; of {len(events)} failures {100 * share:.1f} % had waited for the worker", flush=True)
    require(share > MOST, f"{100 * share:.1f} % had waited for the worker")
    judge_report(ended, events, saturated=True)


@test
def slow_clients_of_an_idle_worker(lab):
    stand, port = lab.busy, lab.busy.ports["ec"]
    before = len(stand.events_of(port))
    with reporting(lab, stand) as report:
        with loadrig.Held(port, SLOW_CLIENTS):
            nginx.wait_until(lambda: len(stand.events_of(port)) >= before + SLOW_CLIENTS, 60, "timeouts")
        ended = report()
    events = failures(stand, port, before)
    causes = {event["cause"] for event in events}
    print(f"# {len(events)} failures, {causes}", flush=True)
    require(len(events) == SLOW_CLIENTS and causes == {"timeout_before_hello"}, f"{len(events)} failures, {causes}")
    require(share_waiting_for(events, "peer") == 1, "not all had waited for the peer")
    judge_report(ended, events, saturated=False)


@test
@takes_long
def cpu_of_a_worker(lab):
    """Half of a CPU, by the report and by /proc/PID/stat."""
    stand, port = lab.near, lab.near.ports["rsa"]
    rate = round(0.5 / cost(stand, port)[1])
    command = [lab.loadgen, "--port", port, "--mix", "ok13=1", "--concurrency", 64, "--rate", rate, "--seconds", 120]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    with loadrig.Load(process) as load, reporting(lab, stand) as report:
        before, start = worker.cpu_seconds(stand.worker), time.monotonic()
        time.sleep(WATCH_SECONDS)
        spent, seconds = worker.cpu_seconds(stand.worker) - before, time.monotonic() - start
        (row,) = report()["workers"]
        load.stop()
    print(f"# {rate} handshakes a second: CPU {100 * spent / seconds:.2f} %, reported {100 * row['cpu_ratio']:.2f} %",
          flush=True)
    require(0.3 < spent / seconds < 0.7, f"lab: that was not half of a CPU: {100 * spent / seconds:.0f} %")
    require(abs(row["cpu_ratio"] - spent / seconds) < CPU_RATIO,
            f"CPU {100 * row['cpu_ratio']:.2f} %, /proc says {100 * spent / seconds:.2f} %")
