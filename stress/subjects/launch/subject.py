# SPDX-License-Identifier: MIT
"""Compiles a subject, links it with the explorer or hmt, and becomes that.

explore and hmt call this when --subject names another subject than the one that
they are linked with:

    subject.py explore --subject=linux --file=highmem.c run --generate

A subject is a folder (docs/subjects.md): kernel.h is read before the file and
unit.c includes it, both as the file is compiled; every other .c is the harness's
side; `variants` names what it can be. What was built is kept in a cache.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

# Not resolved: in runfiles the folders around are links, and the kits are there.
HERE = Path(os.path.abspath(__file__)).parent
SUBJECTS = HERE.parent
TOP = SUBJECTS.parents[1]
sys.path.insert(0, str(HERE))

import building  # pylint: disable=wrong-import-position
import compare  # pylint: disable=wrong-import-position
import edits  # pylint: disable=wrong-import-position
from building import Refused  # pylint: disable=wrong-import-position

# ---- What is asked for --------------------------------------------------------------


class Wanted:
    """A subject, a variant of it, a file: from the command line."""

    def __init__(self, program, arguments):
        self.program = program
        self.name = self.file = None
        self.edits = []
        self.rest = []
        words = iter(arguments)
        for argument in words:
            name, equals, value = argument.partition("=")
            if name in ("--subject", "--file", "--edit") and not equals:
                value = next(words, "")
            if name == "--subject":
                self.name = value
            elif name == "--file":
                self.file = self._from_home(value)
            elif name == "--edit":
                self.edits.append(self._from_home(value))
            else:
                self.rest.append(argument)
        if not self.name:
            raise Refused("which --subject=NAME?")

    @staticmethod
    def _from_home(path):
        return Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), path).absolute()

    def words(self):
        """As they would be said again, from anywhere."""
        words = [f"--subject={self.name}"]
        if self.file:
            words.append(f"--file={self.file}")
        words += [f"--edit={e}" for e in self.edits]
        return words


def _variants(folder):
    """{name: [flags]} of a folder; its first is its own."""
    found = {}
    for line in (folder / "variants").read_text().splitlines():
        name, _, flags = line.partition(":")
        if line.strip() and not line.startswith("#"):
            found[name.strip()] = shlex.split(flags)
    return found


def _folders():
    return sorted(p.parent for p in SUBJECTS.glob("*/variants"))


def find_subject(name):
    """(folder, flags) of --subject=NAME; with a slash in it, a folder of one's own."""
    folders = _folders()
    if "/" in name:
        path, _, variant = name.partition(":")
        folder = Wanted._from_home(path)
        if not (folder / "variants").is_file():
            raise Refused(f"{folder} is no subject: it has no file `variants`")
        variants = _variants(folder)
        variant = variant or next(iter(variants))
        if variant not in variants:
            raise Refused(f"{folder} has no {variant}; it has {', '.join(variants)}")
        return folder, variants[variant]
    known = {n: (f, flags) for f in folders for n, flags in _variants(f).items()}
    if name not in known:
        raise Refused(f"there is no subject {name}; there are ours, "
                      + ", ".join(sorted(known)))
    return known[name]


def cache():
    """Where it is kept what was built; a test has its own."""
    for name, under in (("TEST_TMPDIR", ""), ("XDG_CACHE_HOME", ""), ("HOME", ".cache")):
        if os.environ.get(name):
            return Path(os.environ[name], under, "highmem-subjects")
    return Path(tempfile.gettempdir(), "highmem-subjects")


def _stamp(path):
    status = path.stat()
    return f"{status.st_size:x}-{status.st_mtime_ns:x}"


def find_file(folder, wanted, scratch):
    """The file that the subject is made of; Debian's package has it, if not --file."""
    if wanted.file:
        if not wanted.file.is_file():
            raise Refused(f"{wanted.file}: there is no such file")
        return wanted.file
    source = folder / "source"
    if not source.is_file():
        return None
    archive, member, package = source.read_text().split()
    if not Path(archive).is_file():
        raise Refused(f"{archive} is not there: run ci/setup --subject {folder.name}, "
                      f"which installs {package}; or say --file=PATH")
    cached = cache() / "sources" / _stamp(Path(archive)) / Path(member).name
    if not cached.is_file():
        print(f"{wanted.program}: taking {member} out of {archive}", file=sys.stderr)
        out = scratch / "member"
        with out.open("wb") as file:
            done = subprocess.run(["tar", "--occurrence=1", "-xJOf", archive, member], stdout=file,
                                  check=False)
        if done.returncode != 0:
            raise Refused(f"{archive} has no {member}")
        cached.parent.mkdir(parents=True, exist_ok=True)
        os.replace(out, cached)
    return cached


def edited_file(source, wanted, scratch):
    """The file with all --edit in it, under its own name, for its lines keep it."""
    if not wanted.edits or not source:
        return source
    text = source.read_text(errors="replace")
    for path in wanted.edits:
        try:
            text = edits.apply(text, edits.parse(path.read_text()))
        except (edits.EditError, OSError) as error:
            raise Refused(f"{path}: {error}") from error
    out = scratch / source.name
    out.write_text(text)
    return out


# ---- All --------------------------------------------------------------------------------


def build(wanted):
    """The program, built if it is not in the cache."""
    folder, flags = (None, []) if wanted.name == "ours" else find_subject(wanted.name)
    kit = HERE / "kits" / f"{wanted.program}.kit"
    if not kit.is_file():
        raise Refused(f"{kit} is not there; build //stress/explore:explore")
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        scratch = Path(scratch)
        source = find_file(folder, wanted, scratch) if folder else None
        source = edited_file(source, wanted, scratch)
        name = wanted.name.rpartition(":")[2].rpartition("/")[2]
        flags = [*flags, f'-DSUBJECT_NAME="{name}"']
        job = building.Job(TOP, kit, folder, flags, source)
        target = cache() / job.key() / wanted.program
        if not target.is_file():
            job.build(scratch / "out")
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(scratch / "out", target)
    return target


def ask_compare(program, words):
    """explore compare A B OPTIONS"""
    if "--help" in words or "-h" in words:
        print(compare.HELP)
        return 0
    names = [w for w in words if not w.startswith("-")]
    if len(names) != 2:
        raise Refused("compare wants two subjects, as in: compare ours linux")
    sides = [Wanted(program, [f"--subject={n}", *_edits(words)]) for n in names]
    rest = [w for w in words if w.startswith("-") and not w.startswith("--edit=")]
    return compare.compare(names, [build(s) for s in sides], rest)


def _edits(words):
    return [w for w in words if w.startswith("--edit=")]


def main():
    program, words = sys.argv[1], sys.argv[2:]
    try:
        verb = next((w for w in words if not w.startswith("-")), "")
        if verb == "compare":
            words.remove(verb)
            return ask_compare(program, words)
        wanted = Wanted(program, words)
        target = build(wanted)
    except Refused as refused:
        print(f"{program}: {refused}", file=sys.stderr)
        return 1
    os.environ["SUBJECT_BUILT_OF"] = " ".join(map(shlex.quote, wanted.words()))
    sys.stdout.flush()
    os.execv(target, [program, *wanted.rest])
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print(f"{sys.argv[1]}: interrupted; the subject was not built",
              file=sys.stderr)
        sys.exit(130)
