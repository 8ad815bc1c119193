# SPDX-License-Identifier: MIT
"""An output directory from somebody who means harm.

A cache of CI, a corpus from a mail: what is read there can name no file
outside it, run nothing, and put no markup into a report or a terminal.
"""

import json
import os
import re

import corpus_dir

from . import kept, place, report, results
from .in_directory import InDirectory
from .report_test import CRASH, recorded
from .whole_command import TARGET, WholeCommand
from .words import one_line

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31m\r\x08\x9b1mA\u202eB\u2028C"
FAKE = "a\nreplay: rm -rf ~\nCRASH in x"
NASTY = MARKUP + ESCAPES + FAKE + "\0" + "'\"&;$(touch owned)`touch owned`"

# What a terminal obeys, and what makes one line look like two.
STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]")


class Words(InDirectory):
    def test_one_line_is_one_and_harmless(self):
        for text in (NASTY, "a\tb", "\udc80", "\u2066x"):
            said = one_line(text)
            self.assertIsNone(STEERS.search(said), said)
            self.assertEqual(len(said.splitlines()), 1)
        self.assertEqual(one_line("slot 1 läuft"), "slot 1 läuft")
        self.assertLess(len(one_line("x" * 10**6)), 500)


class Files(InDirectory):
    """Links, pipes and directories where files should be."""

    def test_no_link_is_written_through(self):
        secret = self.write(b"secret", "secret")
        for name in ("a.part", "b.part"):
            os.symlink(secret, self.path(name))
        place.write_atomic(self.path("a"), "new")
        place.copy_atomic(self.write(b"x", "x"), self.path("b"))
        self.assertEqual(corpus_dir.read(secret), b"secret")

    def test_no_link_is_read_through(self):
        secret = self.write(b'{"title": "secret"}', "secret")
        os.makedirs(self.path("crash"))
        os.symlink(secret, self.path("crash", "crash.json"))
        os.symlink(secret, self.path("crash", "crash.bin"))
        said, wrong = kept.read(self.path("crash"))
        self.assertNotIn("secret", said["title"])
        self.assertTrue(wrong)
        self.assertIsNone(kept.input_of(self.path("crash")))

    def test_a_pipe_is_not_waited_for(self):
        os.mkfifo(self.path("run.json"))
        os.mkfifo(self.path("history.jsonl"))
        os.mkfifo(self.path("crash.json"))
        self.assertIsNone(results.read_run(self.dir))
        self.assertEqual(results.read_history(self.dir), {})
        self.assertTrue(kept.read(self.dir)[1])
        self.assertEqual(corpus_dir.fault(self.path("run.json")),
                         "not a file")


class Json(InDirectory):
    def test_a_run_that_is_not_ours_is_none(self):
        def changed(key, value, where="run"):
            run = recorded(crashes=[dict(CRASH)])
            part = {"run": run, "record": run["targets"]["t"],
                    "crash": run["targets"]["t"]["crashes"][0]}[where]
            part[key] = value
            return json.dumps(run)
        bad = ["[" * 200000, "9" * 10000, "null", "[]", "{}", "\0",
               changed("elapsed", "1e3"), changed("elapsed", 1e400),
               changed("elapsed", float("nan")), changed("seed", 1 << 64),
               changed("seed", -1), changed("status", MARKUP),
               changed("targets", {"../../etc": recorded()["targets"]["t"]}),
               changed("targets", {NASTY: recorded()["targets"]["t"]}),
               changed("label", "//a:b; touch owned", "record"),
               changed("cov", True, "record"),
               changed("seeds", ["1"], "record"),
               changed("home", "../../etc", "crash"),
               changed("home", "crashes/..", "crash"),
               changed("home", "/etc", "crash"),
               changed("home", "crashes/$(touch owned)", "crash"),
               changed("replays", "../../../etc/passwd", "crash"),
               changed("label", "//fuzz:t --config=x", "crash"),
               changed("target", "../t", "crash"),
               changed("status", "splendid", "crash")]
        for number, text in enumerate(bad):
            self.write(text.encode(), "run.json")
            self.assertIsNone(results.read_run(self.dir), (number, text[:50]))
        self.write(changed("seed", 1).encode(), "run.json")
        self.assertIsNotNone(results.read_run(self.dir))

    def test_samples_that_are_not_ours_are_left_out(self):
        good = {"t": 1, "target": "t", "execs": 1, "cov": 1, "ft": 1,
                "corpus": 1}
        lines = [json.dumps(dict(good, **bad)) for bad in (
            {"t": "1"}, {"t": 1e400}, {"cov": -1}, {"execs": 1 << 70},
            {"target": []}, {"ft": None})]
        lines += ["[" * 200000, "{", "9" * 9999, json.dumps(good)]
        self.write("\n".join(lines).encode(), "history.jsonl")
        self.assertEqual(results.read_history(self.dir), {"t": [good]})

    def test_words_in_a_report_are_words(self):
        run = recorded(
            crashes=[dict(CRASH, title=NASTY, program=NASTY, found=NASTY)],
            failure=NASTY, fuzzer=NASTY)
        run.update(started=NASTY, machine=NASTY, trouble=NASTY)
        self.write(json.dumps(run).encode(), "run.json")
        samples = [{"t": t, "target": "t", "execs": 9**t, "cov": t, "ft": t,
                    "corpus": 1, "runs": MARKUP} for t in range(9)]
        self.write("\n".join(map(json.dumps, samples)).encode(),
                   "history.jsonl")
        text, page = (corpus_dir.read(path).decode()
                      for path in report.write(self.dir, []))
        screen = report.summary(results.read_run(self.dir), "/out")
        for said in (text, page, screen):
            self.assertIsNone(STEERS.search(said), said)
        replays = re.findall("^replay: .*$", text + screen, re.M)
        self.assertEqual(len([line for line in replays if "rm -rf" in line]),
                         0, replays)
        self.assertEqual(re.findall("<script|<img|onerror=[^a]", page), [])
        tags = {tag.lower() for tag in re.findall("<([a-zA-Z0-9]+)", page)}
        self.assertLessEqual(tags, {
            "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3",
            "p", "pre", "ul", "li", "table", "thead", "tbody", "tr", "th",
            "td", "div", "svg", "path", "rect", "text"})


class Command(WholeCommand):
    def test_links_in_the_way_are_refused(self):
        """Else a corpus would be tidied, and its files renamed, elsewhere."""
        for name in ("corpus", "crashes", "aside", "work", "seeds", "held",
                     "fixed", "corpus.next"):
            with self.subTest(name=name):
                self.setUp()
                self.write(b"mine", "elsewhere", "my file")
                os.makedirs(self.home())
                os.symlink(self.path("elsewhere"), self.home(name))
                status, _, err = self.fuzz()
                self.assertEqual(status, 1)
                self.assertRegex(err, f"{name} is a symbolic link to .*"
                                 "remove it")
                self.assertEqual(os.listdir(self.path("elsewhere")),
                                 ["my file"])

    def test_targets_and_locks_that_are_links(self):
        for name in (TARGET, "lock", "runs", "hmt"):
            with self.subTest(name=name):
                self.setUp()
                os.makedirs(self.path("elsewhere"))
                os.makedirs(self.out)
                os.symlink(self.path("elsewhere"),
                           os.path.join(self.out, name))
                status, _, err = self.fuzz()
                self.assertEqual((status, err.count("\n")), (1, 1), err)
                self.assertEqual(os.listdir(self.path("elsewhere")), [])

    def test_names_of_all_kinds(self):
        """One run over everything at once: it ends well and in order."""
        self.fuzz(CRASHES="yes")
        for name in (FAKE, "\x1b[31m", MARKUP.replace("/", ""), "-rf", "..a",
                     "$(touch owned)", "a b", "\udcff"):
            self.write(b"", self.home("corpus"), name)
            self.write(b"boom", self.home("crashes"), name, "crash.bin")
            self.write(b"boom", self.home("held"), name, "x")
        os.makedirs(self.path("elsewhere", "crash"))
        os.symlink(self.path("elsewhere"), self.home("crashes", "link"))
        os.symlink(self.path("elsewhere"), self.home("held", "link"))
        status, out, err = self.fuzz(CRASHES="yes")
        # It does not fuzz, but the crash of the first run is still there.
        self.assertEqual((status, err.count("\n")), (77, 1), out)
        self.assertIn("held/link is a symbolic link", err)
        self.assertIn("has the name of no crash", out)
        self.assertIsNone(STEERS.search(out))
        self.assertEqual(len(re.findall("^replay: ", out, re.M)), 1, out)
        os.unlink(self.home("held", "link"))
        status, out, err = self.fuzz(CRASHES="yes")
        self.assertEqual((status, err), (77, ""), out)
        self.assertIsNone(STEERS.search(out))
        for line in re.findall("^replay: .*", out, re.M):
            self.assertRegex(line, r"^replay: bazel run //\S+ -- "
                             r"(run |--reproduce=)/\S+$")
        self.assertEqual(os.listdir(self.path("elsewhere")), ["crash"])
        self.assertFalse(os.path.exists(self.path("owned")))

    def test_a_corpus_with_everything_in_it(self):
        os.makedirs(self.home("corpus", "directory"))
        os.mkfifo(self.home("corpus", "pipe"))
        os.symlink("/etc/passwd", self.home("corpus", "link"))
        self.write(bytes(corpus_dir.LARGEST + 1), self.home("corpus"), "large")
        status, out, err = self.fuzz()
        self.assertEqual((status, err), (0, ""))
        self.assertIn("moved 4 files from", out)
        self.assertEqual(self.inputs(), [b"good", b"more"])
