/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <highmem/format.h>

#include "stress/explore/options.h"
#include "stress/process/write_whole.h"
#include "stress/program/program_file.h"

/*
 * A broken core may take the explorer with it. The run under way is then known
 * to controlled.c only, and the signal handler saves it: hm_format() and what
 * stands on it use no libc, write_whole() may be called anywhere.
 *
 * It runs on a stack of its own, for a task's may be what is broken. What a
 * crash leaves is not made smaller: each try would crash again.
 */

static struct {
	char home[2048]; /* with a slash, or empty if @dir is from the root */
	char dir[2048];	 /* with a slash, or empty */
	char stack[64 * 1024];
} at_crash;

static struct program crashed;
static char text[64 * 1024];

static void say(const char *sentence)
{
	write_whole(STDOUT_FILENO, sentence, strlen(sentence));
}

static void save_run(void)
{
	static char path[4096];
	static char line[8192];

	program_print(&crashed, text, sizeof(text));
	say("\n");
	say(text);
	hm_format(path, sizeof(path), "%sexplore-crash-%u.hmt", at_crash.dir,
		  (unsigned int)getpid());
	if (!write_whole_file(path, text, strlen(text))) {
		say("explore: the program above could not be written to a "
		    "file; --out names a directory\n");
		if (program_as_pipe(&crashed, text, sizeof(text))) {
			say("replay: ");
			say(text);
			say("bazel run //stress/explore:explore -- replay -\n");
		}
		return;
	}
	hm_format(
		line, sizeof(line),
		"replay: bazel run //stress/explore:explore -- replay %s%s%s\n",
		replay_flags(), at_crash.home, path);
	say(line);
}

/* SA_RESETHAND: a crash in here is the end. */
static void on_crash(int signal)
{
	char sentence[64];

	hm_format(sentence, sizeof(sentence),
		  "\nBUG: the core crashed (signal %u)\n",
		  (unsigned int)signal);
	say(sentence);
	if (controlled_under_way(&crashed))
		save_run();
	_exit(EXIT_BUG);
}

static void slash(char *buf, size_t size, const char *folder)
{
	hm_format(buf, size, "%s%s", folder, folder[0] ? "/" : "");
}

void catch_crashes(const char *dir)
{
	static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL,
				      SIGFPE };
	const stack_t stack = { .ss_sp = at_crash.stack,
				.ss_size = sizeof(at_crash.stack) };
	struct sigaction action = {
		.sa_handler = on_crash,
		.sa_flags = (int)(SA_RESETHAND | SA_ONSTACK),
	};
	char home[sizeof(at_crash.home) - 1];

	slash(at_crash.dir, sizeof(at_crash.dir), dir ? dir : "");
	if (at_crash.dir[0] != '/' && getcwd(home, sizeof(home)))
		slash(at_crash.home, sizeof(at_crash.home), home);
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaction(deadly[i], &action, NULL);
}
