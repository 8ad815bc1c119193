/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "stress/process/command.h"
#include "stress/torture/torture.h"

static struct torture_options parsed;

static const struct option_row rows[] = {
	{ .name = "time",
	  .kind = OPTION_TIME,
	  .into = &parsed.time_ns,
	  .help = "stop after that long: 500ms, 30s, 8h; 0: never (30s)" },
	{ .name = "rounds",
	  .kind = OPTION_U64,
	  .into = &parsed.rounds,
	  .help = "stop after N rounds; 0, the default: no limit" },
	{ .name = "seed",
	  .kind = OPTION_U64,
	  .into = &parsed.seed,
	  .help = "where everything is drawn from (random, printed)" },
	{ .name = "round",
	  .kind = OPTION_U64,
	  .into = &parsed.round,
	  .given = &parsed.only_round,
	  .help = "round N of the seed, again and again" },
	{ .name = "program",
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .into = &parsed.program_path,
	  .help = "this .hmt, again and again; - is standard input" },
	{ .name = "bytes",
	  .kind = OPTION_SWITCH,
	  .into = &parsed.program_bytes,
	  .help = "FILE is an input of a fuzz target" },
	{ .name = "threads",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = PROGRAM_MAX_TASKS,
	  .into = &parsed.threads,
	  .help = "at most N tasks in a round; default 4" },
	{ .name = "slots",
	  .kind = OPTION_UINT,
	  .low = 2,
	  .high = PROGRAM_MAX_SLOTS,
	  .into = &parsed.slots,
	  .help = "pkmap slots; default: drawn, 2 to 8" },
	{ .name = "repeat",
	  .kind = OPTION_UINT,
	  .low = 1,
	  .high = 100000000,
	  .into = &parsed.repeat,
	  .help = "how often a task runs its part in a round; default 5000, "
		  "under TSan 500" },
	{ .name = "stat-interval",
	  .kind = OPTION_TIME,
	  .low = 1,
	  .into = &parsed.stat_interval_ns,
	  .help = "between two statistics (5s)" },
	{ .name = "stall",
	  .kind = OPTION_TIME,
	  .low = 1,
	  .into = &parsed.stall_ns,
	  .help = "no operation for that long is a stall (5s)" },
	{ .name = "log",
	  .kind = OPTION_TEXT,
	  .value = "FILE",
	  .into = &parsed.log_path,
	  .help = "append everything to FILE as well; the line of each round "
		  "then goes there alone" },
	{ .name = "out",
	  .kind = OPTION_TEXT,
	  .value = "DIR",
	  .into = &parsed.out_dir,
	  .help = "where the .hmt of a failure is written (here, or the "
		  "outputs directory of a Bazel test)" },
	{ .name = "refind",
	  .kind = OPTION_TIME,
	  .low = 1,
	  .may_lack = true,
	  .given = &parsed.refind,
	  .into = &parsed.refind_ns,
	  .help = "give a program that fails to the explorer, for that long "
		  "(20s): its finding replays exactly" },
	{ .name = "explorer",
	  .kind = OPTION_TEXT,
	  .value = "PATH",
	  .into = &parsed.explorer,
	  .help = "the explorer for --refind, if it was not built beside this "
		  "program or another core is under it" },
};

static const struct command_verb no_verb;

static const struct command command = {
	.name = "torture",
	.help = "Runs random op programs on threads, round after round, with so few\n"
		"slots that tasks wait, and checks every page they map. All that is\n"
		"drawn comes from the seed.\n",
	.verbs = &no_verb,
	.nr_verbs = 1,
	.options = rows,
	.nr_options = sizeof(rows) / sizeof(rows[0]),
	.after = "Exit: 0 fine, 77 a bug was found, 70 the tasks are stuck, 1 usage.",
};

static uint64_t random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = now_ns();
	return seed >> 16; /* short enough to type */
}

int options_parse(struct torture_options *options, int argc, char **argv)
{
	const char *outputs = getenv("TEST_UNDECLARED_OUTPUTS_DIR");
	struct command_line line;
	int status;

	parsed = (struct torture_options){
		.seed = random_seed(),
		.time_ns = TORTURE_DEFAULT_TIME_NS,
		.threads = TORTURE_DEFAULT_THREADS,
		.repeat = TORTURE_DEFAULT_REPEAT,
		.stat_interval_ns = TORTURE_DEFAULT_STAT_INTERVAL_NS,
		.stall_ns = TORTURE_DEFAULT_STALL_NS,
		.refind_ns = TORTURE_DEFAULT_REFIND_NS,
		.out_dir = outputs ? outputs : ".",
	};
	status = command_parse(&command, argc, argv, &line);
	if (status < 0 && parsed.only_round && parsed.program_path)
		status = command_wrong(&command,
				       "--round and --program: only one says "
				       "what to run");
	if (status < 0 && parsed.program_bytes && !parsed.program_path)
		status = command_wrong(&command, "--bytes says what --program "
						 "is, and there is none");
	*options = parsed;
	return status;
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
