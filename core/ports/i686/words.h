/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_WORDS_H
#define CORE_PORTS_I686_WORDS_H

/* The words of the kernel's command line: "word" and "key=value". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What stands behind the first " --" of @command_line, which must stay. */
void words_init(const char *command_line);

/* All of them, one after the other. */
const char *words_text(void);

/* Is @word there, without a value? */
bool word_given(const char *word);

/* The value of @key; false and "" when it is not there. Too long: bails out. */
bool word_value(const char *key, char *value, size_t size);

/* The same, a number; @otherwise when it is not there. No number: bails out. */
uint64_t word_number(const char *key, uint64_t otherwise);

bool text_starts_with(const char *text, const char *start);
bool text_contains(const char *text, const char *part);

#endif
