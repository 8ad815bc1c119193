# SPDX-License-Identifier: MIT
"""Do two bugs look like two bugs to those who sort crashes by their stacks?

usage: states_test.py MUTANT_LANE_bin...

Each is a fuzz target with a broken core, run on the seeds until it dies. What
it says is read as ClusterFuzz reads it: the state of a crash is the sentence of
a failed assertion and the innermost frames, three lines together; crashes with
two lines in common, in order, or with much the same lines, are one bug.
abort() is no frame, raise() is one for some readers; both ways must do.
"""

import difflib
import glob
import itertools
import os
import re
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

TARGETS = [os.path.abspath(path) for path in sys.argv[1:]]

SEEDS = {
    "_pgtable_bin": "fuzz/corpus/pgtable/*",
    "_sched_fuzz_bin": "fuzz/corpus/highmem_sched/*",
    "_bin": "fuzz/corpus/kmap/*",
}

# More inputs than that of one bug tell nothing new.
INPUTS = 3

ASSERTION = re.compile(r"^assertion failed: (.*)$", re.M)
FRAME = re.compile(r"^\s+#\d+ 0x[0-9a-f]+ in (\S+)", re.M)
NOBODY = re.compile(r"__sanitizer|__interceptor|__asan|__ubsan|fuzzer::|"
                    r"__pthread_kill|pthread_kill$|gsignal$|__GI_|__restore_rt|"
                    r"abort$")


def state(log, with_raise):
    """(sentence, frame, frame), of those of the first stack."""
    sentences = ASSERTION.findall(log)
    assert len(sentences) == 1, log
    frames = [frame for frame in FRAME.findall(log)
              if not NOBODY.match(frame)
              and (with_raise or frame != "raise")]
    return (sentences[0], *frames[:2])


def common(a, b):
    """The lines that both have in the same order."""
    best = 0
    for size in range(1, 4):
        if set(itertools.combinations(a, size)) & \
           set(itertools.combinations(b, size)):
            best = size
    return best


def similar(a, b):
    ratios = [difflib.SequenceMatcher(None, x, y).ratio()
              for x, y in zip(a, b)]
    return common(a, b) >= 2 or sum(ratios) / len(ratios) > 0.8


def crashes_of(target):
    """[(seed, log)]: no more than INPUTS."""
    pattern = next(seeds for end, seeds in SEEDS.items()
                   if target.endswith(end))
    crashes = []
    for seed in sorted(glob.glob(pattern)):
        with tempfile.TemporaryDirectory() as scratch:
            run = subprocess.run(
                [target, f"-artifact_prefix={scratch}/", seed], check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, universal_newlines=True,
                errors="replace", timeout=60)
        if "ERROR: libFuzzer: deadly signal" in run.stdout:
            crashes.append((seed, run.stdout))
        if len(crashes) == INPUTS:
            break
    return crashes


def all_crashes():
    with ThreadPoolExecutor(2) as pool:
        return {os.path.basename(target): crashes for target, crashes
                in zip(TARGETS, pool.map(crashes_of, TARGETS))}


class States(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.crashes = all_crashes()
        cls.logs = [(name, log) for name, crashes in cls.crashes.items()
                    for _, log in crashes]

    def test_each_core_dies(self):
        for name, crashes in self.crashes.items():
            with self.subTest(target=name):
                self.assertTrue(crashes)

    def test_enough_bugs_and_inputs(self):
        self.assertGreaterEqual(
            len({state(log, False)[0] for _, log in self.logs}), 6)
        self.assertGreaterEqual(
            sum(len(crashes) > 1 for crashes in self.crashes.values()), 4)

    def test_frames_are_the_kinds(self):
        for name, log in self.logs:
            with self.subTest(target=name):
                _, variant, kind = state(log, False)
                self.assertRegex(variant, r"^[a-z]+_[a-z]+$")
                self.assertRegex(kind, r"^finding_\w+$")
                self.assertNotIn(kind, ("finding_another", "finding_end"))

    def test_one_sentence_is_one_bug_and_two_are_two(self):
        """One bug may have two sentences: whether they differ says nothing."""
        for with_raise in (False, True):
            for (one, a), (two, b) in itertools.combinations(self.logs, 2):
                a_state, b_state = state(a, with_raise), state(b, with_raise)
                with self.subTest(one=one, two=two, a=a_state, b=b_state):
                    if a_state[0] == b_state[0]:
                        self.assertEqual(a_state, b_state)
                    elif one != two:
                        self.assertFalse(similar(a_state, b_state))


def main():
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    for name, log in States.logs:
        print(f"{name}: {' / '.join(state(log, False))}")
    failed = min(len(result.failures) + len(result.errors), result.testsRun)
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    return 77 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
