# SPDX-License-Identifier: MIT
"""The command ci/fuzz; see --help."""

# Ctrl-C before main() knows what to say of it: no word, and no traceback.
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

import os  # noqa: E402
import random  # noqa: E402
import shutil  # noqa: E402
import sys  # noqa: E402

from command import Parser, number, whole_seconds, wrong  # noqa: E402

from . import crashes, place, report, results, stock  # noqa: E402
from .screen import Screen  # noqa: E402
from .session import Session  # noqa: E402
from .targets import Bazel, choose, prepare  # noqa: E402
from .words import count, duration, one_line  # noqa: E402

EXIT_OK = 0
EXIT_TROUBLE = 1
EXIT_BUG = 77
EXIT_INTERRUPTED = 130

EPILOG = """\
exit status:
  0    no crash
  77   a crash, found now or still there from an earlier run
  1    a wrong argument, a target that does not build or does not fuzz,
       a full disk, and no crash up to then
  130  interrupted (Ctrl-C or SIGTERM), no crash up to then

What is found is kept in DIR from run to run: inputs in DIR/TARGET/corpus,
crashes in DIR/TARGET/crashes, reports in DIR/runs (DIR/latest is the last).
DIR may be moved, copied, and kept in a cache: no file in it says where it is,
and ci/fuzz writes nowhere else.
"""


def workspace():
    return os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))


def a_directory(text):
    if not text or not text.isprintable():
        raise wrong("a name that can be shown in a replay line", text)
    return text


def parse(argv):
    parser = Parser("ci/fuzz", "Fuzzes all targets side by side and reports.",
                    epilog=EPILOG)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument(
        "--time", type=whole_seconds, default=60, metavar="TIME",
        help="how long: 60s (the default), 5m, 8h, 1h30m")
    parser.add_argument(
        "--jobs", type=number(1, 1024), default=cores, metavar="N",
        help=f"fuzzing processes, all targets together (default {cores}: "
        "the cores)")
    parser.add_argument(
        "--target", action="append", default=[], metavar="NAME",
        help="only this one (kmap_fuzz_test, or a label); may be repeated")
    parser.add_argument(
        "--out", type=a_directory, default=place.default_out(), metavar="DIR",
        help="where corpora, crashes and reports are kept "
        "(default %(default)s)")
    parser.add_argument(
        "--seed", type=number(0, 2**63 - 1), metavar="N",
        help="derive the seed of every process from N (default: random)")
    args = parser.parse_args(argv)
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1 << 31)
    return args


def complain(sentence):
    print(f"ci/fuzz: {one_line(sentence, 4000)}", file=sys.stderr)


def interrupt(*_):
    raise KeyboardInterrupt


def on_signals(handler):
    signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGTERM, handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:   # not with nohup
        signal.signal(signal.SIGHUP, handler)


def stop_in_order(session):
    """The first signal ends the run in order, the second at once."""
    def stop(*_):
        if session.interrupted:
            os._exit(EXIT_INTERRUPTED)  # the fuzzers die with us
        session.interrupt()
        session.screen.say("stopping; once more stops without a report")
    return stop


def conclude(session, paths):
    """The table, each crash with its replay line, and the exit status."""
    run = results.read_run(session.run_dir)
    say = session.screen.say
    say()
    say(report.table(run))
    say()
    for name, said in report.compared(run, session.earlier):
        say(f"{name}: {said}")
    problems = report.troubles(run)
    for sentence in problems:
        complain(sentence.replace("$OUT", session.place.out))
    say(report.verdict(run))
    say("report: " + " ".join(paths))
    said = report.summary(run, session.place.out)
    if said:
        say("\n" + said)
    if session.found_bug():
        return EXIT_BUG
    if problems:
        return EXIT_TROUBLE
    return EXIT_INTERRUPTED if session.interrupted else EXIT_OK


def fuzz(session):
    args = session.args
    try:
        stock.take(session)
    except KeyboardInterrupt:
        session.screen.end()
        complain("interrupted before it fuzzed; all that was found before is "
                 "kept")
        return EXIT_BUG if session.found_bug() else EXIT_INTERRUPTED
    on_signals(stop_in_order(session))
    session.screen.say(
        f"fuzzing {count(len(session.targets), 'target')} for "
        f"{duration(args.time)} with {count(args.jobs, 'job')}; "
        f"--seed={args.seed}; output in {session.place.out}")
    session.fuzz()
    return conclude(session, session.finish())


def give_up(session, sentence):
    """A run that cannot go on; what it has found is said all the same."""
    if session:
        session.screen.end()
    complain(sentence)
    if not session or not session.found_bug():
        return EXIT_TROUBLE
    said = report.summary(session.found(), session.place.out)
    if said:
        session.screen.say("\n" + said)
    for target, artifact in session.unkept:
        session.screen.say(
            f"CRASH: {target.name}: {artifact}, which nobody has looked at; "
            "the next run does\n" + crashes.replay_line_of(target.label,
                                                           artifact))
    return EXIT_BUG


def prepared(args):
    """All that a run needs, built."""
    if not shutil.which("setpriv"):
        raise place.Trouble("setpriv (package util-linux) is missing: run "
                            "ci/setup")
    here = place.Place(args.out)
    bazel = Bazel(workspace())
    screen = Screen(interval=5 if args.time <= 600 else 30)
    screen.status("asking bazel which targets there are")
    labels = choose(bazel, args.target)
    screen.end()
    hmt, targets = prepare(bazel, labels, here)
    return Session(here, targets, hmt, args, screen)


def main(argv):
    sys.stdout.reconfigure(errors="backslashreplace")
    args = parse(argv)
    session = None
    try:
        on_signals(interrupt)
        session = prepared(args)
        return fuzz(session)
    except KeyboardInterrupt:
        complain("interrupted before it fuzzed; nothing was lost")
        return EXIT_INTERRUPTED
    except place.Trouble as trouble:
        return give_up(session, str(trouble))
    except OSError as error:
        return give_up(session, place.trouble_sentence(
            error, os.path.abspath(args.out)))
    finally:
        on_signals(signal.SIG_IGN)      # all is said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
