#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Tests whose answer depends on the kernel, run in each kernel of the matrix: what `tlswhy check` says there, exact counts
under load, an nginx that a return probe may kill.

    tests/vm/inside.py --tlswhy build/tlswhy --loadgen build/tests/loadgen [--crowd]

--crowd: only the counts of many workers on one processor, under full preemption where the kernel has it. One line a
test, at the end `N passed, N failed, N skipped`. Must not know: which kernels there are, or their versions.
"""
import argparse
import contextlib
import os
import subprocess
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir)
sys.path.insert(0, os.path.join(TESTS, "e2e"))
# pylint: disable=wrong-import-position
from lab import clients, loadrig, nginx, pki, results, scenario, tracer, watch
from lab.bench import require

CROWD_WORKERS = 16
LOAD_SECONDS = 600
PREEMPT = "/sys/kernel/debug/sched/preempt"
# Every way to succeed and to fail that the load generator knows, but those that nginx answers with a page.
MIX = {"ok13": 3, "ok12": 1, "resumed13": 1, "resumed12": 1, "no_shared_cipher": 1, "version": 1, "unknown_ca": 1,
       "close_mid": 1, "mtls_missing": 1, "close_early": 1, "reset": 1, "garbage": 1}
SECCOMP = [sys.executable, os.path.join(TESTS, "e2e", "lab", "seccomp.py")]


class Bench:
    """What a test is given: the program, keys and a directory."""

    def __init__(self, options, directory):
        self.options = options
        self.dir = directory
        made = os.path.join(directory, "pki")
        os.makedirs(made)
        os.chmod(directory, 0o755)
        self.keys = pki.Pki(made).create()

    def tlswhy(self, *arguments):
        return subprocess.run([self.options.tlswhy, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=300, check=False)

    def load_rig(self, name, workers):
        return loadrig.Rig(os.path.join(self.dir, name), self.keys, self.options.loadgen, workers=workers)


def count_exactly(bench, rig, count, concurrency):
    """A load's own counts against tlswhy's, to the last handshake. A load that went wrong is no measure."""
    rig.mark_log()
    with watch.Watch(bench.options.tlswhy, rig.nginx.pid) as traced:
        with rig.load(MIX, count=count, seconds=LOAD_SECONDS, concurrency=concurrency) as load:
            result = load.wait(LOAD_SECONDS + 60)
        reasons = loadrig.void_reasons(result)
        require(not reasons, f"void: {reasons}")
        rig.wait_quiet()
        reasons = loadrig.log_reasons(result, rig.log_counts())
        require(not reasons, f"void: {reasons}")
        report, want = traced.finish(), loadrig.expected(result)
    faults = (watch.sum_faults(report) + watch.count_faults(report, want) + watch.cause_faults(report, want) +
              watch.detail_faults(report) + watch.exact_faults(report))
    require(not faults, "; ".join(faults))
    totals = report["totals"]["client"]
    print(f"# {totals['ok']} ok, {totals['failed']} failed of {len(want['causes'])} causes, as the load generator says")
    return report


def check_says_yes(bench):
    """With an nginx running nothing is missing; what is said is shown."""
    with bench.load_rig("check", 1) as rig:
        done = bench.tlswhy("check", "--color", "never", "-p", str(rig.nginx.pid))
    print("".join(f"# {line}\n" for line in done.stdout.splitlines()), end="")
    require(done.returncode == 0, f"exit code {done.returncode}: {done.stderr!r}")


def counts_are_exact(bench):
    with bench.load_rig("counts", 2) as rig:
        count_exactly(bench, rig, 1200, 16)


def filtered_nginx(bench):
    """An nginx below a filter that kills on unknown system calls, and a target to talk to it."""
    listener = scenario.Scenario("filtered", "http", clients.tls(), (), conf="")
    target = scenario.Target(listener, bench.keys, *(scenario.Ports().take() for _ in range(2)), "127.0.0.1")
    server = nginx.Nginx(os.path.join(bench.dir, "filtered"), workers=1)
    server.write(**scenario.blocks([target]))
    server.process = subprocess.Popen([*SECCOMP, "nginx", "-p", server.dir, "-c", server.conf],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    nginx.wait_until(lambda: len(server.worker_pids()) == 1, 20, "workers")
    return server, target


def watch_filtered(bench, server, target):
    with tracer.Tracer(bench.options.tlswhy, server.pid, os.path.join(bench.dir, "trace.err")) as traced:
        traced.wait_ready()
        require(clients.tls()(target), "not served while watched")
        require(traced.wait_events(lambda events: len(events) == 1, 30), "the handshake was not seen")


def refuse_filtered(bench, server):
    done = bench.tlswhy("report", "-d", "1", "-p", str(server.pid))
    require(done.returncode == 3 and "could kill it" in done.stderr, f"{done.returncode}: {done.stderr!r}")


def filter_is_respected(bench):
    """Either a return probe is harmless here and nginx is watched, or it kills and nginx is refused; never harmed."""
    server, target = filtered_nginx(bench)
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(server.stop)
        worker = server.worker_pids()
        with open(f"/proc/{worker[0]}/status") as file:
            require("Seccomp:\t2" in file.read(), "the filter is not in force")
        said = bench.tlswhy("check", "-v", "-p", str(server.pid)).stderr
        harmless = "return probe below a seccomp filter: harmless" in said
        require(harmless or "return probe below a seccomp filter: kills" in said, f"no self-test: {said!r}")
        print(f"# a return probe below a seccomp filter {'is harmless' if harmless else 'kills'} here")
        if harmless:
            watch_filtered(bench, server, target)
        else:
            refuse_filtered(bench, server)
        require(clients.tls()(target), "not served afterwards")
        require(server.worker_pids() == worker, "the worker died")


def crowd_is_exact(bench):
    """16 workers on one processor: programs are preempted by their like, on other workers, again and again."""
    with bench.load_rig("crowd", CROWD_WORKERS) as rig:
        report = count_exactly(bench, rig, 2000, 64)
    busy = sum(worker["handshakes"] > 0 for worker in report["workers"])
    require(busy >= CROWD_WORKERS // 2, f"only {busy} workers had handshakes")
    print(f"# {busy} of {CROWD_WORKERS} workers had handshakes")


def preemption_is_full(_):
    """Else crowd_is_exact shows less than it says."""
    require(os.cpu_count() == 1, f"{os.cpu_count()} processors")
    try:
        with open(PREEMPT) as file:
            modes = file.read().strip()
    except FileNotFoundError as error:
        raise results.Skip("this kernel's preemption cannot be chosen at boot") from error
    require("(full)" in modes, f"{PREEMPT}: {modes}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--tlswhy", required=True)
    parser.add_argument("--loadgen", required=True)
    parser.add_argument("--crowd", action="store_true", help="many workers on one processor, nothing else")
    options = parser.parse_args()
    options.tlswhy, options.loadgen = os.path.abspath(options.tlswhy), os.path.abspath(options.loadgen)
    tests = (preemption_is_full, crowd_is_exact) if options.crowd else (
        check_says_yes, counts_are_exact, filter_is_respected)
    told = results.Results()
    with tempfile.TemporaryDirectory(prefix="tlswhy-vm-") as directory:
        bench = Bench(options, directory)
        for test in tests:
            told.run(test, bench)
    return told.end()


if __name__ == "__main__":
    sys.exit(main())
