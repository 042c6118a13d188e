# SPDX-License-Identifier: BSD-2-Clause
"""
Holds events against what a scenario expects. Pure: lists in, complaints out.
"""
import collections

from lab import log, tracer

PROMPT_SECONDS = 0.2 # from settlement to the line on stdout
HOLD_SECONDS = 1.0   # how much longer a verdict that may still change is held back
SSL_LIBRARY = 20
FUNCTION_BITS = 0xFFF000 # OpenSSL 1.1.1 alone puts a function between the library and the reason


def owner(event, by_listener, by_backend):
    """The scenario's target an event belongs to, or None."""
    if event["direction"] == "upstream":
        return by_backend.get(event.get("port"))
    return by_listener.get(event.get("local_port"))


def same_handshake(first, second):
    keys = ("direction", "pid", "connection", "peer", "port", "local_port")
    return all(first.get(key) == second.get(key) for key in keys)


def final_events(arrivals):
    """(arrival, event) with every amendment applied, and complaints about amendments of nothing."""
    final, complaints = [], []
    for arrival, event in arrivals:
        if not event.get("amends"):
            final.append((arrival, event))
            continue
        for index in reversed(range(len(final))):
            if same_handshake(final[index][1], event) and final[index][1]["cause"] == "ok":
                final[index] = (arrival, event)
                break
        else:
            complaints.append(f"amends nothing: {event}")
    return final, complaints


def error_reason(code):
    """The reason in a packed error of the SSL library, else None. The two ways of packing cannot be mistaken: read in
    the other one, the number of the SSL library is one that nobody has here."""
    if code >> 24 == SSL_LIBRARY: # OpenSSL 1.1.1: library, function, reason
        return code & ~FUNCTION_BITS & 0xFFFFFF
    return code & 0x7FFFFF if code >> 23 == SSL_LIBRARY else None


def error_reasons(event):
    """OpenSSL reasons of the SSL library in an event's errors: hexadecimal codes, alone or in objects."""
    codes = [error["code"] if isinstance(error, dict) else error for error in event.get("errors") or []]
    reasons = [error_reason(int(str(code).split(":")[0], 16)) for code in codes]
    return [reason for reason in reasons if reason is not None]


def allowed_reasons(wanted):
    return wanted if isinstance(wanted, tuple) else (wanted,)


def field_complaint(event, key, wanted):
    if key == "error":
        found = error_reasons(event)
        return "" if found and found[0] in allowed_reasons(wanted) else f"SSL library reasons {found}, not {wanted}"
    found = event.get(key)
    return "" if found == wanted else f"{key} is {found!r}, not {wanted!r}"


def event_complaints(event, expect):
    if (event["direction"], event["cause"]) != (expect.direction, expect.cause):
        yield f"{event['direction']} {event['cause']}, not {expect.direction} {expect.cause}: {event}"
        return
    for key, wanted in expect.fields.items():
        wrong = field_complaint(event, key, wanted)
        if wrong:
            yield wrong
    if (event["outcome"] == "ok") != (expect.cause == "ok"):
        yield f"outcome {event['outcome']!r} with cause {event['cause']}"


def lateness_complaint(arrival, event, hold, stalled):
    settled = tracer.event_seconds(event)
    limit = PROMPT_SECONDS + (HOLD_SECONDS if hold else 0) + stalled(settled, arrival)
    return f"arrived {arrival - settled:.3f} s after it settled" if arrival - settled > limit else ""


def lateness(scenario, arrivals, stalled):
    """Complaints about when events arrived. stalled(begin, end): seconds the host held everyone back."""
    complaints = [lateness_complaint(arrival, event, scenario.hold, stalled) for arrival, event in arrivals]
    return [complaint for complaint in complaints if complaint]


def is_told(scenario, arrivals):
    """Whether what is expected has been told, and amended where it must be."""
    causes = [(event["direction"], event["cause"]) for _, event in final_events(arrivals)[0]]
    return causes == [(expect.direction, expect.cause) for expect in scenario.expect]


def judge(scenario, arrivals):
    """Complaints about the events of one scenario, whenever they arrived."""
    final, complaints = final_events(arrivals)
    if len(final) != len(scenario.expect):
        found = ", ".join(f"{event['direction']} {event['cause']}" for _, event in final) or "none"
        complaints.append(f"{len(final)} events ({found}), not {len(scenario.expect)}")
    for (_, event), expect in zip(final, scenario.expect):
        complaints += event_complaints(event, expect)
    return [complaint for complaint in complaints if complaint]


def judge_report(report, events):
    """Complaints about a report of the same time as the (final) events: both must count alike, and exactly."""
    counts = collections.Counter((event["direction"], event["cause"]) for event in events)
    reported = collections.Counter()
    for row in report["causes"]:
        reported[(row["direction"], row["cause"])] += row["count"]
    for direction, totals in report["totals"].items():
        reported[(direction, "ok")] += totals["ok"]
        if totals["begun"] != totals["ok"] + totals["failed"] + totals["open"] + totals["evicted"]:
            yield f"{direction} does not add up: {totals}"
    for key in sorted(counts.keys() | reported.keys()):
        if counts[key] != reported[key]:
            yield f"{' '.join(key)}: {reported[key]} in the report, {counts[key]} in the trace"
    if report["exact"] is not True or any(report["losses"].values()):
        yield f"exact is {report['exact']}, losses {report['losses']}"


def judge_log(scenario, target, failures):
    """The same from nginx's log alone: as many failures as the scenario expects, on its own ports, of its causes."""
    ports = {"client": target.port, "upstream": target.backend_port}
    mine = [failure for failure in failures if failure.port == ports[failure.direction]]
    silent = log.SILENT_CAUSES if scenario.module in log.SILENT_MODULES else set()
    if scenario.is_quic:
        silent = log.QUIET_CAUSES
    expected = [expect for expect in scenario.expect if expect.cause not in silent | {"ok"}]
    complaints = []
    if len(mine) != len(expected):
        complaints.append(f"{len(mine)} failures in the log, not {len(expected)}: {[f.text for f in mine]}")
    for failure, expect in zip(mine, expected):
        pretended = {"cause": expect.cause, "direction": expect.direction, "port": ports["upstream"],
                     "local_port": ports["client"]}
        if failure.direction != expect.direction:
            complaints.append(f"the log says {failure.direction}: {failure.text}")
        complaints += [wrong for wrong in (log.disagreement(failure, pretended), *text_complaints(failure, expect))
                       if wrong]
    return complaints


def text_complaints(failure, expect):
    """Expected numbers that the log's line does not show."""
    wanted, found = expect.fields.get("error"), log.error_codes(failure.text)
    if wanted is not None and not any(error_reason(code) in allowed_reasons(wanted) for code in found):
        yield f"no SSL library reason {wanted} in: {failure.text}"
    wanted = expect.fields.get("verify_result")
    if wanted is not None and f"({wanted}:" not in failure.text:
        yield f"no verify result {wanted} in: {failure.text}"
