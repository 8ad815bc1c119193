# SPDX-License-Identifier: MIT
"""Counts the cases inside one test, from what it printed.

A test binary says how many cases it ran in one of four ways:

    cases: 12 passed, 0 failed                      ours, for any program
    [====] Synthesis: Tested: 12 | Passing: 12 ...  Criterion
    ok 3 - kmap_hit                                 KTAP, the kernel's console
    Ran 12 tests in 0.1s                            Python's unittest

and in `skipped: <what>: <why>` what it did not run. A test without any of
these is one case, as Bazel saw it. What the cases are called: named.py.
"""

import re
from dataclasses import dataclass, field

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_OURS = re.compile(r"^cases: (\d+) passed, (\d+) failed\s*$")
# What crashes is among what fails.
_CRITERION = re.compile(
    r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| "
    r"Failing: (\d+) \| Crashing: (\d+)"
)
_KTAP = re.compile(r"^(\s*)(ok|not ok) \d+\b(.*)$")
_SKIP = re.compile(r"#\s*SKIP\b", re.IGNORECASE)
_UNITTEST = re.compile(r"^Ran (\d+) tests? in [\d.]+s$")
_UNITTEST_END = re.compile(r"^(?:OK|FAILED)(?: \((.*)\))?$")
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


def ktap_results(lines):
    """[(verdict, name)], leaves only: what follows deeper ones sums those up.

    The verdict of what was skipped is "skipped", its name says why.
    """
    found = []
    depth = 0
    for line in lines:
        match = _KTAP.match(line)
        if not match:
            continue
        indent, verdict, name = len(match[1]), match[2], match[3].strip(" -")
        is_sum = indent < depth
        depth = indent
        if not is_sum:
            skipped = _SKIP.search(name)
            found.append(("skipped" if skipped else verdict, name))
    return found


def _count_ktap(lines):
    results = ktap_results(lines)
    if not results:
        return None
    verdicts = [verdict for verdict, _ in results]
    return Count(
        verdicts.count("ok"),
        verdicts.count("not ok"),
        [name for verdict, name in results if verdict == "skipped"],
    )


def _count_unittest(lines):
    """Of several runs in one log, all count."""
    count = None
    tests = 0
    for line in lines:
        ran, end = _UNITTEST.match(line), _UNITTEST_END.match(line)
        if ran:
            tests += int(ran[1])
        elif end and tests:
            kinds = dict(re.findall(r"([a-z ]+)=(\d+)", end[1] or ""))
            kinds = {kind.strip(): int(n) for kind, n in kinds.items()}
            failed = sum(kinds.get(kind, 0) for kind in
                         ("failures", "errors", "unexpected successes"))
            left = tests - kinds.get("skipped", 0) - failed
            count = count or Count()
            count.add(Count(max(left, 0), failed))
            tests = 0
    return count


def _count_printed(lines):
    ours = [m for m in map(_OURS.match, lines) if m]
    if ours:
        return Count(int(ours[-1][1]), int(ours[-1][2]))
    criterion = [m for m in map(_CRITERION.search, lines) if m]
    if criterion:
        return Count(
            sum(int(m[2]) for m in criterion),
            sum(int(m[1]) - int(m[2]) for m in criterion),
        )
    return _count_ktap(lines) or _count_unittest(lines)


def lines_of(log):
    """The lines of a log, without colours."""
    return [_ANSI.sub("", line) for line in log.splitlines()]


def of_test(status, log):
    """(Count, remark): the cases of one test and what is odd about them."""
    lines = lines_of(log)
    skipped = [m[1] for m in map(_SKIPPED.match, lines) if m]
    count = _count_printed(lines)
    if status == "SKIPPED":
        return Count(skipped=["not for this platform"]), ""
    if status == "NOT RUN":
        return Count(skipped=["ci/test was interrupted before"]), ""
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
