#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The end-to-end test: one nginx, tlswhy beside it, every scenario, and nginx's own log as a witness.

  run.py --tlswhy build/tlswhy [--only NAME]... [--list] [-v]
  run.py --lab-only              scenarios against nginx's log, without tlswhy: is the lab itself right?
"""
import argparse
import contextlib
import functools
import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lab import coverage, judge, log, place, releases, rig, tracer
from lab.results import Results
import cases_memory
from scenarios import SCENARIOS

TELL_SECONDS = 60    # at most, until everything expected is told
SETTLE_SECONDS = 1.6 # a held verdict is told after at most 1 s: then nothing more may come
LATE_TIMES = 4       # a machine may be late now and then, a tracer that holds back too long always is
# Ids that no scenario produces: the test of cli.py that does, or why none can.
ELSEWHERE = {"resource_exhausted": cases_memory.memory_exhausted_in_a_handshake}
IMPOSSIBLE = {"unknown": "it is what no evidence leads to, and must be 0"}


def parse_arguments():
    parser = argparse.ArgumentParser(description="end-to-end tests of tlswhy")
    parser.add_argument("--tlswhy", default="build/tlswhy", help="the program under test")
    parser.add_argument("--only", action="append", default=[], help="a scenario's name or its beginning")
    parser.add_argument("--list", action="store_true", help="names only")
    parser.add_argument("--lab-only", action="store_true", help="without tlswhy")
    parser.add_argument("--keep", metavar="DIR", help="work in DIR and leave it there")
    parser.add_argument("--root", metavar="DIR", help="a root of another release: its nginx, as a container")
    parser.add_argument("--nginx", metavar="FILE", help="another nginx than the usual one")
    parser.add_argument("--modules", metavar="DIR", help="where that nginx has its dynamic modules")
    parser.add_argument("-j", "--jobs", type=int, default=4, help="scenarios at a time")
    parser.add_argument("-v", "--verbose", action="store_true", help="print events and log lines")
    return parser.parse_args()


def selected(only):
    return [scenario for scenario in SCENARIOS
            if not only or any(scenario.name.startswith(start) for start in only)]


def by_scenario(lab, arrivals):
    """({name: arrivals}, events that belong to no scenario)"""
    by_listener = {target.port: target.scenario.name for target in lab.targets}
    # Behind a socket in the file system there is no port; only one scenario listens on one.
    by_listener.update({None: target.scenario.name for target in lab.targets if target.host.startswith("/")})
    by_backend = {target.backend_port: target.scenario.name for target in lab.targets}
    mine, strange = {target.scenario.name: [] for target in lab.targets}, []
    for arrival, event in arrivals:
        name = judge.owner(event, by_listener, by_backend)
        if name:
            mine[name].append((arrival, event))
        else:
            strange.append(event)
    return mine, strange


def possible(scenarios, where, results):
    """The scenarios that can be set up on this nginx, as its release has them; the others are skipped."""
    reasons = {scenario.name: releases.missing(scenario, where) for scenario in scenarios}
    for name, reason in reasons.items():
        if reason:
            results.skip(name, reason)
    return [releases.fitted(scenario, where) for scenario in scenarios if not reasons[scenario.name]]


def play(lab, targets, traced, jobs):
    """Acts, until everything is told and nothing more comes. ({name: complaint of the lab}, {name: arrivals})"""
    before = len(traced.events)
    complaints = rig.act_all(lab, targets, jobs)

    def told():
        mine, _ = by_scenario(lab, traced.events[before:])
        return all(judge.is_told(target.scenario, mine[target.scenario.name]) for target in targets)
    traced.wait_events(lambda _: told(), TELL_SECONDS)
    time.sleep(SETTLE_SECONDS)
    return complaints, by_scenario(lab, traced.events[before:])[0]


def late_ones(targets, mine, stalled):
    """{name: complaints about lateness}"""
    late = {target.scenario.name: judge.lateness(target.scenario, mine[target.scenario.name], stalled)
            for target in targets}
    return {name: complaints for name, complaints in late.items() if complaints}


class Watch:
    """What tlswhy said while the scenarios ran. late: of what was late every time that it was played."""

    def __init__(self, arguments, lab):
        nginx_pid, path = lab.nginx.pid, functools.partial(os.path.join, lab.dir)
        traced = tracer.Tracer(arguments.tlswhy, nginx_pid, path("trace.err"))
        reporter = tracer.Reporter(arguments.tlswhy, nginx_pid, path("report.err"))
        with tracer.Pulse() as pulse, traced, reporter:
            traced.wait_ready()
            reporter.wait_ready()
            self.complaints, self.mine = play(lab, lab.targets, traced, arguments.jobs)
            self.late = late_ones(lab.targets, self.mine, pulse.stalled)
            for _ in range(LATE_TIMES - 1):
                again = [target for target in lab.targets if target.scenario.name in self.late]
                self.late = late_ones(again, play(lab, again, traced, 1)[1], pulse.stalled) if again else {}
            self.wrong = [f"ended early: {child.stderr()}" for child in (traced, reporter)
                          if child.process.poll() is not None]
            self.report = reporter.report()
            if traced.stop() != 0:
                self.wrong.append(f"exit code {traced.process.returncode} on SIGINT: {traced.stderr()}")
        self.wrong += [f"not an event: {line}" for line in traced.rubbish]
        self.arrivals = traced.events


def test_tlswhy(arguments, lab, results, is_whole):
    watch = Watch(arguments, lab)
    mine, strange = watch.mine, by_scenario(lab, watch.arrivals)[1]
    for target in lab.targets:
        name = target.scenario.name
        results.tell(name, [watch.complaints[name], *judge.judge(target.scenario, mine[name]),
                            *watch.late.get(name, [])])
        if arguments.verbose:
            print("".join(f"    {arrival:.3f} {event}\n" for arrival, event in mine[name]), end="")
    results.tell("tlswhy_runs_clean", watch.wrong)
    results.tell("every_event_has_a_scenario", [str(event) for event in strange])
    final = [event for _, event in judge.final_events(watch.arrivals)[0]]
    results.tell("log_agrees", log.compare(log.read(lab.nginx.error_log), final))
    test_causes(results, mine, lab, is_whole)
    results.tell("report_agrees", list(judge.judge_report(watch.report, final)))


def causes_elsewhere(lab):
    """ELSEWHERE, and what only other releases show: expected by a scenario, but by none on this nginx."""
    here = {expect.cause for target in lab.targets for expect in target.scenario.expect}
    everywhere = {expect.cause for scenario in SCENARIOS for expect in scenario.expect}
    return {**ELSEWHERE, **{cause: "another release's" for cause in everywhere - here}}


def test_causes(results, mine, lab, is_whole):
    """Every id is produced by a scenario (where all were run), and none by one that must not."""
    final = {name: [event for _, event in judge.final_events(arrivals)[0]] for name, arrivals in mine.items()}
    everything = [event for events in final.values() for event in events]
    if is_whole:
        produced = {event["cause"] for event in everything}
        results.tell("every_cause_is_covered",
                     list(coverage.judge_coverage(produced, causes_elsewhere(lab), IMPOSSIBLE)))
    others = {scenario.name for scenario in SCENARIOS
              for expect in scenario.expect if expect.cause == "other_error"}
    print(f"# {coverage.shares(everything)}", flush=True)
    results.tell("shares", list(coverage.judge_shares(final, others)))


def test_lab(arguments, lab, results):
    complaints = rig.act_all(lab, lab.targets, arguments.jobs)
    time.sleep(0.3)
    said = log.read(lab.nginx.error_log)
    for target in lab.targets:
        name = target.scenario.name
        results.tell(name, [complaints[name], *judge.judge_log(target.scenario, target, said.failures)])
        if arguments.verbose:
            ports = (target.port, target.backend_port)
            print("".join(f"    {failure.text}\n" for failure in said.failures if failure.port in ports), end="")
    ports = {port for target in lab.targets for port in (target.port, target.backend_port)}
    results.tell("every_log_line_has_a_scenario",
                 said.complaints + [failure.text for failure in said.failures if failure.port not in ports])


def main():
    arguments = parse_arguments()
    scenarios = selected(arguments.only)
    if arguments.list:
        print("\n".join(scenario.name for scenario in scenarios))
        return 0
    if not scenarios:
        print("run.py: no such scenario", file=sys.stderr)
        return 2
    rig.end_tidily()
    results = Results()
    with contextlib.ExitStack() as stack:
        directory = arguments.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="tlswhy-e2e-"))
        os.makedirs(directory, exist_ok=True)
        where = stack.enter_context(place.make(arguments.root, arguments.nginx, arguments.modules))
        print(f"# nginx {releases.dotted(where.nginx)}, OpenSSL {releases.dotted(where.openssl)}", flush=True)
        lab = stack.enter_context(rig.Rig(directory, possible(scenarios, where, results), place=where))
        if arguments.lab_only:
            test_lab(arguments, lab, results)
        else:
            test_tlswhy(arguments, lab, results, len(scenarios) == len(SCENARIOS))
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
