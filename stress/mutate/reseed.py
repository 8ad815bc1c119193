#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Finds new choices for seeds that no longer find their mutants.

The core makes an access more or less, and the steps that a seed names have
moved. The explorer looks for the bug again, with the seed's operations, on the
mutants that its line '# finds: MUTANT' names; what it finds replaces the
program in the file, below the comments. Seeds that are still good stay as they
are. Read what comes out: the comment has to be true of it.

exit status:
  0   all seeds find their mutants
  77  for some there are no such choices
  1   wrong usage
"""

import os
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True  # the tree may be read-only
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../ci/lib")]
import seeds  # noqa: E402
from command import Parser  # noqa: E402

SEARCH_SECONDS = 30


# (strategy, seed): first the one with the fewest choices.
ATTEMPTS = [("dfs", 1), *(("portfolio", number) for number in range(1, 5))]


def search(mutant, seed, strategy, number):
    """The explorer's finding as text, or None."""
    lines = Path(seed).read_text(encoding="utf-8").splitlines(True)
    plain = [line for line in lines if not line.startswith("choices")]
    with tempfile.TemporaryDirectory(prefix="reseed.") as scratch:
        program = Path(scratch, "program.hmt")
        program.write_text("".join(plain), encoding="utf-8")
        seeds.explore(mutant, "run", f"--strategy={strategy}",
                      f"--seed={number}", f"--time={SEARCH_SECONDS}s",
                      f"--out={scratch}", program, timeout=4 * SEARCH_SECONDS)
        found = [p for p in Path(scratch).glob("*.hmt") if p != program]
        return found[0].read_text(encoding="utf-8") if found else None


def comments(seed):
    lines = Path(seed).read_text(encoding="utf-8").splitlines(True)
    return "".join(line for line in lines if line.startswith("#"))


def reseed(seed):
    """Whether the file is good now."""
    if not seeds.complaints(seed):
        print(f"{seed}: as it was")
        return True
    old = Path(seed).read_text(encoding="utf-8")
    for strategy, number in ATTEMPTS:
        for mutant in seeds.finds(seed):
            found = search(mutant, seed, strategy, number)
            if found is None:
                continue
            good = False
            Path(seed).write_text(comments(seed) + found, encoding="utf-8")
            try:
                good = not seeds.complaints(seed)
            finally:
                if not good:
                    Path(seed).write_text(old, encoding="utf-8")
            if good:
                print(f"{seed}: new choices; read them")
                return True
    print(f"{seed}: nothing was found: " + "; ".join(seeds.complaints(seed)))
    return False


def main():
    parser = Parser("reseed", __doc__)
    parser.add_argument("seed", nargs="+",
                        metavar="SEED.hmt")
    paths = parser.parse_args().seed
    os.chdir(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    try:
        good = [reseed(path) for path in paths]
    except (OSError, UnicodeDecodeError) as error:
        print(f"reseed: {error}", file=sys.stderr)
        return 1
    return 0 if all(good) else 77


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("reseed: interrupted; each seed is as it was, or has its new "
              "choices", file=sys.stderr)
        sys.exit(130)
