/* SPDX-License-Identifier: MIT */
#include "stress/process/command_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
#define LONGEST_S (UINT64_C(100) * 365 * 24 * 3600)

#define MAX_NAME 31

bool command_u64(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	return *text >= '0' && *text <= '9' && end[0] == '\0' &&
	       end[-1] != 'x' && errno == 0;
}

/* ns of the number at *@text, which moves behind its unit; false: none. */
static bool take_time(const char **text, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ms", NS_PER_S / 1000 }, { "s", NS_PER_S },
		{ "m", 60 * NS_PER_S },	   { "h", 3600 * NS_PER_S },
		{ "d", 86400 * NS_PER_S },
	};
	size_t len = strspn(*text, "0123456789.");
	double number;
	char *end;

	if (len == 0 || len > 20)
		return false;
	number = strtod(*text, &end);
	if (end != *text + len)
		return false;
	for (unsigned int i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t unit = strlen(units[i].name);

		if (strncmp(end, units[i].name, unit) != 0)
			continue;
		number *= (double)units[i].ns;
		if (number > (double)(LONGEST_S * NS_PER_S))
			return false;
		*ns = (uint64_t)number;
		*text = end + unit;
		return true;
	}
	return false;
}

bool command_time(const char *text, uint64_t *ns)
{
	char seconds[32];
	uint64_t part;

	*ns = 0;
	if (*text && text[strspn(text, "0123456789.")] == '\0') {
		if (snprintf(seconds, sizeof(seconds), "%ss", text) >=
		    (int)sizeof(seconds))
			return false;
		text = seconds;
	}
	do {
		if (!take_time(&text, &part))
			return false;
		*ns += part;
	} while (*text && *ns <= LONGEST_S * NS_PER_S);
	return *ns <= LONGEST_S * NS_PER_S;
}

bool find_word(const char *const *words, const char *text, unsigned int *index)
{
	for (unsigned int i = 0; words[i]; i++) {
		if (strcmp(words[i], text) != 0)
			continue;
		*index = i;
		return true;
	}
	return false;
}

uint64_t option_most(const struct option_row *row)
{
	if (row->high)
		return row->high;
	return row->kind == OPTION_UINT ? UINT_MAX : UINT64_MAX;
}

static const char *expected_word(const struct option_row *row, char *buf,
				 size_t size)
{
	char list[192] = "";

	for (unsigned int i = 0; row->words[i]; i++)
		list_add(list, sizeof(list), row->words[i]);
	snprintf(buf, size, "one of %s", list);
	return buf;
}

const char *option_expected(const struct option_row *row, char *buf,
			    size_t size)
{
	switch (row->kind) {
	case OPTION_UINT:
	case OPTION_U64:
		snprintf(buf, size, "a number from %" PRIu64 " to %" PRIu64,
			 row->low, option_most(row));
		return buf;
	case OPTION_TIME:
		return row->low ? "a time above 0 such as 500ms, 30s or 8h"
				: "a time such as 500ms, 30s or 8h";
	case OPTION_WORD:
		return expected_word(row, buf, size);
	case OPTION_PARSED:
		return row->parse("", row->into);
	default:
		return row->value;
	}
}

/* ---- Words ------------------------------------------------------------------------ */

void list_add(char *list, size_t size, const char *word)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "", word);
}

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's: letters to put in, take out or change. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[MAX_NAME + 1];
	unsigned int len = (unsigned int)strlen(b);

	if (strlen(a) > MAX_NAME || len > MAX_NAME)
		return UINT_MAX;
	for (unsigned int j = 0; j <= len; j++)
		row[j] = j;
	for (unsigned int i = 1; a[i - 1]; i++) {
		unsigned int corner = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= len; j++) {
			unsigned int change = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, change);
		}
	}
	return row[len];
}

void nearest_try(struct nearest *nearest, const char *word)
{
	unsigned int apart;

	if (!word)
		return;
	apart = distance(nearest->wanted, word);
	if (apart > 1 + strlen(nearest->wanted) / 4 || apart >= strlen(word) ||
	    (nearest->found && apart >= nearest->distance))
		return;
	nearest->found = word;
	nearest->distance = apart;
}
