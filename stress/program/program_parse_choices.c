/* SPDX-License-Identifier: MIT */
#include "stress/program/parser.h"

#include <highmem/format.h>

/* What may befall a task, after its name and a colon. */
static bool parse_fate(struct parser *p, uint8_t *kind)
{
	struct word word = peek_word(p);

	if (word_is(word, "timeout"))
		*kind = CHOICE_TIMEOUT;
	else if (word_is(word, "spurious"))
		*kind = CHOICE_SPURIOUS;
	else if (word_is(word, "cancel"))
		*kind = CHOICE_CANCEL;
	else
		return fail(p, "timeout, spurious or cancel");
	take(p, word);
	return true;
}

static bool parse_choice_of_task(struct parser *p, struct choice *choice,
				 struct word word)
{
	unsigned int actor = PROGRAM_MAX_ACTORS;

	if (!actor_of(word, &actor) || actor >= p->program->nr_tasks)
		return fail(p, "a task, irq:, hold, drain:, migrate:, delay, "
			       "ack:, drop:, alloc:, offline: or online:");
	take(p, word);
	choice->kind = CHOICE_RUN;
	choice->arg = (uint8_t)actor;
	return !take_char(p, ':') || parse_fate(p, &choice->kind);
}

/* ":N", a CPU. */
static bool parse_cpu_of(struct parser *p, uint8_t *arg)
{
	unsigned int cpu = 0;

	if (!take_char(p, ':'))
		return fail(p, ":");
	if (!parse_number(p, 0, p->program->machine.nr_cpus - 1, &cpu))
		return false;
	*arg = (uint8_t)cpu;
	return true;
}

/* ":N" or ":N:on", an allocation. */
static bool parse_alloc(struct parser *p, struct choice *choice)
{
	unsigned int nr = 0;
	struct word word;

	if (!take_char(p, ':'))
		return fail(p, ":");
	if (!parse_number(p, 1, program_nr_allocs(&p->program->machine), &nr))
		return false;
	choice->arg = (uint8_t)(nr - 1);
	if (!take_char(p, ':'))
		return true;
	choice->kind = CHOICE_ALLOC_ON;
	word = peek_word(p);
	if (!word_is(word, "on"))
		return fail(p, "on");
	take(p, word);
	return true;
}

/* Words that a CPU follows. */
static bool choice_of_cpu(struct word word, uint8_t *kind)
{
	static const struct {
		const char *word;
		enum choice_kind kind;
	} table[] = {
		{ "drain", CHOICE_DRAIN },     { "ack", CHOICE_ACK },
		{ "drop", CHOICE_DROP },       { "migrate", CHOICE_MIGRATE },
		{ "offline", CHOICE_OFFLINE }, { "online", CHOICE_ONLINE },
	};

	for (unsigned int i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		*kind = (uint8_t)table[i].kind;
		if (word_is(word, table[i].word))
			return true;
	}
	return false;
}

static bool parse_choice_value(struct parser *p, struct choice *choice)
{
	struct word word = peek_word(p);

	if (word_is(word, "hold") || word_is(word, "delay")) {
		choice->kind = word_is(word, "hold") ? CHOICE_HOLD
						     : CHOICE_DELAY;
		take(p, word);
		return true;
	}
	if (word_is(word, "irq")) {
		choice->kind = CHOICE_IRQ;
		take(p, word);
		return take_char(p, ':') ? parse_irq_name(p, &choice->arg)
					 : fail(p, ":");
	}
	if (word_is(word, "alloc")) {
		choice->kind = CHOICE_ALLOC;
		take(p, word);
		return parse_alloc(p, choice);
	}
	if (!choice_of_cpu(word, &choice->kind))
		return parse_choice_of_task(p, choice, word);
	take(p, word);
	return parse_cpu_of(p, &choice->arg);
}

bool refuse_version(struct program_error *error, unsigned int line,
		    const char *what)
{
	error->line = line;
	hm_format(error->expected, sizeof(error->expected),
		  "choices of %s, but this build plays version %u: leave them "
		  "out, and let explore run find new ones",
		  what, PROGRAM_CHOICES_VERSION);
	return false;
}

/* "v2:" */
static bool parse_version(struct parser *p)
{
	struct word word = peek_word(p);
	unsigned int version = 0;
	char what[24];

	if (word.len == 0 && take_char(p, ':'))
		return refuse_version(p->error, p->line, "no version");
	if (word.len < 2 || word.text[0] != 'v')
		return fail(p, "the version of the choices, as in v2:");
	p->at = word.text + 1;
	if (!parse_number(p, 0, 999, &version))
		return false;
	hm_format(what, sizeof(what), "version %u", version);
	if (version != PROGRAM_CHOICES_VERSION)
		return refuse_version(p->error, p->line, what);
	return take_char(p, ':') || fail(p, ":");
}

/* @at: where the step stands. */
static bool check_step(struct parser *p, const struct choice *choice,
		       const char *at)
{
	bool of_boot = choice_of_boot((enum choice_kind)choice->kind);

	if (of_boot == (choice->step == 0))
		return true;
	p->at = at;
	return fail(p, of_boot ? "step 0 for alloc:" : "a step from 1 up");
}

static bool parse_choice(struct parser *p, unsigned int least,
			 struct choice *choice)
{
	const char *at = peek_word(p).text;
	unsigned int step = 0;

	if (!parse_number(p, least, CHOICE_MAX_STEP, &step))
		return false;
	choice->step = step;
	if (!take_char(p, '='))
		return fail(p, "=");
	return parse_choice_value(p, choice) && check_step(p, choice, at);
}

bool parse_choices(struct parser *p)
{
	struct program *program = p->program;

	if (!parse_version(p))
		return false;
	while (!at_line_end(p)) {
		unsigned int nr = program->nr_choices;
		struct choice choice = { 0 };

		if (nr == PROGRAM_MAX_CHOICES)
			return fail(p, "256 choices at most");
		if (!parse_choice(p, nr ? program->choices[nr - 1].step : 0,
				  &choice))
			return false;
		program->choices[program->nr_choices++] = choice;
	}
	return true;
}
