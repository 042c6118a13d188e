# SPDX-License-Identifier: BSD-2-Clause
"""Rules that a tool judges: clang-format, clang-tidy, shellcheck. A tool that is not there is a skip, not a pass."""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import Skip

# Versions of clang-format disagree with each other; this one's answer is the style.
FORMAT_VERSION = "14"
# File -> why it is written by hand.
FORMAT_LEFT_OUT = {
    "user/handshake/names.c": "several X() on a line: clang-format moves one of them down each time it runs",
}
TIDY = re.compile(r"^(\S+?:\d+):\d+: (?:error|warning): (.*)$", re.M)
RETURNS_ERRNO = re.compile(r"^\s+return\b.*\berrno\b", re.M)
COMPILE = ["-std=gnu17", "-Iinclude", "-Iuser", "-isystem", "build", "-isystem", "/usr/include/capstone",
           '-DTLSWHY_VERSION="0"']


def run(tree, command):
    return subprocess.run(command, cwd=tree.root, text=True, capture_output=True, check=False)


def need(tool):
    if not shutil.which(tool):
        raise Skip(f"{tool} is not installed")


def need_format(tree):
    need("clang-format")
    version = re.search(r"version (\d+)", run(tree, ["clang-format", "--version"]).stdout)
    if not version or version.group(1) != FORMAT_VERSION:
        raise Skip(f"clang-format is not version {FORMAT_VERSION}")


def formatted(tree):
    return [file for file in tree.c_files() if file not in FORMAT_LEFT_OUT]


def format_style(tree):
    """C sources look as clang-format writes them (`make format`)."""
    need_format(tree)
    files = formatted(tree)
    if not files:
        return []
    result = run(tree, ["clang-format", "--dry-run", "--style=file"] + files)
    where = re.findall(r"^(\S+?):(\d+):\d+: warning", result.stderr, re.M)
    first = {}
    for file, line in where:
        first.setdefault(file, []).append(line)
    return [f"{file}:{lines[0]}: differs from the style in {len(lines)} places; hint: make format"
            for file, lines in first.items()]


def rewrite(tree):
    need_format(tree)
    run(tree, ["clang-format", "-i", "--style=file"] + formatted(tree))


def tidy_reports(output):
    """[(complaint, whether it rests on errno being 0)]: clang 14 cannot negate, `return -errno` may be 0 to it."""
    starts = list(TIDY.finditer(output))
    ends = [match.start() for match in starts[1:]] + [len(output)]
    return [(": ".join(match.groups()), bool(RETURNS_ERRNO.search(output, match.end(), end)))
            for match, end in zip(starts, ends)]


def static_analysis(tree):
    """clang-tidy over the sources of user/, with the checks of .clang-tidy."""
    need("clang-tidy")
    files = [file for file in tree.c_files("user/") if file.endswith(".c")]
    if not os.path.isfile(tree.path("build/tlswhy.skel.h")):
        files = [file for file in files if not file.startswith("user/attach/tracer")]

    def judge(file):
        result = run(tree, ["clang-tidy", "--quiet", file, "--"] + COMPILE)
        reports = tidy_reports(result.stdout.replace(tree.root + "/", ""))
        complaints = [report for report, by_errno in reports if not by_errno]
        if result.returncode and not reports:
            complaints = [f"{file}: clang-tidy failed: {result.stderr.strip()[-300:]}"]
        return complaints

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return sorted({complaint for complaints in pool.map(judge, files) for complaint in complaints})


def shell_scripts(tree):
    """shellcheck has nothing to say."""
    need("shellcheck")
    shells = [file for file in tree.scripts if re.match(r"#!.*\b(ba)?sh\b", tree.text(file))]
    if not shells:
        return []
    result = run(tree, ["shellcheck", "--format=gcc"] + shells)
    return [line for line in result.stdout.split("\n") if line]
