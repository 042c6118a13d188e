# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of what a report says of the workers' CPU, against /proc/PID/stat and against work that was given to them. Run by
cli.py.

The work is compression of what compresses well: the worker's CPU goes there, and the client's does not.
"""
import contextlib
import os
import signal
import socket
import threading
import time

from lab import nginx
from lab.bench import report_of, require, takes_long, test

WORK_BYTES = 8 << 20
CLIENTS = 3 # so that another request waits whenever one is answered
SERVER = """
    server {{
        listen 127.0.0.1:{port};
        root {root};
        gzip on;
        gzip_comp_level 9;
        gzip_types *;
        keepalive_requests 1000000;
    }}
"""
TICKS = os.sysconf("SC_CLK_TCK")
TOLERANCE = 0.02


class Work:
    """Clients that ask for something expensive, again and again, while busy is set."""

    def __init__(self, port):
        self.port = port
        self.busy, self.ended = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]

    def _ask(self):
        with socket.create_connection(("127.0.0.1", self.port)) as sock:
            while not self.ended.is_set():
                if not self.busy.wait(0.1):
                    continue
                sock.sendall(b"GET /zeros HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
                while not sock.recv(65536).endswith(b"\r\n0\r\n\r\n"):
                    pass

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def working_nginx(bench, name):
    """An nginx with one worker, and Work for it."""
    port = bench.rig.ports.take()
    with nginx.Nginx(os.path.join(bench.rig.dir, name), workers=1) as server:
        with open(os.path.join(server.dir, "zeros"), "wb") as file:
            file.truncate(WORK_BYTES)
        server.write(http=SERVER.format(port=port, root=server.dir))
        server.start()
        with Work(port) as work:
            yield server, work


@contextlib.contextmanager
def reporting(bench, server, *options):
    with bench.watching_all("report", "--format", "json", "-p", str(server.pid), *options) as (process, _):
        yield process


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def row_of(report, pid):
    rows = [row for row in report["workers"] if row["pid"] == pid]
    require(len(rows) == 1, f"rows of {pid}: {rows}")
    return rows[0]


@test
@takes_long
def worker_cpu_is_the_kernels(bench):
    """Over ten seconds, half of which the worker is busy."""
    with working_nginx(bench, "half-loaded") as (server, work), reporting(bench, server, "-d", "10") as process:
        [pid] = server.worker_pids()
        start, before = time.monotonic(), cpu_seconds(pid)
        for second in range(10):
            work.busy.set()
            time.sleep(0.5)
            work.busy.clear()
            time.sleep(max(0.0, start + second + 1 - time.monotonic()))
        wanted = (cpu_seconds(pid) - before) / (time.monotonic() - start)
        row = row_of(report_of(process), pid)
    require(wanted > 0.05, f"the worker was not given enough to do: {wanted}")
    require(abs(row["cpu_ratio"] - wanted) <= TOLERANCE, f"{row['cpu_ratio']}, /proc/{pid}/stat says {wanted}")
    require(9.5 < row["sampled_seconds"] < 12, f"{row}")
    require(abs(row["cpu_seconds"] - row["cpu_ratio"] * row["sampled_seconds"]) < 1e-3, f"{row}")


@test
def busy_seconds_are_told_apart(bench):
    """Three seconds of six at its limit: neither the mean nor the longest is that of the whole."""
    with working_nginx(bench, "busy") as (server, work), reporting(bench, server, "-d", "6") as process:
        [pid] = server.worker_pids()
        time.sleep(1.5)
        work.busy.set()
        time.sleep(3)
        work.busy.clear()
        row = row_of(report_of(process), pid)
    peak = row["cpu_ratio_peak"] + row["run_delay_ratio_peak"]
    require(peak >= 0.9, f"a second with a CPU or without it was not seen: {row}")
    require(row["cpu_ratio"] + row["run_delay_ratio"] < 0.8, f"the whole is as its worst second: {row}")
    require(1.5 < row["saturated_seconds"] < 4.5, f"{row}")


@test
def gone_workers_keep_what_was_measured(bench):
    """After a reload each worker was sampled while it lived, and the target has the living ones."""
    server = bench.rig.nginx
    with bench.watching("report", "--format", "json") as process:
        old = set(server.worker_pids())
        bench.visit()
        time.sleep(1.5)
        server.reload()
        nginx.wait_until(lambda: not set(server.worker_pids()) & old, 60, "new workers")
        for _ in range(8): # a worker is taken in at its first handshake
            bench.visit()
        time.sleep(1.5)
        new = set(server.worker_pids())
        process.send_signal(signal.SIGINT)
        report = report_of(process)
    seconds = report["window"]["seconds"]
    for row in report["workers"]:
        require(row["cpu_ratio"] is not None and row["cpu_seconds"] is not None, f"{row}")
        require(0.5 < row["sampled_seconds"] < seconds - 0.5, f"{row} of {seconds} s")
    require({row["pid"] for row in report["workers"]} >= old, f"{report['workers']} without {old}")
    require(set(report["targets"][0]["workers"]) <= new, f"{report['targets']}, not {new}")
