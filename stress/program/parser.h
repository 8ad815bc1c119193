/* SPDX-License-Identifier: MIT */
#ifndef STRESS_PROGRAM_PARSER_H
#define STRESS_PROGRAM_PARSER_H

#include "stress/program/program.h"

/*
 * A recursive-descent parser over a buffer. The first error wins and stops
 * it; each function returns false from then on.
 */
struct parser {
	struct program *program;
	struct program_error *error;
	const char *at;
	const char *end;
	unsigned int line;
	bool machine_seen;
	bool actor_seen[PROGRAM_MAX_ACTORS];
};

struct word {
	const char *text;
	size_t len;
};

/* "expected WHAT, found 'the next word'" */
bool fail(struct parser *p, const char *what);

/* Past blanks and a comment; is that the end of the line? */
bool at_line_end(struct parser *p);

bool word_is(struct word word, const char *text);

/* The next word, not yet taken: parser errors point at it. */
struct word peek_word(struct parser *p);

void take(struct parser *p, struct word word);
bool take_char(struct parser *p, char c);

/* A decimal number from @min to @max. */
bool parse_number(struct parser *p, unsigned int min, unsigned int max,
		  unsigned int *value);

bool parse_yes_no(struct parser *p, bool *value);

/* A to D, I or J, declared or not. */
bool actor_of(struct word word, unsigned int *actor);

/* The name of a handler or task that is declared above. */
bool parse_irq_name(struct parser *p, uint8_t *arg);
bool parse_task_name(struct parser *p, uint8_t *arg);

/* Why choices of WHAT are refused. Returns false. */
bool refuse_version(struct program_error *error, unsigned int line,
		    const char *what);

/* A `choices v2:` line after its first word; program_parse_choices.c. */
bool parse_choices(struct parser *p);

/* Is there what looks like choices? program_bytes.c. */
bool bytes_have_choices(const uint8_t *bytes, size_t len);

#endif
