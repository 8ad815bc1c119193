# SPDX-License-Identifier: MIT
"""For tests: ask for a subject as a user does, and hear what comes of it."""

import os
import subprocess
import sys
from pathlib import Path

import subject

FOLDER = Path("stress/subjects/linux")
EDITS = FOLDER / "canaries"
MENDED = f"--edit={EDITS}/bound_mended.edit"


def linux_or_skip():
    """Ends the test, as skipped, where Linux's source is not installed."""
    archive, _, package = (FOLDER / "source").read_text().split()
    if not Path(archive).is_file():
        print(f"skipped: linux: {archive} is not there; ci/setup --subject linux "
              f"installs {package}")
        sys.exit(0)


def explore(*arguments, seconds=300):
    """(status, all that it prints)"""
    out = os.environ.get("TEST_TMPDIR", "/tmp")
    done = subprocess.run(
        [sys.executable, "-B", "stress/subjects/launch/subject.py", "explore",
         *map(str, arguments)]
        + ([f"--out={out}"] if "run" in arguments else []),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=seconds)
    return done.returncode, done.stdout


def source():
    """Linux's file."""
    scratch = Path(os.environ.get("TEST_TMPDIR", "/tmp"))
    wanted = subject.Wanted("explore", ["--subject=linux"])
    return subject.find_file(FOLDER, wanted, scratch)
