/* SPDX-License-Identifier: MIT */
#ifndef STRESS_PROCESS_COMMAND_H
#define STRESS_PROCESS_COMMAND_H

/*
 * The command line of a program: one table, from which it is read, checked and
 * explained. ci/lib/command/__init__.py does the same in Python, with the same
 * words.
 *
 * What is wrong costs one sentence on stderr and exit status 1, and nothing
 * else is printed or done: an option that there is not (the nearest is named),
 * one that comes twice or has nothing to do with the verb, a value that is
 * missing, empty, not of its kind or out of range (what would be good is
 * named), a FILE too many or too few. --help and --version are everywhere.
 */

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum option_kind {
	OPTION_SWITCH, /* bool */
	OPTION_UINT,   /* unsigned int, from @low to @high */
	OPTION_U64,    /* uint64_t, from @low to @high */
	OPTION_TIME,   /* uint64_t, ns: 500ms, 1.5s, 8h, 1h30m; at least @low */
	OPTION_TEXT,   /* const char *, not empty: a path, mostly */
	OPTION_WORD,   /* unsigned int: which of @words */
	OPTION_PARSED, /* what @parse makes of it */
};

struct option_row {
	const char *name; /* without dashes */
	enum option_kind kind;
	const char *value; /* its name in --help; NULL: from the kind */
	const char *help;
	void *into;
	uint64_t low, high;
	const char *const *words; /* the last is followed by NULL */
	/* NULL, or what was expected, to complete a sentence. */
	const char *(*parse)(const char *text, void *into);
	unsigned int verbs; /* bits of those that take it; 0: all */
	bool *given;	    /* NULL: nobody asks */
	bool may_lack;	    /* the value: then only --name=VALUE gives one */
	char letter;	    /* -o, or 0 */
};

struct command_verb {
	const char *name;
	const char *files; /* in --help: "FILE" */
	const char *help;
	int min_files, max_files;
};

#define COMMAND_MANY 1000000

struct command {
	const char *name;
	const char *help; /* what it does */
	const struct command_verb *verbs;
	int nr_verbs; /* 1, of no name: the command has no verbs */
	const struct option_row *options;
	int nr_options;
	const char *after; /* the end of --help; how it exits */
};

struct command_line {
	int verb;
	char **files; /* the last is followed by NULL */
	int nr_files;
};

/*
 * Read @argv, whose words change places. -1: go on with @line; else it was said
 * why, and this is the exit status.
 */
int command_parse(const struct command *command, int argc, char **argv,
		  struct command_line *line);

/* One sentence on stderr; returns the exit status, 1. */
int command_wrong(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The line of --version, on stdout. */
void command_version(const char *name);

void command_help(const struct command *command);

/* ---- Values, for @parse of a table ------------------------------------------ */

/* Digits and nothing else, or 0x and digits. */
bool command_u64(const char *text, uint64_t *value);

bool command_time(const char *text, uint64_t *ns);

#ifdef __cplusplus
}
#endif

#endif
