# SPDX-License-Identifier: BSD-2-Clause
"""
What a running tlswhy holds: descriptors, probes, entries of its maps, memory. Must not know: what it watches.
"""
import json
import os
import re
import subprocess

from lab import nginx

# Maps whose entries stand for what is watched. Others hold handshakes in flight.
MAPS = ("targets", "binaries", "cycles")
RSS_SLACK = 1.05


def map_ids(pid):
    found = set()
    directory = f"/proc/{pid}/fdinfo"
    for name in os.listdir(directory):
        try:
            with open(os.path.join(directory, name)) as info:
                found |= {int(number) for number in re.findall(r"^map_id:\s+(\d+)$", info.read(), re.M)}
        except FileNotFoundError:
            continue
    return found


def bpftool(*arguments):
    done = subprocess.run(["bpftool", "--json", *arguments], capture_output=True, text=True, timeout=20, check=True)
    return json.loads(done.stdout)


def map_entries(pid):
    """{map: entries} of MAPS."""
    names = {number: bpftool("map", "show", "id", str(number))["name"] for number in map_ids(pid)}
    return {name: len(bpftool("map", "dump", "id", str(number))) for number, name in names.items() if name in MAPS}


def missed_runs(pid):
    """
    How often the kernel did not run one of its programs: a CPU that was in the middle of it was interrupted by what the
    program is for.
    """
    missed, directory = 0, f"/proc/{pid}/fdinfo"
    for name in os.listdir(directory):
        try:
            with open(os.path.join(directory, name)) as info:
                missed += sum(map(int, re.findall(r"^recursion_misses:\s+(\d+)$", info.read(), re.M)))
        except FileNotFoundError:
            continue
    return missed


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", file.read(), re.M).group(1))


def held(pid):
    """What must not grow: {"descriptors": number, map: entries}. Each probe has two descriptors."""
    return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")), **map_entries(pid)}


def complaints(pid, before):
    """Where more is held than before, or memory has grown by more than a twentieth."""
    now = held(pid)
    grown = [f"{name} {now[name]}, was {before[name]}" for name in now if now[name] > before[name]]
    rss, limit = rss_kib(pid), before["rss_kib"] * RSS_SLACK
    return grown + ([f"memory {rss} KiB, was {before['rss_kib']} KiB"] if rss > limit else [])


def measured(pid):
    return {**held(pid), "rss_kib": rss_kib(pid)}


def lasting(pid, before, seconds=30):
    """The complaints that are still there after a while: what is let go of is let go of a moment later."""
    try:
        nginx.wait_until(lambda: not complaints(pid, before), seconds, "let go")
    except TimeoutError:
        return complaints(pid, before)
    return []


def wait_no_more(pid, before):
    grown = lasting(pid, before)
    if grown:
        raise TimeoutError("it grows: " + ", ".join(grown))
