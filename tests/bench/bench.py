#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Measures what it costs to be watched, on this machine, and says which goals are met.

    tests/bench/bench.py [--tlswhy build/tlswhy] [--tools build/tests] [--only ROW]... [--json FILE] [--quick]

Nothing else should run meanwhile. Exit status: 0 when all was measured, met or not; 1 when a stage could not measure;
2 usage; 3 not root. Needs root.
"""
import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine # pylint: disable=wrong-import-position
import rows
import stage_cost
import stage_life
import stage_load
import stage_memory
import stage_records

QUIET_LOAD = 0.7
# A stage has IDS, the rows it can give, and run(tools, wanted, quick), which gives those that wanted(id) asks for.
STAGES = (stage_cost, stage_life, stage_load, stage_memory, stage_records)


@dataclasses.dataclass(frozen=True)
class Tools:
    """The programs that are needed."""
    tlswhy: str
    loadgen: str
    floor: str
    calls: str
    fill: str
    directory: str


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--tlswhy", default="build/tlswhy")
    parser.add_argument("--tools", default="build/tests", help="directory of the load generator and the like")
    parser.add_argument("--only", action="append", default=[], metavar="ROW", help="a row's id or its beginning")
    parser.add_argument("--json", metavar="FILE", help="write it all to a file as well")
    parser.add_argument("--quick", action="store_true", help="little of each: shows that it works, measures nothing")
    parser.add_argument("--list", action="store_true", help="the rows' ids only")
    return parser.parse_args()


def tools_of(options):
    directory = os.path.abspath(options.tools)
    programs = {name: os.path.join(directory, name) for name in ("loadgen", "floor", "calls", "fill")}
    return Tools(tlswhy=os.path.abspath(options.tlswhy), directory=directory, **programs)


def run_stage(stage, tools, wanted, quick):
    """The rows, and why there are none where it failed."""
    begin = time.monotonic()
    try:
        found = [row for row in stage.run(tools, wanted, quick) if wanted(row.id)]
        reason = ""
    except (RuntimeError, OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        traceback.print_exc()
        found, reason = [], f"{stage.__name__}: {type(error).__name__}: {error}"
    print(f"# {stage.__name__}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return found, reason


def print_facts(facts):
    for title, values in facts.items():
        print(f"{title}:")
        for key, value in values.items():
            print(f"  {key.replace('_', ' ')}: {value}")
    if facts["machine"]["load_average"] > QUIET_LOAD:
        print("disturbed: something else runs, or ran a moment ago, on this machine")
    print(flush=True)


def measure(options, tools):
    """(rows, reasons)"""
    def wanted(identity):
        return not options.only or any(identity.startswith(start) for start in options.only)
    found, reasons = [], []
    for stage in STAGES:
        if any(map(wanted, stage.IDS)):
            of_stage, reason = run_stage(stage, tools, wanted, options.quick)
            found += of_stage
            reasons += [reason] if reason else []
    return found, reasons


def main():
    options = parse_arguments()
    if options.list:
        print("\n".join(identity for stage in STAGES for identity in stage.IDS))
        return 0
    if os.geteuid() != 0:
        print("bench.py: needs root: it loads BPF programs", file=sys.stderr)
        return 3
    tools = tools_of(options)
    facts = {"machine": machine.machine(), "versions": machine.versions(tools.tlswhy)}
    print_facts(facts)
    found, reasons = measure(options, tools)
    print("\n".join(rows.table(found)))
    print(f"\n{sum(row.met for row in found)} met, {sum(not row.met for row in found)} not met, "
          f"{len(reasons)} stages could not measure")
    for reason in reasons:
        print(f"not measured: {reason}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"schema": "tlswhy.bench/1", "quick": options.quick, **facts,
                       "rows": [row.json() for row in found], "not_measured": reasons}, file, indent=1)
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main())
