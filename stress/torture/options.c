/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "stress/torture/torture.h"

static const char help[] =
	"usage: torture [options]\n"
	"\n"
	"Runs random op programs on threads, round after round, with so few\n"
	"slots that tasks wait, and checks every page they map. All that is\n"
	"drawn comes from the seed.\n"
	"\n"
	"  --time T           stop after T: 500ms, 30s, 8h; 0: never (30s)\n"
	"  --rounds N         stop after N rounds; 0: no limit (0)\n"
	"  --seed U64         where everything is drawn from (random, printed)\n"
	"  --round K          round K of the seed, again and again\n"
	"  --program FILE     this .hmt, again and again; - is standard input\n"
	"  --bytes            FILE is an input of a fuzz target\n"
	"  --threads N        at most N tasks in a round, 1 to 4 (4)\n"
	"  --slots N          pkmap slots, 2 to 64 (drawn, 2 to 8)\n"
	"  --repeat N         how often a task runs its part in a round\n"
	"                     (5000, under TSan 500)\n"
	"  --stat-interval T  statistics every T (5s)\n"
	"  --stall T          no operation for T is a stall (5s)\n"
	"  --log FILE         append everything to FILE as well; the line of\n"
	"                     each round then goes there alone\n"
	"  --out DIR          where the .hmt of a failure is written (here, or\n"
	"                     the outputs directory of a Bazel test)\n"
	"  --refind[=T]       give a program that fails to the explorer, for T\n"
	"                     (20s): its finding replays exactly\n"
	"  --explorer PATH    the explorer for --refind, if it was not built\n"
	"                     beside this program or another core is under it\n"
	"  --help\n"
	"\n"
	"Exit: 0 fine, 77 a bug was found, 70 the tasks are stuck, 1 usage.\n";

enum option_id {
	OPTION_TIME = 256,
	OPTION_ROUNDS,
	OPTION_SEED,
	OPTION_ROUND,
	OPTION_PROGRAM,
	OPTION_BYTES,
	OPTION_THREADS,
	OPTION_SLOTS,
	OPTION_REPEAT,
	OPTION_STAT_INTERVAL,
	OPTION_STALL,
	OPTION_LOG,
	OPTION_OUT,
	OPTION_REFIND,
	OPTION_EXPLORER,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "time", required_argument, NULL, OPTION_TIME },
	{ "rounds", required_argument, NULL, OPTION_ROUNDS },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "round", required_argument, NULL, OPTION_ROUND },
	{ "program", required_argument, NULL, OPTION_PROGRAM },
	{ "bytes", no_argument, NULL, OPTION_BYTES },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "slots", required_argument, NULL, OPTION_SLOTS },
	{ "repeat", required_argument, NULL, OPTION_REPEAT },
	{ "stat-interval", required_argument, NULL, OPTION_STAT_INTERVAL },
	{ "stall", required_argument, NULL, OPTION_STALL },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "out", required_argument, NULL, OPTION_OUT },
	{ "refind", optional_argument, NULL, OPTION_REFIND },
	{ "explorer", required_argument, NULL, OPTION_EXPLORER },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static const char *option_name(int id)
{
	const struct option *option = long_options;

	while (option->val != id)
		option++;
	return option->name;
}

static bool refuse(int id, const char *expected)
{
	fprintf(stderr, "torture: --%s %s: expected %s\n", option_name(id),
		optarg, expected);
	return false;
}

/* What strtoull() took as a number, and where it stopped. */
static bool parse_u64(const char *text, uint64_t *value, char **end)
{
	errno = 0;
	*value = strtoull(text, end, 0);
	return text[0] >= '0' && text[0] <= '9' && errno == 0;
}

static bool take_u64(int id, uint64_t *value)
{
	char *end;

	if (parse_u64(optarg, value, &end) && *end == '\0')
		return true;
	return refuse(id, "a number from 0 to 2^64 - 1");
}

static bool take_range(int id, unsigned int *value, unsigned int low,
		       unsigned int high)
{
	char expected[64];
	uint64_t number;
	char *end;

	if (parse_u64(optarg, &number, &end) && *end == '\0' && number >= low &&
	    number <= high) {
		*value = (unsigned int)number;
		return true;
	}
	snprintf(expected, sizeof(expected), "a number from %u to %u", low,
		 high);
	return refuse(id, expected);
}

static bool take_time(int id, uint64_t *ns)
{
	static const struct {
		const char *suffix;
		uint64_t ns;
	} units[] = {
		{ "ms", NS_PER_MS },	  { "s", NS_PER_S },
		{ "", NS_PER_S },	  { "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S },
	};
	uint64_t number;
	char *end;

	if (parse_u64(optarg, &number, &end) && number <= 1000000)
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (strcmp(end, units[i].suffix) == 0) {
				*ns = number * units[i].ns;
				return true;
			}
	return refuse(id, "a time such as 500ms, 30s, 10m or 8h");
}

/* An interval of nothing would print or complain without end. */
static bool take_interval(int id, uint64_t *ns)
{
	return take_time(id, ns) &&
	       (*ns > 0 || refuse(id, "a time longer than nothing"));
}

static bool take_option(struct torture_options *options, int id)
{
	switch (id) {
	case OPTION_TIME:
		return take_time(id, &options->time_ns);
	case OPTION_ROUNDS:
		return take_u64(id, &options->rounds);
	case OPTION_SEED:
		return take_u64(id, &options->seed);
	case OPTION_ROUND:
		options->only_round = true;
		return take_u64(id, &options->round);
	case OPTION_PROGRAM:
		options->program_path = optarg;
		return true;
	case OPTION_BYTES:
		options->program_bytes = true;
		return true;
	case OPTION_THREADS:
		return take_range(id, &options->threads, 1, PROGRAM_MAX_TASKS);
	case OPTION_SLOTS:
		return take_range(id, &options->slots, 2, PROGRAM_MAX_SLOTS);
	case OPTION_REPEAT:
		return take_range(id, &options->repeat, 1, 100000000);
	case OPTION_STAT_INTERVAL:
		return take_interval(id, &options->stat_interval_ns);
	case OPTION_STALL:
		return take_interval(id, &options->stall_ns);
	case OPTION_LOG:
		options->log_path = optarg;
		return true;
	case OPTION_REFIND:
		options->refind = true;
		return !optarg || take_interval(id, &options->refind_ns);
	case OPTION_EXPLORER:
		options->explorer = optarg;
		return true;
	default:
		options->out_dir = optarg;
		return true;
	}
}

static uint64_t random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = now_ns();
	return seed >> 16; /* short enough to type */
}

static void complain(int id, char **argv)
{
	if (id == ':')
		fprintf(stderr, "torture: --%s: expected a value\n",
			option_name(optopt));
	else
		fprintf(stderr,
			"torture: unknown option '%s'; --help lists "
			"them all\n",
			argv[optind - 1]);
}

int options_parse(struct torture_options *options, int argc, char **argv)
{
	const char *outputs = getenv("TEST_UNDECLARED_OUTPUTS_DIR");
	int id;

	*options = (struct torture_options){
		.seed = random_seed(),
		.time_ns = TORTURE_DEFAULT_TIME_NS,
		.threads = TORTURE_DEFAULT_THREADS,
		.repeat = TORTURE_DEFAULT_REPEAT,
		.stat_interval_ns = TORTURE_DEFAULT_STAT_INTERVAL_NS,
		.stall_ns = TORTURE_DEFAULT_STALL_NS,
		.refind_ns = TORTURE_DEFAULT_REFIND_NS,
		.out_dir = outputs ? outputs : ".",
	};
	while ((id = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (id == OPTION_HELP) {
			fputs(help, stdout);
			return EXIT_FINE;
		}
		if (id == '?' || id == ':') {
			complain(id, argv);
			return EXIT_USAGE;
		}
		if (!take_option(options, id))
			return EXIT_USAGE;
	}
	if (optind < argc) {
		fprintf(stderr,
			"torture: unexpected '%s'; --help lists the "
			"options\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

size_t options_print(const struct torture_options *options, char *buf,
		     size_t size)
{
	int len = snprintf(buf, size, "--seed %" PRIu64, options->seed);

#define APPEND(...) \
	(len += snprintf(buf + len, size - (size_t)len, __VA_ARGS__))
	if (options->threads != TORTURE_DEFAULT_THREADS)
		APPEND(" --threads %u", options->threads);
	if (options->slots)
		APPEND(" --slots %u", options->slots);
	if (options->repeat != TORTURE_DEFAULT_REPEAT)
		APPEND(" --repeat %u", options->repeat);
#undef APPEND
	return (size_t)len;
}
