# SPDX-License-Identifier: MIT
"""JUnit's XML as its readers want it, JSON as docs/testing.md says, and both
after an interrupt."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from ci.lib.test import record
from ci.lib.test.named import Case

# The form that Ant began and Jenkins, GitLab and others read: for each element
# what it must have, what it may have besides, and its children.
SCHEMA = {
    "testsuites": (set(), {"name", "tests", "failures", "errors", "skipped",
                           "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"},
                  {"skipped", "time", "timestamp", "hostname", "id", "package"},
                  {"properties", "testcase", "system-out", "system-err"}),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"name", "classname"}, {"time", "status", "assertions"},
                 {"failure", "error", "skipped", "system-out", "system-err"}),
    "failure": (set(), {"message", "type"}, set()),
    "error": (set(), {"message", "type"}, set()),
    "skipped": (set(), {"message"}, set()),
    "system-out": (set(), set(), set()),
    "system-err": (set(), set(), set()),
}
NUMBERS = {"tests", "failures", "errors", "skipped", "time"}


def wrong_with(element):
    """What a strict reader would say of one element and those in it."""
    must, may, children = SCHEMA[element.tag]
    have = set(element.attrib)
    if not must <= have <= must | may:
        yield f"{element.tag}: attributes {sorted(have ^ must)}"
    for name in NUMBERS & have:
        if float(element.get(name)) < 0:
            yield f"{element.tag}: {name}={element.get(name)}"
    for child in element:
        if child.tag not in children:
            yield f"{child.tag} in {element.tag}"
        else:
            yield from wrong_with(child)


def wrong_sums(suite):
    """A suite says how many there are in it."""
    found = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    return [f"{name}: {suite.get(name)} is {number}"
            for name, number in found.items() if suite.get(name) != str(number)]


TARGET = record.Target(
    "//core/lib:page_test", "unit", "FAILED",
    "bazel test --test_output=all //core/lib:page_test",
    [
        Case("page::fine", "passed", 0.25),
        Case("page::<&\"'>", "failed", None, "1 < 2 \x00\x1b[31m & so on\n]]>"),
        Case("page::not_here", "skipped", None, "no KVM"),
    ],
    1.5,
)

# A Bazel that writes two events and then takes long.
FAKE_BAZEL = """#!/bin/sh
for word; do
	case $word in --build_event_json_file=*) events=${word#*=} ;; esac
done
printf '%s\\n' "$LINES_OF_EVENTS" >"$events"
trap 'exit 8' INT
: >"$STARTED"
while :; do sleep 0.1; done
"""

EVENTS = "\n".join(json.dumps(event) for event in [
    {"id": {"targetConfigured": {"label": "//core:a_test"}},
     "configured": {"targetKind": "cc_test rule"}},
    {"id": {"targetConfigured": {"label": "//core:b_test"}},
     "configured": {"targetKind": "cc_test rule"}},
    {"id": {"testResult": {"label": "//core:a_test"}},
     "testResult": {"status": "PASSED", "testAttemptDurationMillis": "40"}},
])

CHILD = """
import sys
from ci.lib.test import bazel
bazel.BAZEL = sys.argv.pop(1)
from ci.lib.test import __main__
sys.exit(__main__.main())
"""


class RecordTest(unittest.TestCase):
    """In a directory of its own."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="highmem-record-")
        self.addCleanup(scratch.cleanup)
        self.home = Path(scratch.name)

    def check_junit(self, path):
        root = ElementTree.parse(path).getroot()
        self.assertEqual(list(wrong_with(root)), [])
        suites = root.findall("testsuite")
        self.assertEqual(len(suites), 1)
        self.assertEqual(wrong_sums(suites[0]), [])
        return suites[0]

    def test_junit(self):
        kept = record.Record(self.home / "new/junit")
        kept.prepare()
        kept.add(TARGET)
        kept.write()
        path = self.home / "new/junit/TEST-core.lib.page_test.xml"
        suite = self.check_junit(path)
        self.assertEqual(suite.get("name"), "//core/lib:page_test")
        fine, fails, skips = suite.findall("testcase")
        self.assertEqual(fine.get("classname"), "core.lib.page_test")
        self.assertEqual(fine.get("time"), "0.250")
        self.assertEqual(fails.get("name"), "page::<&\"'>")
        self.assertIn("& so on\n]]>", fails.find("failure").text)
        self.assertNotIn("\x1b", path.read_text())
        self.assertEqual(skips.find("skipped").get("message"), "no KVM")
        lines = {p.get("name"): p.get("value") for p in suite.iter("property")}
        self.assertEqual(lines["rerun"], TARGET.rerun)

    def test_files_of_an_earlier_run_go(self):
        (self.home / "TEST-old.xml").write_text("<old/>")
        (self.home / "mine.xml").write_text("<mine/>")
        record.Record(self.home).prepare()
        self.assertEqual([p.name for p in self.home.iterdir()], ["mine.xml"])

    def test_json(self):
        path = self.home / "deep/results.json"
        kept = record.Record(None, path)
        kept.prepare()
        self.assertFalse(json.loads(path.read_text())["complete"])
        kept.add(TARGET)
        kept.complete = True
        kept.write()
        words = json.loads(path.read_text())
        self.assertEqual(words["format"], record.FORMAT)
        self.assertTrue(words["complete"])
        for totals in [words, words["targets"][0]]:
            self.assertEqual([totals[k] for k in ("passed", "failed", "skipped")],
                             [1, 1, 1])
        cases = words["targets"][0]["cases"]
        self.assertEqual(cases[0], {
            "name": "page::fine", "verdict": "passed", "seconds": 0.25})
        self.assertEqual(cases[2]["message"], "no KVM")

    def test_nowhere_to_write(self):
        (self.home / "file").write_text("")
        for kept in [record.Record(self.home / "file"),
                     record.Record(None, self.home / "file/x.json")]:
            with self.assertRaises(OSError):
                kept.prepare()

    def interrupt(self, number, meanwhile=lambda: None):
        bazel = self.home / "bazel"
        bazel.write_text(FAKE_BAZEL)
        bazel.chmod(bazel.stat().st_mode | stat.S_IXUSR)
        (self.home / "core").mkdir()
        started = self.home / "started"
        child = subprocess.Popen(
            [sys.executable, "-B", "-c", CHILD, str(bazel), "--lane=unit",
             "--junit=junit", "--json=results.json"],
            cwd=self.home,
            env={**os.environ, "LINES_OF_EVENTS": EVENTS,
                 "STARTED": str(started), "PYTHONPATH": os.getcwd()},
            # Whoever runs this in the background has it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.kill)
        deadline = time.monotonic() + 60
        while not started.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        meanwhile()
        child.send_signal(number)
        return child, child.communicate(timeout=60)

    def check_interrupted(self, number):
        child, (out, err) = self.interrupt(number)
        self.assertEqual(child.returncode, 130, err)
        self.assertIn("interrupted", err)
        self.assertEqual(out.splitlines()[-1], "1 passed, 0 failed, 1 skipped")
        words = json.loads((self.home / "results.json").read_text())
        self.assertFalse(words["complete"])
        self.assertEqual((words["passed"], words["skipped"]), (1, 1))
        suites = [self.check_junit(p)
                  for p in sorted((self.home / "junit").glob("*.xml"))]
        self.assertEqual([s.get("name") for s in suites],
                         ["//core:a_test", "//core:b_test"])

    def test_ctrl_c(self):
        self.check_interrupted(signal.SIGINT)

    def test_a_place_that_is_gone_by_then(self):
        """The count is the last line all the same."""
        def meanwhile():
            (self.home / "junit").rmdir()
            (self.home / "junit").write_text("a file")
        child, (out, err) = self.interrupt(signal.SIGINT, meanwhile)
        self.assertEqual(child.returncode, 130, err)
        self.assertIn("ci/test: [Errno 20] Not a directory", err)
        self.assertNotIn("Traceback", err)
        self.assertEqual(out.splitlines()[-1], "1 passed, 0 failed, 1 skipped")

    def test_a_ci_that_cancels(self):
        self.check_interrupted(signal.SIGTERM)


if __name__ == "__main__":
    unittest.main(verbosity=2)
