# SPDX-License-Identifier: BSD-2-Clause
"""
A private nginx under load: the listeners that the load generator's kinds need, what nginx itself counted (its log
and stub_status), and which handshakes its workers hold open.

Invariant: `expected()` says what nginx must have seen, from the load generator's own counts alone.
Must not know: tlswhy.
"""
import collections
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import unittest.mock
import urllib.request

from lab import nginx, pki, scenario, sockets

HTTP = """
    ssl_certificate {pki}/leaf.pem;
    ssl_certificate_key {pki}/leaf.key;
    server {{ listen 127.0.0.1:{plain} ssl backlog=4096; return 200 "ok"; }}
    server {{
        listen 127.0.0.1:{mtls} ssl backlog=4096;
        ssl_client_certificate {pki}/ca.pem;
        ssl_verify_client on;
        return 200 "ok";
    }}
    server {{ listen 127.0.0.1:{status}; location / {{ stub_status; }} }}
"""

# What nginx 1.22 writes at level info when a kind's connection ends. None: it writes nothing.
LOG_LINES = {
    "ok13": "client closed connection while waiting for request",
    "ok12": "client closed connection while waiting for request",
    "resumed13": "client closed connection while waiting for request",
    "resumed12": "client closed connection while waiting for request",
    "no_shared_cipher": "no shared cipher",
    "version": "unsupported protocol",
    "unknown_ca": "alert unknown ca",
    "mtls_missing": "client sent no required SSL certificate",
    "close_early": "peer closed connection in SSL handshake while",
    "close_mid": "peer closed connection in SSL handshake while",
    "reset": "peer closed connection in SSL handshake (104: Connection reset by peer)",
    "garbage": "routines::unexpected message",
    "plain_http": "client sent plain HTTP request to HTTPS port",
    "request": None,
}

# The causes of tlswhy.report/1 for the kinds that fail.
CAUSES = {
    "no_shared_cipher": "no_shared_cipher",
    "version": "peer_version_too_old",
    "unknown_ca": "our_certificate_unknown_ca",
    "mtls_missing": "peer_certificate_missing",
    "close_early": "peer_closed_before_hello",
    "close_mid": "peer_closed_mid_handshake",
    "reset": "peer_reset",
    "garbage": "unexpected_message",
}

# OpenSSL 3's codes of those that leave an error in its queue.
ERRORS = {"no_shared_cipher": "0A0000C1", "version": "0A000102", "unknown_ca": "0A000418", "garbage": "0A0000F4"}
# The kinds that complete, and what they negotiate.
VERSIONS = {"ok13": "TLSv1.3", "ok12": "TLSv1.2", "resumed13": "TLSv1.3", "resumed12": "TLSv1.2",
            "request": "TLSv1.3"}
# Addresses that connections come from in turn: a prime number, so that no kind keeps to some of them.
SOURCES = 17


def client_hello():
    """The bytes that a real client writes first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = context.wrap_bio(incoming, outgoing, server_hostname=pki.HOST)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Load:
    """One run of the load generator. A context manager: it is ended whatever happens."""

    def __init__(self, process):
        self.process = process
        self.result = None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait()

    def wait(self, seconds=600):
        if self.result is None:
            self.result = json.loads(self.process.communicate(timeout=seconds)[0])
        return self.result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Held:
    """Connections that have sent half a ClientHello and say nothing more."""

    def __init__(self, port, count):
        hello = client_hello()
        self.sockets = []
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port), timeout=60)
            client.sendall(hello[:len(hello) // 2])
            self.sockets.append(client)

    def wait_entered(self):
        """Until every one is inside a handshake: only SSL_do_handshake takes the bytes out of the socket."""
        nginx.wait_until(lambda: sockets.all_read(self.sockets), 60, "held handshakes")
        return self

    def close(self):
        for client in self.sockets:
            client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def copy_library(directory):
    """Copies the host's libssl to a directory below the given one, which is returned."""
    with open("/proc/self/maps") as maps:
        library = next(line.split()[5] for line in maps if "/libssl" in line)
    target = os.path.join(directory, "lib")
    os.mkdir(target)
    os.chmod(directory, 0o755)
    shutil.copy(library, target)
    return target


class Rig:
    """An nginx with a plain TLS listener, one that asks for a client certificate, and its own status."""

    def __init__(self, directory, keys, loadgen, workers=2, own_library=False):
        """own_library: nginx runs with a copy of libssl, so that nobody else's probes are in its code."""
        self.loadgen = loadgen
        self.library_path = copy_library(directory) if own_library else ""
        self.ports = scenario.Ports()
        self.plain, self.mtls, self.status = (self.ports.take() for _ in range(3))
        self.nginx = nginx.Nginx(directory, workers=workers)
        self.nginx.write(http=HTTP.format(pki=keys.dir, plain=self.plain, mtls=self.mtls, status=self.status))
        self.log_offset = self.asked = 0

    def __enter__(self):
        with unittest.mock.patch.dict(os.environ, {"LD_LIBRARY_PATH": self.library_path}):
            self.nginx.start()
        return self

    def __exit__(self, *_):
        self.nginx.stop()

    def load(self, mix, count=0, seconds=600, concurrency=64, rate=0):
        weights = ",".join(f"{kind}={weight}" for kind, weight in mix.items())
        command = [self.loadgen, "--port", self.plain, "--port-mtls", self.mtls, "--count", count, "--seconds",
                   seconds, "--concurrency", concurrency, "--rate", rate, "--sources", SOURCES, "--mix", weights]
        return Load(subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True))

    def status_number(self, pattern):
        self.asked += 1
        with urllib.request.urlopen(f"http://127.0.0.1:{self.status}/", timeout=60) as answer:
            return int(re.search(pattern, answer.read().decode()).group(1))

    def active(self):
        """nginx's connections, the one that asks not counted."""
        return self.status_number(r"Active connections: (\d+)") - 1

    def handled(self):
        """Connections that nginx has taken since it was started, those that asked for its status not counted."""
        return self.status_number(r"requests\n (\d+)") - self.asked

    def wait_quiet(self, held=0):
        """Until nginx has ended every connection but those held: a load's client side ends earlier."""
        nginx.wait_until(lambda: self.active() == held, 60, "nginx's connections ended")

    def wait_lines(self, count):
        """Until nginx has logged so many lines more: so much traffic has come and gone."""
        start = os.path.getsize(self.nginx.error_log)

        def written():
            with open(self.nginx.error_log, "rb") as log:
                log.seek(start)
                return log.read().count(b"\n") >= count
        nginx.wait_until(written, 60, f"{count} lines in the log")

    def mark_log(self):
        self.log_offset = os.path.getsize(self.nginx.error_log)

    def log_counts(self):
        """{text of LOG_LINES: lines since mark_log()}"""
        texts = {text for text in LOG_LINES.values() if text is not None}
        counts = collections.Counter()
        with open(self.nginx.error_log, errors="replace") as log:
            log.seek(self.log_offset)
            for line in log:
                counts.update(text for text in texts if text in line)
        return counts


def void_reasons(result):
    """Why the load cannot serve as a measure; empty when every connection did what its kind prescribes."""
    return [f"{kind}: {counts[what]} {what}" for kind, counts in result["kinds"].items()
            for what in ("connect_errors", "unexpected", "unfinished") if counts[what]]


def log_reasons(result, logged):
    """The same, by nginx's own account: log_counts() against what the load generator counted."""
    wanted = collections.Counter()
    for kind, counts in result["kinds"].items():
        if LOG_LINES[kind] is not None:
            wanted[LOG_LINES[kind]] += counts["carried"]
    return [f"nginx logged '{text}' {logged[text]} times, the load made {wanted[text]}"
            for text in sorted(logged.keys() | wanted.keys()) if logged[text] != wanted[text]]


def expected(result):
    """
    What must be counted: {"begun", "ok", "failed", "resumed", "causes": {cause: count}, "errors": {code: count},
    "versions": {version: count}}; versions are those of handshakes that are ok.
    """
    causes, errors, versions = collections.Counter(), collections.Counter(), collections.Counter()
    for kind, counts in result["kinds"].items():
        if kind in CAUSES:
            causes[CAUSES[kind]] += counts["carried"]
            errors[ERRORS.get(kind)] += counts["carried"]
        else:
            versions[VERSIONS[kind]] += counts["carried"]
    if "resumed12" in result["kinds"]: # its session was learnt by a connection of kind "request"
        versions.update({"TLSv1.3": -1, "TLSv1.2": 1})
    errors.pop(None, None)
    begun, failed = result["carried"], sum(causes.values())
    resumed = sum(counts["resumed"] for counts in result["kinds"].values())
    return {"begun": begun, "ok": begun - failed, "failed": failed, "resumed": resumed, "causes": dict(causes),
            "errors": dict(errors), "versions": {name: count for name, count in versions.items() if count}}


def add(one, other):
    """Two loads' expected counts as one."""
    return {key: dict(collections.Counter(value) + collections.Counter(other[key])) if isinstance(value, dict)
                 else value + other[key] for key, value in one.items()}
