# SPDX-License-Identifier: MIT
"""Which bug a crash is, from what the fuzzer said."""

import hashlib
import os
import re
from typing import NamedTuple

from .words import one_line

TIMEOUT = "an input does not come to an end"
LONGEST = 2000      # characters of a title

# The sentence of a finding without numbers and names: stress/oracle/finding.c.
_ASSERTED = re.compile(r"assertion failed: (.*)")
# The oracle and the core say what is wrong in one sentence.
_SENTENCE = re.compile(r"(?:^|\s)((?:highmem: )?BUG: .*|oracle: .*)")
_UBSAN = re.compile(r"(\S+:\d+):\d+: runtime error: (.*)")
_SANITIZER = re.compile(
    r"ERROR: (AddressSanitizer|LeakSanitizer|libFuzzer): ?([^(]*)")
_FRAME = re.compile(r"\s+#\d+ 0x[0-9a-f]+ in (\S+) (\S+?)(?::\d+)?(?::\d+)?$")
_OUTSIDE = re.compile(
    r"__(?:asan|ubsan|sanitizer|lsan|interceptor|libc|assert)|fuzzer::|"
    r"(?:abort|raise|gsignal|main|_start|malloc|calloc|free|pthread_kill)$")


class Signature(NamedTuple):
    """Crashes with one key are one bug."""
    key: str
    title: str


def normal(text):
    """Without what differs between two crashes of one bug."""
    text = re.sub(r"0x[0-9a-fA-F]+", "0x#", text)
    text = re.sub(r"\b[A-DIJ]\b", "#", text)      # tasks and handlers
    text = re.sub(r"\b[lp]\d+\b", "page #", text)
    return re.sub(r"\d+", "#", text)


def frames(lines):
    """The innermost functions of ours in the first stack of the log."""
    found = []
    for line in lines:
        match = _FRAME.match(line)
        if not match:
            if found:
                break
            continue
        if match[1] == "LLVMFuzzerTestOneInput" and found:
            break
        if not _OUTSIDE.match(match[1]):
            found.append(f"{match[1]} {os.path.basename(match[2])}")
    return found[:3]


class _Said:
    """The last sentence so far, and how the target itself normalised it."""

    def __init__(self):
        self.sentence = self.asserted = None

    def read(self, line):
        asserted, sentence = _ASSERTED.match(line), _SENTENCE.search(line)
        if asserted:
            # It stands before its sentence.
            self.asserted, self.sentence = asserted[1].strip(), None
        elif sentence:
            self.sentence = sentence[1].strip()

    def it(self):
        """(what makes it this bug, title), or None."""
        if self.asserted:
            return self.asserted, self.sentence or self.asserted
        return self.sentence and (normal(self.sentence), self.sentence)


def describe(log):
    """(what makes it this bug, title) of a crash from the fuzzer's words."""
    said = _Said()
    for number, line in enumerate(log):
        match = _UBSAN.search(line)
        if match:
            where = os.path.basename(match[1])
            return f"{where} {normal(match[2])}", f"{where}: {match[2]}"
        match = _SANITIZER.search(line)
        if match:
            # What was said last before the crash belongs to it.
            if said.it():
                return said.it()
            what = f"{match[1]}: {normal(match[2]).split(' on ')[0].strip()}"
            if "timeout" in what:
                return TIMEOUT, TIMEOUT
            stack = frames(log[number:])
            place = f" in {stack[0]}" if stack else ""
            return " < ".join([what, *stack]), what + place
        said.read(line)
    return said.it() or ("unknown", "a crash without a word")


def signature(log):
    what, title = describe(log)
    return Signature(hashlib.sha256(what.encode("utf-8", "replace"))
                     .hexdigest()[:10], one_line(title, LONGEST))
