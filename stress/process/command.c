/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE

#include "stress/process/command_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EXIT_FINE 0
#define EXIT_USAGE 1

#define MAX_OPTIONS 64

struct reader {
	const struct command *command;
	const struct command_verb *verb; /* NULL: not yet known */
	char **words;
	bool seen[MAX_OPTIONS];
};

int command_wrong(const struct command *command, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?'; /* one line, and nothing for the terminal */
	fprintf(stderr, "%s: %s; see %s --help\n", command->name, text,
		command->name);
	return EXIT_USAGE;
}

/* ---- Which one ------------------------------------------------------------------ */

static bool has_verbs(const struct command *c)
{
	return c->verbs[0].name != NULL;
}

static const char *near_option(const struct command *c, const char *name)
{
	struct nearest nearest = { .wanted = name };

	for (int i = 0; i < c->nr_options; i++)
		nearest_try(&nearest, c->options[i].name);
	nearest_try(&nearest, "help");
	nearest_try(&nearest, "version");
	return nearest.found;
}

static int unknown_option(const struct command *c, const char *word)
{
	size_t dashes = strspn(word, "-");
	char name[64];
	const char *near;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + dashes, "="),
		 word + dashes);
	near = near_option(c, name);
	return command_wrong(c, "there is no option %.*s%s%s%s%s",
			     (int)(dashes < 2 ? dashes : 2), word, name,
			     near ? "; did you mean --" : "", near ? near : "",
			     near ? "?" : "");
}

static int unknown_verb(const struct command *c, const char *word)
{
	struct nearest nearest = { .wanted = word };
	char all[256] = "";

	for (int i = 0; i < c->nr_verbs; i++) {
		nearest_try(&nearest, c->verbs[i].name);
		list_add(all, sizeof(all), c->verbs[i].name);
	}
	if (nearest.found)
		return command_wrong(c, "there is no '%.60s'; did you mean %s?",
				     word, nearest.found);
	if (*word)
		return command_wrong(c, "there is no '%.60s'; there are %s",
				     word, all);
	return command_wrong(c, "what shall it do: %s?", all);
}

/* The row of "--time", "--time=3s", "-o", "-oFILE"; *value: behind it, or NULL. */
static const struct option_row *
find_option(const struct command *c, const char *word, const char **value)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);

	for (int i = 0; i < c->nr_options; i++) {
		const struct option_row *row = &c->options[i];

		if (!row->name)
			continue;
		*value = equals ? equals + 1 : NULL;
		if (word[1] == '-' && strlen(row->name) == len - 2 &&
		    strncmp(row->name, word + 2, len - 2) == 0)
			return row;
		if (!row->letter || word[1] != row->letter)
			continue;
		*value = word[2] ? word + 2 + (word[2] == '=') : NULL;
		return row;
	}
	return NULL;
}

/* ---- One option ------------------------------------------------------------------ */

static bool is_good(const struct option_row *row, const char *text)
{
	uint64_t number;

	switch (row->kind) {
	case OPTION_UINT:
	case OPTION_U64:
		if (!command_u64(text, &number) || number < row->low ||
		    number > option_most(row))
			return false;
		if (row->kind == OPTION_U64)
			*(uint64_t *)row->into = number;
		else
			*(unsigned int *)row->into = (unsigned int)number;
		return true;
	case OPTION_TIME:
		if (!command_time(text, &number) || number < row->low)
			return false;
		*(uint64_t *)row->into = number;
		return true;
	case OPTION_TEXT:
		*(const char **)row->into = text;
		return *text != '\0';
	case OPTION_WORD:
		return find_word(row->words, text, row->into);
	default:
		return true;
	}
}

static int take_value(const struct command *c, const struct option_row *row,
		      const char *text)
{
	const char *expected = NULL;
	char buf[256];

	if (row->kind == OPTION_PARSED)
		expected = row->parse(text, row->into);
	else if (!is_good(row, text))
		expected = option_expected(row, buf, sizeof(buf));
	if (!expected)
		return -1;
	return command_wrong(c, "--%s: expected %s, not '%.60s'", row->name,
			     expected, text);
}

static bool fits_verb(const struct reader *r, const struct option_row *row)
{
	return !row->verbs || !r->verb ||
	       (row->verbs >> (r->verb - r->command->verbs) & 1);
}

/* The option at words[0]; *used: how many words it is. */
static int take_option(struct reader *r, char **words, int *used)
{
	const struct command *c = r->command;
	const char *value;
	const struct option_row *row = find_option(c, words[0], &value);
	char buf[256];

	*used = 1;
	if (!row)
		return unknown_option(c, words[0]);
	if (!fits_verb(r, row))
		return command_wrong(c, "%s has no use for --%s", r->verb->name,
				     row->name);
	if (r->seen[row - c->options])
		return command_wrong(c, "--%s comes twice", row->name);
	r->seen[row - c->options] = true;
	if (row->given)
		*row->given = true;
	if (row->kind == OPTION_SWITCH) {
		*(bool *)row->into = true;
		return value ? command_wrong(c, "--%s takes no value",
					     row->name)
			     : -1;
	}
	if (!value && row->may_lack)
		return -1;
	if (!value) {
		value = words[1];
		*used = 2;
		if (!value || strncmp(value, "--", 2) == 0)
			return command_wrong(c, "--%s: expected %s", row->name,
					     option_expected(row, buf,
							     sizeof(buf)));
	}
	return take_value(c, row, value);
}

/* ---- The whole line -------------------------------------------------------------- */

/* The verb may come late, an option before it. */
static const struct command_verb *find_verb(const struct command *c,
					    const char *word)
{
	for (int i = 0; i < c->nr_verbs; i++)
		if (strcmp(c->verbs[i].name, word) == 0)
			return &c->verbs[i];
	return NULL;
}

static int check_files(const struct reader *r, const struct command_line *line)
{
	const struct command *c = r->command;
	const char *verb = r->verb->name ? r->verb->name : "";
	const char *blank = r->verb->name ? " " : "";

	if (line->nr_files > r->verb->max_files)
		return command_wrong(c,
				     r->verb->max_files
					     ? "%s%sone FILE only, not also "
					       "'%.200s'"
					     : "%s%sno FILE wanted: '%.200s'",
				     verb, r->verb->name ? ": " : "",
				     line->files[r->verb->max_files]);
	if (line->nr_files < r->verb->min_files)
		return command_wrong(c, "%s%swants %s", verb, blank,
				     r->verb->files);
	return -1;
}

/* --help wins over what is wrong behind it, not over what is wrong before. */
static int answer(const struct command *c, const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		command_help(c);
	} else if (strcmp(word, "--version") == 0) {
		command_version(c->name);
	} else {
		return -1;
	}
	return fflush(stdout) == 0 ? EXIT_FINE : EXIT_USAGE;
}

static int take_word(struct reader *r, char *word, struct command_line *line)
{
	const struct command *c = r->command;

	if (r->verb) {
		line->files[line->nr_files++] = word;
		return -1;
	}
	r->verb = find_verb(c, word);
	return r->verb ? -1 : unknown_verb(c, word);
}

/* Options before their verb: does it take them? */
static int check_early(const struct reader *r)
{
	const struct command *c = r->command;

	for (int i = 0; i < c->nr_options; i++)
		if (r->seen[i] && !fits_verb(r, &c->options[i]))
			return command_wrong(c, "%s has no use for --%s",
					     r->verb->name, c->options[i].name);
	return -1;
}

static int take_all(struct reader *r, int argc, char **argv,
		    struct command_line *line)
{
	bool only_files = false;
	int used = 1;

	for (int i = 1; i < argc; i += used) {
		bool option = !only_files && argv[i][0] == '-' && argv[i][1];
		int status;

		used = 1;
		if (option && strcmp(argv[i], "--") == 0) {
			only_files = true;
			continue;
		}
		status = option ? answer(r->command, argv[i]) : -1;
		if (status < 0 && option)
			status = take_option(r, &argv[i], &used);
		else if (!option)
			status = take_word(r, argv[i], line);
		if (status >= 0)
			return status;
	}
	return -1;
}

int command_parse(const struct command *command, int argc, char **argv,
		  struct command_line *line)
{
	struct reader r = { .command = command };
	int status;

	*line = (struct command_line){ .files = argv + (argc > 0) };
	if (!has_verbs(command))
		r.verb = command->verbs;
	status = take_all(&r, argc, argv, line);
	if (status >= 0)
		return status;
	if (!r.verb)
		return unknown_verb(command, "");
	line->verb = (int)(r.verb - command->verbs);
	status = check_early(&r);
	if (status < 0)
		status = check_files(&r, line);
	line->files[line->nr_files] = NULL;
	return status;
}
