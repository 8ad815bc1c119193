# SPDX-License-Identifier: MIT
"""explore as a user runs it: verbs, files, sentences and exit codes.

usage: explore_test.py EXPLORE
"""

import itertools
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

EXPLORE = None

HAND_OVER = """machine cpus=2 slots=2 pages=4
task A cpu=0: kmap p0; kmap p1; kunmap p0
task B cpu=1: kmap p2; write p2; check
"""

DEADLOCK = """machine cpus=2 slots=2 pages=4
task A cpu=0: kmap p0
task B cpu=1: kmap p1
A: kmap p2
B: kmap p3
"""


# Those that read a FILE.
VERBS = (["run"], ["replay"], ["minimize", "-o", "out"], ["explain"],
         ["export", "--c"])


class Explorer(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text=None):
        path = os.path.join(self.folder.name, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def explore(self, *arguments, limit=None):
        """@limit: bytes that a file may have."""
        def full():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return subprocess.run([EXPLORE, *arguments], capture_output=True,
                              text=True, check=False, cwd=self.folder.name,
                              preexec_fn=None if limit is None else full)

    def expect(self, code, *arguments):
        result = self.explore(*arguments)
        self.assertEqual(result.returncode, code, result)
        return result

    def refused(self, sentence, *arguments):
        result = self.expect(1, *arguments)
        self.assertIn(sentence, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)


class Usage(Explorer):
    def test_help(self):
        self.assertIn("usage: explore run", self.expect(0, "--help").stdout)

    def test_bad_arguments_get_one_sentence(self):
        program = self.path("p.hmt", HAND_OVER)
        self.refused("what shall it do: run, exhaust, replay")
        self.refused("there is no 'dance'; there are run, exhaust", "dance")
        self.refused("there is no option --wrong", "run", program, "--wrong")
        self.refused("did you mean --seed?", "run", program, "--sed=1")
        self.refused("--seed comes twice", "run", program, "--seed=1", "--seed=1")
        self.refused("not both", "run", program, "--generate")
        self.refused("run has no use for --pae", "run", program, "--pae")
        self.refused("or a commit's hash, not 'x'", "run", program, "--seed=x")
        self.refused("ipi,tlb,oom,hotplug, not 'rain'", "run", program,
                     "--faults=rain")
        self.refused("run wants a FILE, or --generate", "run")
        self.refused("replay wants FILE", "replay")
        self.refused("one FILE only", "replay", program, program)
        self.refused("export wants one of --c and --hmt", "export", program)

    def test_bad_files_get_their_place(self):
        self.refused("No such file", "replay", self.path("none.hmt"))
        self.refused("is empty", "replay", self.path("e.hmt", ""))
        bad = self.path("bad.hmt", HAND_OVER + "A: kmap p9\n")
        self.refused(bad + ":4: expected a page p0 to p3", "replay", bad)
        bad = self.path("alloc.hmt", HAND_OVER + "choices v2: 0=alloc:0\n")
        self.refused(bad + ":4: expected a number from 1 to 4", "replay", bad)
        bad = self.path("late.hmt", HAND_OVER + "choices v2: 5=B 3=A\n")
        self.refused(bad + ":4: expected a number from 5", "replay", bad)

    def test_what_is_no_program(self):
        for text, why in (("task A: kmap p0\n", "a machine line first, such"),
                          ("\ufeff" + HAND_OVER, "byte order mark"),
                          ("# notes\n", "found the end of the file"),
                          ("0123456789abcdef", "is read with --bytes"),
                          ("\1\2\3\4", "is read with --bytes")):
            path = self.path("it", text)
            for verb in VERBS:
                with self.subTest(text=text, verb=verb):
                    self.refused(why, *verb, path)

    def test_bytes_that_are_asked_for(self):
        path = self.path("it", "0123456789abcdef")
        result = self.expect(0, "replay", "--bytes", "--trace=none", path)
        self.assertIn("looks like text without", result.stderr)
        self.expect(0, "run", path, "--bytes", "--iterations=5")

    def test_standard_input(self):
        path = self.path("p.hmt", HAND_OVER + "choices v2: 9=B 15=A\n")
        for words in (("replay",), ("replay", "--trace=json"), ("explain",),
                      ("export", "--hmt"), ("run", "--iterations=20",
                                            "--seed=1", "--strategy=dfs")):
            with self.subTest(words=words):
                named = self.expect(0, *words, path).stdout
                with open(path, encoding="utf-8") as file:
                    piped = subprocess.run(
                        [EXPLORE, *words, "-"], stdin=file, text=True,
                        capture_output=True, check=False)
                self.assertEqual(piped.returncode, 0, piped)
                self.assertEqual(*(re.sub(r" in \S+ s", "", text) for text in
                                   (named, piped.stdout)))

    def test_choices_of_another_version(self):
        for version in ("", " v1"):
            old = self.path("old.hmt", HAND_OVER + f"choices{version}: 9=B\n")
            for verb in VERBS:
                self.refused(old + ":4: choices of ", *verb, old)


class Run(Explorer):
    def test_a_healthy_program_survives(self):
        program = self.path("p.hmt", HAND_OVER)
        for strategy in ("random", "pct", "portfolio"):
            result = self.expect(0, "run", "--strategy=" + strategy,
                                 "--iterations=300", "--seed=1", program)
            self.assertIn("300 schedules", result.stdout)
        result = self.expect(0, "run", "--strategy=dfs",
                             "--max-preemptions=1", "--faults=none", program)
        self.assertIn("all there are within the bound", result.stdout)

    def test_generated_programs_and_jobs(self):
        result = self.expect(0, "run", "--generate", "--iterations=600",
                             "--jobs=2", "--seed=" + "0123456789" * 4)
        self.assertIn("worker 0: ", result.stdout)
        self.assertIn("worker 1: ", result.stdout)

    def test_the_same_seed_does_the_same(self):
        runs = {self.expect(0, "run", "--generate", "--iterations=400",
                            "--seed=5").stdout.split(" in ")[0]
                for _ in range(2)}
        self.assertEqual(len(runs), 1)

    def test_interrupted(self):
        process = subprocess.Popen([EXPLORE, "run", "--generate"],
                                   stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)
        self.assertRegex(output, r"worker 0: \d+ schedules")


class Replay(Explorer):
    def test_the_same_hash_every_time(self):
        program = self.path("p.hmt", HAND_OVER + "choices v2: 9=B 15=A\n")
        outputs = {self.expect(0, "replay", "--trace=none", program).stdout
                   for _ in range(5)}
        self.assertEqual(len(outputs), 1)
        self.assertRegex(outputs.pop(), "trace hash [0-9a-f]{16}\n")

    def test_a_deadlock_of_the_program(self):
        program = self.path("d.hmt", DEADLOCK)
        result = self.expect(70, "replay", "--trace=none", program)
        self.assertIn("deadlock of the program", result.stdout)
        self.assertIn("A holds p0 and waits for p2, B holds p1", result.stdout)

    def test_an_unlock_stands_where_the_core_does_it(self):
        program = self.path("p.hmt", HAND_OVER)
        full = self.expect(0, "replay", "--trace=full", program).stdout
        self.assertRegex(full, r"unlock pkmap\.lock +kmap_miss pkmap\.c")
        self.assertNotRegex(full, r"unlock .* sim_tasks\.c")

    def test_choices_that_fit_nothing_are_told(self):
        program = self.path("p.hmt", HAND_OVER + "choices v2: 9000=B\n")
        result = self.expect(0, "replay", "--trace=none", program)
        self.assertIn("1 choices of the program fit no question",
                      result.stdout)

    def test_a_cpu_that_is_offline_is_not_stale(self):
        text = ("machine cpus=3\ntask A: kmap p0; kunmap p0; flush\n"
                "choices v2: 14=offline:1")
        table = self.expect(0, "replay", self.path("p.hmt", text)).stdout
        self.assertRegex(table, r"(?m)flush.* slot0=none$")
        text = text.replace("choices v2: 14=offline:1",
                            "task B cpu=2: local p1\n"
                            "choices v2: 14=offline:1 28=B")
        table = self.expect(0, "replay", self.path("p.hmt", text)).stdout
        self.assertRegex(table, r"(?m) slot0=none stale: cpu0=p0 cpu2=p0$")

    def test_whose_interrupt_it_is(self):
        """One that others cut in two, and two while B spins."""
        text = ("machine cpus=2\ntask A: kmap p0\ntask B cpu=1: kmap p1\n"
                "irq I cpu=%d: get p0\nirq J cpu=%d: local p1\nchoices v2: ")
        rows = self.rows_of(text % (0, 0) + "6=irq:J 7=B 8=B", "J: ")
        self.assertEqual(rows[:2], ["interrupt J",
                                    "local p1: window0@cpu0=p1"])
        rows = self.rows_of(text % (1, 1) + "6=B 7=B 11=irq:J 25=irq:J", "J: ")
        self.assertEqual(rows, ["interrupt J", "local p1: window0@cpu1=p1",
                                "interrupt J returns"] * 2)
        rows = self.rows_of(text % (0, 0) + "4=irq:J", "J:pkmap")
        self.assertEqual(rows, [], "the lock that A takes next is its own")

    def rows_of(self, text, mark):
        """What stands behind @mark in the table, to the end of its column."""
        table = self.expect(0, "replay", self.path("p.hmt", text)).stdout
        self.assertNotIn("note:", table)
        return re.findall(re.escape(mark) + r"(.*?)(?:  |$)", table, re.M)

    def test_a_boot_without_memory(self):
        program = self.path("p.hmt", HAND_OVER + "choices v2: 0=alloc:2 9=B\n")
        result = self.expect(0, "replay", program)
        self.assertIn("\nrefused at boot: no memory for a page table\n"
                      "the 2nd allocation of the boot fails; the core refuses",
                      result.stdout)
        self.assertIn("kmap p2", result.stdout)
        self.assertNotIn("note:", result.stdout)
        program = self.path("p.hmt", HAND_OVER + "choices v2: 0=alloc:5\n")
        self.refused(program + ":4: expected a number from 1 to 4", "replay",
                     program)

    def test_selftest(self):
        self.assertIn("2000 runs replayed",
                      self.expect(0, "selftest", "--iterations=2000").stdout)

    def test_export(self):
        program = self.path("p.hmt", HAND_OVER)
        text = self.expect(0, "export", "--c", program).stdout
        self.assertIn("Test(regression, the_program_passes)", text)
        again = self.path("q.hmt", self.expect(0, "export", "--hmt",
                                               program).stdout)
        self.assertEqual(self.expect(0, "export", "--c", again).stdout, text)

    def test_the_file_says_where_it_turns_calm(self):
        calm = r"(?m)^ +%d .*calm: no more choices"
        program = self.path("p.hmt", HAND_OVER + "calm after 12\n")
        self.assertRegex(self.expect(0, "replay", program).stdout, calm % 13)
        flag = self.expect(0, "replay", "--max-steps=20", program).stdout
        self.assertRegex(flag, calm % 21)
        for form in ("--c", "--hmt"):
            self.assertIn("calm after 12",
                          self.expect(0, "export", form, program).stdout)
        # Who searches does so in all of its steps.
        result = self.expect(0, "run", "--strategy=dfs",
                             "--max-preemptions=1", "--faults=none", program)
        self.assertIn("all there are within the bound", result.stdout)

    def test_minimize_wants_a_failure(self):
        program = self.path("p.hmt", HAND_OVER)
        self.refused("does not fail as it is", "minimize", program, "-o",
                     self.path("out.hmt"))


def sequences(ops, pages):
    """What a task may do with kmap, kunmap and flush: of nothing, up to @ops."""
    todo = [()]
    for sequence in todo:
        yield sequence
        if len(sequence) == ops:
            continue
        todo.append(sequence + (("flush", None),))
        for page in range(pages):
            todo.append(sequence + (("kmap", page),))
            if (sequence.count(("kmap", page)) >
                    sequence.count(("kunmap", page))):
                todo.append(sequence + (("kunmap", page),))


def renamings(colours, pages):
    """Each that leaves every page its colour."""
    groups = [range(colour, pages, colours) for colour in range(colours)]
    for choice in itertools.product(*map(itertools.permutations, groups)):
        yield {page: other for group, others in zip(groups, choice)
               for page, other in zip(group, others)} | {None: None}


def programs_of_two(ops, colours, pages):
    """How many there are, up to the names of tasks and of pages of a colour."""
    maps = list(renamings(colours, pages))
    every = list(sequences(ops, pages))
    classes = set()
    for pair in itertools.product(every, every):
        renamed = [[tuple((kind, names[page]) for kind, page in sequence)
                    for sequence in pair] for names in maps]
        classes.add(min(str(sorted(tasks)) for tasks in renamed))
    return len(classes)


class Exhaust(Explorer):
    SMALL = ("exhaust", "--ops=2", "--max-preemptions=1",
             "--alphabet=kmap,kunmap")

    def field(self, name, certificate):
        return re.search(r"^  %s +(\S+)" % name, certificate, re.M).group(1)

    def test_certificate(self):
        pruned = self.expect(0, *self.SMALL).stdout
        self.assertIn("no bug within these bounds", pruned)
        self.assertEqual(self.field("programs", pruned), "31,")
        plain = self.expect(0, *self.SMALL, "--no-prune").stdout
        # The outcomes of all programs are the same with and without pruning,
        # but it is another search.
        self.assertEqual(self.field("outcomes", pruned),
                         self.field("outcomes", plain))
        self.assertNotEqual(self.field("hash", pruned),
                            self.field("hash", plain))

    def test_each_allocation_of_the_boot_fails(self):
        # No preemption is to be had for it, and none is needed.
        few = ("exhaust", "--ops=2", "--max-preemptions=0",
               "--alphabet=kmap,kunmap")
        plain = self.expect(0, *few).stdout
        oom = self.expect(0, *few, "--faults=oom").stdout
        # 31 programs, 4 allocations, each once and with all after it: eight
        # boots more, after which everything is as it was.
        self.assertEqual(int(self.field("schedules", oom)),
                         int(self.field("schedules", plain)) + 31 * 8)
        for name in ("states", "outcomes"):
            self.assertEqual(self.field(name, oom), self.field(name, plain))

    def test_colours(self):
        """Each program once, and those that differ in a colour are two."""
        one = ("exhaust", "--ops=2", "--max-preemptions=0")
        for colours, pages in ((1, 3), (2, 3), (2, 4)):
            found = self.expect(0, *one, f"--colours={colours}",
                                f"--pages={pages}").stdout
            self.assertEqual(self.field("programs", found)[:-1],
                             str(programs_of_two(2, colours, pages)))
        self.assertIn(" slots=2 pages=4 colours=2 ", found)
        four = self.expect(0, "exhaust", "--ops=1", "--colours=4").stdout
        self.assertIn(" slots=4 pages=8 colours=4 ", four)

    def test_a_certificate_with_colours(self):
        """The long one, of three operations each, is in README.md."""
        found = self.expect(0, "exhaust", "--colours=2", "--ops=2").stdout
        self.assertIn("no bug within these bounds", found)
        self.assertEqual(self.field("programs", found), "228,")
        # One slot of each colour: some wait for one that is held.
        self.assertGreater(int(self.field("deadlocks", found)), 0)

    def test_the_hash_tells_searches_apart(self):
        tiny, bound = ("exhaust", "--ops=1"), "--max-preemptions="
        hashes = {self.field("hash", self.expect(
            0, *tiny, *more, *([] if bound + "1" in more else [bound + "0"])
                  ).stdout)
                  for more in ((), ("--slots=3", "--pages=3"), ("--pages=2",),
                               ("--alphabet=kmap,flush",), ("--faults=irq",),
                               ("--faults=tso",), ("--max-steps=9999",),
                               ("--max-preemptions=1",), ("--tasks=1",),
                               ("--pae",), ("--handler-ops=2",),
                               ("--colours=2", "--pages=3"),
                               ("--faults=irq", "--handler-ops=2"))}
        # Without interrupts there is no handler, whatever is said of it.
        self.assertEqual(len(hashes), 12)

    def test_handlers(self):
        # Two programs, of nothing and of a flush, with each handler: a get or
        # a local of p0, and after either also of p1, or what undoes it.
        one_task = ("exhaust", "--tasks=1", "--ops=1", "--alphabet=flush",
                    "--faults=irq")
        self.assertEqual(self.field("programs", self.expect(
            0, *one_task).stdout), "4,")
        keep = "--checkpoint=" + self.path("checkpoint")
        two = self.expect(0, *one_task, "--handler-ops=2", keep).stdout
        self.refused("is of another search", *one_task, keep)
        self.assertEqual(self.field("programs", two), "24,")
        self.assertIn("two or one of these, or undone", two)
        self.refused("expected a number from 1 to 2, not '3'", "exhaust",
                     "--handler-ops=3")

    def test_pae(self):
        few = ("exhaust", "--ops=2", "--max-preemptions=1")
        plain = self.expect(0, *few).stdout
        pae = self.expect(0, *few, "--pae").stdout
        self.assertRegex(pae, r"  machine .* pae=yes\n")
        self.assertEqual(self.field("outcomes", pae),
                         self.field("outcomes", plain))
        # A PTE is two stores.
        self.assertGreater(int(self.field("steps", pae)),
                           int(self.field("steps", plain)))

    def test_the_number_of_jobs_changes_nothing(self):
        self.assertEqual(self.expect(0, *self.SMALL, "--jobs=2").stdout,
                         self.expect(0, *self.SMALL).stdout)

    def test_interrupts_store_buffers_and_no_bound(self):
        irq = self.expect(0, "exhaust", "--ops=1", "--faults=irq").stdout
        self.assertIn("one, on A's CPU", irq)
        tso = self.expect(0, "exhaust", "--ops=1", "--faults=tso").stdout
        self.assertIn("x86-TSO", tso)
        bounded = self.expect(0, "exhaust", "--ops=1").stdout
        free = self.expect(0, "exhaust", "--ops=1",
                           "--max-preemptions=unbounded").stdout
        self.assertIn("any number of them", free)
        self.assertGreater(int(self.field("states", free)),
                           int(self.field("states", bounded)))

    def test_pages_that_are_not_ones_own(self):
        """release, address, stale and stray: skipped, but never a bug."""
        found = self.expect(
            0, "exhaust", "--ops=2", "--max-preemptions=0",
            "--alphabet=kmap,kunmap,release,address,stale,stray").stdout
        self.assertIn("no bug within these bounds", found)
        self.assertIn("kmap,kunmap,stray,release,address,stale", found)
        # Each of any page, but for stale: of one that the task let go of.
        def programs(operation):
            return int(self.field("programs", self.expect(
                0, "exhaust", "--tasks=1", "--ops=3",
                "--alphabet=kmap,kunmap," + operation).stdout).strip(","))
        self.assertEqual(programs("stray"), programs("address"))
        self.assertEqual(programs("stale"), programs("kunmap") + 1)

    def test_what_cannot_be_listed_is_refused(self):
        self.refused("as kmap,kunmap,flush, not 'kmap,dance'", "exhaust",
                     "--alphabet=kmap,dance")
        self.refused("expected a number from 2 to 64, not '1'", "exhaust", "--slots=1")
        for bad in ("0", "3", "16", "x"):
            self.refused("expected 1, 2, 4 or 8, not '" + bad, "exhaust",
                         "--colours=" + bad)
        self.refused("--slots must be a multiple of --colours", "exhaust",
                     "--slots=3", "--colours=2")
        self.refused("too many programs", "exhaust", "--ops=8", "--tasks=4")

    def test_stop_and_go_on(self):
        checkpoint = self.path("checkpoint")
        command = (*self.SMALL, "--checkpoint=" + checkpoint)
        result = self.expect(1, *command, "--time=0.02s")
        self.assertIn("no certificate; the same command goes on",
                      result.stdout)
        whole = self.expect(0, *self.SMALL).stdout
        self.assertEqual(self.expect(0, *command).stdout, whole)
        other = ("exhaust", "--ops=3", "--checkpoint=" + checkpoint)
        self.refused("is of another search: tasks=2 ops=2", *other)
        self.refused("is of another search", *command, "--pae")
        with open(checkpoint, "a", encoding="utf-8") as file:
            file.truncate(40)
        self.refused("is damaged or not a checkpoint", *command)
        self.assertEqual(os.path.getsize(checkpoint), 40)

    def test_killed_and_gone_on(self):
        checkpoint = self.path("checkpoint")
        command = (EXPLORE, "exhaust", "--ops=2", "--alphabet=kmap,kunmap",
                   "--max-preemptions=3", "--checkpoint=" + checkpoint)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            done = 0
            while process.poll() is None and done == 0:
                time.sleep(0.01)
                if os.path.exists(checkpoint):
                    with open(checkpoint, encoding="utf-8") as file:
                        done = int(re.search(r"^programs (\d+)", file.read(),
                                             re.M).group(1))
            process.kill()
        resumed = self.expect(0, *command[1:]).stdout
        whole = self.expect(0, *command[1:-1]).stdout
        self.assertGreater(done, 0)
        self.assertEqual(resumed, whole)


def main():
    global EXPLORE
    EXPLORE = os.path.realpath(sys.argv.pop(1))
    os.environ.pop("BUILD_WORKING_DIRECTORY", None)
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print("cases: %d passed, %d failed" % (result.testsRun - failed, failed))
    sys.exit(1 if failed or result.testsRun == 0 else 0)


if __name__ == "__main__":
    main()
