# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of hosts that lack something, and of an nginx that a careless probe would kill. Run by cli.py.

What is taken away is taken away in namespaces of the test's own; the host is never changed.
"""
import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys

from lab import clients, nginx
from lab.bench import require, test

MISSING = 3
TITLE = "nginx: master process /usr/sbin/nginx"
SECCOMP = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lab", "seccomp.py")]


def require_missing(done, *words):
    """A requirement that is missing: exit code 3, one sentence, one hint."""
    require(done.returncode == MISSING, f"exit code {done.returncode}, not {MISSING}: {done.stderr!r}")
    require(done.stderr.startswith("tlswhy: "), f"stderr is {done.stderr!r}")
    for word in (*words, "hint: "):
        require(word in done.stderr, f"no {word!r} in {done.stderr!r}")


@test
def no_nginx(bench):
    """In a PID namespace of its own tlswhy sees no nginx."""
    alone = ("unshare", "--pid", "--fork", "--mount-proc")
    require_missing(bench.run("report", "-d", "1", prefix=alone), "no nginx is running")
    done = bench.run("check", prefix=alone)
    require(done.returncode == MISSING and "none is running" in done.stdout, f"check says {done.stdout!r}")


@test
def no_kernel_types(bench):
    hidden = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh")
    require_missing(bench.run("report", "-d", "1", "-p", bench.pid, prefix=hidden), "/sys/kernel/btf/vmlinux", "BTF")
    done = bench.run("check", "-p", bench.pid, prefix=hidden)
    require(done.returncode == MISSING and "no   kernel types" in done.stdout, f"check says {done.stdout!r}")


@contextlib.contextmanager
def named_like_nginx(*command):
    """A process whose title says that it is a master."""
    with subprocess.Popen([TITLE, *command[1:]], executable=command[0], stdin=subprocess.DEVNULL) as process:
        try:
            yield str(process.pid)
        finally:
            process.kill()


@test
def nginx_by_title_only(bench):
    """A title proves nothing: what is not there is named, and nothing is probed."""
    with named_like_nginx("/usr/bin/sleep", "30") as pid:
        require_missing(bench.run("report", "-d", "1", "-p", pid), "has no TLS in it")


def sibling(bench, name, before=(), environment=None):
    """Another nginx with the bench's configuration on a port of its own, not started by Nginx.start(). And the port."""
    other = nginx.Nginx(os.path.join(bench.rig.dir, name), workers=1)
    port = bench.rig.ports.take()
    with open(bench.rig.nginx.conf) as source:
        text = source.read().replace(bench.rig.nginx.dir, other.dir).replace(str(bench.target.port), str(port))
    with open(other.conf, "w") as file:
        file.write(text.replace("worker_processes 2", "worker_processes 1"))
    other.process = subprocess.Popen([*before, "nginx", "-p", other.dir, "-c", other.conf], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    nginx.wait_until(lambda: len(other.worker_pids()) == 1, 60, "workers")
    return other, port


@test
def library_without_the_functions(bench):
    """nginx with a libssl whose symbol table, as it is in the file, lacks a function that is probed."""
    directory = os.path.join(bench.rig.dir, "maimed")
    os.makedirs(directory, exist_ok=True)
    copy = shutil.copy("/usr/lib/x86_64-linux-gnu/libssl.so.3", directory)
    with contextlib.ExitStack() as stack:
        other, port = sibling(bench, "with-maimed-library", environment={**os.environ, "LD_LIBRARY_PATH": directory})
        stack.callback(other.stop)
        with open(copy, "r+b") as file:
            place = file.read().index(b"\0SSL_free\0")
            file.seek(place + 1)
            file.write(b"SSL_fr_e")
        done = bench.run("check", "-p", str(other.pid))
        require(done.returncode == 0, f"check: {done.returncode}: {done.stdout}{done.stderr}")
        for words in ("through nginx's own functions", "no function 'SSL_free'", "maimed/libssl.so.3"):
            require(words in done.stdout, f"{words!r} is not said: {done.stdout}")
        with bench.tracing(other.pid) as traced:
            target = dataclasses.replace(bench.target, port=port)
            require(clients.tls()(target), "nginx does not serve")
            require(traced.wait_events(lambda events: len(events) >= 1), "no event")
            [event] = [event for _, event in traced.events]
        require((event["direction"], event["cause"], event["version"]) == ("client", "ok", None), f"{event}")
        require(event["peer"] == "127.0.0.1" and event["latency_seconds"] > 0, f"{event}")
        require(other.process.poll() is None, "nginx died")


@test
def seccomp_filter_is_respected(bench):
    """nginx below a filter that kills on unknown system calls is found out on a child, watched, and unharmed."""
    with contextlib.ExitStack() as stack:
        second, port = sibling(bench, "filtered", SECCOMP)
        stack.callback(second.stop)
        worker = second.worker_pids()[0]
        with open(f"/proc/{worker}/status") as file:
            require("Seccomp:\t2" in file.read(), "the filter is not in force")
        done = bench.run("check", "-v", "-p", str(second.pid))
        require("return probe below a seccomp filter: harmless" in done.stderr, f"no self-test: {done.stderr!r}")
        watched = stack.enter_context(bench.tracing(second.pid))
        require(clients.tls()(dataclasses.replace(bench.target, port=port)), "not served while watched")
        require(watched.wait_events(lambda events: len(events) == 1), "the handshake was not seen")
        require(second.worker_pids() == [worker], "the worker died")
