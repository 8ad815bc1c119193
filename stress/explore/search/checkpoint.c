/* SPDX-License-Identifier: MIT */
#include "stress/explore/search/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress/process/output.h"

#define MAGIC "highmem-explore checkpoint 3"
#define FIELDS (sizeof(struct certificate) / sizeof(uint64_t))
#define LINE 1024

static const char *const names[FIELDS] = {
	"programs", "schedules", "steps",     "states",
	"pruned",   "loops",	 "deadlocks", "outcomes",
};

union fields {
	struct certificate sums;
	uint64_t field[FIELDS];
};

static bool complain(const char *path, const char *what)
{
	fprintf(stderr, "explore: checkpoint %s: %s\n", path, what);
	return false;
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
	return (sum ^ value) * 0x100000001b3u;
}

static uint64_t checksum(const char *search, const union fields *f)
{
	uint64_t sum = 0xcbf29ce484222325u;

	for (; *search; search++)
		sum = mix(sum, (unsigned char)*search);
	for (size_t i = 0; i < FIELDS; i++)
		sum = mix(sum, f->field[i]);
	return sum;
}

bool checkpoint_try(const char *path, const char *search,
		    const struct certificate *sums)
{
	const union fields f = { .sums = *sums };
	char text[2 * LINE];
	size_t len = 0;

#define APPEND(...) \
	(len += (size_t)snprintf(text + len, sizeof(text) - len, __VA_ARGS__))
	APPEND("%s\n%s\n", MAGIC, search);
	for (size_t i = 0; i < FIELDS; i++)
		APPEND("%s %llu\n", names[i], (unsigned long long)f.field[i]);
	APPEND("checksum %llu\n", (unsigned long long)checksum(search, &f));
#undef APPEND
	return output_save(path, text, len);
}

bool checkpoint_save(const char *path, const char *search,
		     const struct certificate *sums)
{
	return checkpoint_try(path, search, sums) ||
	       complain(path, strerror(errno));
}

/*
 * A line without its end; false if there is none, or not a whole one, or if it
 * is no text: what we say of it may reach a terminal.
 */
static bool read_line(FILE *file, char *line)
{
	size_t len;

	if (!fgets(line, LINE, file))
		return false;
	len = strlen(line);
	if (len == 0 || line[len - 1] != '\n')
		return false;
	line[len - 1] = '\0';
	for (const char *c = line; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return true;
}

static bool read_number(FILE *file, const char *name, uint64_t *value)
{
	char line[LINE];
	size_t len = strlen(name);
	char *end;

	if (!read_line(file, line) || strncmp(line, name, len) != 0 ||
	    line[len] != ' ' || line[len + 1] < '0' || line[len + 1] > '9')
		return false;
	errno = 0;
	*value = strtoull(line + len + 1, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool read_fields(FILE *file, char *search, union fields *f)
{
	char magic[LINE];
	uint64_t sum;

	if (!read_line(file, magic) || strcmp(magic, MAGIC) != 0 ||
	    !read_line(file, search))
		return false;
	for (size_t i = 0; i < FIELDS; i++)
		if (!read_number(file, names[i], &f->field[i]))
			return false;
	return read_number(file, "checksum", &sum) &&
	       sum == checksum(search, f) && fgetc(file) == EOF;
}

bool checkpoint_load(const char *path, const char *search,
		     struct certificate *sums)
{
	FILE *file = fopen(path, "r");
	char theirs[LINE];
	union fields found;
	bool good;

	if (!file)
		return errno == ENOENT || complain(path, strerror(errno));
	good = read_fields(file, theirs, &found);
	fclose(file);
	if (!good)
		return complain(path, "is damaged or not a checkpoint; move it "
				      "away to begin anew");
	if (strcmp(theirs, search) != 0) {
		fprintf(stderr,
			"explore: checkpoint %s: is of another search: %s\n",
			path, theirs);
		return false;
	}
	*sums = found.sums;
	return true;
}
