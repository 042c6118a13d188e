# SPDX-License-Identifier: BSD-2-Clause
"""
The rows about a host under full load: nothing is lost, every count is exact, the reader wakes seldom; and about one
that is quiet: how soon a handshake is on the screen.

Void, so not met, when the load's rate with tlswhy attached is below nine tenths of the rate without: a load that was
held back proves nothing. Must not know: how anything is counted.
"""
import os
import tempfile
import time

import kernel
import rows
from measure import figure
from stage_life import process_seconds
from stand import Stand, judged
from lab import clients, loadrig, nginx, pki, tracer, watch, worker

IDS = ("lost", "wakeups", "latency")
# Half of them good, and failures that end in nginx, in the client and on the wire.
MIX = {"ok13": 3, "ok12": 1, "resumed13": 3, "resumed12": 1, "no_shared_cipher": 1, "version": 1, "unknown_ca": 1,
       "close_mid": 1}
CONCURRENCY = 64
SECONDS, BEFORE_SECONDS = 60, 15
LEAST_RATE, MOST_IDLE = 0.9, 0.1
EVENTS, PAUSE_SECONDS = 25, 0.37 # out of step with any timer
LATENCY_MS, WAKEUPS_EACH = 200, 0.1


class Target:
    """What a client of the lab needs to know."""
    source, pki = "", None

    def __init__(self, port):
        self.host, self.port = "127.0.0.1", port


def rate(stand, seconds):
    """Handshakes a second, and the load's account."""
    with stand.start_load(MIX, "--count", 0, "--seconds", seconds, "--concurrency", CONCURRENCY) as load:
        result = judged(load.wait(seconds + 90))
    stand.rig.wait_quiet()
    return result["per_second"], result


def switches(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))


def idle_seconds():
    """Of all CPUs, and what they waited for a disk."""
    with open("/proc/stat") as file:
        idle, waited = file.readline().split()[4:6]
    return (int(idle) + int(waited)) / worker.TICKS


def cpu_seconds(stand, pid):
    return {"workers": sum(map(worker.ran_seconds, stand.rig.nginx.worker_pids())), "tlswhy": process_seconds(pid),
            "idle": idle_seconds()}


def faults_of(report, want):
    return (watch.sum_faults(report) + watch.count_faults(report, want) + watch.cause_faults(report, want) +
            watch.detail_faults(report) + watch.exact_faults(report) +
            [f"losses.{name} {count}" for name, count in report["losses"].items() if count])


def attached_load(stand, tools, seconds):
    """{"rate", "faults", "cpu", "runs", "switches", "seconds", "handshakes"} of a load that is watched."""
    with watch.Watch(tools.tlswhy, stand.pid) as watched, kernel.statistics():
        pid = watched.process.pid
        begin, cpu, switched = time.monotonic(), cpu_seconds(stand, pid), switches(pid)
        per_second, result = rate(stand, seconds)
        elapsed, switched = time.monotonic() - begin, switches(pid) - switched
        cpu = {name: (used - cpu[name]) / elapsed for name, used in cpu_seconds(stand, pid).items()}
        runs = sum(runs for runs, _ in kernel.program_runs(pid).values())
        missed = kernel.missed_runs(pid)
        report = watched.finish()
    return {"rate": per_second, "faults": faults_of(report, loadrig.expected(result)), "cpu": cpu, "runs": runs,
            "missed": missed, "switches": switched, "seconds": elapsed, "handshakes": result["carried"]}


def full_load(tools, quick):
    """(what attached_load() says, the rates without before and after)"""
    seconds, before = (4, 2) if quick else (SECONDS, BEFORE_SECONDS)
    with tempfile.TemporaryDirectory(prefix="tlswhy-bench-") as directory, \
            Stand(os.path.realpath(directory), tools.loadgen, workers=os.cpu_count(), pinned=False) as stand:
        rate(stand, 1)
        first = rate(stand, before)[0]
        found = attached_load(stand, tools, seconds)
        return found, (first, rate(stand, before)[0])


def load_rows(tools, quick):
    found, unattached = full_load(tools, quick)
    share = found["rate"] / (sum(unattached) / len(unattached))
    cpu, runs = found["cpu"], found["runs"]
    void = share < LEAST_RATE or cpu["idle"] > MOST_IDLE * os.cpu_count()
    notes = [f"offered {found['rate']:.0f}/s for {found['seconds']:.0f} s, {found['handshakes']} handshakes; "
             f"unattached {unattached[0]:.0f}/s before and {unattached[1]:.0f}/s after, so {100 * share:.0f} % of it",
             f"CPU: workers {cpu['workers']:.2f}, tlswhy {cpu['tlswhy']:.3f}, idle {cpu['idle']:.2f} of "
             f"{os.cpu_count()} cores; {runs} program runs, {runs / found['handshakes']:.1f} a handshake, "
             f"{found['missed']} missed by recursion", *found["faults"]]
    if void:
        notes.insert(0, f"void: below {100 * LEAST_RATE:.0f} % of the unattached rate, or the CPUs idled")
    measured = "void" if void else "0, exact" if not found["faults"] else f"{len(found['faults'])} faults"
    yield rows.Row("lost", f"events lost at full load on all cores, {found['seconds']:.0f} s", "0, exact", measured,
                   f"{100 * share:.0f} % of rate", not found["faults"] and not void, tuple(notes),
                   {key: found[key] for key in ("rate", "cpu", "runs", "missed", "handshakes", "faults")} |
                   {"unattached": list(unattached)})
    each = found["switches"] / found["handshakes"]
    yield rows.Row("wakeups", "wake-ups of the reader a handshake when busy", f"<= {WAKEUPS_EACH:g}", f"{each:.3f}", "",
                   each <= WAKEUPS_EACH, (f"voluntary context switches of tlswhy's main thread, "
                                          f"{found['switches'] / found['seconds']:.0f} a second",),
                   {"each": each, "switches": found["switches"]})


def latencies(tools, count):
    """Milliseconds from the client's end of a handshake to the line of a live trace."""
    found = []
    with tempfile.TemporaryDirectory(prefix="tlswhy-bench-") as directory, \
            Stand(os.path.realpath(directory), tools.loadgen, pinned=False) as stand:
        target = Target(stand.rig.plain)
        traced = tracer.Tracer(tools.tlswhy, stand.pid, os.path.join(directory, "trace.err"), ("--live",))
        with traced:
            traced.wait_ready()
            for at in range(count):
                time.sleep(PAUSE_SECONDS)
                with clients.context(target).wrap_socket(clients.connect(target), server_hostname=pki.HOST):
                    end = time.time()
                nginx.wait_until(lambda: len(traced.events) > at, 10, "the line") # pylint: disable=cell-var-from-loop
                found.append((traced.events[at][0] - end) * 1e3)
    return figure(found)


def run(tools, wanted, quick):
    found = []
    if wanted("lost") or wanted("wakeups"):
        found += load_rows(tools, quick)
    if wanted("latency"):
        figures = latencies(tools, 5 if quick else EVENTS)
        found.append(rows.at_most("latency", "from a handshake's end to its line of trace --live, quiet", LATENCY_MS,
                                  "ms", figures, digits=0, notes=(f"the slowest of {len(figures.values)} took "
                                                                  f"{max(figures.values):.0f} ms",)))
    return found
