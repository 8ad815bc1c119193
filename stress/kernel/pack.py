# SPDX-License-Identifier: MIT
"""Packs op programs into one boot module; pack.h tells the form."""

import os
import re
import struct

MAGIC = b"HMPACK1\n"
NAME_BYTES = 63


def number(value):
    """As the kernel reads it."""
    return struct.pack("<I", value)


def pack(programs):
    """The module of [(name, bytes)]."""
    parts = [MAGIC, number(len(programs))]
    for name, data in programs:
        raw = name.encode("ascii")
        parts += [number(len(raw)), number(len(data)), raw, data]
    return b"".join(parts)


def unpack(module):
    """[(name, bytes)] of a module that pack() or `outcomes --drafts` made."""
    nr, = struct.unpack_from("<I", module, len(MAGIC))
    at = len(MAGIC) + 4
    programs = []
    for _ in range(nr):
        name_len, length = struct.unpack_from("<II", module, at)
        at += 8
        name = module[at:at + name_len].decode("ascii")
        at += name_len
        programs.append((name, module[at:at + length]))
        at += length
    return programs


def name_of(path):
    """Folder and file, without what a name may not have."""
    folder, file = os.path.split(os.path.abspath(path))
    name = f"{os.path.basename(folder)}/{file}"
    return re.sub(r"[^!-~]", "_", name)[-NAME_BYTES:]


def files(path):
    """The files of a folder and below, or the one."""
    if not os.path.isdir(path):
        return [path]
    return sorted(os.path.join(folder, name)
                  for folder, _, names in os.walk(path) for name in names)
