/* SPDX-License-Identifier: MIT */

/*
 * outcomes: what must come out of the programs in boot modules, from the
 * simulated machine (outcome.h).
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress/kernel/drafts.h"
#include "stress/kernel/outcome.h"
#include "stress/kernel/pack.h"
#include "stress/process/command.h"

static int status;
static bool plain, one_cpu;
static unsigned int nr_drafts;
static uint64_t seed = 1;

static void say(const char *line)
{
	puts(line);
}

static void run(const char *name, const struct program *program)
{
	const char *why;

	if (plain)
		program = outcome_plain(program, false, one_cpu);
	why = program_can(program);
	if (why) {
		printf("= %s skipped %s\n", name, why);
		return;
	}
	if (outcome_of(name, program, say))
		status = 77;
}

/* The whole file, in memory that is never given back; NULL: it was said why. */
static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;
	long end = -1;

	if (file && fseek(file, 0, SEEK_END) == 0)
		end = ftell(file);
	if (end >= 0 && fseek(file, 0, SEEK_SET) == 0)
		data = malloc((size_t)end + 1);
	if (data)
		*size = fread(data, 1, (size_t)end, file);
	if (!data || ferror(file))
		fprintf(stderr, "outcomes: %s: %s\n", path, strerror(errno));
	if (file)
		fclose(file);
	return data;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void run_module(const char *path)
{
	size_t size = 0;
	void *data = read_file(path, &size);
	const char *why;
	unsigned int nr;

	if (!data) {
		status = 1;
		return;
	}
	why = pack_for_each(base_name(path), data, size, run, &nr);
	if (why) {
		fprintf(stderr, "outcomes: %s\n", why);
		status = 1;
	}
	free(data);
}

static const struct option_row rows[] = {
	{ .name = "plain",
	  .kind = OPTION_SWITCH,
	  .into = &plain,
	  .help = "without PAE and nested interrupts" },
	{ .name = "one-cpu",
	  .kind = OPTION_SWITCH,
	  .into = &one_cpu,
	  .help = "nor other CPUs" },
	{ .name = "drafts",
	  .kind = OPTION_UINT,
	  .value = "N",
	  .into = &nr_drafts,
	  .low = 1,
	  .high = 1000000,
	  .help = "make MODULE, of N random programs with deadlines, and run "
		  "none" },
	{ .name = "seed",
	  .kind = OPTION_U64,
	  .value = "N",
	  .into = &seed,
	  .high = UINT64_MAX,
	  .help = "of these (default: 1)" },
};

static const struct command_verb modules_verb = {
	.files = "MODULE...",
	.min_files = 1,
	.max_files = COMMAND_MANY,
};

static const struct command command = {
	.name = "outcomes",
	.help = "What comes out of the programs in boot modules, on the simulated machine.\n",
	.verbs = &modules_verb,
	.nr_verbs = 1,
	.options = rows,
	.nr_options = sizeof(rows) / sizeof(rows[0]),
	.after = "Exit status: 0 all ran, 77 one has a bug, 1 a module is bad.",
};

static int write_drafts(char *const *files, int nr)
{
	if (nr != 1)
		return command_wrong(&command, "--drafts makes one MODULE");
	if (drafts_write(files[0], nr_drafts, seed))
		return 0;
	fprintf(stderr, "outcomes: %s: %s\n", files[0], strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct command_line line;
	int wrong = command_parse(&command, argc, argv, &line);

	if (wrong >= 0)
		return wrong;
	if (nr_drafts > 0)
		return write_drafts(line.files, line.nr_files);
	plain |= one_cpu;
	for (int i = 0; i < line.nr_files && status != 1; i++)
		run_module(line.files[i]);
	return fflush(stdout) == 0 ? status : 1;
}
