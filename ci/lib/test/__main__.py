# SPDX-License-Identifier: MIT
"""ci/test: all lanes, and one true count at the end."""

import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from ci.lib.command import Parser
from ci.lib.test import bazel, lint, named
from ci.lib.test.cases import Count
from ci.lib.test.record import Record, Target

LOG_LINES = 30
INTERRUPTED = 130

# What is long has both tags, `nightly` and `manual`.
NIGHTLY = "attr(tags, '[\\[ ]nightly[,\\]]', tests(//...))"
NOT_ASKED = "not asked for: the nightly tests (ci/test --nightly)"

# Lanes of `bazel test //...`, by package; a target belongs to the first that
# fits.
LANES = {
    "unit": ["//core", "//stress/oracle", "//stress/program", "//stress/schedule"],
    "fuzz": ["//fuzz"],
    "kernel": ["//stress/kernel"],
    "canary": ["//stress/mutate"],
    "i386": ["//stress/i386"],
    "subjects": ["//stress/subjects"],
    "torture": ["//stress"],
    "bench": ["//bench"],
    "other": ["//"],
}

HELP = """
lanes:
  lint     clang-format, clang-tidy, the rules of this tree (ci/lint)
  unit     //core, //stress/{oracle,program,schedule}: Criterion tests, and the
           conformance suite on host ports
  fuzz     //fuzz: replay of every corpus under ASan and UBSan
  kernel   //stress/kernel: the conformance suite in QEMU
  canary   //stress/mutate: a broken core must turn each lane red
  i386     //stress/i386: unit, conformance, fuzz with 32-bit pointers
  subjects //stress/subjects: other kernels' code under the explorer
  torture  //stress: threads under TSan
  bench    //bench: each benchmark runs once
  other    tests of everything else

The last line is the count of cases: `N passed, N failed[, N skipped]`.
Exit status: 0 all passed, 1 some failed or nothing ran, 130 interrupted: what ran
until then is counted and written.
"""


@dataclass
class Lane:
    """What one lane did."""

    count: Count = field(default_factory=Count)
    seconds: float = 0.0


def parse_arguments():
    """The command line."""
    parser = Parser(
        prog="ci/test",
        description="Builds everything, runs every test, counts the cases.",
        epilog=HELP,
    )
    parser.add_argument(
        "--lane",
        action="append",
        choices=["lint", *LANES],
        metavar="NAME",
        help="run this lane only; may be repeated",
    )
    parser.add_argument(
        "--nightly",
        action="store_true",
        help="run what takes long, too (over an hour), each in its lane",
    )
    parser.add_argument(
        "--junit",
        metavar="DIR",
        help="write JUnit's XML there, a file for each target",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write all results into it (docs/testing.md says how)",
    )
    return parser.parse_args()


def say(line=""):
    """Prints at once: Bazel writes to the same terminal."""
    print(line, flush=True)


def lane_of(label):
    """The lane that a target belongs to."""
    for lane, packages in LANES.items():
        for package in packages:
            if label.startswith((package + "/", package + ":")):
                return lane
    return "other"


def patterns_for(wanted):
    """What to hand to `bazel test` for the lanes: less what is another's."""
    if not wanted:
        return ["//..."]
    here = [
        (lane, package)
        for lane, packages in LANES.items()
        for package in packages
        if Path(package.lstrip("/")).is_dir()
    ]
    patterns = [p.rstrip("/") for lane, p in here if lane in wanted]
    others = [p for lane, p in here if lane not in wanted]
    return [f"{p or '/'}/..." for p in patterns] + [
        f"-{other}/..."
        for other in others
        if any(other.startswith(p + "/") and other != "//" for p in patterns)
    ]


def lint_case(name, complaints):
    """Each check of ci/lint is one case."""
    verdict = named.FAILED if complaints else named.PASSED
    return named.Case(name, verdict, message="\n".join(complaints))


def run_lint(lanes, record):
    """All checks of ci/lint."""
    say("== lint")
    start = time.monotonic()
    lane = lanes.setdefault("lint", Lane())
    target = Target("//:lint", "lint", "PASSED", "ci/lint")
    record.add(target)
    for name, complaints in lint.run_checks():
        target.cases.append(lint_case(name, complaints))
        lane.count.add(named.count_of(target.cases[-1:]))
        for complaint in complaints:
            say(complaint)
        if complaints:
            target.status = "FAILED"
            say(f"FAILED: lint: {name}; rerun: ci/lint")
        lane.seconds = target.seconds = time.monotonic() - start


def report_failure(result, remark):
    """The end of a test's log, and the line that runs it again."""
    say(f"\nFAILED: {result.label} ({result.status})")
    for line in result.log.splitlines()[-LOG_LINES:]:
        say(f"    {line}")
    if remark:
        say(f"    {result.label}: {remark}")
    say(f"rerun: {rerun(result)}")


def rerun(result):
    """The line that runs it again."""
    return f"bazel test --test_output=all {result.label}"


def nightly_tests(wanted):
    """Those of the lanes that are asked for."""
    return [
        label
        for label in bazel.output_of("query", NIGHTLY).split()
        if not wanted or lane_of(label) in wanted
    ]


def run_bazel(lanes, wanted, nightly, record):
    """One `bazel test`, its targets sorted into lanes. Was it interrupted?"""
    patterns = patterns_for(wanted)
    if not patterns:
        return False
    if nightly:
        patterns = nightly_tests(wanted) + patterns
    else:
        say(NOT_ASKED)
    say(f"== bazel test {' '.join(patterns)}")
    code, results = bazel.test(patterns)
    failed = 0
    for result in results:
        name = lane_of(result.label)
        if wanted and name not in wanted:
            continue
        found, remark = named.of_test(result)
        count = named.count_of(found)
        record.add(Target(result.label, name, result.status, rerun(result),
                          found, result.seconds))
        lane = lanes.setdefault(name, Lane())
        lane.count.add(count)
        lane.seconds += result.seconds
        failed += count.failed
        if count.failed:
            report_failure(result, remark)
        for skipped in count.skipped:
            say(f"skipped: {result.label}: {skipped}")
    if code == bazel.INTERRUPTED:
        return True
    if code not in (bazel.OK, bazel.NO_TESTS) and not failed:
        # A library that no test needs, or Bazel itself.
        why = f"`bazel test` ended with {code}; its words are above"
        say(f"FAILED: {why}")
        lanes.setdefault("other", Lane()).count.failed += 1
        record.add(Target("//:build", "other", "FAILED", "bazel build //...",
                          [named.Case("build", named.FAILED, message=why)]))
    return False


def summarise(lanes, wanted):
    """The table and the last line. Returns the exit status."""
    total = Count()
    say(f"\n{'lane':10}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for name in ["lint", *LANES]:
        if name not in lanes:
            continue
        lane = lanes[name]
        count = lane.count
        say(
            f"{name:10}{count.passed:8}{count.failed:8}"
            f"{len(count.skipped):9}{lane.seconds:9.1f}"
        )
        total.add(count)
    for name in wanted or []:
        if name not in lanes:
            say(f"skipped: {name}: this lane has no test")
    tail = f", {len(total.skipped)} skipped" if total.skipped else ""
    say(f"{total.passed} passed, {total.failed} failed{tail}")
    return 1 if total.failed or total.nothing_ran() else 0


def on_sigterm(_number, _frame):
    """A CI that cancels a job says it so."""
    raise KeyboardInterrupt


def run_lanes(wanted, nightly, lanes, record):
    """Runs the lanes asked for. Was it interrupted?"""
    try:
        if not wanted or "lint" in wanted:
            run_lint(lanes, record)
        return run_bazel(lanes, wanted, nightly, record)
    except KeyboardInterrupt:
        return True


def write(record):
    """Without room for it, the count is still said. Was there room?"""
    try:
        record.write()
    except OSError as error:
        print(f"ci/test: {error}; not all results are in the files that you "
              "asked for", file=sys.stderr)
        return False
    return True


def main():
    """The command."""
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, on_sigterm)
    record = Record(arguments.junit, arguments.json)
    record.prepare()
    lanes = {}
    interrupted = run_lanes(arguments.lane, arguments.nightly, lanes, record)
    record.complete = not interrupted
    written = write(record)
    if interrupted:
        print("ci/test: interrupted; this is what ran until then",
              file=sys.stderr)
    status = summarise(lanes, arguments.lane)
    return INTERRUPTED if interrupted else status or not written


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError) as error:
        sys.exit(f"ci/test: {error}")
