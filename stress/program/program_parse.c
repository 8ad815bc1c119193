/* SPDX-License-Identifier: MIT */
#include "stress/program/parser.h"

#include <highmem/format.h>

/* For those whose file is something else, who have to be told what a program is. */
#define LIKE_THIS ", such as 'machine cpus=2'"

/* ---- machine ------------------------------------------------------------------ */

static bool parse_setting(struct parser *p)
{
	struct machine_config *m = &p->program->machine;
	struct word key = peek_word(p);

	take(p, key);
	if (!take_char(p, '=')) {
		p->at = key.text;
		return fail(p, "NAME=VALUE");
	}
	if (word_is(key, "cpus"))
		return parse_number(p, 1, HIGHMEM_MAX_CPUS, &m->nr_cpus);
	if (word_is(key, "slots"))
		return parse_number(p, 2, PROGRAM_MAX_SLOTS, &m->nr_slots);
	if (word_is(key, "pages"))
		return parse_number(p, 1, PROGRAM_MAX_HIGHMEM, &m->nr_pages);
	if (word_is(key, "colours"))
		return parse_number(p, 1, HIGHMEM_MAX_COLOURS, &m->nr_colours);
	if (word_is(key, "depth"))
		return parse_number(p, 1, KM_MAX_IDX, &m->local_depth);
	if (word_is(key, "pae"))
		return parse_yes_no(p, &m->pae);
	if (word_is(key, "force"))
		return parse_yes_no(p, &m->force_map);
	if (word_is(key, "nested"))
		return parse_yes_no(p, &m->nested_irqs);
	if (word_is(key, "sparse"))
		return parse_yes_no(p, &m->sparse_cpus);
	if (word_is(key, "full"))
		return parse_yes_no(p, &m->full_flush);
	if (word_is(key, "holes"))
		return parse_yes_no(p, &m->holes);
	p->at = key.text;
	return fail(p, "cpus, slots, pages, colours, depth, pae, force, "
		       "nested, sparse, full or holes");
}

static bool parse_machine(struct parser *p)
{
	struct machine_config *m = &p->program->machine;

	if (p->machine_seen)
		return fail(p, "one machine line only");
	p->machine_seen = true;
	while (!at_line_end(p))
		if (!parse_setting(p))
			return false;
	if (m->nr_colours & (m->nr_colours - 1))
		return fail(p, "colours=1, 2, 4 or 8");
	if (m->nr_slots % m->nr_colours != 0)
		return fail(p, "slots to be a multiple of colours");
	return true;
}

/* ---- operations ---------------------------------------------------------------- */

static bool parse_page(struct parser *p, uint8_t *arg)
{
	unsigned int nr_pages = p->program->machine.nr_pages;
	struct word word = peek_word(p);
	unsigned int n = 0;
	bool low = word.len > 0 && word.text[0] == 'l';
	bool good = word.len > 1 && word.len < 4 &&
		    (low || word.text[0] == 'p');
	char what[48];

	for (size_t i = 1; good && i < word.len; i++) {
		good = word.text[i] >= '0' && word.text[i] <= '9';
		n = n * 10 + (unsigned int)(word.text[i] - '0');
	}
	if (!good || n >= (low ? MACHINE_LOWMEM_PAGES : nr_pages)) {
		hm_format(what, sizeof(what), "a page p0 to p%u, or l0 to l%u",
			  nr_pages - 1, MACHINE_LOWMEM_PAGES - 1);
		return fail(p, what);
	}
	take(p, word);
	*arg = (uint8_t)(low ? n : n + MACHINE_LOWMEM_PAGES);
	return true;
}

static bool parse_op(struct parser *p, unsigned int actor)
{
	struct op op = { .kind = OP_NR_KINDS, .actor = (uint8_t)actor };
	struct word word = peek_word(p);
	bool good = true;

	for (unsigned int kind = 0; kind < OP_NR_KINDS; kind++)
		if (word_is(word, op_name(kind)))
			op.kind = (uint8_t)kind;
	if (op.kind == OP_NR_KINDS)
		return fail(p, "an operation such as kmap or local");
	if (p->program->nr_ops == PROGRAM_MAX_OPS)
		return fail(p, "256 operations at most");
	take(p, word);
	if (op_arg(op.kind) == OP_ARG_PAGE)
		good = parse_page(p, &op.arg);
	else if (op_arg(op.kind) == OP_ARG_IRQ)
		good = parse_irq_name(p, &op.arg);
	else if (op_arg(op.kind) == OP_ARG_TASK)
		good = parse_task_name(p, &op.arg);
	if (good)
		p->program->ops[p->program->nr_ops++] = op;
	return good;
}

static bool parse_ops(struct parser *p, unsigned int actor)
{
	while (!at_line_end(p)) {
		if (!parse_op(p, actor))
			return false;
		if (!take_char(p, ';') && !at_line_end(p))
			return fail(p, "; or the end of the line");
	}
	return true;
}

/* ---- tasks and handlers ---------------------------------------------------------- */

/* Names are given in order, so that the byte form needs no names. */
static bool declare(struct parser *p, unsigned int actor, bool irq)
{
	struct program *program = p->program;
	unsigned int *nr = irq ? &program->nr_irqs : &program->nr_tasks;
	unsigned int next = *nr + (irq ? PROGRAM_MAX_TASKS : 0);

	if (actor != next || actor == PROGRAM_MAX_ACTORS)
		return fail(p, irq ? "the next handler's name, from I to J"
				   : "the next task's name, from A to D");
	p->actor_seen[actor] = true;
	(*nr)++;
	return true;
}

static bool parse_declaration(struct parser *p, bool irq)
{
	struct program *program = p->program;
	struct word name = peek_word(p);
	unsigned int actor = PROGRAM_MAX_ACTORS;
	unsigned int cpu = 0;

	actor_of(name, &actor);
	if (!declare(p, actor, irq))
		return false;
	take(p, name);
	if (word_is(peek_word(p), "cpu")) {
		take(p, peek_word(p));
		if (!take_char(p, '='))
			return fail(p, "=");
		if (!parse_number(p, 0, program->machine.nr_cpus - 1, &cpu))
			return false;
	}
	if (irq)
		program->irq_cpu[actor - PROGRAM_MAX_TASKS] = (uint8_t)cpu;
	else
		program->task_cpu[actor] = (uint8_t)cpu;
	if (at_line_end(p))
		return true;
	if (!take_char(p, ':'))
		return fail(p, "cpu=N, : or the end of the line");
	return parse_ops(p, actor);
}

/* "after N" */
static bool parse_calm(struct parser *p)
{
	struct word word = peek_word(p);
	unsigned int step = 0;

	if (p->program->calm_after != 0)
		return fail(p, "one calm line only");
	if (!word_is(word, "after"))
		return fail(p, "after");
	take(p, word);
	if (!parse_number(p, 1, CHOICE_MAX_STEP, &step))
		return false;
	p->program->calm_after = step;
	return at_line_end(p) || fail(p, "the end of the line");
}

static bool parse_line(struct parser *p)
{
	struct word word = peek_word(p);
	unsigned int actor;

	if (!p->machine_seen && !word_is(word, "machine"))
		return fail(p, "a machine line first" LIKE_THIS);
	if (word_is(word, "machine")) {
		take(p, word);
		return parse_machine(p);
	}
	if (word_is(word, "task") || word_is(word, "irq")) {
		take(p, word);
		return parse_declaration(p, word_is(word, "irq"));
	}
	if (word_is(word, "choices")) {
		take(p, word);
		return parse_choices(p);
	}
	if (word_is(word, "calm")) {
		take(p, word);
		return parse_calm(p);
	}
	if (!actor_of(word, &actor) || !p->actor_seen[actor])
		return fail(
			p,
			"task, irq, choices, calm, or the name of one that is "
			"declared");
	take(p, word);
	if (!take_char(p, ':'))
		return fail(p, ": after the name");
	return parse_ops(p, actor);
}

/* ---- Is it text? ------------------------------------------------------------ */

/* A byte order mark: of UTF-8, or of UTF-16 with either end first. */
static bool begins_with_mark(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text;

	return (len >= 3 && c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf) ||
	       (len >= 2 && c[0] == 0xff && c[1] == 0xfe) ||
	       (len >= 2 && c[0] == 0xfe && c[1] == 0xff);
}

static bool refuse_mark(struct program_error *error)
{
	static const struct program_error marked = {
		1, "the file begins with a byte order mark: save it as plain "
		   "UTF-8, without one"
	};

	*error = marked;
	return false;
}

static bool is_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\t' &&
		     text[i] != '\n' && text[i] != '\r') ||
		    text[i] == 127)
			return false;
	return len > 0;
}

static bool has_word(const char *text, size_t len, const char *word)
{
	for (size_t at = 0, n = 0; at < len; at++, n = 0) {
		while (at + n < len && word[n] && text[at + n] == word[n])
			n++;
		if (!word[n])
			return true;
	}
	return false;
}

/*
 * No program's byte form is a text: its third byte is a number of pages, and
 * nowhere in it are more than six letters in a row.
 */
bool program_is_text(const void *data, size_t len)
{
	return begins_with_mark(data, len) ||
	       (is_text(data, len) && has_word(data, len, "machine"));
}

bool program_parse(struct program *program, const char *text, size_t len,
		   struct program_error *error)
{
	struct parser p = {
		.program = program,
		.error = error,
		.at = text,
		.end = text + len,
		.line = 1,
	};

	*program = (struct program){
		.machine = { .nr_cpus = 1,
			     .nr_slots = 2,
			     .nr_pages = 4,
			     .nr_colours = 1,
			     .local_depth = 4 },
	};
	if (begins_with_mark(text, len))
		return refuse_mark(error);
	while (p.at < p.end) {
		if (!at_line_end(&p) && !parse_line(&p))
			return false;
		if (p.at == p.end)
			break;
		p.at++; /* the newline */
		p.line++;
	}
	if (!p.machine_seen)
		return fail(&p, "a machine line" LIKE_THIS);
	if (program->nr_tasks == 0)
		return fail(&p, "at least one task");
	return true;
}

bool program_load(struct program *program, const void *data, size_t len,
		  struct program_error *error)
{
	static const struct program_error nothing = { .line = 1 };
	static const struct program_error no_machine = {
		1, "looks like text without a machine line, and is read as "
		   "bytes"
	};
	static const struct program_error left_out = {
		1, "what looks like choices is left out, because the header "
		   "names no version"
	};

	*error = nothing;
	if (program_is_text(data, len))
		return program_parse(program, data, len, error);
	if (!program_decode(program, data, len))
		return refuse_version(error, 1, "another version");
	if (program->nr_choices == 0 && bytes_have_choices(data, len))
		*error = left_out;
	else if (is_text(data, len))
		*error = no_machine;
	return true;
}
