# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of what waits before accept(), with nginx in network namespaces of the tests' own: there nobody else's
connections are counted, so that numbers are compared exactly with what ss and /proc/net/netstat say. Run by cli.py.
"""
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import time

from lab import clients, nginx, place, scenario, watch
from lab.bench import report_of, require, test

LIMIT = 4          # of the accept queue: the kernel takes one more
TOO_MANY = 3       # connections that come on top of a full queue
HALF_OPEN = 7      # handshakes that are begun: more than the kernel lets be under way with that limit
STRANGER = "10.9.9.9"
LOOKS_SECONDS = 3  # in which tlswhy, that looks every second, has looked
CAP_SYS_ADMIN = 21
LISTENER_KEYS = ("master_pid netns address port sockets queue queue_peak queue_limit drops half_open half_open_peak "
                 "half_open_is_bound").split()
NAMESPACE_KEYS = "netns listen_overflows listen_drops request_queue_full".split()


class Elsewhere(place.Host):
    """This host with another network."""
    network, number = None, None

    def enter(self):
        place.check(place.LIBC.setns(self.network, place.CLONE_NEWNET), "setns")

    def run(self, function, *arguments):
        return place.in_thread(lambda: (self.enter(), function(*arguments))[1])

    def start(self, command, _directory, **streams):
        return self.run(lambda: subprocess.Popen(command, **streams))

    def __enter__(self):
        self.network = place.in_thread(place.new_network)
        self.number = os.fstat(self.network).st_ino
        return self

    def __exit__(self, *_):
        os.close(self.network)


class Stand:
    """An nginx with one worker in a network of its own, and what the kernel says of its listener."""

    def __init__(self, bench, elsewhere, name):
        self.place = elsewhere
        self.pki = bench.rig.pki
        self.port = 20443
        self.nginx = nginx.Nginx(os.path.join(bench.rig.dir, name), workers=1, place=elsewhere)
        self.write(self.port)

    def write(self, *ports, options=f"backlog={LIMIT}"):
        listen = f"127.0.0.1:@PORT@ ssl {options}"
        made = [scenario.Scenario(f"backlog-{port}", "http", clients.tls(), (), listen=listen) for port in ports]
        self.nginx.write(**scenario.blocks([self.target(port, row) for port, row in zip(ports, made)]))

    def target(self, port, row=None):
        return scenario.Target(row, self.pki, port, 1, "127.0.0.1", place=self.place)

    def visit(self, port):
        require(self.place.run(clients.tls(), self.target(port)), "nginx does not serve")

    def queue(self):
        """(length, limit) as ss has them."""
        said = self.place.run(lambda: subprocess.run(["ss", "-Hltn", f"sport = :{self.port}"], check=True, text=True,
                                                     capture_output=True, timeout=60).stdout)
        return tuple(int(word) for word in said.split()[1:3])

    def half_open(self):
        with open(f"/proc/{self.nginx.pid}/net/tcp") as table:
            return sum(line.split()[3] == "03" for line in table)

    def counters(self):
        with open(f"/proc/{self.nginx.pid}/net/netstat") as file:
            names, values = [line.split() for line in file if line.startswith("TcpExt:")]
        return {name: int(value) for name, value in zip(names[1:], values[1:])}

    def connect(self):
        """Begins to connect, and does not wait for it."""
        def begin():
            sock = socket.socket()
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(("127.0.0.1", self.port))
            return sock
        return self.place.run(begin)

    @contextlib.contextmanager
    def stopped_worker(self):
        [worker] = self.nginx.worker_pids()
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGCONT)


@contextlib.contextmanager
def stand(bench, name):
    with Elsewhere() as elsewhere:
        made = Stand(bench, elsewhere, name)
        with made.nginx:
            made.nginx.start()
            yield made


def listeners_of(report, master):
    for rows, keys in (("listeners", LISTENER_KEYS), ("namespaces", NAMESPACE_KEYS)):
        for row in report[rows]:
            require(list(row) == keys, f"{rows}: {list(row)}")
    return [row for row in report["listeners"] if row["master_pid"] == master]


def namespace_of(report, number):
    [row] = [row for row in report["namespaces"] if row["netns"] == number]
    return row


def require_row(row, **expected):
    wrong = {key: row[key] for key, value in expected.items() if row[key] != value}
    require(not wrong, f"{wrong}, must be {expected}")


def has_looked():
    time.sleep(LOOKS_SECONDS * nginx.patience())


def overflow(made, stack):
    """Connections until the queue takes no more, and some beyond."""
    waiting = [made.connect() for _ in range(LIMIT + 1)]
    nginx.wait_until(lambda: made.queue() == (LIMIT + 1, LIMIT), 20, "a full queue")
    before = made.counters()["ListenOverflows"]
    beyond = [made.connect() for _ in range(TOO_MANY)]
    nginx.wait_until(lambda: made.counters()["ListenOverflows"] - before >= TOO_MANY, 20, "overflows")
    for sock in beyond: # each would come again and again
        sock.close()
    for sock in waiting:
        stack.callback(sock.close)


@test
def accept_queue_overflows(bench):
    """A stopped worker: the queue, its limit and what is lost are what ss and netstat say, while full and later."""
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(stand(bench, "backlog"))
        with made.stopped_worker(), contextlib.ExitStack() as earlier: # none of this was while it was watched
            overflow(made, earlier)
        nginx.wait_until(lambda: made.queue() == (0, LIMIT), 20, "an empty queue")
        before = made.counters()
        watches = [stack.enter_context(watch.Watch(bench.tlswhy, made.nginx.pid)) for _ in range(2)]
        with made.stopped_worker():
            overflow(made, stack)
            has_looked()
            full, lost = watches[0].finish(), made.counters()
        nginx.wait_until(lambda: made.queue() == (0, LIMIT), 20, "an empty queue")
        later = watches[1].finish()
    lost = {name: lost[name] - before[name] for name in ("ListenOverflows", "ListenDrops")}
    require(lost["ListenOverflows"] >= TOO_MANY, f"nothing was lost: {lost}")
    for report, queue in ((full, LIMIT + 1), (later, 0)):
        [row] = listeners_of(report, made.nginx.pid)
        require_row(row, address="127.0.0.1", port=made.port, sockets=1, queue=queue, queue_peak=LIMIT + 1,
                    queue_limit=LIMIT, drops=lost["ListenDrops"], half_open=0, half_open_is_bound=False)
        require_row(namespace_of(report, row["netns"]), listen_overflows=lost["ListenOverflows"],
                    listen_drops=lost["ListenDrops"], request_queue_full=0)


def syn(port, source_port):
    """The first packet of a handshake from an address that nobody has."""
    source, destination = socket.inet_aton(STRANGER), socket.inet_aton("127.0.0.1")

    def segment(checksum):
        return struct.pack("!HHIIBBHHH", source_port, port, 1, 0, 5 << 4, 2, 1024, checksum, 0)
    pseudo = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(segment(0))) + segment(0)
    total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    total = (total & 0xffff) + (total >> 16)
    total += total >> 16
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment(0)), 1, 0, 64, socket.IPPROTO_TCP, 0, source,
                         destination)
    return header + segment(~total & 0xffff)


def begin_handshakes(port):
    """What is sent back to the stranger goes into the loopback device and is nobody's."""
    subprocess.run(["ip", "route", "add", f"{STRANGER}/32", "dev", "lo"], check=True, timeout=60)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for number in range(HALF_OPEN):
            sock.sendto(syn(port, 4000 + number), ("127.0.0.1", 0))


@test
def half_open_connections(bench):
    """Handshakes of TCP that nobody goes on with, and those for which there is no room."""
    with stand(bench, "half-open") as made, watch.Watch(bench.tlswhy, made.nginx.pid) as watched:
        before = made.counters()
        made.place.run(begin_handshakes, made.port)
        under_way = made.half_open()
        require(0 < under_way < HALF_OPEN, f"{under_way} are half-open")
        has_looked()
        require(made.half_open() == under_way, "the kernel has given up")
        report, after = watched.finish(), made.counters()
        [row] = listeners_of(report, made.nginx.pid)
    require_row(row, queue=0, queue_peak=0, half_open=under_way, half_open_peak=under_way, half_open_is_bound=False)
    full = sum(after[name] - before[name] for name in ("TCPReqQFullDrop", "TCPReqQFullDoCookies"))
    require(full == HALF_OPEN - under_way, f"{full} found no room")
    require_row(namespace_of(report, row["netns"]), listen_overflows=0, request_queue_full=full)


@test
def listeners_of_the_host(bench):
    """In tlswhy's own namespace; and a recording says what its watch would have."""
    path = os.path.join(bench.rig.dir, "backlog.record")
    with bench.watching("record", "-d", "600", "-o", path) as process:
        bench.visit()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    done = bench.run("report", "-i", path, "--format", "json")
    require(done.returncode == 0, f"report -i: {done.returncode} {done.stderr!r}")
    report = json.loads(done.stdout)
    rows = [row for row in listeners_of(report, int(bench.pid)) if row["port"] == bench.target.port]
    require(len(rows) == 1, f"listeners are {report['listeners']}")
    number = os.stat("/proc/self/ns/net").st_ino
    require_row(rows[0], netns=number, address="127.0.0.1", sockets=1, queue=0, queue_limit=511, drops=0)
    require(None not in namespace_of(report, number).values(), f"namespaces are {report['namespaces']}")


def may_enter(pid):
    with open(f"/proc/{pid}/status") as status:
        [line] = [line for line in status if line.startswith("CapEff:")]
    return bool(int(line.split()[1], 16) >> CAP_SYS_ADMIN & 1)


def holds(pid, master):
    """Whether a process has the network namespace of another one open."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(f"/proc/{pid}/fd/{name}") == f"/proc/{master}/net/netstat":
                return True
    return False


@test
def listeners_that_come_and_go(bench):
    """
    Two namespaces, one of an nginx that came later, as far as the privileges that are left allow; what a reload adds;
    and a namespace is not held when its nginx is gone.
    """
    with contextlib.ExitStack() as stack:
        early = stack.enter_context(stand(bench, "early"))
        process, _ = stack.enter_context(bench.watching_all("report", "-d", "600", "--format", "json"))
        late = stack.enter_context(stand(bench, "late"))
        masters = {"early": early.nginx.pid, "late": late.nginx.pid}
        if may_enter(process.pid):
            nginx.wait_until(lambda: holds(process.pid, masters["late"]), 20, "the later nginx in view")
        early.write(early.port, early.port + 1)
        early.nginx.reload()
        nginx.wait_until(lambda: served(early, early.port + 1), 20, "the new listener")
        early.visit(early.port + 1)
        require(holds(process.pid, masters["early"]), "the namespace is not open")
        has_looked()
        late.nginx.stop()
        nginx.wait_until(lambda: not holds(process.pid, masters["late"]), 20, "the namespace let go")
        entered = may_enter(process.pid)
        process.send_signal(signal.SIGINT)
        report = report_of(process)
    rows = listeners_of(report, masters["early"])
    require([row["port"] for row in rows] == [early.port, early.port + 1], f"listeners are {report['listeners']}")
    require({row["netns"] for row in rows} == {early.place.number}, f"listeners are {rows}")
    rows = listeners_of(report, masters["late"])
    require([row["netns"] for row in rows] == [late.place.number] * entered, f"listeners are {rows}")


def served(made, port):
    try:
        return made.place.run(clients.tls(), made.target(port))
    except OSError:
        return False
