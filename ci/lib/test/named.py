# SPDX-License-Identifier: MIT
"""The cases inside one test by name, as many as cases.py counts.

Where the names come from:

    test.xml                      Criterion, which times each case, too
    ok 3 - kmap_hit               KTAP
    ok     corpus/misuse          the replay of a corpus
    test_x (a.B.test_x) ... ok    Python's unittest, verbose

A count without names, or with other names than it says, still is as many cases:
they are called by their number.
"""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from typing import Optional

from ci.lib.test import cases

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
LAST_LINES = 50

_REPLAYED = re.compile(r"^(ok|FAILED)\s{1,6}(\S+?)(?:: (.*))?$")
_BEGINS = re.compile(r"^(test\w*) \(([\w.]+)\)")
_ENDS = re.compile(r"(?:^|\.\.\. |\s)(ok|FAIL|ERROR|expected failure"
                   r"|unexpected success|skipped '(.*)')$")
_CRITERION = {"PASSED": PASSED, "FAILED": FAILED, "ERRORED": FAILED}


@dataclass
class Case:
    """One case, after the run."""

    name: str
    verdict: str
    seconds: Optional[float] = None
    message: str = ""


def _criterion_message(element):
    found = [element.get("message", "").strip(), (element.text or "").strip()]
    return "\n".join(text for text in found if text)


def of_criterion(xml):
    """What Criterion's XML says; nothing if this is not Criterion's."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return []
    if root.tag != "testsuites" or root.get("name") != "Criterion Tests":
        return []
    found = []
    for suite in root.iter("testsuite"):
        for case in suite.iter("testcase"):
            verdict = _CRITERION.get(case.get("status"), SKIPPED)
            message = "\n".join(_criterion_message(e) for e in case)
            if verdict == SKIPPED:
                message = message or "the test skips it"
            name = f"{suite.get('name')}::{case.get('name')}"
            seconds = float(case.get("time", "nan").replace(",", "."))
            found.append(Case(name, verdict, seconds, message))
    return sorted(found, key=lambda case: case.name)


def of_ktap(lines):
    """KTAP, less what was skipped: that is in the count."""
    verdicts = {"ok": PASSED, "not ok": FAILED}
    return [Case(name, verdicts[verdict])
            for verdict, name in cases.ktap_results(lines)
            if verdict in verdicts]


def of_replay(lines):
    """The replay engine's word for each seed."""
    return [Case(m[2].split("_corpus/")[-1], PASSED if m[1] == "ok" else FAILED,
                 message=m[3] or "")
            for m in map(_REPLAYED.match, lines) if m]


def of_unittest(lines):
    """Verbose unittest; a case may print between its name and its end."""
    found = []
    current = None
    for line in lines:
        begins = _BEGINS.match(line)
        if begins:
            current = begins[2].replace("__main__.", "")
            if current.split(".")[-1] != begins[1]:
                current += "." + begins[1]  # before Python 3.11
        ends = _ENDS.search(line)
        if current and ends:
            word = ends[1]
            verdict = PASSED if word in ("ok", "expected failure") else FAILED
            if word.startswith("skipped"):
                verdict = SKIPPED
            found.append(Case(current, verdict, message=ends[2] or ""))
            current = None
    return found


def _fits(found, count):
    verdicts = [case.verdict for case in found]
    return (verdicts.count(PASSED) == count.passed
            and verdicts.count(FAILED) <= count.failed)


def _skipped(text):
    """"what: why", or KTAP's "name # SKIP why"."""
    name, _, why = re.sub(r"\s*#\s*SKIP\b:?\s*", ": ", text, count=1,
                          flags=re.IGNORECASE).partition(": ")
    return Case(name.strip(), SKIPPED, message=why.strip() or "no reason given")


def _numbered(count, label, seconds):
    """A case for each that was only counted."""
    total = count.passed + count.failed
    name = label.split(":")[-1]
    if total == 1:
        verdict = PASSED if count.passed else FAILED
        return [Case(name, verdict, seconds)]
    return [Case(f"{name} {number}", PASSED if number <= count.passed else FAILED)
            for number in range(1, total + 1)]


def of_test(result):
    """([Case], remark): of one test target, in a fixed order."""
    lines = cases.lines_of(result.log)
    count, remark = cases.of_test(result.status, result.log)
    found = []
    for names in (of_criterion(result.xml), of_ktap(lines), of_replay(lines),
                  of_unittest(lines)):
        if any(case.verdict != SKIPPED for case in names) and _fits(names, count):
            found = names
            break
    if not found:
        found = _numbered(count, result.label, result.seconds)
    missing = count.failed - sum(c.verdict == FAILED for c in found)
    found += [Case(result.label.split(":")[-1] + " as a whole", FAILED)
              for _ in range(missing)]
    found += [_skipped(text) for text in count.skipped]
    tail = "\n".join(lines[-LAST_LINES:])
    for case in found:
        if case.verdict == FAILED:
            reason = case.message or remark or f"{result.status}, see the log"
            case.message = f"{reason}\n\n{tail}".strip()
    return found, remark


def count_of(found):
    """The count of these cases, as ci/test adds it up."""
    verdicts = [case.verdict for case in found]
    return cases.Count(
        verdicts.count(PASSED),
        verdicts.count(FAILED),
        [f"{c.name}: {c.message}" for c in found if c.verdict == SKIPPED],
    )
