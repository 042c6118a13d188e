# SPDX-License-Identifier: BSD-2-Clause
"""Rules that read text: licence lines, head comments, white space, calls and words that must not occur."""
import re

from tree import lines_matching

COLUMNS = 120
DUAL = ("bpf/", "include/")
BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|sscanf|gets|strtok|atoi|atol|atoll|popen|system|alloca|signal)\s*\(")
# Paths of one machine say something about who built, and nothing about the program. /proc/PID/root is not meant.
WORDS = re.compile(r"(?<![\w})%*>.\]])/(wor[k]|roo[t]|hom[e]/\w+)/|/tmp/brie[f]|\bpyen[v]\b"
                   r"|\b(pypi\.or[g]|crates\.i[o]|npmjs\.co[m]|proxy\.golang\.or[g]|rubygems\.or[g])\b")
TRAILING = re.compile(r"[ \t]+$", re.M)
SPACES = re.compile(r"^ {8}", re.M)
SPDX = re.compile(r"SPDX-License-Identifier: (.+?)(?: \*/)?$")


def licence_line(tree):
    """The first line (after #!) names the licence: dual for bpf/ and include/, BSD-2-Clause for the rest."""
    found = []
    for file in tree.sources + [f for f in tree.files if f == "Makefile"]:
        lines = tree.text(file).split("\n")
        line = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        want = "GPL-2.0-only OR BSD-2-Clause" if file.startswith(DUAL) else "BSD-2-Clause"
        match = SPDX.search(line)
        if not match or match.group(1) != want:
            found.append(f"{file}:1: the first line must read 'SPDX-License-Identifier: {want}'")
    return found


def head_comment(tree):
    """After the licence, a source says what it is for."""
    found = []
    for file in tree.sources:
        lines = [line for line in tree.text(file).split("\n") if line.strip() and not line.startswith("#!")]
        begin = lines[1].strip() if len(lines) > 1 else ""
        if begin == "#" and len(lines) > 2:
            begin = lines[2].strip()
        if file.endswith("__init__.py") and len(lines) <= 1:
            continue
        marks = ("/*", "//") if file.endswith((".c", ".h")) else ("# ", '"""', "'''", 'r"""')
        if not begin.startswith(marks):
            found.append(f"{file}:2: no head comment: what it is for, what it keeps, what it must not know")
    return found


def white_space(tree):
    """No blanks at the end of a line or of a file, one newline at the end, C indented by tabs."""
    found = []
    for file in tree.files:
        if not (file in tree.sources or file.endswith((".md", ".8", "Makefile"))):
            continue
        text = tree.text(file)
        found += [f"{file}:{line}: blank at the end of the line" for line, _ in lines_matching(text, TRAILING)]
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            found.append(f"{file}: ends without exactly one newline")
        if file.endswith((".c", ".h")):
            found += [f"{file}:{line}: indented by spaces" for line, _ in lines_matching(text, SPACES)]
    return found


def line_width(tree):
    """Lines are at most 120 columns wide, a tab counting to the next multiple of 8."""
    found = []
    for file in tree.sources + [f for f in tree.files if f == "Makefile"]:
        for number, line in enumerate(tree.text(file).split("\n"), 1):
            width = len(line.expandtabs(8))
            if width > COLUMNS:
                found.append(f"{file}:{number}: {width} columns, the limit is {COLUMNS}")
    return found


def banned_calls(tree):
    """Calls that cannot be used safely, or that hand root's rights to a shell."""
    return [f"{file}:{line}: {match.group(1)}() is banned"
            for file in tree.c_files() for line, match in lines_matching(tree.code(file), BANNED)]


def foreign_words(tree):
    """No paths of one machine and no names of package registries."""
    return [f"{file}:{line}: '{match.group(0)}' has no place in this tree"
            for file in tree.files for line, match in lines_matching(tree.text(file), WORDS)]
