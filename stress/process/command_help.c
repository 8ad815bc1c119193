/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE

#include "stress/process/command_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/version.h"

#define HELP_COLUMN 21
#define MAX_COLUMN 79

/* ---- --version -------------------------------------------------------------------- */

/*
 * The commit that this was built from, where that is known: `bazel run` builds
 * what it runs, and says where. Bazel's stamping would link all programs anew at
 * each commit, or leave the commit of some earlier link in them.
 */
static void print_commit(void)
{
	char commit[64] = "";
	FILE *git;

	if (!getenv("BUILD_WORKSPACE_DIRECTORY"))
		return;
	git = popen("git -C \"$BUILD_WORKSPACE_DIRECTORY\" describe --always "
		    "--abbrev=12 --exclude='*' --dirty=' and changes' "
		    "2>/dev/null",
		    "r");
	if (!git)
		return;
	if (fgets(commit, sizeof(commit), git)) {
		commit[strcspn(commit, "\n")] = '\0';
		printf(", commit %s", commit);
	}
	pclose(git);
}

void command_version(const char *name)
{
	printf("%s (highmem) %s, choices v%d", name, HIGHMEM_VERSION,
	       PROGRAM_CHOICES_VERSION);
	print_commit();
	putchar('\n');
}

/* ---- --help ----------------------------------------------------------------------- */

/* Words from column @at on, folded; further lines begin at HELP_COLUMN. */
static void print_folded(const char *text, int at)
{
	const char *blank = "";

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at + 1 + len > MAX_COLUMN && *blank) {
			printf("\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
			blank = "";
		}
		at += printf("%s%.*s", blank, len, text);
		text += len + (text[len] == ' ');
		blank = " ";
	}
}

static const char *value_name(const struct option_row *row)
{
	if (row->value)
		return row->value;
	switch (row->kind) {
	case OPTION_TIME:
		return "TIME";
	case OPTION_WORD:
		return "WORD";
	default:
		return "N";
	}
}

static int print_head(const struct option_row *row)
{
	int at = row->letter ? printf("  -%c, --%s", row->letter, row->name)
			     : printf("  --%s", row->name);

	if (row->kind == OPTION_SWITCH)
		return at;
	return at + printf(row->may_lack ? "[=%s]" : "=%s", value_name(row));
}

/* What a number or a word may be is in the table; why say it twice. */
static void print_what(const struct option_row *row, int at)
{
	char text[1024];
	char expected[224];

	if (row->kind == OPTION_UINT && row->high)
		snprintf(text, sizeof(text), "%s (%" PRIu64 " to %" PRIu64 ")",
			 row->help, row->low, row->high);
	else if (row->kind == OPTION_WORD)
		snprintf(text, sizeof(text), "%s (%s)", row->help,
			 option_expected(row, expected, sizeof(expected)));
	else
		snprintf(text, sizeof(text), "%s", row->help);
	print_folded(text, at);
}

static void print_option(const struct option_row *row)
{
	int at;

	if (!row->name) {
		printf("\n%s\n", row->help);
		return;
	}
	at = print_head(row);
	at += printf("%*s", at < HELP_COLUMN - 1 ? HELP_COLUMN - at : 2, "");
	print_what(row, at);
	putchar('\n');
}

static void print_usage(const struct command *c)
{
	for (int i = 0; i < c->nr_verbs; i++) {
		const struct command_verb *verb = &c->verbs[i];
		int at = printf("%s %s%s%s [options]%s%s",
				i ? "      " : "usage:", c->name,
				verb->name ? " " : "",
				verb->name ? verb->name : "",
				verb->files ? " " : "",
				verb->files ? verb->files : "");

		if (verb->help)
			printf("%*s%s", at < 46 ? 46 - at : 2, "", verb->help);
		putchar('\n');
	}
}

void command_help(const struct command *command)
{
	static const struct option_row common[] = {
		{ .name = "help", .help = "this" },
		{ .name = "version",
		  .help = "of it, and of the choices that it plays" },
	};

	print_usage(command);
	printf("\n%s\n", command->help);
	for (int i = 0; i < command->nr_options; i++)
		print_option(&command->options[i]);
	for (int i = 0; i < 2; i++)
		print_option(&common[i]);
	printf("\n%s\n", command->after);
}
