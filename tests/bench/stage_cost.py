# SPDX-License-Identifier: BSD-2-Clause
"""
The rows about the cost of a handshake. Must not know: how it is measured (cost.py).
"""
import dataclasses
import os
import tempfile

import cost
from rows import at_most

QUICK = cost.Size(rounds=3, loads=5, alone=100, eight=400, counted_rounds=2, counted=400)
WHY_COMPOSED = ("composed of counted run times and measured traps (tests/bench/cost.py); it decides about the "
                "programs: it resolves tens of nanoseconds where the worker's CPU clock resolves a microsecond or two")


def by_name(figures):
    return ", ".join(f"{name} {figure.median:.2f} us" for name, figure in figures.items())


def runs(programs):
    return ", ".join(f"{name} {row['hits']:.2f} runs {row['ns']:.0f} ns" for name, row in programs.items()
                     if row["hits"] >= 0.01)


def composed_rows(found):
    for kind, figures in found["composed"].items():
        notes = [f"added a handshake: {by_name(figures['added_us'])}",
                 *(f"{name}, counted: {runs(programs)}" for name, programs in figures["programs"].items())]
        raw = {"added_us": {name: figure.json() for name, figure in figures["added_us"].items()},
               "programs": figures["programs"]}
        if kind == "full":
            notes += [WHY_COMPOSED, *(f"traps of {floor}: SSL_do_handshake, entry and return "
                                      f"{trap['handshake'].median:.2f} us, SSL_free {trap['free'].median:.2f} us"
                                      for floor, trap in found["traps"].items()),
                      f"a counted run costs {found['counting_ns'].median:.0f} ns more than one that is not",
                      f"{len(found['sites'])} sites, attached by {found['attach']}; the tracepoint on socket states "
                      "also runs for the load generator's own sockets, half of its runs"]
        yield at_most(f"programs-{kind}", f"added CPU per {kind} TLS 1.3 handshake, against empty programs on the "
                      "same sites", 1.3, "x", figures["to_floor"], notes=tuple(notes), raw=raw)
        yield at_most(f"bpftrace-{kind}", f"the same ({kind}) against bpftrace: entry, return and a histogram", 1.0,
                      "x", figures["to_bpftrace"])


def direct_rows(found):
    for kind, figures in found["direct"].items():
        rates = (f"{name} {figures['per_second'][name].median:.0f}/s "
                 f"({ratio.low:.3f} .. {ratio.high:.3f} of unattached)"
                 for name, ratio in figures["throughput"].items())
        added = (f"{name} {figure.median:.1f} us ({figure.low:.1f} .. {figure.high:.1f})"
                 for name, figure in figures["added_us"].items())
        notes = [f"unattached {figures['worker_us'].median:.1f} us a handshake; added: " + ", ".join(added),
                 "throughput, eight at a time, the load generator on the other CPU: " + ", ".join(rates)]
        raw = {key: {name: figure.json() for name, figure in figures[key].items()}
               for key in ("added_us", "per_second", "throughput")}
        # A floor that cannot be told from nothing is no measure, and a low ratio to it no success.
        void = figures["added_us"][cost.FLOOR].low <= 0
        if void:
            notes.insert(0, "void: what empty programs cost cannot be told from nothing in this much noise")
        row = at_most(f"worker-{kind}", f"worker CPU per {kind} TLS 1.3 handshake (ECDSA P-256), attached less "
                      "unattached, against empty programs", 1.3, "x", figures["to_floor"], notes=tuple(notes),
                      raw={**raw, "worker_us": figures["worker_us"].json()})
        yield dataclasses.replace(row, measured="void", met=False) if void else row


def run(tools, wanted, quick):
    """The rows of this stage that wanted(id) asks for, of their part at least."""
    size = QUICK if quick else cost.Size()
    parts = [any(wanted(f"{name}-{kind}") for name in names for kind in cost.KINDS)
             for names in (("programs", "bpftrace"), ("worker",))]
    with tempfile.TemporaryDirectory(prefix="tlswhy-bench-") as directory:
        found = cost.measure(os.path.realpath(directory), tools, size, *parts)
    rows = []
    if "composed" in found:
        rows += composed_rows(found)
    if "direct" in found:
        rows += direct_rows(found)
    return rows


IDS = tuple(f"{name}-{kind}" for name in ("programs", "bpftrace", "worker") for kind in cost.KINDS)
