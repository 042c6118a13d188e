# SPDX-License-Identifier: BSD-2-Clause
"""Shows every rule a small tree that breaks it, and one that keeps them all: a rule that cannot fail is no rule."""
import os
import shutil
import tempfile

import documents
import generated
import structure
import text
import tools
from tree import Skip, Tree

HERE = os.path.dirname(os.path.abspath(__file__))
BSD = "/* SPDX-License-Identifier: BSD-2-Clause */\n/* For a test. */\n"
DUAL = BSD.replace("BSD-2", "GPL-2.0-only OR BSD-2")
CAUSE = '#define CAUSES(X) X(OK, 0, "ok", NOBODY, NOBODY, "it is fine", "", "")\n'
MANUAL = (".Dd January 1, 2025\n.Dt TLSWHY 8\n.Os tlswhy 1.2.3\n.Sh NAME\n.Nm tlswhy\n.Nd test\n.Sh OPTIONS\n"
          ".Bl -tag -width Ds\n.It Fl -color\nWhen.\n.El\n.Sh CAUSES\n.Bl -tag -width Ds\n.It Cm ok\nit is fine\n.El\n")
CLEAN = {
    "Makefile": "# SPDX-License-Identifier: BSD-2-Clause\nVERSION := 1.2.3\n",
    ".github/CHANGELOG.md": "## [Unreleased]\n",
    "user/dist/tlswhy.8": MANUAL,
    "user/handshake/cause.h": BSD + CAUSE,
    "user/command/options.c": BSD + 'static const char *const names[] = { "x" };\n/* .name = "color" */\n',
    "user/main.c": BSD + "int main(void)\n{\n\treturn 0;\n}\n",
    "user/base/log.h": BSD + "void log_it(void);\n",
    "user/output/text.c": BSD + '#include <stdio.h>\n#include "base/log.h"\n\nint answer(void)\n{\n\treturn EOF;\n}\n',
    "include/tlswhy/event.h": DUAL + "struct event {\n\t__u8 kind;\n};\n",
    "bpf/tlswhy.bpf.c": DUAL + '#include "vmlinux.h"\n#include "tlswhy/event.h"\n',
    "tests/go": "#!/bin/sh\n# SPDX-License-Identifier: BSD-2-Clause\n# Goes.\necho \"$1\"\n",
}


def function_of(lines):
    return BSD + "int f(void);\nint f(void)\n{\n" + "\tf();\n" * (lines - 3) + "}\n"


# rule -> files that break it, each on top of the clean tree; one entry a way to break it.
BREAKING = (
    (structure.include_direction, "user/handshake/a.c", BSD + '#include "output/text.h"\n#include <unistd.h>\n'),
    (structure.include_direction, "user/base/a.c", BSD + '#include "handshake/cause.h"\n'),
    (structure.include_direction, "user/attach/a.c", BSD + "#include <bpf/libbpf.h>\n"),
    (structure.include_direction, "user/attach/b.c", BSD + '#include "tlswhy.skel.h"\n'),
    (structure.include_direction, "user/host/a.c", BSD + "#include <libelf.h>\n"),
    (structure.include_direction, "user/host/b.c", BSD + '#include "../../bpf/emit.bpf.h"\n'),
    (structure.include_direction, "bpf/a.bpf.h", DUAL + '#include "base/log.h"\n'),
    (structure.include_direction, "include/tlswhy/a.h", DUAL + "#include <stdio.h>\n"),
    (structure.header_self_containment, "user/base/a.h", BSD + "size_t f(void);\n"),
    (structure.function_budget, "tests/unit/a.c", function_of(81)),
    (structure.function_budget, "user/host/a.c", function_of(41)),
    (structure.file_budget, "tests/e2e/a.py", "# a\n" * 401),
    (structure.uprobe_stack, "bpf/a.bpf.h",
     DUAL + 'SEC("uprobe")\nint a(struct pt_regs *ctx)\n{\n\twork(ctx);\n\treturn 0;\n}\n'),
    (text.licence_line, "user/base/a.c", "/* For a test. */\n"),
    (text.licence_line, "bpf/a.bpf.h", BSD),
    (text.head_comment, "user/base/a.c", BSD.split("\n", maxsplit=1)[0] + "\n#include <stdio.h>\n"),
    (text.white_space, "user/base/a.c", BSD + "int a; \n"),
    (text.white_space, "user/base/a.c", BSD + "int a;\n\n"),
    (text.line_width, "user/base/a.c", BSD + "/*" + "x" * 118 + "*/\n"),
    (text.banned_calls, "user/base/a.c", BSD + "int f(const char *s)\n{\n\treturn atoi(s);\n}\n"),
    (text.foreign_words, "README.md", "see /" + "root/tlswhy\n"),
    (tools.format_style, "user/base/a.c", BSD + "int   a;\n"),
    (tools.static_analysis, "user/base/a.c", BSD + "int f(int a)\n{\n\treturn a == a;\n}\n"),
    (tools.shell_scripts, "tests/go", "#!/bin/sh\necho $1\n"),
    (generated.layout_table, generated.LAYOUTS, BSD + "int layout_rows;\n"),
    (documents.manual_causes, "user/dist/tlswhy.8", MANUAL.replace("it is fine", "it is not")),
    (documents.manual_causes, "user/dist/tlswhy.8", MANUAL.replace("Cm ok", "Cm okay")),
    (documents.manual_options, "user/dist/tlswhy.8", MANUAL.replace("-color", "-colour")),
    (documents.manual_markup, "user/dist/tlswhy.8", MANUAL + ".Xx\n"),
    (documents.version_agrees, "Makefile", "VERSION := 1.2.4\n"),
)


def write(root, files):
    for name, content in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(content)


def complaints_of(rule, files):
    """What the rule says of a tree made of these files; None where it cannot be judged here."""
    with tempfile.TemporaryDirectory() as root:
        write(root, files)
        for settings in (".clang-format", ".clang-tidy"):
            shutil.copy(os.path.join(HERE, "..", "..", settings), root)
        try:
            return rule(Tree(root))
        except Skip:
            return None


def rules_can_fail(_tree):
    """Every rule complains about a tree that breaks it and not about one that keeps it."""
    found = []
    for rule in dict.fromkeys(rule for rule, _, _ in BREAKING):
        complaints = complaints_of(rule, CLEAN)
        if complaints:
            found.append(f"{rule.__name__} complains about a clean tree: {complaints[0]}")
    for rule, file, content in BREAKING:
        complaints = complaints_of(rule, {**CLEAN, file: content})
        if complaints is not None and not complaints:
            found.append(f"{rule.__name__} does not see what is wrong with {file}: {content.splitlines()[-1]!r}")
    return found
