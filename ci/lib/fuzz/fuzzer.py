# SPDX-License-Identifier: MIT
"""A target's binary run on single inputs, and the hmt tool."""

import os
import stat
import subprocess

import corpus_dir

from . import runner
from .signature import signature
from .words import one_line

MINIMIZE_TRIES = 100000     # inputs without success that end the minimiser
REPLAY_SECONDS = 30         # an input that takes longer hangs
LONGEST_TEXT = 64 * 1024    # of a program

# A line of the input, as the target itself reads it.
_TOLD = "input: "


def is_input(path):
    """A file, not a link to one, of a size that an input can have."""
    try:
        info = os.lstat(path)
    except OSError:
        return False
    return (stat.S_ISREG(info.st_mode) and info.st_size <= corpus_dir.LARGEST
            and os.access(path, os.R_OK))


def as_lines(text):
    """A program or an input as it may stand on a terminal."""
    return "".join(one_line(line.expandtabs(), LONGEST_TEXT) + "\n"
                   for line in text[:LONGEST_TEXT].splitlines())


class Fuzzer:
    """Runs a target's binary on single inputs, and the hmt tool."""

    def __init__(self, target, hmt, stop=lambda: False):
        self.target = target
        self.stop = stop        # True: what takes long is given up
        self.hmt = hmt
        self.work = target.path("work", "triage")

    def run(self, flags, path, seconds=REPLAY_SECONDS, stop=lambda: False):
        os.makedirs(self.work, exist_ok=True)
        command = [self.target.fuzzer, *self.target.flags,
                   f"-artifact_prefix={self.work}/", *flags, path]
        return corpus_dir.run_quietly(runner.die_with_parent(command), seconds,
                                      stop=stop)

    def _hmt(self, *words):
        """Its exit status, and what it says but for sentences on stderr."""
        return corpus_dir.run_quietly([self.hmt, *words], REPLAY_SECONDS,
                                      errors=subprocess.DEVNULL)

    def crash_of(self, path):
        """The signature of the crash an input makes alone, if it does."""
        status, log = self.run([], path)
        if status == 0:
            return None
        return signature(log.splitlines())

    def minimize(self, path, same, seconds):
        """A smaller input of the same bug and what it says, or None."""
        smaller = os.path.join(self.work, "smaller")
        self.run(["-minimize_crash=1", f"-runs={MINIMIZE_TRIES}",
                  f"-exact_artifact_path={smaller}"], path, seconds,
                 self.stop)
        if not os.path.exists(smaller) or os.path.getsize(smaller) == 0:
            return None
        found = self.crash_of(smaller)
        return (smaller, found) if found and found.key == same.key else None

    def told(self, path):
        """What a target whose inputs are no op programs says of one: a text
        that is an input, too; or None."""
        _, log = self.run([], path)
        lines = [line[len(_TOLD):] for line in log.splitlines()
                 if line.startswith(_TOLD)]
        return "\n".join(lines) + "\n" if lines else None

    def program(self, path):
        status, text = self._hmt("print", "--bytes", path)
        return text if status == 0 else None

    def understands(self, program):
        """Not if its choices are of another version, or the text of another
        form: nobody can tell whether such a crash is still there."""
        return self._hmt("check", program)[0] == 0

    def replays(self, directory, otherwise="crash.bin"):
        """The file there that replays the crash: a program, if one does."""
        program = os.path.join(directory, "crash.hmt")
        if is_input(program):
            status, _ = self._hmt("run", program)
            # A plain build may crash or hang where the oracle saw no bug.
            if status is None or status == 77 or status < 0:
                return "crash.hmt"
        text = os.path.join(directory, "crash.txt")
        if is_input(text) and self.crash_of(text):
            return "crash.txt"
        return otherwise
