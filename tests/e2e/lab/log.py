# SPDX-License-Identifier: BSD-2-Clause
"""
The oracle: what nginx itself says about failed handshakes, in its own error log at level info.

tlswhy never reads a log, so the two accounts are independent. They are matched by side and nginx's connection
number; where the line has a port or a reason, these must agree as well. Must not know: scenarios.
"""
import collections
import dataclasses
import re

LINE = re.compile(r"^(?P<date>\S+ \S+) \[(?P<level>\w+)\] (?P<pid>\d+)#\d+: \*(?P<connection>\d+) (?P<text>.*)$")
LISTENER = re.compile(r"server: (?:\S*:|port-)(\d+)(?:,|$)")
BACKEND = re.compile(r'upstream: "(?:\w+://)?[^"/]*:(\d+)[/"]')
ERROR = re.compile(r"\berror:([0-9A-F]{8}):")

TIMEOUTS = {"timeout_before_hello", "timeout_mid_handshake"}
PARTINGS = {"peer_closed_before_hello", "peer_closed_mid_handshake", "peer_reset"}
VERIFY_CAUSES = {
    3: "peer_certificate_revoked", 7: "peer_certificate_invalid", 9: "peer_certificate_not_yet_valid",
    10: "peer_certificate_expired", 12: "peer_certificate_revoked", 18: "peer_certificate_self_signed",
    19: "peer_certificate_self_signed", 20: "peer_certificate_untrusted", 21: "peer_certificate_untrusted",
    22: "peer_certificate_invalid", 23: "peer_certificate_revoked", 26: "peer_certificate_wrong_purpose",
    66: "peer_certificate_weak",
}
ALERT_CAUSES = {
    42: {"our_certificate_refused", "client_certificate_required"}, 44: {"our_certificate_revoked"},
    45: {"our_certificate_expired"}, 46: {"our_certificate_refused"}, 48: {"our_certificate_unknown_ca"},
    116: {"client_certificate_required"}, 120: {"no_application_protocol"},
}
# A line that speaks of a failed handshake or a refused certificate, and the causes it leaves room for.
FAILURES = (
    (re.compile(r"client timed out \(110: .*\) while SSL handshaking"), TIMEOUTS),
    (re.compile(r"upstream timed out \(110: .*\) while SSL handshaking to upstream"), TIMEOUTS),
    (re.compile(r"client prematurely closed connection.* while SSL handshaking to upstream"), {"aborted_by_nginx"}),
    (re.compile(r"peer closed connection in SSL handshake \(104: "), {"peer_reset"}),
    (re.compile(r"peer closed connection in SSL handshake"), PARTINGS),
    # Before OpenSSL: http looks at the first byte.
    (re.compile(r"client sent plain HTTP request to HTTPS port"), {"plain_http"}),
    (re.compile(r"client sent invalid \w+ while reading client request line"), {"plain_http", "not_tls"}),
    (re.compile(r"client closed connection while SSL handshaking"), {"peer_closed_before_hello"}),
    (re.compile(r"recv\(\) failed \(104: .*\) while SSL handshaking"), {"peer_reset"}),
    (re.compile(r"handshake rejected while (?:SSL handshaking|handling frames)"), {"unrecognized_name"}),
    (re.compile(r"client sent no required SSL certificate"), {"peer_certificate_missing"}),
    (re.compile(r"client SSL certificate verify error: \((?P<verify>\d+):"), None),
    (re.compile(r"client SSL certificate verify error"), {"ocsp_failed"}),
    (re.compile(r"upstream SSL certificate verify error: \((?P<verify>\d+):"), None),
    (re.compile(r"upstream SSL certificate does not match"), {"peer_certificate_wrong_host"}),
    (re.compile(r"SSL_(?:do_handshake|read_early_data|read)\(\) failed \(.*SSL alert number (?P<alert>\d+)\)"), None),
    (re.compile(r"SSL_(?:do_handshake|read_early_data)\(\) failed"), None),
)
# Lines of nginx that no event of their own answers. True: the same connection must have a failure that does.
ASIDES = (
    # The reason of the certificate callback's failure; SSL_do_handshake() fails after it, with a line of its own.
    (re.compile(r"cannot load certificate(?: key)? |SSL_use_\w+\(.*\) failed"), True),
    # Closing a connection that was refused, while its client still talks.
    (re.compile(r"SSL_shutdown\(\) failed"), True),
    # Left over from another connection of the worker, which has its own line.
    (re.compile(r"ignoring stale global SSL error"), False),
)
# The stream and mail modules give up without a word; but only they say who came, port and all.
ARRIVAL = re.compile(r"^client (?P<peer>\S+):(?P<port>\d+) connected to ")
SILENT_MODULES = {"stream", "stream_proxy", "mail"}
SILENT_CAUSES = TIMEOUTS | {"aborted_by_nginx"}
# Over QUIC it is silent about who leaves as well, and requests have numbers of their own.
QUIET_CAUSES = SILENT_CAUSES | PARTINGS


@dataclasses.dataclass
class Failure:
    """One handshake that failed according to nginx."""
    direction: str
    connection: int
    port: int
    causes: set
    text: str

    @property
    def key(self):
        return (self.direction, self.connection)


def causes_of(match, room):
    """The causes a line leaves room for; None: any."""
    found = match.groupdict()
    if found.get("verify"):
        cause = VERIFY_CAUSES.get(int(found["verify"]))
        return {cause} if cause else None
    if found.get("alert"):
        return ALERT_CAUSES.get(int(found["alert"]))
    return room


def parse_line(head):
    """A Failure, or None for a line that speaks of something else."""
    text = head["text"]
    for pattern, room in FAILURES:
        match = pattern.search(text)
        if match:
            return make_failure(int(head["connection"]), text, causes_of(match, room))
    return None


def make_failure(connection, text, causes):
    backend, listener = BACKEND.search(text), LISTENER.search(text)
    is_upstream = " to upstream" in text or "upstream SSL certificate" in text or "from upstream" in text
    port = backend if is_upstream else listener
    return Failure("upstream" if is_upstream else "client", connection, int(port[1]) if port else 0, causes, text)


def aside_complaint(text, connection, known):
    """What is wrong with a line that is not a failure; "" for nothing."""
    for pattern, needs_failure in ASIDES:
        if pattern.search(text):
            lonely = needs_failure and connection not in known
            return f"log line without a failure: *{connection} {text}" if lonely else ""
    if " while SSL handshaking" in text:
        return f"log line that the oracle does not know: *{connection} {text}"
    return ""


@dataclasses.dataclass
class Log:
    """What an error log says. peers: {connection: (address, port)} as the stream and mail modules saw them."""
    failures: list
    peers: dict
    complaints: list


def read(path):
    """Reads an error log, oldest line first."""
    with open(path, errors="replace") as file:
        heads = [head for head in map(LINE.match, file) if head]
    failures = [failure for failure in map(parse_line, heads) if failure]
    known = {failure.connection for failure in failures}
    peers, complaints = {}, []
    for head in heads:
        connection, text = int(head["connection"]), head["text"]
        arrival = ARRIVAL.match(text)
        if arrival:
            peers[connection] = (arrival["peer"], int(arrival["port"]))
        elif not parse_line(head):
            complaints.append(aside_complaint(text, connection, known))
    return Log(failures, peers, [complaint for complaint in complaints if complaint])


def error_codes(text):
    """The packed OpenSSL errors of a line, oldest first."""
    return [int(code, 16) for code in ERROR.findall(text)]


def event_port(event):
    return event["port"] if event["direction"] == "upstream" else event["local_port"]


def disagreement(failure, event):
    """What a matched pair disagrees about; "" for nothing."""
    if failure.port and failure.port != event_port(event):
        return f"port {event_port(event)}, log says {failure.port}"
    if failure.causes and event["cause"] not in failure.causes:
        return f"cause {event['cause']}, log says {failure.text}"
    return ""


def peer_complaint(event, peers):
    """The stream and mail modules log whom they accepted: a client's address and port must be the event's."""
    logged = peers.get(event["connection"])
    if event["direction"] != "client" or not logged:
        return []
    if event["proxied_by"]: # the line is older than the PROXY protocol header
        found, logged = event["proxied_by"], logged[0]
    else:
        found = (event["peer"], event["port"])
    return [] if found == logged else [f"*{event['connection']}: peer is {found}, log says {logged}"]


def take_nameless(failure, nameless):
    """Who left before nginx had a name for it: the first event that the line does not contradict."""
    for index, event in enumerate(nameless):
        if not disagreement(failure, event):
            return nameless.pop(index)
    return None


def event_key(event):
    """Where the log's line of a failure is looked for."""
    asked = event["transport"] == "quic" and event["outcome"] == "rejected"
    return (event["direction"], None if asked else event["connection"])


def is_silent(event, log):
    """May nginx have said nothing about it?"""
    if event["transport"] == "quic":
        return event["cause"] in QUIET_CAUSES
    return event["connection"] in log.peers and event["cause"] in SILENT_CAUSES


def compare(log, events):
    """Every failure against every failed event, one to one. Returns complaints; none means they agree."""
    waiting, complaints = collections.defaultdict(list), list(log.complaints)
    for event in events:
        complaints += peer_complaint(event, log.peers)
        if event["cause"] != "ok":
            waiting[event_key(event)].append(event)
    nameless = waiting[("client", None)]
    for failure in log.failures:
        if not waiting[failure.key] and failure.direction == "client" and take_nameless(failure, nameless):
            continue
        if not waiting[failure.key]:
            complaints.append(f"log line without an event: *{failure.connection} {failure.text}")
            continue
        wrong = disagreement(failure, waiting[failure.key].pop(0))
        if wrong:
            complaints.append(f"*{failure.connection}: event and log disagree: {wrong}")
    for rest in waiting.values():
        complaints += [f"event without a log line: {event}" for event in rest if not is_silent(event, log)]
    return complaints
