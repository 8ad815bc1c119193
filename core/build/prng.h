/* SPDX-License-Identifier: MIT */
#ifndef CORE_BUILD_PRNG_H
#define CORE_BUILD_PRNG_H

/*
 * SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): any seed is a good seed, and
 * the numbers are the same on every machine.
 */

#include <stdint.h>

static inline uint64_t prng_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0 to @limit - 1; @limit is small, so that the bias does not matter. */
static inline unsigned int prng_below(uint64_t *seed, unsigned int limit)
{
	return (unsigned int)(((prng_next(seed) >> 32) * limit) >> 32);
}

#endif
