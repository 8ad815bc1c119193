# SPDX-License-Identifier: MIT
"""A directory of fuzz inputs that outlives kill -9 and a full disk.

libFuzzer names every input it writes by the SHA-1 of its bytes. So a file
whose name is a SHA-1, but not its own, was cut short: the fuzzer was killed,
or the disk was full, while it was written.

The corpus is replaced (after a merge) by renames, in this order:

    CORPUS.part   being written; worth nothing until renamed
    CORPUS.next   complete
    CORPUS     -> CORPUS.old
    CORPUS.next -> CORPUS
    CORPUS.old    deleted

Whatever moment this stops at, recover() finds a complete corpus.
"""

import contextlib
import errno
import hashlib
import math
import os
import re
import shutil
import signal
import stat
import subprocess
import time

SHA1 = re.compile(r"[0-9a-f]{40}\Z")
PATIENCE = 0.2      # seconds until somebody who wants to stop is heard
LARGEST = 1 << 20   # bytes; a larger file is not an input that anyone made


def sha1_of(data):
    return hashlib.sha1(data).hexdigest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def read_file(path, most=LARGEST):
    """At most @most bytes; OSError for all but a file: no link is followed,
    and no pipe waited for."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "it is no file", path)
        return file.read(most)


def one_line(text, most=400):
    """Text from elsewhere as it may stand in a line on a terminal: nothing in
    it steers one, or looks like a line of ours."""
    if len(text) > most:
        text = text[:most] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def names(directory):
    return sorted(os.listdir(directory))


def fault(path):
    """What is wrong with an input file; None if nothing is."""
    info = os.lstat(path)
    if not stat.S_ISREG(info.st_mode):
        return "not a file"
    if path.endswith(".part"):
        return "not finished"
    if info.st_size == 0:
        return "empty"
    if info.st_size > LARGEST:
        return f"larger than {LARGEST} bytes"
    try:
        digest = sha1_of(read(path))
    except PermissionError:
        return "not readable: chmod u+r it and move it back"
    name = os.path.basename(path)
    if SHA1.match(name) and name != digest:
        return "cut short or changed: its bytes do not match its name"
    return None


def free_name(directory, name):
    """A name not yet taken in the directory."""
    path = os.path.join(directory, name)
    number = 1
    while os.path.lexists(path):
        number += 1
        path = os.path.join(directory, f"{name}.{number}")
    return path


def tidy(corpus, aside):
    """Moves what is no input out of the way; returns [(name, what is wrong)].

    A good file with another name, put there by hand, gets its SHA-1 as name.
    """
    moved = []
    for name in names(corpus):
        path = os.path.join(corpus, name)
        wrong = fault(path)
        if wrong:
            os.makedirs(aside, exist_ok=True)
            os.rename(path, free_name(aside, name))
            moved.append((name, wrong))
        elif not SHA1.match(name):
            os.replace(path, os.path.join(corpus, sha1_of(read(path))))
    return moved


def moved_sentence(corpus, aside, moved):
    shown = "; ".join(f"{one_line(name, 60)} ({wrong})"
                      for name, wrong in moved[:3])
    more = f"; and {len(moved) - 3} more" if len(moved) > 3 else ""
    files = "1 file" if len(moved) == 1 else f"{len(moved)} files"
    return f"moved {files} from {corpus} to {aside}: {shown}{more}"


def recover(corpus):
    """Ends a replacement that was cut off; the corpus exists afterwards."""
    part, following, old = (corpus + s for s in (".part", ".next", ".old"))
    shutil.rmtree(part, ignore_errors=True)
    if not os.path.isdir(corpus):
        for candidate in (following, old):
            if os.path.isdir(candidate):
                os.rename(candidate, corpus)
                break
    os.makedirs(corpus, exist_ok=True)
    shutil.rmtree(following, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def replace(corpus):
    """CORPUS.part, complete now, becomes the corpus."""
    part, following, old = (corpus + s for s in (".part", ".next", ".old"))
    os.rename(part, following)
    os.rename(corpus, old)
    os.rename(following, corpus)
    shutil.rmtree(old)


def merge(run, corpus):
    """Leaves only inputs that add coverage.

    run(arguments) runs the fuzzer with them and returns its exit status.
    Returns None, or why the corpus was left as it was.
    """
    part = corpus + ".part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    try:
        status = run(["-set_cover_merge=1", part, corpus])
        if status is None:
            return "the merge took too long"
        if status != 0:
            return f"the merge ended with status {status}"
        if not os.listdir(part):
            return "the merge kept nothing"
        for name in names(part):
            wrong = fault(os.path.join(part, name))
            if wrong:
                return f"the merge wrote {name}, which is {wrong}"
        replace(corpus)
        return None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def libfuzzer_flags(options):
    """The flags in a `.options` file: its lines `key = value` as -key=value."""
    flags = []
    with open(options, encoding="ascii") as file:
        for line in file:
            key, equals, value = line.partition("=")
            if equals:
                flags.append(f"-{key.strip()}={value.strip()}")
    return flags


def kill_all(process):
    """It may be gone, and it alone: what it started has its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run_quietly(command, seconds=None, env=None, stop=lambda: False,
                errors=subprocess.STDOUT):
    """Exit status and output; the status is None if it took too long, or if
    stop() said so meanwhile.

    The command gets a session of its own: libFuzzer's merge and minimiser
    start processes, and all of them have to end with it.
    """
    with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=errors,
                          encoding="utf-8", errors="replace", env=env,
                          start_new_session=True) as process:
        end = time.monotonic() + (math.inf if seconds is None else seconds)
        try:
            while True:
                left = end - time.monotonic()
                try:
                    output, _ = process.communicate(
                        timeout=max(0, min(left, PATIENCE)))
                    return process.returncode, output
                except subprocess.TimeoutExpired:
                    if left > PATIENCE and not stop():
                        continue
                kill_all(process)
                output, _ = process.communicate()
                return None, output
        except BaseException:
            kill_all(process)
            raise
