#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of the command line and of what happens at the edges of a process's life: exit codes, hints, signals,
workers that die, an attach in the middle of a handshake.

  cli.py --tlswhy build/tlswhy [--only NAME] [--list]
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lab import clients, raw, rig, wire
from lab.bench import Bench, balanced, chosen, offer_choice, report_of, require, require_offer, test
import cases_backlog # pylint: disable=unused-import
import cases_containers # pylint: disable=unused-import
import cases_cost # pylint: disable=unused-import
import cases_foreign # pylint: disable=unused-import
import cases_hello # pylint: disable=unused-import
import cases_hostile # pylint: disable=unused-import
import cases_host # pylint: disable=unused-import
import cases_impact # pylint: disable=unused-import
import cases_life # pylint: disable=unused-import
import cases_memory # pylint: disable=unused-import
import cases_process # pylint: disable=unused-import
import cases_recording # pylint: disable=unused-import
import cases_sites # pylint: disable=unused-import
import cases_workers # pylint: disable=unused-import
from lab.results import Results
from lab.scenario import Scenario, client

FAILURE, USAGE, MISSING, FINDINGS = 1, 2, 3, 4
TOP_KEYS = ("schema tool_version host window targets totals exact causes ok versions ciphers workers findings "
            "losses").split()
TOTAL_KEYS = "begun ok failed open evicted resumed joined".split()
LOSS_KEYS = "ring_full spill_full state_full evicted read_faults unmatched".split()
TARGET_KEYS = "master_pid exe library library_version layout generation workers".split()
CAUSE_KEYS = "direction cause incomplete count share latency_seconds cpu_seconds peers server_names errors".split()
HISTOGRAM_KEYS = "count sum p50 p90 p99 max buckets".split()
WORKER_KEYS = "pid master_pid generation cpu_ratio run_delay_ratio handshakes failed lag_seconds".split()
FINDING_KEYS = "id severity title evidence change verify".split()


def require_keys(mapping, keys, where):
    missing = [key for key in keys if key not in mapping]
    require(not missing, f"{where} lacks {missing}")


def require_error(done, code, *words, hint=True):
    """A refusal: its exit code, one line that begins with the program's name, and a hint where asked."""
    require(done.returncode == code, f"exit code {done.returncode}, not {code}: {done.stderr!r}")
    require(done.stderr.startswith("tlswhy: "), f"stderr is {done.stderr!r}")
    for word in words:
        require(word in done.stderr, f"no {word!r} in {done.stderr!r}")
    require(not hint or "hint: " in done.stderr, f"no hint in {done.stderr!r}")


@test
def usage_errors(bench):
    for arguments in (["nonsense"], ["report", "--no-such-option"], ["report", "-d", "soon"], ["report", "-d", "-1"],
                      ["report", "--format", "yaml"], ["report", "-p", "abc"], ["trace", "-p", "0"], ["record"]):
        done = bench.run(*arguments)
        require(done.returncode == USAGE, f"{arguments}: exit code {done.returncode}, {done.stderr!r}")
        require(done.stderr and not done.stdout, f"{arguments}: the error belongs on stderr alone")


@test
def help_and_version(bench):
    for arguments in (["--help"], ["--version"], ["report", "--help"]):
        done = bench.run(*arguments)
        require(done.returncode == 0 and done.stdout and not done.stderr, f"{arguments}: {done}")


@test
def pid_that_is_no_nginx(bench):
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            done = bench.run("report", "-d", "1", "-p", str(sleeper.pid))
        finally:
            sleeper.kill()
    require_error(done, USAGE, str(sleeper.pid), "not nginx")


@test
def pid_that_does_not_exist(bench):
    with open("/proc/sys/kernel/pid_max") as file:
        beyond = str(int(file.read()))
    done = bench.run("report", "-d", "1", "-p", beyond)
    require_error(done, USAGE, beyond)


@test
def input_file_missing(bench):
    require_offer(bench, "-i", "report")
    require_error(bench.run("report", "-i", "/nonexistent/file"), FAILURE, "/nonexistent/file",
                  os.strerror(2), hint=False)


@test
def unprivileged(bench):
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for arguments in (["report", "-d", "1"], ["trace"], ["check"]):
        done = bench.run(*arguments, "-p", bench.pid, prefix=drop)
        require(done.returncode == MISSING, f"{arguments}: exit code {done.returncode}: {done.stderr!r}")
        require("hint: " in done.stderr + done.stdout, f"{arguments}: no hint in {done.stderr!r}")


@test
def report_has_every_key(bench):
    with bench.watching("report", "-d", "600", "--format", "json") as process:
        bench.visit()
        clients.refuse(48)(bench.target)
        process.send_signal(signal.SIGINT)
        report = report_of(process)
    require(report["schema"] == "tlswhy.report/1", report["schema"])
    require_keys(report, TOP_KEYS, "the report")
    require_keys(report["window"], ("start", "seconds"), "window")
    require_keys(report["losses"], LOSS_KEYS, "losses")
    for direction in ("client", "upstream", "unknown"):
        require_keys(report["totals"][direction], TOTAL_KEYS, f"totals.{direction}")
        require(balanced(report["totals"][direction]), f"does not add up: {report['totals'][direction]}")
    for rows, keys in (("targets", TARGET_KEYS), ("causes", CAUSE_KEYS), ("workers", WORKER_KEYS),
                       ("findings", FINDING_KEYS), ("ok", ("direction", "count", "latency_seconds")),
                       ("versions", ("direction", "version", "count")),
                       ("ciphers", ("direction", "cipher", "count"))):
        require(report[rows], f"{rows} is empty")
        for row in report[rows]:
            require_keys(row, keys, rows)
    for row in report["causes"] + report["ok"]:
        require_histogram(row["latency_seconds"], row["count"])
    found = [(row["cause"], row["count"]) for row in report["causes"]]
    require(found == [("our_certificate_unknown_ca", 1)], f"causes are {found}")
    require(report["totals"]["client"]["ok"] == 1, f"totals are {report['totals']}")


def require_histogram(histogram, count):
    require_keys(histogram, HISTOGRAM_KEYS, "a histogram")
    last = histogram["buckets"][-1]
    require(str(last["le"]) == "+Inf" and last["count"] == histogram["count"] == count, f"histogram {histogram}")


@test
def interrupt_ends_a_watch_early(bench):
    for number in (signal.SIGINT, signal.SIGTERM):
        with bench.watching("report", "-d", "600", "--format", "json") as process:
            bench.visit()
            process.send_signal(number)
            report = report_of(process)
        require(report["window"]["seconds"] < 300, f"{number.name}: window {report['window']}")
        require(report["totals"]["client"]["ok"] == 1, f"{number.name}: {report['totals']['client']}")


@test
def exit_code_4_on_findings(bench):
    with bench.watching("report", "-d", "600", "--exit-code", "--format", "json") as process:
        for _ in range(10):
            clients.refuse(45)(bench.target)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    findings = [(finding["id"], finding["severity"]) for finding in json.loads(output)["findings"]]
    require(process.returncode == FINDINGS, f"exit code {process.returncode}, findings {findings}")


@test
def exit_code_0_without_findings(bench):
    """And a watch ends by itself when its time is over."""
    with bench.watching("report", "-d", "2", "--exit-code") as process:
        bench.visit()
        process.communicate(timeout=60)
    require(process.returncode == 0, f"exit code {process.returncode}")


@test
def record_and_replay(bench):
    require_offer(bench, "record")
    path = os.path.join(bench.rig.dir, "cli.record")
    with bench.watching("record", "-d", "600", "-o", path) as process:
        bench.visit()
        clients.refuse(44)(bench.target)
        time.sleep(1.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    require(process.returncode == 0, f"record: exit code {process.returncode}")
    done = bench.run("report", "-i", path, "--format", "json")
    require(done.returncode == 0, f"report -i: {done.returncode} {done.stderr!r}")
    report = json.loads(done.stdout)
    found = [(row["cause"], row["count"]) for row in report["causes"]]
    require(found == [("our_certificate_revoked", 1)], f"causes {found}")
    require(report["totals"]["client"]["ok"] == 1, f"totals {report['totals']['client']}")


@test
def foreign_bytes_are_escaped(bench):
    """A server name is a stranger's: it must not reach a terminal as it is."""
    hello = wire.client_hello(sni=b"\x1b[31m\x9b<script>\r\n\xff\xc2\x9b\"'&")
    for command in (["trace"], ["trace", "--format", "json"], ["report", "-d", "600"],
                    ["report", "-d", "600", "--format", "json"]):
        with bench.watching(*command) as process:
            clients.raw(hello, raw.flight, end=raw.close)(bench.target)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        strange = {character for character in output if character != "\n" and not character.isprintable()}
        require(not strange, f"{command}: {strange}")
        require("script" in output, f"{command}: the name is missing")


@test
def text_trace_is_one_line_each(bench):
    with bench.watching("trace") as process:
        bench.visit()
        clients.refuse(48)(bench.target)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    lines = [line for line in output.splitlines() if "127.0.0.1" in line]
    require(len(lines) == 2, f"output {output!r}")
    require("our_certificate_unknown_ca" in lines[1] and "lab.test" in lines[1], f"line {lines[1]!r}")


def main():
    parser = argparse.ArgumentParser(description="command line tests of tlswhy")
    parser.add_argument("--tlswhy", default="build/tlswhy", help="the program under test")
    offer_choice(parser)
    arguments = parser.parse_args()
    tests = chosen(arguments)
    if arguments.list:
        print("\n".join(function.__name__ for function in tests))
        return 0
    rig.end_tidily()
    results = Results()
    listener = Scenario("cli", "http", clients.tls(), (client(),), conf="client_header_timeout 30s;")
    with tempfile.TemporaryDirectory(prefix="tlswhy-cli-") as directory, rig.Rig(directory, [listener]) as stand:
        bench = Bench(arguments.tlswhy, stand)
        for function in tests:
            results.run(function, bench)
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
