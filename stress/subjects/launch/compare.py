# SPDX-License-Identifier: MIT
"""explore compare A B: the same exhaust on two subjects, and where they part."""

import os
import subprocess
import tempfile
from pathlib import Path

from building import Refused

FINE, BUG = 0, 77
HELP = """usage: explore compare A B [options of exhaust]

Goes through the same programs and schedules on subject A and on subject B. What
each operation gives must be the same, over all schedules of a program; else the
first program that differs is shown, with a schedule that only one of them has,
and saved.

Exit status: 0 equal, 77 not, or a bug in one of them, 1 anything else."""


class Side:
    """One of the two."""

    def __init__(self, name, program, scratch):
        self.name = name
        self.program = program
        self.out = scratch / (name.replace("/", "_") + ".outcomes")

    def run(self, *words):
        """[(outcome, program)] of this command."""
        done = subprocess.run(
            [self.program, *words, f"--outcomes={self.out}"], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        if done.returncode == BUG:
            print(f"{self.name}:\n{done.stdout}", end="")
            raise SystemExit(BUG)
        if done.returncode != FINE:
            raise Refused(f"{self.name} does not go through: "
                          + (done.stdout.strip().splitlines() or ["see above"])[-1])
        lines = self.out.read_text().splitlines()
        return [tuple(line.split(" ", 1)) for line in lines]


def _text(program):
    return program.replace("|", "\n")


def _part(sides, program, words, scratch):
    """Print the program, and a schedule whose end one side has alone."""
    path = scratch / "parts.hmt"
    path.write_text(_text(program))
    kept = [w for w in words
            if w.startswith(("--max-preemptions", "--faults", "--max-steps"))]
    if not any(w.startswith("--faults") for w in kept):
        kept.append("--faults=none")
    ends = [dict(side.run("run", path, "--strategy=dfs", *kept)) for side in sides]
    print(f"they differ in this program, on {sides[0].name} with {len(ends[0])} "
          f"ends, on {sides[1].name} with {len(ends[1])}:\n\n{_text(program)}")
    for side, mine, other in ((sides[0], *ends), (sides[1], *reversed(ends))):
        alone = sorted(set(mine) - set(other))
        if not alone:
            continue
        saved = Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."),
                     f"compare-{alone[0]}.hmt").absolute()
        saved.write_text(_text(mine[alone[0]]))
        print(f"only {side.name} ends like this:\n\n{_text(mine[alone[0]])}\n"
              f"replay: bazel run //stress/explore:explore -- replay "
              f"--subject={side.name} {saved}")
        return


def compare(names, programs, words):
    """The exit status of the whole command."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        sides = [Side(n, p, scratch) for n, p in zip(names, programs)]
        results = [side.run("exhaust", *words) for side in sides]
        if [p for _, p in results[0]] != [p for _, p in results[1]]:
            raise Refused(f"{names[0]} and {names[1]} do not run the same programs: "
                          "choose an --alphabet and a machine that both have")
        for (left, program), (right, _) in zip(*results):
            if left != right:
                _part(sides, program, words, scratch)
                return BUG
        print(f"equal: {names[0]} and {names[1]} give the same in "
              f"{len(results[0])} programs")
        return FINE
