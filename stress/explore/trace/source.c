/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <inttypes.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress/explore/trace/trace.h"

/*
 * From return addresses to source lines, by whatever symbolizer is installed:
 * it reads the debug information of this very program. All addresses of a
 * trace are asked for at once, because starting it is what takes the time.
 */

#define MAX_SOURCES 512
#define MAX_COMMAND (64 + 20 * MAX_SOURCES)

struct source {
	uintptr_t caller;
	char text[SOURCE_SIZE];
};

static struct source sources[MAX_SOURCES];
static unsigned int nr_sources;

static int by_caller(const void *a, const void *b)
{
	const struct source *left = a;
	const struct source *right = b;

	return (left->caller > right->caller) - (left->caller < right->caller);
}

static struct source *find(uintptr_t caller)
{
	const struct source key = { .caller = caller };

	return bsearch(&key, sources, nr_sources, sizeof(sources[0]),
		       by_caller);
}

static int take_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(uintptr_t *)arg = info->dlpi_addr;
	return 1; /* the first is the program itself */
}

/* Where the program's file offsets were put in memory. */
static uintptr_t load_bias(void)
{
	uintptr_t bias = 0;

	dl_iterate_phdr(take_bias, &bias);
	return bias;
}

static void collect(const struct record *record)
{
	nr_sources = 0;
	for (uint32_t i = 0; i < record->nr_entries; i++) {
		uintptr_t caller = (uintptr_t)record->entries[i].caller;

		if (caller == 0 || nr_sources == MAX_SOURCES || find(caller))
			continue;
		sources[nr_sources].caller = caller;
		snprintf(sources[nr_sources].text, SOURCE_SIZE, "+0x%" PRIxPTR,
			 caller - load_bias());
		nr_sources++;
		qsort(sources, nr_sources, sizeof(sources[0]), by_caller);
	}
}

/* A return address is one past its call. */
static void make_command(char *buf, const char *tool)
{
	int len = snprintf(buf, MAX_COMMAND, "%s -a -f -i -e /proc/%ld/exe",
			   tool, (long)getpid());

	for (unsigned int i = 0; i < nr_sources; i++)
		len += snprintf(buf + len, (size_t)(MAX_COMMAND - len),
				" 0x%" PRIxPTR,
				sources[i].caller - 1 - load_bias());
	snprintf(buf + len, (size_t)(MAX_COMMAND - len), " 2>/dev/null");
}

/*
 * "/a/b/pkmap.c:112 (discriminator 2)" -> "pkmap.c:112". Line 0 is code that the
 * compiler merged from several lines: only the file is known.
 */
static void trim_place(char *place)
{
	char *base = strrchr(place, '/');
	size_t len;

	if (base)
		memmove(place, base + 1, strlen(base + 1) + 1);
	place[strcspn(place, " \n")] = '\0';
	len = strlen(place);
	if (len > 2 && strcmp(place + len - 2, ":0") == 0)
		place[len - 2] = '\0';
}

/*
 * Inline functions of the port, or of the kernel around a subject's file, stand
 * for an access; who wanted it is outside.
 */
static bool is_core(const char *place)
{
	return strncmp(place, "port_backend.h", 14) != 0 &&
	       strncmp(place, "kernel.h", 8) != 0 && *place != '?';
}

/*
 * For each address, a line with it, and then two lines for each function that
 * was inlined there, the innermost first: name, and file:line.
 */
static void read_answers(FILE *answers)
{
	struct source *source = NULL;
	unsigned int nr_read = 0;
	char function[512];
	char place[4096];

	while (fgets(function, sizeof(function), answers)) {
		if (strncmp(function, "0x", 2) == 0) {
			source = nr_read < nr_sources ? &sources[nr_read]
						      : NULL;
			nr_read++;
			continue;
		}
		if (!fgets(place, sizeof(place), answers))
			return;
		function[strcspn(function, "\n")] = '\0';
		trim_place(place);
		if (!source || !is_core(place))
			continue;
		snprintf(source->text, SOURCE_SIZE, "%.30s %.30s", function,
			 place);
		source = NULL; /* until the next address */
	}
}

static bool ask(const char *tool)
{
	static char command[MAX_COMMAND];
	FILE *answers;

	make_command(command, tool);
	answers = popen(command, "r");
	if (!answers)
		return false;
	read_answers(answers);
	return pclose(answers) == 0;
}

const char *sources_load(const struct record *record)
{
	static const char *const tools[] = {
		"llvm-symbolizer-19 --output-style=GNU",
		"llvm-symbolizer --output-style=GNU",
		"addr2line",
	};

	collect(record);
	if (nr_sources == 0)
		return NULL;
	for (unsigned int i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (ask(tools[i]))
			return NULL;
	return "no source lines: neither llvm-symbolizer-19 nor addr2line is "
	       "installed; +0x... are offsets in the program";
}

const char *source_at(const void *caller)
{
	const struct source *source = find((uintptr_t)caller);

	return source ? source->text : "";
}
