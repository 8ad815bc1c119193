# SPDX-License-Identifier: MIT
"""ci/coverage: which lines and branches of the core are tested, by lane."""

import json
import os
import sys
from pathlib import Path

from ci.lib.command import Parser
from ci.lib.coverage import corpora, lanes, pages
from ci.lib.test import bazel

PATTERNS = [f"{folder}/..." for folder in (*lanes.UNIT, "//fuzz")]
INTERRUPTED = 130

HELP = """
lanes:
  unit    Criterion tests and the conformance suite: of //core,
          //stress/oracle, //stress/program, //stress/schedule
  seeds   the replay of every seed of every fuzz target
  corpus  with --corpus: the inputs that ci/fuzz has found
  all     all of these, and what else they and //fuzz test

Writes index.html with a page for each file, coverage.json, and for each lane
LANE.info for genhtml and others. ci/fuzz links what is in its --out DIR, so
`ci/coverage --corpus DIR` puts it there.

Exit status: 0 written, 1 not written or a test failed, 130 interrupted.
"""


def default_out():
    """Where no --out says otherwise."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "highmem-coverage")


def parse_arguments():
    """The command line."""
    parser = Parser(
        prog="ci/coverage",
        description="Runs the tests with clang's coverage and writes HTML.",
        epilog=HELP,
    )
    parser.add_argument("--out", metavar="DIR",
                        help="default: DIR/coverage of --corpus, or "
                        "~/.cache/highmem-coverage")
    parser.add_argument("--corpus", metavar="DIR",
                        help="ci/fuzz's --out: the lane `corpus`, too")
    return parser.parse_args()


def absolute(path):
    """Of a path that was given where the command was started."""
    return Path(os.environ.get("HIGHMEM_FROM", "."), path).resolve()


def write(found, out, note):
    """All files, the index last."""
    out.mkdir(parents=True, exist_ok=True)
    for lane, counts in found.items():
        lanes.write_lcov(counts, out / f"{lane}.info")
    for name in next(iter(found.values())):
        text = Path(name).read_text(errors="replace")
        (out / pages.file_name(name)).write_text(
            pages.source(name, text, found), encoding="utf-8")
    (out / "coverage.json").write_text(
        json.dumps(lanes.as_json(found), indent=1) + "\n")
    (out / "index.html").write_text(pages.index(found, note), encoding="utf-8")


def table(found):
    """The sums, for the screen."""
    heads = "".join(f"{kind:>24}" for kind in lanes.KINDS)
    lines = [f"{'lane':10}{'of':10}{heads}"]
    for lane, counts in found.items():
        for title, folder in pages.FOLDERS.items():
            shares = [lanes.total(counts, kind, folder) for kind in lanes.KINDS]
            cells = [f"{hit}/{every} {pages.percent(hit, every):>8}"
                     for hit, every in shares]
            lines.append(f"{lane:10}{title:10}" +
                         "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


def measure(corpus):
    """({lane: counts}, labels of tests that failed)"""
    code, results = bazel.test(PATTERNS, "coverage", ["--config=coverage"])
    if code == bazel.INTERRUPTED:
        raise KeyboardInterrupt
    # What its tag keeps out is NOT BUILT as well, and no failure.
    failed = [] if code == bazel.OK else [
        r.label for r in results if r.status not in ("PASSED", "SKIPPED")]
    text = None
    if corpus:
        binaries = bazel.output_of("info", "bazel-bin").strip()
        text = corpora.lcov_of(corpus, Path(binaries, "fuzz"))
    tests = [(r.label, r.lcov) for r in results if r.lcov]
    return lanes.by_lane(tests, text), failed


def main():
    """The command."""
    arguments = parse_arguments()
    corpus = absolute(arguments.corpus) if arguments.corpus else None
    out = absolute(arguments.out or
                   (corpus / "coverage" if corpus else default_out()))
    if corpus:
        corpora.directories(corpus)  # before minutes of work
    out.mkdir(parents=True, exist_ok=True)
    (out / ".writable").write_text("yes")  # before minutes of work, too
    (out / ".writable").unlink()
    found, failed = measure(corpus)
    if not lanes.total(found["all"], "lines")[1]:
        sys.exit("ci/coverage: no test left a profile; Bazel's words are above")
    print(table(found), flush=True)
    write(found, out, f"The tests of {' and '.join(PATTERNS)}: "
          f"ci/coverage{' --corpus' if corpus else ''}")
    print(f"report: {out}/index.html")
    for label in failed:
        print(f"FAILED: {label}: what it would have covered is not in there",
              file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("ci/coverage: interrupted; nothing is written", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except (OSError, RuntimeError, corpora.Trouble) as error:
        sys.exit(f"ci/coverage: {error}")
