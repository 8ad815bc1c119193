/* SPDX-License-Identifier: MIT */
#ifndef STRESS_EXPLORE_SEARCH_VISITED_H
#define STRESS_EXPLORE_SEARCH_VISITED_H

/*
 * A set of states, each with the best bound it was searched with. It grows up
 * to 12 million; then new states are not kept: a search repeats itself, and
 * misses nothing.
 */

#include <stdbool.h>
#include <stdint.h>

struct visited;

/* Room for 3/4 of 2^@log2 states at first. Ends the program without memory. */
struct visited *visited_new(unsigned int log2);

/* In constant time. */
void visited_clear(struct visited *visited);

/* Keep @state with @bound; false if it is there with as much or more. */
bool visited_improve(struct visited *visited, uint64_t state,
		     unsigned int bound);

uint64_t visited_count(const struct visited *visited);

#endif
