/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stress/process/output.h"
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

bool save_program(const struct program *program, const char *path)
{
	static char text[MAX_FILE];

	program_print(program, text, sizeof(text));
	return output_save(path, text, strlen(text)) ||
	       complain(path, strerror(errno));
}

bool out_is_there(const struct options *o)
{
	if (output_fits_in(o->out ? o->out : "."))
		return true;
	fprintf(stderr,
		"explore: %s%s: %s; --out names a directory for findings\n",
		o->out ? "--out=" : "", o->out ? o->out : "here",
		strerror(errno));
	return false;
}

bool write_outcome(FILE *file, uint64_t outcome, const struct program *program)
{
	static char text[64 * 1024];

	program_print(program, text, sizeof(text));
	for (char *end = text; (end = strchr(end, '\n'));)
		*end = '|';
	return fprintf(file, "%016llx %s\n", (unsigned long long)outcome,
		       text) > 0;
}
