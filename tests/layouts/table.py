# SPDX-License-Identifier: BSD-2-Clause
"""The stored figures: a line a release, its name and each member of struct layout as measured.

Must not know: how they were measured, what is made of them.
"""
import csv
import re

RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)([a-z]?)")


def number(release):
    """As OpenSSL_version_num() gives it: MNNFFPPS up to 1.1.1, MNN00PPS since 3.0."""
    major, minor, patch, letter = RELEASE.fullmatch(release).groups()
    if int(major) >= 3:
        return int(major) << 28 | int(minor) << 20 | int(patch) << 4
    letter_number = ord(letter) - ord("a") + 1 if letter else 0
    return int(major) << 28 | int(minor) << 20 | int(patch) << 12 | letter_number << 4 | 0xf


def read(path):
    """{release: {name: value}} in order of release."""
    with open(path, encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    return {line.pop("release"): {name: int(value) for name, value in line.items()} for line in lines}


def write(path, releases):
    names = ["release", *next(iter(releases.values()))]
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        for release in sorted(releases, key=number):
            writer.writerow({"release": release, **releases[release]})
