# SPDX-License-Identifier: MIT
"""The output directory: lock, free space, writes that are whole or not there.

    OUT/lock
    OUT/<target>/corpus/           inputs found, by their SHA-1
    OUT/<target>/aside/            files that were no inputs, or are
                                   none any more
    OUT/<target>/crashes/<key>/    one directory for each kind of crash
    OUT/<target>/fixed/<key>/      kinds that crash no more
    OUT/<target>/seeds, work, fuzzer   copies for the run that is on
    OUT/runs/<time>/               run.json history.jsonl report.txt report.html
    OUT/latest -> runs/<time>
"""

import errno
import fcntl
import os
import re
import shutil

MIB = 1 << 20
SPACE_TO_START = 64 * MIB
# Below this the run stops by itself while everything can still be written.
SPACE_TO_GO_ON = 16 * MIB

# The only symbolic links of ours in the output directory.
LINKS = ("latest", "latest.part")
RUN = re.compile(r"[\w.-]+\Z", re.ASCII)     # how a run may be called


class Trouble(Exception):
    """Ends the command; the message is the one sentence the user reads."""


def free_space(path):
    info = os.statvfs(path)
    return info.f_bavail * info.f_frsize


def is_full(error):
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def trouble_sentence(error, out):
    """What an OSError means for whoever waits for the results in @out."""
    if is_full(error):
        return full_sentence(out)
    where = f" at {error.filename}" if error.filename else ""
    said = f"{error.strerror or error}{where}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        said += (": ci/fuzz must be able to read and write all that is in "
                 f"{out}; make it yours (chown -R, chmod -R u+rwX), or use "
                 "--out")
    return f"{said}; all that was found before is kept"


def full_sentence(path):
    return (f"the disk is full at {path}: free some space there or use "
            "--out; all that was found before is kept")


def check_space(path, needed):
    free = free_space(path)
    if free < needed:
        raise Trouble(f"only {free // MIB} MiB are free at {path}, and "
                      f"{needed // MIB} MiB are needed: free some space "
                      "there or use --out; nothing there was lost")


def check_no_links(directory):
    """What stands in the output directory could point anywhere else; then a
    run would move and delete there."""
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_symlink() and entry.name not in LINKS:
                raise Trouble(
                    f"{entry.path} is a symbolic link to "
                    f"{os.readlink(entry.path)}, and ci/fuzz writes nowhere "
                    "but below --out: remove it, or give that as --out")


def fresh_file(path):
    """A new file, whatever had the name: a link there is not followed."""
    if os.path.lexists(path):
        os.unlink(path)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666),
                "wb")


def write_atomic(path, data):
    """Readers see the old file or the new one; a kill leaves one of them."""
    if isinstance(data, str):
        data = data.encode()
    part = f"{path}.part"
    with fresh_file(part) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def copy_atomic(source, path):
    part = f"{path}.part"
    with open(source, "rb") as old, fresh_file(part) as new:
        shutil.copyfileobj(old, new)
    shutil.copymode(source, part)
    os.chmod(part, os.stat(part).st_mode | 0o200)
    os.replace(part, path)


def copy_fresh(source, directory):
    """A writable copy of a directory of files, in place of what was there."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    for name in os.listdir(source):
        copy_atomic(os.path.join(source, name), os.path.join(directory, name))


def point_to(link, target):
    part = f"{link}.part"
    if os.path.lexists(part):
        os.unlink(part)
    os.symlink(target, part)
    os.replace(part, link)


def default_out():
    cache = os.environ.get("XDG_CACHE_HOME")
    return os.path.join(cache or os.path.expanduser("~/.cache"),
                        "highmem-fuzz")


class Place:
    """The output directory, locked for as long as this process lives."""

    def __init__(self, out):
        self.out = os.path.abspath(out)
        try:
            os.makedirs(os.path.join(self.out, "runs"), exist_ok=True)
            check_no_links(self.out)
            check_space(self.out, SPACE_TO_START)
            self._lock = open(os.open(
                os.path.join(self.out, "lock"),
                os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o666), "wb")
        except OSError as error:
            if is_full(error):
                raise
            raise Trouble(
                f"cannot use {self.out} for the output: {error.strerror} "
                f"({error.filename}); use --out with a directory that is "
                "yours") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Trouble(f"another ci/fuzz is at work in {self.out}: wait "
                          "for it or use --out") from error

    def target(self, name, *parts):
        return os.path.join(self.out, name, *parts)

    def runs(self):
        """The run directories, oldest first."""
        runs = os.path.join(self.out, "runs")
        paths = [os.path.join(runs, name) for name in sorted(os.listdir(runs))
                 if RUN.match(name)]
        return [path for path in paths
                if os.path.isdir(path) and not os.path.islink(path)]

    def new_run(self, name):
        """A directory for this run; two in one second get two names."""
        path = os.path.join(self.out, "runs", name)
        number = 1
        while os.path.lexists(path):
            number += 1
            path = os.path.join(self.out, "runs", f"{name}.{number}")
        os.makedirs(path)
        return path
