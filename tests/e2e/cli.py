#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of the command line and of what happens at the edges of a process's life: exit codes, hints, signals,
workers that die, an attach in the middle of a handshake.

  cli.py --tlswhy build/tlswhy [--only NAME] [--list]
"""
import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lab import clients, nginx, raw, rig, wire
from lab.bench import Bench, require
from lab.results import Results
from lab.scenario import Scenario, client

TESTS = []
FAILURE, USAGE, MISSING, FINDINGS = 1, 2, 3, 4
HALF_HELLO = wire.client_hello()[:60]
TOP_KEYS = ("schema tool_version host window targets totals exact causes ok versions ciphers workers findings "
            "losses").split()
TOTAL_KEYS = "begun ok failed open evicted resumed joined".split()
LOSS_KEYS = "ring_full spill_full state_full evicted read_faults unmatched".split()
TARGET_KEYS = "master_pid exe library library_version layout generation workers".split()
CAUSE_KEYS = "direction cause incomplete count share latency_seconds cpu_seconds peers server_names errors".split()
HISTOGRAM_KEYS = "count sum p50 p90 p99 max buckets".split()
WORKER_KEYS = "pid master_pid generation cpu_ratio run_delay_ratio handshakes failed lag_seconds".split()
FINDING_KEYS = "id severity title evidence change verify".split()


def test(function):
    TESTS.append(function)
    return function


def require_keys(mapping, keys, where):
    missing = [key for key in keys if key not in mapping]
    require(not missing, f"{where} lacks {missing}")


def report_of(process, seconds=30):
    """The report a watching process prints when it ends."""
    output, _ = process.communicate(timeout=seconds)
    require(process.returncode == 0, f"exit code {process.returncode}")
    return json.loads(output)


def balanced(totals):
    return totals["begun"] == totals["ok"] + totals["failed"] + totals["open"] + totals["evicted"]


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
    with bench.watching("report", "-d", "3", "--format", "json") as process:
        bench.visit()
        clients.refuse(48)(bench.target)
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
        with bench.watching("report", "-d", "60", "--format", "json") as process:
            bench.visit()
            begin = time.monotonic()
            process.send_signal(number)
            report = report_of(process, 10)
        require(time.monotonic() - begin < 5, f"{number.name}: took {time.monotonic() - begin:.1f} s")
        require(report["window"]["seconds"] < 30, f"{number.name}: window {report['window']}")
        require(report["totals"]["client"]["ok"] == 1, f"{number.name}: {report['totals']['client']}")


@test
def exit_code_4_on_findings(bench):
    with bench.watching("report", "-d", "2", "--exit-code", "--format", "json") as process:
        for _ in range(10):
            clients.refuse(45)(bench.target)
        output, _ = process.communicate(timeout=20)
    findings = [(finding["id"], finding["severity"]) for finding in json.loads(output)["findings"]]
    require(process.returncode == FINDINGS, f"exit code {process.returncode}, findings {findings}")


@test
def exit_code_0_without_findings(bench):
    with bench.watching("report", "-d", "2", "--exit-code") as process:
        bench.visit()
        process.communicate(timeout=20)
    require(process.returncode == 0, f"exit code {process.returncode}")


def loaded_programs():
    """Ids of the BPF programs in the kernel."""
    listing = subprocess.run(["bpftool", "-j", "prog", "show"], capture_output=True, check=True).stdout
    return {program["id"] for program in json.loads(listing)}


def programs_of(pid):
    """Ids of the BPF programs that a process holds."""
    found = set()
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
            found |= {int(line.split()[1]) for line in file if line.startswith("prog_id:")}
    return found


def uprobe_events():
    path = "/sys/kernel/tracing/uprobe_events"
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return file.read()


@test
def kill_leaves_nothing_behind(bench):
    before = uprobe_events()
    with bench.watching("trace") as process:
        mine = programs_of(process.pid)
        require(mine & loaded_programs(), "no BPF program belongs to tlswhy: this test cannot see anything")
        process.kill()
        process.wait()
    bench.visit()
    nginx.wait_until(lambda: not mine & loaded_programs(), 5, "its BPF programs gone")
    require(uprobe_events() == before, "uprobe_events changed")
    require(clients.tls()(bench.target), "nginx does not serve")


@test
def worker_killed_mid_handshake(bench):
    for number in (signal.SIGKILL, signal.SIGTERM):
        with bench.watching("report", "-d", "60", "--format", "json") as process:
            held = bench.hold(HALF_HELLO)
            old = bench.rig.nginx.worker_pids()
            for worker in old:
                os.kill(worker, number)
            nginx.wait_until(lambda old=old: respawned(bench, old), 10, "new workers")
            bench.visit()
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
            report = report_of(process)
            held.close()
        totals = report["totals"]["client"]
        wanted = {"begun": 2, "ok": 1, "open": 0, "failed": 0, "evicted": 1}
        require({key: totals[key] for key in wanted} == wanted, f"{number.name}: totals {totals}")
        require(report["exact"] is True, f"{number.name}: not exact")


def respawned(bench, old):
    now = bench.rig.nginx.worker_pids()
    return len(now) == bench.rig.nginx.workers and not set(now) & set(old)


@test
def open_handshakes_are_counted(bench):
    with bench.watching("report", "-d", "60", "--format", "json") as process:
        held = bench.hold(HALF_HELLO)
        process.send_signal(signal.SIGINT)
        totals = report_of(process)["totals"]["client"]
        held.close()
    require(totals["begun"] == totals["open"] == 1, f"totals {totals}")


@test
def attached_mid_handshake(bench):
    held = bench.hold(wire.client_hello())
    with bench.watching("report", "-d", "60", "--format", "json") as process:
        held.sendall(wire.alert(48))
        raw.drain(held)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        report = report_of(process)
    totals = report["totals"]["client"]
    require(totals["joined"] == totals["failed"] == totals["begun"] == 1, f"totals {totals}")
    row = report["causes"][0]
    require(row["cause"] == "our_certificate_unknown_ca", f"cause {row['cause']}")
    require(row["latency_seconds"]["count"] == 0, "its latency is not known and must not be counted")


@test
def attached_before_free_mid_handshake(bench):
    """Joined and then closed by the peer: the hello was before our time, the state says so."""
    held = bench.hold(wire.client_hello())
    with bench.tracing() as traced:
        raw.close(held)
        require(traced.wait_events(len), "no event")
        event = traced.events[0][1]
    require(event["cause"] == "peer_closed_mid_handshake", f"event {event}")


@test
def workers_of_a_reload_are_covered(bench):
    with bench.tracing() as traced:
        bench.visit()
        old = bench.rig.nginx.worker_pids()
        bench.rig.nginx.reload()
        nginx.wait_until(lambda: set(bench.rig.nginx.worker_pids()) - set(old), 10, "new workers")
        nginx.wait_until(lambda: respawned(bench, old), 20, "old workers gone")
        bench.visit()
        require(traced.wait_events(lambda events: len(events) >= 2), f"events {traced.events}")
    first, last = traced.events[0][1], traced.events[-1][1]
    require(first["pid"] in old and last["pid"] not in old, f"pids {first['pid']}, {last['pid']}, old {old}")
    require(last["generation"] > first["generation"], f"generation {first['generation']}, {last['generation']}")


@test
def record_and_replay(bench):
    path = os.path.join(bench.rig.dir, "cli.record")
    with bench.watching("record", "-d", "60", "-o", path) as process:
        bench.visit()
        clients.refuse(44)(bench.target)
        time.sleep(1.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    require(process.returncode == 0, f"record: exit code {process.returncode}")
    done = bench.run("report", "-i", path, "--format", "json")
    require(done.returncode == 0, f"report -i: {done.returncode} {done.stderr!r}")
    report = json.loads(done.stdout)
    found = [(row["cause"], row["count"]) for row in report["causes"]]
    require(found == [("our_certificate_revoked", 1)], f"causes {found}")
    require(report["totals"]["client"]["ok"] == 1, f"totals {report['totals']['client']}")


@test
def reader_that_leaves(bench):
    """`tlswhy trace | head -1` ends, and not with a crash."""
    with bench.watching("trace", "--format", "json") as process:
        process.stdout.close()
        for _ in range(3):
            bench.visit()
        process.wait(10)
    require(process.returncode in (0, FAILURE, -signal.SIGPIPE), f"exit code {process.returncode}")


def run_test(function, bench, results):
    try:
        function(bench)
    except (AssertionError, TimeoutError, RuntimeError) as error:
        results.tell(function.__name__, [str(error)])
    except (OSError, ValueError, KeyError, TypeError, IndexError, subprocess.SubprocessError) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        results.tell(function.__name__, [f"{type(error).__name__}: {error} (line {place.lineno})"])
    else:
        results.tell(function.__name__, [])


def main():
    parser = argparse.ArgumentParser(description="command line tests of tlswhy")
    parser.add_argument("--tlswhy", default="build/tlswhy", help="the program under test")
    parser.add_argument("--only", action="append", default=[], help="a test's name or its beginning")
    parser.add_argument("--list", action="store_true", help="names only")
    arguments = parser.parse_args()
    tests = [function for function in TESTS
             if not arguments.only or any(function.__name__.startswith(start) for start in arguments.only)]
    if arguments.list:
        print("\n".join(function.__name__ for function in tests))
        return 0
    results = Results()
    listener = Scenario("cli", "http", clients.tls(), (client(),), conf="client_header_timeout 30s;")
    with tempfile.TemporaryDirectory(prefix="tlswhy-cli-") as directory, rig.Rig(directory, [listener]) as stand:
        bench = Bench(arguments.tlswhy, stand)
        for function in tests:
            run_test(function, bench, results)
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
