/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stress/subjects/plain/plain.h"

/*
 * Names of the file's variables, from the symbol table of the program that we
 * are. What a variable is made of, the symbol table does not know: who
 * builds the program says so in plain_layout, in the form of read_layout().
 */

/* "NAME SIZE_OF_ELEMENT OFFSET:MEMBER ...\n": names.py; empty: nothing known. */
__attribute__((weak)) const char plain_layout[] = "";

static const char *program;
static const Elf64_Shdr *sections;

/* The whole program, mapped; the first call costs the most. */
static bool map_program(void)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *memory;

	if (file < 0)
		return false;
	if (fstat(file, &status) != 0 || status.st_size <= 0) {
		close(file);
		return false;
	}
	memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE,
		      file, 0);
	close(file);
	if (memory == MAP_FAILED)
		return false;
	program = memory;
	sections = (const void *)(program +
				  ((const Elf64_Ehdr *)memory)->e_shoff);
	return true;
}

static const Elf64_Shdr *symbol_table(void)
{
	const Elf64_Ehdr *head = (const void *)program;

	for (unsigned int s = 0; s < head->e_shnum; s++)
		if (sections[s].sh_type == SHT_SYMTAB)
			return &sections[s];
	return NULL;
}

static int take_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(uintptr_t *)arg = info->dlpi_addr;
	return 1; /* the first is the program itself */
}

/* The variable around @addr, and its name. @at: where it begins. */
static const Elf64_Sym *find_symbol(uintptr_t addr, const char **name,
				    uintptr_t *at)
{
	const Elf64_Shdr *table;
	const Elf64_Sym *symbols;
	uintptr_t bias = 0;

	if (!program && !map_program())
		return NULL;
	table = symbol_table();
	if (!table)
		return NULL;
	dl_iterate_phdr(take_bias, &bias);
	symbols = (const void *)(program + table->sh_offset);
	for (size_t i = 0; i < table->sh_size / sizeof(*symbols); i++) {
		const Elf64_Sym *symbol = &symbols[i];

		*at = symbol->st_value + bias;
		if (ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT ||
		    addr - *at >= symbol->st_size)
			continue;
		*name = program + sections[table->sh_link].sh_offset +
			symbol->st_name;
		return symbol;
	}
	return NULL;
}

/* ---- What it is made of ------------------------------------------------------------ */

/* The line of @name in plain_layout, after the name; or NULL. */
static const char *layout_of(const char *name)
{
	size_t length = strlen(name);

	for (const char *line = plain_layout; line && *line;) {
		if (strncmp(line, name, length) == 0 && line[length] == ' ')
			return line + length;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* The member that begins last before @offset. */
static void add_member(char *buf, size_t size, const char *line, size_t offset)
{
	size_t length = strlen(buf);
	size_t best = 0;
	const char *member = NULL;
	size_t chars = 0;

	while (*line == ' ') {
		char *colon;
		size_t at = strtoul(line + 1, &colon, 10);

		line = colon + 1 + strcspn(colon + 1, " \n");
		if (*colon != ':' || at > offset || (member && at < best))
			continue;
		best = at;
		member = colon + 1;
		chars = (size_t)(line - member);
	}
	if (member && chars > 0)
		length += (size_t)snprintf(buf + length, size - length, ".%.*s",
					   (int)chars, member);
	if (offset > best && length < size)
		snprintf(buf + length, size - length, "+%zu", offset - best);
}

static void print_place(char *buf, size_t size, const char *name, size_t offset,
			size_t whole)
{
	const char *line = layout_of(name);
	char *end;
	size_t element;

	snprintf(buf, size, "%s", name);
	if (!line) {
		add_member(buf, size, "", offset);
		return;
	}
	element = strtoul(line, &end, 10);
	if (element > 0 && element < whole)
		snprintf(buf, size, "%s[%zu]", name, offset / element);
	add_member(buf, size, end, element ? offset % element : offset);
}

const char *plain_word(const void *addr)
{
	static char buf[64];
	const char *name;
	const Elf64_Sym *symbol;
	uintptr_t at;

	if (!plain_is_variable(addr))
		return NULL;
	symbol = find_symbol((uintptr_t)addr, &name, &at);
	if (!symbol)
		return NULL;
	print_place(buf, sizeof(buf), name, (uintptr_t)addr - at,
		    symbol->st_size);
	return buf;
}
