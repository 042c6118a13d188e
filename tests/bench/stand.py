# SPDX-License-Identifier: BSD-2-Clause
"""
What is measured: an nginx of its own, and the load generator; pinned, the worker on one CPU and the generator on the
other.

Invariant: each of the two has its own copies of libssl and libcrypto, so that a probe in nginx's is never hit by the
client. Must not know: who is attached.
"""
import contextlib
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from lab import loadrig, pki, worker # pylint: disable=wrong-import-position

HTTP = """
    error_log {dir}/error.log warn;
    ssl_certificate {pki}/leaf.pem;
    ssl_certificate_key {pki}/leaf.key;
    client_header_timeout 600s;
    server {{ listen 127.0.0.1:{plain} ssl backlog=4096; return 200 "ok"; }}
    server {{
        listen 127.0.0.1:{both} ssl backlog=4096;
        ssl_certificate {pki}/rsa.pem;
        ssl_certificate_key {pki}/rsa.key;
        ssl_certificate {pki}/leaf.pem;
        ssl_certificate_key {pki}/leaf.key;
        return 200 "ok";
    }}
    server {{
        listen 127.0.0.1:{asking} ssl backlog=4096;
        ssl_client_certificate {pki}/ca.pem;
        ssl_verify_client optional;
        return 200 "ok";
    }}
    server {{ listen 127.0.0.1:{status}; location / {{ stub_status; }} }}
"""
LIBRARIES = ("libssl.so", "libcrypto.so")
WORKER_CPU, CLIENT_CPU = 0, 1
WARM_UP = 60
QUIET_SECONDS = 0.01


def copy_libraries(directory):
    """Copies the host's libssl and libcrypto into a new directory, which is returned."""
    os.makedirs(directory)
    os.chmod(directory, 0o755)
    with open("/proc/self/maps") as maps:
        paths = {line.split()[5] for line in maps if any(name in line for name in LIBRARIES)}
    for path in paths:
        shutil.copy(path, directory)
    return directory


def on_cpu(cpu):
    """For Popen's preexec_fn. A machine with one CPU has no choice."""
    return (lambda: os.sched_setaffinity(0, {cpu})) if cpu in os.sched_getaffinity(0) else None


def make_keys(directory):
    os.makedirs(directory)
    os.chmod(directory, 0o755)
    return pki.Pki(directory).create()


def judged(result, key="ecdsa"):
    """A load's account; raises where it cannot serve as a measure, or was signed with another key."""
    reasons = loadrig.void_reasons(result)
    other = "rsa" if key == "ecdsa" else "ecdsa"
    reasons += [f"{kind}: signed with {other}" for kind, counts in result["kinds"].items() if counts["keys"][other]]
    if reasons:
        raise RuntimeError(f"void: {reasons}")
    return result


class Stand:
    """As a context manager nginx runs from `with` to its end."""

    def __init__(self, directory, loadgen, workers=1, pinned=True, keys=None):
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        keys = keys or make_keys(os.path.join(directory, "pki"))
        self.dir, self.pinned = directory, pinned
        self.client_libraries = copy_libraries(os.path.join(directory, "client"))
        self.rig = loadrig.Rig(os.path.join(directory, "nginx"), keys, loadgen, workers=workers)
        self.rig.library_path = copy_libraries(os.path.join(directory, "server"))
        self.both, self.asking = (self.rig.ports.take() for _ in range(2))
        self.rig.nginx.write(http=HTTP.format(dir=self.rig.nginx.dir, pki=keys.dir, plain=self.rig.plain,
                                              both=self.both, asking=self.asking, status=self.rig.status))

    @property
    def server_libraries(self):
        return self.rig.library_path

    @property
    def pid(self):
        return self.rig.nginx.pid

    @property
    def worker(self):
        return self.rig.nginx.worker_pids()[0]

    def __enter__(self):
        self.rig.__enter__()
        if self.pinned and WORKER_CPU in os.sched_getaffinity(0):
            for pid in self.rig.nginx.worker_pids():
                os.sched_setaffinity(pid, {WORKER_CPU})
        return self

    def __exit__(self, *_):
        self.rig.__exit__()

    def start_load(self, mix, *options, port=None):
        """A load that runs; at the listener that has nothing but an ECDSA key where no port is given."""
        command = [self.rig.loadgen, "--port", port or self.rig.plain, *options, "--mix",
                   ",".join(f"{kind}={weight}" for kind, weight in mix.items())]
        return loadrig.Load(subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                             preexec_fn=on_cpu(CLIENT_CPU) if self.pinned else None,
                                             env={**os.environ, "LD_LIBRARY_PATH": self.client_libraries}))

    def load(self, kind, count, concurrency, seconds=120):
        """Runs a load of one kind. The generator's own account of it; raises where it cannot serve as a measure."""
        with self.start_load({kind: 1}, "--count", count, "--concurrency", concurrency, "--seconds", seconds) as load:
            return judged(load.wait(seconds + 90))

    def settled(self):
        """The worker's CPU seconds, once it has nothing to do: until then the last of them are not yet its."""
        ran = worker.ran_seconds(self.worker)
        while True:
            time.sleep(QUIET_SECONDS)
            now = worker.ran_seconds(self.worker)
            if now == ran:
                return now
            ran = now

    def worker_us(self, kind, count):
        """The worker's CPU time a handshake of a load of one connection at a time."""
        before = self.settled()
        carried = self.load(kind, count, 1)["carried"]
        return (self.settled() - before) * 1e6 / carried

    @contextlib.contextmanager
    def awake(self):
        """
        Keeps the worker's CPU from idling, by a process that yields to any other at once: how a CPU comes back from
        idling depends on how long it did, and on a virtual machine on the host. It ends with this process.
        """
        spin = subprocess.Popen(["sh", "-c", f"while kill -0 {os.getpid()}; do :; done"], stderr=subprocess.DEVNULL,
                                preexec_fn=on_cpu(WORKER_CPU))
        os.sched_setscheduler(spin.pid, os.SCHED_IDLE, os.sched_param(0))
        try:
            yield
        finally:
            spin.kill()
            spin.wait()
