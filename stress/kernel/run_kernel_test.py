#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does run_kernel.py notice each way in which a kernel can go wrong?

usage: run_kernel_test.py IMG
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, HERE)
from ktap import Ktap  # noqa: E402

RUNNER = os.path.join(HERE, "run_kernel.py")
FAST_CASE = "kmap_of_lowmem"  # one that takes no time

KERNEL = None


def run(*arguments, kernel=None, **environment):
    command = ["/usr/bin/python3", RUNNER, "--kernel", kernel or KERNEL,
               *arguments]
    return subprocess.run(command, capture_output=True, text=True,
                          check=False, env={**os.environ, **environment})


class Kernels(unittest.TestCase):
    def verdict(self, kind, code, sentence, *arguments):
        result = run("--case", FAST_CASE, "--break", kind, *arguments)
        self.assertEqual(result.returncode, code, result)
        self.assertIn(sentence, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertEqual(result.stdout.count("\nreplay: "), 1)
        return result

    def test_healthy(self):
        result = run("--case", FAST_CASE)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(result.stderr, "")
        self.assertTrue(
            result.stdout.startswith("accelerator: tcg\nresults: /"))
        self.assertTrue(result.stdout.endswith(
            "cases: 1 passed, 0 failed, 0 skipped\n"))

    def test_failed_case(self):
        result = self.verdict("fail", 77, "failed: fail")
        self.assertIn("# it was asked to fail\nnot ok 2 fail\n",
                      result.stdout)
        self.assertTrue(result.stdout.endswith(
            "cases: 1 passed, 1 failed, 0 skipped\n"))

    def test_unexpected_report(self):
        result = self.verdict("bug", 77, "failed: bug")
        self.assertIn("# unexpected: a report", result.stdout)

    def test_page_fault(self):
        result = self.verdict("fault", 77, "page fault: write at 0x123")
        self.assertIn("while running fault", result.stdout)
        self.assertIn("# backtrace:\n#   0xc01", result.stdout)

    def test_text_is_read_only(self):
        self.verdict("text", 77, "which is read-only")

    def test_stack_overflow(self):
        self.verdict("overflow", 77, "stack overflow")

    def test_hang(self):
        self.verdict("hang", 70, "the kernel hung after 1 cases",
                     "--timeout", "10s")

    def test_stall(self):
        self.verdict("stall", 70, "stalled after 1 cases: still running")

    def test_sleep_that_nobody_ends(self):
        result = self.verdict("asleep", 77, "failed: asleep")
        for line in [
                "# a machine of 1 CPUs has run its tasks, tick ",
                "# task 1: asleep without a deadline, CPU 0, 0 local maps",
                "# slot 0: page 2 of mem_map, whose word says slot 0, count 2",
                "# slot 1: page 3 of mem_map, whose word says slot 1, count 2",
                "# colour 0: 1 wait, lock free, next slot 2\n",
                "#   task 1: granted 0",
                "# reported: it was reported, and nobody asked\n",
                "# a task sleeps and nobody will wake it\n"]:
            self.assertIn(line, result.stdout)

    def test_cut_log_of_a_kernel_that_says_passed(self):
        self.verdict("cut", 77, "the log is cut: 1 results of 2 planned")

    def test_reset(self):
        self.verdict("reset", 77, "reset the PC after 1 cases")

    def test_cpu_with_interrupts_off_is_seen_by_another(self):
        result = self.verdict(
            "lockup", 70, "CPU 1 has interrupts off and does not go on (CPU 0)",
            "--smp", "2")
        self.assertIn("#  CPU 1: interrupts off, for good", result.stdout)
        self.assertRegex(result.stdout, r"# CPU 1: task 1(.*\n)+?"
                         r"# backtrace:\n#   0xc01\w+  lock_up at break.c")

    def test_page_fault_on_another_cpu(self):
        result = self.verdict("elsewhere", 77, "write at 0x123", "--smp", "2")
        self.assertRegex(result.stdout, r"# CPU 0: task 0, .*\n"
                         "# it is idle, at")
        self.assertIn("Bail out! page fault: write at 0x123, which is not "
                      "mapped (CPU 1)\n", result.stdout)
        self.assertRegex(result.stdout, r"#  CPU 1: switch 0x0 0x1\n")

    def test_spin_lock_taken_twice(self):
        self.verdict("twice", 77, "taken twice on one CPU: deadlock")


class Environment(unittest.TestCase):
    def refused(self, result, sentence, code=1):
        self.assertEqual(result.returncode, code, result)
        self.assertIn(sentence, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result)

    def test_too_little_memory(self):
        self.refused(run("--mem", "3M"), "RAM ends at 2 MiB")

    def test_kernel_does_not_fit(self):
        began = time.monotonic()
        self.refused(run("--mem", "1M"),
                     "--mem 1M is too little: the kernel alone ends at 2.")
        self.assertLess(time.monotonic() - began, 30, "it was not booted")

    def test_no_kernel(self):
        for content in (b"", b"\x7fELF", b"\x7fELF\x01" + bytes(60),
                        b"\x7fELF\x02" + bytes(60), bytes(200)):
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                self.refused(run(kernel=file.name),
                             f"{file.name} is no ELF file for i386")

    def test_no_highmem(self):
        result = run("--case", FAST_CASE, "--mem", "128M")
        self.assertIn("# SKIP there is no highmem", result.stdout)
        self.assertEqual(result.returncode, 4, result)
        self.assertIn("skipped: kernel: every case was skipped: nothing was "
                      "tested\n", result.stdout)
        self.refused(run("--case", FAST_CASE, "--mem", "128M",
                         "--break", "fault"), "page fault: write at 0x123", 77)
        result = run("--case", FAST_CASE, "--mem", "128M",
                     "--append", "highmem=32M")
        self.assertIn("cases: 1 passed, 0 failed, 0 skipped", result.stdout)

    def test_broken_memory_map(self):
        for words, sentence in [
                ("memmap=0-9f000,100000-8000000,9000000-8800000",
                 "a range that ends before it starts"),
                ("memmap=0-9f000", "no RAM at 1 MiB"),
                ("memmap=100000", "memmap=100000: not START-END:TYPE"),
                ("mmap_length=30", "ends in the middle of an entry"),
                ("mmap_length=0", "the memory map is empty"),
                ("mmap_length=100000000", "lies above 8 MiB"),
        ]:
            result = run("--append", words)
            self.refused(result, sentence)
            self.assertIn("\nBail out! ", result.stdout)

    def test_map_of_another_pc(self):
        result = run("--case", FAST_CASE, "--pae", "--append",
                     "memmap=0-9f000,100000-10000000,20000000-3c000000")
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("# 639 MiB of lowmem, 64 MiB of highmem from pfn "
                      "0x38000 on\n", result.stdout)

    def test_cpus_that_can_do_less(self):
        for cpu, code, sentence in [
                ("max,-nx", 0, "# page tables: PAE: there is RAM above 4 GiB"),
                ("max,-pae", 4, "# page tables: without PAE: the CPU has no "
                                "PAE"),
                ("qemu32", 4, "# warning: RAM beyond the 32 bits of a "
                              "physical address is ignored"),
        ]:
            result = run("--case", "_4_gib", "--mem", "6G", "--cpu", cpu)
            self.assertEqual(result.returncode, code, result)
            self.assertIn(sentence + "\n", result.stdout)
        self.refused(run("--cpu", "pentium"), "this CPU is no i686")

    def test_large_module(self):
        with tempfile.NamedTemporaryFile(suffix=".hmt") as module:
            module.truncate(10000001)  # beyond the provisional page tables
            self.refused(run("--module", module.name), "bad boot module")

    def test_boot_words_that_make_no_layout(self):
        for words, sentence in [
                ("vmalloc=2G", "vmalloc=2048M is too much"),
                ("highmem=lots", "highmem=lots"),
                ("page_offset=0x80000000", "linked for page_offset"),
                ("pae nopae", "contradict each other"),
        ]:
            self.refused(run("--append", words), sentence)

    def test_no_such_case(self):
        self.refused(run("--case", "no.such.case"), "no case has that text")

    def test_no_image(self):
        self.refused(run(kernel="/nonexistent"), "cannot read the kernel")

    def test_not_an_image(self):
        self.refused(run(kernel="/etc/passwd"), "is no ELF file for i386")

    def test_unknown_flag(self):
        self.refused(run("--colour"), "there is no option --colour")

    def test_bad_cpus(self):
        self.refused(run("--cpu", "a;b"), "a CPU as QEMU calls it, not 'a;b'")
        self.refused(run("--cpu", "nonesuch"), "QEMU ended with status 1")

    def test_bad_values(self):
        for flag, value, sentence in [
                ("--timeout", "soon", "500ms, 30s or 8h, up to 365d, not 'soon'"),
                ("--timeout", "0s", "expected a time above 0 "),
                ("--mem", "1T", "a size such as 1G or 512M, not '1T'"),
                ("--smp", "0", "a number from 1 to 8, not '0'"),
                ("--smp", "two", "a number from 1 to 8, not 'two'"),
                ("--seed", "-1", "a number from 0 to 4294967295, not '-1'"),
                ("--seed", str(2**32), "a number from 0 to 4294967295, not "),
                ("--time", "1.5s", "a time of whole seconds, up to 168h, not '1.5s'"),
                ("--time", "200h", "a time of whole seconds, up to 168h"),
                ("--run", "away", "expected one of suite, torture, bench, not 'away'"),
                ("--append", "gr\u00fcn", "--append: expected printable ASCII"),
                ("--accel", "hvf", "--accel: expected one of auto, "),
                ("--case", "a b", "a part of a case's name, not 'a b'"),
                ("--break", "glass", "asleep, not 'glass'")]:
            with self.subTest(flag=flag, value=value):
                self.refused(run(flag, value), sentence)

    def test_count_of_instructions_without_tcg(self):
        for accel in ("kvm", "tcg-multi"):
            self.refused(run("--icount", "--accel", accel),
                         f"--icount does not go with --accel {accel}")

    def test_pae_and_nopae(self):
        self.refused(run("--pae", "--nopae"), "--nopae does not go with --pae")

    def test_words_that_the_kernel_refuses(self):
        self.refused(run("--case", "random_programs_two_slots",
                         "--append", "seed=3x"),
                     "seed=3x: not a number")
        self.refused(run("--append", "break=glass"),
                     "break=glass: there is no such kind")
        self.refused(run("--append", "mems=512M"),
                     "mems=512M: there is no such boot word; there are pae ")

    def test_seed_chooses_the_programs(self):
        counts = [re.search(r"# 100 programs, \d+ op", run(
            "--case", "random_programs_two_slots", *seed).stdout).group()
            for seed in [(), ("--seed", "1"), ("--seed", "7")]]
        self.assertEqual(counts[0], counts[1])
        self.assertNotEqual(counts[0], counts[2])

    def test_directory_that_cannot_be_made(self):
        self.refused(run("--case", FAST_CASE, "--out", "/dev/null/there"),
                     "cannot keep the results in /dev/null/there: "
                     "Not a directory")

    def test_disk_that_is_full(self):
        with tempfile.TemporaryDirectory() as out:
            os.symlink("/dev/full", os.path.join(out, "console.log"))
            self.refused(run("--case", FAST_CASE, "--out", out),
                         "No space left on device")

    def test_no_qemu_is_not_a_pass(self):
        result = run(PATH="/nonexistent")
        self.assertEqual(result.returncode, 4, result)
        self.assertEqual(result.stdout, "skipped: kernel: qemu-system-i386 is "
                         "not installed; ci/setup installs it\n")


class Console(unittest.TestCase):
    """What a kernel says is text, whatever it is."""

    QEMU = r"""#!/bin/sh
printf 'KTAP version 1\n1..1\n\033]0;owned\007\033[2J\200\n'
printf 'not ok 1 a\033[31mb\n# Totals: pass:0 fail:1 skip:0\n'
printf '\033[31mwhat\233' >&2
exit $STATUS
"""

    def said(self, status):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "qemu-system-i386")
            with open(path, "w", encoding="ascii") as file:
                file.write(self.QEMU)
            os.chmod(path, 0o755)
            result = run("--out", os.path.join(folder, "out"), STATUS=status,
                         PATH=folder + ":" + os.environ["PATH"])
            with open(os.path.join(folder, "out", "run.txt"),
                      encoding="utf-8") as file:
                return (result.returncode,
                        result.stdout + result.stderr + file.read())

    def test_nothing_steers_a_terminal(self):
        for status, code, words in (("35", 77, r"failed: a\x1b[31mb"),
                                    ("9", 1, r"\x1b[31mwhat")):
            returned, said = self.said(status)
            self.assertEqual(returned, code, said)
            self.assertIn(words, said)
            self.assertNotRegex(said, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Machines(unittest.TestCase):
    """What this kernel cannot do is skipped, with its own sentence."""

    def skipped(self, *arguments):
        result = run("--case", FAST_CASE, *arguments)
        self.assertEqual(result.returncode, 4, result)
        self.assertRegex(result.stdout, r"\nskipped: kernel: \w.{10,}\n")
        self.assertNotIn("cases:", result.stdout)
        passes = run("--case", FAST_CASE, "--skip-passes", *arguments)
        self.assertEqual(passes.returncode, 0, passes)

    def test_more_cpus_than_it_can(self):
        # The port has no more than HIGHMEM_MAX_CPUS, 8, on a PC of 1.
        self.skipped("--append", "smp=9")

    def test_32_bit_entries(self):
        result = run("--case", FAST_CASE, "--nopae", "--mem", "5G")
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("# page tables: without PAE: a boot word says so",
                      result.stdout)
        self.assertRegex(result.stdout, "# warning: .* are not used")

    def test_64_bit_entries(self):
        result = run("--case", FAST_CASE, "--pae")
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("# page tables: PAE and NX: a boot word says so",
                      result.stdout)


class Kept(unittest.TestCase):
    """A run with a directory of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "a", "b")

    def kept(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8") as file:
            return file.read()

    def start(self, *arguments):
        """A run that does not end, once it has begun to hang."""
        process = subprocess.Popen(
            ["/usr/bin/python3", RUNNER, "--kernel", KERNEL, "--out", self.out,
             "--case", FAST_CASE, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process


class Results(Kept):
    def hanging(self):
        process = self.start("--break", "hang")
        for line in process.stdout:
            if line.startswith("ok 1 "):
                return process
        self.fail("the kernel did not come to its first case")

    def test_all_of_a_run(self):
        result = run("--case", FAST_CASE, "--seed", "5", "--out", self.out)
        self.assertIn(f"\nresults: {self.out}\n", result.stdout)
        self.assertIn("\nKTAP version 1\n1..1\n", self.kept("console.log"))
        facts = self.kept("run.txt")
        for fact in ("verdict: 0 ok\n", "seed: 5\n", "--seed 5",
                     "-append '-- seed=5 case=" + FAST_CASE):
            self.assertIn(fact, facts)

    def test_verdict_of_a_failure(self):
        run("--case", FAST_CASE, "--break", "fail", "--out", self.out)
        self.assertIn("verdict: 77 failed: fail\n", self.kept("run.txt"))

    def test_interrupted(self):
        process = self.hanging()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), 130)
        self.assertEqual(process.stderr.read(), "run_kernel: interrupted\n")
        self.assertIn("verdict: 130 interrupted\n", self.kept("run.txt"))
        self.assertIn("\nok 1 ", self.kept("console.log"))

    def test_killed(self):
        process = self.hanging()
        process.kill()
        process.wait()
        self.assertIn("verdict: none: the run was cut", self.kept("run.txt"))
        self.assertIn("\nok 1 ", self.kept("console.log"))

    def test_two_runs_have_two_directories(self):
        with tempfile.TemporaryDirectory() as cache:
            for _ in range(2):
                run("--case", FAST_CASE, TEST_UNDECLARED_OUTPUTS_DIR="",
                    TEST_TMPDIR="", XDG_CACHE_HOME=cache)
            runs = os.listdir(os.path.join(cache, "highmem-kernel"))
            self.assertEqual(len(runs), 2)


class Debugger(Kept):
    """QEMU waits, and answers at the port that was printed."""

    def test_gdb(self):
        process = self.start("--gdb")
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for line in process.stdout:
            match = re.match(r"gdb -ex 'target remote (\S+):(\d+)' (\S+)\n",
                             line)
            if match:
                break
        self.assertEqual(match.group(3), KERNEL)
        with self.connect(match.group(1), int(match.group(2))) as gdb:
            gdb.sendall(b"$?#3f")
            self.assertRegex(self.answer(gdb), rb"^\+\$T05")
            self.assertEqual(self.kept("console.log"), "")
            gdb.sendall(b"+$c#63")
            rest = process.stdout.read()
        self.assertIn("\nok 1 ", rest)
        self.assertEqual(process.wait(), 0)

    @staticmethod
    def answer(gdb):
        data = b""
        while b"#" not in data:
            more = gdb.recv(100)
            if not more:
                break
            data += more
        return data

    def connect(self, host, port):
        for _ in range(600):
            try:
                return socket.create_connection((host, port))
            except ConnectionRefusedError:
                time.sleep(0.05)
        self.fail("nobody listens for a debugger")


class Logs(unittest.TestCase):
    WHOLE = ["KTAP version 1", "1..3", "# a note", "ok 1 a",
             "# why", "not ok 2 b", "ok 3 c # SKIP no PAE",
             "# Totals: pass:1 fail:1 skip:1"]

    def inconsistency(self, lines):
        ktap = Ktap()
        for line in lines:
            ktap.feed(line)
        return ktap.inconsistency()

    def test_whole(self):
        self.assertIsNone(self.inconsistency(self.WHOLE))

    def test_any_line_of_weight_missing(self):
        for line in self.WHOLE:
            if line in ("# a note", "# why"):
                continue
            rest = [other for other in self.WHOLE if other != line]
            self.assertIsNotNone(self.inconsistency(rest), line)

    def test_cut_anywhere(self):
        for end in range(len(self.WHOLE)):
            self.assertIsNotNone(self.inconsistency(self.WHOLE[:end]))

    def test_repeated_result(self):
        lines = self.WHOLE[:4] + self.WHOLE[3:]
        self.assertIn("result 2 is missing", self.inconsistency(lines))

    def test_nothing_planned(self):
        lines = ["KTAP version 1", "1..0 # SKIP too few CPUs",
                 "# Totals: pass:0 fail:0 skip:0"]
        self.assertIsNone(self.inconsistency(lines))
        self.assertIn("is cut", self.inconsistency(lines[:2]))
        self.assertIn("skips them all", self.inconsistency(
            ["KTAP version 1", "1..2 # SKIP too few CPUs"]))

    def test_two_plans(self):
        lines = self.WHOLE[:2] + self.WHOLE[1:]
        self.assertIn("two plans", self.inconsistency(lines))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 1)
    KERNEL = os.path.abspath(sys.argv.pop())
    unittest.main(verbosity=2)
