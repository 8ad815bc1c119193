# SPDX-License-Identifier: MIT
"""Counts the cases inside one test, from what it printed.

A test binary says how many cases it ran in one of three ways:

    cases: 12 passed, 0 failed                      ours, for any program
    [====] Synthesis: Tested: 12 | Passing: 12 ...  Criterion
    ok 3 - kmap_hit                                 KTAP, the kernel's console

and in `skipped: <what>: <why>` what it did not run. A test without any of
these is one case, as Bazel saw it.
"""

import re
from dataclasses import dataclass, field

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_OURS = re.compile(r"^cases: (\d+) passed, (\d+) failed\s*$")
_CRITERION = re.compile(
    r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| "
    r"Failing: (\d+) \| Crashing: (\d+)"
)
_KTAP = re.compile(r"^(\s*)(ok|not ok) \d+\b(.*)$")
_SKIPPED = re.compile(r"^skipped: (\S.*)$")


@dataclass
class Count:
    """Cases of one test, of a lane, or of everything."""

    passed: int = 0
    failed: int = 0
    skipped: list = field(default_factory=list)

    def add(self, other):
        """Takes the other's cases in."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def nothing_ran(self):
        """True when neither a pass nor a failure was seen."""
        return self.passed + self.failed == 0


def _count_ktap(lines):
    """Leaves only: a result right after deeper ones sums those up."""
    count = Count()
    seen = False
    depth = 0
    for line in lines:
        match = _KTAP.match(line)
        if not match:
            continue
        seen = True
        indent, verdict, rest = len(match[1]), match[2], match[3]
        is_sum = indent < depth
        depth = indent
        if is_sum:
            continue
        if re.search(r"#\s*SKIP\b", rest, re.IGNORECASE):
            count.skipped.append(rest.strip(" -"))
        elif verdict == "ok":
            count.passed += 1
        else:
            count.failed += 1
    return count if seen else None


def _count_printed(lines):
    ours = [m for m in map(_OURS.match, lines) if m]
    if ours:
        return Count(int(ours[-1][1]), int(ours[-1][2]))
    criterion = [m for m in map(_CRITERION.search, lines) if m]
    if criterion:
        return Count(
            sum(int(m[2]) for m in criterion),
            sum(int(m[3]) + int(m[4]) for m in criterion),
        )
    return _count_ktap(lines)


def of_test(status, log):
    """(Count, remark): the cases of one test and what is odd about them."""
    lines = [_ANSI.sub("", line) for line in log.splitlines()]
    skipped = [m[1] for m in map(_SKIPPED.match, lines) if m]
    count = _count_printed(lines)
    if status == "SKIPPED":
        return Count(skipped=["not for this platform"]), ""
    passed = status == "PASSED"
    if count is None:
        if passed and skipped:
            return Count(skipped=skipped), ""
        return Count(int(passed), int(not passed), skipped), ""
    count.skipped += skipped
    if passed and count.failed:
        return count, "it exited with 0 although cases failed"
    if passed and count.nothing_ran() and not count.skipped:
        count.failed = 1
        return count, "it exited with 0 although no case ran"
    if not passed and not count.failed:
        count.failed = 1
    return count, ""
