#!/bin/bash -eu
# SPDX-License-Identifier: MIT
#
# Builds every fuzz target the way OSS-Fuzz and ClusterFuzzLite want it: with
# their compiler and flags ($CC $CXX $CFLAGS $CXXFLAGS $LIB_FUZZING_ENGINE
# $SANITIZER $FUZZING_ENGINE), from $SRC/highmem by way of $WORK into $OUT,
# and without Bazel. What is built goes by the names of the tree:
#
#	fuzz/X_fuzz_test.c	a target
#	fuzz/corpus/X/		its seeds
#	fuzz/X.dict		its dictionary; without one fuzz/hmt.dict
#	*_test.c *_main.c	not for us; every other .c file is
#
# ci/oss-fuzz/build_test.py builds with it, and compares with what Bazel packs.

cd "$SRC/highmem"

work=$WORK/highmem
rm -rf "$work"
mkdir -p "$work/host" "$work/target" "$work/seeds"

include="-I. -Icore/include -Icore/ports/sim"

# The C files in these directories that are neither tests nor programs.
sources() {
	find "$@" -maxdepth 1 -name '*.c' \
		! -name '*_test.c' ! -name '*_main.c' | sort
}

core="core/boot core/lib"
judge="core/port stress/oracle stress/process stress/program stress/schedule
	stress/subjects"

# $1: a directory for objects; the rest: how to compile. Sources on stdin.
compile() {
	# shellcheck disable=SC2016  # expanded by the shell that xargs starts
	xargs -P "$(nproc)" -I '{}' sh -c '
		source=$1 out=$2
		shift 2
		object=$(echo "$source" | tr / _)
		exec "$@" -c "$source" -o "$out/${object%.c}.o"
	' compile '{}' "$@"
}

# ---- Seeds as bytes ----------------------------------------------------------

# hmt runs here and now, so it is built without any of their flags.
host_cc=${HOST_CC:-clang}
{
	# shellcheck disable=SC2086  # lists of words
	sources $core core/ports/sim $judge
	echo stress/hmt/hmt_main.c
	echo stress/subjects/launch/launch.c
	echo core/build/instrumentation.c
} | compile "$work/host" "$host_cc" -std=c17 -O0 $include
"$host_cc" "$work"/host/*.o -o "$work/hmt"

# ---- The targets -------------------------------------------------------------

# Unsigned numbers wrap on purpose in hashes and random numbers. No inputs have
# magic values to be found by comparisons (ci/toolchain/config.bzl says more).
ours="-std=c17 $include -fno-sanitize=unsigned-integer-overflow"

# Where the symbolizer is, the runner says.
ours="$ours -DSYMBOLIZER=\"\""

# A target then refuses to start if the core in it lacks the sanitizer.
case $SANITIZER in
address) ours="$ours -DREQUIRE_ASAN" ;;
memory) ours="$ours -DREQUIRE_MSAN" ;;
undefined) ours="$ours -DREQUIRE_UBSAN" ;;
esac

# docs/decisions/0012: of the machine and the oracle no edges are counted.
uncounted=
case $SANITIZER-${FUZZING_ENGINE:-libfuzzer} in
coverage-* | introspector-*) ;;
*-libfuzzer)
	ours="$ours -fno-sanitize-coverage=trace-cmp -DREQUIRE_LIBFUZZER"
	uncounted=-fno-sanitize=fuzzer-no-link
	;;
esac

# shellcheck disable=SC2086  # lists of words
{
	sources core/ports/sim $judge |
		compile "$work/target" "$CC" $CFLAGS $ours $uncounted
	{
		sources $core core/boot/rules fuzz fuzz/engine fuzz/pgtable fuzz/sched
		echo core/build/instrumentation.c
	} | compile "$work/target" "$CC" $CFLAGS $ours
}

# The engine refers to it weakly, so no archive would give it.
mv "$work/target/fuzz_engine_engine_init.o" "$work"
"${AR:-ar}" rcs "$work/libhighmem.a" "$work"/target/*.o

pack() {
	python3 -B fuzz/engine/pack.py "$@"
}

for source in fuzz/*_fuzz_test.c; do
	target=$(basename "$source" .c)
	name=${target%_fuzz_test}
	# shellcheck disable=SC2086  # lists of words
	"$CC" $CFLAGS $ours -c "$source" -o "$work/$target.o"
	# shellcheck disable=SC2086
	"$CXX" $CXXFLAGS "$work/$target.o" "$work/fuzz_engine_engine_init.o" \
		"$work/libhighmem.a" $LIB_FUZZING_ENGINE -o "$OUT/$target"

	dictionary=fuzz/$name.dict
	[ -f "$dictionary" ] || dictionary=fuzz/hmt.dict
	pack corpus "$work/seeds/$name" "$work/hmt" "fuzz/corpus/$name"/*
	pack seed_zip "$OUT/${target}_seed_corpus.zip" "$work/seeds/$name"
	pack dict "$OUT/$target.dict" "$dictionary"
	cp fuzz/fuzz_test.options "$OUT/$target.options"
done
