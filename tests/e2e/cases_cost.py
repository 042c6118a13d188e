# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of `tlswhy check --cost`: what a watch costs a handshake. Run by cli.py.

Counts are exact; of times no more is asked than that they are there and add up.
"""
import contextlib
import json
import signal
import subprocess
import time

from lab import clients, flights, nginx, tracer, worker
from lab.bench import require, test

HANDSHAKES = 20
# SSL_do_handshake, entered and left, for the ClientHello and again for the client's Finished; then SSL_free.
HITS = 5


@contextlib.contextmanager
def measuring(bench, *options):
    """A `check --cost` that watches, and a list that has its document at the end."""
    command = [bench.tlswhy, "check", "--cost", "--format", "json", "-p", bench.pid, *options]
    documents = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            line = process.stderr.readline()
            require(line.startswith(tracer.READY), f"stderr is {line!r}")
            time.sleep(0.5) # it begins to count
            yield process, documents
            output, said = process.communicate(timeout=120)
            require(process.returncode == 0, f"exit code {process.returncode}: {said!r}")
            documents.append(json.loads(output))
        finally:
            if process.poll() is None:
                process.kill()


def idle(pids):
    return all(worker.stat_fields(pid)[0] == "S" for pid in pids)


def shake(bench, version):
    """A client that answers only when the worker waits for it: else one call may do for both flights."""
    end = flights.End(flights.client_context(version), clients.connect(bench.target))
    end.send(end.flight())
    answer = end.flight()
    nginx.wait_until(lambda: idle(bench.rig.nginx.worker_pids()), 30, "waiting workers")
    end.send(answer)
    end.finish()
    end.sock.close()


@test
def cost_counts_every_hit(bench):
    """Five hits a full handshake, of either version, whatever other processes do with the library."""
    for version in (flights.TLS13, flights.TLS12):
        with measuring(bench, "-d", "5") as (_, documents):
            for _ in range(HANDSHAKES):
                shake(bench, version)
        cost = documents[0]["cost"]
        require(cost["ok"] == HANDSHAKES and cost["failed"] == 0, f"{cost['ok']} ok, {cost['failed']} failed")
        require(abs(cost["hits_per_handshake"] - HITS) < 1e-6, f"{cost['hits_per_handshake']} hits a handshake")
        hits = sum(probe["hits"] for probe in cost["probes"] if probe["kind"] != "tracepoint")
        require(hits == HANDSHAKES * HITS + cost["foreign"]["hits"], f"{hits} hits, {cost['foreign']} foreign")
        total = cost["program_seconds"] + cost["trap_seconds"]
        require(abs(cost["seconds_per_handshake"] - total) < 1e-12, f"{total} s is not the sum")
        require(abs(cost["share"] - total / cost["handshake_cpu_seconds"]) < 1e-9, f"share is {cost['share']}")
        require(all(cost["traps"][key] > 0 for key in ("emulated_seconds", "stepped_seconds")), f"{cost['traps']}")


@test
def cost_without_traffic_says_so(bench):
    """What can be told without a handshake is told, and how to get the rest."""
    with measuring(bench, "-d", "1") as (_, documents):
        pass
    cost = documents[0]["cost"]
    require(cost["handshakes"] == 0 and cost["hits_per_handshake"] is None and cost["share"] is None, f"{cost}")
    require(cost["traps"]["emulated_seconds"] > 0, f"{cost['traps']}")
    done = bench.run("check", "--cost", "-d", "0.5", "-p", bench.pid)
    require("0 handshakes" in done.stdout and "-d SECONDS" in done.stdout and "a trap of this host" in done.stdout,
            f"check says {done.stdout!r}")


@test
def cost_is_asked_for(bench):
    """Without --cost nothing is watched, and -d is refused rather than ignored."""
    done = bench.run("check", "-p", bench.pid, "--format", "json")
    require("cost" not in json.loads(done.stdout), "there is a cost nobody asked for")
    done = bench.run("check", "-d", "1", "-p", bench.pid)
    require(done.returncode == 2 and "--cost" in done.stderr, f"{done.returncode}: {done.stderr!r}")


@test
def cost_ends_when_it_is_told_to(bench):
    """A signal ends it as it ends a report: what was seen is told."""
    with measuring(bench, "-d", "600") as (process, documents):
        shake(bench, flights.TLS13)
        time.sleep(0.5) # a look at the counters comes by
        process.send_signal(signal.SIGINT)
    require(documents[0]["cost"]["ok"] == 1, f"{documents[0]['cost']['ok']} ok")
