/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE

#include "stress/subjects/launch/launch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/subjects/subject.h"

#define LAUNCHER "stress/subjects/launch/subject.py"
#define MAX_WORDS 256

/* Set by subject.py: it has built us, and of what. */
#define BUILT_OF "SUBJECT_BUILT_OF"

static const char *const flags[] = { "--subject", "--file", "--edit" };

/* 0: none of these; 1: with its value; 2: the value is the next word. */
static int words_of_flag(const char *word)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		size_t length = strlen(flags[i]);

		if (strncmp(word, flags[i], length) != 0)
			continue;
		if (word[length] == '=')
			return 1;
		if (word[length] == '\0')
			return 2;
	}
	return 0;
}

static _Noreturn void refuse(const char *program, const char *flag,
			     const char *why)
{
	fprintf(stderr, "%s: %s%s; see %s --help\n", program, flag, why,
		program);
	exit(EXIT_FAILURE);
}

static const char *expected_of(const char *flag)
{
	return strcmp(flag, "--subject") == 0 ? ": expected NAME"
					      : ": expected PATH";
}

/* As stress/process/command.h does with all other options. */
static void check_flag(const char *program, const char *flag, int argc,
		       char **argv)
{
	size_t length = strlen(flag);
	bool often = strcmp(flag, "--edit") == 0;
	bool seen = false;

	for (int i = 1; i < argc; i++) {
		int words = strncmp(argv[i], flag, length) == 0
				    ? words_of_flag(argv[i])
				    : 0;
		const char *value = words == 2 ? argv[i + 1]
					       : argv[i] + length + 1;

		if (words == 0)
			continue;
		if (!value || !*value || (words == 2 && value[0] == '-'))
			refuse(program, flag, expected_of(flag));
		if (seen && !often)
			refuse(program, flag, " comes twice");
		seen = true;
	}
}

static bool is_own_name(const char *word, const char *next)
{
	size_t length = strlen("--subject");

	if (strncmp(word, "--subject", length) != 0)
		return false;
	return next && strcmp(word[length] ? word + length + 1 : next,
			      the_subject.name) == 0;
}

/* Anything but --subject with our own name; and compare is of two. */
static bool asks_for_another(int argc, char **argv)
{
	int verb = 1;

	while (verb < argc && argv[verb][0] == '-')
		verb++;
	if (verb < argc && strcmp(argv[verb], "compare") == 0)
		return true;
	for (int i = 1; i < argc; i++)
		if (words_of_flag(argv[i]) &&
		    !is_own_name(argv[i], i + 1 < argc ? argv[i + 1] : ""))
			return true;
	return false;
}

static bool try_folder(char *path, size_t size, const char *folder,
		       const char *below)
{
	if (!folder)
		return false;
	snprintf(path, size, "%s%s/" LAUNCHER, folder, below);
	return access(path, R_OK) == 0;
}

/* Beside the program, or where Bazel says. */
static bool find_launcher(const char *self, char *path, size_t size)
{
	return try_folder(path, size, self, ".runfiles/highmem") ||
	       try_folder(path, size, getenv("RUNFILES_DIR"), "/highmem") ||
	       try_folder(path, size, getenv("TEST_SRCDIR"), "/highmem") ||
	       try_folder(path, size, ".", "");
}

static void launch(const char *program, int argc, char **argv)
{
	static char python[] = "/usr/bin/python3";
	char path[4096];
	char *args[MAX_WORDS + 5] = { python, (char[]){ "-B" }, path,
				      (char *)(uintptr_t)program };

	if (argc > MAX_WORDS || !find_launcher(argv[0], path, sizeof(path))) {
		fprintf(stderr,
			"%s: --subject: " LAUNCHER " is not beside me; start "
			"me with `bazel run`\n",
			program);
		exit(EXIT_FAILURE);
	}
	memcpy(args + 4, argv + 1, (size_t)argc * sizeof(*args));
	execv(python, args);
	fprintf(stderr, "%s: %s: %s\n", program, python, strerror(errno));
	exit(EXIT_FAILURE);
}

void subject_choose(const char *program, int *argc, char **argv)
{
	int kept = 1;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		check_flag(program, flags[i], *argc, argv);
	if (asks_for_another(*argc, argv))
		launch(program, *argc, argv);
	for (int i = 1; i < *argc; i++) {
		int words = words_of_flag(argv[i]);

		if (words == 0)
			argv[kept++] = argv[i];
		else
			i += words - 1;
	}
	*argc = kept < *argc ? kept : *argc;
	argv[*argc] = NULL;
}

const char *subject_replay_flags(bool from_outside)
{
	static char flags_again[4096];
	const char *built_of = getenv(BUILT_OF);

	if (!built_of)
		return subject_flags(from_outside);
	snprintf(flags_again, sizeof(flags_again), "%s %s", built_of,
		 from_outside && the_subject.look ? "--black-box " : "");
	return flags_again;
}
