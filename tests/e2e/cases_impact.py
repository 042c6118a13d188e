# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of what failed upstream handshakes do to requests: lost, rescued by the next upstream, neither; and of the
budget of the probe that counts the lost ones. Run by cli.py.
"""
import contextlib
import http.client
import os
import signal
import socket
import tempfile
import threading
import time
import types

from lab import backends, nginx
from lab.bench import Bench, report_of, require, test
from lab.raw import LIMIT_SECONDS

REQUESTS = 7
SETTLE_SECONDS = 1.3
FLOOD_SECONDS, FLOOD_BATCH = 60, 200 # at most; at a time
OVER_BUDGET = "redirects and error pages a second"
CONF = """
    upstream rescued {{ server 127.0.0.1:{expired} max_fails=0; server 127.0.0.1:{good} backup max_fails=0; }}
    upstream lost {{ server 127.0.0.1:{expired} max_fails=0; server 127.0.0.1:{plain} backup max_fails=0; }}
    upstream kept {{ server 127.0.0.1:{expired} max_fails=0; server 127.0.0.1:{keeping} backup; keepalive 4; }}
    upstream silent {{ server 127.0.0.1:{silent} max_fails=0; }}
    server {{
        listen 127.0.0.1:{front};
        keepalive_requests 1000000;
        proxy_ssl_protocols TLSv1.2 TLSv1.3;
        proxy_ssl_name lab.test;
        proxy_ssl_verify on;
        proxy_ssl_trusted_certificate {pki}/ca.pem;
        location /rescued {{ proxy_pass https://rescued; }}
        location /lost {{ proxy_pass https://lost; }}
        location /kept {{ proxy_pass https://kept; proxy_http_version 1.1; proxy_set_header Connection ""; }}
        location /silent {{ proxy_pass https://silent; proxy_connect_timeout 1s; }}
        location /moved {{ return 301 /elsewhere; }}
    }}
"""
KEPT_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def keeping(pki):
    """A TLS backend that keeps its connections."""
    made = backends.server_context(pki, "leaf", backends.TLS12, backends.TLS13, *[None] * 5)

    def handler(connection):
        with made.wrap_socket(connection, server_side=True) as secure:
            secure.settimeout(LIMIT_SECONDS)
            while secure.recv(65536):
                secure.sendall(KEPT_ANSWER)
    return handler


BACKENDS = {"expired": backends.tls(cert="expired"), "good": backends.tls(), "keeping": keeping,
            "plain": backends.after_hello(backends.PLAIN_ANSWER), "silent": backends.after_hello()}


@contextlib.contextmanager
def site(bench):
    """A Bench on an nginx of one worker with upstreams of all kinds. ports: {name of CONF: port}"""
    ports = {name: bench.rig.ports.take() for name in ("front", *BACKENDS)}
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tlswhy-impact-"))
        os.chmod(directory, 0o755)
        for name, factory in BACKENDS.items():
            stack.enter_context(backends.Backend(ports[name], factory(bench.rig.pki)))
        server = stack.enter_context(nginx.Nginx(os.path.join(directory, "nginx"), workers=1))
        server.write(http=CONF.format(pki=bench.rig.pki.dir, **ports))
        server.start()
        made = Bench(bench.tlswhy, types.SimpleNamespace(nginx=server, targets=[None], dir=directory))
        made.ports = ports
        yield made


def ask_in_turn(watched, *paths):
    """Statuses of requests on one connection."""
    statuses = []
    front = http.client.HTTPConnection("127.0.0.1", watched.ports["front"], timeout=LIMIT_SECONDS)
    with contextlib.closing(front):
        for path in paths:
            front.request("GET", path)
            answer = front.getresponse()
            answer.read()
            statuses.append(answer.status)
    return statuses


def ask(watched, path, times=REQUESTS):
    """Statuses of requests, each on a connection of its own."""
    return [status for _ in range(times) for status in ask_in_turn(watched, path)]


def report_while(watched, act):
    """(report, text of the same report) of a watch during act(its process)."""
    path = os.path.join(watched.rig.dir, "impact.rec")
    with watched.watching("report", "-d", "600", "--format", "json", "--record", path) as process:
        act(process)
        time.sleep(SETTLE_SECONDS)
        process.send_signal(signal.SIGINT)
        report = report_of(process)
    text = watched.run("report", "-i", path).stdout
    os.unlink(path)
    return report, " ".join(text.split())


def impacts(report):
    """{cause: (lost, rescued, addresses of the peers)} of the failed upstream handshakes."""
    return {row["cause"]: (row["requests"]["lost"], row["requests"]["rescued"],
                           sorted(peer["address"] for peer in row["peers"]["top"]))
            for row in report["causes"] if row["direction"] == "upstream"}


def require_impact(bench, path, status, times, **want):
    """
    Requests are answered with status, and reports say for each cause {backend: (lost, rescued)}, in JSON and in text.
    """
    with site(bench) as watched:
        def act(_):
            statuses = ask(watched, path, times)
            require(statuses == [status] * times, f"{path}: answered {statuses}, not {status}")
        report, text = report_while(watched, act)
        wanted = {cause: (lost, rescued, [f"127.0.0.1:{watched.ports[backend]}"])
                  for cause, (backend, lost, rescued) in want.items()}
        require(impacts(report) == wanted, f"{path}: {impacts(report)}, not {wanted}")
        require(report["requests_incomplete"] is False, f"{path}: requests_incomplete")
        for cause, (_, lost, rescued) in want.items():
            line = f"requests: {lost} answered with 502 or 504 for it, {rescued} rescued by another upstream"
            require((line in text) == (lost + rescued > 0), f"{cause}: {line!r} is wrong in {text!r}")


@test
def requests_rescued(bench):
    require_impact(bench, "/rescued", 200, REQUESTS, peer_certificate_expired=("expired", 0, REQUESTS))


@test
def requests_lost(bench):
    """Both upstreams fail: the request is put down to the last failure, once."""
    require_impact(bench, "/lost", 502, REQUESTS, peer_certificate_expired=("expired", 0, 0),
                   plain_http=("plain", REQUESTS, 0))


@test
def requests_lost_to_a_timeout(bench):
    require_impact(bench, "/silent", 504, 2, timeout_before_hello=("silent", 2, 0))


@test
def redirects_are_not_lost(bench):
    """
    Answers of nginx's own that no upstream is to blame for. The second /kept is rescued by a connection that is there
    already, which no handshake tells: a redirect on the same client's connection must not be taken for its answer.
    """
    with site(bench) as watched:
        def act(_):
            statuses = ask(watched, "/kept", 1) + ask_in_turn(watched, "/kept", "/moved", "/moved")
            require(statuses == [200, 200, 301, 301], f"answered {statuses}")
            require(ask(watched, "/moved", 500) == [301] * 500, "/moved is not")
        report, _ = report_while(watched, act)
        count = [row["count"] for row in report["causes"]]
        counts = [row[:2] for row in impacts(report).values()]
    require(count == [2] and counts == [(0, 1)], f"{count} failures, requests {counts}")
    require(report["requests_incomplete"] is False, "requests_incomplete")


def flood(port, enough):
    """Requests for a redirect, pipelined, as many as nginx takes, until enough(). How many were answered."""
    batch = b"GET /moved HTTP/1.1\r\nHost: lab.test\r\n\r\n" * FLOOD_BATCH
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS) as sock:
        answers = []
        def read():
            with contextlib.suppress(OSError):
                while chunk := sock.recv(1 << 20):
                    answers.append(chunk)
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        end = time.monotonic() + FLOOD_SECONDS
        while not enough() and time.monotonic() < end:
            sock.sendall(batch)
        sock.shutdown(socket.SHUT_WR)
        reader.join(LIMIT_SECONDS)
    return b"".join(answers).count(b"HTTP/1.1 301 ")


@test
def many_redirects_end_the_counting(bench):
    """Above its budget the probe is taken away, and it is said; handshakes are still counted, nginx unharmed."""
    with site(bench) as watched:
        worker = watched.rig.nginx.worker_pids()
        answered = []
        def act(process):
            answered.append(flood(watched.ports["front"], lambda: OVER_BUDGET in process.said()))
            require(OVER_BUDGET in process.said(), f"{answered[0]} redirects were not over the budget")
            require(ask(watched, "/lost", 2) == [502, 502], "/lost is not")
        report, text = report_while(watched, act)
        require(answered[0] > 1000, f"only {answered[0]} redirects: no flood")
        require(watched.rig.nginx.worker_pids() == worker, "the worker died")
    require(report["requests_incomplete"] is True, "requests_incomplete is not true")
    require("Requests lost may be more than is said" in text, f"the text does not say so: {text!r}")
    require(report["exact"] is True and impacts(report)["plain_http"][0] == 0, f"impacts {impacts(report)}")
    failed = {row["cause"]: row["count"] for row in report["causes"]}
    require(failed == {"peer_certificate_expired": 2, "plain_http": 2}, f"causes {failed}")


@test
def requests_rescued_of_one_client(bench):
    """Requests of a kept client connection are told apart: each is rescued on its own."""
    with site(bench) as watched:
        def act(_):
            statuses = ask_in_turn(watched, *["/rescued"] * REQUESTS)
            require(statuses == [200] * REQUESTS, f"answered {statuses}")
        report, _ = report_while(watched, act)
        found = [row[:2] for row in impacts(report).values()]
    require(found == [(0, REQUESTS)], f"requests lost and rescued: {found}, not {(0, REQUESTS)}")
