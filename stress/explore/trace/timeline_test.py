# SPDX-License-Identifier: MIT
"""What explore replay says to programs and to browsers.

usage: timeline_test.py EXPLORE
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../../ci/lib/pages"))
import check  # noqa: E402

EXPLORE = None

# Waits, hand-overs, an interrupt, a store that is held back, a deadlock.
DEADLOCK = """machine cpus=2 slots=2 pages=4
irq I cpu=0: local p3; check
task A cpu=0: kmap p0; raise I; kmap p1
task B cpu=1: kmap p2
A: kunmap p0
B: kmap p3; kmap p0
A: kmap p2; kmap p0
choices v2: 9=hold
"""

KINDS = ["count", "owner", "free", "pte", "tlb", "slot", "queue", "lock",
         "depth", "task", "stores"]


OFFLINE_AND_CALM = """machine cpus=2
task A cpu=0: kmap p0; kunmap p0; flush
choices v2: 3=offline:1 16=online:1
calm after 20
"""


# Goes into no page as it is: into esc(), textContent, or a comparison.
SAFE = ("t.name", "h.name", "c.name", "pageName(p)", "name(valueOf(c, i) - 1)")


def replay(form, text=DEADLOCK):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "deadlock.hmt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        result = subprocess.run([EXPLORE, "replay", path, "--trace=" + form],
                                capture_output=True, text=True, check=False)
    return result


class Json(unittest.TestCase):
    def setUp(self):
        result = replay("json")
        self.assertEqual(result.returncode, 70, result.stderr)
        self.run_ = json.loads(result.stdout)

    def test_head(self):
        run = self.run_
        self.assertEqual(run["format"], "highmem-trace-1")
        self.assertEqual(run["verdict"], "deadlock")
        self.assertIn("task A cpu=0", run["program"])
        self.assertIn("choices v2: 9=hold", run["program"])
        self.assertIn("A holds", run["why"])
        self.assertRegex(run["trace_hash"], "^[0-9a-f]{16}$")
        self.assertEqual(run["machine"],
                         {"cpus": 2, "slots": 2, "colours": 1, "depth": 4})
        self.assertEqual([a and a["name"] for a in run["actors"]],
                         ["A", "B", None, None, "I", None])
        self.assertEqual(run["places"][:3],
                         ["slot0", "slot1", "window0@cpu0"])

    def test_cells(self):
        seen = set()
        for cell in self.run_["cells"]:
            self.assertIn(cell["kind"], KINDS)
            self.assertNotIn(cell["name"], seen)
            seen.add(cell["name"])
        self.assertIn("p0.count", seen)
        self.assertIn("cpu1 tlb slot0", seen)

    def test_entries(self):
        run = self.run_
        changed = set()
        step = 0
        for entry in run["entries"]:
            self.assertGreaterEqual(entry["step"], step)
            step = entry["step"]
            self.assertIsNotNone(run["actors"][entry["actor"]])
            for cell, value in entry.get("set", []):
                self.assertIsInstance(value, int)
                changed.add(cell)
        self.assertEqual(changed, set(range(len(run["cells"]))),
                         "a cell is listed that does not change")
        kinds = {entry["kind"] for entry in run["entries"]}
        self.assertLessEqual({"begin", "end", "enter", "leave", "switch",
                              "drain", "access", "stall", "verdict"}, kinds)
        self.assertTrue(any(e.get("held") for e in run["entries"]))


class Page(unittest.TestCase):
    def setUp(self):
        result = replay("html")
        self.assertEqual(result.returncode, 70, result.stderr)
        self.page = result.stdout

    def test_size(self):
        self.assertLess(len(self.page.encode()), 200 * 1000)

    def test_needs_no_network(self):
        self.assertIn("default-src 'none'", self.page)
        for word in ["http:", "https:", "//cdn", "url(http", "src=",
                     "<link", "@import", "fetch(", "XMLHttpRequest"]:
            self.assertNotIn(word, self.page)

    def test_knows_what_it_marks(self):
        """By their words and kinds: the calm phase, and CPUs that are offline."""
        run = json.loads(replay("json", OFFLINE_AND_CALM).stdout)
        says = [e["says"] for e in run["entries"] if e["kind"] == "chance"]
        self.assertEqual(says, ["cpu1 goes offline", "cpu1 comes online"])
        for word in ("goes offline", "comes online"):
            self.assertIn("`cpu${c} " + word + "`", self.page)
        calm = [e for e in run["entries"] if e["kind"] == "calm"]
        self.assertEqual([e["step"] for e in calm], [21])
        self.assertIn("e.kind === 'calm'", self.page)

    def test_holds_the_run(self):
        found = re.search(
            r'<script type="application/json" id="run">\n(.*?)</script>',
            self.page, re.DOTALL)
        self.assertEqual(json.loads(found.group(1)),
                         json.loads(replay("json").stdout))

    def test_can_be_read_on_a_phone_and_at_night(self):
        """What is drawn in a colour has one in both modes, and text on it can
        be read: no grey on yellow."""
        pairs = [(text, ground) for text in ("ink", "dim", "bad", "good")
                 for ground in ("bg", "lane")]
        pairs += [("on", f"a{nr}") for nr in range(6)]      # bars, badges
        pairs += [(f"a{nr}", "bg") for nr in range(6)]      # names of actors
        pairs += [("on", f"p{nr}") for nr in range(10)]
        pairs += [("on", name) for name in ("bad", "good", "warn", "dim")]
        pairs += [("here-ink", "here"), ("tip-ink", "tip")]
        self.assertEqual(list(check.problems(self.page, pairs,
                                             may_script=True)), [])
        self.assertRegex(self.page, r"\.here \*, \.fresh \* \{ color: inherit")
        script = self.page[self.page.rindex("<script>"):]
        self.assertEqual(re.findall(r"#[0-9a-f]{3,8}\b|hsl\(|rgb\(", script),
                         [], "a colour that is no variable")

    def test_every_word_is_escaped(self):
        """Words of the run reach innerHTML by esc() only."""
        script = self.page[self.page.rindex("<script>"):]
        for put in re.findall(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}", script):
            if re.search(r"(\.name|\.says|\.at\b|pageName\(|\bname\()", put) and (
                    not re.search(r"esc\(|textContent", put)):
                self.assertIn(put, SAFE)

    def test_is_whole(self):
        self.assertTrue(self.page.startswith("<!DOCTYPE html>\n"))
        self.assertTrue(self.page.endswith("</html>\n"))
        self.assertIn(r"'\u2013'", self.page, "a backslash got lost")
        self.assertEqual(self.page.count("<script"),
                         self.page.count("</script>"))


class Full(unittest.TestCase):
    def test_locks_tlbs_and_lines(self):
        text = replay("full").stdout
        self.assertIn("locks: A has pkmap.lock", text)
        self.assertRegex(text, r"TLBs:   cpu0 \{ slot0=p0 \}  cpu1 \{")
        self.assertRegex(text, r"p0\.count 0->2 +"
                               r"(slot_install pkmap\.c:\d+|\+0x)")


if __name__ == "__main__":
    EXPLORE = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
