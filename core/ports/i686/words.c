/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/words.h"

#include <highmem/format.h>

#include "core/ports/i686/refuse.h"

static const char *words = "";

bool text_starts_with(const char *text, const char *start)
{
	while (*start && *text == *start)
		text++, start++;
	return !*start;
}

bool text_contains(const char *text, const char *part)
{
	for (; *text; text++)
		if (text_starts_with(text, part))
			return true;
	return !*part;
}

void words_init(const char *command_line)
{
	while (*command_line && !text_starts_with(command_line, " --"))
		command_line++;
	words = *command_line ? command_line + sizeof(" --") - 1 : "";
}

const char *words_text(void)
{
	return words;
}

/* ---- Finding one ---------------------------------------------------------------- */

/* Up to the '=', or all of it. */
static size_t key_length(struct word word)
{
	size_t len = 0;

	while (len < word.len && word.start[len] != '=')
		len++;
	return len;
}

static bool has_key(struct word word, const char *key)
{
	size_t len = key_length(word), i = 0;

	while (i < len && key[i] && key[i] == word.start[i])
		i++;
	return i == len && (!key[i] || key[i] == '=');
}

/* The first one with that key, or none. */
static struct word find(const char *key, bool value)
{
	const char *at = words;
	struct word word;

	do
		word = word_next(&at);
	while (word.len &&
	       (!has_key(word, key) || (key_length(word) < word.len) != value));
	return word;
}

bool word_given(const char *word)
{
	return find(word, false).len != 0;
}

bool word_value(const char *key, char *value, size_t size)
{
	struct word word = find(key, true);
	size_t skip = key_length(word) + 1;
	size_t len = word.len ? word.len - skip : 0;

	if (len >= size)
		i686_refuse("the value of %s= is longer than %u characters",
			    key, (unsigned int)(size - 1));
	for (size_t i = 0; i < len; i++)
		value[i] = word.start[skip + i];
	value[len] = '\0';
	return word.len != 0;
}

uint32_t word_number(const char *key, uint32_t otherwise)
{
	char value[24];
	uint64_t number = 0;

	if (!word_value(key, value, sizeof(value)))
		return otherwise;
	for (const char *at = value; *at || at == value; at++) {
		unsigned int digit = (unsigned int)*at - '0';

		number = number * 10 + digit;
		if (digit > 9 || number > UINT32_MAX)
			i686_refuse("%s=%s: not a number, or more than 32 bits",
				    key, value);
	}
	return (uint32_t)number;
}

/* ---- Those that nobody knows ------------------------------------------------------- */

static const char *find_known(const char *const *known, struct word word)
{
	bool value = key_length(word) < word.len;

	for (; *known; known++) {
		const char *name = *known + (**known == '+');
		const char *end = name;

		while (*end && *end != '=')
			end++;
		if (has_key(word, name) && value == (*end == '='))
			return *known;
	}
	return NULL;
}

/* Is there one with the same key before it? */
static bool is_second(struct word word)
{
	const char *at = words;
	struct word other = word_next(&at);

	for (; other.start != word.start; other = word_next(&at)) {
		size_t len = key_length(word), i = 0;

		while (i < len && other.start[i] == word.start[i])
			i++;
		if (i == len && key_length(other) == len)
			return true;
	}
	return false;
}

static void append(char *why, size_t size, const char *format, const char *text)
{
	size_t len = 0;

	while (why[len])
		len++;
	hm_format(why + len, size - len, format, text);
}

static void append_names(char *why, size_t size, const char *const *known)
{
	for (; *known; known++)
		append(why, size, " %s", *known + (**known == '+'));
}

/* No more of the word than leaves room for the rest. */
static void append_word(char *why, size_t size, struct word word)
{
	for (size_t i = 0; i < word.len && i < 40; i++) {
		const char letter[2] = { word.start[i], '\0' };

		append(why, size, "%s", letter);
	}
	append(why, size, "%s", word.len > 40 ? "..." : "");
}

const char *words_check(const char *const *known, const char *const *more,
			char *why, size_t size)
{
	const char *at = words, *name;
	struct word word;

	why[0] = '\0';
	while ((word = word_next(&at)).len) {
		name = find_known(known, word);
		name = name ? name : find_known(more, word);
		if (name && (*name == '+' || key_length(word) == word.len ||
			     !is_second(word)))
			continue;
		append_word(why, size, word);
		if (name) {
			append(why, size, ": the word is there %s", "twice");
			return why;
		}
		append(why, size, ": there is no such boot word; there are%s",
		       "");
		append_names(why, size, known);
		append_names(why, size, more);
		return why;
	}
	return NULL;
}
