#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every mutant under every technique: who finds what, and how fast.

A mutant is the core with one deliberate bug (mutants.bzl). A technique kills
it when it reports a finding, crashes, or hangs where it should have ended.
Each technique also gets the healthy core, which it must leave alone.

run     runs what RESULTS does not have yet, and appends to it. Ctrl-C and
        kill -9 lose nothing but the cells that are running.
report  prints the table of RESULTS, and writes it as HTML or Markdown.
check   the short version: a mutant is done with its first kill, nothing is
        kept, and mutants that mutants.bzl calls slow are left out, as are
        those of ports that it does not run on.

exit status:
  0   every mutant is killed by at least one technique
  77  a mutant survives all techniques, or the healthy core does not
  1   wrong usage, or a technique could not be run
"""

import os
import signal
import sys
from pathlib import Path

# Beside this file, also where Bazel puts a link to it.
sys.dont_write_bytecode = True  # the tree may be read-only
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../ci/lib")]
import matrix_cells as cells  # noqa: E402
import matrix_page  # noqa: E402
import matrix_report as reports  # noqa: E402
from command import Parser, names, number, seconds  # noqa: E402

FINE, SURVIVOR, UNUSABLE = 0, 77, 1

DEFAULT_RESULTS = "kill_matrix.jsonl"


def add_selection(parser, techniques):
    parser.add_argument("--techniques", type=names, default=techniques,
                        metavar="A,B", help="default: " + ",".join(techniques))
    parser.add_argument("--mutants", type=names, metavar="A,B",
                        help="default: all")


def add_run_flags(parser, seeds, limit):
    parser.add_argument("--seeds", type=number(1, 9999), default=seeds, metavar="N",
                        help="for techniques that draw (default: %(default)s)")
    parser.add_argument("--limit", type=seconds, default=limit, metavar="TIME",
                        help=f"for each cell (default: {limit:g}s)")
    parser.add_argument("--jobs", type=number(1, 9999), default=os.cpu_count(),
                        metavar="N", help="cells at a time (default: all CPUs)")


def parse_arguments(argv):
    parser = Parser("kill_matrix", __doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    run = verbs.add_parser("run", help="fill RESULTS")
    add_selection(run, list(cells.TECHNIQUES))
    add_run_flags(run, 3, 10.0)
    run.add_argument("--fresh", action="store_true",
                     help="begin anew; the old RESULTS gets the suffix .old")
    report = verbs.add_parser("report", help="print the table")
    report.add_argument("--html", metavar="FILE", help="write it there too")
    report.add_argument("--markdown", metavar="FILE",
                        help="write it there too; '-' prints it instead")
    for verb in (run, report):
        verb.add_argument("--results", default=DEFAULT_RESULTS,
                          metavar="FILE", help="JSON lines (default: %(default)s)")
    check = verbs.add_parser("check", help="the short version")
    add_selection(check, cells.SHORT)
    add_run_flags(check, 1, 10.0)
    return parser.parse_args(argv)


def choose(wanted, known, what):
    for name in wanted or []:
        if name not in known:
            raise cells.Unusable(f"there is no {what} '{name}'; there are "
                                 + ", ".join(known))
    return [name for name in known if not wanted or name in wanted]


def select(options, files):
    """(mutants, techniques), the cheap techniques first."""
    mutants = choose(options.mutants, list(files.mutants), "mutant")
    known = [t for t in cells.TECHNIQUES if files.has(t)]
    return mutants, choose(options.techniques, known, "technique")


# ---- Verbs -------------------------------------------------------------------


def verb_run(options, files):
    mutants, techniques = select(options, files)
    results = cells.Results(options.results)
    if options.fresh:
        results.set_aside()
    done = results.load()
    plan = cells.plan(files, mutants, techniques, options.seeds, options.limit)
    todo = [cell for cell in plan if cell.key() not in done]
    print(f"{len(plan)} cells, {len(plan) - len(todo)} of them done; at most "
          f"{cells.estimate(todo, options.jobs)} to go", flush=True)
    results.append_nothing()
    try:
        cells.run_all(todo, options.jobs, results.append)
    except OSError as error:
        print(f"kill_matrix: {error}; the same command goes on from here",
              file=sys.stderr)
        known = {record["mutant"] for record in results.load().values()}
        if not known:
            return UNUSABLE
        return verb_report_of(results, [name for name in mutants if name in
                                        known], files) or UNUSABLE
    return verb_report_of(results, mutants, files)


def verb_report_of(results, mutants, files):
    table = reports.Table(results.load().values(), files.mutants, mutants)
    print(table.text())
    return SURVIVOR if table.failures() else FINE


def verb_report(options, files):
    records = cells.Results(options.results).load().values()
    if not records:
        raise cells.Unusable(f"{options.results} has no results; "
                             "let kill_matrix run")
    table = reports.Table(records, files.mutants)
    print(table.markdown() if options.markdown == "-" else table.text(),
          flush=True)
    status = FINE
    try:
        if options.html:
            cells.replace_file(options.html, matrix_page.page(table))
        if options.markdown not in (None, "-"):
            cells.replace_file(options.markdown, table.markdown())
    except OSError as error:
        print(f"kill_matrix: {error}; the table is not in that file",
              file=sys.stderr)
        status = UNUSABLE
    return SURVIVOR if table.failures() else status


def verb_check(options, files):
    mutants, techniques = select(options, files)
    left_out = {m: files.left_out(m, techniques) for m in mutants}
    mutants = [m for m in mutants if not left_out[m]]
    records = []
    plan = cells.plan(files, mutants, techniques, options.seeds, options.limit)
    cells.run_all(plan, options.jobs, records.append, first_kill=True)
    table = reports.Table(records, files.mutants, mutants)
    for name, why in left_out.items():
        if why:
            print(f"left out: {name}: {why}")
    print("\n".join(table.verdict()))
    failed = len(table.failures())
    print(f"cases: {len(mutants) + 1 - failed} passed, {failed} failed")
    return SURVIVOR if failed else FINE


VERBS = {"run": verb_run, "report": verb_report, "check": verb_check}


def main():
    options = parse_arguments(sys.argv[1:])
    here = Path(__file__).absolute().parent
    try:
        files = cells.Files(here)
        os.chdir(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
        return VERBS[options.verb](options, files)
    except KeyboardInterrupt:
        print("kill_matrix: interrupted; the same command goes on",
              file=sys.stderr)
        return 128 + signal.SIGINT
    except (cells.Unusable, OSError) as error:
        print(f"kill_matrix: {error}", file=sys.stderr)
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
