#!/bin/sh
# SPDX-License-Identifier: MIT
# matplotlib is in Debian's python3: see ci/lib/fuzz/BUILD.
module=$1
shift
PYTHONPATH=ci/lib exec /usr/bin/python3 -B -m docs.$module "$@"
