/* SPDX-License-Identifier: MIT */
#include "stress/explore/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stress/process/command.h"
#include "stress/subjects/launch/launch.h"
#include "stress/subjects/subject.h"

#define DEFAULT_ALPHABET "kmap,kunmap,flush"

static struct {
	struct options o;
	unsigned int strategy, trace; /* as words */
	uint64_t time_ns;
	bool black_box;
} parsed;

/* ---- Values -------------------------------------------------------------------- */

static const char *parse_bound(const char *text, void *into)
{
	unsigned int *bound = into;
	uint64_t number;

	*bound = EXPLORE_UNBOUNDED;
	if (strcmp(text, "unbounded") == 0)
		return NULL;
	if (!command_u64(text, &number) || number > 16)
		return "a number from 0 to 16, or unbounded";
	*bound = (unsigned int)number;
	return NULL;
}

/* A number, or a commit hash: its first 16 digits are the number. */
static const char *parse_seed(const char *text, void *seed)
{
	char digits[17] = { 0 };

	if (strlen(text) == 40 && strspn(text, "0123456789abcdefABCDEF") == 40) {
		memcpy(digits, text, 16);
		*(uint64_t *)seed = strtoull(digits, NULL, 16);
		return NULL;
	}
	return command_u64(text, seed)
		       ? NULL
		       : "a number from 0 to 2^64 - 1, or a commit's hash";
}

static const char *parse_faults(const char *text, void *faults)
{
	return controlled_faults_parse(text, faults)
		       ? NULL
		       : "all, none, or some of irq,tso,spurious,timeout,"
			 "cancel,migrate,ipi,tlb,oom,hotplug";
}

static const char *parse_colours(const char *text, void *colours)
{
	uint64_t number;

	if (!command_u64(text, &number) || number > HIGHMEM_MAX_COLOURS ||
	    __builtin_popcountll(number) != 1)
		return "1, 2, 4 or 8";
	*(unsigned int *)colours = (unsigned int)number;
	return NULL;
}

static const char *parse_alphabet(const char *text, void *alphabet)
{
	return space_parse_alphabet(text, alphabet)
		       ? NULL
		       : "operations, as " DEFAULT_ALPHABET;
}

/* In the order of enum search_strategy and enum trace_format. */
static const char *const strategies[] = { "random",    "pct", "dfs",
					  "portfolio", "urw", NULL };
static const char *const traces[] = { "none", "table", "full",
				      "json", "html",  NULL };

/* ---- Verbs ----------------------------------------------------------------------- */

enum {
	RUN,
	EXHAUST,
	REPLAY,
	MINIMIZE,
	EXPLAIN,
	EXPORT,
	SELFTEST,
	COMPARE,
};

static const struct command_verb verbs[] = {
	[RUN] = { "run", "[FILE]", "finds what breaks it", 0, 1 },
	[EXHAUST] = { "exhaust", NULL, "all programs of a size", 0, 0 },
	[REPLAY] = { "replay", "FILE", "plays its choices", 1, 1 },
	[MINIMIZE] = { "minimize", "FILE", "makes it smaller", 1, 1 },
	[EXPLAIN] = { "explain", "FILE", "why does it fail?", 1, 1 },
	[EXPORT] = { "export", "FILE", "as a C test, or as text", 1, 1 },
	[SELFTEST] = { "selftest", NULL, "does a run repeat itself?", 0, 0 },
	/* subject_choose() has taken it away. */
	[COMPARE] = { "compare", "A B", "exhaust on two subjects", 2, 2 },
};

#define ONLY(verb) (1U << (verb))
#define SEARCHES (ONLY(RUN) | ONLY(EXHAUST))
#define PLAYS (ONLY(REPLAY) | ONLY(MINIMIZE) | ONLY(EXPLAIN) | ONLY(EXPORT))

/* ---- Options --------------------------------------------------------------------- */

static const struct option_row rows[] = {
	{ .help = "run looks for a schedule that breaks FILE, or random programs:" },
	{ .name = "generate",
	  .kind = OPTION_SWITCH,
	  .into = &parsed.o.generate,
	  .verbs = ONLY(RUN),
	  .help = "random programs instead of FILE" },
	{ .name = "strategy",
	  .kind = OPTION_WORD,
	  .words = strategies,
	  .into = &parsed.strategy,
	  .verbs = ONLY(RUN),
	  .help = "default portfolio: random, pct and dfs with a growing "
		  "bound in turns, small programs too" },
	{ .name = "iterations",
	  .kind = OPTION_U64,
	  .into = &parsed.o.iterations,
	  .verbs = ONLY(RUN) | ONLY(MINIMIZE) | ONLY(SELFTEST),
	  .help = "schedules in all, 0, the default: no limit; of minimize and "
		  "selftest: runs" },
	{ .name = "depth",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = 8,
	  .into = &parsed.o.search.depth,
	  .verbs = ONLY(RUN),
	  .help = "pct: depth of the bug; default 3" },
	{ .name = "seed",
	  .kind = OPTION_PARSED,
	  .parse = parse_seed,
	  .value = "N|COMMIT",
	  .into = &parsed.o.seed,
	  .given = &parsed.o.seed_given,
	  .verbs = ONLY(RUN) | ONLY(SELFTEST),
	  .help = "same seed, same search; a commit's hash will do" },
	{ .help = "run and exhaust:" },
	{ .name = "time",
	  .kind = OPTION_TIME,
	  .into = &parsed.time_ns,
	  .verbs = SEARCHES,
	  .help = "stop after that long; 60s, 8h" },
	{ .name = "jobs",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = 256,
	  .into = &parsed.o.jobs,
	  .verbs = SEARCHES,
	  .help = "processes, each with a part or a seed of its own" },
	{ .name = "max-preemptions",
	  .kind = OPTION_PARSED,
	  .parse = parse_bound,
	  .value = "N|unbounded",
	  .into = &parsed.o.search.max_preemptions,
	  .verbs = SEARCHES,
	  .help = "answers other than the default in a schedule (of run: with "
		  "dfs); default 2" },
	{ .name = "faults",
	  .kind = OPTION_PARSED,
	  .parse = parse_faults,
	  .value = "LIST",
	  .into = &parsed.o.search.faults,
	  .given = &parsed.o.faults_given,
	  .verbs = SEARCHES | ONLY(SELFTEST),
	  .help = "irq,tso,spurious,timeout,cancel,migrate,ipi,tlb,oom,hotplug; "
		  "all (default of run), none (of exhaust: there they count as "
		  "preemptions, but for oom, which fails each allocation of a "
		  "boot; irq: each program with each handler of one get or "
		  "local, at every point)" },
	{ .name = "out",
	  .letter = 'o',
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .into = &parsed.o.out,
	  .verbs = SEARCHES | ONLY(MINIMIZE),
	  .help = "the folder where a finding goes, default .; of minimize: "
		  "the file" },
	{ .name = "max-steps",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = CHOICE_MAX_STEP,
	  .into = &parsed.o.search.max_steps,
	  .verbs = SEARCHES | PLAYS,
	  .help = "then a run turns calm: nothing is asked any more, and who "
		  "does not get done in turns is a bug; default 20000, for a "
		  "program what its `calm after N` says" },
	{ .help = "exhaust tries all programs of a size with all their schedules "
		  "within the\nbound, and prints a certificate:" },
	{ .name = "tasks",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = PROGRAM_MAX_TASKS,
	  .into = &parsed.o.space.tasks,
	  .verbs = ONLY(EXHAUST),
	  .help = "how many; default 2" },
	{ .name = "ops",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = 8,
	  .into = &parsed.o.space.ops,
	  .verbs = ONLY(EXHAUST),
	  .help = "operations of each at most; default 3" },
	{ .name = "alphabet",
	  .kind = OPTION_PARSED,
	  .parse = parse_alphabet,
	  .value = "LIST",
	  .into = &parsed.o.space.alphabet,
	  .verbs = ONLY(EXHAUST),
	  .help = "which operations; default " DEFAULT_ALPHABET },
	{ .name = "colours",
	  .kind = OPTION_PARSED,
	  .parse = parse_colours,
	  .value = "N",
	  .into = &parsed.o.space.colours,
	  .verbs = ONLY(EXHAUST),
	  .help = "1, 2, 4 or 8; default 1" },
	{ .name = "slots",
	  .kind = OPTION_UINT,
	  .low = 2,
	  .high = PROGRAM_MAX_SLOTS,
	  .into = &parsed.o.space.slots,
	  .verbs = ONLY(EXHAUST),
	  .help = "of the machine; default two, or one of each colour" },
	{ .name = "pages",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = PROGRAM_MAX_HIGHMEM,
	  .into = &parsed.o.space.pages,
	  .verbs = ONLY(EXHAUST),
	  .help = "default: one of each colour more than slots" },
	{ .name = "handler-ops",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = 2,
	  .into = &parsed.o.space.handler_ops,
	  .verbs = ONLY(EXHAUST),
	  .help = "with irq: operations of the handler; 2: and what undoes the "
		  "first" },
	{ .name = "pae",
	  .kind = OPTION_SWITCH,
	  .into = &parsed.o.space.pae,
	  .verbs = ONLY(EXHAUST),
	  .help = "64-bit PTEs" },
	{ .name = "checkpoint",
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .into = &parsed.o.checkpoint,
	  .verbs = ONLY(EXHAUST),
	  .help = "go on where an earlier run of the same search was stopped "
		  "or killed" },
	{ .name = "outcomes",
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .into = &parsed.o.outcomes,
	  .verbs = SEARCHES,
	  .help = "what came out: a line for each program; of run FILE with "
		  "dfs, for each end that a schedule came to" },
	{ .name = "no-prune",
	  .kind = OPTION_SWITCH,
	  .into = &parsed.o.no_prune,
	  .verbs = SEARCHES,
	  .help = "also states that it has been in" },
	SUBJECT_OPTIONS,
	{ .name = "black-box",
	  .kind = OPTION_SWITCH,
	  .into = &parsed.black_box,
	  .verbs = SEARCHES | PLAYS,
	  .help = "judge the subject by what can be seen from outside" },
	{ .help = "The others:" },
	{ .name = "trace",
	  .kind = OPTION_WORD,
	  .words = traces,
	  .into = &parsed.trace,
	  .verbs = ONLY(REPLAY),
	  .help = "what replay prints; default table" },
	{ .name = "bytes",
	  .kind = OPTION_SWITCH,
	  .into = &parsed.o.bytes,
	  .verbs = ONLY(RUN) | PLAYS,
	  .help = "FILE is an input of a fuzz target" },
	{ .name = "c",
	  .kind = OPTION_SWITCH,
	  .into = &parsed.o.as_c,
	  .verbs = ONLY(EXPORT),
	  .help = "export as a Criterion test" },
	{ .name = "hmt",
	  .kind = OPTION_SWITCH,
	  .into = &parsed.o.as_hmt,
	  .verbs = ONLY(EXPORT),
	  .help = "export as text" },
};

static const struct command command = {
	.name = "explore",
	.help = "Finds, replays, shrinks and explains schedules that break a "
		"program. FILE is\n"
		"one as text; - is standard input. Replay, minimize, explain "
		"and export play\n"
		"its `choices v2:`.",
	.verbs = verbs,
	.nr_verbs = sizeof(verbs) / sizeof(verbs[0]),
	.options = rows,
	.nr_options = sizeof(rows) / sizeof(rows[0]),
	.after = "Exit status: 0 fine, 77 a bug, 70 stalled, 1 anything else.",
};

static void set_defaults(void)
{
	parsed.o = (struct options){
		.search = { .faults = CONTROLLED_ALL_FAULTS,
			    .max_preemptions = 2,
			    .depth = 3,
			    .prune = true },
		.jobs = 1,
		.space = { .tasks = 2, .ops = 3, .colours = 1, .handler_ops = 1 },
	};
	parsed.strategy = SEARCH_PORTFOLIO;
	parsed.trace = TRACE_TABLE;
	space_parse_alphabet(DEFAULT_ALPHABET, &parsed.o.space.alphabet);
	parsed.o.space.alphabet &= program_kinds();
	if (!the_subject.ops.kmap && the_subject.ops.kmap_try)
		parsed.o.space.alphabet |= 1U << OP_TRY;
	parsed.o.space.pae = !(the_subject.limits.machines & SUBJECT_NO_PAE);
}

/* What one option leaves open and another, or the verb, decides. */
static void settle(struct options *o, int verb)
{
	o->search.strategy = (enum search_strategy)parsed.strategy;
	o->trace = (enum trace_format)parsed.trace;
	o->seconds = (double)parsed.time_ns / 1e9;
	o->search.prune = !o->no_prune;
	if (parsed.black_box)
		exec_judge_from_outside();
	if (verb == EXHAUST && !o->faults_given)
		o->search.faults = 0;
	if (verb == EXHAUST && o->search.max_steps == 0)
		o->search.max_steps = CONTROLLED_MAX_STEPS;
	if (!(o->search.faults & FAULT_IRQ))
		o->space.handler_ops = 0;
	if (o->space.slots == 0)
		o->space.slots = o->space.colours > 2 ? o->space.colours : 2;
	if (o->space.pages == 0)
		o->space.pages = o->space.slots + o->space.colours;
	if (o->space.pages > PROGRAM_MAX_HIGHMEM)
		o->space.pages = PROGRAM_MAX_HIGHMEM;
}

/* What is wrong with options that are good one by one; NULL: nothing. */
static const char *contradiction(const struct options *o, int verb)
{
	if (verb == RUN && o->file && o->generate)
		return "run FILE, or run --generate: not both";
	if (verb == RUN && !o->file && !o->generate)
		return "run wants a FILE, or --generate";
	if (o->outcomes && o->checkpoint)
		return "--outcomes wants all programs at once, and "
		       "--checkpoint does not";
	if (o->outcomes && o->generate)
		return "--outcomes of --generate would never end";
	if (o->bytes && !o->file)
		return "--bytes says what FILE is, and there is none";
	if (verb == MINIMIZE && !o->out)
		return "minimize writes to -o OUT";
	if (verb == EXPORT && o->as_c == o->as_hmt)
		return "export wants one of --c and --hmt";
	return NULL;
}

int options_parse(struct options *o, int argc, char **argv)
{
	struct command_line line;
	const char *why;
	int status;

	set_defaults();
	status = command_parse(&command, argc, argv, &line);
	if (status >= 0)
		return status;
	*o = parsed.o;
	o->verb = verbs[line.verb].name;
	o->file = line.files[0];
	settle(o, line.verb);
	why = subject_wrong(&the_subject);
	if (why)
		return command_wrong(&command, "subject %s: %s",
				     the_subject.name, why);
	why = contradiction(o, line.verb);
	return why ? command_wrong(&command, "%s", why) : -1;
}

/* ---- Shared by verbs -------------------------------------------------------------- */

const char *replay_flags(void)
{
	return subject_replay_flags(exec_judges_from_outside());
}

void print_not_demanded(void)
{
	bool outside = exec_judges_from_outside();
	const char *what;

	for (unsigned int i = 0;
	     (what = subject_not_demanded(&the_subject, outside, i)); i++)
		printf("%s%s", i ? "; " : "not demanded: ", what);
	if (subject_not_demanded(&the_subject, outside, 0))
		printf("\n");
}

double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
