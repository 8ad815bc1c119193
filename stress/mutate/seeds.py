# SPDX-License-Identifier: MIT
"""Seeds of the schedule fuzzer, and the mutants that each has to find.

A seed names steps, and those move whenever the core makes an access more or
less. It goes on running then, but past the place that it was written for. So
it says '# finds: MUTANT, MUTANT'.
"""

import os
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).absolute().parent

FINE, BUG = 0, 77


def explore(core, *arguments, timeout=60):
    """(exit status, what it says) of the explorer on that core."""
    library = HERE / f"{core}.sim.so"
    if not library.exists():
        return None, f"there is no mutant {core}"
    run = subprocess.run(
        [HERE / "matrix_explore", *arguments],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def finds(seed):
    text = Path(seed).read_text(encoding="utf-8")
    names = re.findall(r"^# finds: (.*)$", text, re.MULTILINE)
    return ", ".join(names).split(", ") if names else []


def complaints(seed):
    """What is wrong with it, in sentences."""
    found = []
    status, text = explore("healthy", "replay", "--trace=none", seed)
    if status != FINE:
        found.append(f"the healthy core: {text.strip()}")
    if "fit no question" in text:
        found.append("not all of its choices fit a question")
    if not finds(seed):
        found.append("it has no line '# finds: MUTANT'")
    for mutant in finds(seed):
        status, text = explore(mutant, "replay", "--trace=none", seed)
        if status != BUG:
            found.append(f"it does not find {mutant}: {text.strip()}")
    return found
