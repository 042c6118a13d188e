# SPDX-License-Identifier: BSD-2-Clause
"""
Which causes the scenarios produced, and in what shares. Pure but for cause.h, the closed list, which it reads.

Must not know: scenarios.
"""
import collections
import os
import re

CAUSE_H = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../user/handshake/cause.h")
ROW = re.compile(r'X\(\s*[A-Z0-9_]+,\s*(\d+),\s*"([a-z0-9_]+)"')


def all_causes():
    """The ids of the closed list, in its order."""
    with open(CAUSE_H) as file:
        rows = ROW.findall(file.read())
    if not rows or [int(number) for number, _ in rows] != list(range(len(rows))):
        raise ValueError(f"{CAUSE_H} is not understood: {rows}")
    return [cause for _, cause in rows]


def judge_coverage(produced, elsewhere, impossible):
    """
    Complaints about ids that nobody produced. elsewhere: {id: its test} and impossible: {id: reason} excuse an id, but
    only one that is not produced here.
    """
    known = all_causes()
    excused = {**elsewhere, **impossible}
    for cause in known:
        if cause not in produced and cause not in excused:
            yield f"no scenario produced {cause}"
    for cause in excused:
        if cause not in known:
            yield f"{cause} is no id of the list"
        elif cause in produced:
            yield f"{cause} was produced: it needs no excuse"
    for cause in sorted(produced - set(known)):
        yield f"{cause} is not in the list"


def shares(events):
    """How the (final) events are divided, as one line."""
    counts = collections.Counter(event["cause"] for event in events)
    total = max(len(events), 1)
    parts = {"ok": counts["ok"], "failed": len(events) - counts["ok"], "unknown": counts["unknown"],
             "other_error": counts["other_error"]}
    said = ", ".join(f"{name} {count} ({100 * count / total:.1f} %)" for name, count in parts.items())
    return f"shares of {len(events)} handshakes: {said}"


def judge_shares(by_name, expected):
    """
    Complaints about what may not be: unknown anywhere, other_error where it is not expected. by_name: {scenario:
    its events}; expected: names of the scenarios that expect other_error.
    """
    for name, events in by_name.items():
        for event in events:
            if event["cause"] == "unknown" or event["cause"] == "other_error" and name not in expected:
                yield f"{name}: {event['cause']}"
