# SPDX-License-Identifier: BSD-2-Clause
"""
Tests at the edges of a process's life: tlswhy killed, workers killed, reloaded or born later, an attach in the middle
of a handshake. Run by cli.py.
"""
import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from cases_host import sibling
from lab import clients, nginx, preload, raw, rig, wire
from lab.bench import report_of, require, test

FAILURE = 1
HALF_HELLO = wire.client_hello()[:60]


def loaded_programs():
    """Ids of the BPF programs in the kernel."""
    listing = subprocess.run(["bpftool", "-j", "prog", "show"], capture_output=True, check=True).stdout
    return {program["id"] for program in json.loads(listing)}


def programs_of(pid):
    """Ids of the BPF programs that a process holds."""
    found = set()
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
            found |= {int(line.split()[1]) for line in file if line.startswith("prog_id:")}
    return found


def uprobe_events():
    path = "/sys/kernel/tracing/uprobe_events"
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return file.read()


@test
def kill_leaves_nothing_behind(bench):
    before = uprobe_events()
    with bench.watching("trace") as process:
        mine = programs_of(process.pid)
        require(mine & loaded_programs(), "no BPF program belongs to tlswhy: this test cannot see anything")
        process.kill()
        process.wait()
    bench.visit()
    nginx.wait_until(lambda: not mine & loaded_programs(), 60, "its BPF programs gone")
    require(uprobe_events() == before, "uprobe_events changed")
    require(clients.tls()(bench.target), "nginx does not serve")


@test
def worker_killed_mid_handshake(bench):
    for number in (signal.SIGKILL, signal.SIGTERM):
        with bench.watching("report", "-d", "600", "--format", "json") as process:
            held = bench.hold(HALF_HELLO)
            old = bench.rig.nginx.worker_pids()
            for worker in old:
                os.kill(worker, number)
            nginx.wait_until(lambda old=old: respawned(bench, old), 60, "new workers")
            bench.visit()
            process.send_signal(signal.SIGINT)
            report = report_of(process)
            held.close()
        totals = report["totals"]["client"]
        wanted = {"begun": 2, "ok": 1, "open": 0, "failed": 0, "evicted": 1}
        require({key: totals[key] for key in wanted} == wanted, f"{number.name}: totals {totals}")
        require(report["exact"] is True, f"{number.name}: not exact")


def respawned(bench, old):
    now = bench.rig.nginx.worker_pids()
    return len(now) == bench.rig.nginx.workers and not set(now) & set(old)


@test
def open_handshakes_are_counted(bench):
    with bench.watching("report", "-d", "600", "--format", "json") as process:
        held = bench.hold(HALF_HELLO)
        process.send_signal(signal.SIGINT)
        totals = report_of(process)["totals"]["client"]
        held.close()
    require(totals["begun"] == totals["open"] == 1, f"totals {totals}")


def held_in_answer(bench):
    """A connection whose ClientHello nginx has answered, and which says nothing more."""
    held = bench.hold(wire.client_hello())
    held.recv(1, socket.MSG_PEEK)
    return held


@test
def attached_mid_handshake(bench):
    held = held_in_answer(bench)
    with bench.watching("report", "-d", "600", "--format", "json") as process:
        held.sendall(wire.alert(48))
        raw.drain(held) # nginx closes after SSL_free
        process.send_signal(signal.SIGINT)
        report = report_of(process)
    totals = report["totals"]["client"]
    require(totals["joined"] == totals["failed"] == totals["begun"] == 1, f"totals {totals}")
    row = report["causes"][0]
    require(row["cause"] == "our_certificate_unknown_ca", f"cause {row['cause']}")
    require(row["latency_seconds"]["count"] == 0, "its latency is not known and must not be counted")


@test
def attached_before_free_mid_handshake(bench):
    """Joined and then closed by the peer: the hello was before our time, the state says so."""
    held = held_in_answer(bench)
    with bench.tracing() as traced:
        raw.close(held)
        require(traced.wait_events(len), "no event")
        event = traced.events[0][1]
    require(event["cause"] == "peer_closed_mid_handshake", f"event {event}")


@test
def workers_of_a_reload_are_covered(bench):
    with bench.tracing() as traced:
        bench.visit()
        old = bench.rig.nginx.worker_pids()
        bench.rig.nginx.reload()
        nginx.wait_until(lambda: set(bench.rig.nginx.worker_pids()) - set(old), 60, "new workers")
        nginx.wait_until(lambda: respawned(bench, old), 60, "old workers gone")
        bench.visit()
        require(traced.wait_events(lambda events: len(events) >= 2), f"events {traced.events}")
    first, last = traced.events[0][1], traced.events[-1][1]
    require(first["pid"] in old and last["pid"] not in old, f"pids {first['pid']}, {last['pid']}, old {old}")
    require(last["generation"] > first["generation"], f"generation {first['generation']}, {last['generation']}")


@test
def worker_without_a_title(bench):
    """A worker that still bears its master's title is no nginx of its own."""
    switch = os.path.join(bench.rig.dir, "hesitate")
    with open(switch, "w"):
        pass
    library = preload.build(bench.rig.dir, "hesitate")
    with contextlib.ExitStack() as stack:
        other, port = sibling(bench, "hesitating", environment={**os.environ, "LD_PRELOAD": library,
                                                                "LAB_HESITATE": switch})
        stack.callback(other.stop)
        (worker,) = other.worker_pids()
        with open(f"/proc/{worker}/cmdline") as file:
            require(file.read().startswith("nginx: master process"), "the worker does not hesitate")
        said = bench.run("check").stdout
        require(f"master {other.pid}, 1 worker" in said and f"master {worker}," not in said, f"check says {said!r}")
        with bench.tracing(other.pid) as traced:
            os.unlink(switch)
            require(clients.tls()(dataclasses.replace(bench.target, port=port)), "not served")
            require(traced.wait_events(len), "its handshake was not seen")
    require(traced.events[0][1]["pid"] == worker, f"event {traced.events[0]}")


@test
def one_worker_alone(bench):
    """-p with a worker's pid: nothing of its siblings."""
    chosen = bench.rig.nginx.worker_pids()[0]
    with bench.tracing(chosen) as traced:
        for _ in range(12):
            bench.visit()
        time.sleep(0.5)
        pids = {event["pid"] for _, event in traced.events}
    require(pids <= {chosen}, f"pids {pids}, asked for {chosen}")


@test
def nginx_started_later_is_covered(bench):
    """Without -p, an nginx that starts under a running tlswhy is traced from its first handshake."""
    with tempfile.TemporaryDirectory(prefix="tlswhy-cli-") as directory, bench.tracing(None) as traced:
        with rig.Rig(directory, [bench.target.scenario]) as late:
            require(clients.tls()(late.targets[0]), "the late nginx does not serve")
            port = late.targets[0].port
            require(traced.wait_events(lambda events: any(event["local_port"] == port for event in events)),
                    "no event of the late nginx")


@test
def reader_that_leaves(bench):
    """`tlswhy trace | head -1` ends, and not with a crash."""
    with bench.watching("trace", "--format", "json") as process:
        process.stdout.close()
        for _ in range(3):
            bench.visit()
        process.wait(60)
    require(process.returncode in (0, FAILURE, -signal.SIGPIPE), f"exit code {process.returncode}")
