#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The core, freestanding, wants of a 32-bit kernel what PORTING.md names.

    undefined_test.py core/port/PORTING.md

Each file of core/boot and core/lib is compiled as a kernel would, against a port that defines
nothing inline, and all are linked into one object. What that leaves undefined
is compared with the list in PORTING.md.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PORTING = Path(sys.argv.pop(1))
HEADING = "## What the core asks the linker for"

CLANG = "/usr/lib/llvm-19/bin/clang"
FLAGS = [
    "-m32",
    "-std=c17",
    "-ffreestanding",
    "-fno-pic",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-I.",
    "-Icore/include",
    "-Istress/i386/backend",
]

# Compiler, optimisation, which checks are compiled in.
BUILDS = [
    ("gcc", "-O2", 1),
    ("gcc", "-O2", 0),
    ("gcc", "-O0", 1),
    ("gcc", "-Os", 1),
    ("gcc", "-O3", 2),
    (CLANG, "-O2", 1),
    (CLANG, "-O0", 2),
    (CLANG, "-Oz", 0),
]

# What compilers insert on their own; one that does not need it is no finding.
OF_COMPILERS = {"memcpy", "memset"}


def run(*command):
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}:\n{done.stdout}")
    return done.stdout


def named_by_porting():
    """The names between backticks in the list items of the section."""
    _, found, section = PORTING.read_text(encoding="utf-8").partition(HEADING)
    if not found:
        raise AssertionError(f"{PORTING} has no '{HEADING}'")
    section = section.partition("\n## ")[0]
    items = re.findall(r"^\* .*(?:\n  .*)*", section, re.MULTILINE)
    names = re.findall(r"`([a-z_0-9]+)`", "\n".join(items))
    if len(names) != len(set(names)):
        raise AssertionError("PORTING.md names something twice")
    return set(names)


def sources():
    return [source for source in sorted(Path("core").glob("*/*.c"))
            if source.parent.name in ("boot", "lib")]


def undefined(compiler, optimisation, debug):
    """What a kernel of this build has to supply."""
    with tempfile.TemporaryDirectory() as place:

        def compile_one(source):
            target = os.path.join(place, source.stem + ".o")
            run(compiler, *FLAGS, optimisation, f"-DHIGHMEM_DEBUG={debug}",
                "-c", str(source), "-o", target)
            return target

        with ThreadPoolExecutor(max_workers=2) as pool:
            objects = list(pool.map(compile_one, sources()))
        whole = os.path.join(place, "core.o")
        run("ld", "-m", "elf_i386", "-r", "-o", whole, *objects)
        return set(run("nm", "--undefined-only", "--format=just-symbols",
                       whole).split())


class Undefined(unittest.TestCase):
    def test_all_of_the_core_is_here(self):
        names = [source.name for source in sources()]
        for name in "pkmap.c", "layout.c", "pgtable.c", "kmap_local.c":
            self.assertIn(name, names)

    def test_the_list_is_no_guess(self):
        names = named_by_porting()
        self.assertIn("port_bug", names)
        self.assertEqual(
            {name for name in names if not name.startswith("port_")},
            OF_COMPILERS,
        )


def add_build(compiler, optimisation, debug):
    def test(self):
        wanted = undefined(compiler, optimisation, debug)
        named = named_by_porting()
        self.assertEqual(
            wanted - named, set(),
            "the core wants these, and PORTING.md does not name them",
        )
        self.assertEqual(
            named - wanted - OF_COMPILERS, set(),
            "PORTING.md names these, and the core does not want them",
        )

    name = f"test_{os.path.basename(compiler)}_{optimisation[1:]}_debug_{debug}"
    setattr(Undefined, name, test)


for build in BUILDS:
    add_build(*build)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"cases: {result.testsRun - bad} passed, {bad} failed")
    sys.exit(bool(bad))
