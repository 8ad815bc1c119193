/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/explore/options.h"

#define MAX_FILE (64 * 1024)

static bool complain(const char *path, const char *what)
{
	fprintf(stderr, "explore: %s: %s\n", path, what);
	return false;
}

static bool read_file(const char *path, char *data, size_t *len)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		return complain(path, strerror(errno));
	*len = fread(data, 1, MAX_FILE, file);
	if (ferror(file)) {
		complain(path, strerror(errno));
		fclose(file);
		return false;
	}
	fclose(file);
	if (*len == 0)
		return complain(path, "is empty");
	return *len < MAX_FILE || complain(path, "is larger than any program");
}

bool load_program(struct program *program, const char *path)
{
	static char data[MAX_FILE];
	struct program_error error;
	const char *why;
	size_t len;

	if (!read_file(path, data, &len))
		return false;
	if (!program_load(program, data, len, &error)) {
		fprintf(stderr, "%s:%u: %s\n", path, error.line,
			error.expected);
		return false;
	}
	if (error.expected[0])
		complain(path, error.expected);
	why = machine_can(&program->machine);
	return !why || complain(path, why);
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
