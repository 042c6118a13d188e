# SPDX-License-Identifier: BSD-2-Clause
"""Libraries that change what an nginx meets, for LD_PRELOAD. Must not know: what they change."""
import os
import subprocess


def build(directory, name):
    """Compiles lab/NAME.c to a library in a directory; its path."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".c")
    library = os.path.join(directory, name + ".so")
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    return library
