#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
A hundred reloads under load, half of it failing: not one handshake unaccounted, and nothing grows: no probes, no map
entries, no memory. Takes some minutes, so it belongs to `make check-matrix`.

    tests/e2e/reloads.py --tlswhy build/tlswhy [--loadgen build/tests/loadgen] [--reloads N] [-v]

One line a test, at the end `N passed, N failed, N skipped`. Needs root.
"""
import argparse
import functools
import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import load
from lab import nginx, pki, resources

# Half fails, in five ways; nobody resumes: new workers have new ticket keys.
MIX = {"ok13": 4, "ok12": 2, "no_shared_cipher": 2, "unknown_ca": 1, "close_mid": 1, "mtls_missing": 1, "version": 1}
RATE = 200
WARM = 10 # from this reload on nothing may grow
SEEN = 40 # handshakes of each generation
QUIET_SAMPLES = 8


def reload_once(bench, seen):
    """A new generation takes over, and has handshakes of its own before the next one does."""
    server, old = bench.rig.nginx, bench.rig.nginx.worker_pids()
    server.reload()
    nginx.wait_until(functools.partial(load.respawned, server, old), 30, "workers of the new generation")
    begin = seen()
    nginx.wait_until(lambda: seen() >= begin + SEEN, 30, "handshakes of the new generation")


def quiet(pid):
    """The least it holds within seconds: a worker that left is let go of when the sampler comes by, every second."""
    samples = []
    for _ in range(QUIET_SAMPLES):
        samples.append(resources.measured(pid))
        time.sleep(0.5)
    return min(samples, key=lambda sample: sample["descriptors"])


def hundred_reloads(bench):
    with bench.tracer() as traced:
        bench.rig.mark_log()
        with bench.rig.load(MIX, seconds=900, concurrency=16, rate=RATE) as running:
            for turn in range(bench.options.reloads):
                reload_once(bench, bench.rig.handled)
                if turn + 1 == WARM:
                    before = quiet(traced.process.pid)
            grown = resources.lasting(traced.process.pid, before)
            after = resources.measured(traced.process.pid)
            result = bench.end_load(running, stop=True)
        want = bench.settle(result)
        report = bench.finish(traced)
    print(f"# {want['begun']} handshakes, {want['failed']} failed; held {before}, then {after}", flush=True)
    generations = {worker["generation"] for worker in report["workers"]}
    faults = [] if len(generations) == bench.options.reloads + 1 else [f"generations are {sorted(generations)}"]
    return faults + grown + load.all_faults(report, want)


def parse_arguments():
    parser = argparse.ArgumentParser(description="a hundred reloads under load")
    parser.add_argument("--tlswhy", required=True)
    parser.add_argument("--loadgen", default="build/tests/loadgen")
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("-v", "--verbose", action="store_true")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if os.geteuid() != 0:
        print("reloads.py: needs root: it traces nginx", file=sys.stderr)
        return 3
    options.tlswhy, options.loadgen = os.path.abspath(options.tlswhy), os.path.abspath(options.loadgen)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tlswhy-pki-") as directory:
        os.chmod(directory, 0o755)
        passed = load.run_test(hundred_reloads, options, pki.Pki(directory).create())
    print(f"# {time.monotonic() - begin:.0f} s")
    print(f"{int(passed)} passed, {int(not passed)} failed, 0 skipped")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
