# SPDX-License-Identifier: BSD-2-Clause
"""
Handshakes across a path between two network namespaces that is slow, or loses one packet. nginx is at one end, clients
and backends at the other. What was injected is what the path itself measured.
"""
import os
import signal
import threading
import time

from lab import flights, network, raw, worker
from lab.bench import require, takes_long
from lab.moves import judge, median, scenario, shown
from cases_delay import CONTEXTS
from cases_delay_upstream import Backend, Late, request

WAY_SECONDS = 0.04
STOP_SECONDS = 0.3
# Of every connection, the first segment with data that comes from nginx is lost once. Where nginx is its kernel would
# know at once that nothing has been sent.
LOSS = """
table ip lab {
    set seen { type inet_service; size 1000; flags dynamic; }
    chain out {
        type filter hook input priority 0;
        tcp sport %d ip length > 200 tcp dport != @seen add @seen { tcp dport } drop
    }
}
"""


def shake(stand, version=flights.TLS13):
    """Returns (the client's port, seconds from its ClientHello until the server's flight was there)."""
    end = flights.End(CONTEXTS[version], stand.path.far.connect(network.NEAR, stand.ports["ec"]))
    end.sock.settimeout(raw.LIMIT_SECONDS)
    sent = end.send(end.flight())
    answer = end.flight()
    answered = time.monotonic() - sent
    end.send(answer)
    end.finish()
    port = end.sock.getsockname()[1]
    end.sock.close()
    return port, answered


def client_on_path(stand, version):
    """The path has the server's flight, then the client's."""
    port, _ = shake(stand, version)

    def injected():
        turns = stand.path.turns(port) # SYN, its answer, ClientHello; then what is the peer's part
        return {"peer": turns[3][1] + turns[4][1]}
    return injected


def backend_on_path(stand, trips):
    """The path has the SYN and its answer, then so many round trips of TLS."""
    before = len(stand.path.segments)
    request(stand.ports["proxy"], network.NEAR, lambda address: stand.path.far.connect(*address))
    source = next(segment.source for segment in stand.path.segments[before:]
                  if segment.near and segment.port == stand.ports["backend"])
    turns = [seconds for _, seconds in stand.path.turns(source)]
    return {"connect": sum(turns[:2]), "peer": sum(turns[2:2 + 2 * trips])}


def on_slow_path(path, function):
    path.delay = WAY_SECONDS
    try:
        return function()
    finally:
        path.delay = 0.0


def slow_path(stand, what, port, act):
    """Turn by turn without and with 40 ms each way; also what the socket says of the path."""
    bases, acts = stand.trial(port, act, lambda: on_slow_path(stand.path, act))
    judge(f"80 ms path, {what}", bases, acts)
    for name in ("srtt_seconds", "min_rtt_seconds"):
        value = median(act.event[name] for act in acts)
        require(abs(value - 2 * WAY_SECONDS) < 0.01, f"{what}: {name} is {shown(value)} ms")
    require(not any(act.event["retransmits"] for act in bases + acts), f"{what}: something was sent twice")


@scenario
def slow_path_to_a_client(lab):
    stand = lab.apart
    for version in (flights.TLS13, flights.TLS12):
        slow_path(stand, f"client, {version.name}", stand.ports["ec"], lambda: client_on_path(stand, version))


@scenario
@takes_long
def slow_path_to_a_backend(lab):
    stand = lab.apart
    for version, trips in ((flights.TLS13, 1), (flights.TLS12, 2)):
        handler = Late(flights.server_context(*lab.keys("ec"), version))
        with stand.path.far.run(Backend, stand.ports["backend"], handler, network.FAR):
            slow_path(stand, f"backend, {version.name}", stand.ports["backend"],
                      lambda: backend_on_path(stand, trips))


def losing(stand, near, copies):
    """The path loses a segment with data so many times: nginx's first, or the client's second."""
    lost = []

    def drops(segment):
        if segment.near != near or not segment.payload or len(lost) == copies:
            return False
        gone = [other for other in stand.path.of(segment.port if near else segment.source)
                if other.near == near and other.payload and other.went]
        if not near and not gone:
            return False
        lost.append(segment)
        return True
    stand.path.drops = drops
    try:
        port, _ = shake(stand)
    finally:
        stand.path.drops = lambda segment: False

    def injected():
        again = next(segment for segment in stand.path.of(port) if segment.near == near and segment.payload
                     and segment.went and segment.sequence == lost[0].sequence)
        return {"peer": again.came - lost[0].came}
    return injected


def loss(stand, what, near, copies):
    bases, acts = stand.trial(stand.ports["ec"], lambda: shake(stand) and {}, lambda: losing(stand, near, copies))
    judge(what, bases, acts)
    again = [act.event["retransmits"] for act in acts]
    require(again == [copies if near else 0] * len(acts), f"{what}: nginx sent again {again}")


@scenario
def path_loses_a_flight(lab):
    """The client's is no retransmission of nginx's. It is lost twice: its first copy comes too soon to tell."""
    loss(lab.apart, "nginx's flight is lost", near=True, copies=1)
    loss(lab.apart, "client's flight is lost twice", near=False, copies=2)


@scenario
@takes_long
def firewall_loses_nginx_s_flight(lab):
    """nftables, where the client is, who tells how much later its answer came."""
    stand = lab.apart

    def losing_once():
        stand.path.far.command("nft", "-f", "-", input=LOSS % stand.ports["ec"], text=True)
        try:
            return {"peer": shake(stand)[1]}
        finally:
            stand.path.far.command("nft", "delete", "table", "ip", "lab")
    bases, acts = stand.trial(stand.ports["ec"], lambda: {"peer": shake(stand)[1]}, losing_once)
    judge("nginx's flight is lost by nftables", bases, acts)
    require(all(act.event["retransmits"] for act in acts), f"sent again: {[act.event['retransmits'] for act in acts]}")


def stopped_while_connecting(stand):
    """The worker is stopped when the backend's answer to its SYN is on the way, and goes on later."""
    stood, done = [], threading.Event()

    def go_on():
        time.sleep(STOP_SECONDS)
        os.kill(stand.worker, signal.SIGCONT)
        stood.append(time.monotonic())
        done.set()

    def on_segment(segment):
        if not stood and segment.source == stand.ports["backend"] and segment.flags & network.SYN:
            os.kill(stand.worker, signal.SIGSTOP)
            stood.append(time.monotonic())
            threading.Thread(target=go_on).start()
    stand.path.on_segment = on_segment
    try:
        request(stand.ports["proxy"], network.NEAR, lambda address: stand.path.far.connect(*address))
    finally:
        stand.path.on_segment = lambda segment: None
        done.wait(10)
    return {"lag": stood[1] - stood[0]}


@scenario
@takes_long
def worker_stopped_while_it_connects(lab):
    """The connection stands, and nobody goes on with it."""
    stand = lab.apart

    def usual():
        request(stand.ports["proxy"], network.NEAR, lambda address: stand.path.far.connect(*address))
        return {}
    handler = Late(flights.server_context(*lab.keys("ec")))
    with stand.path.far.run(Backend, stand.ports["backend"], handler, network.FAR):
        bases, acts = stand.trial(stand.ports["backend"], usual, lambda: stopped_while_connecting(stand))
    judge("stopped while it connects", bases, acts)
    after = median(act.part("lag") - act.part("lag_before") for act in acts)
    require(after < 0.005, f"{shown(after)} ms of lag are not before the first call")
