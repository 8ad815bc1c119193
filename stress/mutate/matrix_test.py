#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does the matrix tell a kill from a survivor, a crash, and a usage error?

The techniques are shell scripts here, and the cores are empty files.
"""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kill_matrix  # noqa: E402
import matrix_cells as cells  # noqa: E402
import matrix_report as reports  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../ci/lib/pages"))
import check  # noqa: E402

# What the program does with each core; $1 is the mutant.
SCRIPT = """#!/bin/sh
case $1 in
*healthy*) exit 0 ;;
*found*) echo "oracle: it is broken"; exit 77 ;;
*crash*) kill -SEGV $$ ;;
*hang*) sleep 60 ;;
*usage*) echo "no such flag" >&2; exit 1 ;;
*) exit 0 ;;
esac
"""


class Matrix(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.here = Path(place.name)
        self.results = self.here / "results.jsonl"
        program = self.here / "program"
        program.write_text(SCRIPT)
        program.chmod(0o755)
        technique = cells.Technique("program", ("{core}",), "{name}.core",
                                    (77,), r"oracle: (.*)", draws=False,
                                    preload=False)
        patch = mock.patch.dict(cells.TECHNIQUES, {"script": technique},
                                clear=True)
        patch.start()
        self.addCleanup(patch.stop)

    def matrix(self, mutants, *arguments):
        """(exit status, what it says)."""
        table = {name: {"first": "", "slow": ""} for name in mutants}
        (self.here / "matrix.json").write_text(json.dumps(table))
        for name in {cells.HEALTHY, *mutants} - {"alien", "port"}:
            (self.here / f"{name}.core").write_text(name)
        command = ["kill_matrix", *arguments]
        if "check" not in arguments:
            command.append(f"--results={self.results}")
        out = io.StringIO()
        with mock.patch.object(sys, "argv", command), \
             mock.patch.object(kill_matrix, "__file__", self.here / "x"), \
             contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                status = kill_matrix.main()
            except SystemExit as end:
                status = end.code
        return status, out.getvalue()

    def run_all(self, mutants, *more):
        return self.matrix(mutants, "run", "--seeds=1", "--limit=1s", *more)

    def test_a_finding_a_crash_and_a_hang_are_kills(self):
        status, text = self.run_all(["found", "crash", "hang"])
        self.assertEqual(status, 0, text)
        self.assertIn("3 of 3 mutants killed", text)
        self.assertIn("it is broken", self.results.read_text())

    def test_a_survivor_fails_the_run_and_the_report(self):
        status, text = self.run_all(["found", "quiet"])
        self.assertEqual(status, 77, text)
        self.assertIn("SURVIVES: quiet.", text)
        self.assertEqual(self.matrix(["found", "quiet"], "report")[0], 77)

    def test_a_full_disk_hides_no_survivor(self):
        self.run_all(["found", "quiet"])
        for mutants, status in ((["found", "quiet"], 77), (["found"], 1)):
            self.results.unlink()
            self.run_all(mutants)
            for flag in ("--html=/dev/null/x", "--markdown=/dev/null/x"):
                found, text = self.matrix(mutants, "report", flag)
                self.assertEqual(found, status, text)
                self.assertIn("the table is not in that file", text)
                self.assertIn("found", text)
        self.results.unlink()
        with mock.patch.object(cells.Results, "append",
                               side_effect=OSError(28, "No space left")):
            status, text = self.run_all(["quiet"])
        self.assertEqual(status, 1, text)
        self.assertIn("No space left; the same command goes on", text)

    def test_results_that_cannot_be_kept_are_refused_first(self):
        with mock.patch.object(cells, "run_all") as run_all:
            self.results = Path("/dev/null/results")
            status, text = self.run_all(["found"])
        self.assertEqual(status, 1, text)
        self.assertIn("/dev/null/results", text)
        run_all.assert_not_called()

    def test_a_usage_error_kills_nothing(self):
        status, text = self.run_all(["usage"])
        self.assertEqual(status, 77, text)
        self.assertIn("error", text)

    def test_a_technique_that_kills_the_healthy_core_is_no_use(self):
        with mock.patch.object(cells, "HEALTHY", "found"):
            status, text = self.run_all(["crash"])
        self.assertEqual(status, 1, text)
        self.assertIn("healthy core", text)

    def test_a_second_run_does_only_what_is_missing(self):
        self.run_all(["found"])
        status, text = self.run_all(["found", "crash"])
        self.assertEqual(status, 0, text)
        self.assertIn("3 cells, 2 of them done", text)

    def test_another_core_is_run_again(self):
        self.run_all(["found"])
        (self.here / "found.core").write_text("found, of another build")
        files = cells.Files(self.here)
        done = cells.Results(self.results).load()
        plan = cells.plan(files, ["found"], ["script"], 1, 1.0)
        self.assertEqual([c.mutant for c in plan if c.key() not in done],
                         ["found"])

    def test_a_line_cut_off_by_a_kill_is_run_again(self):
        self.run_all(["found"])
        whole = self.results.read_bytes()
        self.results.write_bytes(whole[:-10])
        status, text = self.run_all(["found"])
        self.assertEqual(status, 0, text)
        self.assertIn("2 cells, 1 of them done", text)
        self.assertEqual(len(self.results.read_text().splitlines()), 2)

    def test_a_file_that_is_not_ours_is_left_alone(self):
        self.results.write_text("a letter\nto somebody\n")
        status, text = self.run_all(["found"])
        self.assertEqual(status, 1, text)
        self.assertEqual(self.results.read_text(), "a letter\nto somebody\n")

    def test_unknown_names_are_refused_with_those_that_are_known(self):
        status, text = self.run_all(["found"], "--mutants=fond")
        self.assertEqual(status, 1)
        self.assertIn("no mutant 'fond'; there are found", text)
        self.assertEqual(self.run_all(["found"], "--techniques=x")[0], 1)
        self.assertEqual(self.run_all(["found"], "--limit=x")[0], 1)
        for flag in ("--html=", "--markdown=", "--results="):
            status, text = self.matrix(["found"], "report", flag)
            self.assertEqual(status, 1)
            self.assertIn("expected FILE, not ''", text)

    def test_a_mutant_of_a_port_brings_its_own_program(self):
        own = self.here / "port.script"
        own.write_text("#!/bin/sh\necho oracle: its port; exit 77\n")
        own.chmod(0o755)
        status, text = self.run_all(["found", "port"])
        self.assertEqual(status, 0, text)
        self.assertIn("its port", self.results.read_text())

    def test_a_mutant_that_no_technique_runs_is_named(self):
        with mock.patch.object(cells, "SHORT", ["script"]):
            status, text = self.matrix(["found", "alien"], "check")
        self.assertEqual(status, 0, text)
        self.assertIn("left out: alien: no script runs on its port", text)
        self.assertIn("cases: 2 passed, 0 failed", text)

    def test_the_spread_of_the_times(self):
        self.assertEqual(reports.spread([3.0]), "median 3.0 s, p95 3.0 s")
        self.assertEqual(reports.spread([float(n) for n in range(1, 21)]),
                         "median 10.5 s, p95 19.0 s")
        status, text = self.run_all(["found", "quiet"])
        self.assertEqual(status, 77, text)
        self.assertRegex(text, r"script kills 1 \(median 0\.\d s, p95 0\.\d s\)")

    def test_how_small_a_finding_got(self):
        explore = cells._explore("dfs")
        says = ("worker 0: 12 schedules in 1.5 s\n"
                "minimised to 3 operations and 2 choices in 900 runs:\n")
        self.assertEqual(cells.size_of(explore, says, 1.75),
                         {"operations": 3, "choices": 2,
                          "minimised_in": 0.25})
        self.assertEqual(cells.size_of(explore, "it crashed", 1.75), {})
        self.assertEqual(cells.size_of(cells.TECHNIQUES["script"], says, 1), {})

    def test_the_report_says_how_small_the_findings_got(self):
        self.run_all(["found", "crash"])
        self.assertNotIn("made small",
                         self.matrix(["found", "crash"], "report")[1])
        small = [{"operations": n, "choices": n % 3, "minimised_in": n / 10}
                 for n in (2, 8, 3)]
        self.assertEqual(
            reports.sizes([{"verdict": "killed"}, *small]),
            "3 findings made small: median 3 operations (p95 8), 2 choices "
            "(p95 2); that took median 0.3 s, p95 0.8 s.")
        records = [json.loads(line) | small[0]
                   for line in self.results.read_text().splitlines()]
        self.results.write_text("".join(json.dumps(r) + "\n"
                                        for r in records))
        self.assertIn("script: 2 findings made small: median 2 operations",
                      self.matrix(["found", "crash"], "report")[1])

    def test_reports_say_the_same(self):
        self.run_all(["found", "crash"])
        page, table = self.here / "m.html", self.here / "m.md"
        status, _ = self.matrix(["found", "crash"], "report",
                                f"--html={page}", f"--markdown={table}")
        self.assertEqual(status, 0)
        self.assertIn("2 of 2 mutants killed", page.read_text())
        self.assertIn("it is broken", page.read_text())
        self.assertIn("| `crash` | 0.0 |", table.read_text())

    def page(self, mutants):
        page = self.here / "m.html"
        self.matrix(mutants, "report", f"--html={page}")
        return page.read_text()

    def test_the_page_can_be_read_on_a_phone_and_at_night(self):
        self.run_all(["found", "crash", "quiet"])
        page = self.page(["found", "crash", "quiet"])
        pairs = [(text, ground) for text in ("ink", "dim")
                 for ground in ("bg",)] + [
            ("alarm", "bg"), ("ink", "good"), ("ink", "some"), ("ink", "bad")]
        self.assertEqual(list(check.problems(page, pairs)), [])
        used = {cls for many in re.findall(r'class="([^"]*)"', page)
                for cls in many.split()}
        self.assertEqual({cls for cls in used if f".{cls}" not in page}, set())

    def test_only_what_is_wrong_is_red(self):
        """The healthy core is to live: that is no alarm."""
        self.run_all(["found", "quiet"])
        page = self.page(["found", "quiet"])
        rows = dict(re.findall(r"<tr><th[^>]*>(\w+)</th>(.*?)</tr>", page))
        self.assertRegex(rows["healthy"], 'class="good".*>lives<')
        self.assertRegex(page, '<th class="good">healthy<')
        self.assertRegex(rows["found"], 'class="good"')
        self.assertRegex(page, '<th class="bad">quiet<')
        self.assertNotIn('class="bad"', rows["healthy"] + rows["found"])
        text = self.results.read_text()
        self.results.write_text(text.replace(
            '"healthy", ', '"healthy_too", ').replace('"found", ',
                                                      '"healthy", '))
        self.assertRegex(self.page(["found"]), '<th class="bad">healthy<')

    def test_what_a_broken_core_says_is_text(self):
        self.run_all(["found"])
        says = "<script>x</script>\x1b[31m\n\u202e<img onerror=x>"
        records = [dict(json.loads(line), says=says)
                   for line in self.results.read_text().splitlines()]
        self.results.write_text("".join(json.dumps(r) + "\n"
                                        for r in records))
        page = self.page(["found"])
        self.assertNotRegex(page, "<script|<img|[\x1b\u202e]")
        self.assertIn("&lt;script&gt;", page)
        how = cells.TECHNIQUES["script"]
        self.assertEqual(cells.finding_in(how, "oracle: \x1b]0;x\x07 a"),
                         r"\x1b]0;x\x07 a")

    def test_results_that_are_not_ours(self):
        self.run_all(["found"])
        good = self.results.read_text()
        record = json.loads(good.splitlines()[0])
        for bad in ("[" * 100000, "9" * 9999, json.dumps(dict(
                record, seconds="1")), json.dumps(dict(record, says=[])),
                json.dumps(dict(record, limit=1e400))):
            self.results.write_text(bad + "\n" + good)
            status, text = self.matrix(["found"], "report")
            self.assertEqual(status, 1, bad[:40])
            self.assertIn(":1: not a result", text)

    def test_kill_9_loses_only_what_runs(self):
        self.run_all(["found"])
        code = ("import sys; sys.path.insert(0, sys.argv[1]);"
                "import matrix_cells as c;"
                "r = c.Results(sys.argv[2]);"
                "[r.append({'mutant': 'm', 'technique': 't', 'seed': i,"
                "'limit': 1, 'core': '', 'verdict': 'killed', 'seconds': 1,"
                "'says': 'x' * 500}) for i in range(10**6)]")
        beside = os.path.dirname(os.path.abspath(cells.__file__))
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", code, beside, self.results])
        while self.results.stat().st_size < 5000:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertGreater(len(cells.Results(self.results).load()), 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
