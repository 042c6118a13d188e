# SPDX-License-Identifier: BSD-2-Clause
"""Runs every rule over the tree: one line a rule, what breaks it below, `N passed, N failed, N skipped` at the end.

    tests/lint/run.py              judge the tree that this file is part of
    tests/lint/run.py --format     rewrite its C sources in the project's style instead
"""
import os
import sys

import documents
import generated
import selftest
import structure
import text
import tools
from tree import Skip, Tree

SHOWN = 40

RULES = (
    structure.include_direction,
    structure.header_self_containment,
    structure.function_budget,
    structure.file_budget,
    structure.uprobe_stack,
    text.licence_line,
    text.head_comment,
    text.white_space,
    text.line_width,
    text.banned_calls,
    text.foreign_words,
    tools.format_style,
    tools.static_analysis,
    tools.shell_scripts,
    generated.layout_table,
    documents.manual_causes,
    documents.manual_options,
    documents.manual_markup,
    documents.version_agrees,
    selftest.rules_can_fail,
)


def judge(rule, tree):
    """Runs one rule, prints its line; 'passed', 'failed' or 'skipped'."""
    name = rule.__name__.replace("_", "-")
    try:
        complaints = rule(tree)
    except Skip as reason:
        print(f"skip {name}: {reason}", flush=True)
        return "skipped"
    if not complaints:
        print(f"ok   {name}", flush=True)
        return "passed"
    print(f"FAIL {name}: {rule.__doc__.strip()}")
    for complaint in complaints[:SHOWN]:
        print(f"     {complaint}")
    if len(complaints) > SHOWN:
        print(f"     and {len(complaints) - SHOWN} more")
    sys.stdout.flush()
    return "failed"


def main(arguments):
    tree = Tree(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    if arguments == ["--format"]:
        tools.rewrite(tree)
        return 0
    if arguments:
        print("usage: tests/lint/run.py [--format]", file=sys.stderr)
        return 2
    results = [judge(rule, tree) for rule in RULES]
    counts = [results.count(kind) for kind in ("passed", "failed", "skipped")]
    print("{} passed, {} failed, {} skipped".format(*counts))
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
