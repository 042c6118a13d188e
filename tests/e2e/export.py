#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of `tlswhy export`: both text formats over HTTP, in a file and of recordings, held against what was done, against
tlswhy's own report, against promtool and a real Prometheus; and what hurried, slow and rude clients do to it.

  export.py --tlswhy build/tlswhy [--loadgen build/tests/loadgen] [--only NAME] [--list]
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lab import backends, clients, loadrig, nginx, rig, tracer
from lab.bench import Bench, chosen, offer_choice, require, test
from lab.results import Results, Skip
from lab.scenario import Scenario, client, upstream
import cases_export # pylint: disable=unused-import
from lab.scrape import LISTEN, OPENMETRICS, PLAIN, Exporter, Metrics, act, exporting, wait_handshakes

SCENARIOS = (
    Scenario("export_plain", "http", clients.tls(), (client(),)),
    Scenario("export_mtls", "http", clients.tls(), (client("peer_certificate_missing"),),
             conf="ssl_client_certificate @PKI@/ca.pem; ssl_verify_client on;"),
    Scenario("export_upstream", "proxy", clients.get(), (upstream("peer_certificate_expired"),),
             conf="proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_name lab.test; proxy_ssl_verify on; "
                  "proxy_ssl_trusted_certificate @PKI@/ca.pem;", backend=backends.tls(cert="expired")),
)
SETTLE_SECONDS = 1.3
RESULTS = ("lost", "rescued")
UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
MIX = {"ok13": 3, "ok12": 1, "resumed13": 1, "no_shared_cipher": 1, "unknown_ca": 1, "close_mid": 1, "mtls_missing": 2}


def check_metrics(text):
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60,
                          check=False)
    require(done.returncode == 0 and not done.stdout + done.stderr,
            f"promtool: {done.returncode} {done.stdout} {done.stderr}")


@test
def everything_is_there_at_0(bench):
    causes = re.findall(r"^\.It Cm (\S+)$", manual_section("CAUSES"), re.MULTILINE)
    require(len(causes) == 47, f"{len(causes)} causes in the manual")
    wanted = {(direction, cause) for direction in ("client", "upstream", "unknown") for cause in causes}
    with exporting(bench, *LISTEN) as exporter:
        for form in (PLAIN, OPENMETRICS):
            metrics = exporter.scrape(form)
            found = metrics.rows("tlswhy_handshakes_total")
            require(set(found) == wanted and not any(found.values()), f"{form}: {found}")
            counted = metrics.rows("tlswhy_handshake_duration_seconds_count")
            require(set(counted) == {key for key in wanted if key[0] != "unknown"}, f"{form}: {counted}")
        requests = metrics.rows("tlswhy_upstream_requests_total")
        require(set(requests) == {(cause, result) for cause in causes if cause != "ok" for result in RESULTS}
                and not any(requests.values()), f"requests {requests}")
        require(len(metrics.rows("tlswhy_lost_total")) == 8, metrics.rows("tlswhy_lost_total"))
        require(len(metrics.rows("tlswhy_build_info")) == 1, metrics.rows("tlswhy_build_info"))


def manual_section(name):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(root, "user/dist/tlswhy.8")) as file:
        return file.read().split(f".Sh {name}\n", 1)[1].split("\n.Sh ", 1)[0]


@test
def counts_are_what_happened(bench):
    """And what a report of the same time says."""
    err = os.path.join(bench.rig.dir, "report.err")
    with exporting(bench, *LISTEN) as exporter, tracer.Reporter(bench.tlswhy, bench.pid, err) as reporter:
        reporter.wait_ready()
        metrics = wait_handshakes(exporter, act(bench))
        plain = exporter.scrape(PLAIN)
        report = reporter.report()
    require(plain.rows("tlswhy_handshakes_total") == metrics.rows("tlswhy_handshakes_total"), "the forms differ")
    compare(metrics, report)
    require(metrics.rows("tlswhy_negotiated_total")[("client", "TLSv1.3")] == 3, "negotiated")
    cpu = metrics.rows("tlswhy_handshake_cpu_seconds_total")
    require(cpu[("client",)] > 0 and cpu[("upstream",)] > 0 and not cpu[("unknown",)], f"CPU {cpu}")
    require(not any(metrics.rows("tlswhy_lost_total").values()), metrics.rows("tlswhy_lost_total"))


def compare(metrics, report):
    reported = {(row["direction"], row["cause"]): row["count"] for row in report["causes"]}
    reported |= {(name, "ok"): totals["ok"] for name, totals in report["totals"].items() if totals["ok"]}
    require(metrics.handshakes() == reported, f"{metrics.handshakes()} exported, {reported} reported")
    for row in report["causes"] + report["ok"]:
        key = (row["direction"], row.get("cause", "ok"))
        wanted = row["latency_seconds"]["count"]
        count = metrics.rows("tlswhy_handshake_duration_seconds_count").get(key, 0)
        require(count == wanted, f"{key}: {count} durations exported, {wanted} reported")
    resumed = {(name,): totals["resumed"] for name, totals in report["totals"].items()}
    require(metrics.rows("tlswhy_session_resumed_total") == resumed, f"resumed, {resumed} reported")
    wanted = {(row["cause"], result): row["requests"][result] for row in report["causes"] for result in RESULTS
              if row["direction"] == "upstream" and row["requests"][result]}
    requests = {key: count for key, count in metrics.rows("tlswhy_upstream_requests_total").items() if count}
    require(requests == wanted == {("peer_certificate_expired", "lost"): requests_acted(report)},
            f"requests {requests} exported, {wanted} reported")


def requests_acted(report):
    """act() has one request whose upstream fails, every time."""
    return report["totals"]["upstream"]["failed"]


@test
def recordings_are_exported_once(bench):
    """Without privileges, alone and merged; and what only a watch can do is refused."""
    paths = [record(bench, name) for name in ("one.rec", "two.rec")]
    for chosen in (paths[:1], paths):
        words = [word for path in chosen for word in ("-i", path)]
        done = bench.run("export", *words, prefix=UNPRIVILEGED)
        require(done.returncode == 0 and not done.stderr, f"{done.returncode} {done.stderr!r}")
        metrics = Metrics(done.stdout, openmetrics=True)
        report = json.loads(bench.run("report", "--format", "json", *words).stdout)
        require(report["totals"]["client"]["begun"] == 6 * len(chosen), f"totals {report['totals']}")
        compare(metrics, report)
        path = os.path.join(bench.rig.dir, "once.prom")
        done = bench.run("export", *words, "--textfile", path)
        require(done.returncode == 0 and not done.stdout, f"{done}")
        with open(path) as file:
            text = file.read()
        require(Metrics(text, openmetrics=False).samples == metrics.samples, "the forms differ")
        if shutil.which("promtool"):
            check_metrics(text)
    for words in (["--listen", "127.0.0.1:0"], ["--interval", "5"], ["-p", "1"], ["-d", "1"]):
        done = bench.run("export", "-i", paths[0], "--textfile", path, *words)
        require(done.returncode == 2 and "hint: " in done.stderr, f"{words}: {done.returncode} {done.stderr!r}")


@test
def part_of_a_recording_is_exported(bench):
    path = record(bench, "whole.rec")
    with open(path, "rb") as file:
        data = file.read()
    os.truncate(path, len(data) - 200)
    done = bench.run("export", "-i", path)
    require(done.returncode == 1 and f"offset {len(data) - 200}" in done.stderr, f"{done}")
    require(Metrics(done.stdout, openmetrics=True).handshakes(), "nothing of it is exported")


def record(bench, name):
    path = os.path.join(bench.rig.dir, name)
    with bench.watching("record", "-o", path) as process:
        act(bench)
        time.sleep(SETTLE_SECONDS)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    require(process.returncode == 0, f"record: exit code {process.returncode}")
    os.chmod(path, 0o644)
    os.chmod(bench.rig.dir, 0o755)
    return path


@test
def tools_have_no_complaint(bench):
    path = os.path.join(bench.rig.dir, "tools.prom")
    with exporting(bench, *LISTEN, "--textfile", path) as exporter:
        act(bench)
        check_metrics(exporter.ask().text)
    with open(path) as file:
        check_metrics(file.read())


@contextlib.contextmanager
def prometheus(bench, port):
    """A Prometheus that scrapes the port every three seconds. Yields a function that asks it."""
    directory = os.path.join(bench.rig.dir, "prometheus")
    shutil.rmtree(directory, ignore_errors=True)
    os.mkdir(directory)
    config = os.path.join(directory, "prometheus.yml")
    with open(config, "w") as file:
        json.dump({"scrape_configs": [{"job_name": "tlswhy", "scrape_interval": "3s", "scrape_timeout": "3s",
                                       "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]}, file)
    own = bench.rig.ports.take()

    def ask(query):
        url = f"http://127.0.0.1:{own}/api/v1/query?query={query}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=30) as answer:
            return {row["metric"].get("cause", ""): float(row["value"][1])
                    for row in json.load(answer)["data"]["result"]}
        return {}
    with open(os.path.join(directory, "log"), "w") as log, subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
             f"--web.listen-address=127.0.0.1:{own}"], stdout=log, stderr=log) as process:
        try:
            yield ask
        finally:
            process.kill()


@test
def a_real_prometheus_takes_it(bench):
    with exporting(bench, *LISTEN) as exporter, prometheus(bench, exporter.address[1]) as ask:
        nginx.wait_until(lambda: ask("up").get("") == 1, 120, "a scrape that Prometheus takes")
        wanted = act(bench)
        sums = {}
        for (_, cause), count in wanted.items():
            sums[cause] = sums.get(cause, 0) + count
        query = "sum%20by(cause)(tlswhy_handshakes_total)%3E0"
        nginx.wait_until(lambda: ask(query) == sums, 60, f"{sums}")


@test
def rejected_after_a_scrape(bench):
    """What was scraped as ok and is rejected then moves to its cause, and ok waits for the next one."""
    mtls = bench.rig.targets[1]
    with exporting(bench, *LISTEN) as exporter:
        with clients.context(mtls).wrap_socket(clients.connect(mtls), server_hostname="lab.test") as secure:
            wait_handshakes(exporter, {("client", "ok"): 1})
            clients.converse(secure, clients.GET)
        wanted = {("client", "ok"): 1, ("client", "peer_certificate_missing"): 1}
        before = wait_handshakes(exporter, wanted)
        bench.visit()
        bench.visit()
        after = wait_handshakes(exporter, wanted | {("client", "ok"): 2})
    require(not before.falls(after), before.falls(after))


@test
def workers_come_and_go(bench):
    with exporting(bench, *LISTEN) as exporter:
        def exported():
            return {int(pid) for (pid,) in exporter.scrape().rows("tlswhy_worker_cpu_ratio")}
        old = set(bench.rig.nginx.worker_pids())
        nginx.wait_until(lambda: exported() == old, 60, f"workers {old}")
        bench.rig.nginx.reload()
        nginx.wait_until(lambda: not set(bench.rig.nginx.worker_pids()) & old, 60, "new workers")
        for _ in range(8): # a worker is taken in at its first handshake
            bench.visit()
        nginx.wait_until(lambda: exported() and exported() <= set(bench.rig.nginx.worker_pids()), 60,
                         "the new workers alone")


@test
def exact_while_spilling(bench):
    """A ring of a page under load, scraped all the time: nothing is counted twice or lost, and no counter falls."""
    if not bench.loadgen:
        raise Skip("no --loadgen")
    scrapes = []
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tlswhy-export-"))
        load_rig = stack.enter_context(loadrig.Rig(directory, bench.rig.pki, bench.loadgen))
        path = os.path.join(directory, "export.err")
        exporter = stack.enter_context(
            Exporter(bench.tlswhy, load_rig.nginx.pid, path, *LISTEN, "--ring-bytes", "4096"))
        exporter.wait_ready()
        results = []
        for mix, count in ((MIX, 6000), ({"ok13": 1}, 200)): # the second: so that ok is above what was ever scraped
            load = stack.enter_context(load_rig.load(mix, count=count))
            while load.process.poll() is None:
                scrapes.append(exporter.scrape(OPENMETRICS if len(scrapes) % 2 else PLAIN))
            results.append(load.wait())
        load_rig.wait_quiet()
        require(not any(map(loadrig.void_reasons, results)), f"void: {results}")
        want = loadrig.add(*map(loadrig.expected, results))
        wanted = {("client", cause): count for cause, count in want["causes"].items()} | {("client", "ok"): want["ok"]}
        scrapes.append(wait_handshakes(exporter, wanted))
    judge_scrapes(scrapes, want, wanted)


def judge_scrapes(scrapes, want, wanted):
    require(len(scrapes) > 10, f"{len(scrapes)} scrapes")
    for earlier, later in zip(scrapes, scrapes[1:]):
        if earlier.openmetrics == later.openmetrics:
            require(not earlier.falls(later), f"falls: {earlier.falls(later)[:3]}")
    for earlier, later in zip(scrapes, scrapes[2:]):
        require(not earlier.falls(later), f"falls: {earlier.falls(later)[:3]}")
    last = scrapes[-1]
    require(last.rows("tlswhy_session_resumed_total")[("client",)] == want["resumed"], "resumed")
    lost = {stage: count for (stage,), count in last.rows("tlswhy_lost_total").items() if count}
    require(set(lost) == {"ring_full"}, f"lost {lost}: this test shows nothing, or something was lost")
    versions = {version: count for (_, version), count in last.rows("tlswhy_negotiated_total").items() if count}
    require(versions == want["versions"], f"{versions}, not {want['versions']}")
    durations = last.rows("tlswhy_handshake_duration_seconds_count")
    require(all(durations[key] == count for key, count in wanted.items()), "durations")


def main():
    parser = argparse.ArgumentParser(description="tests of tlswhy export")
    parser.add_argument("--tlswhy", default="build/tlswhy", help="the program under test")
    parser.add_argument("--loadgen", default="", help="the load generator; without it a test is skipped")
    offer_choice(parser)
    arguments = parser.parse_args()
    tests = chosen(arguments)
    if arguments.list:
        print("\n".join(function.__name__ for function in tests))
        return 0
    rig.end_tidily()
    results = Results()
    with tempfile.TemporaryDirectory(prefix="tlswhy-export-") as directory, rig.Rig(directory, SCENARIOS) as stand:
        bench = Bench(arguments.tlswhy, stand)
        bench.loadgen = os.path.abspath(arguments.loadgen) if arguments.loadgen else ""
        for function in tests:
            results.run(function, bench)
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
