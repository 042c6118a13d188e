# SPDX-License-Identifier: BSD-2-Clause
"""The tree that the rules look at: its files, their text, and C text without comments and strings.

A rule is a function from a Tree to a list of complaints, empty when it is kept; it raises Skip when it cannot be
judged here. Rules see nothing but their Tree, so that selftest.py can show each of them a tree that breaks it.
"""
import functools
import os
import re

LEFT_OUT = {".git", "build", "__pycache__"}
SCRIPT = re.compile(rb"#!.*\b(sh|bash|python3)\b")
C_TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


class Skip(Exception):
    """The rule cannot be judged; the text says why."""


def blank(match):
    """A comment or string becomes spaces and the newlines it had, so that line numbers stay."""
    text = match.group(0)
    inner = "".join("\n" if c == "\n" else " " for c in text[1:-1])
    return text[0] + inner + text[-1] if text[0] in "\"'" else " " + inner + " "


class Tree:
    """Files below a directory, by path relative to it."""

    def __init__(self, root):
        self.root = os.path.abspath(root)

    @functools.cached_property
    def files(self):
        found = []
        for directory, below, names in os.walk(self.root):
            below[:] = sorted(name for name in below if name not in LEFT_OUT)
            for name in sorted(names):
                path = os.path.join(directory, name)
                if os.path.isfile(path):
                    found.append(os.path.relpath(path, self.root))
        return found

    def path(self, file):
        return os.path.join(self.root, file)

    @functools.lru_cache(maxsize=None)
    def text(self, file):
        with open(self.path(file), encoding="utf-8", errors="replace") as stream:
            return stream.read()

    @functools.lru_cache(maxsize=None)
    def code(self, file):
        """C text with comments and the insides of strings blanked."""
        return C_TOKENS.sub(blank, self.text(file))

    def c_files(self, *directories):
        return [f for f in self.files if f.endswith((".c", ".h")) and f.startswith(directories or ("",))]

    @functools.cached_property
    def scripts(self):
        """Python and shell: by suffix, or by the first line."""
        found = []
        for file in self.files:
            with open(self.path(file), "rb") as stream:
                if file.endswith((".py", ".sh")) or SCRIPT.match(stream.readline(100)):
                    found.append(file)
        return found

    @property
    def sources(self):
        return self.c_files() + self.scripts


def lines_matching(text, pattern):
    """(line number, match) for every match of a compiled pattern."""
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match
