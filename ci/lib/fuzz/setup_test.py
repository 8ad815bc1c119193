# SPDX-License-Identifier: MIT
"""ci/setup, and how the commands call it: on machines that lack something.

apt-get, dpkg-query, id and sudo are fakes, first in $PATH.
"""

import os
import shutil
import signal
import subprocess
import time

import corpus_dir

from .in_directory import InDirectory

COMMANDS = ("coverage", "fuzz", "lint", "test")

_APT = r"""#!/bin/sh
echo "$@" >> "$LOG"
case $APT in
fails) echo "E: no such package"; exit 100 ;;
slow) printf 'Unpacking \033[31mclang-19 ...\n'; sleep 2.5 ;;
hangs) trap 'echo ended >> "$LOG"; exit 1' TERM
       : > "$LOG.begun"; while :; do sleep 0.05; done ;;
esac
case "$*" in *install*) : > "$INSTALLED" ;; esac
"""
_DPKG = r"""#!/bin/sh
for last; do :; done
[ "$last" != "$MISSING" ] || [ -e "$INSTALLED" ] || exit 1
echo installed
"""


class Setup(InDirectory):
    def setUp(self):
        super().setUp()
        self.script(_APT, "bin/apt-get")
        self.script(_DPKG, "bin/dpkg-query")
        self.script('#!/bin/sh\necho "$WHO"\n', "bin/id")
        self.script('#!/bin/sh\nexit 1\n', "bin/sudo")
        self.environment = {
            "PATH": self.path("bin") + ":/usr/bin:/bin", "APT": "", "WHO": "0",
            "LOG": self.path("log"), "INSTALLED": self.path("installed"),
            "MISSING": "clang-19", "CI_SETUP_INTERVAL": "1"}
        self.top = self.path("top")
        os.makedirs(self.path("top", "ci"))
        for name in COMMANDS + ("setup",):
            shutil.copy("ci/" + name, self.path("top", "ci", name))

    def run_it(self, name, *arguments, **environment):
        done = subprocess.run(
            [self.path("top", "ci", name), *arguments], cwd=self.dir,
            env={**self.environment, **environment}, capture_output=True,
            stdin=subprocess.DEVNULL, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def asked(self):
        """What apt-get was asked to do."""
        try:
            return corpus_dir.read(self.path("log")).decode()
        except FileNotFoundError:
            return ""

    def test_nothing_is_missing(self):
        self.assertEqual(self.run_it("setup", MISSING=""), (0, "", ""))
        self.assertEqual(self.asked(), "")

    def test_it_installs_and_says_what(self):
        status, _, err = self.run_it("setup")
        self.assertEqual(status, 0, err)
        self.assertIn("installing clang-19; this takes some minutes", err)
        self.assertRegex(self.asked(), r"(?s)^update.*\ninstall .* clang-19")

    def test_a_subject_has_packages_of_its_own(self):
        missing = {"MISSING": "linux-source-6.1"}
        self.assertEqual(self.run_it("setup", **missing), (0, "", ""))
        status, _, err = self.run_it("setup", "--subject", "linux", **missing)
        self.assertEqual(status, 0, err)
        self.assertRegex(self.asked(), r"\ninstall .* linux-source-6\.1\n")
        for words, why in ((("--subject",), "expected linux, not ''"),
                           (("--subject=bsd",), "expected linux, not 'bsd'")):
            status, _, err = self.run_it("setup", *words)
            self.assertEqual((status, err.count("\n")), (1, 1), err)
            self.assertIn(why, err)

    def test_the_line_for_root_begins_with_an_update(self):
        status, _, err = self.run_it("setup", WHO="1000")
        self.assertEqual((status, self.asked()), (1, ""))
        line = err.rpartition("as root, run: ")[2]
        self.assertEqual(line, "apt-get update && apt-get install "
                         "--no-install-recommends clang-19\n")
        subprocess.run(["/bin/sh", "-c", line], check=True,
                       env=self.environment)
        self.assertEqual(self.run_it("setup", WHO="1000")[0], 0)

    def test_minutes_of_silence_are_filled(self):
        status, _, err = self.run_it("setup", APT="slow")
        self.assertEqual(status, 0, err)
        self.assertIn("ci/setup: apt-get update, 1 s so far: Unpacking "
                      "[31mclang-19 ...\n", err)

    def test_what_fails_says_so(self):
        status, _, err = self.run_it("setup", APT="fails")
        self.assertEqual(status, 1)
        self.assertIn("E: no such package", err)
        self.assertIn("run ci/setup again", err)

    def test_ctrl_c(self):
        with subprocess.Popen(
                [self.path("top", "ci", "setup")],
                env={**self.environment, "APT": "hangs"},
                # Whoever runs this in the background has it ignored.
                preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                 signal.SIG_DFL),
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            while not os.path.exists(self.path("log.begun")):
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            err = process.stderr.read().decode()
            self.assertEqual(process.wait(), 130, err)
        self.assertIn("ci/setup: interrupted; run it again", err)
        self.assertIn("ended", self.asked(), "apt-get was not told")

    def test_help_installs_nothing(self):
        """Also without python3, which the commands are written in."""
        for name in COMMANDS + ("setup",):
            path = self.path("top", "ci", name)
            text = corpus_dir.read(path).decode()
            self.script(text.replace("/usr/bin/python3", "/none/python3"),
                        path)
            for flag in ("--help", "-h"):
                status, out, err = self.run_it(name, flag)
                self.assertEqual(self.asked(), "", name)
                if name == "setup":
                    self.assertEqual((status, err), (0, ""))
                else:
                    self.assertEqual(status, 1)
                    self.assertIn("run ci/setup", err)
            if name != "setup":
                status, _, err = self.run_it(name, APT="fails")
                self.assertEqual(status, 1, name)
                self.assertIn("update", self.asked())
                os.unlink(self.path("log"))
