# SPDX-License-Identifier: MIT
"""The directory of one run: what was started, what it said, what came of it.

    console.log   the console, as it came
    run.txt       command line, QEMU's command line, seed, verdict

Both are written while the run goes on, so they are there after any end.
"""

import os
import time

UNFINISHED = "none: the run was cut short, or is still going on"


class Unwritable(Exception):
    """One sentence about the directory."""


def default_directory():
    """A new one for each run."""
    base = (os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR")
            or os.environ.get("TEST_TMPDIR"))
    if not base:
        cache = (os.environ.get("XDG_CACHE_HOME")
                 or os.path.expanduser("~/.cache"))
        base = os.path.join(cache, "highmem-kernel")
    name = time.strftime("%Y%m%d-%H%M%S-") + str(os.getpid())
    return os.path.join(base, name)


class Results:
    """Writes the directory; the first failure to is kept in .failed."""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.failed = None
        self.facts = {}
        self.console = None
        try:
            os.makedirs(self.path, exist_ok=True)
            self.console = open(self._file("console.log"), "wb", buffering=0)
        except OSError as error:
            raise Unwritable(self._sentence(error)) from None

    def _file(self, name):
        return os.path.join(self.path, name)

    def _sentence(self, error):
        return f"cannot keep the results in {self.path}: {error.strerror}"

    def write(self, data):
        """A piece of the console."""
        try:
            self.console.write(data)
        except OSError as error:
            self.failed = self.failed or self._sentence(error)

    def note(self, **facts):
        """Say more about the run; the file is replaced whole."""
        self.facts.update(facts)
        lines = [f"{key}: {value}\n"
                 for key, value in {"verdict": UNFINISHED, **self.facts}.items()]
        new = self._file("run.txt.new")
        try:
            with open(new, "w", encoding="utf-8") as file:
                file.writelines(lines)
            os.replace(new, self._file("run.txt"))
        except OSError as error:
            self.failed = self.failed or self._sentence(error)
