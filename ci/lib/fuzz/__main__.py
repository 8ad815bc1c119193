# SPDX-License-Identifier: MIT
"""The command ci/fuzz; see --help."""

import argparse
import importlib.util
import os
import random
import shutil
import signal
import sys

from . import place, report, results
from .screen import Screen
from .session import Session
from .targets import Bazel, choose, prepare
from .words import count, duration, parse_duration

EXIT_OK = 0
EXIT_TROUBLE = 1
EXIT_BUG = 77
EXIT_INTERRUPTED = 130

EPILOG = """\
exit status:
  0    no crash
  77   a crash, found now or still there from an earlier run
  1    a wrong argument, a target that does not build or does not fuzz,
       a full disk
  130  interrupted (Ctrl-C or SIGTERM), no crash up to then

What is found is kept in DIR from run to run: inputs in DIR/TARGET/corpus,
crashes in DIR/TARGET/crashes, reports in DIR/runs (DIR/latest is the last).
"""


def workspace():
    return os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))


def a_time(text):
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def a_number(lowest, highest):
    def parse(text):
        if text.isascii() and text.isdigit() and (
                lowest <= int(text) <= highest):
            return int(text)
        raise argparse.ArgumentTypeError(
            f"'{text}' is no number from {lowest} to {highest}")
    return parse


class Arguments(argparse.ArgumentParser):
    """A wrong argument costs one sentence and exit status 1."""

    def error(self, message):
        self.exit(EXIT_TROUBLE, f"{self.prog}: {message}; see --help\n")


def parse(argv):
    parser = Arguments(
        prog="ci/fuzz", allow_abbrev=False, epilog=EPILOG,
        description="Fuzzes all targets side by side and reports.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument(
        "--time", type=a_time, default=60, metavar="TIME",
        help="how long: 60s (the default), 5m, 8h, 1h30m")
    parser.add_argument(
        "--jobs", type=a_number(1, 1024), default=cores, metavar="N",
        help=f"fuzzing processes, all targets together (default {cores}: "
        "the cores)")
    parser.add_argument(
        "--target", action="append", default=[], metavar="NAME",
        help="only this one (kmap_fuzz_test, or a label); may be repeated")
    parser.add_argument(
        "--out", default=place.default_out(), metavar="DIR",
        help="where corpora, crashes and reports are kept "
        "(default %(default)s)")
    parser.add_argument(
        "--seed", type=a_number(0, 2**63 - 1), metavar="N",
        help="derive the seed of every process from N (default: random)")
    args = parser.parse_args(argv)
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1 << 31)
    return args


def check_tools():
    if importlib.util.find_spec("matplotlib") is None:
        raise place.Trouble("python3-matplotlib is missing: run ci/setup as "
                            "root")
    if not shutil.which("setpriv"):
        raise place.Trouble("setpriv (package util-linux) is missing")


def handle_signals(session):
    """The first signal ends the run in order, the second at once."""
    def stop(signum, _):
        if session.interrupted:
            os._exit(EXIT_INTERRUPTED)  # the fuzzers die with us
        session.interrupt()
        session.screen.say("stopping; once more stops without a report")
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:   # not with nohup
        signal.signal(signal.SIGHUP, stop)


def conclude(session, paths):
    """The table and the exit status."""
    run = results.read_run(session.run_dir)
    say = session.screen.say
    say()
    say(report.table(run))
    say()
    for name, said in report.compared(run, session.earlier):
        say(f"{name}: {said}")
    problems = report.troubles(run)
    for sentence in problems:
        print(f"ci/fuzz: {sentence}", file=sys.stderr)
    say(report.verdict(run))
    say("report: " + " ".join(paths))
    if session.found_bug():
        return EXIT_BUG
    if problems:
        return EXIT_TROUBLE
    return EXIT_INTERRUPTED if session.interrupted else EXIT_OK


def fuzz(args):
    check_tools()
    here = place.Place(args.out)
    bazel = Bazel(workspace())
    labels = choose(bazel, args.target)
    hmt, targets = prepare(bazel, labels, here)
    screen = Screen(interval=5 if args.time <= 600 else 30)
    session = Session(here, targets, hmt, args, screen)
    handle_signals(session)
    session.take_stock()
    screen.say(f"fuzzing {count(len(targets), 'target')} for "
               f"{duration(args.time)} with {count(args.jobs, 'job')}; "
               f"--seed={args.seed}; output in {here.out}")
    session.fuzz()
    return conclude(session, session.finish())


def main(argv):
    args = parse(argv)
    try:
        return fuzz(args)
    except place.Trouble as trouble:
        print(f"ci/fuzz: {trouble}", file=sys.stderr)
    except OSError as error:
        sentence = (place.full_sentence(os.path.abspath(args.out))
                    if place.is_full(error) else str(error))
        print(f"ci/fuzz: {sentence}", file=sys.stderr)
    return EXIT_TROUBLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
