# SPDX-License-Identifier: MIT
"""What earlier runs left, before a run: corpora, crashes, leftovers."""

import os
import shutil

import corpus_dir

from . import crashes, libfuzzer, report, results
from .fuzzer import is_input
from .screen import LONGEST
from .words import duration, one_line


def take(session):
    """An exception in here, as Ctrl-C makes one, loses nothing: the next run
    goes on where this one was."""
    for target in session.targets:
        session.screen.status(f"{target.name}: looking at what is kept of it")
        _take_corpus(session, target)
        leftovers = _leftovers(target)
        _take_crashes(session, session.books[target.name])
        for artifact in leftovers:
            _take_leftover(session, target, artifact)
        shutil.rmtree(target.path("work"), ignore_errors=True)
        session.at_start[target.name] = set(os.listdir(target.corpus))
        _, last = results.last_of(session.earlier, target.name)
        same = last and last["fuzzer"] == target.digest
        session.before[target.name] = last if same else None
    _report_killed_runs(session)


def _take_corpus(session, target):
    corpus_dir.recover(target.corpus)
    aside = target.path("aside")
    moved = corpus_dir.tidy(target.corpus, aside)
    if moved:
        session.screen.say(corpus_dir.moved_sentence(target.corpus, aside,
                                                     moved))


def _take_crashes(session, book):
    try:
        book.load()
    finally:
        for sentence in book.remarks:
            # It names a file, which may be called "\nreplay: rm -rf ~".
            session.screen.say(one_line(sentence, LONGEST))
    for crash in book.of_this_run():
        session.screen.say(
            f"fixed: {crash.title} "
            f"({crashes.file_of(crash, session.place.out)})"
            if crash.status == "fixed" else
            crashes.block(crash, session.place.out))


def _leftovers(target):
    """Artifacts that a killed run had not yet looked at."""
    paths = [os.path.join(directory, name)
             for directory, _, names in os.walk(target.path("work"))
             for name in sorted(names) if libfuzzer.is_artifact(name)]
    return [path for path in paths if is_input(path)]


def _take_leftover(session, target, artifact):
    if session.books[target.name].fuzzer.crash_of(artifact):
        session.screen.say(f"{target.name}: taking up a crash that the "
                           "last run had no time for")
        session.triage(target, artifact, [], 0)


def _report_killed_runs(session):
    for number, run_dir in enumerate(session.earlier):
        run = results.read_run(run_dir)
        if run and run["status"] == "running" and not os.path.exists(
                os.path.join(run_dir, "report.txt")):
            report.write(run_dir, session.earlier[:number])
            session.screen.say(
                f"the run of {run['started']} was killed after "
                f"{duration(run['elapsed'])}; its corpus is kept, its "
                f"report is {run_dir}/report.html")
