#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Mutants that a machine made, in hundreds: does any technique see each?

Every function of the core is changed in one place after the other: a statement
left out, two in another order, an operator, a number, a condition turned round.
What compiles to the same object code as the healthy core is dropped, as is
what compiles to the same as an earlier mutant. The rest is compiled against the
sim and shown to the techniques of the kill matrix until one kills it.

run     judges the mutants that RESULTS does not have yet, and appends to it.
        Ctrl-C and kill -9 lose only what is running. When the tests or the
        core have changed, those that survived are tried again.
report  prints the score, and every survivor with its change.

A survivor that SURVIVORS.md gives a reason for does not count; an entry there
that fits no survivor is named.

exit status:
  0   the score is at least --gate
  77  it is not
  1   wrong usage, or a technique could not be run
"""

import collections
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

# Beside this file, also where Bazel puts a link to it.
sys.dont_write_bytecode = True  # the tree may be read-only
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../ci/lib")]
import auto_run  # noqa: E402
import kill_matrix  # noqa: E402
import matrix_cells as cells  # noqa: E402
from command import Parser, names, number, seconds, wrong  # noqa: E402

FINE, TOO_LOW, UNUSABLE = 0, 77, 1


def percent(text):
    if not re.fullmatch(r"\d{1,2}(\.\d+)?|100", text):
        raise wrong("a percentage, 0 to 100", text)
    return float(text)


def parse_arguments(argv):
    parser = Parser("auto", __doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    run = verbs.add_parser("run", help="fill RESULTS")
    run.add_argument("--every", type=number(1, 9999), default=1,
                     metavar="N", help="only each N-th mutant (default: 1)")
    run.add_argument("--techniques", type=names, metavar="A,B",
                     help="default: " + ",".join(auto_run.TECHNIQUES))
    run.add_argument("--limit", type=seconds, default=4.0,
                     metavar="TIME",
                     help="for each search (default: 4s)")
    run.add_argument("--jobs", type=number(1, 9999),
                     default=os.cpu_count(), metavar="N",
                     help="mutants at a time (default: all CPUs)")
    report = verbs.add_parser("report", help="print the score")
    for verb in (run, report):
        verb.add_argument("--files", type=names, metavar="A,B",
                          help="of the core (default: all)")
        verb.add_argument("--gate", type=percent, default=85.0, metavar="N",
                          help="the lowest score that will do (default: 85)")
        verb.add_argument("--results", default="auto.jsonl", metavar="FILE",
                          help="JSON lines (default: %(default)s)")
    return parser.parse_args(argv)


# ---- Results -----------------------------------------------------------------


def load(path):
    """{key: record}; the last line may have been cut off."""
    found = {}
    if not Path(path).exists():
        return found
    lines = Path(path).read_text("utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            record = json.loads(line)
            found[record["key"]] = record
            record["verdict"], record["file"], record["old"]
        except (ValueError, KeyError, TypeError):
            if number < len(lines):
                raise cells.Unusable(f"{path}:{number}: not a result; move "
                                     "the file away") from None
    return found


def reasons(path):
    """{(file, old lines, new lines): reason} from SURVIVORS.md."""
    found = {}
    if not path.exists():
        return found
    sections = re.split(r"^## (\S+)$", path.read_text("utf-8"),
                        flags=re.MULTILINE)
    for file, body in zip(sections[1::2], sections[2::2]):
        parts = re.split(r"```diff\n(.*?)```\n", body, flags=re.DOTALL)
        for diff, reason in zip(parts[1::2], parts[2::2]):
            sides = [tuple(line[1:].strip() for line in diff.splitlines()
                           if line[:1] == sign) for sign in "-+"]
            found[(file, *sides)] = " ".join(reason.split())
    return found


def place(record):
    return (record["file"], *(tuple(line.strip() for line in record[side])
                              for side in ("old", "new")))


# ---- The report --------------------------------------------------------------


class Score:
    def __init__(self, records, excused):
        self.records = records
        self.excused = excused
        survived = [r for r in records if r["verdict"] == cells.SURVIVED]
        self.justified = [r for r in survived if place(r) in excused]
        self.survivors = [r for r in survived if place(r) not in excused]
        self.killed = [r for r in records if r["verdict"] == cells.KILLED]

    def percent(self):
        all_of_them = len(self.killed) + len(self.survivors)
        return 100 * len(self.killed) / all_of_them if all_of_them else 0.0

    def stale(self):
        """Reasons for what does not survive."""
        survive = {place(r) for r in self.justified}
        return [key for key in self.excused if key not in survive]

    def _table(self, what):
        rows = collections.defaultdict(lambda: [0, 0])
        for side, records in enumerate((self.killed, self.survivors)):
            for record in records:
                rows[record[what]][side] += 1
        return [f"  {name:28} {killed:5} killed {alive:5} survive"
                for name, (killed, alive) in sorted(rows.items())]

    def text(self):
        count = collections.Counter(r["verdict"] for r in self.records)
        by = collections.Counter(r["by"] for r in self.killed)
        lines = []
        for record in self.survivors:
            lines.append(f"SURVIVES: {record['file']}:{record['line']} "
                         f"({record['operator']})")
            lines += ["    -" + line for line in record["old"]]
            lines += ["    +" + line for line in record["new"]]
        lines += self._table("file") + self._table("operator")
        lines += [f"  killed by {t:18} {by[t]:5}"
                  for t in auto_run.TECHNIQUES if by[t]]
        lines += [f"SURVIVORS.md has a reason for what does not survive: "
                  f"{file}: {' '.join(old)}"
                  for file, old, _ in self.stale()]
        lines.append(
            f"{len(self.records)} mutants: {count['invalid']} do not compile, "
            f"{count['equivalent']} equivalent, {count['duplicate']} twice; "
            f"{len(self.killed)} killed, {len(self.justified)} survive for a "
            f"reason, {len(self.survivors)} survive: {self.percent():.1f} %")
        return "\n".join(lines)


# ---- Verbs -------------------------------------------------------------------


def choose(core, wanted):
    known = [f for f in core.text]
    short = {f.split("/")[-1]: f for f in known}
    for name in wanted or []:
        if name not in short:
            raise cells.Unusable(f"the core has no {name}; it has "
                                 + ", ".join(short))
    return [f for n, f in short.items() if not wanted or n in wanted]


def verb_run(options, core, here):
    start = time.monotonic()
    mutants = core.mutants(choose(core, options.files), options.every)
    results = cells.Results(options.results)

    def keep(record, done, total):
        results.append(record)
        left = (time.monotonic() - start) / done * (total - done)
        print(f"[{done}/{total}, {left:.0f} s left] {record['file']}:"
              f"{record['line']} {record['operator']}: {record['verdict']} "
              f"{record.get('by', '')}", flush=True)

    judging = {"here": here, "limit": options.limit,
               "techniques": kill_matrix.choose(
                   options.techniques, auto_run.TECHNIQUES, "technique")}
    auto_run.run(core, mutants, judging, options.jobs, load(options.results),
                 keep)


def verdict(options, core, here):
    every = getattr(options, "every", 1)
    records = load(options.results)
    mutants = core.mutants(choose(core, options.files), every)
    found = [records[m.key] for m in mutants if m.key in records]
    if not found:
        raise cells.Unusable(f"{options.results} has no results for this "
                             "core; let auto run")
    files = {m.file for m in mutants}
    excused = {key: why for key, why in reasons(here / "SURVIVORS.md").items()
               if key[0] in files and every == 1}
    score = Score(found, excused)
    print(score.text())
    if len(found) < len(mutants):
        print(f"{len(mutants) - len(found)} more have not been judged")
    return FINE if score.percent() >= options.gate else TOO_LOW


def main():
    options = parse_arguments(sys.argv[1:])
    here = Path(__file__).absolute().parent
    try:
        core = auto_run.Core(here.parent.parent)
        os.chdir(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
        if options.verb == "run":
            verb_run(options, core, here)
        return verdict(options, core, here)
    except KeyboardInterrupt:
        print("auto: interrupted; the same command goes on", file=sys.stderr)
        return 128 + signal.SIGINT
    except (cells.Unusable, OSError) as error:
        print(f"auto: {error}", file=sys.stderr)
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
