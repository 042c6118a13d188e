# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of an nginx's life while it is watched: upgraded, orphaned, run without a master or as a daemon, with thread
pools, under other names, with a library that was replaced on disk. Run by cli.py; every handshake is counted.
"""
import collections
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

from lab import clients, container, nginx
from lab.bench import require, takes_long, test

GOOD, BAD = 4, 2
ONE_ROUND = {"ok": GOOD, "our_certificate_unknown_ca": BAD}
CONFIGURATION = """\
daemon {daemon};
master_process {master};
user {user};
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log info;
{main}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {dir}/temp-body; proxy_temp_path {dir}/temp-proxy; fastcgi_temp_path {dir}/temp-fastcgi;
    uwsgi_temp_path {dir}/temp-uwsgi; scgi_temp_path {dir}/temp-scgi;
    ssl_certificate {pki}/leaf.pem;
    ssl_certificate_key {pki}/leaf.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{ listen 127.0.0.1:{port} ssl; location / {{ {location} }} }}
}}
"""


class Server:
    """An nginx of one worker, however it is started. What it left running is ended with it."""

    def __init__(self, bench, directory, daemon="off", master="on", main="", location='return 200 "ok";'):
        self.dir, self.port = directory, bench.rig.ports.take()
        self.host, self.source, self.pki = "127.0.0.1", None, bench.rig.pki
        self.pid_file = os.path.join(directory, "nginx.pid")
        self.conf = os.path.join(directory, "nginx.conf")
        self.process, self.groups, self.alone = None, set(), master == "off"
        with open(self.conf, "w") as file:
            file.write(CONFIGURATION.format(dir=directory, pki=bench.rig.pki.dir, port=self.port, daemon=daemon,
                                            main=main, master=master, location=location, user="www-data"))

    def start(self, program="/usr/sbin/nginx", title=None, environment=None):
        self.process = subprocess.Popen([title or program, "-p", self.dir, "-c", self.conf], executable=program,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=environment, start_new_session=True)
        nginx.wait_until(lambda: self.pid and (self.alone or self.workers()), 20, "nginx is up")
        self.groups |= {self.process.pid, self.pid}
        return self

    @property
    def pid(self):
        """What nginx says its master is: listeners are bound by then. 0: not yet."""
        return int(container.read(self.pid_file) or 0)

    def workers(self, master=0):
        return container.children(master or self.pid)

    def visit(self):
        for _ in range(GOOD):
            require(clients.tls()(self), "nginx does not serve")
        for _ in range(BAD):
            clients.refuse(48)(self)

    def stop(self):
        """Whatever is left of it, orphans too: they stay in the group they were born in."""
        for group in self.groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def server(bench, **options):
    with tempfile.TemporaryDirectory(prefix="tlswhy-life-") as directory:
        os.chmod(directory, 0o755)
        made = Server(bench, directory, **options)
        try:
            yield made
        finally:
            if made.process:
                made.stop()


def port_counts(events, port):
    """By cause, of one listener."""
    return collections.Counter(event["cause"] for event in events if event["local_port"] == port)


def watch_rounds(bench, made, acts, pid=None):
    """A round of handshakes after each act; all are counted and nothing else, by one worker or by several."""
    with bench.tracing(pid) as traced:
        wanted = collections.Counter()
        for act in acts:
            act()
            made.visit()
            wanted += collections.Counter(ONE_ROUND)
        traced.wait_events(lambda events: sum(port_counts(events, made.port).values()) >= sum(wanted.values()))
    require(not traced.rubbish, f"output {traced.rubbish}")
    events = [event for _, event in traced.events if event["local_port"] == made.port]
    found = port_counts(events, made.port)
    require(found == wanted, f"counted {dict(found)}, must be {dict(wanted)}; {open(traced.stderr_path).read()}")
    return events


def nothing():
    pass


def upgrade(made, gone):
    """USR2, WINCH, QUIT: a new master beside the old one, then instead of it. Only a daemon obeys USR2."""
    old = made.pid
    workers = made.workers()

    def replace():
        os.kill(old, signal.SIGUSR2)
        nginx.wait_until(lambda: made.pid not in (0, old) and made.workers(), 20, "the new master's workers")
        os.kill(old, signal.SIGWINCH)
        nginx.wait_until(lambda: not set(workers) & set(made.workers(old)), 20, "the old workers gone")

    def leave():
        os.kill(old, signal.SIGQUIT)
        nginx.wait_until(lambda: gone(old), 20, "the old master gone")
    return [nothing, replace, leave]


def is_gone(pid):
    """A zombie, which our own child is until we wait for it, is gone too."""
    return b"\nState:\tZ" in container.read(f"/proc/{pid}/status") or not os.path.exists(f"/proc/{pid}")


def counted_so_far(traced, made):
    """What was counted before a handshake of another kind: it is told after everything before it."""
    clients.refuse(44)(made)
    last = "our_certificate_revoked"
    require(traced.wait_events(lambda events: port_counts(events, made.port)[last], 20), f"no {last}")
    return port_counts([event for _, event in traced.events], made.port)


@test
def binary_upgrade(bench):
    with server(bench, daemon="on") as made:
        made.start()
        old = made.workers()[0]
        events = watch_rounds(bench, made, upgrade(made, is_gone))
        pids = {event["pid"] for event in events}
        require(len(pids) == 2 and old in pids, f"pids {pids}, the old worker is {old}")


@test
def binary_upgrade_of_one_that_was_named(bench):
    """With -p the new master is one of ours because it was started by ours."""
    with server(bench, daemon="on") as made:
        made.start()
        watch_rounds(bench, made, upgrade(made, is_gone), made.pid)


@test
def binary_upgrade_to_another_file(bench):
    """The program on disk is another one by the time of the upgrade."""
    with server(bench, daemon="on") as made:
        program = shutil.copy("/usr/sbin/nginx", os.path.join(made.dir, "nginx"))
        made.start(program)

        def replace_file():
            shutil.copy("/usr/sbin/nginx", program + ".new")
            os.rename(program + ".new", program)
        first, replace, leave = upgrade(made, is_gone)
        with bench.tracing(None) as traced:
            first()
            made.visit()
            replace_file()
            replace()
            pids = set(made.workers())
            seen = lambda: clients.tls()(made) and any(event["pid"] in pids for _, event in traced.events)
            nginx.wait_until(seen, 20, "an event of the new binary's worker")
            leave()
            before = counted_so_far(traced, made)
            made.visit()
            wanted = before + collections.Counter(ONE_ROUND)
            traced.wait_events(lambda events: sum(port_counts(events, made.port).values()) >= sum(wanted.values()))
            found = port_counts([event for _, event in traced.events], made.port)
        require(found == wanted, f"counted {dict(found)}, must be {dict(wanted)}")


@test
def master_killed(bench):
    """Its workers serve on, as children of somebody else."""
    with server(bench) as made:
        made.start()
        master, workers = made.pid, made.workers()

        def kill():
            os.kill(master, signal.SIGKILL)
            nginx.wait_until(lambda: is_gone(master), 20, "the master gone")
        for pid in (None, master):
            if pid:
                made.stop()
                os.unlink(made.pid_file)
                made.start()
                master, workers = made.pid, made.workers()
            events = watch_rounds(bench, made, [nothing, kill, nothing], pid and master)
            require({event["pid"] for event in events} == set(workers), f"workers {workers}")


@test
def orphans_found_at_the_start(bench):
    """Attached when the master is dead already."""
    with server(bench) as made:
        made.start()
        worker = made.workers()[0]
        os.kill(made.pid, signal.SIGKILL)
        nginx.wait_until(lambda: is_gone(made.pid), 20, "the master gone")
        for pid in (None, worker):
            events = watch_rounds(bench, made, [nothing], pid)
            require({event["pid"] for event in events} == {worker}, f"worker {worker}")


@test
def thread_pools(bench):
    """Threads come and go inside a worker; they are no processes."""
    location = "aio threads; sendfile off; root /usr/share/doc/nginx;"
    with server(bench, main="thread_pool default threads=8;", location=location) as made:
        made.start()
        worker = made.workers()[0]
        nginx.wait_until(lambda: len(os.listdir(f"/proc/{worker}/task")) > 8, 20, "threads")
        with bench.tracing(made.pid) as traced:
            for _ in range(20):
                clients.tls(request=b"GET /copyright HTTP/1.0\r\n\r\n")(made)
            traced.wait_events(lambda events: len(events) >= 20)
            os.kill(made.pid, signal.SIGHUP)
            nginx.wait_until(lambda: worker not in made.workers(), 20, "the old worker gone")
            clients.tls(request=b"GET /copyright HTTP/1.0\r\n\r\n")(made)
            traced.wait_events(lambda events: len(events) >= 21)
        found = port_counts([event for _, event in traced.events], made.port)
        require(found == {"ok": 21}, f"counted {dict(found)}")


@test
def daemon_on(bench):
    with server(bench, daemon="on") as made:
        made.start()
        require(made.process.pid != made.pid, "it is no daemon")
        watch_rounds(bench, made, [nothing])


@test
def without_a_master(bench):
    """One process that is both, and has no title; named, found, and started later."""
    with server(bench, master="off") as made:
        made.start()
        for pid in (None, made.pid):
            events = watch_rounds(bench, made, [nothing], pid)
            require({event["pid"] for event in events} == {made.pid}, f"pid {made.pid}")


def angie(directory):
    """nginx that calls its processes angie's."""
    with open("/usr/sbin/nginx", "rb") as file:
        program = file.read()
    require(program.count(b"nginx: \0") == 1, "this nginx has its title's text elsewhere")
    path = os.path.join(directory, "angie")
    with open(path, "wb") as file:
        file.write(program.replace(b"nginx: \0", b"angie: \0"))
    os.chmod(path, 0o755)
    return path


@test
@takes_long
def under_other_names(bench):
    """By their titles or by what their executables export, not by what they are called."""
    for name, title in (("angie", None), ("openresty", None), ("gateway", "gateway"),
                        ("gateway", "nginx: worker process")):
        with server(bench) as made:
            program = os.path.join(made.dir, name)
            made.start(angie(made.dir) if name == "angie" else shutil.copy("/usr/sbin/nginx", program), title)
            said = container.read(f"/proc/{made.pid}/cmdline")
            require(said.startswith(b"angie: master" if name == "angie" else b"nginx: master"), f"title {said}")
            watch_rounds(bench, made, [nothing])
            watch_rounds(bench, made, [nothing], made.pid)


@test
def library_replaced_on_disk(bench):
    """The mapped file is deleted; what has its name now is something else."""
    with server(bench) as made:
        library = next(path for path in container.libraries_of("/usr/sbin/nginx") if "libssl" in path)
        directory = os.path.join(made.dir, "lib")
        os.mkdir(directory)
        copy = shutil.copy(library, directory)
        made.start(environment={**os.environ, "LD_LIBRARY_PATH": directory})
        os.unlink(copy)
        with open(copy, "w") as file:
            file.write("not this one")
        maps = container.read(f"/proc/{made.pid}/maps").decode()
        require(f"{copy} (deleted)" in maps, "the library is not mapped from there")
        watch_rounds(bench, made, [nothing])
        watch_rounds(bench, made, [nothing], made.pid)
