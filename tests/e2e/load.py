#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Exact counts under load: a private nginx, a load generator that counts what it did, and tlswhy's report, which must
say the same to the last handshake, also when the ring is too small, workers die or tlswhy itself is killed.

    tests/e2e/load.py --tlswhy build/tlswhy [--loadgen build/tests/loadgen] [--only NAME] [-v]

One line a test, `ok NAME` or `not ok NAME: why`, at the end `N passed, N failed, N skipped`. A load in which a
connection did not do what it should is no measure: the test fails as void. Needs root.
"""
import argparse
import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import loadrig, nginx, pki, watch # pylint: disable=wrong-import-position

COUNT = 20000
CONCURRENCY = 64
PLENTY = 10 * CONCURRENCY # connections that end: most of them begin after the wait for them does
# Half of it fails, in five ways.
MIX = {"ok13": 2, "ok12": 1, "resumed13": 1, "resumed12": 1, "no_shared_cipher": 1, "version": 1, "unknown_ca": 1,
       "close_mid": 1, "mtls_missing": 1}
# Also those that end on the wire alone.
WIDE_MIX = dict(MIX, close_early=1, reset=1, garbage=1, ok13=5)
# No kind may end without nginx's answer: whatever is in flight when tlswhy comes or goes is one of ours.
STEADY_MIX = {"ok13": 3, "resumed13": 2, "resumed12": 1, "no_shared_cipher": 1, "unknown_ca": 1, "close_mid": 1}
# Room for every record with its ClientHello, should tlswhy not run until the load has ended.
WIDE_RING = ("--ring-bytes", str(64 << 20))
# Nobody resumes: new workers have new ticket keys.
RELOAD_MIX = {"ok13": 3, "ok12": 1, "no_shared_cipher": 1, "unknown_ca": 1, "close_mid": 1, "mtls_missing": 1}
TINY_RING = ("--ring-bytes", "4096")
TINY_SPILL = ("--spill-entries", "8")
ATTACH_TIMES = 10
RELOADS = 3
HELD = 40


class Bench:
    """What a test is given: fresh nginx, tracers on it, loads whose counts can be trusted."""

    def __init__(self, options, keys, directory, own_library):
        self.options = options
        self.rig = loadrig.Rig(directory, keys, options.loadgen, own_library=own_library)

    def tracer(self, options=(), form="json"):
        return watch.Watch(self.options.tlswhy, self.rig.nginx.pid, options, form)

    def note(self, *words):
        if self.options.verbose:
            print("#", *words, flush=True)

    def run_load(self, mix, count, held=0):
        """Runs a load to its end, and nginx's side of it. Returns what must have been counted."""
        self.rig.mark_log()
        with self.rig.load(mix, count=count, concurrency=CONCURRENCY) as load:
            result = self.end_load(load)
        return self.settle(result, held)

    def settle(self, result, held=0):
        """Waits for nginx's side of a load that has ended, since mark_log(). What must have been counted."""
        self.rig.wait_quiet(held)
        reasons = loadrig.log_reasons(result, self.rig.log_counts())
        if reasons:
            raise RuntimeError("void: " + ", ".join(reasons))
        return loadrig.expected(result)

    def end_load(self, load, stop=False):
        """A load's result; raises where it cannot serve as a measure."""
        result = load.stop() if stop else load.wait()
        self.note("load", result)
        reasons = loadrig.void_reasons(result)
        if reasons:
            raise RuntimeError("void: " + ", ".join(reasons))
        return result

    def finish(self, traced):
        report = traced.finish()
        self.note("report", report)
        return report


def all_faults(report, want, **totals):
    """Everything that must hold of a report that lost nothing."""
    return (watch.sum_faults(report) + watch.count_faults(report, want, **totals) + watch.cause_faults(report, want) +
            watch.detail_faults(report) + watch.exact_faults(report))


def exact_normal(bench):
    with bench.tracer(WIDE_RING) as traced:
        want = bench.run_load(MIX, COUNT)
        report = bench.finish(traced)
    faults = all_faults(report, want)
    if report["losses"]["ring_full"]:
        faults.append(f"losses.ring_full {report['losses']['ring_full']}")
    faults += [f"cause {row['cause']}: {row['peers']['distinct']} peers, must be {loadrig.SOURCES}"
               for row in report["causes"] if row["peers"]["distinct"] != loadrig.SOURCES]
    return faults


def exact_tiny_ring(bench):
    with bench.tracer(TINY_RING) as traced:
        want = bench.run_load(WIDE_MIX, COUNT)
        report = bench.finish(traced)
    faults = all_faults(report, want)
    nameless = sum(row["without_identity"] for row in report["causes"])
    if not 0 < nameless <= report["losses"]["ring_full"]:
        faults.append(f"{nameless} without identity, ring_full {report['losses']['ring_full']}")
    return faults


def tiny_ring_text(bench):
    with bench.tracer(TINY_RING, form="text") as traced:
        want = bench.run_load({"no_shared_cipher": 1}, 6000)
        text = bench.finish(traced)
    missing = re.search(r"identities missing for (\d+) handshakes", " ".join(text.split()))
    if not missing or not 0 < int(missing.group(1)) <= want["failed"]:
        return ["the text does not say for how many handshakes identities are missing: " + repr(text)]
    return []


def tiny_spill(bench):
    with bench.tracer(TINY_RING + TINY_SPILL) as traced:
        want = bench.run_load(WIDE_MIX, COUNT // 2)
        report = bench.finish(traced)
    faults = watch.sum_faults(report) + watch.count_faults(report, want)
    if not report["losses"]["spill_full"]:
        faults.append("the spill map was never full: this test shows nothing")
    return faults + watch.exact_faults(report, exact=False)


def visit_faults(report):
    """A report of a window that began and ended in the middle of handshakes."""
    faults = watch.sum_faults(report) + watch.exact_faults(report)
    totals = report["totals"]["client"]
    faults += [f"{name} {totals[name]} of {CONCURRENCY} at a time" for name in ("joined", "open")
               if totals[name] > CONCURRENCY]
    if not totals["ok"] or not totals["failed"]:
        faults.append(f"saw nothing: {totals}")
    return faults


def attach_leave(bench):
    faults = []
    with bench.rig.load(STEADY_MIX, seconds=1000, concurrency=CONCURRENCY) as load:
        bench.rig.wait_lines(PLENTY)
        for turn in range(ATTACH_TIMES):
            with bench.tracer() as traced:
                bench.rig.wait_lines(PLENTY)
                report = bench.finish(traced)
            faults += [f"visit {turn + 1}: {fault}" for fault in visit_faults(report)]
        bench.end_load(load, stop=True)
    return faults


def hold_in(rig, worker, others):
    """Handshakes that one worker alone holds: the others are stopped while they come in."""
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        return loadrig.Held(rig.plain, HELD // 2).wait_entered()
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def kill_worker(bench):
    first, second = workers = bench.rig.nginx.worker_pids()
    mix = {"ok13": 1, "no_shared_cipher": 1}
    with bench.tracer() as traced, hold_in(bench.rig, first, [second]), hold_in(bench.rig, second, [first]):
        before = bench.run_load(mix, 1000, held=HELD)
        os.kill(first, signal.SIGKILL)
        os.kill(second, signal.SIGTERM)
        nginx.wait_until(lambda: respawned(bench.rig.nginx, workers), 60, "new workers")
        # nginx's own counter keeps the connections of workers that were killed.
        stale = min(bench.rig.active() for _ in range(5))
        after = bench.run_load(mix, 1000, held=stale)
        report = bench.finish(traced)
    return all_faults(report, loadrig.add(before, after), evicted=HELD)


def respawned(server, old):
    now = server.worker_pids()
    return len(now) == len(old) and not set(now) & set(old)


def reload_covered(bench):
    """Workers that are born and leave under load: counted from their first handshake to their last."""
    server = bench.rig.nginx
    with bench.tracer() as traced:
        bench.rig.mark_log()
        with bench.rig.load(RELOAD_MIX, seconds=1000, concurrency=CONCURRENCY) as load:
            for _ in range(RELOADS):
                old = server.worker_pids()
                bench.rig.wait_lines(PLENTY)
                server.reload()
                nginx.wait_until(functools.partial(respawned, server, old), 60, "workers of the new generation")
            bench.rig.wait_lines(PLENTY)
            result = bench.end_load(load, stop=True)
        want = bench.settle(result)
        report = bench.finish(traced)
    generations = {worker["generation"] for worker in report["workers"]}
    faults = [] if len(generations) == RELOADS + 1 else [f"{RELOADS} reloads, but generations are {generations}"]
    return faults + all_faults(report, want)


def kill_tracer(bench):
    worker, events = bench.rig.nginx.worker_pids()[0], watch.traced_events()
    with bench.rig.load(STEADY_MIX, seconds=1000, concurrency=CONCURRENCY) as load, bench.tracer() as traced:
        bench.rig.wait_lines(PLENTY)
        held, patched = watch.probes_of(traced.process.pid), watch.patched_bytes(worker, "libssl")
        if not held or not patched:
            raise RuntimeError(f"void: tlswhy holds {held}, and {patched} bytes of libssl are patched")
        traced.kill()

        def left():
            faults = [f"{kind} {number} is left" for kind, number in sorted(held & watch.probes_left())]
            if watch.patched_bytes(worker, "libssl"):
                faults.append("nginx's code still has a breakpoint")
            if watch.traced_events() - events:
                faults.append(f"uprobe_events: {watch.traced_events() - events}")
            return faults
        with contextlib.suppress(TimeoutError):
            nginx.wait_until(lambda: not left(), 30, "all gone")
        faults = left()
        bench.rig.wait_lines(PLENTY)
        bench.end_load(load, stop=True)
    return faults


def open_walked(bench):
    with bench.tracer() as traced:
        want = bench.run_load({"ok12": 1, "close_early": 1}, 1000)
        with loadrig.Held(bench.rig.plain, HELD) as held:
            held.wait_entered()
            report = bench.finish(traced)
    return all_faults(report, want, opened=HELD)


TESTS = (exact_normal, exact_tiny_ring, tiny_ring_text, tiny_spill, attach_leave, kill_worker,
         reload_covered, kill_tracer, open_walked)
OWN_LIBRARY = (kill_tracer,)


def run_test(test, options, keys):
    """Runs one test against an nginx of its own; prints its line. True: passed."""
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="tlswhy-load-") as directory:
            bench = Bench(options, keys, directory, own_library=test in OWN_LIBRARY)
            with bench.rig:
                faults = test(bench)
    except (RuntimeError, OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        if options.verbose:
            traceback.print_exc()
        faults = [f"{type(error).__name__}: {error}"]
    if options.verbose:
        print(f"# {test.__name__}: {time.monotonic() - start:.1f} s")
    print(f"not ok {test.__name__}: {'; '.join(faults)}" if faults else f"ok {test.__name__}", flush=True)
    return not faults


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--tlswhy", required=True)
    parser.add_argument("--loadgen", default="build/tests/loadgen")
    parser.add_argument("--only", choices=[test.__name__ for test in TESTS])
    parser.add_argument("-v", "--verbose", action="store_true")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if os.geteuid() != 0:
        print("load.py: needs root: it traces nginx", file=sys.stderr)
        return 3
    options.tlswhy, options.loadgen = os.path.abspath(options.tlswhy), os.path.abspath(options.loadgen)
    chosen = [test for test in TESTS if options.only in (None, test.__name__)]
    with tempfile.TemporaryDirectory(prefix="tlswhy-pki-") as directory:
        os.chmod(directory, 0o755)
        keys = pki.Pki(directory).create()
        passed = sum(map(functools.partial(run_test, options=options, keys=keys), chosen))
    print(f"{passed} passed, {len(chosen) - passed} failed, {len(TESTS) - len(chosen)} skipped")
    return 0 if passed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
