# SPDX-License-Identifier: BSD-2-Clause
"""Rules that hold documents against the tables of the program: causes, options, version, and the manual's markup."""
import os
import re
import shutil
import subprocess

from tree import Skip

MANUAL = "user/dist/tlswhy.8"
CAUSES = "user/handshake/cause.h"
OPTIONS = "user/command/options.c" # those of the commands
MAIN = "user/main.c"               # those that need no command


def need(tree, *files):
    for file in files:
        if not os.path.isfile(tree.path(file)):
            raise Skip(f"{file} is not there")


def section(text, name):
    """A section of an mdoc page."""
    match = re.search(r'^\.Sh "?%s"?\n(.*?)(?=^\.Sh |\Z)' % re.escape(name), text, re.M | re.S)
    return match.group(1) if match else ""


def causes_of_program(tree):
    """[(id, meaning)] in the list's order, as the compiler's preprocessor sees it."""
    source = f'#include "{tree.path(CAUSES)}"\n#define X(s, n, id, c, u, meaning, ...) @@ id @ meaning @@\nCAUSES(X)\n'
    run = subprocess.run(["gcc", "-E", "-P", "-Iinclude", "-Iuser", "-x", "c", "-"], input=source, cwd=tree.root,
                         text=True, capture_output=True, check=False)
    rows = re.findall(r"@@\s*((?:\"[^\"]*\"\s*)+)@\s*((?:\"[^\"]*\"\s*)+)@@", run.stdout)
    return [tuple("".join(re.findall(r'"([^"]*)"', part)) for part in row) for row in rows]


def manual_causes(tree):
    """The manual's CAUSES is the program's list: same ids, same order, same words."""
    need(tree, MANUAL, CAUSES)
    program = causes_of_program(tree)
    if not program:
        return [f"{CAUSES}: no list of causes found"]
    manual = re.findall(r"^\.It Cm (\S+)\n(.*)$", section(tree.text(MANUAL), "CAUSES"), re.M)
    found = [f"{MANUAL}: cause '{row[0]}' must read: {row[1]}" for row in program if row not in manual]
    found += [f"{MANUAL}: '{row[0]}' is no cause of the program" for row in manual if row[0] not in dict(program)]
    if not found and manual != program:
        found.append(f"{MANUAL}: causes are not in the order of {CAUSES}")
    return found


def manual_options(tree):
    """Every long option of the program is in the manual, and none that it does not have."""
    need(tree, MANUAL, OPTIONS, MAIN)
    program = set(re.findall(r'\.name\s*=\s*"([a-z][a-z0-9-]*)"', tree.text(OPTIONS)))
    if not program:
        return [f"{OPTIONS}: no table of options found"]
    program |= set(re.findall(r'"--([a-z][a-z0-9-]*)"', tree.text(MAIN)))
    described = section(tree.text(MANUAL), "OPTIONS").replace("\\-", "-")
    manual = set(re.findall(r"Fl (?:Fl )?-([a-z][a-z0-9-]+)", described))
    found = [f"{MANUAL}: option '--{name}' is not described" for name in sorted(program - manual)]
    return found + [f"{MANUAL}: the program has no option '--{name}'" for name in sorted(manual - program)]


def manual_markup(tree):
    """The manual formats without a warning."""
    need(tree, MANUAL)
    if shutil.which("mandoc"):
        command = ["mandoc", "-Tlint", "-Wwarning", MANUAL]
    elif shutil.which("groff"):
        command = ["groff", "-mdoc", "-Tutf8", "-ww", "-z", MANUAL]
    else:
        raise Skip("neither mandoc nor groff is installed")
    run = subprocess.run(command, cwd=tree.root, text=True, capture_output=True, check=False)
    return [line for line in (run.stdout + run.stderr).split("\n") if line]


def version_agrees(tree):
    """The manual and the changelog know the version that the Makefile builds."""
    need(tree, "Makefile", MANUAL, ".github/CHANGELOG.md")
    match = re.search(r"^VERSION := (\S+)$", tree.text("Makefile"), re.M)
    if not match:
        return ["Makefile: no VERSION"]
    found = []
    if f".Os tlswhy {match.group(1)}\n" not in tree.text(MANUAL):
        found.append(f"{MANUAL}: '.Os tlswhy {match.group(1)}' expected")
    headings = re.findall(r"^## \[(.+?)\]", tree.text(".github/CHANGELOG.md"), re.M)
    if not headings or headings[0] != "Unreleased" and headings[0] != match.group(1):
        found.append(f".github/CHANGELOG.md: begins neither with Unreleased nor with {match.group(1)}")
    return found
