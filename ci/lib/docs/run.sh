#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian's python3, as for ci/fuzz: see ci/lib/fuzz/BUILD.
module=$1
shift
PYTHONPATH=ci/lib exec /usr/bin/python3 -B -m docs.$module "$@"
