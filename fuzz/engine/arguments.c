/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "fuzz/engine/arguments.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stress/process/command.h"

#define EXIT_USAGE 1

struct engine_arguments engine_arguments = { .prefix = "" };

/* Absent with the replay engine, which counts a refused input itself. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size,
					      size_t max_size);

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* libFuzzer leaves what begins with -- to the target. */
static void answer(const char *target, char **word)
{
	static char help[] = "-help=1";
	const char *slash = strrchr(target, '/');

	if (strcmp(*word, "--help") == 0)
		*word = help;
	if (strcmp(*word, "--version") != 0)
		return;
	command_version(slash ? slash + 1 : target);
	fflush(stdout);
	_exit(0); /* exit() is a crash for libFuzzer */
}

void engine_read_arguments(int argc, char **argv)
{
	static const char prefix[] = "-artifact_prefix=";
	bool files_only = LLVMFuzzerMutate != NULL;

	for (int i = 1; i < argc; i++) {
		answer(argv[0], &argv[i]);
		if (begins(argv[i], prefix))
			engine_arguments.prefix = argv[i] + sizeof(prefix) - 1;
		/* These change the file that they are given. */
		if (begins(argv[i], "-minimize_crash") ||
		    begins(argv[i], "-cleanse_crash"))
			files_only = false;
		if (argv[i][0] == '-')
			continue;
		files_only &= is_file(argv[i]);
		engine_arguments.file = argv[i];
	}
	engine_arguments.named = files_only && engine_arguments.file;
	if (!engine_arguments.named)
		engine_arguments.file = NULL;
}

void engine_refuse(const char *why)
{
	if (!engine_arguments.named)
		return;
	fprintf(stderr, "fuzz target: the input is refused: %s\n", why);
	_exit(EXIT_USAGE); /* exit() is a crash for libFuzzer */
}
