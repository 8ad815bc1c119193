# SPDX-License-Identifier: MIT
"""Times, libFuzzer's words, the output directory, progress."""

import errno
import os
import unittest

import corpus_dir

from . import libfuzzer, place, runner, words
from .in_directory import InDirectory
from .targets import directory_name

INITED = ("#3\tINITED cov: 7 ft: 8 corp: 2/6b exec/s: 0 rss: 32Mb")
NEW = ("#1345\tNEW    cov: 5 ft: 6 corp: 4/8b lim: 14 exec/s: 12 rss: 32Mb "
       "L: 4/4 MS: 3 CrossOver-ChangeBit-EraseBytes-")
PULSE = "#1048576\tpulse  cov: 16 ft: 93 corp: 44/1b lim: 20 exec/s: 5 rss: 1Mb"


class Words(unittest.TestCase):
    def test_durations_written(self):
        self.assertEqual([words.duration(s) for s in (7, 65, 7260, 97200)],
                         ["7 s", "1 m 05 s", "2 h 01 m", "1 d 03 h"])
        self.assertEqual([words.clock(s) for s in (7, 754, 28800, -3)],
                         ["0:07", "12:34", "8:00:00", "0:00"])

    def test_numbers(self):
        self.assertEqual(
            [words.short(n) for n in (0, 999, 1000, 12345, 999600, 4.56e6)],
            ["0", "999", "1.00k", "12.3k", "1.00M", "4.56M"])
        self.assertEqual(words.count(1, "crash", "crashes"), "1 crash")
        self.assertEqual(words.count(2, "crash", "crashes"), "2 crashes")


class Libfuzzer(unittest.TestCase):
    def test_status_lines(self):
        self.assertEqual(libfuzzer.parse_status(INITED),
                         (3, "INITED", 7, 8, 2))
        self.assertEqual(libfuzzer.parse_status(NEW), (1345, "NEW", 5, 6, 4))
        self.assertEqual(libfuzzer.parse_status(PULSE)[0], 1048576)

    def test_other_lines(self):
        for line in ("", "#", "INFO: Seed: 1", "#12 not a status",
                     "#0 0x55d1 in f a.c:1:2", "highmem: BUG: #3 NEW cov: 4"):
            self.assertIsNone(libfuzzer.parse_status(line), line)

    def test_counts(self):
        self.assertEqual(libfuzzer.parse_edges(
            "INFO: Loaded 1 modules   (30 inline 8-bit counters): 30 [0x1,"),
            30)
        self.assertEqual(libfuzzer.parse_executed(
            "stat::number_of_executed_units: 12345"), 12345)
        self.assertIsNone(libfuzzer.parse_executed("stat::peak_rss_mb: 3"))

    def test_artifacts(self):
        self.assertTrue(libfuzzer.is_artifact("timeout-" + 40 * "a"))
        for name in ("slow-unit-" + 40 * "a", "crash-12", "log"):
            self.assertFalse(libfuzzer.is_artifact(name))


class Artifacts(InDirectory):
    def names(self):
        return [os.path.basename(path)
                for path in libfuzzer.artifacts(self.dir)]

    def test_a_program_stands_in_for_an_empty_crash(self):
        whole, empty = "crash-" + 40 * "a", "crash-" + 40 * "b"
        self.write(b"input", whole)
        self.write(b"machine", "program-0x1f.hmt")
        self.assertEqual(self.names(), [whole])
        self.write(b"", empty)
        self.assertEqual(self.names(), [whole, "program-0x1f.hmt"])

    def test_an_empty_crash_may_be_one(self):
        self.write(b"", "crash-" + 40 * "b")
        self.assertEqual(self.names(), ["crash-" + 40 * "b"])


class Place(InDirectory):
    def test_a_write_that_fails_leaves_the_old_file(self):
        path = self.write(b"old", "file")
        with self.assertRaises(TypeError):
            place.write_atomic(path, 12)
        self.assertEqual(corpus_dir.read(path), b"old")
        place.write_atomic(path, "new")
        self.assertEqual(corpus_dir.read(path), b"new")

    def test_little_space_is_refused_with_the_place(self):
        place.check_space(self.dir, 1)
        with self.assertRaisesRegex(place.Trouble, self.dir):
            place.check_space(self.dir, 1 << 60)
        self.assertTrue(place.is_full(OSError(errno.ENOSPC, "full")))
        self.assertFalse(place.is_full(OSError(errno.EACCES, "no")))

    def test_two_at_once_are_refused(self):
        first = place.Place(self.path("out"))
        with self.assertRaisesRegex(place.Trouble, "another ci/fuzz"):
            place.Place(self.path("out"))
        self.assertNotEqual(first.new_run("a"), first.new_run("a"))
        self.assertEqual(len(first.runs()), 2)

    def test_a_file_in_the_way_is_a_sentence(self):
        self.write(b"", "out")
        with self.assertRaisesRegex(place.Trouble, "cannot use"):
            place.Place(self.path("out"))


class Runner(unittest.TestCase):
    def test_progress_adds_up_rounds_and_workers(self):
        progress = runner.Progress()
        progress.feed(0, libfuzzer.parse_status(INITED))
        progress.feed(1, libfuzzer.parse_status(NEW))
        self.assertEqual(progress.execs, 3 + 1345)
        progress.end_round(0, 1000)
        progress.end_round(1, None)
        self.assertEqual(progress.execs, 1000 + 1345)
        self.assertEqual((progress.cov, progress.ft), (7, 8))

    def test_only_more_than_the_last_run_had_is_new(self):
        progress = runner.Progress(best_cov=7, best_ft=7)
        progress.feed(0, libfuzzer.parse_status(INITED))
        self.assertIsNone(progress.last_new["cov"])
        self.assertIsNotNone(progress.last_new["ft"])

    def test_rounds(self):
        self.assertEqual([runner.round_seconds(total, 1)
                          for total in (1, 10, 60, 600, 28800)],
                         [1, 10, 15, 75, 120])
        self.assertEqual(runner.round_seconds(60, 6), 10)

    def test_seeds_differ_and_can_be_had_again(self):
        seeds = {runner.derive_seed(1, name, worker, turn)
                 for name in "ab" for worker in (0, 1) for turn in (0, 1)}
        self.assertEqual(len(seeds), 8)
        self.assertEqual(runner.derive_seed(1, "a", 0, 0),
                         runner.derive_seed(1, "a", 0, 0))
        self.assertTrue(all(0 < seed < 1 << 32 for seed in seeds))

    def test_directories_of_targets(self):
        self.assertEqual(directory_name("//fuzz:a_fuzz_test"), "a_fuzz_test")
        self.assertEqual(directory_name("//stress/x:b"), "stress.x.b")
