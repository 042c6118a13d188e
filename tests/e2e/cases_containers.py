# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of containers that start, stop and restart while tlswhy watches the whole host. Run by cli.py.

Other nginx of the host may be watched too: only what the container's own processes did is judged.
"""
import collections
import contextlib
import json
import os
import shutil
import tempfile
import time

from lab import clients, container, nginx, resources, tracer
from lab.bench import require, takes_long, test
from lab.results import Skip

TURNS = 10
PICKED_UP_SECONDS = 2
GOOD, BAD = 5, 3
WANTED = {"ok": GOOD, "our_certificate_unknown_ca": BAD}
# From this turn on nothing may grow: the first ones fill caches and pools.
WARM = 3


class Socket:
    """What clients need of a target: its address and the certificates."""
    source, port = None, 0

    def __init__(self, path, pki):
        self.host, self.pki = path, pki


@contextlib.contextmanager
def image(bench, **options):
    with tempfile.TemporaryDirectory(prefix="tlswhy-container-") as directory:
        os.chmod(directory, 0o755)
        yield container.make_image(directory, bench.rig.pki, **options), directory


def visit(target, good=GOOD, bad=BAD):
    for _ in range(good):
        require(clients.tls()(target), "the container does not serve")
    for _ in range(bad):
        clients.refuse(48)(target)


def causes_of(events, pids):
    return collections.Counter(event["cause"] for event in events if event["pid"] in pids)


def wait_picked_up(traced, target, pids):
    """Visits until one of them is seen. What was counted by then."""
    def seen():
        visit(target, good=1, bad=0)
        return any(event["pid"] in pids for _, event in traced.events)
    nginx.wait_until(seen, 20, f"an event of {pids}")
    clients.refuse(44)(target) # told after everything before it
    require(traced.wait_events(lambda events: causes_of(events, pids)["our_certificate_revoked"], 20), "it stopped")
    return causes_of([event for _, event in traced.events], pids)


def one_life(traced, made, directory, pulse):
    """A container from start to stop, its handshakes counted to the last. How long it took to be picked up."""
    with container.Container(made, directory) as running:
        target, pids = Socket(running.socket, None), running.worker_pids()
        begin = time.time()
        before = wait_picked_up(traced, target, pids)
        arrival = min(moment for moment, event in traced.events if event["pid"] in pids)
        visit(target)
        wanted = collections.Counter(WANTED) + before
        traced.wait_events(lambda events: sum(causes_of(events, pids).values()) >= sum(wanted.values()))
        found = causes_of([event for _, event in traced.events], pids)
        require(found == wanted, f"counted {dict(found)}, must be {dict(wanted)}")
    return arrival - begin - pulse.stalled(begin, arrival)


@test
@takes_long
def containers_that_restart(bench):
    """Ten lives of one: each picked up in time, counted exactly, let go of without a trace."""
    with image(bench) as (made, directory), tracer.Pulse() as pulse, bench.tracing(None) as traced:
        watcher, times = traced.process.pid, []
        empty = resources.measured(watcher)
        for turn in range(TURNS):
            times.append(one_life(traced, made, directory, pulse))
            if turn + 1 == WARM:
                resources.wait_no_more(watcher, dict(empty, rss_kib=1 << 30))
                empty["rss_kib"] = resources.rss_kib(watcher)
        print("# picked up after", ", ".join(f"{seconds:.2f}" for seconds in times), "s", flush=True)
        # One or another may wait for the kernel: it places no probe while another tracer's are taken away.
        require(sorted(times)[TURNS // 2] <= PICKED_UP_SECONDS, f"picked up after {times} s")
        resources.wait_no_more(watcher, empty)
        require(not traced.rubbish, f"output {traced.rubbish}")


@test
def container_in_the_report(bench):
    """One that came and went is among the targets, and its worker's counts are exact, also in a replay."""
    path = os.path.join(bench.rig.dir, "container.record")
    with image(bench) as (made, directory), bench.watching_all("record", "-o", path) as (process, said):
        with container.Container(made, directory) as running:
            target, master, worker = Socket(running.socket, None), running.pid, running.worker_pids()[0]
            nginx.wait_until(lambda: f"watched now: nginx (master {master})" in said(), 20, "watched")
            visit(target)
        nginx.wait_until(lambda: f"ended: nginx (master {master})" in said(), 20, "ended")
        process.terminate()
        process.communicate(timeout=30)
    done = bench.run("report", "-i", path, "--format", "json")
    require(done.returncode == 0, f"report -i: {done.returncode} {done.stderr!r}")
    check_report(json.loads(done.stdout), master, worker)


def check_report(report, master, worker):
    ours = [row for row in report["targets"] if row["master_pid"] == master]
    require(len(ours) == 1, f"targets {report['targets']}")
    require(ours[0]["library"].endswith("libssl.so.3") and worker in ours[0]["workers"], f"target {ours[0]}")
    rows = [row for row in report["workers"] if row["pid"] == worker]
    found = [(row["master_pid"], row["handshakes"], row["failed"]) for row in rows]
    require(found == [(master, GOOD + BAD, BAD)], f"worker {rows}")


@test
def container_with_a_hostile_link(bench):
    """Its libssl is behind an absolute symbolic link that leads somewhere else on the host: to a FIFO."""
    with image(bench) as (made, directory):
        trap = os.path.join(directory, "trap", "libssl.so.3")
        inside = next(path for path in container.libraries_of("/usr/sbin/nginx") if "libssl" in path)
        os.makedirs(made + os.path.dirname(trap))
        os.makedirs(os.path.dirname(trap))
        shutil.move(made + inside, made + trap)
        os.symlink(trap, made + inside)
        os.mkfifo(trap)
        with container.Container(made, directory) as running, bench.tracing(running.pid) as traced:
            visit(Socket(running.socket, None))
            traced.wait_events(lambda events: len(events) >= GOOD + BAD)
            found = causes_of([event for _, event in traced.events], running.worker_pids())
            require(found == WANTED, f"counted {dict(found)}")


@test
@takes_long
def container_that_daemonizes(bench):
    """Its master is no child of what was started, which is gone before anybody looks."""
    keeper = ("/bin/sh", "-c", "/usr/sbin/nginx -c /nginx.conf; while :; do sleep 1; done")
    with image(bench, daemon=True, programs=("/usr/sbin/nginx", "/bin/sh", "/bin/sleep")) as (made, directory), \
            bench.tracing(None) as traced, container.Container(made, directory, keeper) as running:
        target, pids = Socket(running.socket, None), running.worker_pids()
        before = wait_picked_up(traced, target, pids)
        visit(target)
        wanted = collections.Counter(WANTED) + before
        traced.wait_events(lambda events: sum(causes_of(events, pids).values()) >= sum(wanted.values()))
        found = causes_of([event for _, event in traced.events], pids)
        require(found == wanted, f"counted {dict(found)}, must be {dict(wanted)}")


def require_overlay():
    with open("/proc/filesystems") as file:
        if "\toverlay\n" not in file.read():
            raise Skip("this kernel has no overlay file system")


@test
def containers_of_one_image(bench):
    """Both have the image's files, under devices of their own: a probe is placed once, and nothing counts twice."""
    require_overlay()
    with image(bench) as (made, directory), contextlib.ExitStack() as stack:
        first, second = (stack.enter_context(container.Container(made, os.path.join(directory, name), overlay=True))
                         for name in ("first", "second"))
        with bench.tracing([first.pid, second.pid]) as traced:
            for running in (first, second):
                visit(Socket(running.socket, None))
            traced.wait_events(lambda events: len(events) >= 2 * (GOOD + BAD))
            clients.refuse(44)(Socket(second.socket, None)) # told after everything before it
            traced.wait_events(lambda events: causes_of(events, second.worker_pids())["our_certificate_revoked"], 20)
            for running in (first, second):
                found = causes_of([event for _, event in traced.events], running.worker_pids())
                found.pop("our_certificate_revoked", None)
                require(found == WANTED, f"counted {dict(found)}")
