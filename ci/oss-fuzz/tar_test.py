#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""OSS-Fuzz takes what `bazel build //fuzz:NAME_oss_fuzz` makes.

usage: tar_test.py TAR
"""

import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import build_check  # noqa: E402


def main():
    with tempfile.TemporaryDirectory(prefix="highmem-tar-") as out:
        with tarfile.open(sys.argv[1]) as archive:
            archive.extractall(out)
        complaints = build_check.check(out, "address", "x86_64")
    for complaint in complaints:
        print(f"BAD BUILD: {complaint}")
    print(f"cases: {int(not complaints)} passed, {int(bool(complaints))} failed")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
