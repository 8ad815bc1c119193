#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Recipes parse, and name only what there is.

Each file is read as its program would read it; each command of ours in it must
exist, and its --help must name the flags that it is given. git bisects a history of
eight commits with a bazel that is a fake.

Runs in the root of the tree, or of a test's runfiles.
"""

import configparser
import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

RECIPES = Path("ci/recipes")
DOCUMENT = Path("docs/recipes.md")
OURS = re.compile(r"\bci/(?:test|fuzz|coverage|setup|lint)\b")

# The state of a commit is what its file `core` says.
FAKE_BAZEL = """#!/bin/sh
case $1 in
build) ! grep -q unbuildable core ;;
run) exit "$(cat core)" ;;
esac
"""
HISTORY = ["0", "unbuildable", "0", "1", "0", "70", "77", "77"]
FIRST_BAD = 5


def strings(words):
    """All strings in what YAML says."""
    if isinstance(words, str):
        yield words
    elif isinstance(words, dict):
        for value in words.values():
            yield from strings(value)
    elif isinstance(words, list):
        for value in words:
            yield from strings(value)


def commands(text):
    """Our commands in a piece of shell: [[word, ...]]"""
    for part in re.split(r"&&|\|\||;|\n", text):
        words = shlex.split(part, comments=True)
        for i, word in enumerate(words):
            if OURS.search(word):
                yield [OURS.search(word)[0], *words[i + 1:]]
                break


def in_file(path):
    """Our commands in a recipe, whatever it is written in."""
    text = path.read_text()
    if path.suffix == ".yml":
        for word in strings(yaml.safe_load(text)):
            if OURS.match(word):
                yield from commands(word)
    elif path.suffix == ".service":
        for line in text.splitlines():
            if line.startswith("Exec"):
                yield from commands(line.split("=", 1)[1])
    elif path.suffix == ".cron":
        for line in text.splitlines():
            if re.match(r"[\d*]", line):
                yield from commands(line.split(None, 5)[5])


def git(home, *words):
    return subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e", *words], cwd=home,
        check=True, capture_output=True, text=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null",
             "BAZEL": str(home / ".git/bazel")}).stdout.strip()


class RecipesTest(unittest.TestCase):
    """Each file, and the document."""

    def test_the_document_names_each_file(self):
        files = {p.name for p in RECIPES.iterdir()
                 if p.name != "BUILD" and p.stem != "recipes_test"}
        named = set(re.findall(r"ci/recipes/([\w.-]+)", DOCUMENT.read_text()))
        self.assertEqual(files, named)

    def test_our_commands_take_their_flags(self):
        found = 0
        for path in sorted(RECIPES.iterdir()):
            for command, *words in in_file(path):
                found += 1
                with self.subTest(path=path.name, command=command):
                    help_text = subprocess.run(
                        [command, "--help"], check=True, text=True,
                        capture_output=True, stdin=subprocess.DEVNULL).stdout
                    for word in words:
                        if word.startswith("--"):
                            self.assertRegex(
                                help_text, rf"(?<![\w-]){word}(?![\w-])")
        self.assertGreater(found, 10)

    def test_github(self):
        words = yaml.safe_load((RECIPES / "github.yml").read_text())
        self.assertIn("schedule", words[True])  # YAML reads `on` so
        for name, job in words["jobs"].items():
            with self.subTest(name):
                self.assertIn("runs-on", job)
                for step in job["steps"]:
                    self.assertEqual(len({"run", "uses"} & step.keys()), 1)
        caches = [step["with"]["path"] for job in words["jobs"].values()
                  for step in job["steps"]
                  if step.get("uses", "").startswith("actions/cache")]
        self.assertIn("out/fuzz", caches)

    def test_gitlab(self):
        words = yaml.safe_load((RECIPES / "gitlab.yml").read_text())
        for name in ["test", "fuzz"]:
            self.assertTrue(all(isinstance(line, str)
                                for line in words[name]["script"]))
        self.assertEqual(words["fuzz"]["cache"]["paths"], ["out/fuzz"])
        self.assertEqual(words["test"]["artifacts"]["reports"]["junit"],
                         "out/junit/TEST-*.xml")

    def test_oss_fuzz(self):
        words = yaml.safe_load(Path("ci/oss-fuzz/project.yaml").read_text())
        for key in ["homepage", "main_repo", "primary_contact"]:
            self.assertIn(key, words)
        self.assertEqual(words["language"], "c")
        # What ci/oss-fuzz/BUILD builds with.
        self.assertEqual(words["sanitizers"],
                         ["address", "memory", "undefined"])
        self.assertEqual(words["architectures"], ["x86_64", "i386"])
        lite = yaml.safe_load(
            Path(".clusterfuzzlite/project.yaml").read_text())
        self.assertEqual(lite["language"], "c")

    def test_systemd(self):
        for name, section in [("highmem-fuzz.service", "Service"),
                              ("highmem-fuzz.timer", "Timer")]:
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            parser.optionxform = str
            parser.read(RECIPES / name)
            self.assertIn(section, parser)
            self.assertIn("Description", parser["Unit"])
        self.assertEqual(parser["Install"]["WantedBy"], "timers.target")

    def test_bisect(self):
        with tempfile.TemporaryDirectory(prefix="highmem-bisect-") as scratch:
            home = Path(scratch)
            git(home, "init", "-q")
            (home / ".git/bazel").write_text(FAKE_BAZEL)
            (home / ".git/bazel").chmod(0o755)
            (home / ".git/a.hmt").write_text("")
            for number, state in enumerate(HISTORY):
                (home / "core").write_text(f"{state}\n")
                (home / "number").write_text(f"{number}\n")
                git(home, "add", "core", "number")
                git(home, "commit", "-q", "-m", f"commit {number}")
            git(home, "bisect", "start", "HEAD", f"HEAD~{len(HISTORY) - 1}")
            script = os.path.abspath(RECIPES / "bisect.sh")
            said = git(home, "bisect", "run", script,
                       str(home / ".git/a.hmt"))
            self.assertRegex(said, r"\w+ is the first bad commit")
            log = git(home, "bisect", "log")
            self.assertRegex(
                log, rf"# first bad commit: \[\w+\] commit {FIRST_BAD}\n?")

    def test_bisect_without_a_program(self):
        for words in [[], ["/nowhere.hmt"]]:
            done = subprocess.run(
                [RECIPES / "bisect.sh", *words], check=False,
                capture_output=True)
            self.assertEqual(done.returncode, 128)


if __name__ == "__main__":
    unittest.main(verbosity=2)
