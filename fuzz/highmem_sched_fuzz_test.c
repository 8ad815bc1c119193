/* SPDX-License-Identifier: MIT */

/* Programs and schedules together: an input is a program with its choices. */

#include "fuzz/fuzz_program.h"
#include "fuzz/sched/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return sched_target_run(data, size);
}

/* libFuzzer's; the replay engine has none and calls none of this. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size,
					      size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size,
				 const uint8_t *other_data, size_t other_size,
				 uint8_t *out, size_t max_size,
				 unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	size_t new_size = sched_target_mutate(data, size, max_size, seed);

	return new_size ? new_size : LLVMFuzzerMutate(data, size, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size,
				 const uint8_t *other_data, size_t other_size,
				 uint8_t *out, size_t max_size,
				 unsigned int seed)
{
	return sched_target_cross_over(data, size, other_data, other_size, out,
				       max_size, seed);
}
