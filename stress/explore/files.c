/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/program/program_file.h"
#include "stress/explore/options.h"

#define MAX_FILE (64 * 1024)

static bool complain(const char *path, const char *what)
{
	fprintf(stderr, "explore: %s: %s\n", path, what);
	return false;
}

bool load_program(struct program *program, const struct options *o)
{
	const char *why;

	if (!program_read(program, o->file, o->bytes, "explore"))
		return false;
	why = program_can(program);
	return !why || complain(o->file, why);
}

static bool write_text(FILE *file, const struct program *program)
{
	static char text[MAX_FILE];

	program_print(program, text, sizeof(text));
	return fputs(text, file) >= 0 && fflush(file) == 0 &&
	       fsync(fileno(file)) == 0;
}

bool save_program(const struct program *program, const char *path)
{
	char temporary[4096];
	FILE *file;
	bool good;

	snprintf(temporary, sizeof(temporary), "%s.part", path);
	file = fopen(temporary, "w");
	if (!file)
		return complain(path, strerror(errno));
	good = write_text(file, program);
	good = fclose(file) == 0 && good;
	if (good && rename(temporary, path) == 0)
		return true;
	complain(path, strerror(errno));
	unlink(temporary);
	return false;
}
