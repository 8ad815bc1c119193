# SPDX-License-Identifier: MIT
"""An output directory that is moved and copied, and what is asked in vain."""

import os
import re
import shutil

from .whole_command import TARGET, WholeCommand


class Moved(WholeCommand):
    def test_a_copy_is_its_own(self):
        """A run on a copy leaves the original as it was; nor does any file
        name the place."""
        self.assertEqual(self.fuzz(CRASHES="yes")[0], 77)
        copy = self.path("copy")
        shutil.copytree(self.out, copy, symlinks=True)
        before = self.files()
        for name, data in before.items():
            self.assertNotIn(self.out.encode(), data, name)
        status, out, _ = self.fuzz(out=copy, CRASHES="yes")
        self.assertEqual(status, 77)
        self.assertIn(f"hmt -- run {copy}/{TARGET}/crashes/", out)
        self.assertNotIn(self.out, out)
        status, out, _ = self.fuzz(out=copy)    # all is mended
        self.assertEqual(status, 0)
        self.assertIn(f"fixed: oracle: A is lost in 4 bytes ({copy}/", out)
        self.assertEqual(self.files(), before)

    def test_a_report_is_right_after_a_move(self):
        self.fuzz(CRASHES="yes")
        moved = self.path("elsewhere")
        os.rename(self.out, moved)
        with open(os.path.join(moved, "latest", "report.txt"),
                  encoding="utf-8") as file:
            text = file.read()
        self.assertIn('OUT="$PWD"', text)
        path, = [line.split()[-1] for line in text.splitlines()
                 if line.startswith("replay: ")]
        self.assertTrue(os.path.exists(path.replace('"$OUT"', moved)), path)

    def test_the_end_names_each_crash_and_its_replay_line(self):
        _, out, _ = self.fuzz(CRASHES="yes")
        end = out[out.index("\nreport: "):].splitlines()[2:]
        self.assertEqual(end[0:2], ["", "CRASH: oracle: A is lost in 4 bytes"])
        self.assertEqual(end[2], f"  {TARGET} (new, seen once)")
        self.assertRegex(end[3], f"^replay: bazel run .* -- run {self.out}/"
                         f"{TARGET}/crashes/.*/crash.hmt$")
        self.assertEqual(len(end), 4)


class Full(WholeCommand):
    """No room, when it has begun: a crash is not less of one."""

    def test_a_crash_that_could_not_be_kept(self):
        for name in ("log.txt", "crash.hmt", "crash.json"):
            with self.subTest(name=name):
                status, said, wrong = self.fuzz(CRASHES="yes", FULL=name)
                self.assertEqual(status, 77, said + wrong)
                self.assertIn("the disk is full at", wrong)
                self.assertEqual(wrong.count("\n"), 1, wrong)
                artifact, = re.findall(
                    "^replay: bazel run .*_run -- --reproduce=(.*)$", said,
                    re.M)
                self.assertTrue(os.path.isfile(artifact), said)
        status, said, wrong = self.fuzz(CRASHES="yes")
        self.assertEqual(status, 77, said + wrong)
        self.assertIn("taking up a crash", said)
        self.assertIn("A is lost in ", said)

    def test_a_report_that_could_not_be_written(self):
        for name in ("report.txt", "report.html", "run.json"):
            with self.subTest(name=name):
                self.out = self.path("out-" + name)
                self.fuzz(CRASHES="yes")
                status, said, wrong = self.fuzz(CRASHES="yes", FULL=name)
                self.assertEqual(status, 77, said + wrong)
                self.assertIn("the disk is full at", wrong)
                self.assertRegex(said, r"\nCRASH: oracle: A is lost .*\n.*\n"
                                 r"replay: bazel run \S+ -- run \S+crash.hmt")
                status, said, wrong = self.fuzz(FULL=name, CRASHES="",
                                                out=self.path("well" + name))
                self.assertEqual(status, 1, said + wrong)


class Refused(WholeCommand):
    def refused(self, *arguments, out=None):
        status, _, err = self.fuzz(*arguments, out=out)
        self.assertEqual((status, err.count("\n")), (1, 1), err)
        self.assertFalse(os.path.exists(self.path("runs")))
        return err

    def test_an_empty_name_is_not_the_checkout(self):
        self.assertIn("in a replay line, not ''", self.refused(out=""))

    def test_a_name_that_cannot_be_shown(self):
        self.assertIn("\\x1b", self.refused(out="a\x1b[31m"))

    def test_a_file_is_in_the_way(self):
        self.write(b"", "out")
        err = self.refused()
        self.assertRegex(err, "cannot use .*out.*use --out")
        self.assertNotIn("Errno", err)

    def test_a_directory_is_in_the_way_of_a_file(self):
        os.makedirs(os.path.join(self.out, TARGET, "fuzzer.part"))
        err = self.refused()
        self.assertIn("fuzzer.part", err)
        self.assertNotIn("Errno", err)

    def test_what_may_not_be_written_is_said_with_advice(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        os.makedirs(os.path.join(self.out, TARGET))
        os.chmod(os.path.join(self.out, TARGET), 0o500)
        self.assertRegex(self.refused(), "Permission denied.*make it yours")
