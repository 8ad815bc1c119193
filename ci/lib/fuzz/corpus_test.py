# SPDX-License-Identifier: MIT
"""Corpus directories, and what the build packs."""

import os
import stat
import sys
import tarfile
import time

import corpus_dir
import pack

from .in_directory import InDirectory


class Corpus(InDirectory):
    def test_bad_files_are_moved_and_good_ones_kept(self):
        good = self.unit(b"good", "c")
        self.write(b"", "c", 40 * "0")
        self.write(b"cut", "c", 40 * "1")
        self.write(b"cut", "c", corpus_dir.sha1_of(b"z") + ".part")
        os.mkdir(self.path("c", "directory"))
        os.symlink("/nowhere", self.path("c", "link"))
        self.write(bytes(corpus_dir.LARGEST + 1), "c", "large")
        moved = corpus_dir.tidy(self.path("c"), self.path("aside"))
        self.assertEqual(len(moved), 6)
        self.assertEqual(os.listdir(self.path("c")), [os.path.basename(good)])
        self.assertEqual(len(os.listdir(self.path("aside"))), 6)
        sentence = corpus_dir.moved_sentence("C", "A", moved)
        self.assertIn("moved 6 files from C to A", sentence)
        self.assertIn("and 3 more", sentence)

    def test_a_file_put_there_by_hand_is_taken_in(self):
        self.write(b"mine", "c", "mine.hmt")
        self.assertEqual(corpus_dir.tidy(self.path("c"), self.path("a")), [])
        self.assertEqual(os.listdir(self.path("c")),
                         [corpus_dir.sha1_of(b"mine")])

    def test_two_bad_files_of_one_name_are_both_kept(self):
        for _ in range(2):
            self.write(b"", "c", "same")
            corpus_dir.tidy(self.path("c"), self.path("aside"))
        self.assertEqual(len(os.listdir(self.path("aside"))), 2)

    def test_recover_wherever_the_replacement_stopped(self):
        """Every state that replace() passes through has a whole corpus."""
        states = ({"c": b"old", "c.part": b"?"},
                  {"c": b"old", "c.next": b"new"},
                  {"c.old": b"old", "c.next": b"new"},
                  {"c": b"new", "c.old": b"old"}, {})
        expected = (b"old", b"old", b"new", b"new", None)
        for number, (state, want) in enumerate(zip(states, expected)):
            home = str(number)
            os.mkdir(self.path(home))
            for name, data in state.items():
                self.unit(data, home, name)
            corpus_dir.recover(self.path(home, "c"))
            self.assertEqual(os.listdir(self.path(home)), ["c"])
            found = [corpus_dir.read(self.path(home, "c", n))
                     for n in os.listdir(self.path(home, "c"))]
            self.assertEqual(found, [want] if want else [])

    def merge(self, status, *units):
        """Runs a merge whose fuzzer writes these units."""
        self.unit(b"before", "c")

        def run(arguments):
            for name, data in units:
                self.write(data, arguments[-2], name)
            return status
        return corpus_dir.merge(run, self.path("c"))

    def test_a_merge_that_fails_changes_nothing(self):
        good = (corpus_dir.sha1_of(b"after"), b"after")
        for status, units, why in ((1, [good], "status 1"),
                                   (None, [good], "too long"),
                                   (0, [], "kept nothing"),
                                   (0, [good, (40 * "1", b"x")], "cut short")):
            self.assertIn(why, self.merge(status, *units))
            self.assertEqual(os.listdir(self.dir), ["c"])
            self.assertEqual(os.listdir(self.path("c")),
                             [corpus_dir.sha1_of(b"before")])

    def test_a_merge_that_ends_well_replaces(self):
        name = corpus_dir.sha1_of(b"after")
        self.assertIsNone(self.merge(0, (name, b"after")))
        self.assertEqual(os.listdir(self.dir), ["c"])
        self.assertEqual(os.listdir(self.path("c")), [name])

    def test_options_become_flags(self):
        path = self.write(b"[libfuzzer]\nmax_len = 516\ntimeout=10\n", "o")
        self.assertEqual(corpus_dir.libfuzzer_flags(path),
                         ["-max_len=516", "-timeout=10"])

    def test_a_command_that_takes_too_long_ends_with_its_children(self):
        begin = time.monotonic()
        status, output = corpus_dir.run_quietly(
            ["sh", "-c", "echo begun; sleep 60 & wait"], 0.3)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertIsNone(status)
        self.assertEqual(output, "begun\n")


class Pack(InDirectory):
    def pack(self, *argv):
        with open(os.devnull, "w", encoding="ascii") as null:
            kept, sys.stderr = sys.stderr, null
            try:
                return pack.main(list(argv))
            finally:
                sys.stderr = kept

    def test_dictionary_lines(self):
        good = self.write(b'# c\n\nkw1="kmap"\n"\\x00a\\\\"\nk@2="x"\n', "good")
        self.assertEqual(self.pack("dict", self.path("out"), good), 0)
        for bad in (b"kmap\n", b'"a\n', b'k="\\x0"\n', b'k=""\n', b'"\xff"\n'):
            path = self.write(bad, "bad")
            self.assertEqual(self.pack("dict", self.path("out"), path), 1, bad)

    def test_corpus(self):
        seed = self.write(b"bytes", "a.bin")
        self.assertEqual(self.pack("corpus", self.path("o"), "hmt", seed), 0)
        self.assertEqual(os.listdir(self.path("o")), ["a.bin"])
        self.assertEqual(self.pack("corpus", self.path("o"), "hmt", seed), 1)
        self.assertEqual(self.pack("corpus", self.path("e"), "hmt"), 0)
        self.assertEqual(os.listdir(self.path("e")), ["empty"])

    def test_oss_fuzz_archive(self):
        for name in ("bin", "opt", "dict"):
            self.write(name.encode(), name)
        self.write(b"seed", "seeds", "s")
        args = [self.path("bin"), "--corpus=" + self.path("seeds"),
                "--options=" + self.path("opt"), "--dict=" + self.path("dict")]
        for out in ("1.tar", "2.tar"):
            self.assertEqual(
                self.pack("oss_fuzz", self.path(out), "t", *args), 0)
        self.assertEqual(corpus_dir.read(self.path("1.tar")),
                         corpus_dir.read(self.path("2.tar")))
        with tarfile.open(self.path("1.tar")) as archive:
            self.assertEqual(archive.getnames(), [
                "t", "t_seed_corpus.zip", "t.dict", "t.options"])
            self.assertTrue(archive.getmember("t").mode & stat.S_IXUSR)
        self.assertEqual(
            self.pack("oss_fuzz", self.path("3.tar"), "a.b", *args), 1)
