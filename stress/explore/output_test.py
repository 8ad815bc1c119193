# SPDX-License-Identifier: MIT
"""explore on a disk that is full, and without the directory it is to write to.

usage: output_test.py EXPLORE
"""

import os
import subprocess

import explore_test
from explore_test import DEADLOCK, HAND_OVER


class Output(explore_test.Explorer):
    """A disk that is full, and a directory that is not there."""

    def test_where_findings_go_is_looked_at_first(self):
        program = self.path("p.hmt", HAND_OVER)
        for out, why in ((self.path("none"), "No such file or directory"),
                         (program, "Not a directory"), ("/dev/full", "Not a")):
            for verb in (("run", program), ("run", "--generate", "--jobs=2"),
                         ("exhaust", "--ops=1")):
                with self.subTest(out=out, verb=verb):
                    self.refused(f"explore: --out={out}: {why}", *verb,
                                 "--out=" + out)
        result = self.explore("run", program, "--iterations=9",
                              limit=0)
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("explore: here: File too large; --out names",
                      result.stderr)
        self.assertEqual(os.listdir(self.folder.name), ["p.hmt"])

    def test_a_checkpoint_is_tried_first(self):
        for path in (self.path("none/checkpoint"), "/dev/null/x"):
            self.refused(f"explore: checkpoint {path}: ", "exhaust",
                         "--ops=1", "--checkpoint=" + path)

    def test_a_checkpoint_that_no_longer_fits(self):
        """It is said once, and the certificate is there in the end."""
        path = self.path("checkpoint")
        command = (*explore_test.Exhaust.SMALL, "--checkpoint=" + path)
        whole = self.expect(0, *command).stdout
        size = os.path.getsize(path)
        os.unlink(path)
        # The first is of no program yet, and has fewer digits.
        result = self.explore(*command, limit=size - 1)
        self.assertEqual((result.returncode, result.stdout), (0, whole))
        self.assertEqual(result.stderr.count("File too large"), 1, result)
        with open(path, encoding="utf-8") as file:
            self.assertIn("\nprograms 0\n", file.read())
        result = self.explore(*command, "--time=0.01s", limit=size - 9)
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("from the last checkpoint that could be written",
                      result.stdout)

    def test_standard_output(self):
        program = self.path("p.hmt", HAND_OVER + "choices v2: 9=B 15=A\n")
        deadlock = self.path("d.hmt", DEADLOCK)
        for code, *words in ((1, "replay", program),
                             (1, "replay", "--trace=json", program),
                             (1, "replay", "--trace=html", program),
                             (1, "export", "--hmt", program),
                             (1, "export", "--c", program),
                             (1, "exhaust", "--ops=1"),
                             (1, "run", "--iterations=9", "--jobs=2", program),
                             (70, "replay", deadlock)):
            with self.subTest(words=words), open("/dev/full", "w") as full:
                result = subprocess.run(
                    [explore_test.EXPLORE, *words], stdout=full, text=True,
                    stderr=subprocess.PIPE, check=False,
                    cwd=self.folder.name)
                self.assertEqual(result.returncode, code, result)
                self.assertIn("explore: not all could be written to standard "
                              "output: ", result.stderr)

    def test_a_device_stays_one(self):
        self.assertEqual(self.explore("minimize", self.path("p", HAND_OVER),
                                      "-o", "/dev/full").returncode, 1)
        self.assertFalse(os.path.isfile("/dev/full"))


if __name__ == "__main__":
    explore_test.main()
