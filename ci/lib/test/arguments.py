# SPDX-License-Identifier: MIT
"""Command lines, with our exit status."""

import argparse
import sys


class Parser(argparse.ArgumentParser):
    """A wrong argument: one sentence and exit status 1."""

    def error(self, message):
        sys.exit(f"{self.prog}: {message}; see {self.prog} --help")
