# SPDX-License-Identifier: MIT
"""One status line at the bottom, and everything else above it."""

import os
import shutil
import sys
import threading
import time

from .words import one_line

LONGEST = 1 << 16   # characters of a line


class Screen:
    """On a terminal the line is rewritten; in a log it comes now and then.

    A terminal that goes away does not end the run.
    """

    def __init__(self, stream=None, interval=5):
        self.stream = stream or sys.stdout
        self.terminal = self.stream.isatty()
        self.interval = interval
        self._lock = threading.RLock()  # say() is called by signal handlers
        self._shown = False
        self._last = time.monotonic()

    def say(self, text=""):
        shown = "\n".join(one_line(line, LONGEST) for line in
                          text.split("\n"))
        with self._lock:
            self._write(self._cleared() + shown + "\n")

    def status(self, text, brief=None):
        """brief: what to show where the text does not fit."""
        text, brief = one_line(text, LONGEST), brief and one_line(brief)
        with self._lock:
            if self.terminal:
                width = shutil.get_terminal_size().columns - 1
                shown = brief if brief and len(text) > width else text
                self._write("\r\x1b[K" + shown[:width])
                self._shown = True
            elif time.monotonic() - self._last >= self.interval:
                self._write(text + "\n")
                self._last = time.monotonic()

    def end(self):
        with self._lock:
            self._write(self._cleared())

    def _cleared(self):
        shown, self._shown = self._shown, False
        return "\r\x1b[K" if shown else ""

    def _write(self, text):
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError:
            self.stream = open(os.devnull, "w", encoding="ascii")
