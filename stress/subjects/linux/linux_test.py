# SPDX-License-Identifier: MIT
"""Linux's mm/highmem.c: what is found in it as it is, and with a bug more."""

import os
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path("stress/subjects/launch").absolute()))

import asking  # noqa: E402  pylint: disable=wrong-import-position

GENERATED = ("run", "--generate", "--seed=1")

# Each with what must be said of it, looked into or from outside.
LOST = "lost wake-up: task . sleeps on colour"
PAGE = r". reads 0x\w+ at 0x\w+, byte \d+ of p\d, where 0x\w+ belongs"
CANARIES = {
    "count_unlocked": "no order of the operations explains",
    "flush_before_clear": PAGE,
    "flush_unlocked": "kernel BUG in kmap_high",
    "index_popped_first": "local map behind|kernel BUG in __kmap_local_pfn_prot",
    "local_flush": "stale TLB entry",
    "migrates_with_windows": PAGE,
    "no_flush": PAGE,
    "no_look_after_sleep": "kernel BUG in kunmap_high",
    "preempted_in_push": PAGE,
    "queued_after_unlock": LOST,
    "restore_skips_last": PAGE,
    "state_after_unlock": LOST,
    "switch_unflushed": PAGE,
    "waiters_asked_too_early": LOST,
    "window_unflushed": "stale TLB entry",
    "wrong_colour_queue": LOST,
}

CLEAN = ["linux", "linux-pae", "linux-get-broadcast", "linux-debug",
         "linux-virtual", "linux-own-hooks"]


class Linux(unittest.TestCase):
    def bug(self, *arguments):
        status, said = asking.explore(*arguments)
        self.assertEqual(status, 77, said)
        return re.search(r"^BUG: (.*)$", said, re.MULTILINE)[1]

    def test_as_it_is(self):
        status, said = asking.explore("--subject=linux", *GENERATED)
        self.assertEqual(status, 77, said)
        self.assertRegex(said, r"\nBUG: kmap_to_page of 0x[0-9a-f]+ is not p\d\n")
        # Its own lines and names.
        self.assertRegex(said, r"\n +\d+ +highmem\.c:\d+ +A\.kmap_ctrl\.idx 0->1\b")
        replay = re.search(r"^replay: .* -- (.*)$", said, re.MULTILINE)[1].split()
        again, said_again = asking.explore(*replay)
        self.assertEqual(again, 77, said_again)
        self.assertEqual(said_again.count("trace hash"), 1)
        self.assertIn(re.search("trace hash .*", said)[0], said_again)

    def test_mended_it_is_clean(self):
        for name in CLEAN:
            with self.subTest(name):
                status, said = asking.explore(
                    f"--subject={name}", asking.MENDED, *GENERATED,
                    "--iterations=20000")
                self.assertEqual(status, 0, said)
                self.assertRegex(said, r"worker 0: [2-9]\d{4} schedules")

    def test_a_miss_takes_idle_pages_of_all_colours(self):
        program = Path(os.environ["TEST_TMPDIR"], "colours.hmt")
        program.write_text("machine cpus=2 slots=2 pages=2 colours=2\n"
                           "task A cpu=0\ntask B cpu=1\n"
                           "B: kmap p1\nA: kmap p0; address p1\n")
        status, said = asking.explore("--subject=linux", asking.MENDED, "run", program,
                                      "--strategy=dfs")
        self.assertEqual(status, 0, said)
        self.assertIn("all there are within the bound", said)

    def test_get_with_ipis_warns_of_itself(self):
        said = self.bug("--subject=linux-get", asking.MENDED, *GENERATED)
        self.assertIn("shootdown with interrupts off can deadlock", said)

    def test_it_gives_what_our_core_gives(self):
        status, said = asking.explore("compare", "ours", "linux", asking.MENDED,
                                      "--ops=2")
        self.assertEqual(status, 0, said)
        self.assertIn("equal: ours and linux", said)

    def test_all_canaries_are_listed(self):
        there = {p.stem for p in asking.EDITS.glob("*.edit")}
        self.assertEqual(there - {"bound_mended"}, set(CANARIES))


class Night(unittest.TestCase):
    """What takes minutes."""

    def test_a_minute_of_all_faults(self):
        for name in CLEAN:
            with self.subTest(name):
                status, said = asking.explore(
                    f"--subject={name}", asking.MENDED, "run", "--generate",
                    "--time=60s")
                self.assertEqual(status, 0, said)

    def test_certificate_and_what_our_core_gives(self):
        status, said = asking.explore("compare", "ours", "linux", asking.MENDED,
                                      seconds=3000)
        self.assertEqual(status, 0, said)
        self.assertIn("equal: ours and linux give the same in 1374", said)


def add_canary(name, sentence, *flags):
    def test(self):
        edit = f"--edit={asking.EDITS}/{name}.edit"
        said = self.bug("--subject=linux", asking.MENDED, edit, *GENERATED,
                        "--time=60s", *flags)
        self.assertRegex(said, sentence)

    kind = "from_outside" if flags else "inside"
    setattr(Linux, f"test_canary_{name}_{kind}", test)


for canary, words in CANARIES.items():
    add_canary(canary, words)
    add_canary(canary, words, "--black-box")


if __name__ == "__main__":
    asking.linux_or_skip()
    NIGHT = "--night" in sys.argv
    unittest.main(argv=sys.argv[:1] + [("Night" if NIGHT else "Linux")], verbosity=2)
