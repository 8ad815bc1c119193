/* SPDX-License-Identifier: MIT */
#ifndef STRESS_TORTURE_TORTURE_H
#define STRESS_TORTURE_TORTURE_H

/*
 * What the parts of the torture program share:
 *
 *	options.c	the command line
 *	round.c		a round's program, drawn from the seed
 *	watch.c		a thread that prints statistics and sees stalls
 *	stall.c		when a stall is a stall (no clock, no thread)
 *	failure.c	the last words, whoever has to speak them
 *	refind.c	the explorer, set on the program that failed
 *	say.c		lines to the console and the log
 *	torture.c	round after round, and the verdict
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stress/oracle/exec.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

enum torture_exit {
	EXIT_FINE = 0,
	EXIT_USAGE = 1,
	EXIT_STALLED = 70,
	EXIT_BUG = 77,
};

struct torture_options {
	uint64_t seed;
	uint64_t time_ns; /* 0: no limit */
	uint64_t rounds;  /* 0: no limit */
	bool only_round;  /* the same round again and again */
	uint64_t round;
	unsigned int threads; /* at most, in a round */
	unsigned int slots;   /* 0: drawn for each round */
	unsigned int repeat;
	uint64_t stat_interval_ns;
	uint64_t stall_ns;
	const char *program_path; /* .hmt to run instead of drawing */
	bool program_bytes;	  /* it is an input of a fuzz target */
	const char *log_path;
	const char *out_dir; /* for the .hmt of a failure */
	bool refind;
	uint64_t refind_ns;
	const char *explorer; /* NULL: where Bazel builds it */
};

#define TORTURE_DEFAULT_THREADS PROGRAM_MAX_TASKS
#define TORTURE_DEFAULT_TIME_NS (30 * NS_PER_S)
#define TORTURE_DEFAULT_STAT_INTERVAL_NS (5 * NS_PER_S)
#define TORTURE_DEFAULT_STALL_NS (5 * NS_PER_S)
#define TORTURE_DEFAULT_REFIND_NS (20 * NS_PER_S)

/* TSan runs some ten times slower; a round should take about as long. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if __has_feature(thread_sanitizer)
#define TORTURE_DEFAULT_REPEAT 500
#else
#define TORTURE_DEFAULT_REPEAT 5000
#endif

/*
 * Fill @options, or say what is wrong and return an exit code >= 0; -1 means
 * go on. --help prints and returns EXIT_FINE.
 */
int options_parse(struct torture_options *options, int argc, char **argv);

/* The options that differ from the defaults and shape a round, as typed. */
size_t options_print(const struct torture_options *options, char *buf,
		     size_t size);

/* ---- round.c ------------------------------------------------------------- */

struct round {
	uint64_t nr;
	unsigned int repeat;
	bool safe; /* nested kmaps are so few that they cannot deadlock */
	struct program program;
	char text[12 * PROGRAM_MAX_OPS + 1024]; /* the program as .hmt */
	size_t text_len;
};

/* Round @nr of @options->seed. */
void round_draw(struct round *round, const struct torture_options *options,
		uint64_t nr);

/* The program of a file instead; false: said what is wrong with it. */
bool round_load(struct round *round, const struct torture_options *options);

/* One line that names the round and all that was drawn for it. */
void round_announce(const struct round *round);

/* ---- stall.c ------------------------------------------------------------- */

/* Sees that some counters stand still. */
struct stall_clock {
	uint32_t seen[PROGRAM_MAX_TASKS];
	uint64_t since; /* when one of them last moved */
};

void stall_restart(struct stall_clock *clock, const port_stat_t *progress,
		   uint64_t now);

/* True when no counter has moved for @limit. */
bool stall_check(struct stall_clock *clock, const port_stat_t *progress,
		 uint64_t now, uint64_t limit);

/* ---- watch.c ------------------------------------------------------------- */

struct totals {
	uint64_t rounds;
	uint64_t deadlocks; /* rounds whose program asked for one */
	uint64_t performed;
	uint64_t skipped;
	uint64_t stats[HM_NR_STATS];
};

uint64_t now_ns(void);

void watch_start(const struct torture_options *options);

/* Around each round. The counters are those for exec_options.progress. */
port_stat_t *watch_round_begin(const struct round *round);
void watch_round_end(const struct exec_result *result);

/* Stop the thread, print the last statistics, return the sums. */
struct totals watch_stop(void);

/* ---- failure.c ----------------------------------------------------------- */

/*
 * Prepare the last words of @round, and have them spoken if a sanitizer or a
 * signal ends the process. @passed: rounds before this one.
 */
void failure_arm(const struct torture_options *options,
		 const struct round *round, uint64_t passed);

/* A sanitizer or a crash after this is no round's fault. */
void failure_disarm(void);

/*
 * Speak them: why, the program, where it was written, the one replay line,
 * FAILURE. Only the first call speaks, and the others wait until it is done.
 */
void failure_speak(const char *why);

/* ---- refind.c ------------------------------------------------------------ */

/* Be ready for refind(). Before there are threads. False: said what is wrong. */
bool refind_start(const struct torture_options *options);

/*
 * Let the explorer look for the failure of the program in @file. True: it
 * found one, and has printed it with its replay line. Async-signal-safe.
 */
bool refind(const char *file);

/* ---- say.c --------------------------------------------------------------- */

/* Append to @path from now on. False: said what is wrong. */
bool say_open_log(const char *path);

/*
 * printf() of whole lines, on the console and in the log before it returns,
 * so that they survive a kill -9.
 */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* The same, but on the console only if there is no log: many such lines. */
__attribute__((format(printf, 1, 2))) void say_detail(const char *format, ...);

/* The same as say() for a text of any length; async-signal-safe. */
void say_text(const char *text, size_t len);

/* Did every line reach both places? */
bool say_lost_nothing(void);

#endif
