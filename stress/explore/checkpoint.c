/* SPDX-License-Identifier: MIT */
#include "stress/explore/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "highmem-explore checkpoint 1"
#define FIELDS (sizeof(struct certificate) / sizeof(uint64_t))
#define SEARCH_FIELDS 4 /* the first ones say what is searched */

static const char *const names[FIELDS] = {
	"tasks", "ops",	   "preemptions", "pruning",   "programs", "schedules",
	"steps", "states", "pruned",	  "deadlocks", "hash",
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

static uint64_t checksum(const union fields *f)
{
	uint64_t sum = 0xcbf29ce484222325u;

	for (size_t i = 0; i < FIELDS; i++)
		sum = (sum ^ f->field[i]) * 0x100000001b3u;
	return sum;
}

static bool write_fields(FILE *file, const union fields *f)
{
	fprintf(file, "%s\n", MAGIC);
	for (size_t i = 0; i < FIELDS; i++)
		fprintf(file, "%s %llu\n", names[i],
			(unsigned long long)f->field[i]);
	fprintf(file, "checksum %llu\n", (unsigned long long)checksum(f));
	return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

bool checkpoint_save(const char *path, const struct certificate *sums)
{
	const union fields f = { .sums = *sums };
	char temporary[4096];
	FILE *file;
	bool good;

	snprintf(temporary, sizeof(temporary), "%s.part", path);
	file = fopen(temporary, "w");
	if (!file)
		return complain(path, strerror(errno));
	good = write_fields(file, &f);
	good = fclose(file) == 0 && good;
	if (good && rename(temporary, path) == 0)
		return true;
	complain(path, strerror(errno));
	unlink(temporary);
	return false;
}

static bool read_number(FILE *file, const char *name, uint64_t *value)
{
	char line[64];
	size_t len = strlen(name);
	char *end;

	if (!fgets(line, sizeof(line), file) || strncmp(line, name, len) != 0 ||
	    line[len] != ' ' || line[len + 1] < '0' || line[len + 1] > '9')
		return false;
	errno = 0;
	*value = strtoull(line + len + 1, &end, 10);
	return errno == 0 && strcmp(end, "\n") == 0;
}

static bool read_fields(FILE *file, union fields *f)
{
	char magic[sizeof(MAGIC) + 1] = { 0 };
	uint64_t sum;

	if (!fgets(magic, sizeof(magic), file) ||
	    strcmp(magic, MAGIC "\n") != 0)
		return false;
	for (size_t i = 0; i < FIELDS; i++)
		if (!read_number(file, names[i], &f->field[i]))
			return false;
	return read_number(file, "checksum", &sum) && sum == checksum(f);
}

bool checkpoint_load(const char *path, struct certificate *sums)
{
	const union fields asked = { .sums = *sums };
	FILE *file = fopen(path, "r");
	union fields found;
	bool good;

	if (!file)
		return errno == ENOENT || complain(path, strerror(errno));
	good = read_fields(file, &found);
	fclose(file);
	if (!good)
		return complain(path, "is damaged or not a checkpoint; move it "
				      "away to begin anew");
	for (size_t i = 0; i < SEARCH_FIELDS; i++)
		if (found.field[i] != asked.field[i])
			return complain(path, "is of a search with other "
					      "--tasks, --ops, "
					      "--max-preemptions or pruning");
	*sums = found.sums;
	return true;
}
