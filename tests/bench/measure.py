# SPDX-License-Identifier: BSD-2-Clause
"""
Figures of repeated measures: medians, and how sure they are.

Invariant: no distribution is assumed. Must not know: what was measured.
"""
import dataclasses
import math
import random
import statistics

CONFIDENCE = 0.95
RESAMPLES = 4000


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
    """A median, the interval that holds the true one in 95 of 100 cases, and the values."""
    median: float
    low: float
    high: float
    values: tuple

    def json(self):
        return {"median": self.median, "interval_95": [self.low, self.high], "values": list(self.values)}

    def text(self, digits=2):
        return f"{self.median:.{digits}f}", f"{self.low:.{digits}f} .. {self.high:.{digits}f}"


def figure(values):
    """The interval is the sign test's."""
    ordered = sorted(values)
    left_out = rank(len(ordered))
    return Figure(statistics.median(ordered), ordered[left_out], ordered[-1 - left_out], tuple(values))


def paired(function, *series):
    """The figure of function() of what was measured in the same round."""
    return figure([function(*values) for values in zip(*series, strict=True)])


def ratio_of_medians(above, below):
    """
    Of differences that may be near 0 in a round, where a ratio of that round says nothing. The interval is that of the
    same figure of rounds drawn again and again from those there are (bootstrap), the same in each run.
    """
    rounds, draw = list(zip(above, below, strict=True)), random.Random(1)
    found = []
    for _ in range(RESAMPLES):
        drawn = draw.choices(rounds, k=len(rounds))
        denominator = statistics.median(pair[1] for pair in drawn)
        found.append(statistics.median(pair[0] for pair in drawn) / denominator if denominator else math.inf)
    found.sort()
    left_out = int(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Figure(statistics.median(above) / statistics.median(below), found[left_out], found[-1 - left_out],
                  tuple(a / b for a, b in rounds))
