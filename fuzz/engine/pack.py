# SPDX-License-Identifier: MIT
"""Build actions of cc_fuzz_test: corpus, dictionary, OSS-Fuzz archive.

ci/oss-fuzz/build.sh uses the first three.

usage: pack.py corpus OUT_DIR HMT [FILE]...
       pack.py seed_zip OUT DIR
       pack.py dict OUT [FILE]...
       pack.py oss_fuzz OUT NAME BINARY --corpus=DIR --options=FILE [--dict=FILE]

The same input gives the same bytes: no time, owner or order gets in.
"""

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

# One line of a libFuzzer dictionary: an optional name, then a quoted string.
ENTRY = re.compile(r'(?:[\w.-]+(?:@\d+)?\s*=\s*)?'
                   r'"(?:[^"\\]|\\\\|\\"|\\x[0-9a-fA-F]{2})+"\s*\Z')
EPOCH = (1980, 1, 1, 0, 0, 0)


class Refused(Exception):
    """An input that cannot be packed; the message is the sentence to print."""


def add_seed(out, hmt, path):
    stem, ext = os.path.splitext(os.path.basename(path))
    target = os.path.join(out, stem if ext == ".hmt" else stem + ext)
    if os.path.exists(target):
        raise Refused(f"{path}: there is a second seed of this name")
    if ext != ".hmt":
        shutil.copyfile(path, target)
    elif subprocess.run([hmt, "encode", path, "-o", target]).returncode:
        raise Refused(f"{path}: not a program; see the sentence above")


def pack_corpus(args):
    os.makedirs(args.out, exist_ok=True)
    for path in args.files:
        add_seed(args.out, args.hmt, path)
    if not args.files:
        open(os.path.join(args.out, "empty"), "wb").close()


def dictionary_lines(path):
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if line and not line.startswith("#") and not ENTRY.match(line):
                raise Refused(f'{path}:{number}: expected name="value"')
            yield line


def pack_dict(args):
    with open(args.out, "w", encoding="ascii") as out:
        for path in args.files:
            out.write("".join(line + "\n" for line in dictionary_lines(path)))


def zip_of_seeds(directory):
    """The seeds as OSS-Fuzz wants them: a flat zip, named by their SHA-1."""
    seeds = {}
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), "rb") as file:
            data = file.read()
        seeds[hashlib.sha1(data).hexdigest()] = data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(seeds):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), seeds[name])
    return buffer.getvalue()


def pack_seed_zip(args):
    with open(args.out, "wb") as out:
        out.write(zip_of_seeds(args.directory))


def add_to_tar(archive, name, data, mode=0o644):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = mode
    archive.addfile(info, io.BytesIO(data))


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def pack_oss_fuzz(args):
    if not re.fullmatch(r"[A-Za-z0-9_-]+", args.name):
        raise Refused(f"{args.name}: OSS-Fuzz allows only letters, digits, "
                      "'-' and '_' in the name of a target")
    with tarfile.open(args.out, "w") as archive:
        add_to_tar(archive, args.name, contents(args.binary), 0o755)
        add_to_tar(archive, args.name + "_seed_corpus.zip",
                   zip_of_seeds(args.corpus))
        if args.dict:
            add_to_tar(archive, args.name + ".dict", contents(args.dict))
        add_to_tar(archive, args.name + ".options", contents(args.options))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("corpus")
    verb.add_argument("out")
    verb.add_argument("hmt")
    verb.add_argument("files", nargs="*")
    verb.set_defaults(run=pack_corpus)
    verb = verbs.add_parser("seed_zip")
    verb.add_argument("out")
    verb.add_argument("directory")
    verb.set_defaults(run=pack_seed_zip)
    verb = verbs.add_parser("dict")
    verb.add_argument("out")
    verb.add_argument("files", nargs="*")
    verb.set_defaults(run=pack_dict)
    verb = verbs.add_parser("oss_fuzz")
    verb.add_argument("out")
    verb.add_argument("name")
    verb.add_argument("binary")
    verb.add_argument("--corpus", required=True)
    verb.add_argument("--options", required=True)
    verb.add_argument("--dict")
    verb.set_defaults(run=pack_oss_fuzz)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    try:
        args.run(args)
    except (Refused, OSError, UnicodeDecodeError) as error:
        print(f"pack: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("pack: interrupted", file=sys.stderr)
        sys.exit(130)
