# SPDX-License-Identifier: MIT
"""The matrix as text and Markdown; as HTML: matrix_page.py."""

import math
import statistics

from matrix_cells import HEALTHY, KILLED, SURVIVED, TECHNIQUES

def p95(numbers):
    """Of 20, one may be larger."""
    return sorted(numbers)[math.ceil(0.95 * len(numbers)) - 1]


def spread(times):
    """'median 0.3 s, p95 2.1 s'."""
    return f"median {statistics.median(times):.1f} s, p95 {p95(times):.1f} s"


def sizes(records):
    """How small the findings got: a sentence, or None if none was minimised."""
    small = [r for r in records if "operations" in r]
    if not small:
        return None
    of = {key: [r[key] for r in small]
          for key in ("operations", "choices", "minimised_in")}
    return (f"{len(small)} findings made small: median "
            f"{statistics.median(of['operations']):g} operations "
            f"(p95 {p95(of['operations'])}), "
            f"{statistics.median(of['choices']):g} choices "
            f"(p95 {p95(of['choices'])}); that took "
            f"{spread(of['minimised_in'])}.")


class Square:
    """What a technique did to a mutant, over its seeds."""

    def __init__(self, records):
        self.records = records
        self.kills = [r["seconds"] for r in records if r["verdict"] == KILLED]

    def killed(self):
        return bool(self.kills)

    def median(self):
        return statistics.median(self.kills)

    def kind(self):
        if not self.records:
            return "none"
        if not self.kills:
            return "survived"
        return "killed" if len(self.kills) == len(self.records) else "some"

    def text(self):
        """'2.1' s, the median; '2.1 (1/3)' when not every seed killed."""
        if not self.records:
            return ""
        if not self.kills:
            return "-"
        median = f"{self.median():.1f}"
        if len(self.kills) == len(self.records):
            return median
        return f"{median} ({len(self.kills)}/{len(self.records)})"

    def says(self):
        return "; ".join(sorted({r["says"] for r in self.records
                                 if r["verdict"] == KILLED and r["says"]}))


class Table:
    """Squares of the newest core that RESULTS knows for each mutant."""

    def __init__(self, records, known, wanted=None):
        self.known = known
        newest, by_square = {}, {}
        for r in records:
            newest[r["mutant"], r["technique"]] = (r["core"], r["limit"])
        for r in records:
            square = r["mutant"], r["technique"]
            if newest[square] == (r["core"], r["limit"]):
                by_square.setdefault(square, []).append(r)
        ran = {technique for _, technique in by_square}
        self.techniques = [t for t in TECHNIQUES if t in ran]
        seen = {mutant for mutant, _ in by_square}
        self.mutants = [m for m in wanted or known if m in seen]
        self.missing = [m for m in wanted or known if m not in seen]
        self.squares = {
            (m, t): Square(by_square.get((m, t), []))
            for m in [HEALTHY, *self.mutants] for t in self.techniques}
        self.limits = sorted({limit for _, limit in newest.values()})
        self.seeds = max((len(s.records) for s in self.squares.values()),
                         default=0)

    # ---- Verdicts ----

    def killers(self, mutant):
        return [t for t in self.techniques if self.squares[mutant, t].killed()]

    def survivors(self):
        return [m for m in self.mutants if not self.killers(m)]

    def only_one(self):
        """{technique: mutants that no other kills}."""
        only = {}
        for mutant in self.mutants:
            killers = self.killers(mutant)
            if len(killers) == 1:
                only.setdefault(killers[0], []).append(mutant)
        return only

    def failures(self):
        """What makes the exit status 77."""
        return self.survivors() + self.missing + self.killers(HEALTHY)[:1]

    # ---- The sentences below the table ----

    def _sum(self):
        total = len(self.mutants)
        killed = total - len(self.survivors())
        yield f"{killed} of {total} mutants killed by at least one technique"
        if killed:
            first = [min(self.squares[m, t].median() for t in self.killers(m))
                     for m in self.mutants if self.killers(m)]
            yield f"the quickest technique of each: {spread(first)}"
        for technique in self.techniques:
            squares = [self.squares[m, technique] for m in self.mutants]
            times = [s for square in squares for s in square.kills]
            n = sum(square.killed() for square in squares)
            yield (f"{technique} kills {n}"
                   + (f" ({spread(times)})" if times else ""))

    def minimised(self):
        """A line for each technique that makes its findings small."""
        for technique in self.techniques:
            says = sizes([r for m in self.mutants
                          for r in self.squares[m, technique].records])
            if says:
                yield f"{technique}: {says}"

    def sentences(self):
        lines = self.verdict()
        lines.extend(self.minimised())
        for technique, mutants in self.only_one().items():
            lines.append(f"Only {technique} kills: {', '.join(mutants)}.")
        return lines

    def verdict(self):
        lines = ["; ".join(self._sum()) + "."]
        for mutant in self.survivors():
            lines.append(f"SURVIVES: {mutant}.")
        if self.missing:
            lines.append(f"No results yet: {', '.join(self.missing)}.")
        for technique in self.killers(HEALTHY):
            lines.append(f"{technique} KILLS THE HEALTHY CORE.")
        return lines

    def legend(self):
        limits = ", ".join(f"{limit:g} s" for limit in self.limits)
        return (f"Seconds to kill, median of up to {self.seeds} seeds, limit "
                f"{limits}; (1/3): that many seeds killed; -: survived; "
                "empty: not run.")

    # ---- Forms ----

    def rows(self):
        for mutant in [HEALTHY, *self.mutants]:
            yield mutant, [self.squares[mutant, t] for t in self.techniques]

    def text(self):
        width = max(map(len, [HEALTHY, *self.mutants]))
        lines = [" " * width + "".join(f"{t:>12}" for t in self.techniques)]
        for mutant, squares in self.rows():
            lines.append(f"{mutant:<{width}}"
                         + "".join(f"{s.text():>12}" for s in squares))
        return "\n".join([*lines, "", self.legend(), *self.sentences()])

    def markdown(self):
        lines = ["| mutant | " + " | ".join(self.techniques) + " |",
                 "|---" * (len(self.techniques) + 1) + "|"]
        for mutant, squares in self.rows():
            cells = " | ".join(s.text() for s in squares)
            lines.append(f"| `{mutant}` | {cells} |")
        notes = [f"* {s}" for s in self.sentences()]
        return "\n".join([self.legend(), "", *lines, "", *notes]) + "\n"
