# SPDX-License-Identifier: MIT
"""torture --refind on a core that loses wake-ups: from threads to a replay.

usage: refind_test.py BROKEN_TORTURE BROKEN_EXPLORE EXPLORE
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import unittest

TORTURE, BROKEN_EXPLORE, EXPLORE = map(os.path.abspath, sys.argv[1:4])

# B waits for a slot of A, who lets go of them and tells nobody.
WAITER = """machine cpus=2 slots=2 pages=3
task A cpu=0: kmap p0; kmap p1
task B cpu=1: kmap p2
"""


class Refind(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.program = self.write("waiter.hmt", WAITER)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def fake_explorer(self, script):
        path = self.write("fake", "#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        return path

    def run_in_folder(self, *command):
        return subprocess.run(command, cwd=self.folder, capture_output=True,
                              text=True, check=False)

    def torture(self, explorer, *arguments, out="."):
        return self.run_in_folder(TORTURE, "--seed=1", "--time=60s",
                                  "--stall=30s", f"--out={out}", "--log=log",
                                  "--explorer", explorer, *arguments)

    def replay_line(self, run):
        """The one replay line of a torture that went red."""
        self.assertEqual(run.returncode, 77, run)
        self.assertIn("--- End of test: FAILURE\n", run.stdout)
        lines = re.findall(r"^replay: .*$", run.stdout, re.M)
        self.assertEqual(len(lines), 1, run.stdout)
        return lines[0]

    def torture_speaks(self, run, sentence):
        self.assertRegex(self.replay_line(run),
                         r"torture_lost_wakeup -- --seed 1 --program ")
        self.assertEqual(run.stdout.count(sentence), 1, run.stdout)

    def test_the_explorer_finds_it_again(self):
        run = self.torture(BROKEN_EXPLORE, "--refind")
        line = self.replay_line(run)
        found = re.fullmatch(r"replay: bazel run //stress/explore:explore -- "
                             r"replay (/.*/explore-([0-9a-f]{16})\.hmt)", line)
        self.assertTrue(found, line)
        self.assertRegex(run.stdout, r"(?m)^minimised to [1-8] operations")
        self.assertRegex(run.stdout, r"(?m)^BUG: lost wake-up: ")
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
            self.assertIn(line + "\n", log.read())
        again = self.run_in_folder(BROKEN_EXPLORE, "replay", found[1])
        self.assertEqual(again.returncode, 77, again)
        self.assertIn(f"trace hash {found[2]}\n", again.stdout)

    def test_the_explorer_does_not_find_it(self):
        # On the healthy core there is nothing to be found.
        run = self.torture(EXPLORE, "--program", self.program,
                           "--refind=500ms")
        self.torture_speaks(run, "the explorer did not find it in that time")

    def test_a_finding_without_a_replay_line_is_none(self):
        fake = self.fake_explorer("echo found, see; exit 77\n")
        run = self.torture(fake, "--program", self.program, "--refind")
        self.torture_speaks(run, "gave no finding that can be replayed")
        self.assertNotIn("found, see", run.stdout)

    def test_an_explorer_that_dies(self):
        fake = self.fake_explorer("kill -9 $$\n")
        run = self.torture(fake, "--program", self.program, "--refind")
        self.torture_speaks(run,
                            "gave no finding that can be replayed (status -1)")

    def test_without_refind_the_explorer_is_not_asked(self):
        run = self.torture("/no/such/program", "--program", self.program)
        self.replay_line(run)
        self.assertNotIn("explorer", run.stdout)

    def test_a_place_for_the_failure_that_is_not_there(self):
        for out in ("none", self.program, "/dev/full"):
            run = self.torture(EXPLORE, out=out)
            self.assertEqual(run.returncode, 1, run)
            self.assertEqual(run.stdout, "")
            self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
            self.assertIn(f"torture: --out {out}: No", run.stderr)

    def test_a_disk_without_room_for_the_failure(self):
        run = subprocess.run(
            [TORTURE, "--seed=1", "--time=60s", "--stall=30s", "--program=-"],
            cwd=self.folder, capture_output=True, text=True, check=False,
            input=WAITER, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (64, 64)))
        line = self.replay_line(run)
        self.assertTrue(line.endswith(" --program -"), line)
        self.assertIn("could not be written to a file", run.stdout)
        self.assertEqual(os.listdir(self.folder), ["waiter.hmt"])
        line = line.replace("replay: ", "")
        again = self.run_in_folder("sh", "-c", re.sub(
            "bazel run .* -- ", TORTURE + " --time=60s --stall=30s ", line))
        self.replay_line(again)

    def test_no_explorer_no_torture(self):
        run = self.torture("/no/such/program", "--refind")
        self.assertEqual(run.returncode, 1, run)
        self.assertEqual(run.stdout, "")
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        self.assertIn("no explorer at /no/such/program", run.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
