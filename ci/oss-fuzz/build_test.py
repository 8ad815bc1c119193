#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Builds with build.sh under OSS-Fuzz's variables, and looks at the result.

usage: build_test.py [--plant] SANITIZER ARCHITECTURE [FILE]...

The files are what Bazel packs for the same targets: seeds, dictionary, options;
with none, nothing is compared with them.
--plant builds once more, with a bug, which must be found.
Runs where the sources are: in the root of the tree, or of a test's runfiles.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import build_check  # noqa: E402

FOLDERS = ["ci", "core", "fuzz", "stress"]

# base-builder's flags, where clang has them: the language mode, then what its
# Dockerfile has for each sanitizer, then for libFuzzer.
_COMMON = ("-O1 -fno-omit-frame-pointer -gline-tables-only "
           "-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION")
_UNDEFINED = (
    "array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,"
    "object-size,return,returns-nonnull-attribute,shift,"
    "signed-integer-overflow,unreachable,vla-bound,vptr"
)
_SANITIZER = {
    "address": "-fsanitize=address -fsanitize-address-use-after-scope",
    "memory": "-fsanitize=memory -fsanitize-memory-track-origins",
    "undefined": (f"-fsanitize={_UNDEFINED},unsigned-integer-overflow "
                  f"-fno-sanitize-recover={_UNDEFINED}"),
}
_EDGES = "-fsanitize=fuzzer-no-link"
_WIDTH = {"x86_64": "", "i386": "-m32 "}

# A bug inside kmap(), in a fiber, that only this sanitizer sees, and what a
# report has to say of it.
PLANT = re.compile(r"^(void \*kmap\([^)]*\)\n\{\n)", re.MULTILINE)
PLANTED = {
    "address": (
        "static volatile char array[8]; volatile int i = 8; "
        "if (array[i]) return 0;",
        r"AddressSanitizer: global-buffer-overflow",
    ),
    "memory": (
        "volatile int unset; if (unset) return 0;",
        r"MemorySanitizer: use-of-uninitialized-value",
    ),
    "undefined": (
        "volatile int most = 0x7fffffff; if (most + 1 == 0) return 0;",
        r"runtime error: signed integer overflow",
    ),
}


def environment(base, sanitizer, architecture):
    """What a build.sh of OSS-Fuzz finds around it."""
    flags = (f"{_WIDTH[architecture]}{_COMMON} {_SANITIZER[sanitizer]} "
             f"{_EDGES}")
    env = {
        "ARCHITECTURE": architecture,
        "CC": "clang-19",
        "CFLAGS": flags,
        "CXX": "clang++-19",
        # Without -stdlib=libc++, which is theirs: Debian's libFuzzer has the other.
        "CXXFLAGS": flags,
        "FUZZING_ENGINE": "libfuzzer",
        "FUZZING_LANGUAGE": "c",
        "HOST_CC": "clang-19",
        "LIB_FUZZING_ENGINE": "-fsanitize=fuzzer",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "SANITIZER": sanitizer,
    }
    for name in ["OUT", "SRC", "WORK"]:
        env[name] = str(base / name.lower())
        os.makedirs(env[name], exist_ok=True)
    return env


def sources(base):
    """A copy of the tree as $SRC/highmem."""
    for folder in FOLDERS:
        shutil.copytree(folder, base / "src/highmem" / folder)


def build(env):
    """build.sh as OSS-Fuzz runs it: (exit status, all that it said)"""
    done = subprocess.run(
        ["bash", "-eux", "ci/oss-fuzz/build.sh"],
        cwd=env["SRC"] + "/highmem",
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def digests(paths):
    return sorted(hashlib.sha1(p.read_bytes()).hexdigest() for p in paths)


class BuildTest(unittest.TestCase):
    """One build for all cases; the planted bug takes another."""

    sanitizer = architecture = None
    packed = []

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="highmem-oss-fuzz-")
        base = Path(cls.scratch.name)
        sources(base)
        env = environment(base, cls.sanitizer, cls.architecture)
        status, said = build(env)
        if status != 0:
            raise AssertionError(f"build.sh failed:\n{said[-4000:]}")
        cls.env, cls.out = env, Path(env["OUT"])

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_oss_fuzz_would_take_it(self):
        self.assertEqual(
            build_check.check(self.out, self.sanitizer, self.architecture), [])

    def test_it_is_no_build_with_another_sanitizer(self):
        for other in set(PLANTED) - {self.sanitizer}:
            with self.subTest(other):
                complaints = list(build_check.check_sanitizer(
                    self.out / "kmap_fuzz_test", other, self.architecture))
                self.assertRegex("\n".join(complaints), "seem")

    def test_what_bazel_packs_is_in_it(self):
        packed = {path.name: path for path in self.packed}
        names = sorted(n[:-len("_corpus")] for n in packed
                       if n.endswith("_corpus"))
        self.assertEqual(
            names, [path.name for path in build_check.targets(self.out)])
        for name in names:
            for kind in ["dict", "options"]:
                with self.subTest(f"{name}.{kind}"):
                    ours = self.out / f"{name}.{kind}"
                    theirs = packed[f"{name}.{kind}"]
                    self.assertEqual(ours.read_text(), theirs.read_text())
            with self.subTest(f"{name}_seed_corpus.zip"):
                path = self.out / f"{name}_seed_corpus.zip"
                with zipfile.ZipFile(path) as archive:
                    ours = sorted(archive.namelist())
                theirs = digests(packed[f"{name}_corpus"].iterdir())
                self.assertEqual(ours, theirs)

    def test_a_planted_bug_is_found_where_it_is(self):
        path = Path(self.env["SRC"], "highmem/core/lib/pkmap.c")
        healthy = path.read_text()
        line, sentence = PLANTED[self.sanitizer]
        broken, times = PLANT.subn(rf"\1{line}\n", healthy)
        self.assertEqual(times, 1, "kmap() is not where it was")
        path.chmod(0o644)
        path.write_text(broken)
        env = dict(self.env, OUT=self.env["OUT"] + "-planted")
        os.makedirs(env["OUT"])
        status, said = build(env)
        self.assertEqual(status, 0, said[-4000:])
        complaints = "\n".join(build_check.check(
            env["OUT"], self.sanitizer, self.architecture))
        self.assertIn("kmap_fuzz_test: it crashes", complaints)
        self.assertRegex(complaints, sentence)
        report = re.split(sentence, complaints, maxsplit=1)[1]
        # From the fiber's end, too: a stack that stops at kmap() was not
        # unwound on the stack it is on.
        for function in ["kmap", "op_perform", "task_main"]:
            self.assertRegex(report, rf"#\d+ 0x\w+ in {function}\b")


def cannot(architecture):
    """Why such a build cannot be tried here, or None."""
    if architecture == "i386":
        if "__i386__" not in Path("core/ports/sim/fiber.c").read_text():
            return "the simulated machine's fibers are not written for it"
        if not Path("/usr/lib/gcc/x86_64-linux-gnu/12/32/libstdc++.a").exists():
            return "no 32-bit C++ library; package g++-multilib has it"
    return None


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--plant"]:
        arguments.pop(0)
    else:
        del BuildTest.test_a_planted_bug_is_found_where_it_is
    sanitizer, architecture, *packed = arguments
    BuildTest.sanitizer, BuildTest.architecture = sanitizer, architecture
    BuildTest.packed = [Path(path) for path in packed]
    if not packed:
        del BuildTest.test_what_bazel_packs_is_in_it
    why = cannot(architecture)
    if why:
        print(f"skipped: {architecture}: {why}")
        return 0
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    passed = max(result.testsRun - bad, 0)
    print(f"cases: {passed} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
