# SPDX-License-Identifier: MIT
"""What ci/test did, for other programs: JUnit's XML and JSON.

docs/testing.md describes both.
"""

import json
import os
import re
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from ci.lib.test.named import FAILED, SKIPPED, count_of

FORMAT = 1

# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Target:
    """One test target and its cases."""

    label: str
    lane: str
    status: str
    rerun: str
    cases: list = field(default_factory=list)
    seconds: float = 0.0


class Record:
    """All targets of one run."""

    def __init__(self, junit=None, json_file=None):
        self.junit = Path(junit) if junit is not None else None
        self.json_file = Path(json_file) if json_file is not None else None
        self.targets = []
        self.began = time.time()
        self.complete = False

    def prepare(self):
        """Raises OSError now, not after the tests, if nothing can be written."""
        if self.junit:
            self.junit.mkdir(parents=True, exist_ok=True)
            for old in self.junit.glob("TEST-*.xml"):
                old.unlink()
            _replace(self.junit / ".writable", "")
            (self.junit / ".writable").unlink()
        if self.json_file:
            self.json_file.parent.mkdir(parents=True, exist_ok=True)
            self.write_json()

    def add(self, target):
        """Takes one in."""
        self.targets.append(target)

    def write(self):
        """Both, as far as they were asked for."""
        if self.junit:
            for target in self.targets:
                _replace(self.junit / file_name(target.label), junit(target))
        if self.json_file:
            self.write_json()

    def write_json(self):
        """The JSON file, whole or not at all."""
        _replace(self.json_file, json.dumps(self.as_json(), indent=1) + "\n")

    def as_json(self):
        """The whole record, in words of JSON."""
        every = [case for target in self.targets for case in target.cases]
        return {
            "format": FORMAT,
            "complete": self.complete,
            "began": _stamp(self.began),
            "seconds": round(time.time() - self.began, 3),
            **_totals(every),
            "targets": [_target_json(target) for target in self.targets],
        }


def _totals(found):
    count = count_of(found)
    return {
        "passed": count.passed,
        "failed": count.failed,
        "skipped": len(count.skipped),
    }


def _stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _target_json(target):
    return {
        "label": target.label,
        "lane": target.lane,
        "status": target.status,
        "seconds": round(target.seconds, 3),
        "rerun": target.rerun,
        **_totals(target.cases),
        "cases": [_case_json(case) for case in target.cases],
    }


def _case_json(case):
    words = {"name": case.name, "verdict": case.verdict}
    if case.seconds is not None:
        words["seconds"] = case.seconds
    if case.message:
        words["message"] = case.message
    return words


def _replace(path, text):
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8", errors="replace")
    os.replace(new, path)


def file_name(label):
    """TEST-core.lib.page_test.xml for //core/lib:page_test."""
    return "TEST-" + re.sub(r"[^\w-]+", ".", label.strip("/")) + ".xml"


def _clean(text):
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _case_xml(parent, class_name, case):
    element = ElementTree.SubElement(
        parent, "testcase", name=_clean(case.name), classname=class_name,
        time=f"{case.seconds or 0:.3f}")
    first = _clean(case.message.split("\n")[0])
    if case.verdict == FAILED:
        failure = ElementTree.SubElement(
            element, "failure", message=first, type="failure")
        failure.text = _clean(case.message)
    elif case.verdict == SKIPPED:
        ElementTree.SubElement(element, "skipped", message=first)


def junit(target):
    """One target as JUnit's XML."""
    count = _totals(target.cases)
    numbers = {
        "tests": str(len(target.cases)),
        "failures": str(count["failed"]),
        "errors": "0",
        "skipped": str(count["skipped"]),
        "time": f"{target.seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", name="highmem", **numbers)
    suite = ElementTree.SubElement(
        root, "testsuite", name=target.label, timestamp=_stamp(time.time()),
        hostname=os.uname().nodename, **numbers)
    properties = ElementTree.SubElement(suite, "properties")
    for name in ["lane", "rerun", "status"]:
        ElementTree.SubElement(
            properties, "property", name=name, value=getattr(target, name))
    class_name = re.sub(r"[/:]+", ".", target.label.strip("/"))
    for case in target.cases:
        _case_xml(suite, class_name, case)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
