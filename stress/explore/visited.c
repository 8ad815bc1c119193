/* SPDX-License-Identifier: MIT */
#include "stress/explore/visited.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
	uint64_t state;
	uint32_t round; /* of visited_clear(); another round's is empty */
	uint32_t bound;
};

struct visited {
	struct entry *entries;
	uint64_t mask;
	uint64_t count;
	uint32_t round;
};

struct visited *visited_new(unsigned int log2)
{
	struct visited *visited = calloc(1, sizeof(*visited));
	uint64_t size = (uint64_t)1 << log2;

	if (visited)
		visited->entries = calloc(size, sizeof(struct entry));
	if (!visited || !visited->entries) {
		fprintf(stderr, "explore: no memory for %llu states\n",
			(unsigned long long)size);
		exit(1);
	}
	visited->mask = size - 1;
	visited->round = 1;
	return visited;
}

void visited_clear(struct visited *visited)
{
	visited->round++;
	visited->count = 0;
}

bool visited_is_full(const struct visited *visited)
{
	return visited->count > visited->mask / 4 * 3;
}

bool visited_improve(struct visited *visited, uint64_t state,
		     unsigned int bound)
{
	uint64_t at = state & visited->mask;
	struct entry *entry;

	for (;; at = (at + 1) & visited->mask) {
		entry = &visited->entries[at];
		if (entry->round != visited->round)
			break;
		if (entry->state != state)
			continue;
		if (entry->bound >= bound)
			return false;
		entry->bound = bound;
		return true;
	}
	if (!visited_is_full(visited)) {
		*entry = (struct entry){ state, visited->round, bound };
		visited->count++;
	}
	return true;
}

uint64_t visited_count(const struct visited *visited)
{
	return visited->count;
}
