#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Boots the kernel on memory maps of many kinds, real and random ones.

usage: boot_test.py IMG MAP...

What it says of its memory is compared with what intervals of page frames come
to here, by another algorithm than the kernel's.
"""

import argparse
import os
import random
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, HERE)
import qemu  # noqa: E402
from verdict import OK, SKIPPED, USAGE, judge  # noqa: E402

# Reaches the last frames below and above the end of lowmem; takes no time.
CASES = "frame"
TIMEOUT = 30.0

RAM, RESERVED = 1, 2
MIB, GIB = 1 << 20, 1 << 30
LOWMEM_FRAMES = 896 << 8

KERNEL = None
MAPS = []


# ---- A boot ----------------------------------------------------------------


class Lines(list):
    """What came on the console."""

    def show(self, text):
        self.append(text)

    def progress(self, ktap):
        pass

    def end(self):
        pass


class Booted:
    def __init__(self, mem, words, smp=1, cpu="max"):
        options = argparse.Namespace(mem=mem, smp=smp, kernel=KERNEL, cpu=cpu,
                                     icount=False, module=[])
        if smp > 1:
            words = words + [f"smp={smp}"]
        accel = "tcg-single" if smp > 1 else "tcg"
        command = qemu.command_line(options, accel,
                                    words + [f"case={CASES}"])
        self.lines = Lines()
        self.boot = qemu.boot_kernel(command, TIMEOUT, self.lines, None)
        self.code, self.sentence = judge(self.boot)


# ---- What is to be expected ------------------------------------------------


def pages_of(mem):
    """QEMU's PC: a hole from 3 GiB on if there is so much, and its tables."""
    size = qemu.memory_bytes(mem)
    below = size if size < 0xe0000000 else 0xc0000000
    ranges = [(0, 0x9fc00, RAM), (MIB, below - 0x20000, RAM)]
    if size > below:
        ranges.append((4 * GIB, 4 * GIB + size - below, RAM))
    return frames(ranges)


def frames(ranges):
    """Intervals of frames that are RAM and nothing else, in order."""
    events = []
    for start, end, kind in ranges:
        if start < end:
            column = 0 if kind == RAM else 1
            events += [(start, column, 1), (end, column, -1)]
    depth, since, pieces = [0, 0], None, []
    for at, column, step in sorted(events, key=lambda event: event[0]):
        was = depth[0] > 0 and depth[1] == 0
        depth[column] += step
        now = depth[0] > 0 and depth[1] == 0
        if now and not was:
            since = at
        elif was and not now and since < at:
            pieces.append([since, at])
    joined = []
    for start, end in pieces:
        if joined and joined[-1][1] == start:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    whole = [((start + 4095) >> 12, end >> 12) for start, end in joined]
    return [(start, end) for start, end in whole if start < end]


def common(some, others):
    both = [(max(a, c), min(b, d)) for a, b in some for c, d in others]
    return sorted((a, b) for a, b in both if a < b)


def count(pieces, first=0, end=1 << 52):
    return sum(max(0, min(b, end) - max(a, first)) for a, b in pieces)


class Expected:
    def __init__(self, ranges, mem, pae):
        wanted = frames(ranges)
        there = common(wanted, pages_of(mem))
        self.lost = count(wanted) - count(there)
        self.ram = common(there, [(0, 1 << (24 if pae else 20))])
        top = self.ram[-1][1] if self.ram else 0
        self.lowmem_end = min(LOWMEM_FRAMES, top)

    def line(self):
        low = count(self.ram, 0, self.lowmem_end)
        high = count(self.ram, self.lowmem_end)
        return (f"# {low >> 8} MiB of lowmem, {high >> 8} MiB of highmem "
                f"from pfn {self.lowmem_end:#x} on")


def as_word(ranges):
    return "memmap=" + ",".join(f"{start:x}-{end:x}:{kind:x}"
                                for start, end, kind in ranges)


def as_linux_words(ranges):
    sign = {RAM: "@", 3: "#"}
    return ["memmap=exactmap"] + [
        f"memmap={end - start:#X}{sign.get(kind, '$')}{start}"
        for start, end, kind in ranges]


class Boots(unittest.TestCase):
    def boots(self, booted, expected):
        self.assertEqual((booted.code, booted.sentence), (OK, None),
                         "\n".join(booted.lines))
        self.assertIn(expected.line(), booted.lines)
        lost = [line for line in booted.lines if "that memmap= calls" in line]
        self.assertEqual(len(lost), 1 if expected.lost else 0, lost)
        self.assertNotIn("not ok", "\n".join(booted.lines))

    def refused(self, booted, sentence):
        self.assertEqual(booted.code, USAGE, "\n".join(booted.lines))
        self.assertIn(sentence, booted.sentence)
        self.assertEqual(booted.lines[-1][:10], "Bail out! ")


# ---- Real maps -------------------------------------------------------------


def read_map(path):
    ranges = []
    with open(path, encoding="ascii") as file:
        for line in file:
            bounds, kind = line.split()
            start, end = bounds.split("-")
            # The boot logs have types in decimal.
            ranges.append((int(start, 16), int(end, 16), int(kind)))
    return ranges


class RealMaps(Boots):
    IMPOSSIBLE = {"samsung500c.map": "no RAM at 1 MiB",
                  "acrn_mrb.map": "no RAM at 1 MiB"}

    @staticmethod
    def memory_for(ranges):
        """So much that all RAM is there, as far as QEMU can have that."""
        top = max(end for _, end, kind in ranges if kind == RAM)
        if top > 4 * GIB:
            return f"{min(top // GIB, 63)}G"
        return f"{max(top // MIB + 1, 64)}M"

    def test_all(self):
        self.assertEqual(len(MAPS), 10)
        for path in MAPS:
            name, ranges = os.path.basename(path), read_map(path)
            mem = self.memory_for(ranges)
            for smp in (1, 2):
                for pae in ("pae", "nopae"):
                    with self.subTest(map=name, smp=smp, pae=pae, mem=mem):
                        booted = Booted(mem, [pae, as_word(ranges)], smp)
                        if name in self.IMPOSSIBLE:
                            self.refused(booted, self.IMPOSSIBLE[name])
                        else:
                            self.boots(booted, Expected(ranges, mem,
                                                        pae == "pae"))

    def test_as_linux_would_be_told(self):
        for path in MAPS:
            name, ranges = os.path.basename(path), read_map(path)
            if name in self.IMPOSSIBLE:
                continue
            with self.subTest(map=name):
                booted = Booted("1G", as_linux_words(ranges))
                self.boots(booted, Expected(ranges, "1G", False))


# ---- Random maps -----------------------------------------------------------


def draw_map(seed):
    """Up to 512 ranges, of any order, length and type, that overlap."""
    draw = random.Random(seed)
    # What it needs, from the low page to start CPUs in to 8 MiB.
    ranges = [(0, 0x9f000, RAM), (MIB, 8 * MIB, RAM)]
    for _ in range(draw.choice([5, 40, 300, 510])):
        start = draw.randrange(8 * MIB, 6 * GIB)
        length = draw.choice([0, draw.randrange(1, 9999),
                              draw.randrange(64 * MIB),
                              draw.randrange(64 * MIB)])
        if draw.random() < 0.7:
            start, length = start & ~4095, length & ~4095
        kind = draw.choice([RAM, RAM, RAM, RAM, 2, 3, 4, 5, 12, 20])
        if kind != RAM:
            length //= 16
        ranges.append((start, start + length, kind))
    draw.shuffle(ranges)
    return ranges


class RandomMaps(Boots):
    def test_ours_and_linuxs_words(self):
        for seed in range(16):
            pae = "pae" if seed % 2 else "nopae"
            ranges = draw_map(seed)
            words = ([as_word(ranges)] if seed % 4 < 2 else
                     as_linux_words(ranges))
            with self.subTest(seed=seed, ranges=len(ranges)):
                self.boots(Booted("5G", [pae, *words], 1 + seed // 8),
                           Expected(ranges, "5G", pae == "pae"))

    def test_512_ranges_that_do_not_touch(self):
        ranges = [(0, 0x9f000, RAM), (MIB, 8 * MIB, RAM)] + [
            (start << 20, (start << 20) + 0x8000, RAM)
            for start in range(9, 519)]
        self.assertEqual(len(ranges), 512)
        self.boots(Booted("1G", [as_word(ranges)]),
                   Expected(ranges, "1G", False))
        self.refused(Booted("1G", [as_word(ranges + [(1 << 29, 1 << 30, 1)])]),
                     "the memory map has more than 512 ranges")

    def test_1000_that_do(self):
        ranges = [(start << 12, (start + 1) << 12, RAM)
                  for start in range(0x500, 0x900)]
        ranges += [(0, 0x9f000, RAM), (MIB, 0x500000, RAM)]
        self.boots(Booted("1G", [as_word(ranges)]),
                   Expected(ranges, "1G", False))


# ---- The ends of what is possible ------------------------------------------


class LittleLowmem(Boots):
    """Highmem begins inside of what the first page tables map."""

    def test_lowmem(self):
        ranges = [(0, 0x9fc00, RAM), (MIB, GIB - 0x20000, RAM)]
        for mib in (4, 5, 6, 7, 8, 9):
            for pae in ("pae", "nopae"):
                with self.subTest(lowmem=mib, pae=pae):
                    expected = Expected(ranges, "1G", pae == "pae")
                    expected.lowmem_end = mib << 8
                    self.boots(Booted("1G", [pae, f"lowmem={mib}M"], 2),
                               expected)

    def test_too_little(self):
        self.refused(Booted("1G", ["lowmem=3M"]),
                     "lowmem=3M is too little: at least 4M")

    def test_all_but_8_mib_is_highmem(self):
        booted = Booted("1G", ["highmem=1016M"], 2)
        self.assertEqual(booted.code, OK, "\n".join(booted.lines))
        self.assertIn("# 7 MiB of lowmem, 1016 MiB of highmem from pfn 0x7e0 "
                      "on", booted.lines)


class Places(Boots):
    """Where the image is, and where other CPUs begin."""

    def test_a_single_low_page(self):
        for page in (0x10000, 0x37000, 0x9e000):
            ranges = [(page, page + 0x1000, RAM), (MIB, 64 * MIB, RAM)]
            with self.subTest(page=page):
                self.boots(Booted("128M", [as_word(ranges)], 2),
                           Expected(ranges, "128M", False))

    def test_no_low_page(self):
        ranges = [(0xf000, 0x10800, RAM), (MIB, GIB, RAM)]
        booted = Booted("1G", [as_word(ranges)], 2)
        self.assertEqual((booted.code, booted.sentence),
                         (SKIPPED, "this PC has 1 CPU"))
        self.assertIn("# one CPU: others start in a page below 640 KiB, and "
                      "no RAM is free there", booted.lines)

    def test_image_that_is_not_in_ram(self):
        for hole in ("0x1000$0x180000", "1$0x1ff000"):
            self.refused(Booted("1G", [f"memmap={hole}"]),
                         "and not all of that is RAM")
        self.refused(Booted("1G", ["memmap=4K$1M"]),
                     "no RAM at 1 MiB")


class FarRam(Boots):
    def test_a_little_just_below_64_gib(self):
        ranges = [(0, 0x9fc00, RAM), (MIB, 128 * MIB, RAM),
                  (64 * GIB - 0x10000, 64 * GIB, RAM)]
        for smp in (1, 2):
            self.boots(Booted("63G", ["pae", as_word(ranges)], smp),
                       Expected(ranges, "63G", True))

    def test_ram_that_the_pc_does_not_have(self):
        ranges = [(0, 0x9fc00, RAM), (MIB, 2 * GIB, RAM)]
        booted = Booted("512M", [as_word(ranges)])
        self.boots(booted, Expected(ranges, "512M", False))
        self.assertIn("# warning: 1537 MiB that memmap= calls RAM are not in "
                      "the loader's map, and not used", booted.lines)
        self.refused(Booted("512M", ["memmap=exactmap,1G@2G"]),
                     "nothing that memmap= calls RAM is there")


class Words(Boots):
    def test_mem(self):
        ranges = [(0, 0x9fc00, RAM), (MIB, 512 * MIB, RAM)]
        for words in (["mem=512M"], ["mem=0x20000000"], ["mem=1G", "mem=512m"],
                      ["mem=524288K"]):
            with self.subTest(words=words):
                self.boots(Booted("1G", words), Expected(ranges, "1G", False))

    def test_refused(self):
        for word, sentence in [
                ("mem=512", "the memory map has no RAM"),
                ("mem=3M", "RAM ends at 3 MiB: at least 4 are needed"),
                ("mem=0", "the memory map has no RAM"),
                ("mem=5X", "mem=5X: not a size like 512M"),
                ("mems=1", "mems=1: there is no such boot word; there are "
                           "pae nopae highmem= "),
                ("pae=1", "pae=1: there is no such boot word"),
                ("Seed=1", "Seed=1: there is no such boot word"),
                ("seed=1 seed=1", "seed=1: the word is there twice"),
                ("lowmem=1 lowmem=1", "lowmem=1: the word is there twice"),
                ("run=tortures", "run=tortures: there is no such thing"),
                ("smp=4294967297", "smp=4294967297: not a number, or more"),
                ("smp=0x2", "smp=0x2: not a number"),
                ("run=" + 5000 * "x", "the value of run= is longer than 15"),
                (5000 * "x", 40 * "x" + "...: there is no such boot word"),
                ("memmap=" + 5000 * "x", "not START-END:TYPE"),
                ("pae nopae", "contradict each other"),
        ]:
            with self.subTest(word=word[:60]):
                self.refused(Booted("64M", word.split()), sentence)

    def test_line_of_100_kib(self):
        many = "memmap=" + ",".join(["4K$0x600000"] * 8000)
        booted = Booted("64M", [many])
        self.assertGreater(len(many), 90000)
        self.assertEqual(booted.code, OK, "\n".join(booted.lines))


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 1)
    KERNEL = os.path.abspath(sys.argv[1])
    MAPS = sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
