# SPDX-License-Identifier: MIT
"""Bugs planted by hand: each is found, made small, explained, replayed; a crash saved.

usage: planted_test.py EXPLORE_NAME...

EXPLORE_NAME is the explorer with the mutant NAME for a core.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import unittest

EXPLORERS = {}

# Some that each mutant breaks, and some that it does not.
SMALL = [
    "task A cpu=0: kmap p0; kunmap p0\ntask B cpu=1: kmap p0",
    "task A cpu=0: kmap p0\ntask B cpu=1: kmap p1; get p0",
    "task A cpu=0: get p0\ntask B cpu=1: local p1",
    "task A cpu=0: kmap p0; kmap p1\ntask B cpu=1: kmap p2",
    "task A cpu=0: kmap p0; flush\ntask B cpu=1: kmap p1",
    "task A cpu=0: local p0; check\ntask B cpu=1: get p1; flush",
    "task A cpu=0: kmap p0; kmap p2\ntask B cpu=1: kmap p1; kmap p2",
]
MOST_OPERATIONS = 8

# Both let go, and see that C waits; it needs only one of them.
CRASHING = """machine cpus=3 slots=2 pages=3
task A cpu=0: kmap p0; kunmap p0
task B cpu=1: kmap p1; kunmap p1
task C cpu=2: kmap p2
"""

# B queues when A lets go, and C comes later.
OVERTAKING = """machine cpus=3 slots=2 pages=4
task A cpu=0: kmap p0; kmap p1
task B cpu=1: kmap p2
task C cpu=2: kmap p3
A: kunmap p0
"""


class Planted(unittest.TestCase):
    def explore(self, name, code, *arguments):
        result = subprocess.run([EXPLORERS[name], *arguments],
                                capture_output=True, text=True, check=False,
                                cwd=self.folder)
        self.assertEqual(result.returncode, code, result)
        return result.stdout

    def hash_of(self, output):
        return re.search(r"^trace hash ([0-9a-f]{16})$", output, re.M)[1]

    def check(self, name, why, *flags):
        """@why: what the sentences have to say."""
        with tempfile.TemporaryDirectory() as self.folder:
            found = self.explore(name, 77, "run", "--generate", "--seed=1",
                                 "--time=120s", *flags)
            operations = re.search(r"minimised to (\d+) operations", found)
            self.assertLessEqual(int(operations[1]), MOST_OPERATIONS, found)
            self.assertRegex(found, why)
            self.assertEqual("liveness: " in found, "\ncalm after " in found)
            replays = re.findall(r"^replay: .* -- replay (.+)$", found, re.M)
            self.assertEqual(len(replays), 1, found)
            again = self.explore(name, 77, "replay", replays[0])
            self.assertEqual(self.hash_of(again), self.hash_of(found))
            explained = self.explore(name, 0, "explain", replays[0])
            self.assertRegex(explained, why)

    def compare(self, name, *flags):
        """Pruning changes no verdict: {those of all programs}."""
        verdicts = set()
        command = ("run", "--strategy=dfs", "--max-preemptions=1",
                   "--out=.", *flags, "p.hmt")
        with tempfile.TemporaryDirectory() as self.folder:
            for text in SMALL:
                with open(os.path.join(self.folder, "p.hmt"), "w",
                          encoding="utf-8") as file:
                    file.write("machine cpus=2 slots=2 pages=3\n%s\n" % text)
                codes = [subprocess.run([EXPLORERS[name], *command, *more],
                                        capture_output=True, check=False,
                                        cwd=self.folder).returncode
                         for more in ((), ("--no-prune",))]
                self.assertEqual(codes[0], codes[1], text)
                verdicts.add(codes[0])
        return verdicts

    def test_pruning_changes_no_verdict(self):
        for name in ("lost_wakeup", "missing_flush"):
            self.assertEqual(self.compare(name, "--faults=none"), {0, 77})
            self.assertEqual(self.compare(name, "--faults=spurious"), {0, 77})
        self.assertEqual(self.compare("enqueue_unfenced", "--faults=tso"),
                         {0})

    def test_a_core_that_crashes(self):
        """It takes the explorer with it, which saves what it was doing."""
        crash = "BUG: the core crashed (signal 11)"
        with tempfile.TemporaryDirectory() as self.folder:
            with open(os.path.join(self.folder, "p.hmt"), "w",
                      encoding="utf-8") as file:
                file.write(CRASHING)
            found = self.explore("crashes", 77, "run", "--strategy=dfs",
                                 "--out=.", "p.hmt")
            self.assertIn(crash, found)
            replays = re.findall(r"^replay: .* -- (replay \S+)$", found, re.M)
            self.assertEqual(len(replays), 1, found)
            file = replays[0].split()[1]
            with open(file, encoding="utf-8") as saved:
                self.assertRegex(saved.read(), r"(?m)^choices v2: ")
            self.assertIn(crash, self.explore("crashes", 77, "replay", file))

    def limited(self, name, *arguments):
        """On a disk with room for no program."""
        with tempfile.TemporaryDirectory() as self.folder:
            result = subprocess.run(
                [EXPLORERS[name], *arguments], capture_output=True, text=True,
                check=False, cwd=self.folder, preexec_fn=lambda: (
                    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))))
            self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(result.returncode, 77, result)
        line, = re.findall(r"^replay: (.*)$", result.stdout, re.M)
        self.assertTrue(line.endswith(" -- replay -"), line)
        return result, line

    def pasted(self, name, line):
        line = re.sub("bazel run .* -- ", EXPLORERS[name] + " ", line)
        result = subprocess.run(["sh", "-c", line], capture_output=True,
                                text=True, check=False)
        self.assertEqual(result.returncode, 77, result)
        return result.stdout

    def test_a_finding_on_a_full_disk(self):
        for words in (("run", "--generate", "--seed=1", "--time=60s"),
                      ("exhaust", "--faults=none")):
            with self.subTest(words=words):
                result, line = self.limited("missing_flush", *words)
                self.assertIn(": File too large\n", result.stderr)
                self.assertIn("\nBUG: ", result.stdout)
                self.assertEqual(self.hash_of(self.pasted("missing_flush",
                                                          line)),
                                 self.hash_of(result.stdout))

    def test_a_crash_on_a_full_disk(self):
        with tempfile.NamedTemporaryFile("w", suffix=".hmt") as program:
            program.write(CRASHING)
            program.flush()
            result, line = self.limited("crashes", "run", "--strategy=dfs",
                                        program.name)
        self.assertIn("could not be written to a file", result.stdout)
        self.assertIn("the core crashed", self.pasted("crashes", line))

    def test_a_finding_that_nobody_reads(self):
        """It is in its file, and the status says so."""
        with tempfile.TemporaryDirectory() as self.folder:
            with open("/dev/full", "w") as full:
                result = subprocess.run(
                    [EXPLORERS["missing_flush"], "run", "--generate",
                     "--seed=1"], stdout=full, stderr=subprocess.PIPE,
                    cwd=self.folder, check=False)
            self.assertEqual(result.returncode, 77, result)
            name, = os.listdir(self.folder)
            self.explore("missing_flush", 77, "replay", name)

    def test_a_lost_wakeup(self):
        self.check("lost_wakeup", r"let go of it at step \d+ and did not look")

    def test_a_skipped_flush(self):
        self.check("missing_flush", r"did not flush CPU|no flush followed")

    def test_a_livelock(self):
        """Not a schedule that is unfair: nobody gets on in the calm phase."""
        for name in ("flush_and_retry", "stale_retry"):
            self.check(name, r"livelock: no end after \d+ steps, without "
                             r"faults and in turns since step \d+: [A-D]"
                             r"('s| at its end)")

    def exhaust(self, name, code, *flags):
        with tempfile.TemporaryDirectory() as self.folder:
            return self.explore(name, code, "exhaust", *flags)

    def test_a_livelock_of_one_task(self):
        """In a search with pruning, too."""
        for name in ("flush_and_retry", "stale_retry"):
            found = self.exhaust(name, 77, "--ops=2", "--max-preemptions=1")
            self.assertIn("BUG: liveness: ", found)
            self.assertRegex(found, r"\ncalm after \d+\n")
        self.assertEqual(self.compare("stale_retry", "--faults=none"),
                         {0, 77})

    def test_a_livelock_of_two_tasks(self):
        """Without pruning it ends at --max-steps, and is a bug there, too."""
        self.assertEqual(self.compare("polls", "--faults=none",
                                      "--max-steps=250"), {0, 77})

    def test_a_circle_that_somebody_ends(self):
        """The run goes on, calm, although the state is known."""
        one_waits = ("--tasks=3", "--ops=1", "--alphabet=kmap",
                     "--max-preemptions=1")
        good = self.exhaust("polls", 0, *one_waits)
        self.assertRegex(good, r"  loops +[1-9]\d* of these")

    def test_a_circle_that_nobody_ends(self):
        all_wait = ("--tasks=2", "--ops=2", "--alphabet=kmap")
        self.assertRegex(self.exhaust("polls", 77, *all_wait),
                         r"BUG: liveness: [AB] gets nowhere in kmap p")

    def test_a_bug_of_pae_machines(self):
        few = ("--ops=1", "--alphabet=kmap")
        self.exhaust("pae_frame_20_bits", 0, *few)
        self.exhaust("pae_frame_20_bits", 77, *few, "--pae")

    def test_a_bug_in_the_queue_of_the_second_colour(self):
        few = ("--ops=2", "--max-preemptions=1")
        self.exhaust("second_look_at_colour_0", 0, *few)
        found = self.exhaust("second_look_at_colour_0", 77, *few,
                             "--colours=2")
        self.assertRegex(found, r"BUG: lost wake-up: .* sleeps on colour 1")

    def test_a_queue_that_is_overtaken(self):
        with tempfile.TemporaryDirectory() as self.folder:
            with open(os.path.join(self.folder, "p.hmt"), "w",
                      encoding="utf-8") as file:
                file.write(OVERTAKING)
            for name in ("barging", "newest_first"):
                found = self.explore(name, 77, "run", "--seed=1", "--out=.",
                                     "--faults=none", "p.hmt")
                self.assertRegex(found, r"BUG: overtaken: [A-D] came later")

    def test_a_cpu_that_comes_online_unflushed(self):
        self.check("online_unflushed",
                   r"was offline, and came online at step \d+ without a flush",
                   "--faults=hotplug")

    def test_a_stale_cpu_beside_one_that_is_offline(self):
        """CPU 1 keeps what it had, and flushes it when it comes back."""
        with tempfile.TemporaryDirectory() as self.folder:
            with open(os.path.join(self.folder, "p.hmt"), "w",
                      encoding="utf-8") as file:
                file.write("machine cpus=3\n"
                           "task A cpu=0: kmap p0; kunmap p0; flush; kmap p0\n"
                           "choices v2: 14=offline:1 15=offline:2 "
                           "36=online:2\n")
            out = self.explore("local_flush", 77, "replay", "p.hmt")
            self.assertIn("BUG: stale TLB entry: CPU 2 still has", out)
            self.assertRegex(out, r"(?m)a last flush +slot1=none "
                                  r"stale: cpu2=p0$")
            self.assertIn("stale translation: CPU 2 still finds p0", out)
            full = self.explore("local_flush", 77, "replay", "--trace=full",
                                "p.hmt")
            self.assertIn("  cpu1 { slot0=p0 }  cpu2 { slot1=p0! }\n", full)

    def test_what_a_choice_names_is_kept(self):
        """The machine shrinks to the CPU that goes, and no further."""
        with tempfile.TemporaryDirectory() as self.folder:
            with open(os.path.join(self.folder, "p.hmt"), "w",
                      encoding="utf-8") as file:
                file.write("machine cpus=4\n"
                           "task A cpu=0: kmap p0; kunmap p0; flush\n"
                           "choices v2: 14=offline:1 33=online:1\n")
            self.explore("online_unflushed", 77, "replay", "p.hmt")
            out = self.explore("online_unflushed", 0, "minimize", "p.hmt",
                               "-o", "small.hmt")
            runs = int(re.search(r"(\d+) runs", out)[1])
            self.assertGreater(runs, 500)
            # Then no search of 200 runs begins.
            out = self.explore("online_unflushed", 0, "minimize", "p.hmt",
                               "-o", "some.hmt", "--iterations=100")
            runs = int(re.search(r"(\d+) runs", out)[1])
            self.assertLess(runs, 400)
            self.explore("online_unflushed", 77, "replay", "some.hmt")
            with open(os.path.join(self.folder, "small.hmt"),
                      encoding="utf-8") as file:
                text = file.read()
            self.assertIn("machine cpus=2 ", text)
            self.assertIn("=offline:1 ", text)

    def test_a_missing_fence(self):
        self.check("enqueue_unfenced", r"was still held back", "--faults=tso")

    def test_a_leak_at_boot(self):
        self.check("pgtable_leaks_on_failure",
                   r"the 3rd allocation of the boot fails; 1 frame is not "
                   r"given back")

    def test_a_leak_at_boot_is_no_known_state(self):
        """What runs after it would be cut at its first question."""
        with tempfile.TemporaryDirectory() as self.folder:
            with open(os.path.join(self.folder, "p.hmt"), "w",
                      encoding="utf-8") as file:
                file.write("machine pae=yes\ntask A: kmap p0\n"
                           "task B: kmap p0\n")
            found = self.explore("pgtable_leaks_on_failure", 77, "run",
                                 "--strategy=dfs", "--faults=oom", "--out=.",
                                 "--max-preemptions=0", "p.hmt")
            self.assertIn("choices v2: 0=alloc:3\n", found)

    def test_a_leak_at_boot_in_every_trace(self):
        """Nothing has run: there is no more to show than the verdict."""
        with tempfile.TemporaryDirectory() as self.folder:
            with open(os.path.join(self.folder, "p.hmt"), "w",
                      encoding="utf-8") as file:
                file.write("machine pae=yes\ntask A: kmap p0\n"
                           "choices v2: 0=alloc:3:on\n")
            for form in ("none", "table", "full", "json", "html"):
                out = self.explore("pgtable_leaks_on_failure", 77, "replay",
                                   "--trace=" + form, "p.hmt")
                self.assertIn("allocation 3 of the boot fails: 1 frame", out)
            self.assertIn("the 3rd allocation of the boot and all after it "
                          "fail; 1 frame is not given back", out)


def main():
    for path in sys.argv[1:]:
        name = os.path.basename(path).split("explore_")[1]
        EXPLORERS[name] = os.path.realpath(path)
    os.environ.pop("BUILD_WORKING_DIRECTORY", None)
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    sys.exit(1 if failed or result.testsRun == 0 else 0)


if __name__ == "__main__":
    main()
