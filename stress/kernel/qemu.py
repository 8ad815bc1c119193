# SPDX-License-Identifier: MIT
"""Starts QEMU, reads the console, and stops it in time."""

import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import time

from ktap import Ktap
from verdict import STATUS_PASS

QEMU = "qemu-system-i386"

PROBE_SECONDS = 5
MUCH_MEMORY = 8 << 30
PT_LOAD = 1
PR_SET_PDEATHSIG = 1

ACCELERATORS = {
    "tcg": "tcg",
    "tcg-single": "tcg,thread=single",
    "tcg-multi": "tcg,thread=multi",
    "kvm": "kvm",
}


class Boot:
    """One boot of the kernel, and what came of it."""

    def __init__(self):
        self.ktap = Ktap()
        self.status = None  # None: it had to be stopped
        self.complaint = ""  # QEMU's own


def choose_accelerator(options):
    """The reference is TCG, each CPU with a thread of its own."""
    if options.accel not in ("auto", "tcg"):
        return options.accel
    if options.smp == 1:
        return "tcg"
    return "tcg-single" if options.icount else "tcg-multi"


def free_port():
    """One that nobody is likely to take before QEMU does."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def module_argument(modules):
    """QEMU's list of files: a comma in a name is doubled."""
    return ",".join(module.replace(",", ",,") for module in modules)


def memory_bytes(size):
    """Of 512M, or 6G."""
    return int(size[:-1]) << {"M": 20, "G": 30}[size[-1]]


def image_end(path):
    """The physical address where the kernel ends; None: it is no kernel."""
    with open(path, "rb") as file:
        header = file.read(52)
        if len(header) < 52 or header[:5] != b"\x7fELF\x01":
            return None
        table = struct.unpack_from("<I", header, 28)[0]
        size, count = struct.unpack_from("<HH", header, 42)
        file.seek(table)
        data = file.read(size * count)
    if size < 32 or len(data) < size * count:
        return None
    ends = []
    for number in range(count):
        kind, _, _, start, _, length = struct.unpack_from("<6I", data,
                                                          number * size)
        if kind == PT_LOAD:
            ends.append(start + length)
    return max(ends, default=None)


def memory_options(size):
    """RAM that nobody uses takes none of the host's, however much it is."""
    options = ["-m", size]
    if memory_bytes(size) >= MUCH_MEMORY:
        options += ["-object",
                    f"memory-backend-ram,id=ram,size={size},reserve=off",
                    "-machine", "memory-backend=ram",
                    # 36 bits of an address have room for 64 GiB of RAM, or
                    # for this hole.
                    "-global", "i440FX-pcihost.pci-hole64-size=0"]
    return options


def command_line(options, accel, words, gdb_port=None):
    """The whole command; @words is for the kernel."""
    command = [
        QEMU, "-accel", ACCELERATORS[accel], "-cpu", options.cpu,
        *memory_options(options.mem),
        "-smp", str(options.smp), "-kernel", options.kernel,
        "-append", "-- " + " ".join(words), "-nodefaults", "-vga", "none",
        "-display", "none", "-no-reboot",
        "-chardev", "stdio,id=console,signal=off",
        "-serial", "chardev:console",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
    ]
    if options.icount:
        command += ["-icount", "shift=0,sleep=off"]
    if options.module:
        command += ["-initrd", module_argument(options.module)]
    if gdb_port:
        command += ["-S", "-gdb", f"tcp:127.0.0.1:{gdb_port}"]
    return command


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def plain(line):
    """As it may stand on a terminal: a kernel that dies says anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1]
                   for c in line.expandtabs())


def start(command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=die_with_parent)


def pump(boot, process, deadline, screen, log):
    """Read the console until it ends; False when the time is over."""
    line = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        screen.progress(boot.ktap)
        if not select.select([process.stdout], [], [], min(left, 1))[0]:
            continue
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            return True
        if log:
            log.write(data)
        *lines, line = (line + data).split(b"\n")
        for text in lines:
            text = plain(text.decode("ascii", "replace").rstrip("\r"))
            boot.ktap.feed(text)
            screen.show(text)


def boot_kernel(command, timeout, screen, log):
    """Boot once, to the end or until @timeout seconds are over."""
    boot = Boot()
    process = start(command)
    try:
        if pump(boot, process, time.monotonic() + timeout, screen, log):
            boot.status = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
        said = process.communicate()[1].decode("utf-8", "replace")
        boot.complaint = "\n".join(map(plain, said.splitlines()))
        screen.end()
    return boot


def kvm_boots(options, screen):
    """KVM may exist and still run no paged 32-bit guest: try it."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    command = command_line(options, "kvm", ["case=no.such.case"])
    boot = boot_kernel(command, PROBE_SECONDS, screen, None)
    return boot.status == STATUS_PASS and boot.ktap.totals == (0, 0, 0)
