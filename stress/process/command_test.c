/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stress/process/command.h"

/* Command lines, what they come to, and the one sentence on those that are wrong. */

#define MAX_ARGS 16

static unsigned int count, word;
static uint64_t number, ns;
static const char *path;
static bool on, given;

static const char *const words[] = { "red", "green", NULL };

static const char *parse_even(const char *text, void *into)
{
	if (!command_u64(text, into) || *(uint64_t *)into % 2)
		return "an even number";
	return NULL;
}

static const struct option_row rows[] = {
	{ .help = "Numbers:" },
	{ .name = "count",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = 4,
	  .into = &count,
	  .help = "how many" },
	{ .name = "number",
	  .kind = OPTION_U64,
	  .into = &number,
	  .help = "n",
	  .given = &given },
	{ .name = "even",
	  .kind = OPTION_PARSED,
	  .value = "N",
	  .help = "n",
	  .parse = parse_even,
	  .into = &number },
	{ .name = "time",
	  .kind = OPTION_TIME,
	  .low = 1,
	  .into = &ns,
	  .help = "t",
	  .may_lack = true },
	{ .name = "out",
	  .letter = 'o',
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .into = &path,
	  .help = "f" },
	{ .name = "colour",
	  .kind = OPTION_WORD,
	  .words = words,
	  .into = &word,
	  .help = "c" },
	{ .name = "on",
	  .kind = OPTION_SWITCH,
	  .into = &on,
	  .verbs = 1U << 1,
	  .help = "s" },
};

static const struct command_verb no_verb = { .files = "FILE...",
					     .min_files = 0,
					     .max_files = 2 };

static const struct command_verb verbs[] = {
	{ "look", "FILE", "looks", 1, 1 },
	{ "leap", NULL, "leaps", 0, 0 },
};

static struct command command = { .name = "test",
				  .help = "Tests.",
				  .options = rows,
				  .nr_options = sizeof(rows) / sizeof(rows[0]),
				  .after = "Exit." };

static struct command_line line;
static char output[4096];

/* The exit status, and what came out of file descriptor @fd. */
static int parse_into(int fd, char **argv)
{
	int ends[2];
	int saved = dup(fd);
	int argc = 0;
	int status;
	ssize_t len;

	while (argv[argc])
		argc++;
	fflush(NULL);
	cr_assert(saved >= 0 && pipe(ends) == 0);
	dup2(ends[1], fd);
	close(ends[1]);
	status = command_parse(&command, argc, argv, &line);
	fflush(NULL);
	dup2(saved, fd); /* now nobody can write any more */
	close(saved);
	len = read(ends[0], output, sizeof(output) - 1);
	output[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	return status;
}

static int parse(int fd, bool with_verbs, const char *text)
{
	static char copy[256];
	char *argv[MAX_ARGS + 1] = { (char[]){ "test" } };
	int argc = 1;

	command.verbs = with_verbs ? verbs : &no_verb;
	command.nr_verbs = with_verbs ? 2 : 1;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	return parse_into(fd, argv);
}

static void good(const char *text)
{
	cr_expect_eq(parse(STDERR_FILENO, false, text), -1, "%s: %s", text,
		     output);
}

static void says(bool with_verbs, const char *text, const char *sentence)
{
	char expected[512];

	snprintf(expected, sizeof(expected), "test: %s; see test --help\n",
		 sentence);
	cr_expect_eq(parse(STDERR_FILENO, with_verbs, text), 1, "%s", text);
	cr_expect_str_eq(output, expected, "%s", text);
}

static void bad(const char *text, const char *sentence)
{
	says(false, text, sentence);
}

Test(command, takes_values_in_both_forms)
{
	good("--count 3 --number=0x10 --time=1h30m -o a --colour green");
	cr_expect(count == 3 && number == 16 && given && word == 1);
	cr_expect(ns == UINT64_C(5400000000000));
	cr_expect_str_eq(path, "a");
	good("-ob");
	cr_expect_str_eq(path, "b");
	good("-o=c");
	cr_expect_str_eq(path, "c");
}

Test(command, files_come_anywhere)
{
	good("a --count 1 b");
	cr_expect_eq(line.nr_files, 2);
	cr_expect_str_eq(line.files[0], "a");
	cr_expect_str_eq(line.files[1], "b");
	cr_expect_null(line.files[2]);
	good("- -- --count");
	cr_expect_str_eq(line.files[0], "-");
	cr_expect_str_eq(line.files[1], "--count");
	bad("a b c", "one FILE only, not also 'c'");
}

Test(command, a_value_may_lack_where_the_table_says_so)
{
	ns = 7;
	good("--time a");
	cr_expect_eq(ns, 7);
	cr_expect_eq(line.nr_files, 1);
	bad("--time=",
	    "--time: expected a time above 0 such as 500ms, 30s or 8h, "
	    "not ''");
	bad("--count", "--count: expected a number from 1 to 4");
	bad("--out --count", "--out: expected FILE");
	bad("--even", "--even: expected an even number");
}

Test(command, numbers_are_whole_and_in_range)
{
	static const char *const wrong[] = { "0",   "5",   "-1", "+1", "1x",
					     "1.5", "1e1", "0x", "x",  "0x1x" };
	char text[64], sentence[128];

	good("--number 18446744073709551615");
	cr_expect_eq(number, UINT64_MAX);
	bad("--number 18446744073709551616",
	    "--number: expected a number from 0 to 18446744073709551615, "
	    "not '18446744073709551616'");
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "--count %s", wrong[i]);
		snprintf(sentence, sizeof(sentence),
			 "--count: expected a number from 1 to 4, not '%s'",
			 wrong[i]);
		bad(text, sentence);
	}
	good("--count 03");
	cr_expect_eq(count, 3);
	bad("--even 3", "--even: expected an even number, not '3'");
}

Test(command, times_are_times)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} right[] = {
		{ "5", 5000000000 },	   { "1.5s", 1500000000 },
		{ "500ms", 500000000 },	   { "2m", 120000000000 },
		{ "1h1s", 3601000000000 }, { "1d", 86400000000000 },
	};
	static const char *const wrong[] = { "soon", "-3s",	     "3x",
					     "nan",  "inf",	     "1e9s",
					     "s",    "1.2.3s",	     ".",
					     "1h30", "99999999999h", "0s" };
	char text[64], sentence[128];

	for (unsigned int i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(text, sizeof(text), "--time=%s", right[i].text);
		good(text);
		cr_expect_eq(ns, right[i].ns, "%s", text);
	}
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "--time=%s", wrong[i]);
		snprintf(sentence, sizeof(sentence),
			 "--time: expected a time above 0 such as 500ms, 30s or 8h, "
			 "not '%s'",
			 wrong[i]);
		bad(text, sentence);
	}
}

Test(command, words_are_listed)
{
	bad("--colour blue",
	    "--colour: expected one of red, green, not 'blue'");
}

Test(command, the_nearest_option_is_named)
{
	bad("--cuont 1", "there is no option --cuont; did you mean --count?");
	bad("--tim=3", "there is no option --tim; did you mean --time?");
	bad("--versoin",
	    "there is no option --versoin; did you mean --version?");
	bad("-count", "there is no option -count; did you mean --count?");
	bad("--zebra", "there is no option --zebra");
	bad("-x", "there is no option -x");
}

Test(command, nothing_comes_twice)
{
	bad("--count 1 --count=1", "--count comes twice");
	bad("-o a --out b", "--out comes twice");
	says(true, "leap --on --on", "--on comes twice");
}

Test(command, a_switch_has_no_value)
{
	says(true, "leap --on=1", "--on takes no value");
}

Test(command, verbs_take_what_is_theirs)
{
	cr_expect_eq(parse(STDERR_FILENO, true, "--count 2 look f"), -1);
	cr_expect(line.verb == 0 && line.nr_files == 1);
	cr_expect_eq(parse(STDERR_FILENO, true, "--on leap"), -1);
	cr_expect_eq(line.verb, 1);
	says(true, "look f --on", "look has no use for --on");
	says(true, "--on look f", "look has no use for --on");
	says(true, "look", "look wants FILE");
	says(true, "look f g", "look: one FILE only, not also 'g'");
	says(true, "leap f", "leap: no FILE wanted: 'f'");
	says(true, "lok f", "there is no 'lok'; did you mean look?");
	says(true, "jump f", "there is no 'jump'; there are look, leap");
	says(true, "", "what shall it do: look, leap?");
}

Test(command, a_sentence_is_one_line)
{
	char bad_word[] = "--a\nb\033";
	char *argv[] = { (char[]){ "test" }, bad_word, NULL };

	command.verbs = &no_verb;
	command.nr_verbs = 1;
	cr_expect_eq(parse_into(STDERR_FILENO, argv), 1);
	cr_expect_str_eq(output,
			 "test: there is no option --a?b?; see test --help\n");
}

Test(command, help_is_made_from_the_table)
{
	cr_expect_eq(parse(STDOUT_FILENO, true, "--help --nonsense"), 0);
	cr_expect(strstr(output, "usage: test look [options] FILE"));
	cr_expect(strstr(output, "\nNumbers:\n"));
	cr_expect(strstr(output, "  --count=N          how many (1 to 4)\n"));
	cr_expect(strstr(output, "  --time[=TIME]      t\n"));
	cr_expect(strstr(output, "  -o, --out=FILE     f\n"));
	cr_expect(
		strstr(output, "  --colour=WORD      c (one of red, green)\n"));
	cr_expect(strstr(output, "  --on               s\n"));
	cr_expect(strstr(output, "  --version "));
	cr_expect_eq(parse(STDOUT_FILENO, false, "--nonsense --help"), 1);
}

Test(command, version_is_one_line)
{
	cr_expect_eq(parse(STDOUT_FILENO, false, "--version"), 0);
	cr_expect_eq(strncmp(output, "test (highmem) ", 15), 0);
	cr_expect(strstr(output, ", choices v2"));
	cr_expect_eq(strchr(output, '\n')[1], '\0');
}
