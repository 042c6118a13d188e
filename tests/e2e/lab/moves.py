# SPDX-License-Identifier: BSD-2-Clause
"""
What moved: the parts of handshakes that nothing was done to against those of handshakes that were delayed by a known
time, turn by turn, on a traced nginx with one worker.

What was injected is measured by who injects it, never by tlswhy. A machine that was busy with something else is told
by the scheduler's account of the worker and of the client, never by the parts. Must not know: how a delay is made.
"""
import functools
import os
import statistics
import typing

from lab import nginx, resources, tracer, worker
from lab.bench import require, test

PARTS = ("connect", "lag", "peer", "cpu", "preempted", "unattributed")
TIMES = 9
NEAR_SECONDS, NEAR_RATIO = 0.005, 0.10
SUM_SECONDS = 0.000010
BUSY_SECONDS = 0.002 # of delay by others, at the median: then the machine was not ours
EVENT_SECONDS = 30


class Disturbed(AssertionError):
    """It did not come out right, and the machine was busy with something else."""


class Act(typing.NamedTuple):
    """One handshake. injected: {part: seconds}; busy: seconds that worker and client were kept from running."""
    event: dict
    injected: dict
    worker_busy: float
    client_busy: float

    def part(self, name):
        return self.event["parts"][name + "_seconds"] or 0.0


def scenario(function):
    """Registers a test that is done again, once, where the machine was too busy to tell."""
    @test
    @functools.wraps(function)
    def run(lab):
        try:
            function(lab)
        except Disturbed as error:
            print(f"# {function.__name__}: once more: {error}", flush=True)
            function(lab)
    return run


class Stand:
    """A traced nginx with one worker, until the stack ends."""

    def __init__(self, stack, tlswhy, directory, http, place=None):
        self.nginx = nginx.Nginx(directory, workers=1, place=place)
        self.nginx.write(http=http)
        stack.enter_context(self.nginx)
        self.nginx.start()
        self.traced = tracer.Tracer(tlswhy, self.nginx.pid, os.path.join(directory, "trace.err"))
        stack.enter_context(self.traced)
        self.traced.wait_ready()
        self.worker = self.nginx.worker_pids()[0]
        worker.give_precedence(self.worker)

    def events_of(self, port):
        """Of a listener's port, or a backend's."""
        return [event for _, event in self.traced.events
                if event["port" if event["direction"] == "upstream" else "local_port"] == port]

    def acts(self, port, functions):
        """
        Calls each function, which makes one handshake, to its end, and returns by what it delayed which parts, or a
        function that tells it when all is over. Returns an Act for each.
        """
        before, done = len(self.events_of(port)), []
        for function in functions:
            busy = [worker.run_delay_seconds(pid) for pid in (self.worker, "thread-self")]
            injected = function()
            done.append((injected, *(worker.run_delay_seconds(pid) - seconds
                                     for pid, seconds in zip((self.worker, "thread-self"), busy))))
        told = self.traced.wait_events(lambda _: len(self.events_of(port)) >= before + len(done), EVENT_SECONDS)
        events = self.events_of(port)[before:]
        require(told and len(events) == len(done), f"port {port}: {len(events)} events, not {len(done)}: {events[-2:]}")
        blind = [event for event in events if event["direction"] == "upstream" and unknown_parts(event) == ["connect"]]
        missed = resources.missed_runs(self.traced.process.pid) if blind else 0
        if missed:
            raise Disturbed(f"{len(blind)} connects were not seen, the kernel left out {missed} runs of a program")
        return [Act(event, delay() if callable(delay) else delay, *busy)
                for event, (delay, *busy) in zip(events, done)]

    def trial(self, port, usual, delayed, times=TIMES):
        """Turn by turn; the first one of all is not counted. (usual Acts, delayed Acts)"""
        _, *acts = self.acts(port, [usual, *[usual, delayed] * times])
        return acts[0::2], acts[1::2]


def median(values):
    return statistics.median(list(values))


def shown(seconds):
    return f"{seconds * 1000:.1f}"


def parts_due(event):
    """Those that a handshake of its direction has."""
    return [name for name in PARTS if name != "connect" or event["direction"] == "upstream"]


def unknown_parts(event):
    return [name for name in parts_due(event) if event["parts"][name + "_seconds"] is None]


def sum_faults(event):
    """The parts add up to the whole, and what was measured is not null."""
    parts, names = event["parts"], parts_due(event)
    if unknown_parts(event):
        return [f"{unknown_parts(event)} not measured in {event}"]
    total = sum(parts[name + "_seconds"] for name in names)
    faults = [] if abs(total - event["whole_seconds"]) <= SUM_SECONDS else [f"parts add up to {total} in {event}"]
    if event["direction"] == "client" and parts["connect_seconds"] is not None:
        faults.append(f"connect of a client in {event}")
    if parts["lag_before_seconds"] > parts["lag_seconds"]:
        faults.append(f"more lag before the first call than lag in {event}")
    return faults


def compare(bases, acts, near):
    """Every part must have moved by what was injected into it, which is nothing for most. (figures, faults)"""
    figures, faults = [], []
    for name in PARTS:
        base = median(act.part(name) - act.injected.get(name, 0.0) for act in bases)
        wanted = median(act.injected.get(name, 0.0) for act in acts)
        error = median(act.part(name) - act.injected.get(name, 0.0) for act in acts) - base
        figures.append(f"{name} {shown(wanted + error)}" + (f" ({shown(wanted)})" if wanted else ""))
        if abs(error) > max(near, NEAR_RATIO * wanted):
            faults.append(f"{name} moved by {shown(wanted + error)} ms, injected {shown(wanted)} ms")
    return figures, faults


def judge(what, bases, acts, near=NEAR_SECONDS):
    """Tells what moved by how many ms, what was injected in brackets; raises where the two differ."""
    figures, faults = compare(bases, acts, near)
    worker_busy = median(act.worker_busy for act in bases)
    client_busy = max(median(act.client_busy for act in some) for some in (bases, acts))
    print(f"# {what}: {', '.join(figures)}; busy {shown(worker_busy)}, {shown(client_busy)}", flush=True)
    wrong = [fault for act in bases + acts for fault in sum_faults(act.event)]
    require(not wrong, "; ".join(wrong[:2]))
    if faults and max(worker_busy, client_busy) > BUSY_SECONDS:
        raise Disturbed(f"{what}: {'; '.join(faults)}")
    require(not faults, f"{what}: {'; '.join(faults)}")
