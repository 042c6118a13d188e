# SPDX-License-Identifier: BSD-2-Clause
"""Rules on files that a program of ours writes."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LAYOUTS = "user/attach/layout_rows.c"


def layout_table(tree):
    """The table of layouts is what tests/layouts/generate makes of the measured figures: no number in it is typed."""
    if LAYOUTS not in tree.files:
        return []
    result = subprocess.run([sys.executable, "-B", os.path.join(HERE, "../layouts/generate"), "--check",
                             "--root", tree.root], text=True, capture_output=True, check=False)
    if not result.returncode:
        return []
    return [f"{LAYOUTS}: {line}" for line in result.stderr.strip().splitlines()[-10:]]
