/* SPDX-License-Identifier: MIT */
#include "stress/explore/search/visited.h"

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

#define MAX_LOG2 24 /* 256 MiB */

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

static bool is_crowded(const struct visited *visited)
{
	return visited->count > visited->mask / 4 * 3;
}

static struct entry *find(const struct visited *visited, uint64_t state)
{
	uint64_t at = state & visited->mask;

	while (visited->entries[at].round == visited->round &&
	       visited->entries[at].state != state)
		at = (at + 1) & visited->mask;
	return &visited->entries[at];
}

/* Twice the size, if there is memory for it; else all stays as it is. */
static void grow(struct visited *visited)
{
	struct visited old = *visited;
	uint64_t size = 2 * (old.mask + 1);

	if (size > (uint64_t)1 << MAX_LOG2)
		return;
	visited->entries = calloc(size, sizeof(struct entry));
	if (!visited->entries) {
		*visited = old;
		return;
	}
	visited->mask = size - 1;
	for (uint64_t i = 0; i <= old.mask; i++)
		if (old.entries[i].round == old.round)
			*find(visited, old.entries[i].state) = old.entries[i];
	free(old.entries);
}

bool visited_improve(struct visited *visited, uint64_t state,
		     unsigned int bound)
{
	struct entry *entry = find(visited, state);

	if (entry->round == visited->round) {
		if (entry->bound >= bound)
			return false;
		entry->bound = bound;
		return true;
	}
	if (is_crowded(visited)) {
		grow(visited);
		entry = find(visited, state);
	}
	if (!is_crowded(visited)) {
		*entry = (struct entry){ state, visited->round, bound };
		visited->count++;
	}
	return true;
}

uint64_t visited_count(const struct visited *visited)
{
	return visited->count;
}
