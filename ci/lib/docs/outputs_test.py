# SPDX-License-Identifier: MIT
"""Runs the commands that the documents show, and compares what they print.

usage: outputs_test.py LABEL[@CORE]='PROGRAM ARGUMENTS'...

What an output says of itself stands in blocks.py. Where numbers may vary a
`--time` is cut to some seconds: the words stay the same. Files below /tmp
are below a folder of our own instead.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

from . import blocks, match

PROGRAMS = {}

# A reader's shell knows nothing of Bazel's tests.
OUR_ENVIRONMENT = {name: value for name, value in os.environ.items()
                   if not name.startswith("TEST_")}
HMT = "//stress/hmt:hmt"
EXPLORE = "//stress/explore:explore"
SHORTER = "4s"

# Answers what ci/fuzz asks of Bazel: all is built, and stands in one folder.
BAZEL = """#!/bin/sh
case "$1 $2" in
"query attr("*) printf '%s\\n' $TARGETS ;;
query*) for t in $TARGETS; do printf '%s\\n' $t ${{t}}_bin ${{t}}_dict; done ;;
"info bazel-bin") echo "{folder}" ;;
esac
"""


def label_of(words):
    """//a:b of a `bazel run ... //a:b -- ...`, and what stands behind it."""
    at = next(i for i, word in enumerate(words) if word.startswith("//"))
    rest = words[at + 1:]
    if rest[:1] == ["--"]:
        rest = rest[1:]
    elif words[1] == "test":
        rest = []
    return words[at], rest


class Shell:
    """What a reader's shell is to the document: a folder, and commands."""

    def __init__(self, folder):
        self.folder = folder
        self.top = os.getcwd()

    def inside(self, word):
        return re.sub(r"(?<![\w.])/tmp(?=/|$)", self.folder + "/tmp", word)

    def write(self, name, text):
        path = os.path.join(self.folder, self.inside(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def program(self, label, core):
        name = label + ("@" + core if core else "")
        if name not in PROGRAMS and label in PROGRAMS:
            name = label
        if name not in PROGRAMS:
            raise blocks.Wrong(f"{name} is shown in a document; give it to "
                               "outputs_test (ci/lib/docs/BUILD)")
        return [os.path.join(self.top, word) if os.path.exists(word) else word
                for word in PROGRAMS[name].split()]

    def fuzz_environment(self, core):
        """Where ci/fuzz finds what it would have had built."""
        built = os.path.join(self.folder, "built")
        shutil.rmtree(built, ignore_errors=True)
        suffixes = ("_bin", "_corpus", ".options", ".dict")
        targets = []
        for name, path in PROGRAMS.items():
            label, _, with_core = name.partition("@")
            if not label.startswith("//fuzz:") or with_core != (core or ""):
                continue
            targets.append(label)
            for suffix in suffixes:
                self.link(built, label + suffix, self.part(path, suffix))
        self.link(built, HMT, self.program(HMT, core)[0])
        bazel = os.path.join(self.folder, "bazel")
        with open(bazel, "w", encoding="utf-8") as file:
            file.write(BAZEL.format(folder=built))
        os.chmod(bazel, stat.S_IRWXU)
        return {"BAZEL": bazel, "TARGETS": " ".join(targets),
                "PYTHONPATH": ":".join(os.path.join(self.top, folder) for
                                       folder in ("ci/lib", "fuzz/engine"))}

    def part(self, binary, suffix):
        """A file beside a target's binary; the mutants have no dictionary."""
        path = binary[:-len("_bin")] + suffix
        if not os.path.exists(os.path.join(self.top, path)):
            path = PROGRAMS["//fuzz:kmap_fuzz_test"][:-len("_bin")] + suffix
        return path

    def link(self, built, label, path):
        place = os.path.join(built, *label[2:].split(":"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(os.path.realpath(os.path.join(self.top, path)), place)

    def arguments(self, words, core):
        """(program and arguments, environment) of one line."""
        if words[0] == "ci/fuzz":
            return (["/usr/bin/python3", "-B", "-m", "fuzz", *words[1:]],
                    self.fuzz_environment(core))
        if words[0] == "bazel":
            label, rest = label_of(words)
        else:
            label, rest = {"hmt": HMT, "explore": EXPLORE}[words[0]], words[1:]
        return [*self.program(label, core), *rest], {}

    def run(self, words, core, shorter):
        """What the command prints, in both streams."""
        command, more = self.arguments(words, core)
        if shorter:
            command = [re.sub(r"^(--time=)?\d+[smh]$",
                              lambda m: (m[1] or "") + SHORTER, word)
                       for word in command]
        done = subprocess.run(
            [self.inside(word) if i else word
             for i, word in enumerate(command)],
            cwd=self.folder, stdin=subprocess.DEVNULL, encoding="utf-8",
            errors="replace", stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False,
            env={**OUR_ENVIRONMENT, "HOME": self.folder, **more})
        printed = done.stdout.replace(self.folder + "/tmp", "/tmp")
        return self.under_its_own_name(printed, words, core)

    def under_its_own_name(self, printed, words, core):
        """A mutant's program says in its replay line how it is called."""
        if not core or words[0] != "bazel":
            return printed
        label = label_of(words)[0]
        folder, _, name = PROGRAMS[label + "@" + core].rpartition("/")
        return printed.replace(f"//{folder}:{name}", label)


class Outputs(unittest.TestCase):
    def check(self, shell, block, before):
        core = block.options.get("core")
        vary = block.mode != "exact"
        for words, expected in blocks.runs(block):
            if words[0] == "cat":
                shell.write(words[1], "\n".join(expected) + "\n")
                continue
            if "program above" in block.options:
                shell.write(words[-1], blocks.program_in(before.lines))
            printed = shell.run(words, core, vary)
            wrong = match.difference(expected, printed, block.mode)
            if wrong:
                self.fail(f"{block.where}: {' '.join(words)}\n{wrong}")

    def check_program(self, shell, block):
        shell.write("program.hmt", "\n".join(block.lines) + "\n")
        self.assertEqual(
            shell.run(["hmt", "check", "program.hmt"], None, False), "",
            block.where)


def documents():
    for folder, folders, files in os.walk("."):
        folders[:] = [f for f in folders if f != "external"]
        for name in sorted(files):
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, name))


def add_tests(path):
    """One test for each output; those of one document share a folder."""
    with open(path, encoding="utf-8") as file:
        found = blocks.read(path, file.read())
    folder = tempfile.mkdtemp()
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    shell, before = Shell(folder), None
    for block in found:
        name = f"test_{re.sub(chr(92) + 'W', '_', path)}_{block.line:04}"
        if block.kind == "output":
            setattr(Outputs, name, lambda self, s=shell, b=block, p=before:
                    self.check(s, b, p))
        elif block.kind == "program":
            setattr(Outputs, name, lambda self, s=shell, b=block:
                    self.check_program(s, b))
        before = block


def main():
    for argument in sys.argv[1:]:
        label, _, path = argument.partition("=")
        PROGRAMS[label] = path
    for path in documents():
        add_tests(path)
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
