# SPDX-License-Identifier: BSD-2-Clause
"""
The rows about what becomes of records in the process: their rate, whether it stays, and memory. All three come from
aggregate_bench, in CPU time of its thread. Must not know: what a record is.
"""
import json
import os
import subprocess

import rows

IDS = ("records", "flat", "memory")
LEAST_MILLIONS, MOST_GROWTH, LIMIT_MIB = 2, 1.1, 64
QUICK = ("--records", "100000", "--rounds", "1")
MIB = 1 << 20


def row(identity, what, goal, measured, met, notes, **raw):
    return rows.Row(identity, what, goal, measured[0], measured[1], met, tuple(notes), raw)


def records_row(runs):
    usual = runs["usual"]
    millions, ns = usual["records_per_second"] / 1e6, usual["ns_per_record"]
    others = ", ".join(f"{name} {one['ns_per_record']['median']:.0f} ns" for name, one in runs.items())
    return row("records", f"records through decode, classify and aggregate, one core, {usual['peers']} distinct peers",
               f">= {LEAST_MILLIONS} M/s", (f"{millions:.2f} M/s", f"{1e3 / ns['max']:.2f} .. {1e3 / ns['min']:.2f}"),
               millions >= LEAST_MILLIONS, (f"a record: {others}", "the spread is all rounds'"), runs=runs)


def flat_row(flat, runs):
    growth = flat["late_to_early"]
    return row("flat", f"cost of a record at {runs['late']['before']:.0e} against {runs['early']['before']:.0e}",
               f"<= {MOST_GROWTH:g} x", (f"{growth:.2f} x", ""), growth <= MOST_GROWTH,
               (f"all from the first to the last, against the few: {flat['many_to_few']:.2f} x",), flat=flat)


def memory_row(memory):
    used = memory["with_snapshot_rss_bytes"]
    return row("memory", f"resident memory at {memory['peers']} peers, {memory['names']} server names, "
               f"{memory['workers']} workers", f"<= {LIMIT_MIB} MiB", (f"{used / MIB:.0f} MiB", ""),
               used <= LIMIT_MIB * MIB,
               (f"of aggregate_bench, its snapshot included; {memory['added_rss_bytes'] / MIB:.1f} MiB came with "
                f"the records, {memory['rss_bytes'] / MIB:.1f} MiB before the snapshot, at most "
                f"{memory['peak_rss_bytes'] / MIB:.1f} MiB",), memory=memory)


def run(tools, _wanted, quick):
    command = [os.path.join(tools.directory, "aggregate_bench"), *(QUICK if quick else ())]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=1200)
    found = json.loads(done.stdout)
    return [records_row(found["runs"]), flat_row(found["flat"], found["runs"]), memory_row(found["memory"])]
