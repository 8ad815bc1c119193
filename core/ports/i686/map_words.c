/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/map_words.h"

#include <highmem/format.h>

#include "core/ports/i686/words.h"

#define TYPE_RESERVED 2
#define TYPE_ACPI 3

static const char no_form[] =
	"not START-END:TYPE in hexadecimal, SIZE@START, SIZE#START, SIZE$START "
	"or exactmap";
static const char no_size[] = "not a size like 512M";
static const char too_large[] = "a number has more than 64 bits";

/* ---- Numbers, which move the start of the text behind them --------------------- */

static bool take(struct word *text, char c)
{
	if (!text->len || *text->start != c)
		return false;
	text->start++;
	text->len--;
	return true;
}

static bool take_text(struct word *text, const char *what)
{
	struct word rest = *text;

	while (*what)
		if (!take(&rest, *what++))
			return false;
	*text = rest;
	return true;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* Decimal without 0x, unless @base is 16. @no_number: there is no digit. */
static const char *take_number(struct word *text, unsigned int base,
			       uint64_t *value, const char *no_number)
{
	size_t before;

	if (take_text(text, "0x") || take_text(text, "0X"))
		base = 16;
	before = text->len;
	for (*value = 0; text->len && digit(*text->start) < base;) {
		unsigned int d = digit(*text->start);

		if (*value > (UINT64_MAX - d) / base)
			return too_large;
		*value = *value * base + d;
		take(text, *text->start);
	}
	return text->len < before ? NULL : no_number;
}

/* 512M and the like. */
static const char *take_size(struct word *text, uint64_t *value,
			     const char *no_number)
{
	static const char units[] = "KkMmGg";
	const char *why = take_number(text, 10, value, no_number);

	for (unsigned int i = 0; i < sizeof(units) - 1 && !why; i++) {
		unsigned int shift = 10 * (i / 2 + 1);

		if (!take(text, units[i]))
			continue;
		if (*value > UINT64_MAX >> shift)
			return too_large;
		*value <<= shift;
		break;
	}
	return why;
}

/* ---- Ranges -------------------------------------------------------------------- */

static bool contains(struct word text, char c)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.start[i] == c)
			return true;
	return false;
}

static const char *add_bounds(struct memmap *map, struct word text)
{
	uint64_t start = 0, end = 0, type = MEMMAP_RAM;
	const char *why = take_number(&text, 16, &start, no_form);

	if (!why && !take(&text, '-'))
		return no_form;
	if (!why)
		why = take_number(&text, 16, &end, no_form);
	if (!why && take(&text, ':'))
		why = take_number(&text, 16, &type, no_form);
	if (!why && (text.len || type > UINT32_MAX))
		return no_form;
	return why ? why : memmap_add(map, start, end, (uint32_t)type);
}

static const char *add_size(struct memmap *map, struct word text)
{
	uint64_t size = 0, start = 0;
	uint32_t type = MEMMAP_RAM;
	const char *why = take_size(&text, &size, no_form);

	if (why)
		return why;
	if (take(&text, '#'))
		type = TYPE_ACPI;
	else if (take(&text, '$'))
		type = TYPE_RESERVED;
	else if (!take(&text, '@'))
		return no_form;
	why = take_size(&text, &start, no_form);
	if (!why && text.len)
		return no_form;
	if (!why && start + size < start)
		return "the range ends beyond 64 bits";
	return why ? why : memmap_add(map, start, start + size, type);
}

static const char *add_item(struct memmap *map, struct word item, bool *exact)
{
	struct word text = item;

	if (take_text(&text, "exactmap") && !text.len) {
		map->nr = 0;
		return NULL;
	}
	if (!contains(item, '-'))
		return add_size(map, item);
	if (!*exact)
		map->nr = 0;
	*exact = true;
	return add_bounds(map, item);
}

static struct word next_item(struct word *text)
{
	struct word item = { text->start, 0 };

	while (item.len < text->len && item.start[item.len] != ',')
		item.len++;
	text->start += item.len;
	text->len -= item.len;
	return item;
}

/* ---- Words ---------------------------------------------------------------------- */

/* "WORD: why", with no more of it than leaves room for the rest. */
static const char *explain(char *why, size_t size, const char *key,
			   struct word word, const char *sentence)
{
	char start[40];
	size_t len = word.len < sizeof(start) - 1 ? word.len
						  : sizeof(start) - 1;

	for (size_t i = 0; i < len; i++)
		start[i] = word.start[i];
	start[len] = '\0';
	hm_format(why, size, "%s%s: %s", key, start, sentence);
	return why;
}

/* What one word leaves for the next. */
struct changes {
	struct memmap *map;
	bool exact;	/* START-END has emptied it */
	uint64_t limit; /* mem= */
	char *why;
	size_t size;
};

static const char *apply_memmap(struct changes *changes, struct word list)
{
	struct word item;
	const char *bad;

	do {
		item = next_item(&list);
		bad = add_item(changes->map, item, &changes->exact);
	} while (!bad && take(&list, ','));
	return bad ? explain(changes->why, changes->size, "memmap=", item, bad)
		   : NULL;
}

static const char *apply_mem(struct changes *changes, struct word word)
{
	struct word text = word;
	uint64_t limit;
	const char *bad = take_size(&text, &limit, no_size);

	if (!bad && text.len)
		bad = no_size;
	if (bad)
		return explain(changes->why, changes->size, "mem=", word, bad);
	changes->limit = limit < changes->limit ? limit : changes->limit;
	return NULL;
}

const char *map_words_apply(struct memmap *map, const char *words, char *why,
			    size_t size)
{
	struct changes changes = { map, false, UINT64_MAX, why, size };
	const char *bad = NULL;
	struct word word;

	while (!bad && (word = word_next(&words)).len) {
		if (take_text(&word, "memmap="))
			bad = apply_memmap(&changes, word);
		else if (take_text(&word, "mem="))
			bad = apply_mem(&changes, word);
	}
	if (bad)
		return bad;
	/* Other ranges win against RAM. */
	return memmap_add(map, changes.limit, UINT64_MAX, TYPE_RESERVED);
}
