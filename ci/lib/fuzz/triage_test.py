# SPDX-License-Identifier: MIT
"""Which bug a crash is, and what is kept of it."""

import os
import shutil
import threading
import time
import unittest
import unittest.mock

import corpus_dir

from . import crashes, signature
from .in_directory import InDirectory
from .targets import Target

ASAN = """\
=================================================================
==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x5020 at pc 0x1
READ of size 1 at 0x502000000014 thread T0
    #0 0x55d1 in slot_find core/lib/pkmap.c:{line}:9
    #1 0x55d2 in kmap_high core/lib/pkmap.c:200:3
    #2 0x55d3 in LLVMFuzzerTestOneInput fuzz/kmap_fuzz_test.c:20:2
    #3 0x55d4 in fuzzer::Fuzzer::ExecuteCallback() (/bin/x+0x1)

0x502000000014 is located 0 bytes after 4-byte region
    #0 0x55d5 in malloc (/bin/x+0x2)
""".splitlines
UBSAN = "core/lib/pkmap.c:{}:{}: runtime error: index {} out of bounds"
ABORT = ["==7== ERROR: libFuzzer: deadly signal",
         "    #0 0x1 in __sanitizer_print_stack_trace (/bin/x+0x1)",
         "    #1 0x2 in abort stdlib/abort.c:79:7",
         "    #2 0x3 in oracle_fail stress/oracle/oracle.c:12:3"]

# Behaves like a fuzz target on one input, as far as triage can tell.
FUZZER = r"""#!/bin/sh
for last; do :; done
for arg; do
	case $arg in
	-exact_artifact_path=*) printf 'boom' > "${arg#*=}"; exit 0 ;;
	esac
done
case $(cat "$last") in
boom*) echo "highmem: BUG: slot $(wc -c < "$last") lost" >&2
       echo "==1== ERROR: libFuzzer: deadly signal" >&2
       exit 77 ;;
esac
"""
HMT = r"""#!/bin/sh
case $1 in
print) [ "$2" = --bytes ] || exit 1
	echo "hmt: a note" >&2
	echo "machine cpus=1"; echo "# $(cat "$3")" ;;
run) exit 77 ;;
check) exit 0 ;;
esac
"""


class Signatures(unittest.TestCase):
    def key(self, *log):
        return signature.signature(list(log)).key

    def test_one_sentence_with_other_numbers_is_one_bug(self):
        say = "highmem: BUG: kunmap of page {} (pfn 0x{:x}): by task {}"
        self.assertEqual(self.key(say.format(1, 17, "A"), *ABORT),
                         self.key(say.format(9, 0xab, "B"), *ABORT))

    def test_tasks_and_pages_do_not_make_another_bug(self):
        say = "oracle: {} reads 0x{:x} at 0xff8, byte {} of {}, where 0x0 belongs"
        self.assertEqual(self.key(say.format("A", 1, 0, "p2"), *ABORT),
                         self.key(say.format("J", 2, 4092, "l0"), *ABORT))
        self.assertNotEqual(self.key("oracle: p0 moved", *ABORT),
                            self.key("oracle: slot 0 moved", *ABORT))

    def test_two_sentences_are_two_bugs(self):
        self.assertNotEqual(self.key("BUG: slot 1 lost", *ABORT),
                            self.key("BUG: slot 1 taken twice", *ABORT))

    def test_what_the_target_normalised_itself_counts(self):
        """Whatever our own idea of the sentence, which old outputs need."""
        def said(kind, sentence):
            return [f"assertion failed: {kind}", f"oracle: {sentence}", *ABORT]
        here = said("task reads # at #", "A reads 0xa6 at 0xff")
        self.assertEqual(self.key(*here),
                         self.key(*said("task reads # at #", "other words")))
        self.assertNotEqual(self.key(*here),
                            self.key(*said("lost wake-up", "A reads 0xa6 at "
                                           "0xff")))
        self.assertEqual(signature.signature(here).title,
                         "oracle: A reads 0xa6 at 0xff")
        self.assertEqual(signature.signature(here[:1] + ABORT).title,
                         "task reads # at #")

    def test_the_last_sentence_before_the_crash_counts(self):
        found = signature.signature(["highmem: BUG: an earlier input",
                                   "highmem: BUG: this one", *ABORT,
                                   "highmem: BUG: said while dying"])
        self.assertEqual(found.title, "highmem: BUG: this one")

    def test_asan_goes_by_the_stack_without_lines(self):
        here = [line.format(line=12) for line in ASAN()]
        there = [line.format(line=99) for line in ASAN()]
        other = [line.replace("slot_find", "slot_take") for line in here]
        self.assertEqual(self.key(*here), self.key(*there))
        self.assertNotEqual(self.key(*here), self.key(*other))
        self.assertEqual(
            signature.signature(here).title,
            "AddressSanitizer: heap-buffer-overflow in slot_find pkmap.c")

    def test_ubsan_goes_by_the_line(self):
        self.assertEqual(self.key(UBSAN.format(5, 1, 7)),
                         self.key(UBSAN.format(5, 1, 8)))
        self.assertNotEqual(self.key(UBSAN.format(5, 1, 7)),
                            self.key(UBSAN.format(6, 1, 7)))

    def test_a_death_without_a_word_goes_by_the_stack(self):
        found = signature.signature(ABORT)
        self.assertEqual(found.title,
                         "libFuzzer: deadly signal in oracle_fail oracle.c")

    def test_timeouts_are_one(self):
        self.assertEqual(
            self.key("==7== ERROR: libFuzzer: timeout after 10 seconds"),
            self.key("==8== ERROR: libFuzzer: timeout after 11 seconds"))


class Triage(InDirectory):
    """Book and Fuzzer with a shell script for a fuzzer."""

    def setUp(self):
        super().setUp()
        self.target = Target("//fuzz:t", "t", self.path("t"), [], None, "0")
        self.script(FUZZER, "t/fuzzer")
        self.hmt = self.script(HMT, "hmt")
        for name in ("corpus", "seeds"):
            os.makedirs(self.target.path(name))

    def book(self):
        book = crashes.Book(self.target, self.hmt, 5)
        book.load()
        return book

    def add(self, book, data):
        path = self.write(data, "t", "work", "0", "crash-1")
        return book.add(path, ["BUG: what the fuzzer said"], 7)

    def test_a_crash_is_kept_minimised_once(self):
        book = self.book()
        crash = self.add(book, b"boom and more")
        self.assertIsNone(self.add(book, b"boom again"))
        home = self.target.path(crash.home)
        self.assertEqual(corpus_dir.read(home + "/crash.bin"), b"boom")
        self.assertEqual(corpus_dir.read(home + "/original.bin"),
                         b"boom and more")
        self.assertEqual([c.count for c in book.of_this_run()], [2])
        self.assertEqual(crash.title, "highmem: BUG: slot 4 lost")
        block = crashes.block(crash, self.dir)
        self.assertEqual(block.count("replay: "), 1)
        self.assertIn(f"hmt -- run {home}/crash.hmt", block)
        self.assertIn("    machine cpus=1", block)

    def test_what_hmt_says_beside_a_program_is_not_in_it(self):
        home = self.target.path(self.add(self.book(), b"boom and more").home)
        self.assertEqual(corpus_dir.read(home + "/crash.hmt"),
                         b"machine cpus=1\n# boom\n")

    def test_known_in_the_next_run_and_then_fixed(self):
        self.add(self.book(), b"boom and more")
        book = self.book()
        self.assertEqual([c.status for c in book.of_this_run()], ["known"])
        self.assertIsNone(self.add(book, b"boom"))
        self.script("#!/bin/sh\n", "t/fuzzer")
        book = self.book()
        self.assertEqual([c.status for c in book.of_this_run()], ["fixed"])
        self.assertEqual(os.listdir(self.target.path("crashes")), [])
        self.assertEqual(
            sorted(corpus_dir.read(os.path.join(self.target.corpus, n))
                   for n in os.listdir(self.target.corpus)),
            [b"boom", b"boom and more"])

    def test_a_crashing_input_leaves_the_corpus_and_comes_back(self):
        unit = self.unit(b"boom unit", "t", "corpus")
        self.write(b"boom unit", "t", "seeds", "seed")
        book = self.book()
        self.add(book, b"boom")
        self.add(book, b"boom unit")
        self.assertFalse(os.path.exists(unit))
        self.assertEqual(os.listdir(self.target.seeds), [])
        self.script("#!/bin/sh\n", "t/fuzzer")
        self.book()
        self.assertTrue(os.path.exists(unit))

    def test_two_workers_crash_at_one_seed(self):
        """Each takes it away, and neither trips over the other."""
        self.unit(b"boom", "t", "corpus")
        self.write(b"boom", "t", "seeds", "seed")
        book, read, trouble = self.book(), corpus_dir.read, []

        def read_slowly(path):
            data = read(path)
            time.sleep(0.1)
            return data

        def worker():
            try:
                book._take_from_corpus(self.artifact, "key")
            except OSError as error:
                trouble.append(error)

        self.artifact = self.write(b"boom", "artifact")
        threads = [threading.Thread(target=worker) for _ in range(2)]
        with unittest.mock.patch.object(corpus_dir, "read", read_slowly):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(trouble, [])
        self.assertEqual(os.listdir(self.target.seeds), [])

    def test_a_crash_that_does_not_come_back_alone_is_said(self):
        crash = self.add(self.book(), b"harmless alone")
        self.assertFalse(crash.reproduces)
        self.assertIn("does not crash alone", crashes.block(crash))
        self.assertEqual([c.status for c in self.book().of_this_run()],
                         ["gone"])

    def test_a_target_that_tells_its_inputs_has_no_program(self):
        telling = FUZZER.replace("boom*) ", 'boom*) echo "input: $(cat '
                                 '"$last")" >&2\n')
        self.script(telling, "t/fuzzer")
        crash = self.add(self.book(), b"boom and more")
        home = self.target.path(crash.home)
        self.assertEqual(corpus_dir.read(home + "/crash.txt"), b"boom\n")
        self.assertFalse(os.path.exists(home + "/crash.hmt"))
        block = crashes.block(crash, self.dir)
        self.assertIn("\n    boom\n", block)
        self.assertIn(f"t_run -- --reproduce={home}/crash.txt", block)
        self.assertNotIn("machine cpus=1", block)

    def test_a_program_that_does_not_replay_is_not_named(self):
        self.script(HMT.replace("exit 77", "exit 0"), "hmt")
        crash = self.add(self.book(), b"boom")
        self.assertIn("//fuzz:t_run -- --reproduce=",
                      crashes.replay_line(crash, self.dir))

    def test_a_crash_of_another_version_is_not_called_fixed(self):
        name = os.path.basename(self.add(self.book(), b"boom and more").home)
        self.script("#!/bin/sh\n", "t/fuzzer")
        self.script(HMT.replace("check) exit 0", "check) exit 1"), "hmt")
        book = self.book()
        self.assertEqual(book.of_this_run(), [])
        self.assertEqual(os.listdir(self.target.path("aside")), [name])
        self.assertRegex(book.remarks[0], "does not take its crash.hmt: .*"
                         f"aside/{name} now")

    def test_without_an_input_it_is_moved_aside_with_a_word(self):
        self.write(b"{", "t", "crashes", "abc", "crash.json")
        book = self.book()
        self.assertEqual(book.of_this_run(), [])
        self.assertEqual(os.listdir(self.target.path("aside")), ["abc"])
        self.assertRegex(book.remarks[0], "abc cannot be tried again: no "
                         "input .*chmod")

    def test_what_json_lost_is_said_and_the_crash_tried(self):
        for damage in (b"", b"{", b"[]", b"[" * 100000, b'{"title": 7}',
                       b"9" * 10000, None):
            with self.subTest(damage=damage and damage[:9]):
                self.setUp()
                home = self.target.path(self.add(self.book(), b"boom").home)
                os.unlink(home + "/crash.json")
                if damage is not None:
                    self.write(damage, home, "crash.json")
                book = self.book()
                crash, = book.of_this_run()
                self.assertEqual((crash.status, crash.title),
                                 ("known", "highmem: BUG: slot 4 lost"))
                self.assertRegex(book.remarks[0], "crash.json cannot be used: "
                                 ".* tried again")
                self.assertEqual(self.book().remarks, [], "it is mended")

    def test_a_damaged_input_is_replaced_by_another(self):
        home = self.target.path(self.add(self.book(), b"boom").home)
        os.unlink(home + "/crash.bin")
        os.symlink("/etc/passwd", home + "/crash.bin")
        crash, = self.book().of_this_run()
        self.assertEqual((crash.status, crash.key),
                         ("known", os.path.basename(home)))
        os.unlink(home + "/original.bin")
        book = self.book()
        self.assertEqual(book.of_this_run(), [], "a text that is no crash")
        self.assertIn("crash.hmt does not crash", book.remarks[0])

    def test_two_crashes_stay_two_wherever_they_are(self):
        """A copy, moved: what it names is its own, and is there."""
        self.add(self.book(), b"boom and more")
        self.script(FUZZER.replace("boom*)", "bang*) echo 'BUG: another' >&2;"
                                   " exit 77;;\nboom*)")
                    .replace("printf 'boom'", "printf bang"), "t/fuzzer")
        self.add(self.book(), b"bang")
        moved = self.path("moved")
        shutil.copytree(self.target.home, moved)
        os.rename(self.target.home, self.path("gone"))
        before = list_all(self.path("gone"))
        self.target = self.target._replace(home=moved)
        found = self.book().of_this_run()
        self.assertEqual(sorted(c.title for c in found),
                         ["BUG: another", "highmem: BUG: slot 4 lost"])
        self.assertEqual({c.status for c in found}, {"known"})
        for crash in found:
            self.assertTrue(os.path.exists(
                self.target.path(crash.home, crash.replays)))
        self.script("#!/bin/sh\n", "moved/fuzzer")
        self.assertEqual({c.status for c in self.book().of_this_run()},
                         {"fixed"})
        self.assertEqual(list_all(self.path("gone")), before)

    def test_no_file_says_where_it_is(self):
        self.script(FUZZER.replace("exit 77 ;;",
                                   'echo "in $last of $0" >&2; exit 77 ;;'),
                    "t/fuzzer")
        book = self.book()
        path = self.write(b"boom", "t", "work", "0", "crash-1")
        book.add(path, ["BUG: it", f"written to {path}"], 7)
        for name in list_all(self.target.path("crashes")):
            self.assertNotIn(self.dir.encode(), corpus_dir.read(name), name)


def list_all(directory):
    return sorted(os.path.join(folder, name)
                  for folder, _, names in os.walk(directory)
                  for name in names)
