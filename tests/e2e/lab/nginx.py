# SPDX-License-Identifier: BSD-2-Clause
"""
A private nginx: its own prefix, configuration and log, its own loopback ports; never the host's service.

It runs in the foreground under a pid that is ours to stop. Must not know: scenarios, tlswhy.
"""
import os
import signal
import subprocess
import time

from lab.place import Host

PROTOCOLS = "TLSv1.2 TLSv1.3" # 1.22 leaves TLS 1.3 out by default
FRAME = """\
{load}
daemon off;
user {user};
worker_processes {workers};
pid {dir}/nginx.pid;
error_log {dir}/error.log info;
{main}
events {{ worker_connections 1024; {events} }}
http {{
    access_log off;
    ssl_protocols {protocols};
    client_body_temp_path {dir}/temp-body;
    proxy_temp_path {dir}/temp-proxy;
    fastcgi_temp_path {dir}/temp-fastcgi;
    uwsgi_temp_path {dir}/temp-uwsgi;
    scgi_temp_path {dir}/temp-scgi;
{http}
}}
stream {{
    ssl_protocols {protocols};
{stream}
}}
mail {{
    auth_http 127.0.0.1:1/;
    ssl_protocols {protocols};
{mail}
}}
"""


def patience():
    """How many times longer than usual one waits here: a machine may be emulated."""
    return float(os.environ.get("TLSWHY_PATIENCE", "1"))


def wait_until(condition, seconds, what):
    """Polls until condition() is true. Raises TimeoutError otherwise; returns condition()'s value."""
    end = time.monotonic() + seconds * patience()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Nginx:
    """One nginx of our own. Used as a context manager it is stopped at the end, whatever happened."""

    def __init__(self, directory, workers=2, user="www-data", place=None, shared=None):
        """shared: what a container must see of the host's files; directory, which is in it, where it is not given."""
        self.dir = directory
        self.place = place or Host()
        self.shared = shared or directory
        self.workers = workers
        self.user = user
        self.conf = os.path.join(directory, "nginx.conf")
        self.error_log = os.path.join(directory, "error.log")
        self.process = None
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)

    def write(self, http="", stream="", mail="", main="", events=""):
        text = FRAME.format(load=self.place.load_modules(), dir=self.dir, user=self.user, workers=self.workers,
                            main=main, events=events, http=http, stream=stream, mail=mail, protocols=PROTOCOLS)
        with open(self.conf, "w") as file:
            file.write(text)

    def start(self, seconds=60):
        """Listeners are bound before workers are made, so that all workers there means all ports there."""
        command = [self.place.nginx_path, "-p", self.dir, "-c", self.conf]
        self.process = self.place.start(command, self.shared, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_until(lambda: self._alive() and len(self.worker_pids()) == self.workers, seconds, "workers")
        return self

    def _alive(self):
        if self.process.poll() is not None:
            raise RuntimeError("nginx: " + self.process.stderr.read().decode())
        return True

    @property
    def pid(self):
        """The master, as the host numbers it."""
        return self.place.pid_of(self.process)

    def worker_pids(self):
        master = self.pid
        if master is None:
            return []
        with open(f"/proc/{master}/task/{master}/children") as file:
            return [int(pid) for pid in file.read().split()]

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        master = self.pid
        if master is not None:
            os.kill(master, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
