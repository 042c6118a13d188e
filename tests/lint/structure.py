# SPDX-License-Identifier: BSD-2-Clause
"""Rules about how the tree is put together: who includes whom, headers that stand alone, sizes."""
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import Skip, lines_matching

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)

# Directory below user/ -> the directories below user/ it may include.
MAY_INCLUDE = {
    "base": {"base"},
    "handshake": {"base", "handshake"},
    "diagnose": {"base", "handshake", "diagnose"},
    "output": {"base", "handshake", "diagnose", "output"},
    "host": {"base", "host"},
    "recording": {"base", "handshake", "recording"},
    "attach": {"base", "handshake", "host", "attach"},
    "command": {"base", "handshake", "diagnose", "output", "host", "recording", "attach", "command"},
}
# No system call, no clock, no library but the JSON one: what these may take from outside.
PURE = {"handshake", "diagnose", "output"}
PURE_SYSTEM = re.compile(
    r"(assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings"
    r"|time|endian|byteswap|jansson|linux/types|arpa/inet|netinet/in|sys/socket|sys/types)\.h$")
LIBELF = ("user/attach/library.c", "user/attach/library_private.h")
# Header -> the only sources that may include it.
ONLY_IN = (
    (re.compile(r"^bpf/|\.skel\.h$|tracer_private\.h$"),
     ("user/attach/tracer.c", "user/attach/tracer_memory.c", "user/attach/tracer_read.c",
      "user/attach/tracer_stats.c", "user/attach/tracer_private.h"), "libbpf and the skeleton"),
    (re.compile(r"^(libelf|gelf|elfutils/.*|dwarf)\.h$"),
     (*LIBELF, "user/attach/dwarf_file.c", "user/attach/dwarf_die.h", "user/attach/dwarf_die.c",
      "user/attach/dwarf_walk.c", "user/attach/dwarf_fetch.c"), "libelf and libdw"),
    (re.compile(r"library_private\.h$"), (*LIBELF, "user/attach/library_symbols.c"), "an opened library's insides"),
)
UPROBE = re.compile(r'SEC\("u(?:ret)?probe"\)\s+int (?P<name>\w+)\([^)]*\)\s*\{\s*(?P<body>[^}]*)\}')
FUNCTION_HARD, FUNCTION_USUAL, FILE_HARD = 80, 40, 400


def includes(tree, file):
    """(line, quoted, name) of every #include; comments are blanked, the names are taken from the text as written."""
    code = tree.code(file).split("\n")
    for line, match in lines_matching(tree.text(file), INCLUDE):
        if "include" in code[line - 1]:
            yield line, match.group(1) == '"', match.group(2)


def user_directory_of(tree, file, name):
    """The directory below user/ that a quoted name leads to; None for what is not below user/."""
    for base in (os.path.dirname(file), "user"):
        path = os.path.normpath(os.path.join(base, name))
        if path.startswith("user/") and os.path.isfile(tree.path(path)):
            parts = path.split("/")
            return parts[1] if len(parts) > 2 else "."
    return None


def user_include_complaint(tree, file, quoted, name):
    own = file.split("/")[1] if file.count("/") > 1 else "."
    for pattern, homes, what in ONLY_IN:
        if pattern.search(name) and file not in homes:
            return f"'{name}': only {', '.join(homes)} may see {what}"
    if name.endswith(".bpf.h") or name.endswith(".bpf.c") or "../" in name:
        return f"'{name}': user/ never includes sources of bpf/, nor by '..'"
    target = user_directory_of(tree, file, name) if quoted else None
    if target:
        allowed = MAY_INCLUDE.get(own, {"base", "command"})
        if target not in allowed:
            return f"'{name}': {own}/ may include {', '.join(sorted(allowed))}"
    elif own in PURE and not name.startswith("tlswhy/") and not PURE_SYSTEM.match(name):
        return f"'{name}': {own}/ is pure"
    elif own != "." and own not in MAY_INCLUDE:
        return f"'{own}/' is not a directory the design knows"
    return None


def bpf_include_complaint(tree, file, quoted, name):
    if name == "vmlinux.h" or name.startswith(("tlswhy/", "bpf/")):
        return None
    if quoted and name.endswith(".bpf.h") and os.path.isfile(tree.path(os.path.join("bpf", name))):
        return None
    return f"'{name}': bpf/ includes include/, itself and libbpf's helpers"


def shared_include_complaint(tree, file, quoted, name):
    if quoted and os.path.isfile(tree.path(os.path.join("include/tlswhy", os.path.basename(name)))):
        return None
    return f"'{name}': include/ is compiled by both sides and includes itself only"


def include_direction(tree):
    """Includes point one way: the pure core knows nobody, one file knows libbpf, one knows libelf."""
    judges = (("user/", user_include_complaint), ("bpf/", bpf_include_complaint),
              ("include/", shared_include_complaint))
    found = []
    for prefix, judge in judges:
        for file in tree.c_files(prefix):
            for line, quoted, name in includes(tree, file):
                complaint = judge(tree, file, quoted, name)
                if complaint:
                    found.append(f"{file}:{line}: {complaint}")
    return found


def compile_header(tree, file):
    # What include/ needs of the fixed-width types comes from vmlinux.h on one side and from here on the other.
    types = "#include <linux/types.h>\n" if file.startswith("include/") else ""
    command = ["gcc", "-fsyntax-only", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Iuser", "-isystem",
               "build", "-xc", "-"]
    if ".skel.h" in tree.text(file) and not os.path.isfile(tree.path("build/tlswhy.skel.h")):
        return None # generated: `make lint` after `make` compiles it too
    run = subprocess.run(command, input=f'{types}#include "{tree.path(file)}"\n', cwd=tree.root, text=True,
                         capture_output=True, check=False)
    if run.returncode == 0:
        return None
    first = next((line for line in run.stderr.split("\n") if "error" in line), run.stderr.strip())
    return f"{file}: does not compile alone: {first}"


def header_self_containment(tree):
    """A header compiles alone. Not those of bpf/: they are chapters of one program, in the order it includes them."""
    headers = [file for file in tree.c_files() if file.endswith(".h") and not file.startswith("bpf/")]
    with ThreadPoolExecutor(2) as pool:
        return [complaint for complaint in pool.map(lambda file: compile_header(tree, file), headers) if complaint]


def functions(tree):
    """(file, name, first line, length) of every function, as Universal Ctags counts."""
    files = [file for file in tree.sources if file.endswith((".c", ".h", ".py"))]
    if not files:
        return []
    command = ["ctags", "--options=NONE", "--langmap=C:.c.h", "--kinds-C=f", "--kinds-Python=fm", "-x",
               "--_xformat=%F\t%N\t%n\t%e", "-L", "-"]
    try:
        run = subprocess.run(command, input="\n".join(files), cwd=tree.root, text=True, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Skip(f"universal-ctags: {error}") from error
    rows = [line.split("\t") for line in run.stdout.split("\n") if line.count("\t") == 3]
    return [(file, name, int(first), int(last) - int(first) + 1) for file, name, first, last in rows if last.isdigit()]


def function_budget(tree):
    """No function is longer than 80 lines; of user/ and bpf/, nine in ten stay within 40."""
    rows = functions(tree)
    found = [f"{file}:{line}: {name} has {length} lines, the limit is {FUNCTION_HARD}"
             for file, name, line, length in rows if length > FUNCTION_HARD]
    program = sorted((row for row in rows if row[0].startswith(("user/", "bpf/"))), key=lambda row: row[3])
    over = [row for row in program if row[3] > FUNCTION_USUAL]
    if len(over) * 10 > len(program):
        found += [f"{file}:{line}: {name} has {length} lines; more than one in ten is over {FUNCTION_USUAL}"
                  for file, name, line, length in over]
    return found


def uprobe_stack(tree):
    """Every uprobe program begins with keep_stack(ctx): without it kernels from 6.13 on can be brought down."""
    found = []
    for file in tree.sources:
        if not file.startswith("bpf/") or not file.endswith((".c", ".h")):
            continue
        for match in UPROBE.finditer(tree.text(file)):
            if not match["body"].startswith("keep_stack(ctx);"):
                found.append(f"{file}: {match['name']} does not begin with keep_stack(ctx)")
    return found


def file_budget(tree):
    """No source file is longer than 400 lines."""
    sizes = ((file, tree.text(file).count("\n")) for file in tree.sources)
    return [f"{file}: {size} lines, the limit is {FILE_HARD}" for file, size in sizes if size > FILE_HARD]
