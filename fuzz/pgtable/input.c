/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "fuzz/pgtable/input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT (16 * 1024)
#define MAX_TOKENS 4

struct line {
	char *token[MAX_TOKENS]; /* "" where there is none */
	unsigned int nr;
};

static void split(struct line *line, char *text)
{
	static char empty[] = "";

	line->nr = 0;
	for (unsigned int i = 0; i < MAX_TOKENS; i++)
		line->token[i] = empty;
	for (char *save, *token = strtok_r(text, " \t", &save);
	     token && line->nr < MAX_TOKENS;
	     token = strtok_r(NULL, " \t", &save))
		line->token[line->nr++] = token;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

static void add_range(struct pgtable_input *input, const struct line *line,
		      uint32_t type)
{
	if (line->nr >= 3 && input->map.nr < MEMMAP_MAX_RANGES)
		input->map.range[input->map.nr++] = (struct memmap_range){
			.start = number(line->token[1]),
			.end = number(line->token[2]),
			.type = type,
		};
}

/* "9fc00-a0000 2" */
static void add_logged_range(struct pgtable_input *input, char *text)
{
	char *at = text;
	uint64_t start = strtoull(at, &at, 16);
	uint64_t end;
	uint32_t type;

	if (at == text || *at != '-')
		return;
	end = strtoull(at + 1, &at, 16);
	type = (uint32_t)strtoul(at, &at, 10);
	if (input->map.nr < MEMMAP_MAX_RANGES)
		input->map.range[input->map.nr++] = (struct memmap_range){
			.start = start,
			.end = end,
			.type = type,
		};
}

static bool is_prot(const char *name)
{
	static const char *const names[] = { "none", "ro", "rx", "rw" };

	for (unsigned int i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void add_piece(struct pgtable_input *input, const struct line *line)
{
	struct pgtable_input_piece *piece = &input->piece[input->nr_pieces];

	if (input->nr_pieces == PGTABLE_INPUT_PIECES ||
	    !is_prot(line->token[3]))
		return;
	piece->page = (uint32_t)number(line->token[1]);
	piece->nr = (uint32_t)number(line->token[2]);
	snprintf(piece->prot, sizeof(piece->prot), "%s", line->token[3]);
	input->nr_pieces++;
}

static void parse_line(struct pgtable_input *input, char *text)
{
	struct line line;
	const char *key;

	if (strncmp(text, "words ", 6) == 0) {
		snprintf(input->words, sizeof(input->words), "%s", text + 6);
		return;
	}
	if (strchr(text, '-')) {
		add_logged_range(input, text);
		return;
	}
	split(&line, text);
	key = line.token[0];
	if (strcmp(key, "ram") == 0)
		add_range(input, &line, MEMMAP_RAM);
	else if (strcmp(key, "reserved") == 0)
		add_range(input, &line, MEMMAP_RAM + 1);
	else if (strcmp(key, "piece") == 0)
		add_piece(input, &line);
	else if (strcmp(key, "cpus") == 0)
		input->cpus = (uint32_t)number(line.token[1]);
	else if (strcmp(key, "page") == 0)
		input->page = (uint32_t)number(line.token[1]);
	else if (strcmp(key, "fail") == 0)
		input->fail = (uint32_t)number(line.token[1]);
	input->pae |= strcmp(key, "pae") == 0;
	input->nx |= strcmp(key, "nx") == 0;
	input->small |= strcmp(key, "small") == 0;
}

void pgtable_input_parse(struct pgtable_input *input, const uint8_t *data,
			 size_t size)
{
	static char text[MAX_TEXT];
	char *save;

	memset(input, 0, sizeof(*input));
	input->cpus = 1;
	input->page = 32;
	input->fail = PGTABLE_NO_FAIL;
	size = size < sizeof(text) ? size : sizeof(text) - 1;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		parse_line(input, line);
	input->nx &= input->pae;
}

static void print_flags(const struct pgtable_input *input)
{
	if (input->pae)
		fprintf(stderr, "input: pae\n");
	if (input->nx)
		fprintf(stderr, "input: nx\n");
	if (input->small)
		fprintf(stderr, "input: small\n");
	fprintf(stderr, "input: cpus %" PRIu32 "\n", input->cpus);
	fprintf(stderr, "input: page %" PRIu32 "\n", input->page);
	if (input->fail != PGTABLE_NO_FAIL)
		fprintf(stderr, "input: fail %" PRIu32 "\n", input->fail);
}

void pgtable_input_print(const struct pgtable_input *input)
{
	for (unsigned int i = 0; i < input->map.nr; i++)
		fprintf(stderr, "input: %s %#" PRIx64 " %#" PRIx64 "\n",
			input->map.range[i].type == MEMMAP_RAM ? "ram"
							       : "reserved",
			input->map.range[i].start, input->map.range[i].end);
	if (input->words[0])
		fprintf(stderr, "input: words %s\n", input->words);
	print_flags(input);
	for (unsigned int i = 0; i < input->nr_pieces; i++)
		fprintf(stderr, "input: piece %#" PRIx32 " %" PRIu32 " %s\n",
			input->piece[i].page, input->piece[i].nr,
			input->piece[i].prot);
}
