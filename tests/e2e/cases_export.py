# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of how `tlswhy export` serves: HTTP's rules, hurried, slow and rude clients, wrong usage, its end; and of the file
that it replaces.
"""
import contextlib
import os
import socket
import stat
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from lab import nginx
from lab.bench import require, takes_long, test
from lab.scrape import ACT_COUNTS, LISTEN, OPENMETRICS, PLAIN, Metrics, act, exporting, wait_handshakes

DEADLINE_SECONDS = 10 # of a connection, whatever it does


@test
def http_manners(bench):
    with exporting(bench, *LISTEN) as exporter:
        head, got = exporter.ask("HEAD"), exporter.ask()
        require(head.status == 200 and not head.text and int(head.headers["content-length"]) > 1000, vars(head))
        require(got.headers["content-type"] == PLAIN and "accept" in got.headers["vary"].lower(), got.headers)
        for path in ("/", "/metrics/", "/metric", "/../metrics"):
            require(exporter.ask(path=path).status == 404, f"{path}: {exporter.ask(path=path).status}")
        require(exporter.ask(path="/metrics?x=y").status == 200, "a query is not ignored")
        for method, body in (("POST", "x" * 300000), ("DELETE", None), ("PUT", "x"), ("OPTIONS", None)):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError): # it does not read what it refuses
                answer = exporter.ask(method, body=body)
                require(answer.status == 405 and "GET" in answer.headers["allow"], f"{method}: {vars(answer)}")
        for rubbish in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n",
                        b"GET /metrics HTTP/1.1\r\nA: " + b"a" * 99999):
            with socket.create_connection(exporter.address, timeout=5) as sock:
                with contextlib.suppress(OSError):
                    sock.sendall(rubbish)
        require(exporter.scrape().samples, "no scrape after rubbish")


@test
def listens_on_ipv6(bench):
    with exporting(bench, "--listen", "[::1]:0") as exporter:
        require(exporter.address[0] == "::1", exporter.address)
        require(exporter.scrape(PLAIN).samples, "no samples")


@test
def refuses_wrong_usage(bench):
    for words in (["--listen", "localhost"], ["--listen", "127.0.0.1"], ["--interval", "5"], ["--textfile", ""],
                  ["--interval", "0", "--textfile", "x"], ["--format", "json"]):
        done = bench.run("export", "-p", bench.pid, *words)
        require(done.returncode == 2 and "hint: " in done.stderr, f"{words}: {done.returncode} {done.stderr!r}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = bench.run("export", "-p", bench.pid, "--listen", address)
    require(done.returncode == 1 and address in done.stderr and "in use" in done.stderr, f"{done.stderr!r}")
    done = bench.run("export", "-p", bench.pid, "--textfile", "/nonexistent/x.prom")
    require(done.returncode == 1 and "/nonexistent/x.prom" in done.stderr, f"{done.stderr!r}")
    os.symlink("/dev/null", os.path.join(bench.rig.dir, "link"))
    done = bench.run("export", "-p", bench.pid, "--textfile", os.path.join(bench.rig.dir, "link"))
    require(done.returncode == 1 and "no regular file" in done.stderr, f"{done.stderr!r}")


def act_until(bench, condition, seconds=60):
    """Acts again and again, for a text changes only with what it counts. Returns how often."""
    acted, deadline = 0, time.monotonic() + seconds
    while not condition():
        require(time.monotonic() < deadline, f"not so after {acted} rounds")
        act(bench)
        acted += 1
    return acted


@test
def textfile_is_always_whole(bench):
    path = os.path.join(bench.rig.dir, "whole.prom")
    seen, stop = [], threading.Event()

    def read():
        while not stop.wait(0.003):
            with open(path) as file:
                seen.append(file.read())
    with exporting(bench, "--textfile", path, "--interval", "0.1") as exporter:
        nginx.wait_until(lambda: os.path.exists(path), 60, "the file")
        require("http://" not in exporter.stderr(), "it listens, unasked")
        reader = threading.Thread(target=read)
        reader.start()
        try:
            acted = act_until(bench, lambda: len(set(seen)) > 5)
        finally:
            stop.set()
            reader.join()
        code = exporter.stop()
    require(code == 0, f"exit code {code}")
    texts = list(dict.fromkeys(seen))
    wanted = {key: count * acted for key, count in ACT_COUNTS.items()}
    for text in texts:
        Metrics(text, False)
    with open(path) as file:
        last = Metrics(file.read(), False)
    require(last.handshakes() == wanted, f"{last.handshakes()}, not {wanted}")
    require(stat.S_IMODE(os.stat(path).st_mode) == 0o644, oct(os.stat(path).st_mode))
    left = [name for name in os.listdir(bench.rig.dir) if ".tmp." in name]
    require(not left, f"left behind: {left}")


@test
def textfile_has_the_end(bench):
    path = os.path.join(bench.rig.dir, "end.prom")
    with exporting(bench, "--textfile", path) as exporter:
        bench.visit()
        code = exporter.stop()
    require(code == 0, f"exit code {code}")
    with open(path) as file:
        require(Metrics(file.read(), False).handshakes() == {("client", "ok"): 1}, "what came last is missing")


@test
def full_disk_keeps_the_old_file(bench):
    disk = os.path.join(bench.rig.dir, "disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=768k", "tmpfs", disk], check=True, timeout=60)
    try:
        path, filler = os.path.join(disk, "x.prom"), os.path.join(disk, "filler")
        with exporting(bench, "--textfile", path, "--interval", "0.2") as exporter:
            nginx.wait_until(lambda: os.path.exists(path), 60, "the file")
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            nginx.wait_until(lambda: os.strerror(28) in exporter.stderr(), 60, "the error")
            time.sleep(1) # some more tries
            require(exporter.stderr().count(os.strerror(28)) == 1, f"told again and again: {exporter.stderr()}")
            with open(path) as file:
                Metrics(file.read(), False)
            # A try under way has a file of its own for a moment.
            nginx.wait_until(lambda: sorted(os.listdir(disk)) == ["filler", "x.prom"], 60, "no file of a failed try")
            bench.visit()
            os.unlink(filler)
            nginx.wait_until(lambda: "again" in exporter.stderr(), 60, "its recovery")
            code = exporter.stop()
        require(code == 0, f"exit code {code}")
        with open(path) as file:
            require(Metrics(file.read(), False).handshakes() == {("client", "ok"): 1}, "the count is lost")
    finally:
        subprocess.run(["umount", disk], check=True, timeout=60)


@test
def ends_quickly(bench):
    """Before the deadline of a connection that is there: it is not waited for."""
    with exporting(bench, *LISTEN) as exporter:
        address, begin = exporter.address, time.monotonic()
        with socket.create_connection(address, timeout=60):
            exporter.process.terminate()
            code = exporter.process.wait(60)
            seconds = time.monotonic() - begin
        require(code == 0 and seconds < DEADLINE_SECONDS, f"exit code {code} after {seconds:.1f} s")
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(address, timeout=5).close()
            require(False, "it still listens")


@test
def many_scrapes_at_once(bench):
    with exporting(bench, *LISTEN) as exporter, ThreadPoolExecutor(24) as pool:
        wanted = act(bench)
        wait_handshakes(exporter, wanted)
        forms = [PLAIN, OPENMETRICS] * 60
        for metrics in pool.map(exporter.scrape, forms):
            require(metrics.handshakes() == wanted, f"{metrics.handshakes()}")


@test
@takes_long
def slow_clients_block_nobody(bench):
    """Silent, half, and greedy without reading: a scrape beside them does not wait until their time is over."""
    with exporting(bench, *LISTEN) as exporter, contextlib.ExitStack() as stack:
        slow, begin = [], time.monotonic()
        for sent in [b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"] * 10:
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.connect(exporter.address)
            sock.sendall(sent)
            slow.append(sock)
        bench.visit()
        wait_handshakes(exporter, {("client", "ok"): 1})
        require(time.monotonic() - begin < DEADLINE_SECONDS, f"took {time.monotonic() - begin:.1f} s")
        drip(slow[1], begin)
        # With more of them than may be connected, it is their deadline that lets others in.
        for _ in range(40):
            stack.enter_context(socket.create_connection(exporter.address, timeout=60))
        answer = exporter.ask(seconds=6 * DEADLINE_SECONDS)
        require(answer.status == 200, f"status {answer.status}")


def drip(sock, begin):
    """A byte now and then: it is not silence that ends a connection."""
    with contextlib.suppress(OSError):
        while time.monotonic() - begin < 4 * DEADLINE_SECONDS:
            sock.sendall(b"a")
            time.sleep(0.2)
    seconds = time.monotonic() - begin
    require(seconds < 3 * DEADLINE_SECONDS, f"a dripping connection lasted {seconds:.1f} s")
