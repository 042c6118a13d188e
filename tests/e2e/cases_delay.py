# SPDX-License-Identifier: BSD-2-Clause
"""
Handshakes with clients on loopback that are late for one reason: the client waits, the worker is stopped, its CPU is
taken away, its key costs more. Each moves its own part.
"""
import socket
import time

from lab import flights, worker
from lab.bench import require, takes_long
from lab.moves import NEAR_SECONDS, judge, median, scenario, shown

CLIENT_SECONDS, STOP_SECONDS, HOG_SECONDS = 0.2, 0.3, 0.1
SHORT_SECONDS = 0.007 # less than two ticks of any kernel: no stamp that is kept in ticks tells it
ACK_SECONDS, LONGEST_TICK = 0.04, 0.01
HOG_AFTER_SECONDS = 0.004 # the worker is in the middle of a signature then
CONTEXTS = {version: flights.client_context(version) for version in (flights.TLS12, flights.TLS13)}
COST_TIMES, COST_SECONDS = 60, 0.0005


def client(port, version=flights.TLS13):
    return flights.End(CONTEXTS[version], socket.create_connection(("127.0.0.1", port), timeout=30))


def close(end):
    end.sock.close()


def shake(port, version=flights.TLS13, before_hello=0.0, within_hello=0.0, between=0.0):
    """A handshake whose client is slow where it says; the peer's, from its first byte on."""
    end = client(port, version)
    flights.pause(before_hello)
    hello, waited = end.flight(), 0.0
    if within_hello:
        end.send(hello[:100])
        waited += flights.pause(within_hello)
        hello = hello[100:]
    end.send(hello)
    answer = end.flight()
    if between:
        waited += flights.pause(between)
    end.send(answer)
    end.finish()
    close(end)
    return {"peer": waited}


def slow_client(stand, what, **slowness):
    port = stand.ports["ec"]
    version = slowness.pop("version", flights.TLS13)
    bases, acts = stand.trial(port, lambda: shake(port, version), lambda: shake(port, version, **slowness))
    judge(what, bases, acts)


@scenario
def client_waits_between_flights(lab):
    slow_client(lab.near, "TLS 1.3, client's second flight", between=CLIENT_SECONDS)
    slow_client(lab.near, "TLS 1.2, client's second flight", between=CLIENT_SECONDS, version=flights.TLS12)


@scenario
@takes_long
def client_waits_within_its_hello(lab):
    slow_client(lab.near, "within the ClientHello", within_hello=CLIENT_SECONDS)


@scenario
@takes_long
def client_waits_before_its_hello(lab):
    """The handshake has not begun: it is nobody's delay."""
    slow_client(lab.near, "before the ClientHello", before_hello=CLIENT_SECONDS)


def coarse(acts, part):
    """In how many of them a part is told to be good to a tick only."""
    found = [act.event["resolution_seconds"][part] for act in acts]
    require(all(seconds is None or 0 < seconds <= LONGEST_TICK for seconds in found), f"resolution of {part}: {found}")
    return sum(seconds is not None for seconds in found)


def stopped_between_flights(stand, seconds):
    """The client's second flight finds the worker stopped."""
    end = client(stand.ports["ec"])
    end.send(end.flight())
    answer = end.flight()
    with worker.Stopped(stand.worker) as stop:
        sent = end.send(answer)
        time.sleep(seconds)
        late = stop.go_on() - (sent - stop.since)
    end.finish()
    close(end)
    return {"lag": late}


def stopped_before_accept(stand, seconds):
    with worker.Stopped(stand.worker) as stop:
        end = client(stand.ports["ec"])
        sent = end.send(end.flight())
        time.sleep(seconds)
        late = stop.go_on() - (sent - stop.since)
    end.finish()
    close(end)
    return {"lag": late}


def stopped_within_a_call(stand):
    """While it signs, which takes a while. It neither runs then nor is it ready to."""
    end = client(stand.ports["long"])
    end.send(end.flight())
    time.sleep(HOG_AFTER_SECONDS)
    with worker.Stopped(stand.worker) as stop:
        time.sleep(STOP_SECONDS)
        late = stop.go_on()
    end.finish()
    close(end)
    return {"unattributed": late}


@scenario
def worker_stopped_between_flights(lab):
    stand, port = lab.near, lab.near.ports["ec"]
    for seconds, near in ((STOP_SECONDS, NEAR_SECONDS), (SHORT_SECONDS, SHORT_SECONDS / 4)):
        bases, acts = stand.trial(port, lambda: shake(port), lambda: stopped_between_flights(stand, seconds))
        judge(f"stopped between flights for {shown(seconds)} ms", bases, acts, near)
        before = median(act.part("lag_before") for act in acts) - median(act.part("lag_before") for act in bases)
        require(abs(before) < near, f"lag before the first call moved by {shown(before)} ms")
        # The kernel acknowledges by a timer what nobody reads, and the stamp of the data is no longer the last one.
        require(coarse(acts, "lag") > len(acts) / 2 if seconds > ACK_SECONDS else not coarse(acts, "lag"),
                f"lag is good to a tick in {coarse(acts, 'lag')} of {len(acts)}")
        require(not coarse(bases, "lag"), "lag that is not there is told to be good to a tick")


@scenario
def worker_stopped_before_accept(lab):
    stand, port = lab.near, lab.near.ports["ec"]
    for seconds, near in ((STOP_SECONDS, NEAR_SECONDS), (SHORT_SECONDS, SHORT_SECONDS / 4)):
        bases, acts = stand.trial(port, lambda: shake(port), lambda: stopped_before_accept(stand, seconds))
        judge(f"stopped before accept() for {shown(seconds)} ms", bases, acts, near)
        after = median(act.part("lag") - act.part("lag_before") for act in acts)
        require(after < near, f"{shown(after)} ms of lag are not before the first call")


@scenario
@takes_long
def worker_stopped_within_a_call(lab):
    """It neither ran nor was it ready to: nobody's time, and told as such."""
    port = lab.long.ports["long"]
    bases, acts = lab.long.trial(port, lambda: shake(port), lambda: stopped_within_a_call(lab.long))
    judge("stopped within a call", bases, acts)
    require(coarse(acts, "cpu") == len(acts) and not coarse(bases, "cpu"),
            f"CPU is good to a tick in {coarse(acts, 'cpu')} of {len(acts)}, and in {coarse(bases, 'cpu')}")


def hogged(stand, hog):
    """What is injected is for how long the worker was ready and did not run, by the scheduler's account."""
    before = worker.run_delay_seconds(stand.worker)
    end = client(stand.ports["long"])
    end.send(end.flight())
    hog.burn(HOG_AFTER_SECONDS, HOG_SECONDS)
    end.finish()
    close(end)
    burnt, waited = hog.burnt(), worker.run_delay_seconds(stand.worker) - before
    require(waited > 0.8 * burnt, f"lab: the hog took {shown(burnt)} ms, the worker missed {shown(waited)} ms")
    return {"preempted": waited}


@scenario
def cpu_taken_within_a_call(lab):
    port = lab.long.ports["long"]
    with worker.pinned(lab.long.worker) as cpu, worker.Hog(cpu) as hog:
        bases, acts = lab.long.trial(port, lambda: shake(port), lambda: hogged(lab.long, hog))
    judge("a hog on the worker's CPU", bases, acts)


def cost(stand, port):
    """(Acts, the worker's own CPU time for one of them)"""
    stand.acts(port, [lambda: shake(port)])
    before = worker.ran_seconds(stand.worker)
    acts = stand.acts(port, [lambda: shake(port)] * COST_TIMES)
    return acts, (worker.ran_seconds(stand.worker) - before) / COST_TIMES


@scenario
def a_dearer_key(lab):
    """RSA-4096 against P-256: what the worker's CPU time says of the difference, the part cpu says."""
    (bases, cheap), (acts, dear) = (cost(lab.near, lab.near.ports[name]) for name in ("ec", "rsa"))
    acts = [act._replace(injected={"cpu": dear - cheap}) for act in acts]
    judge("RSA-4096 instead of P-256", bases, acts, near=COST_SECONDS)
