# SPDX-License-Identifier: BSD-2-Clause
"""Runs tests, counts them and prints one line each."""
import traceback


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

    def run(self, function, bench):
        """One test: its failure, or its being broken, is a line of its own and does not hide the others."""
        name = function.__name__
        try:
            function(bench)
        except Skip as reason:
            self.skip(name, reason)
        except (AssertionError, TimeoutError, RuntimeError) as error:
            self.tell(name, [str(error)])
        except Exception as error: # pylint: disable=broad-exception-caught # a broken test must not hide the others
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.tell(name, [f"{type(error).__name__}: {error} (line {place.lineno})"])
        else:
            self.tell(name, [])

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed or not self.passed else 0
