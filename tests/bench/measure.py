# SPDX-License-Identifier: BSD-2-Clause
"""
Figures of repeated measures: medians, and how sure they are.

Invariant: no distribution is assumed. Must not know: what was measured.
"""
import dataclasses
import math
import statistics

CONFIDENCE = 0.95


def rank(count):
    """How many values to leave out on each side, so that the rest spans the median with CONFIDENCE; 0: all of them."""
    below, left_out = 0.0, 0
    for k in range(count // 2):
        below += math.comb(count, k) / 2 ** count
        if below > (1 - CONFIDENCE) / 2:
            break
        left_out = k
    return left_out


@dataclasses.dataclass(frozen=True)
class Figure:
    """A median, the interval that holds the true one in 95 of 100 cases (sign test), and the values."""
    median: float
    low: float
    high: float
    values: tuple

    def json(self):
        return {"median": self.median, "interval_95": [self.low, self.high], "values": list(self.values)}

    def text(self, digits=2):
        return f"{self.median:.{digits}f}", f"{self.low:.{digits}f} .. {self.high:.{digits}f}"


def figure(values):
    ordered = sorted(values)
    left_out = rank(len(ordered))
    return Figure(statistics.median(ordered), ordered[left_out], ordered[-1 - left_out], tuple(values))


def paired(function, *series):
    """The figure of function() of what was measured in the same round."""
    return figure([function(*values) for values in zip(*series, strict=True)])
