# SPDX-License-Identifier: MIT
"""What the user sees: the console with names beside addresses, and a status
line below it on a terminal."""

import re
import shutil
import subprocess
import sys
import time

SYMBOLIZER = "llvm-symbolizer-19"

CLEAR_LINE = "\r\x1b[K"


class Silent:
    """Shows nothing: for a probe."""

    def show(self, line):
        """A line of the console."""

    def progress(self, ktap):
        """The run goes on."""

    def end(self):
        """It does not."""


class Screen:
    """Shows all of it."""

    ADDRESS = re.compile(r"#   (0x[0-9a-f]{8})$")

    def __init__(self, kernel):
        self.kernel = kernel
        self.symbolizer = shutil.which(SYMBOLIZER)
        self.started = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.status = ""

    def show(self, line):
        match = self.ADDRESS.match(line)
        if match and self.symbolizer:
            line += "  " + self._name(match.group(1))
        self.end()
        print(line, flush=True)

    def progress(self, ktap):
        if not self.terminal:
            return
        status = f"[{time.monotonic() - self.started:.0f} s] "
        if ktap.plan is None:
            status += "booting"
        else:
            status += f"{ktap.count()} of {ktap.plan} cases"
        if ktap.failed:
            status += f", {len(ktap.failed)} failed"
        if status != self.status:
            self._write(CLEAR_LINE + status)
            self.status = status

    def end(self):
        """Take the status line away."""
        if self.status:
            self._write(CLEAR_LINE)
            self.status = ""

    @staticmethod
    def _write(text):
        sys.stderr.write(text)
        sys.stderr.flush()

    def _name(self, address):
        command = [self.symbolizer, f"--obj={self.kernel}", "--basenames",
                   "--output-style=GNU", "--pretty-print", address]
        found = subprocess.run(command, capture_output=True, text=True,
                               check=False)
        return found.stdout.strip().replace("\n", "; ")
