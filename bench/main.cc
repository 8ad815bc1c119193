/* SPDX-License-Identifier: MIT */
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bench/runner.h"

/* google-benchmark around the rows that runner.h names; they themselves are C. */

#define ITERATIONS "--iterations="

namespace
{

void print_help()
{
	printf("Benchmarks of the highmem core.\n\n"
	       "  " ITERATIONS "N  exactly N operations of each, whatever "
	       "time that takes\n\n"
	       "Exit status: 0 fine, 1 usage, 70 a benchmark stalled, "
	       "77 one found a bug.\nAll else is google-benchmark's:\n\n");
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

void register_all(long iterations)
{
	for (unsigned int nr = 0; nr < bench_count(); nr++) {
		auto *bench = benchmark::RegisterBenchmark(
			bench_name(nr),
			[nr](benchmark::State &state) { run(state, nr); });

		bench->UseManualTime();
		if (iterations > 0)
			bench->Iterations(iterations);
	}
}

/* The number in --iterations=N, 0 without one; takes the flag out. */
long take_iterations(std::vector<char *> &args)
{
	long n = 0;

	for (auto arg = args.begin() + 1; arg != args.end();) {
		if (strncmp(*arg, ITERATIONS, strlen(ITERATIONS)) != 0) {
			++arg;
			continue;
		}

		const char *text = *arg + strlen(ITERATIONS);
		char *end;

		n = strtol(text, &end, 10);
		if (n < 1 || *end) {
			fprintf(stderr,
				"%s: " ITERATIONS "%s: expected a number of "
				"operations, 1 or more\n",
				args[0], text);
			exit(1);
		}
		arg = args.erase(arg);
	}
	return n;
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
	int nr_args;

	args.insert(args.end(), argv + 1, argv + argc);
	register_all(take_iterations(args));
	nr_args = (int)args.size();
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
