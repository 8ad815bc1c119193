/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_OPTIONS_H
#define STRESS_EXPLORE_OPTIONS_H

/* The command line of explore, and what several verbs share. */

#include <stdio.h>

#include "stress/explore/explore.h"
#include "stress/explore/search/programs.h"

#define EXIT_FINE 0
#define EXIT_BAD 1
#define EXIT_STALLED 70
#define EXIT_BUG 77

struct options {
	const char *verb;
	const char *file;
	bool bytes;	 /* that is an input of a fuzz target */
	const char *out; /* -o FILE, or --out DIR of run */
	const char *checkpoint;
	const char *outcomes; /* for compare.py */
	struct search_options search;
	enum trace_format trace;
	uint64_t seed;
	bool seed_given;
	double seconds; /* --time */
	unsigned int jobs;
	bool generate;
	bool as_c;
	bool as_hmt;
	bool no_prune;
	bool faults_given;
	struct space space; /* exhaust */
	uint64_t iterations;
};

/* Fills @options; -1: go on, else the exit status. */
int options_parse(struct options *options, int argc, char **argv);

/* Read the program of @options; false with a sentence on stderr. */
bool load_program(struct program *program, const struct options *options);

/* "HASH PROGRAM", a line of it with | for each end of a line. False: it failed. */
bool write_outcome(FILE *file, uint64_t outcome, const struct program *program);

/* Write @program as text, whole or not at all; false with a sentence. */
bool save_program(const struct program *program, const char *path);

/* "--subject=NAME --black-box ", or what of it this run needs. */
const char *replay_flags(void);

/* One line: which checks nobody made. Nothing if all were made. */
void print_not_demanded(void);

/* Can findings be written? False with a sentence. */
bool out_is_there(const struct options *options);

/* Seconds since some moment, never going back. */
double now_seconds(void);

/*
 * A failing run, found: minimise it, save it as .hmt in @dir, print the trace,
 * the sentence and the one line that replays it. Returns the exit status.
 */
int report_finding(struct program *found, const char *dir);

/*
 * crash.c: a core that crashes is a finding, too. What it was running is saved
 * in @dir or NULL: here, with the line that replays it; the status is EXIT_BUG.
 */
void catch_crashes(const char *dir);

int verb_run(const struct options *options);
int verb_exhaust(const struct options *options);

#endif
