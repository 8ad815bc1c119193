#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Do the seeds of the schedule fuzzer still meet what they were written for?

Each must find the mutants that it names, and on the healthy core each of its
choices must fit a question.

usage: seeds_test.py SEED...
"""

import os
import sys

sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seeds  # noqa: E402


def main():
    paths = sys.argv[1:]
    bad = 0
    for number, path in enumerate(paths, 1):
        complaints = seeds.complaints(path)
        bad += bool(complaints)
        verdict = "not ok" if complaints else "ok"
        print(f"{verdict} {number} {os.path.basename(path)}")
        for complaint in complaints:
            print(f"{path}: {complaint}")
    if bad:
        print("steps have moved? try: bazel run //stress/mutate:reseed -- "
              "$PWD/SEED.hmt")
    print(f"cases: {len(paths) - bad} passed, {bad} failed")
    return int(bad > 0 or not paths)


if __name__ == "__main__":
    sys.exit(main())
