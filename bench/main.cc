/* SPDX-License-Identifier: MIT */
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bench/runner.h"
#include "stress/process/command.h"

/* google-benchmark around the rows that runner.h names; they themselves are C. */

namespace
{

unsigned int iterations;

const option_row rows[] = {
	{ "iterations", OPTION_UINT, nullptr,
	  "exactly that many operations of each, whatever time it takes",
	  &iterations, 1, UINT32_MAX, nullptr, nullptr, 0, nullptr, false, 0 },
};

const command_verb no_verb = { nullptr, nullptr, nullptr, 0, 0 };

const command bench_command = {
	"bench",
	"Benchmarks of the highmem core.\n",
	&no_verb,
	1,
	rows,
	1,
	"Exit status: 0 fine, 1 usage, 70 a benchmark stalled, 77 one found a "
	"bug.\n"
};

void print_help()
{
	command_help(&bench_command);
	printf("All else is google-benchmark's:\n\n");
	benchmark::PrintDefaultHelp();
}

/*
 * One call performs all operations, so no loop of ours is in between. A machine
 * that broke a rule has measured nothing, and there is no point in going on.
 */
void run(benchmark::State &state, unsigned int nr)
{
	struct bench_result result;

	while (state.KeepRunningBatch(state.max_iterations)) {
		bench_measure(nr, (uint64_t)state.max_iterations, &result);
		if (result.status != BENCH_FINE) {
			fflush(stdout);
			fprintf(stderr, "%s: %s\n", bench_name(nr), result.why);
			exit(result.status);
		}
		state.SetIterationTime(result.seconds);
	}
	for (unsigned int i = 0; i < result.nr_counters; i++)
		state.counters[result.counter[i].name] = result.counter[i].value;
}

void register_all(long nr_iterations)
{
	for (unsigned int nr = 0; nr < bench_count(); nr++) {
		auto *bench = benchmark::RegisterBenchmark(
			bench_name(nr),
			[nr](benchmark::State &state) { run(state, nr); });

		bench->UseManualTime();
		if (nr_iterations > 0)
			bench->Iterations(nr_iterations);
	}
}

bool is_theirs(const char *word)
{
	return strncmp(word, "--benchmark_", 12) == 0 ||
	       strncmp(word, "--v=", 4) == 0;
}

/* Reads what is ours; -1 or how to exit. */
int parse_ours(int argc, char **argv, std::vector<char *> &theirs)
{
	std::vector<char *> ours = { argv[0] };
	command_line line;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			print_help();
			return 0;
		}
		(is_theirs(argv[i]) ? theirs : ours).push_back(argv[i]);
	}
	ours.push_back(nullptr);
	return command_parse(&bench_command, (int)ours.size() - 1, ours.data(),
			     &line);
}

void describe_build()
{
#ifdef __OPTIMIZE__
	benchmark::AddCustomContext("optimized", "yes");
#else
	benchmark::AddCustomContext("optimized", "no");
	fprintf(stderr, "not optimized: build with -c opt, or the times mean "
			"nothing\n");
#endif
}

} // namespace

int main(int argc, char **argv)
{
	static char min_time[] = "--benchmark_min_time=0.2";
	static char tabular[] = "--benchmark_counters_tabular=true";
	std::vector<char *> args = { argv[0], min_time, tabular };
	int status = parse_ours(argc, argv, args);
	int nr_args = (int)args.size();

	if (status >= 0)
		return status;
	register_all(iterations);
	args.push_back(nullptr);
	benchmark::Initialize(&nr_args, args.data(), print_help);
	if (benchmark::ReportUnrecognizedArguments(nr_args, args.data()))
		return 1;
	describe_build();
	if (benchmark::RunSpecifiedBenchmarks() == 0)
		return 1;
	benchmark::Shutdown();
	return BENCH_FINE;
}
