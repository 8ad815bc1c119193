/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_ENGINE_ARGUMENTS_H
#define FUZZ_ENGINE_ARGUMENTS_H

/* What the command line of an engine says about its inputs. */

#include <stdbool.h>

struct engine_arguments {
	/*
	 * libFuzzer was given files, each to be run once and no more: whoever
	 * did that wants to know if one is refused.
	 */
	bool named;
	const char *file;   /* the last of them, or NULL */
	const char *prefix; /* of what a crash leaves: libFuzzer's or "" */
};

extern struct engine_arguments engine_arguments;

void engine_read_arguments(int argc, char **argv);

/*
 * The target refuses an input for this reason. If that was named, it says so
 * and ends the process: wrong usage.
 */
void engine_refuse(const char *why);

#endif
