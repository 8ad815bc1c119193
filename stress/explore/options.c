/* SPDX-License-Identifier: MIT */
#include "stress/explore/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_ALPHABET "kmap,kunmap,flush"

static const char help[] =
	"usage: explore run [FILE.hmt | --generate] [options]\n"
	"       explore exhaust [options]\n"
	"       explore replay FILE [--trace=none|table|full|json|html]\n"
	"       explore minimize FILE -o OUT [--iterations=N]\n"
	"       explore explain FILE\n"
	"       explore export FILE --c | --hmt\n"
	"       explore selftest [--iterations=N]\n"
	"       explore --help\n"
	"\n"
	"run looks for a schedule that breaks a program, or random programs:\n"
	"  --strategy=portfolio   random, pct, urw, dfs; or random, pct and dfs with\n"
	"                         a growing bound in turns, small programs too\n"
	"  --iterations=N         schedules in all; 0, the default: no limit\n"
	"  --time=60s             stop after that long (s, m, h)\n"
	"  --depth=3              pct: depth of the bug\n"
	"  --max-preemptions=2    dfs: answers other than the default, or unbounded\n"
	"  --max-steps=20000      then a run turns calm: nothing is asked any more,\n"
	"                         and who does not get done in turns is a bug;\n"
	"                         for a program, instead of its `calm after N`\n"
	"  --seed=U64|COMMIT      same seed, same search; a commit hash will do\n"
	"  --jobs=N               processes, each with a seed of its own\n"
	"  --faults=LIST          irq,tso,spurious,timeout,cancel,migrate,ipi,tlb,oom,\n"
	"                         hotplug; all (default), none\n"
	"  --out=DIR              where a finding goes, default .\n"
	"\n"
	"exhaust tries all programs of a size with all their schedules within the\n"
	"bound, and prints a certificate:\n"
	"  --tasks=2 --ops=3      how many, and how many operations of each at most\n"
	"  --alphabet=LIST        which operations; default " DEFAULT_ALPHABET
	"\n"
	"  --colours=1            1, 2, 4 or 8\n"
	"  --slots=2 --pages=3    of the machine; default: two slots or one of each\n"
	"                         colour, and one page of each colour more\n"
	"  --max-preemptions=2    a number, or unbounded\n"
	"  --faults=LIST          as above, default none; they count as preemptions,\n"
	"                         but for oom, which fails each allocation of a boot\n"
	"                         irq: each program with each handler of one get or\n"
	"                         local, at every point\n"
	"  --handler-ops=1        of the handler; 2: and what undoes the first\n"
	"  --pae                  64-bit PTEs\n"
	"  --checkpoint=FILE      go on where an earlier run of the same search was\n"
	"                         stopped or killed\n"
	"  --no-prune --time=T --jobs=N --max-steps=N\n"
	"\n"
	"FILE is a program as text; - is standard input. With --bytes it is an input of\n"
	"a fuzz target. A program plays its `choices v2:` under replay, minimize,\n"
	"explain, export.\n"
	"\n"
	"Exit status: 0 fine, 77 a bug, 70 stalled, 1 anything else.\n";

static int complain(const char *what, const char *which)
{
	fprintf(stderr, "explore: %s%s; see explore --help\n", what, which);
	return EXIT_BAD;
}

/* ---- Values -------------------------------------------------------------------- */

static bool parse_u64(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static bool parse_count(const char *text, uint64_t max, unsigned int *value)
{
	uint64_t n;

	if (!parse_u64(text, &n) || n > max)
		return false;
	*value = (unsigned int)n;
	return true;
}

static bool parse_bound(const char *text, unsigned int *bound)
{
	if (strcmp(text, "unbounded") != 0)
		return parse_count(text, 16, bound);
	*bound = EXPLORE_UNBOUNDED;
	return true;
}

/* "60s", "5m", "8h", "90". */
static bool parse_time(const char *text, double *seconds)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || n < 0)
		return false;
	if (strcmp(end, "m") == 0)
		n *= 60;
	else if (strcmp(end, "h") == 0)
		n *= 3600;
	else if (*end != '\0' && strcmp(end, "s") != 0)
		return false;
	*seconds = n;
	return true;
}

/* A number, or a commit hash: its first 16 digits are the number. */
static bool parse_seed(const char *text, uint64_t *seed)
{
	char digits[17] = { 0 };

	if (strlen(text) == 40 && strspn(text, "0123456789abcdefABCDEF") == 40) {
		memcpy(digits, text, 16);
		*seed = strtoull(digits, NULL, 16);
		return true;
	}
	return parse_u64(text, seed);
}

static bool parse_word(const char *text, const char *const *words,
		       unsigned int nr, unsigned int *index)
{
	for (*index = 0; *index < nr; (*index)++)
		if (strcmp(text, words[*index]) == 0)
			return true;
	return false;
}

static bool parse_strategy(const char *text, enum search_strategy *strategy)
{
	static const char *const words[] = { "random", "pct", "dfs",
					     "portfolio", "urw" };
	unsigned int index;

	if (!parse_word(text, words, 5, &index))
		return false;
	*strategy = (enum search_strategy)index;
	return true;
}

static bool parse_trace(const char *text, enum trace_format *format)
{
	static const char *const words[] = { "none", "table", "full", "json",
					     "html" };
	unsigned int index;

	if (!parse_word(text, words, 5, &index))
		return false;
	*format = (enum trace_format)index;
	return true;
}

/* ---- Flags --------------------------------------------------------------------- */

enum flag {
	FLAG_STRATEGY = 256,
	FLAG_ITERATIONS,
	FLAG_TIME,
	FLAG_DEPTH,
	FLAG_PREEMPTIONS,
	FLAG_STEPS,
	FLAG_SEED,
	FLAG_JOBS,
	FLAG_FAULTS,
	FLAG_GENERATE,
	FLAG_TRACE,
	FLAG_C,
	FLAG_HMT,
	FLAG_TASKS,
	FLAG_OPS,
	FLAG_CHECKPOINT,
	FLAG_NO_PRUNE,
	FLAG_ALPHABET,
	FLAG_SLOTS,
	FLAG_COLOURS,
	FLAG_PAGES,
	FLAG_HANDLER_OPS,
	FLAG_PAE,
	FLAG_BYTES,
};

static const struct option flags[] = {
	{ "strategy", required_argument, NULL, FLAG_STRATEGY },
	{ "iterations", required_argument, NULL, FLAG_ITERATIONS },
	{ "time", required_argument, NULL, FLAG_TIME },
	{ "depth", required_argument, NULL, FLAG_DEPTH },
	{ "max-preemptions", required_argument, NULL, FLAG_PREEMPTIONS },
	{ "max-steps", required_argument, NULL, FLAG_STEPS },
	{ "seed", required_argument, NULL, FLAG_SEED },
	{ "jobs", required_argument, NULL, FLAG_JOBS },
	{ "faults", required_argument, NULL, FLAG_FAULTS },
	{ "generate", no_argument, NULL, FLAG_GENERATE },
	{ "trace", required_argument, NULL, FLAG_TRACE },
	{ "c", no_argument, NULL, FLAG_C },
	{ "hmt", no_argument, NULL, FLAG_HMT },
	{ "tasks", required_argument, NULL, FLAG_TASKS },
	{ "ops", required_argument, NULL, FLAG_OPS },
	{ "checkpoint", required_argument, NULL, FLAG_CHECKPOINT },
	{ "no-prune", no_argument, NULL, FLAG_NO_PRUNE },
	{ "alphabet", required_argument, NULL, FLAG_ALPHABET },
	{ "slots", required_argument, NULL, FLAG_SLOTS },
	{ "colours", required_argument, NULL, FLAG_COLOURS },
	{ "pages", required_argument, NULL, FLAG_PAGES },
	{ "handler-ops", required_argument, NULL, FLAG_HANDLER_OPS },
	{ "pae", no_argument, NULL, FLAG_PAE },
	{ "bytes", no_argument, NULL, FLAG_BYTES },
	{ "out", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool set_search_flag(struct search_options *search, int flag,
			    const char *text)
{
	switch (flag) {
	case FLAG_STRATEGY:
		return parse_strategy(text, &search->strategy);
	case FLAG_DEPTH:
		return parse_count(text, 8, &search->depth) &&
		       search->depth > 0;
	case FLAG_PREEMPTIONS:
		return parse_bound(text, &search->max_preemptions);
	case FLAG_STEPS:
		return parse_count(text, CHOICE_MAX_STEP, &search->max_steps) &&
		       search->max_steps > 0;
	default:
		return controlled_faults_parse(text, &search->faults);
	}
}

static bool parse_colours(const char *text, unsigned int *colours)
{
	return parse_count(text, HIGHMEM_MAX_COLOURS, colours) &&
	       __builtin_popcount(*colours) == 1;
}

static bool set_space_flag(struct space *space, int flag, const char *text)
{
	switch (flag) {
	case FLAG_TASKS:
		return parse_count(text, PROGRAM_MAX_TASKS, &space->tasks) &&
		       space->tasks > 0;
	case FLAG_OPS:
		return parse_count(text, 8, &space->ops) && space->ops > 0;
	case FLAG_SLOTS:
		return parse_count(text, PROGRAM_MAX_SLOTS, &space->slots) &&
		       space->slots > 1;
	case FLAG_COLOURS:
		return parse_colours(text, &space->colours);
	case FLAG_PAGES:
		return parse_count(text, PROGRAM_MAX_HIGHMEM, &space->pages) &&
		       space->pages > 0;
	case FLAG_HANDLER_OPS:
		return parse_count(text, 2, &space->handler_ops) &&
		       space->handler_ops > 0;
	default:
		return space_parse_alphabet(text, &space->alphabet);
	}
}

static bool set_flag(struct options *o, int flag, const char *text)
{
	switch (flag) {
	case FLAG_TASKS:
	case FLAG_OPS:
	case FLAG_SLOTS:
	case FLAG_COLOURS:
	case FLAG_PAGES:
	case FLAG_ALPHABET:
	case FLAG_HANDLER_OPS:
		return set_space_flag(&o->space, flag, text);
	case FLAG_ITERATIONS:
		return parse_u64(text, &o->iterations);
	case FLAG_TIME:
		return parse_time(text, &o->seconds);
	case FLAG_SEED:
		o->seed_given = true;
		return parse_seed(text, &o->seed);
	case FLAG_JOBS:
		return parse_count(text, 256, &o->jobs) && o->jobs > 0;
	case FLAG_TRACE:
		return parse_trace(text, &o->trace);
	default:
		o->faults_given |= flag == FLAG_FAULTS;
		return set_search_flag(&o->search, flag, text);
	}
}

static void set_switch(struct options *o, int flag)
{
	o->generate |= flag == FLAG_GENERATE;
	o->as_c |= flag == FLAG_C;
	o->as_hmt |= flag == FLAG_HMT;
	o->no_prune |= flag == FLAG_NO_PRUNE;
	o->space.pae |= flag == FLAG_PAE;
	o->bytes |= flag == FLAG_BYTES;
	if (flag == FLAG_CHECKPOINT)
		o->checkpoint = optarg;
	if (flag == 'o')
		o->out = optarg;
}

static bool is_valued(int flag)
{
	return flag != FLAG_GENERATE && flag != FLAG_C && flag != FLAG_HMT &&
	       flag != FLAG_NO_PRUNE && flag != FLAG_PAE &&
	       flag != FLAG_BYTES && flag != FLAG_CHECKPOINT && flag != 'o';
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.search = { .strategy = SEARCH_PORTFOLIO,
			    .faults = CONTROLLED_ALL_FAULTS,
			    .max_preemptions = 2,
			    .depth = 3,
			    .prune = true },
		.trace = TRACE_TABLE,
		.jobs = 1,
		.space = { .tasks = 2, .ops = 3, .colours = 1, .handler_ops = 1 },
	};
	space_parse_alphabet(DEFAULT_ALPHABET, &o->space.alphabet);
}

/* What one flag leaves open and another, or the verb, decides. */
static void settle(struct options *o)
{
	o->search.prune = !o->no_prune;
	if (strcmp(o->verb, "exhaust") == 0 && !o->faults_given)
		o->search.faults = 0;
	if (strcmp(o->verb, "exhaust") == 0 && o->search.max_steps == 0)
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

int options_parse(struct options *o, int argc, char **argv)
{
	int flag;

	set_defaults(o);
	opterr = 0;
	while ((flag = getopt_long(argc, argv, "o:h", flags, NULL)) != -1) {
		if (flag == 'h') {
			fputs(help, stdout);
			return EXIT_FINE;
		}
		if (flag == '?')
			return complain("unknown flag or missing value: ",
					argv[optind - 1]);
		set_switch(o, flag);
		if (is_valued(flag) && !set_flag(o, flag, optarg))
			return complain("bad value: ", argv[optind - 1]);
	}
	if (optind == argc)
		return complain("what shall it do?", "");
	o->verb = argv[optind++];
	if (optind < argc)
		o->file = argv[optind++];
	if (optind < argc)
		return complain("one FILE only, not also ", argv[optind]);
	settle(o);
	return -1;
}

/* ---- Shared by verbs -------------------------------------------------------------- */

double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
