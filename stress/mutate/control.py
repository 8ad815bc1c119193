#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Is the canary able to fail? Runs canary.py on a lane with a healthy core.

usage: control.py, with the arguments of canary.py

exit status: 0 the canary fails and says that the lane stays green, 77 else
"""

import subprocess
import sys
from pathlib import Path

CANARY = Path(__file__).resolve().parent / "canary.py"


def main():
    if "--help" in sys.argv[1:]:
        print(__doc__)
        return 0
    run = subprocess.run(
        [sys.executable, CANARY, *sys.argv[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    failed = run.returncode == 77 and " stays green on " in run.stdout
    for line in run.stdout.splitlines():
        print(f"    {line}")
    print(f"control: the canary {'fails' if failed else 'DOES NOT FAIL'} "
          "on a healthy core")
    print(f"cases: {int(failed)} passed, {int(not failed)} failed")
    return 0 if failed else 77


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("control: interrupted", file=sys.stderr)
        sys.exit(130)
