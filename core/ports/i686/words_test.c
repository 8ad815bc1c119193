/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <highmem/format.h>

#include "core/ports/i686/refuse.h"
#include "core/ports/i686/words.h"

static jmp_buf refused;
static char sentence[384];

void i686_refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	hm_vformat(sentence, sizeof(sentence), format, args);
	va_end(args);
	longjmp(refused, 1);
}

Test(words, stand_behind_the_first_dashes)
{
	words_init("image -x=1 -- smp=2 pae -- last");
	cr_expect_str_eq(words_text(), " smp=2 pae -- last");
	cr_expect(word_given("pae"));
	cr_expect(word_given("last"));
	cr_expect_not(word_given("image"));
	words_init("image pae");
	cr_expect_not(word_given("pae"));
	words_init("");
	cr_expect_not(word_given("pae"));
}

Test(words, with_and_without_a_value)
{
	char value[8];

	words_init(" -- pa paes pae=1 seed\tseeds=5 case= \n seed=77 x");
	cr_expect_not(word_given("pae"));
	cr_expect(word_given("pa"));
	cr_expect(word_given("seed"));
	cr_expect(word_given("x"));
	cr_expect_not(word_given(""));
	cr_expect_eq(word_number("seed", 1), 77);
	cr_expect_eq(word_number("round", 1), 1);
	cr_expect(word_value("case", value, sizeof(value)));
	cr_expect_str_eq(value, "");
	cr_expect_not(word_value("x", value, sizeof(value)));
	cr_expect_str_eq(value, "");
	cr_expect_not(word_value("none", value, sizeof(value)));
}

/* The sentence that asking for @key ends with. */
static const char *number_refused(const char *words)
{
	words_init(words);
	sentence[0] = '\0';
	if (!setjmp(refused))
		word_number("seed", 1);
	return sentence;
}

Test(words, what_is_no_number)
{
	cr_expect_str_eq(number_refused(" -- seed=4294967295"), "");
	cr_expect_str_eq(number_refused(" -- seed=4294967296"),
			 "seed=4294967296: not a number, or more than 32 bits");
	cr_expect_str_eq(number_refused(" -- seed="),
			 "seed=: not a number, or more than 32 bits");
	cr_expect_str_eq(number_refused(" -- seed=5x"),
			 "seed=5x: not a number, or more than 32 bits");
	cr_expect_str_eq(
		number_refused(" -- seed=00000000000000000000000000005"),
		"the value of seed= is longer than 23 characters");
}

Test(words, a_value_that_just_fits)
{
	char value[4];

	words_init(" -- case=abc");
	cr_expect(word_value("case", value, sizeof(value)));
	cr_expect_str_eq(value, "abc");
	words_init(" -- case=abcd");
	sentence[0] = '\0';
	if (!setjmp(refused))
		word_value("case", value, sizeof(value));
	cr_expect_str_eq(sentence,
			 "the value of case= is longer than 3 characters");
}

static const char *const port_words[] = { "pae", "+memmap=", "lowmem=", NULL };
static const char *const more_words[] = { "seed=", "plain", NULL };

static const char *check(const char *words)
{
	static char why[200];

	words_init(words);
	return words_check(port_words, more_words, why, sizeof(why));
}

#define NONE_SUCH \
	": there is no such boot word; there are pae memmap= lowmem= seed= " \
	"plain"

Test(words, that_nobody_knows_are_named)
{
	static const char *const unknown[] = {
		"mem=512M",  "paes",   "pa",	 "pae=1",   "pae=",
		"seed",	     "lowmem", "=",	 "=5",	    "--",
		"+memmap=5", "memmap", "plain=", "seeds=1",
	};

	cr_expect_null(check(""));
	cr_expect_null(check(" -- pae lowmem=1 plain pae seed= memmap=1"));
	for (unsigned int i = 0; i < sizeof(unknown) / sizeof(unknown[0]);
	     i++) {
		char words[80], expected[200];
		const char *why;

		snprintf(words, sizeof(words), " -- pae %s plain", unknown[i]);
		snprintf(expected, sizeof(expected), "%s" NONE_SUCH,
			 unknown[i]);
		why = check(words);
		cr_assert_not_null(why, "%s", unknown[i]);
		cr_expect_str_eq(why, expected);
	}
}

Test(words, that_are_there_twice)
{
	cr_expect_null(check(" -- memmap=1 lowmem=2 memmap=1"));
	cr_expect_str_eq(check(" -- seed=1 seed=2"),
			 "seed=2: the word is there twice");
	cr_expect_str_eq(check(" -- lowmem=1 pae lowmem=1"),
			 "lowmem=1: the word is there twice");
}

Test(words, of_any_length)
{
	static char words[200000];
	char *value;

	snprintf(words, sizeof(words), " -- case=%0*u",
		 (int)(sizeof(words) - 1 - 9), 0U);
	value = malloc(sizeof(words));
	words_init(words);
	cr_expect(word_value("case", value, sizeof(words)));
	cr_expect_eq(strlen(value), sizeof(words) - 1 - 9);
	free(value);
	cr_expect_str_eq(
		check(words),
		"case=00000000000000000000000000000000000..." NONE_SUCH);
}
