# SPDX-License-Identifier: MIT
"""Reads KTAP as the kernel prints it, and finds what is not right with it."""

import re

RESULT = re.compile(r"(ok|not ok) (\d+) (\S+)(?: # SKIP (.*))?$")
PLAN = re.compile(r"1\.\.(\d+)(?: # SKIP (.+))?$")
TOTALS = re.compile(r"# Totals: pass:(\d+) fail:(\d+) skip:(\d+)$")
BAIL_OUT = "Bail out! "


class Ktap:
    """The lines of one run, in the order in which they came."""

    def __init__(self):
        self.version = False
        self.plan = None
        self.skip_all = None  # why there is no case, if the kernel says it
        self.passed, self.failed, self.skipped = [], [], []
        self.totals = None
        self.bail_out = None
        self.problem = None  # the first line that does not fit

    def count(self):
        return len(self.passed) + len(self.failed) + len(self.skipped)

    def feed(self, line):
        if line == "KTAP version 1":
            self.version = True
        elif line.startswith(BAIL_OUT):
            self.bail_out = line[len(BAIL_OUT):]
        elif PLAN.match(line):
            self._plan(*PLAN.match(line).groups())
        elif TOTALS.match(line):
            self.totals = tuple(int(n) for n in TOTALS.match(line).groups())
        elif RESULT.match(line):
            self._result(*RESULT.match(line).groups())

    def _plan(self, cases, skip_all):
        if self.plan is not None:
            self._wrong("the log has two plans")
        self.plan, self.skip_all = int(cases), skip_all
        if skip_all and self.plan:
            self._wrong("the log plans cases and skips them all")

    def _result(self, verdict, number, name, skip):
        if int(number) != self.count() + 1:
            self._wrong(f"result {self.count() + 1} is missing: "
                        f"the log goes on with number {number}, {name}")
        if verdict == "not ok":
            self.failed.append(name)
        elif skip is not None:
            self.skipped.append(name)
        else:
            self.passed.append(name)

    def _wrong(self, sentence):
        self.problem = self.problem or sentence

    def inconsistency(self):
        """None, or one sentence: why this log proves nothing."""
        counts = (len(self.passed), len(self.failed), len(self.skipped))
        if self.problem:
            return self.problem
        if not self.version:
            return "the log is not KTAP: there is no 'KTAP version 1'"
        if self.plan is None:
            return "the log ends before the plan, '1..N'"
        if self.count() != self.plan:
            return (f"the log is cut: {self.count()} results "
                    f"of {self.plan} planned")
        if self.totals is None:
            return "the log is cut: there is no '# Totals:' line"
        if self.totals != counts:
            return (f"the totals {self.totals} are not those of the results, "
                    f"{counts}")
        return None

    def summary(self):
        """The line that ci/test counts."""
        return (f"cases: {len(self.passed)} passed, {len(self.failed)} failed, "
                f"{len(self.skipped)} skipped")
