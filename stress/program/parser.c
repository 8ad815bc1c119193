/* SPDX-License-Identifier: MIT */
#include "stress/program/parser.h"

#include <highmem/format.h>

/* A CR is part of a line's end, and nothing else. */
static bool is_space(const struct parser *p)
{
	if (*p->at == '\r')
		return p->at + 1 == p->end || p->at[1] == '\n';
	return *p->at == ' ' || *p->at == '\t';
}

/* Any letters of any language, but no control characters. */
static bool is_comment(const struct parser *p)
{
	unsigned char c = (unsigned char)*p->at;

	return is_space(p) || (c > ' ' && c != 127);
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void skip_space(struct parser *p)
{
	while (p->at < p->end && is_space(p))
		p->at++;
	if (p->at < p->end && *p->at == '#')
		while (p->at < p->end && is_comment(p))
			p->at++;
}

bool at_line_end(struct parser *p)
{
	skip_space(p);
	return p->at == p->end || *p->at == '\n';
}

static const char *nameless(char c)
{
	switch (c) {
	case '\n':
		return "the end of the line";
	case '\r':
		return "a CR without a LF";
	default:
		return "a byte that is not text";
	}
}

/* "expected WHAT, found 'the next word'" */
bool fail(struct parser *p, const char *what)
{
	char found[24];
	size_t n = 0;

	skip_space(p);
	while (n + 1 < sizeof(found) && p->at + n < p->end &&
	       (n == 0 ? p->at[n] > ' ' && p->at[n] < 127
		       : is_word_char(p->at[n]))) {
		found[n] = p->at[n];
		n++;
	}
	found[n] = '\0';
	p->error->line = p->line;
	if (p->at == p->end)
		hm_format(p->error->expected, sizeof(p->error->expected),
			  "expected %s, found the end of the file", what);
	else if (n == 0)
		hm_format(p->error->expected, sizeof(p->error->expected),
			  "expected %s, found %s", what, nameless(*p->at));
	else
		hm_format(p->error->expected, sizeof(p->error->expected),
			  "expected %s, found '%s'", what, found);
	return false;
}

bool word_is(struct word word, const char *text)
{
	size_t i = 0;

	while (i < word.len && text[i] && word.text[i] == text[i])
		i++;
	return i == word.len && text[i] == '\0';
}

/* The next word, not yet taken: parser errors point at it. */
struct word peek_word(struct parser *p)
{
	struct word word;

	skip_space(p);
	word.text = p->at;
	word.len = 0;
	while (p->at + word.len < p->end && is_word_char(p->at[word.len]))
		word.len++;
	return word;
}

void take(struct parser *p, struct word word)
{
	p->at = word.text + word.len;
}

bool take_char(struct parser *p, char c)
{
	skip_space(p);
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

/* A decimal number from @min to @max. */
bool parse_number(struct parser *p, unsigned int min, unsigned int max,
		  unsigned int *value)
{
	struct word word = peek_word(p);
	char what[48];
	unsigned int n = 0;
	bool good = word.len > 0 && word.len < 6;

	for (size_t i = 0; good && i < word.len; i++) {
		good = word.text[i] >= '0' && word.text[i] <= '9';
		n = n * 10 + (unsigned int)(word.text[i] - '0');
	}
	if (!good || n < min || n > max) {
		hm_format(what, sizeof(what), "a number from %u to %u", min,
			  max);
		return fail(p, what);
	}
	take(p, word);
	*value = n;
	return true;
}

bool parse_yes_no(struct parser *p, bool *value)
{
	struct word word = peek_word(p);

	if (!word_is(word, "yes") && !word_is(word, "no"))
		return fail(p, "yes or no");
	*value = word_is(word, "yes");
	take(p, word);
	return true;
}

bool actor_of(struct word word, unsigned int *actor)
{
	char c = word.len == 1 ? word.text[0] : '\0';

	if (c >= 'A' && c < 'A' + PROGRAM_MAX_TASKS)
		*actor = (unsigned int)(c - 'A');
	else if (c >= 'I' && c < 'I' + PROGRAM_MAX_IRQS)
		*actor = PROGRAM_MAX_TASKS + (unsigned int)(c - 'I');
	else
		return false;
	return true;
}

bool parse_irq_name(struct parser *p, uint8_t *arg)
{
	struct word word = peek_word(p);
	unsigned int irq = 0;

	if (word.len == 1)
		irq = (unsigned int)(word.text[0] - 'I');
	if (word.len != 1 || irq >= PROGRAM_MAX_IRQS ||
	    !p->actor_seen[PROGRAM_MAX_TASKS + irq])
		return fail(p, "a handler that is declared above, I or J");
	take(p, word);
	*arg = (uint8_t)irq;
	return true;
}

bool parse_task_name(struct parser *p, uint8_t *arg)
{
	struct word word = peek_word(p);
	unsigned int actor = PROGRAM_MAX_ACTORS;

	if (!actor_of(word, &actor) || actor >= p->program->nr_tasks)
		return fail(p, "a task that is declared above, A to D");
	take(p, word);
	*arg = (uint8_t)actor;
	return true;
}
