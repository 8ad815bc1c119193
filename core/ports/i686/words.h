/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_WORDS_H
#define CORE_PORTS_I686_WORDS_H

/*
 * The words of the kernel's command line: "word" and "key=value", with blanks
 * between them, as many and as long as the loader has room for. What is wrong
 * with one ends the boot with a sentence (i686_refuse()).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [start, start + len); no length: there are no more. */
struct word {
	const char *start;
	size_t len;
};

/* The next word from @at on, which goes behind it. */
static inline struct word word_next(const char **at)
{
	struct word word;

	while (**at == ' ' || **at == '\t' || **at == '\n')
		++*at;
	word.start = *at;
	while (**at && **at != ' ' && **at != '\t' && **at != '\n')
		++*at;
	word.len = (size_t)(*at - word.start);
	return word;
}

/* What stands behind the first " --" of @command_line, which must stay. */
void words_init(const char *command_line);

/* All of them, one after the other. */
const char *words_text(void);

/*
 * Is each word in one of the two lists, which end with NULL? There, "word" is
 * a word without a value, and "key=" one with a value, which may be there once;
 * "+key=" as often as you like. Returns NULL or a sentence, in @why.
 */
const char *words_check(const char *const *known, const char *const *more,
			char *why, size_t size);

/* Is @word there, without a value? */
bool word_given(const char *word);

/* The value of @key; false and "" when it is not there. */
bool word_value(const char *key, char *value, size_t size);

/* The same, a decimal number of 32 bits; @otherwise when it is not there. */
uint32_t word_number(const char *key, uint32_t otherwise);

bool text_starts_with(const char *text, const char *start);
bool text_contains(const char *text, const char *part);

#endif
