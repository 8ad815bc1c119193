/* SPDX-License-Identifier: MIT */

/* The files that the loader put into memory beside the kernel. */

#include "core/ports/i686/internal.h"

#define MAX_MODULES 16
#define NAME_BYTES 64

/* Well inside of the direct map, however little RAM there is. */
#define END_OF_MODULES (32U << 20)

/* As multiboot lists them. */
struct boot_module {
	uint32_t start, end;
	uint32_t command_line;
	uint32_t reserved;
};

static char names[MAX_MODULES][NAME_BYTES];
static struct i686_module modules[MAX_MODULES];
static unsigned int nr_modules;

static const void *direct(uint32_t phys)
{
	return (const void *)(I686_PAGE_OFFSET + phys);
}

/* The last part of the path in a command line. NULL, or what is wrong. */
static const char *copy_name(char *name, uint32_t line_phys)
{
	const char *line = direct(line_phys), *start = line;
	const char *end = direct(PROVISIONAL_BYTES);
	size_t len = 0;

	if (line_phys >= PROVISIONAL_BYTES)
		return "a boot module's name lies above 8 MiB";
	for (; line < end && *line && *line != ' '; line++)
		if (*line == '/')
			start = line + 1;
	if (line == end)
		return "a boot module's name does not end below 8 MiB";
	if (line - start >= NAME_BYTES)
		return "a boot module's name is longer than 63";
	while (start < line)
		name[len++] = *start++;
	name[len] = '\0';
	return NULL;
}

const char *modules_init(uint32_t list_phys, uint32_t nr)
{
	const struct boot_module *list = direct(list_phys);

	const char *why;

	if (nr > MAX_MODULES)
		return "more than 16 boot modules";
	if (list_phys > PROVISIONAL_BYTES - nr * sizeof(*list))
		return "the list of boot modules lies above 8 MiB";
	for (uint32_t i = 0; i < nr; i++) {
		if (list[i].end < list[i].start || list[i].end > END_OF_MODULES)
			return "a boot module ends above 32 MiB";
		why = copy_name(names[i], list[i].command_line);
		if (why)
			return why;
		modules[i] = (struct i686_module){
			.name = names[i],
			.data = direct(list[i].start),
			.size = list[i].end - list[i].start,
		};
	}
	nr_modules = nr;
	return NULL;
}

unsigned int i686_nr_modules(void)
{
	return nr_modules;
}

const struct i686_module *i686_get_module(unsigned int nr)
{
	return nr < nr_modules ? &modules[nr] : NULL;
}
