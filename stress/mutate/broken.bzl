# SPDX-License-Identifier: MIT
"""A core or a port with one deliberate bug in it.

The bug is a patch of one file, and what has to be compiled again depends on
where that file is:

* a .c of core/lib or core/boot: the core, with this file instead of its own;
* a .c or .S of a port: this file alone. It is linked before the healthy port,
  and defines all that the healthy file defines, so the linker leaves that one
  in its archive. Were it not before the port, both would be linked, and the
  linker would refuse;
* a header of these: the core, of which each file includes the broken header
  before anything else. Its include guard then keeps the healthy one out;
* a header of a port: the same with the port, and with the core if the header is
  the port's backend.
"""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load(
    "//core/build:highmem.bzl",
    "highmem_library",
    "label_of",
    "mutated_source",
    "port_library",
)

# What files of a port include besides their own headers.
_PORT_DEPS = {
    "host": [],
    "i686": [
        "//core/ports/i686:acpi",
        "//core/ports/i686:parts",
    ],
    "sim": [
        "//core/ports/sim:fiber",
        "//core/ports/sim:walk",
    ],
}

PORTS = _PORT_DEPS.keys()

# A header that comes first includes libc's before the file can say that it
# wants more of them than C.
_COPTS = HIGHMEM_COPTS + ["-D_GNU_SOURCE=", "-Wno-unused-macros"]

def source_path(source):
    """The path of a mutant's `source`; without a folder it is in core/lib."""
    return source if "/" in source else "core/lib/" + source

def _port_of(path):
    """The port that the file belongs to; None: all ports have the bug."""
    parts = path.split("/")
    if parts[:2] == ["core", "ports"]:
        if len(parts) != 4 or parts[2] not in _PORT_DEPS:
            fail("%s is in none of the ports %s" % (path, ", ".join(PORTS)))
        return parts[2]
    if parts[:2] not in [["core", "boot"], ["core", "lib"]]:
        fail("%s: a mutant breaks a file of core/boot, lib or ports" % path)
    return None

def broken_ports(source):
    """The ports whose machine has the bug."""
    port = _port_of(source_path(source))
    return [port] if port else PORTS

def breaks_port(source):
    return _port_of(source_path(source)) != None

def broken_source(name, source):
    """NAME_source: the file with the bug, and the path of the healthy one.

    Args:
      name: of the mutant; the bug is mutants/NAME.patch.
      source: as in mutants.bzl.
    """
    path = source_path(source)
    mutated_source(
        name = name + "_patched",
        src = label_of(path),
        patch = "mutants/%s.patch" % name,
        tags = ["manual"],
    )

    # Checks and sanitizers then name the healthy path, as its tests expect.
    native.genrule(
        name = name + "_source",
        srcs = [name + "_patched"],
        outs = [name + "/" + path.split("/")[-1]],
        cmd = "{ echo '#line 1 \"%s\"'; cat $<; } > $@" % path,
        tags = ["manual"],
    )

def broken_header(name, source):
    """{label: path} of the header to include before all others, or {}."""
    path = source_path(source)
    if not path.endswith(".h"):
        return {}
    file = "%s/%s/%s" % (native.package_name(), name, path.split("/")[-1])
    return {name + "_source": file}

def _broken_port(name, source, port, header):
    """The part of the port that differs from the healthy one."""
    folder = "//core/ports/%s:" % port
    port_library(
        name = "%s_%s_part" % (name, port),
        testonly = True,
        srcs = [folder + "private_headers"] +
               ([folder + "sources"] if header else [name + "_source"]),
        copts = _COPTS if header else HIGHMEM_COPTS,
        headers_first = header,
        port = port,
        tags = ["manual"],
        alwayslink = True,
        deps = [
            "//core/port:machine",
            "//core/ports/" + port,
        ] + _PORT_DEPS[port],
    )
    return "%s_%s_part" % (name, port)

def broken_core(name, source, port):
    """NAME_PORT: what a program links as its core, before the port.

    Args:
      name: of the mutant, which has a broken_source().
      source: as in mutants.bzl.
      port: one of broken_ports(source).
    """
    path = source_path(source)
    header = broken_header(name, source)
    if breaks_port(source) and not path.endswith("port_backend.h"):
        core = "//core:highmem_" + port
    else:
        core = "%s_%s_core" % (name, port)
        highmem_library(
            name = core,
            testonly = True,
            headers_first = header,
            overrides = {} if header else {path: name + "_source"},
            port = port,
            tags = ["manual"],
        )
    parts = []
    if breaks_port(source):
        parts = [_broken_port(name, source, port, header)]
    cc_library(
        name = "%s_%s" % (name, port),
        testonly = True,
        tags = ["manual"],
        deps = parts + [core],
    )
