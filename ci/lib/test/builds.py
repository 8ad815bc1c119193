# SPDX-License-Identifier: MIT
"""BUILD and .bzl files that newer Bazels and OSS-Fuzz read as we do."""

import re
from pathlib import Path

from ci.lib.test import bazel

# Rules that Bazel 4 has built in and Bazel 9 has not.
_RULE = re.compile(r"(?<![\w.\"])(native\.)?((?:cc|py|sh)_(?:binary|library|test)"
                   r"|cc_toolchain|cc_import)\(")
_LOAD = re.compile(r"^load\((.*?)\)$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?m)^\s*#.*$")
_DOC = re.compile(r'"""(?:.|\n)*?"""')

# What OSS-Fuzz's base-builder asks for, and builds NAME_oss_fuzz of.
QUERY = ('attr(tags, "fuzz-test", //...) '
         'except attr(tags, "no-oss-fuzz", //...)')


def complaints_about(path, text):
    """What a newer Bazel would not take in one file."""
    code = _DOC.sub("", _COMMENT.sub("", text))
    loaded = set()
    for words in _LOAD.findall(code):
        loaded |= set(re.findall(r'"(\w+)"', words))
    for native, rule in sorted(set(_RULE.findall(code))):
        if native:
            yield f"{path}: native.{rule}: load {rule} and call that"
        elif rule not in loaded and f"def {rule}(" not in code:
            yield f"{path}: {rule} is used and not loaded"
    if re.search(r'cfg\s*=\s*"host"', code):
        yield f'{path}: cfg = "host" is gone in Bazel 7: say "exec"'


def wrong_targets(found, sources):
    """What OSS-Fuzz would build, against the targets that there are."""
    wanted = {"//fuzz:" + Path(source).stem for source in sources}
    for label in sorted(set(found) - wanted):
        yield (f"{label}: OSS-Fuzz would build it, and its core may be broken "
               "on purpose: tag it no-oss-fuzz")
    for label in sorted(wanted - set(found)):
        yield f"{label}: OSS-Fuzz would not build it; see fuzz/fuzz.bzl"


def _files():
    for name in ["BUILD", "*.bzl"]:
        for path in Path(".").rglob(name):
            if "shims" not in path.parts and not path.parts[0].startswith(
                    ("bazel-", ".git", "out")):
                yield path


def check():
    """BUILD files load their rules; OSS-Fuzz finds whole cores only."""
    found = [c for path in sorted(_files())
             for c in complaints_about(path, path.read_text())]
    try:
        labels = bazel.output_of("query", "--keep_going", QUERY).split()
    except RuntimeError as error:
        return found + [f"builds: no answer of Bazel: {error}"]
    return found + list(wrong_targets(labels, Path("fuzz").glob("*_fuzz_test.c")))
