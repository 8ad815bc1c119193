# SPDX-License-Identifier: MIT
"""Every command: --help, --version, and one sentence on whatever is wrong.

usage: commands_test.py 'NAME|PROGRAM|ARGUMENTS IT NEEDS'...

The options of a command are those that its --help has, so a new one is tested
when it comes. Each line must be refused before anything is done: nothing is
printed but the sentence, and nothing is written.
"""

import concurrent.futures
import functools
import os
import re
import subprocess
import sys
import tempfile
import unittest

COMMANDS = []

TOP = os.getcwd()
SECONDS = 60

# As the commands print them, in C and with argparse:
#	  -o, --out=PATH     where
#	  --smp N            CPUs
OPTION = re.compile(r"^  (?:-\w(?:[ =]\S+)?, )?(--[\w-]+)"
                    r"(\[?[ =](?! )(?P<value>\S+))?(?=  |$| \[)")
VERB = re.compile(r"^    ([a-z]+)(?=  |$)")

NUMBERS = ["1x", "-1", "9" * 30]
TIMES = ["nan", "-3s"]

# One of these is good for any option.
GOOD = ["2", "10s", "x", "kmap", "irq", "1G", "16", "random", "table"]

VERSION = re.compile(r"(\S+) \(highmem\) \d+\.\d+\.\d+, choices v\d+"
                     r"(, commit [0-9a-f]{12}( and changes)?)?\n")

# For ci/setup: all is there, and nothing will be installed.
INSTALLED = "#!/bin/sh\necho installed\n"


class Option:
    """What --help says of one."""

    def __init__(self, match, text):
        self.name = match.group(1)
        self.value = match.group("value")
        self.may_lack = bool(self.value) and self.value.endswith("]")
        self.often = bool(re.search("repeated|several\\s+times", text))

    def wrong(self):
        """Values that it must not take."""
        value = (self.value or "").rstrip("]")
        if value.startswith("{") or value == "WORD":
            return ["", "no-such-word"]
        return [""] + {"N": NUMBERS, "SECONDS": NUMBERS,
                       "TIME": TIMES}.get(value, [])

    def good(self):
        """Values of which it takes one."""
        if self.value and self.value.startswith("{"):
            return self.value.strip("{}").split(",")[:1]
        return GOOD


def options(text):
    """Those that a --help has, but for itself and --version."""
    found, lines = [], text.splitlines()
    for number, line in enumerate(lines):
        match = OPTION.match(line)
        if match and match.group(1) not in ("--help", "--version"):
            found.append(Option(match, " ".join(lines[number:number + 3])))
    return found


class Command:
    def __init__(self, words):
        self.name, program, needs = words.split("|")
        path = os.path.abspath(program)
        self.start = (["/usr/bin/python3", "-B"] if path.endswith(".py")
                      else []) + [path]
        self.needs = needs.split()
        with open(path, "rb") as file:
            self.is_fast = file.read(4) == b"\x7fELF"

    def run(self, *arguments):
        return subprocess.run([*self.start, *arguments], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, timeout=SECONDS)

    @functools.lru_cache(maxsize=None)
    def help(self, *verb):
        """Its text."""
        return self.run(*verb, "--help").stdout

    def verbs(self):
        """Those with options of their own; [] is the command alone."""
        text = self.help()
        found = [[m.group(1)] for m in map(VERB.match, text.splitlines())
                 if m] if "VERB" in text else []
        return found or [[]]


class Commands(unittest.TestCase):
    """Each method goes through all commands."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        fakes = os.path.join(folder.name, "bin")
        cls.work = os.path.join(folder.name, "work")
        os.makedirs(fakes)
        os.makedirs(cls.work)
        for name in ("dpkg-query", "apt-get"):
            with open(os.path.join(fakes, name), "w", encoding="ascii") as file:
                file.write(INSTALLED)
            os.chmod(file.name, 0o755)
        os.environ["PATH"] = fakes + ":" + os.environ["PATH"]
        for name in ("BUILD_WORKING_DIRECTORY", "BUILD_WORKSPACE_DIRECTORY"):
            os.environ.pop(name, None)
        os.chdir(cls.work)

    @classmethod
    def tearDownClass(cls):
        os.chdir(TOP)

    def all(self, look):
        """look(command) of each, some at a time; complaints."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [c for found in pool.map(look, COMMANDS) for c in found]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))
        self.assertEqual(os.listdir(self.work), [])

    def test_help(self):
        def look(command):
            for verb in command.verbs():
                run = command.run(*verb, "--help")
                if run.returncode or run.stderr or not re.search(
                        "^usage: ", run.stdout, re.M) or (
                            "--version" not in run.stdout):
                    yield f"{command.name} {verb} --help: {run}"
        self.all(look)

    def test_version(self):
        def look(command):
            run = command.run("--version")
            match = VERSION.fullmatch(run.stdout)
            if run.returncode or run.stderr or not match:
                yield f"{command.name} --version: {run}"
        self.all(look)

    def refused(self, command, *words, says):
        """Complaints about what a wrong line gets for an answer."""
        run = command.run(*words)
        bad = [why for why, is_so in (
            (f"ends with {run.returncode}", run.returncode != 1),
            ("prints", run.stdout),
            ("not one sentence", run.stderr.count("\n") != 1),
            ("not its name", not run.stderr.startswith(command.name)),
            ("no --help", not run.stderr.endswith("--help\n")),
            (f"does not say {says!r}", says not in run.stderr)) if is_so]
        if bad:
            yield f"{command.name} {words}: {', '.join(bad)}: {run}"

    def each_option(self, look):
        """look(command, verb, option) of all."""
        def of_command(command):
            for verb in command.verbs():
                text = command.help(*verb)
                for option in options(text):
                    yield from look(command, verb + command.needs, option)
        self.all(of_command)

    def test_there_are_options(self):
        """A --help that this test cannot read would be a test of nothing."""
        found = [len(options(command.help(*verb)))
                 for command in COMMANDS for verb in command.verbs()]
        self.assertGreater(sum(found), 120)

    def test_bad_values(self):
        def look(command, words, option):
            if not option.value:
                yield from self.refused(command, *words, option.name + "=1",
                                        says=option.name)
                return
            # python_test has the other values; C has 64 bits to go wrong in.
            for value in option.wrong()[:None if command.is_fast else 2]:
                yield from self.refused(
                    command, *without(words, option), f"{option.name}={value}",
                    says=option.name + ": expected ")
            if not option.may_lack:
                yield from self.refused(
                    command, *without(words, option), option.name,
                    says=option.name + ": expected ")
        self.each_option(look)

    def test_twice(self):
        def look(command, words, option):
            if option.often:
                return
            words = without(words, option)
            for value in option.good():
                word = option.name + "=" + value if option.value else (
                    option.name)
                wrong = list(self.refused(command, *words, word, word,
                                          says=option.name + " comes twice"))
                if not wrong:
                    return
            yield from wrong
        self.each_option(look)

    def test_the_nearest_is_named(self):
        def look(command):
            for verb in command.verbs():
                text = command.help(*verb)
                names = [option.name for option in options(text)]
                for name in names if command.is_fast else names[:1]:
                    if len(name) > 5:
                        yield from self.refused(
                            command, *verb, *command.needs, name + "e",
                            says="did you mean --")
        self.all(look)

    def test_no_such_option(self):
        def look(command):
            for word in ("--no-such-option", "--qqq=\x1b[1m\n", "--frobnicate=1"):
                for verb in command.verbs():
                    yield from self.refused(
                        command, *verb, *command.needs, word,
                        says="there is no option " + word.split("=")[0])
        self.all(look)


def without(words, option):
    """The needed arguments but for this option."""
    if option.name not in words:
        return words
    at = words.index(option.name)
    return words[:at] + words[at + 2:]


if __name__ == "__main__":
    COMMANDS += [Command(words) for words in sys.argv[1:]]
    del sys.argv[1:]
    unittest.main(verbosity=2)
