#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does canary.py tell a lane that found the bug from every other ending?"""

import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

CANARY = Path(__file__).resolve().parent / "canary.py"

PATCH = """\
# SPDX-License-Identifier: MIT
# One slot is lost.
#
# Killed by: fuzz, where
# threads, torture.
--- a/core/lib/x.c
# Killed by: unit.
"""


class Canary(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text):
        path = Path(self.folder.name, name)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def run_on(self, script, *options, args=()):
        """A lane that is a shell script: (status, stdout, stderr)."""
        lane = self.path("lane", "#!/bin/sh\n" + script)
        command = [sys.executable, CANARY, *options]
        given = {option.split("=")[0] for option in options}
        command += [option for option in ("--mutant=m", "--lane=fuzz", "--red=77",
                                          "--says=slot [0-9]+ is lost")
                    if option.split("=")[0] not in given]
        run = subprocess.run(
            [*command, lane, *args],
            capture_output=True,
            text=True,
            check=False,
        )
        return run.returncode, run.stdout, run.stderr

    def check(self, script, status, sentence, *options):
        code, out, err = self.run_on(script, *options)
        self.assertIn(sentence, out + err)
        self.assertEqual(code, status, out + err)
        passed = int(status == 0)
        last = f"cases: {passed} passed, {1 - passed} failed\n"
        self.assertTrue(out.endswith(last), out)
        return out

    def test_a_healthy_core_has_to_stay_green(self):
        self.check("exit 0", 0, "stays green", "--healthy")
        self.check("echo slot 7 is lost; exit 77", 77, "goes red",
                   "--healthy")
        self.check("exit 5", 77, "gives no verdict", "--healthy")

    def test_red(self):
        self.check(
            "echo a; echo slot 3 is lost >&2; exit 77",
            0,
            " s: slot 3 is lost\n",
        )

    def test_red_in_colour(self):
        script = "printf 'slot \\033[1m3 is\\033[0m lost'; exit 77"
        self.check(script, 0, " s: slot 3 is lost\n")

    def test_red_by_a_signal_is_not_a_finding(self):
        sentence = "lane fuzz gives no verdict on m: signal 9 after "
        self.check("echo slot 3 is lost; kill -9 $$", 1, sentence)

    def test_green(self):
        sentence = "canary: lane fuzz stays green on m: exit status 0 after "
        self.check("echo slot 3 is lost", 77, sentence)

    def test_green_until_the_limit(self):
        sentence = "lane fuzz stays green on m: nothing was found in "
        self.check("sleep 60", 77, sentence, "--limit=0.2s")

    def test_the_finding_counts_not_the_end(self):
        script = "echo slot 3 is lost; sleep 1; exit 77"
        self.check(script, 0, "goes red on m: ", "--limit=0.5s")

    def test_no_end_after_the_finding(self):
        script = "echo slot 3 is lost; sleep 60"
        self.check(script, 77, "goes red on m: but does not end", "--limit=0.5s")

    def test_a_line_in_pieces(self):
        script = "printf 'slot 3 '; sleep 0.3; echo is lost; exit 77"
        self.check(script, 0, "s: slot 3 is lost\n")

    def test_late_finding(self):
        script = "sleep 5; echo slot 3 is lost; exit 77"
        self.check(script, 77, "stays green", "--limit=0.5s")

    def test_children_are_stopped_too(self):
        alive = Path(self.folder.name, "alive")
        script = f"(sleep 2; touch {alive}) & wait"
        self.check(script, 77, "stays green", "--limit=0.2s")
        time.sleep(2.5)
        self.assertFalse(alive.exists())

    def test_another_reason(self):
        out = self.check(
            "echo page fault; exit 77",
            77,
            "lane fuzz goes red for another reason on m",
        )
        self.assertIn("no line says 'slot [0-9]+ is lost'", out)
        self.assertIn("\n    page fault\n", out)

    def test_a_sentence_must_be_in_one_line(self):
        script = "echo slot 3 is; echo lost; exit 77"
        self.check(script, 77, "for another reason")

    def test_usage_error_of_the_lane(self):
        sentence = "lane fuzz gives no verdict on m: exit status 1 after "
        self.check("echo slot 3 is lost; exit 1", 1, sentence)

    def test_skipped_lane(self):
        self.check("echo skipped: no QEMU; exit 4", 1, "gives no verdict")

    def test_counts_of_the_lane_are_not_ours(self):
        out = self.check("echo 'cases: 9 passed, 0 failed'", 77, "stays green")
        self.assertIn("\n    cases: 9 passed, 0 failed\n", out)

    def test_scratch_is_there_and_goes_away(self):
        code, out, _ = self.run_on(
            'test -d "$1" && echo "slot 3 is lost $1"; exit 77',
            args=["{scratch}"],
        )
        self.assertEqual(code, 0)
        self.assertFalse(os.path.exists(out.splitlines()[0].split()[-1]))

    def test_header_of_the_patch(self):
        patch = self.path("m.patch", PATCH)
        script = "echo slot 3 is lost; exit 77"
        out = self.check(script, 0, "red", "--patch=" + patch)
        self.assertTrue(out.startswith("# One slot is lost.\n#\n# Killed by"))
        for lane, status in [("torture", 0), ("unit", 1), ("tsan", 1)]:
            sentence = "goes red" if status == 0 else f"'Killed by: {lane}'"
            options = ["--patch=" + patch, "--lane=" + lane]
            self.check(script, status, sentence, *options)

    def test_missing_files(self):
        self.check("", 1, "No such file", "--patch=" + self.folder.name + "/no")
        command = [sys.executable, CANARY, "--mutant=m", "--lane=fuzz"]
        command += ["--red=77", "--says=.", self.folder.name + "/no"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("/no: No such file or directory\n", run.stderr)

    def test_usage(self):
        for option, word in [
            ("--limit=0s", "expected a time above 0"),
            ("--red=77,", "such as 77 or 70,77, not '77,'"),
            ("--says=(", "), not '('"),
            ("--nonsense", "see canary --help"),
        ]:
            code, out, err = self.run_on("exit 77", option)
            self.assertEqual((code, out), (1, ""), option)
            self.assertIn(word, err)
            self.assertEqual(err.count("\n"), 1, err)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
