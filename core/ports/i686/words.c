/* SPDX-License-Identifier: MIT */

#include "core/ports/i686/words.h"

#include "core/ports/i686/i686.h"

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

/* The next word from @at on, or the end. */
static const char *skip_blanks(const char *at)
{
	while (*at == ' ')
		at++;
	return at;
}

/* Behind @start, if @at begins with it up to the end of a word or a '='. */
static const char *match(const char *at, const char *start)
{
	while (*start && *at == *start)
		at++, start++;
	return !*start && (!*at || *at == ' ' || *at == '=') ? at : NULL;
}

/* What follows the word or key @start: "", " ..." or "=..."; NULL: not there. */
static const char *behind(const char *start)
{
	const char *at = skip_blanks(words);

	while (*at && !match(at, start)) {
		while (*at && *at != ' ')
			at++;
		at = skip_blanks(at);
	}
	return *at ? match(at, start) : NULL;
}

bool word_given(const char *word)
{
	const char *end = behind(word);

	return end && *end != '=';
}

bool word_value(const char *key, char *value, size_t size)
{
	const char *at = behind(key);
	size_t len = 0;

	value[0] = '\0';
	if (!at || *at != '=')
		return false;
	for (at++; *at && *at != ' '; at++) {
		if (len + 1 == size)
			i686_panic("the value of %s= is longer than %u", key,
				   (unsigned int)(size - 1));
		value[len++] = *at;
	}
	value[len] = '\0';
	return true;
}

uint64_t word_number(const char *key, uint64_t otherwise)
{
	char value[24];
	uint64_t number = 0;

	if (!word_value(key, value, sizeof(value)))
		return otherwise;
	for (const char *at = value; *at || at == value; at++) {
		unsigned int digit = (unsigned int)*at - '0';

		if (digit > 9 || number > UINT64_MAX / 10 ||
		    number * 10 > UINT64_MAX - digit)
			i686_panic("%s=%s: not a number", key, value);
		number = number * 10 + digit;
	}
	return number;
}
