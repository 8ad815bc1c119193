/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_FUZZ_CRASH_H
#define FUZZ_FUZZ_CRASH_H

/*
 * A broken core may take the fuzzer with it: it crashes, or a sanitizer ends
 * the process. Then the program that ran is printed, with the choices made so
 * far, and one line that replays it; before whatever the sanitizer and libFuzzer
 * have to say.
 */

#include "stress/program/program.h"

/* @program stays the caller's and is what runs from now on. */
void fuzz_crash_watch(const struct program *program);

/*
 * The oracle found a bug: its sentence, also as a line that begins with
 * "assertion failed: ", then abort() in the frames of its kind
 * (stress/oracle/finding.h), and so the same words.
 */
_Noreturn void fuzz_crash_bug(const char *sentence);

#endif
