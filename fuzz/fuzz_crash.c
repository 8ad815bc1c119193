/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "fuzz/fuzz_crash.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <highmem/format.h>

#include "fuzz/engine/arguments.h"
#include "stress/oracle/finding.h"
#include "stress/process/write_whole.h"
#include "stress/program/program_file.h"
#include "stress/schedule/controlled.h"
#include "stress/subjects/subject.h"

/*
 * hm_format() and what stands on it use no libc, write_whole() may be called
 * anywhere. Handlers run on the alternate stack that AddressSanitizer
 * has made.
 */

static const int deadly[] = {
	SIGABRT, /* first: see fuzz_crash_bug() */ SIGSEGV,
	SIGBUS,	 SIGILL,
	SIGFPE,	 SIGTRAP
};

#define NR_DEADLY (sizeof(deadly) / sizeof(deadly[0]))

static const struct program *running;
static struct sigaction before[NR_DEADLY]; /* libFuzzer's, a sanitizer's */
static char home[PATH_MAX];		   /* with a slash at its end */
static bool spoken;

static void say(const char *text)
{
	write_whole(STDERR_FILENO, text, strlen(text));
}

/* The same program has the same file. */
static unsigned int number_of(const char *text)
{
	uint32_t hash = 0x811c9dc5u; /* FNV-1a */

	while (*text)
		hash = (hash ^ (uint8_t)*text++) * 0x01000193u;
	return hash;
}

static const char *file_of(const char *text)
{
	static char path[PATH_MAX];

	if (engine_arguments.file)
		return engine_arguments.file;
	hm_format(path, sizeof(path), "%sprogram-%x.hmt",
		  engine_arguments.prefix, number_of(text));
	return write_whole_file(path, text, strlen(text)) ? path : NULL;
}

static void speak(void)
{
	static struct program program;
	static char text[64 * 1024];
	static char line[64 * 1024 + 2 * PATH_MAX];
	const char *file;

	if (spoken || !running)
		return;
	spoken = true;
	/* A mutator may run another one. */
	if (!controlled_under_way(&program))
		program = *running;
	program_print(&program, text, sizeof(text));
	file = file_of(text);
	say(text);
	if (!file)
		say("fuzz target: the program above could not be written to a "
		    "file; -artifact_prefix names a directory\n");
	if (file || !program_as_pipe(&program, text, sizeof(text)))
		text[0] = '\0';
	hm_format(line, sizeof(line),
		  "replay: %sbazel run --config=asan --config=ubsan "
		  "//stress/hmt:hmt -- run %s%s%s%s\n",
		  text, subject_flags(exec_judges_from_outside()),
		  file && file == engine_arguments.file ? "--bytes " : "",
		  file && file[0] != '/' ? home : "", file ? file : "-");
	say(line);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	size_t i = 0;

	speak();
	while (deadly[i] != signal)
		i++;
	if (before[i].sa_flags & SA_SIGINFO)
		before[i].sa_sigaction(signal, info, context);
	sigaction(signal, &before[i], NULL);
	raise(signal);
}

/* Called by the sanitizers when they have something to report. */
void __asan_on_error(void);
void __ubsan_on_report(void);

void __asan_on_error(void)
{
	speak();
}

void __ubsan_on_report(void)
{
	speak();
}

/* Not before the first input: libFuzzer would keep its own to itself. */
static void catch_signals(void)
{
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};
	size_t len;

	if (!getcwd(home, sizeof(home) - 1))
		home[0] = '\0';
	len = strlen(home);
	home[len] = '/';
	home[len + 1] = '\0';
	for (size_t i = 0; i < NR_DEADLY; i++)
		sigaction(deadly[i], &action, &before[i]);
}

void fuzz_crash_watch(const struct program *program)
{
	if (!running)
		catch_signals();
	running = program;
}

_Noreturn void fuzz_crash_bug(const char *sentence)
{
	fflush(NULL);
	finding_print(STDERR_FILENO, sentence);
	fprintf(stderr, "oracle: %s\n", sentence);
	/* All is said then, and no handler of ours is in the stack. */
	speak();
	sigaction(SIGABRT, &before[0], NULL);
	finding_end(sentence, abort);
	abort();
}
