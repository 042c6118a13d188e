# SPDX-License-Identifier: BSD-2-Clause
"""
The cost of being attached, for each handshake that succeeds, in two ways.

Composed, which decides about the programs: how often each program runs and for how long is counted by the kernel, in
tlswhy and in empty programs at the same sites alike, so that what the counting itself costs falls out of their
difference; what a trap costs is measured by a loop of calls of the same functions. It holds all that runs in the
kernel, on whatever CPU, and no more, and resolves tens of nanoseconds.

Direct: the CPU time of nginx's worker, attached less unattached, which also has what the traps and programs push out of
caches and pipeline. One connection at a time, for a worker that waits for a packet after each step sleeps as often with
probes as without; with eight it would sleep less often the slower it is, and a tracer would seem to cost less. Many
short loads, of which the median counts, for what else runs on a machine comes in bursts.

Must not know: goals, how it is told.
"""
import contextlib
import dataclasses
import os
import statistics
import subprocess

import kernel
import variants
from measure import figure, paired, ratio_of_medians
from stand import Stand, WARM_UP, WORKER_CPU, on_cpu

KINDS = {"full": "ok13", "resumed": "resumed13"}
BASE, FLOOR, TLSWHY, BPFTRACE, BPFTRACE_FREE = "nobody", "empty programs", "tlswhy", "bpftrace", "bpftrace + SSL_free"
THEIR_FLOOR = "empty programs at bpftrace's sites"
CALLS = 3000
CALL_ROUNDS = 5


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is measured: rounds, loads of one connection at a time, handshakes of each load."""
    rounds: int = 11
    loads: int = 13
    alone: int = 150
    eight: int = 1600
    counted_rounds: int = 5
    counted: int = 2000


class Bench:
    """The stand, and who may be attached to it."""

    def __init__(self, stand, tools):
        self.stand, self.tools = stand, tools
        library = os.path.join(stand.server_libraries, "libssl.so.3")
        self.makers = {
            BASE: variants.Nobody,
            FLOOR: lambda: variants.Floor(tools.floor, self.attach, self.sites),
            THEIR_FLOOR: lambda: variants.Floor(tools.floor, their_attach, their_sites),
            TLSWHY: lambda: variants.Tlswhy(tools.tlswhy, stand.pid),
            BPFTRACE: lambda: variants.Bpftrace(library),
            BPFTRACE_FREE: lambda: variants.Bpftrace(library, with_free=True),
        }
        self.sites, self.attach = variants.sites_of(self.makers[TLSWHY]())
        their_sites, their_attach = variants.sites_of(self.makers[BPFTRACE_FREE]())

    def rounds(self, names, count):
        """Each of the names attached once a round, each round in another order."""
        names = list(names)
        for turn in range(count):
            for name in names[turn % len(names):] + names[:turn % len(names)]:
                with self.makers[name]() as holder:
                    yield name, holder


def direct(bench, size):
    """{kind: {variant: {"worker_us": [...], "per_second": [...]}}}, one of each a round."""
    names = (BASE, FLOOR, TLSWHY, BPFTRACE)
    found = {kind: {name: {"worker_us": [], "per_second": []} for name in names} for kind in KINDS}
    for name, _ in bench.rounds(names, size.rounds):
        for kind, load in KINDS.items():
            with bench.stand.awake():
                bench.stand.load(load, WARM_UP, 1)
                alone = [bench.stand.worker_us(load, size.alone) for _ in range(size.loads)]
            found[kind][name]["worker_us"].append(statistics.median(alone))
            found[kind][name]["per_second"].append(bench.stand.load(load, size.eight, 8)["per_second"])
    return found


def added(cells, name):
    """Microseconds of the worker's a handshake, attached less unattached, round by round."""
    return [attached - unattached for attached, unattached in zip(cells[name]["worker_us"], cells[BASE]["worker_us"])]


def direct_figures(cells):
    """Of one kind."""
    floor, tlswhy, bpftrace = (added(cells, name) for name in (FLOOR, TLSWHY, BPFTRACE))
    rates = {name: cells[name]["per_second"] for name in cells}
    return {
        "worker_us": figure(cells[BASE]["worker_us"]),
        "added_us": {FLOOR: figure(floor), TLSWHY: figure(tlswhy), BPFTRACE: figure(bpftrace)},
        "to_floor": ratio_of_medians(tlswhy, floor),
        "to_bpftrace": ratio_of_medians(tlswhy, bpftrace),
        "per_second": {name: figure(values) for name, values in rates.items()},
        "throughput": {name: paired(lambda a, b: a / b, rates[name], rates[BASE]) for name in rates},
    }


def call_ns(bench, function):
    """What one call costs, in the quietest batch."""
    done = subprocess.run([bench.tools.calls, function, str(CALLS)], capture_output=True, text=True, check=True,
                          timeout=120, preexec_fn=on_cpu(WORKER_CPU),
                          env={**os.environ, "LD_LIBRARY_PATH": bench.stand.server_libraries})
    return min(map(float, done.stdout.split()))


def traps(bench):
    """
    {floor: {"handshake": figure of microseconds for entry and return, "free": ...}}: what traps cost at tlswhy's sites
    and at bpftrace's, which are placed in another way and perhaps elsewhere.
    """
    found = {floor: {"handshake": [], "free": []} for floor in (FLOOR, THEIR_FLOOR)}
    for _ in range(CALL_ROUNDS):
        before = {function: call_ns(bench, function) for function in found[FLOOR]}
        for floor, functions in found.items():
            with bench.makers[floor]():
                for function, values in functions.items():
                    values.append((call_ns(bench, function) - before[function]) / 1e3)
    return {floor: {function: figure(values) for function, values in functions.items()}
            for floor, functions in found.items()}


def counting_ns(bench):
    """What a counted run costs more than one that is not, for the record: the statistics' own price."""
    found = []
    with bench.makers[FLOOR]():
        for _ in range(CALL_ROUNDS):
            plain = call_ns(bench, "handshake")
            with kernel.statistics():
                found.append((call_ns(bench, "handshake") - plain) / 2)
    return figure(found)


def check_sites(bench):
    """The loop's calls pass the very sites: the empty programs ran once a call, or twice."""
    with kernel.statistics(), bench.makers[FLOOR]() as floor:
        for function, passes in (("handshake", 2), ("free", 1)):
            before = sum(runs for runs, _ in kernel.program_runs(floor.pid).values())
            call_ns(bench, function)
            ran = sum(runs for runs, _ in kernel.program_runs(floor.pid).values()) - before
            if ran < passes * CALLS * 10:
                raise RuntimeError(f"a loop of {function} runs the empty programs {ran} times: it misses the site")


def counted_cell(bench, holder, load, count):
    """{program name: (runs, nanoseconds) a handshake}"""
    bench.stand.load(load, WARM_UP, 8)
    bench.stand.settled()
    names, before = kernel.program_names(), kernel.program_runs(holder.pid)
    carried = bench.stand.load(load, count, 8)["carried"]
    bench.stand.settled()
    found = {}
    for number, (runs, nanoseconds) in kernel.program_runs(holder.pid).items():
        runs, nanoseconds = runs - before[number][0], nanoseconds - before[number][1]
        if runs: # bpftrace gives two of its programs one name
            others = found.get(names[number], (0, 0))
            found[names[number]] = (others[0] + runs / carried, others[1] + nanoseconds / carried)
    return found


def counted(bench, size):
    """{kind: {variant: [counted_cell...]}}"""
    names = (FLOOR, TLSWHY, BPFTRACE, BPFTRACE_FREE)
    found = {kind: {name: [] for name in names} for kind in KINDS}
    with contextlib.ExitStack() as stack:
        stack.enter_context(kernel.statistics())
        for name, holder in bench.rounds(names, size.counted_rounds):
            for kind, load in KINDS.items():
                found[kind][name].append(counted_cell(bench, holder, load, size.counted))
    return found


def run_us(cell):
    return sum(nanoseconds for _, nanoseconds in cell.values()) / 1e3


def hits(cell, *names):
    return sum(runs for name, (runs, _) in cell.items() if not names or name in names)


def composed_figures(cells, trap):
    """
    Of one kind, microseconds a handshake. The loop's traps run empty programs too, so of a variant's programs that part
    counts which is over the empty ones'. A tracepoint's way to its program, some 20 ns, is on neither side.
    """
    handshake, free = (trap[FLOOR][function].median for function in ("handshake", "free"))
    their_handshake, their_free = (trap[THEIR_FLOOR][function].median for function in ("handshake", "free"))
    series = {name: [] for name in (FLOOR, TLSWHY, BPFTRACE, BPFTRACE_FREE)}
    for floor, tlswhy, bpftrace, with_free in zip(*(cells[name] for name in series)):
        calls, empty_ns = hits(floor, "empty_return"), {name: row[1] / row[0] for name, row in floor.items()}
        frees = hits(floor, "empty_entry") - calls
        base = calls * handshake + frees * free
        empty_pair = calls * (empty_ns["empty_entry"] + empty_ns["empty_return"]) / 1e3
        empty_free = frees * empty_ns["empty_entry"] / 1e3
        series[FLOOR].append(base)
        series[TLSWHY].append(base + run_us(tlswhy) - run_us(floor))
        theirs = calls * their_handshake - empty_pair
        series[BPFTRACE].append(theirs + run_us(bpftrace))
        series[BPFTRACE_FREE].append(theirs + frees * their_free - empty_free + run_us(with_free))
    return {
        "added_us": {name: figure(values) for name, values in series.items()},
        "to_floor": paired(lambda a, b: a / b, series[TLSWHY], series[FLOOR]),
        "to_bpftrace": paired(lambda a, b: a / b, series[TLSWHY], series[BPFTRACE]),
        "programs": {name: medians(cells[name]) for name in series},
    }


def medians(cells):
    """{program: {"hits", "ns" a handshake}}"""
    names = sorted({name for cell in cells for name in cell})
    return {name: {"hits": statistics.median(cell.get(name, (0, 0))[0] for cell in cells),
                   "ns": statistics.median(cell.get(name, (0, 0))[1] for cell in cells)} for name in names}


def measure(directory, tools, size, want_composed=True, want_direct=True):
    """{"sites", "direct": {kind: ...}, "composed": {kind: ...}, "traps", "counting_ns"}"""
    with Stand(directory, tools.loadgen) as stand:
        bench = Bench(stand, tools)
        found = {"sites": bench.sites, "attach": bench.attach}
        if want_composed:
            check_sites(bench)
            found["traps"], found["counting_ns"] = traps(bench), counting_ns(bench)
            cells = counted(bench, size)
            found["composed"] = {kind: composed_figures(cells[kind], found["traps"]) for kind in KINDS}
        if want_direct:
            found["direct"] = {kind: direct_figures(cells) for kind, cells in direct(bench, size).items()}
    return found
