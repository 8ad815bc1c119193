/* SPDX-License-Identifier: MIT */
#include "stress/explore/certificate.h"

#include <stdio.h>
#include <string.h>

#include "stress/subjects/subject.h"

#define BUILD_WORD " build="

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *byte = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3u;
	return hash;
}

/* A number for the running program: the core is in it. */
static uint64_t build_number(void)
{
	static char block[65536];
	FILE *file = fopen("/proc/self/exe", "rb");
	uint64_t hash = 0xcbf29ce484222325u;
	size_t len;

	if (!file)
		return 0;
	do {
		len = fread(block, 1, sizeof(block), file);
		hash = mix(hash, block, len);
	} while (len == sizeof(block));
	fclose(file);
	return hash;
}

static void print_faults(uint32_t faults, char *buf, size_t size)
{
	size_t len = 0;

	snprintf(buf, size, "none");
	for (unsigned int i = 0; i < CONTROLLED_NR_FAULTS && len < size; i++)
		if (faults >> i & 1)
			len += (size_t)snprintf(buf + len, size - len, "%s%s",
						len ? "," : "",
						controlled_fault_name(i));
}

static void print_bound(unsigned int bound, char *buf, size_t size)
{
	if (bound == EXPLORE_UNBOUNDED)
		snprintf(buf, size, "unbounded");
	else
		snprintf(buf, size, "%u", bound);
}

void certificate_describe(const struct options *o, char *line, size_t size)
{
	char alphabet[256];
	char faults[128];
	char bound[16];

	space_print_alphabet(o->space.alphabet, alphabet, sizeof(alphabet));
	print_faults(o->search.faults, faults, sizeof(faults));
	print_bound(o->search.max_preemptions, bound, sizeof(bound));
	snprintf(
		line, size,
		"tasks=%u ops=%u alphabet=%s handler-ops=%u pages=%u "
		"slots=%u colours=%u pae=%s "
		"preemptions=%s faults=%s max-steps=%u pruning=%s%s%s" BUILD_WORD
		"%016llx",
		o->space.tasks, o->space.ops, alphabet, o->space.handler_ops,
		o->space.pages, o->space.slots, o->space.colours,
		o->space.pae ? "yes" : "no", bound, faults, o->search.max_steps,
		o->search.prune ? "yes" : "no", *replay_flags() ? " " : "",
		replay_flags(), (unsigned long long)build_number());
}

/* Of what was searched and what was found, but not of who did it. */
static uint64_t certificate_hash(const char *search,
				 const struct certificate *c)
{
	size_t len = (size_t)(strstr(search, BUILD_WORD) - search);
	uint64_t hash = mix(0xcbf29ce484222325u, search, len);

	return mix(hash, c, sizeof(*c));
}

static void print_subject(void)
{
	if (*replay_flags())
		printf("  subject          %s%s\n", the_subject.name,
		       exec_judges_from_outside() ? ", judged from outside"
						  : "");
}

static void print_space(const struct options *o)
{
	const struct space *s = &o->space;
	char text[256];

	space_print_alphabet(s->alphabet, text, sizeof(text));
	printf("certificate\n");
	print_subject();
	printf("  alphabet         %s\n"
	       "  tasks            %u, each on a CPU of its own\n"
	       "  operations       0 to %u for each task\n",
	       text, s->tasks, s->ops);
	if (s->handler_ops > 0)
		printf("  handler          one, on A's CPU: get or local of a "
		       "page%s\n",
		       s->handler_ops > 1 ? ", two or one of these, or undone"
					  : "");
	printf("  machine          cpus=%u slots=%u pages=%u colours=%u "
	       "depth=%u pae=%s\n",
	       s->tasks, s->slots, s->pages, s->colours, space_depth(s),
	       s->pae ? "yes" : "no");
}

static void print_schedules(const struct options *o)
{
	char bound[16];
	char faults[128];

	print_bound(o->search.max_preemptions, bound, sizeof(bound));
	print_faults(o->search.faults, faults, sizeof(faults));
	if (o->search.max_preemptions == EXPLORE_UNBOUNDED)
		printf("  preemptions      any number of them\n");
	else
		printf("  preemptions      up to %s, faults among them, before "
		       "any access to a\n"
		       "                   shared word; any order where a task "
		       "waits or ends\n",
		       bound);
	printf("  faults           %s\n"
	       "  memory           %s; TLBs keep and load all they may\n",
	       faults,
	       o->search.faults & FAULT_TSO ? "x86-TSO"
					    : "sequentially consistent");
}

static void print_sums(const struct options *o, const struct certificate *c)
{
	printf("  programs         %llu, the same up to names counted once\n"
	       "  schedules        %llu\n"
	       "  pruned           %llu of them, cut at a known state: %.1f %%\n"
	       "  loops            %llu of these in a circle; each ended once "
	       "calm\n"
	       "  states           %llu%s\n"
	       "  steps            %llu\n"
	       "  deadlocks        %llu programs can deadlock by themselves\n"
	       "  outcomes         %016llx\n",
	       (unsigned long long)c->programs,
	       (unsigned long long)c->schedules, (unsigned long long)c->pruned,
	       100.0 * (double)c->pruned / (double)c->schedules,
	       (unsigned long long)c->loops, (unsigned long long)c->states,
	       o->search.prune ? "" : " (no pruning)",
	       (unsigned long long)c->steps, (unsigned long long)c->deadlocks,
	       (unsigned long long)c->outcomes);
}

void certificate_print(const struct options *o, const char *search,
		       const struct certificate *c)
{
	print_space(o);
	print_schedules(o);
	print_sums(o, c);
	printf("  build            %s\n"
	       "  hash             %016llx\n"
	       "It does not speak of: longer programs, more preemptions, faults "
	       "and\n"
	       "operations not named above, other machines, two states with "
	       "the same 64-bit\n"
	       "number, what a compiler does for another CPU.\n"
	       "no bug within these bounds\n",
	       strstr(search, BUILD_WORD) + strlen(BUILD_WORD),
	       (unsigned long long)certificate_hash(search, c));
	print_not_demanded();
}
