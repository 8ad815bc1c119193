#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Is this commit good? For `git bisect run`, with a program that fails now:
#
#	cp ci/recipes/bisect.sh crash.hmt /tmp
#	git bisect start BAD GOOD
#	git bisect run /tmp/bisect.sh /tmp/crash.hmt
#
# Both are copied, because other commits have others, or none. A commit that does
# not build, or that does not know what the program says, is skipped.

case $# in
1) ;;
*)
	echo "usage: bisect.sh FILE.hmt, in the tree that git bisects" >&2
	exit 128 # ends the bisection
	;;
esac
[ -r "$1" ] || {
	echo "bisect.sh: cannot read $1" >&2
	exit 128
}
program=$(readlink -f "$1")

bazel=${BAZEL:-bazel}
"$bazel" build //stress/hmt:hmt || exit 125
"$bazel" run //stress/hmt:hmt -- run "$program"
case $? in
0) exit 0 ;;
70 | 77) exit 1 ;; # stalled; a bug
*) exit 125 ;;	   # usage: another version of the language
esac
