# SPDX-License-Identifier: MIT
"""Ctrl-C and kill -9 at every moment of ci/fuzz."""

import os
import shutil
import signal
import time
from multiprocessing.pool import ThreadPool

from . import results
from .whole_command import TARGET, WholeCommand

BEFORE = ("targets", "rules", "build", "info")
DURING = ("fuzz", "run.json")
AFTER = ("merge", "report.txt", "report.html")
OF_CRASHES = ("replay", "minimize", "print", "run", "crash.hmt", "log.txt",
              "crash.json")
OF_OLD_CRASHES = ("check", "replay")


class Interrupted(WholeCommand):
    """One phase each, all of them at once: they mostly sleep."""

    def each(self, phases, one):
        """one(copy of self, phase), every copy with a directory of its own."""
        def run(phase):
            alone = type(self)()
            alone.setUp()
            try:
                one(alone, phase)
            finally:
                alone.doCleanups()
        with ThreadPool(8) as pool:
            pool.map(run, phases)

    def interrupt(self, phase, sig, crashes=""):
        """What is said; the signal was seen to come."""
        begin = time.monotonic()
        said = self.fuzz(AT=phase, SIG=str(int(sig)), CRASHES=crashes)
        self.assertLess(time.monotonic() - begin, 15, phase)
        self.assertTrue(os.path.exists(self.path("mark")), (phase, said))
        return said

    def is_whole(self, phase, crashes=""):
        """All that there was is there, and the next run goes on with it."""
        for name in os.listdir(os.path.join(self.out, "runs")):
            run_dir = os.path.join(self.out, "runs", name)
            if os.listdir(run_dir) and "run.json" in os.listdir(run_dir):
                self.assertIsNotNone(results.read_run(run_dir), phase)
        status, out, err = self.fuzz(CRASHES=crashes)
        self.assertEqual(status, 77 if crashes else 0, (phase, out, err))
        self.assertLessEqual({b"good", b"more", b"kept"}, set(self.inputs()))
        self.assertIn("report: ", out)
        if crashes:
            self.assertEqual(len(os.listdir(self.home("crashes"))), 1, phase)
            self.assertRegex(out, r"CRASH: oracle: A is lost in (4|13) bytes")

    def prepare(self):
        self.unit(b"kept", "out", TARGET, "corpus")

    def test_before_anything_is_fuzzed(self):
        def one(self, phase):
            self.prepare()
            status, out, err = self.interrupt(phase, signal.SIGINT)
            self.assertEqual(status, 130, (phase, err))
            self.assertEqual(err.count("\n"), 1, err)
            self.assertIn("ci/fuzz: interrupted before it fuzzed", err)
            self.assertNotIn("report:", out)
            self.is_whole(phase)
        self.each(BEFORE, one)

    def test_sigterm_is_the_same(self):
        status, _, err = self.interrupt("build", signal.SIGTERM)
        self.assertEqual((status, err.count("\n")), (130, 1), err)

    def test_while_it_fuzzes_and_reports(self):
        def one(self, phase):
            self.prepare()
            status, out, err = self.interrupt(phase, signal.SIGINT)
            self.assertEqual((status, err), (130, ""), phase)
            self.assertIn("stopping; once more", out)
            self.assertRegex(out, r"\n(Interrupted after|Ran) .*: no crash\.\n"
                             "report: ")
            self.is_whole(phase)
        self.each(DURING + AFTER, one)

    def test_while_it_looks_at_a_crash(self):
        def one(self, phase):
            self.prepare()
            status, out, err = self.interrupt(phase, signal.SIGINT, "yes")
            self.assertEqual((status, err), (77, ""), phase)
            self.assertIn("stopping; once more", out)
            self.assertIn("CRASH: oracle: A is lost", out)
            self.is_whole(phase, "yes")
        self.each(OF_CRASHES, one)

    def test_while_it_looks_at_an_old_crash(self):
        def one(self, phase):
            self.prepare()
            self.assertEqual(self.fuzz(CRASHES="yes")[0], 77)
            status, out, err = self.interrupt(phase, signal.SIGINT, "yes")
            self.assertEqual(status, 130, (phase, out, err))
            self.assertIn("interrupted before it fuzzed", err)
            self.is_whole(phase, "yes")
        self.each(OF_OLD_CRASHES, one)

    def test_kill_9_at_any_moment(self):
        def one(self, phase):
            phase, crashes = phase
            self.prepare()
            status, _, _ = self.interrupt(phase, signal.SIGKILL, crashes)
            self.assertEqual(status, -signal.SIGKILL, phase)
            shutil.rmtree(self.path("moved"), ignore_errors=True)
            os.rename(self.out, self.path("moved"))
            self.out = self.path("moved")
            self.is_whole(phase, crashes)
        self.each([(p, "") for p in BEFORE + DURING + AFTER]
                  + [(p, "yes") for p in OF_CRASHES], one)
