/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SUBJECTS_LAUNCH_LAUNCH_H
#define STRESS_SUBJECTS_LAUNCH_LAUNCH_H

/*
 * The command line of a program that tests a subject, of which it has one: when
 * another is asked for, launch.c has that program built (subject.py) and becomes
 * it. Host programs only.
 */

#include <stdbool.h>

/*
 * Take --subject=NAME, --file=PATH and --edit=PATH out of @argv, of *@argc words.
 * Does not return if they ask for another subject than the one that we are linked
 * with: then @program is started with that one, or a sentence says on stderr why
 * it cannot be, and the status is 1.
 */
void subject_choose(const char *program, int *argc, char **argv);

/* subject_flags(), and which file, as it was built. */
const char *subject_replay_flags(bool from_outside);

/* For a table of options, so that --help names them: they are never seen there. */
#define SUBJECT_OPTIONS \
	{ .help = "What is tested is this tree's core, unless it is said:" }, \
		{ .name = "subject", \
		  .kind = OPTION_TEXT, \
		  .value = "NAME", \
		  .into = &(const char *){ NULL }, \
		  .help = "another subject; with a / in it a folder of your own" }, \
		{ .name = "file", \
		  .kind = OPTION_TEXT, \
		  .value = "PATH", \
		  .into = &(const char *){ NULL }, \
		  .help = "made of this C file, instead of its own" }, \
		{ .name = "edit", \
		  .kind = OPTION_TEXT, \
		  .value = "PATH", \
		  .into = &(const char *){ NULL }, \
		  .help = "the file with small changes: " \
			  "stress/subjects/launch/edits.py; may be repeated" }

#endif
