/* SPDX-License-Identifier: MIT */

/*
 * outcomes: what must come out of the programs in boot modules, from the
 * simulated machine (outcome.h). Exit status: 0 all ran, 77 one has a bug, 1
 * a module is bad.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress/kernel/outcome.h"
#include "stress/kernel/pack.h"

static int status;
static bool plain, one_cpu;

static void say(const char *line)
{
	puts(line);
}

static void run(const char *name, const struct program *program)
{
	const char *why;

	if (plain)
		program = outcome_plain(program, false, one_cpu);
	why = machine_can(&program->machine);
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

static const char usage[] =
	"usage: outcomes [--plain|--one-cpu] MODULE...\n"
	"what comes out of the programs in boot modules; plain: without PAE and\n"
	"nested interrupts; one-cpu: nor other CPUs\n";

int main(int argc, char **argv)
{
	const char *flag = argc > 1 ? argv[1] : "";
	bool help = strcmp(flag, "--help") == 0;

	one_cpu = strcmp(flag, "--one-cpu") == 0;
	plain = one_cpu || strcmp(flag, "--plain") == 0;
	if (help || argc < 2 + plain) {
		fputs(usage, help ? stdout : stderr);
		return !help;
	}
	for (int i = 1 + plain; i < argc && status != 1; i++)
		run_module(argv[i]);
	return fflush(stdout) == 0 ? status : 1;
}
