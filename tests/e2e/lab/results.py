# SPDX-License-Identifier: BSD-2-Clause
"""Counts tests and prints one line each."""


class Skip(Exception):
    """Raised by a test that cannot be run here, with the reason."""


class Results:
    """ok, not ok, skipped; end() prints the sum and gives the exit code."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def tell(self, name, complaints):
        complaints = [complaint for complaint in complaints if complaint]
        if complaints:
            self.failed += 1
            print(f"not ok {name}: {'; '.join(complaints)}", flush=True)
        else:
            self.passed += 1
            print(f"ok {name}", flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print(f"ok {name} # SKIP {why}", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed or not self.passed else 0
