# SPDX-License-Identifier: BSD-2-Clause
"""
Runs `tlswhy export`, scrapes it, and reads both text formats more strictly than a scraper would.
"""
import contextlib
import http.client
import os
import re
import time
import urllib.parse

from lab import clients, nginx, rig, tracer
from lab.bench import require

LISTEN = ("--listen", "127.0.0.1:0")

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
ACCEPT = {OPENMETRICS: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          PLAIN: "text/plain;version=0.0.4"}
SERVED = re.compile(r"^metrics: (http://\S+)$", re.MULTILINE)
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')
TYPES = {"counter", "gauge", "histogram", "summary"}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum"),
            "summary": ("", "_count", "_sum"), "info": ("_info",)}
OF_PROCESSES = "tlswhy_worker_" # gone when their process is


class Metrics:
    """One exposition. Raises ValueError, with the line, at the first thing that is not as it must be."""

    def __init__(self, text, openmetrics):
        self.openmetrics = openmetrics
        self.families = {} # name -> {"type", "help", "unit"}
        self.samples = {}  # (name, ((label, value), ...)) -> number
        self.family = None
        if not text.endswith("\n"):
            raise ValueError("does not end with a newline")
        lines = text[:-1].split("\n")
        if openmetrics and lines.pop() != "# EOF":
            raise ValueError("does not end with # EOF")
        for line in lines:
            try:
                self._describe(line) if line.startswith("#") else self._count(line)
            except ValueError as error:
                raise ValueError(f"{error}: {line!r}") from error
        self._check_histograms()

    def _describe(self, line):
        _, what, name, text = line.split(" ", 3)
        what = what.lower()
        if what not in ("help", "type") and not (what == "unit" and self.openmetrics):
            raise ValueError("what is this")
        if name != self.family and name in self.families:
            raise ValueError("its family is interrupted")
        family = self.families.setdefault(name, {})
        if what in family or not text or any(self._owner(sample) == name for sample, _ in self.samples):
            raise ValueError("twice, empty or late")
        if what == "unit" and not name.endswith("_" + text):
            raise ValueError("the unit is not in the name")
        if what == "type" and text not in (TYPES | {"info"} if self.openmetrics else TYPES):
            raise ValueError("no such type")
        family[what] = text
        self.family = name

    def _owner(self, sample):
        """The family that a sample's name belongs to, of those that are there."""
        if not self.openmetrics and sample in self.families:
            return sample
        for suffix in ("_total", "_info", "_bucket", "_count", "_sum", ""):
            name = sample[:len(sample) - len(suffix)] if suffix else sample
            if sample.endswith(suffix) and suffix in SUFFIXES.get(self.families.get(name, {}).get("type"), ()):
                return name
        return None

    def _count(self, line):
        match = SAMPLE.fullmatch(line)
        if not match or self._owner(match[1]) != self.family:
            raise ValueError("no sample of the family")
        labels = tuple(LABEL.findall(match[2] or ""))
        key = (match[1], labels)
        if key in self.samples or len(dict(labels)) != len(labels):
            raise ValueError("twice")
        self.samples[key] = float(match[3])

    def _check_histograms(self):
        for family in [name for name, about in self.families.items() if about["type"] == "histogram"]:
            buckets = {}
            for (name, labels), value in self.samples.items():
                if name == family + "_bucket":
                    others = tuple(pair for pair in labels if pair[0] != "le")
                    buckets.setdefault(others, []).append((float(dict(labels)["le"]), value))
            for labels, rows in buckets.items():
                bounds, counts = [row[0] for row in rows], [row[1] for row in rows]
                if bounds != sorted(set(bounds)) or counts != sorted(counts) or bounds[-1] != float("inf"):
                    raise ValueError(f"{family} {labels}: buckets {rows}")
                if counts[-1] != self.samples[(family + "_count", labels)]:
                    raise ValueError(f"{family} {labels}: the last bucket is not the count")

    def rows(self, name):
        """{label values: number} of one sample name."""
        return {tuple(value for _, value in labels): number
                for (sample, labels), number in self.samples.items() if sample == name}

    def handshakes(self):
        """{(direction, cause): count} of what is not 0."""
        return {key: count for key, count in self.rows("tlswhy_handshakes_total").items() if count}

    def falls(self, later):
        """What is a counter here and lower or missing later."""
        return [f"{name}{labels} from {value} to {later.samples.get((name, labels))}"
                for (name, labels), value in self.samples.items()
                if name.endswith(("_total", "_bucket", "_count", "_sum"))
                and ((name, labels) in later.samples or not name.startswith(OF_PROCESSES))
                and later.samples.get((name, labels), -1) < value]


class Answer:
    """What the server said."""

    def __init__(self, answer):
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        self.text = answer.read().decode()

    def metrics(self):
        return Metrics(self.text, self.headers["content-type"] == OPENMETRICS)


class Exporter(tracer.Child):
    """`tlswhy export` on one nginx."""

    def __init__(self, tlswhy, master_pid, stderr_path, *options):
        super().__init__([tlswhy, "export", *tracer.NO_BUDGET, "-p", str(master_pid), *options], stderr_path)

    @property
    def address(self):
        """(host, port), once it serves."""
        url = urllib.parse.urlsplit(SERVED.search(self.stderr())[1])
        return url.hostname, url.port

    def ask(self, method="GET", path="/metrics", body=None, seconds=60, **headers):
        connection = http.client.HTTPConnection(*self.address, timeout=seconds)
        try:
            connection.request(method, path, body=body, headers=headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def scrape(self, form=OPENMETRICS):
        """The metrics, in the form asked for."""
        answer = self.ask(Accept=ACCEPT[form])
        if answer.status != 200 or answer.headers["content-type"] != form:
            raise ValueError(f"asked for {form}, got {answer.status} {answer.headers}")
        return answer.metrics()


@contextlib.contextmanager
def exporting(bench, *options):
    path = os.path.join(bench.rig.dir, "export.err")
    with Exporter(bench.tlswhy, bench.rig.nginx.pid, path, *options) as exporter:
        exporter.wait_ready()
        yield exporter


# What one act() must be counted as.
ACT_COUNTS = {("client", "ok"): 3, ("client", "our_certificate_unknown_ca"): 2,
              ("client", "peer_certificate_missing"): 1, ("upstream", "peer_certificate_expired"): 1}


def act(bench):
    """Some of everything. Returns what must be counted."""
    for _ in range(3):
        bench.visit()
    for _ in range(2):
        clients.refuse(48)(bench.target)
    for target in bench.rig.targets[1:]:
        complaint = rig.act(target)
        require(not complaint, complaint)
    return dict(ACT_COUNTS)


def wait_handshakes(exporter, wanted, seconds=60):
    """Scrapes until the counts are those; the last metrics."""
    metrics = None

    def arrived():
        nonlocal metrics
        time.sleep(0.2)
        metrics = exporter.scrape()
        return metrics.handshakes() == wanted
    with contextlib.suppress(TimeoutError):
        nginx.wait_until(arrived, seconds, "")
    require(metrics.handshakes() == wanted, f"{metrics.handshakes()}, not {wanted}")
    return metrics
