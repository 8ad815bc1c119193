# SPDX-License-Identifier: MIT
"""What the inputs cover that ci/fuzz has found.

Each target's test, as `bazel coverage` has just built it, runs them.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

LLVM = Path("/usr/lib/llvm-19/bin")
SECONDS = 600


class Trouble(Exception):
    """One sentence."""


def directories(out):
    """{target's name: its corpus} of a directory of ci/fuzz."""
    found = {
        path.parent.name: path
        for path in sorted(Path(out).glob("*/corpus"))
        if re.fullmatch(r"\w+_fuzz_test", path.parent.name)
        and path.is_dir() and any(path.iterdir())
    }
    if not found:
        raise Trouble(f"{out} has no corpus of ci/fuzz, NAME_fuzz_test/corpus")
    return found


def _replay(binary, corpus, raw):
    """Does it run to the end? In one process, that is in one profile."""
    env = {**os.environ, "LLVM_PROFILE_FILE": str(raw)}
    try:
        done = subprocess.run(
            [str(binary), "--no-fork", str(corpus)], env=env, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Trouble(f"{binary.name}: {error}") from None
    return done.returncode, done.stdout.decode(errors="replace")


def _export(binary, raw):
    data = raw.with_suffix(".profdata")
    subprocess.run([LLVM / "llvm-profdata", "merge", "-o", data, raw],
                   check=True)
    return subprocess.run(
        [LLVM / "llvm-cov", "export", "-format=lcov", "-instr-profile", data,
         binary], check=True, capture_output=True, text=True).stdout


def lcov_of(out, binaries):
    """lcov text of all corpora in `out`; binaries: where the tests are."""
    texts = []
    with tempfile.TemporaryDirectory(prefix="highmem-coverage-") as scratch:
        for name, corpus in directories(out).items():
            binary, raw = Path(binaries, name), Path(scratch, name + ".profraw")
            status, said = _replay(binary, corpus, raw)
            if not raw.exists() or not raw.stat().st_size:
                last = "\n".join(said.splitlines()[-3:])
                raise Trouble(f"{name} left no profile (status {status}); does "
                              f"an input crash? Its last words:\n{last}")
            texts.append(_export(binary, raw))
    return "".join(texts)
