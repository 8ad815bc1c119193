/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stress/process/write_whole.h"
#include "stress/program/program_file.h"
#include "stress/torture/torture.h"

/*
 * The last words are spoken by whoever finds the failure: the program, the
 * watch, a sanitizer in the middle of its report, a signal handler. So they
 * are written down before the round runs, and speaking is open() and write(),
 * and with --refind a question to another process.
 */

/* Who we are, in the replay line; a torture of another core says so. */
#ifndef TORTURE_LABEL
#define TORTURE_LABEL "//stress/torture:torture"
#endif

#if __has_feature(thread_sanitizer)
#define BUILD_FLAGS "--config=tsan "
#elif __has_feature(address_sanitizer)
#define BUILD_FLAGS "--config=asan "
#else
#define BUILD_FLAGS ""
#endif

#define SPOKEN ((pid_t) - 1)

/* A path, or the program itself. */
#define REPLAY (2 * PATH_MAX + 16 * 1024)

static struct {
	bool armed;
	pid_t speaker; /* 0: nobody yet; SPOKEN: it is done */
	const struct round *round;
	char headline[128];
	char file[PATH_MAX];
	char written[PATH_MAX + 128];
	char replay[REPLAY];
	char ending[128];
} last;

/* Absent without a sanitizer. */
void __sanitizer_set_death_callback(void (*callback)(void))
	__attribute__((weak));

static void say_string(const char *text)
{
	say_text(text, strlen(text));
}

/*
 * The explorer takes its time, and whoever fails meanwhile must not end the
 * process. False at once for a speaker that fails while speaking.
 */
static bool may_speak(void)
{
	const struct timespec a_moment = { .tv_nsec = 10 * 1000 * 1000 };
	pid_t self = gettid();
	pid_t speaker = 0;

	if (__atomic_compare_exchange_n(&last.speaker, &speaker, self, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return true;
	while (speaker != self && speaker != SPOKEN) {
		nanosleep(&a_moment, NULL);
		speaker = __atomic_load_n(&last.speaker, __ATOMIC_SEQ_CST);
	}
	return false;
}

void failure_speak(const char *why)
{
	bool written;

	if (!last.armed || !may_speak())
		return;
	say_string(last.headline);
	say_string(why);
	say_string("\n");
	say_text(last.round->text, last.round->text_len);
	written = write_whole_file(last.file, last.round->text,
				   last.round->text_len);
	if (written)
		say_string(last.written);
	else
		say_string("highmem-torture: !!! the program above could not "
			   "be written to a file; --out names a directory\n");
	if (!written || !refind(last.file))
		say_string(last.replay);
	say_string(last.ending);
	__atomic_store_n(&last.speaker, SPOKEN, __ATOMIC_SEQ_CST);
}

static void on_death(void)
{
	failure_speak("the sanitizer's report stands above");
}

/* SA_RESETHAND: a crash in here is the end. */
static void on_signal(int signal)
{
	(void)signal;
	failure_speak("the program crashed or aborted");
	_exit(EXIT_BUG);
}

/* Of the signals, a sanitizer has taken some; it calls back for those. */
static void catch_deaths(void)
{
	static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS,
				      SIGILL,  SIGFPE,	SIGTRAP };
	const struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESETHAND,
	};

	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(on_death);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		struct sigaction old;

		sigaction(deadly[i], NULL, &old);
		if (!(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL)
			sigaction(deadly[i], &action, NULL);
	}
}

/*
 * How to run this round again: the file if there was one, else the draw. What
 * came from standard input comes from there again.
 */
static void print_replay(char *buf, size_t size,
			 const struct torture_options *options,
			 const struct round *round)
{
	static char pipe[REPLAY / 2];
	char path[PATH_MAX];
	char shape[128];
	const char *file = options->program_path;
	bool piped = file && program_file_is_stdin(file);
	int len;

	options_print(options, shape, sizeof(shape));
	if (!piped || !program_as_pipe(&round->program, pipe, sizeof(pipe)))
		pipe[0] = '\0';
	len = snprintf(buf, size,
		       "replay: %sbazel run -c opt " BUILD_FLAGS TORTURE_LABEL
		       " -- %s ",
		       pipe, shape);
	buf += len;
	size -= (size_t)len;
	if (!file)
		snprintf(buf, size, "--round %" PRIu64 "\n", round->nr);
	else
		snprintf(buf, size, "--program %s%s\n",
			 piped || !realpath(file, path) ? file : path,
			 options->program_bytes && !piped ? " --bytes" : "");
}

void failure_arm(const struct torture_options *options,
		 const struct round *round, uint64_t passed)
{
	if (!last.round)
		catch_deaths();
	last.round = round;
	snprintf(last.headline, sizeof(last.headline),
		 "highmem-torture: !!! round %" PRIu64 ": ", round->nr);
	snprintf(last.file, sizeof(last.file),
		 "%s/torture-%" PRIu64 "-%" PRIu64 ".hmt", options->out_dir,
		 options->seed, round->nr);
	snprintf(last.written, sizeof(last.written),
		 "highmem-torture: !!! the program above is in %s\n",
		 last.file);
	print_replay(last.replay, sizeof(last.replay), options, round);
	snprintf(last.ending, sizeof(last.ending),
		 "highmem-torture: --- End of test: FAILURE\n"
		 "cases: %" PRIu64 " passed, 1 failed\n",
		 passed);
	last.armed = true;
}

void failure_disarm(void)
{
	last.armed = false;
}
