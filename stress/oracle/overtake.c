/* SPDX-License-Identifier: MIT */
#include "stress/oracle/overtake.h"

#define NO_PAGE UINT8_MAX

static struct {
	bool on;
	uint8_t page[PROGRAM_MAX_ACTORS]; /* of a lookup under way */
	uint32_t ever; /* pages that have been mapped, and may still be */
	/* Who has queued since before this one's call: a bit for each. */
	uint8_t ahead[PROGRAM_MAX_ACTORS];
} line;

void overtake_begin(bool on)
{
	line.on = on;
	line.ever = 0;
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		line.page[a] = NO_PAGE;
		line.ahead[a] = 0;
	}
}

static unsigned int actor_of_task(const struct exec *exec,
				  const struct port_task *task)
{
	unsigned int t = 0;

	while (t < PROGRAM_MAX_TASKS && exec->actors[t].id != port_task_id(task))
		t++;
	return t;
}

/* A core that broke its list is somebody else's finding: not for ever. */
static uint8_t queued(const struct exec *exec, unsigned int page)
{
	unsigned int colour = exec_colour(exec, page);
	const struct pkmap_waiter *w;
	uint8_t actors = 0;

	if (!exec->hm)
		return (uint8_t)oracle_sleepers(exec, colour);
	w = the_subject.look()->pkmap.queue[colour].head;

	for (unsigned int i = 0; w && i < PROGRAM_MAX_TASKS; i++, w = w->next)
		actors |= (uint8_t)(1U << actor_of_task(exec, w->task));
	return actors;
}

static bool is_map(enum op_kind kind)
{
	return kind == OP_KMAP || kind == OP_TRY || kind == OP_TIMEOUT ||
	       kind == OP_KILLABLE;
}

static bool is_mapped(unsigned int page)
{
	return the_subject.look()->config.mem_map[page].pkmap.value != 0;
}

/*
 * A page that somebody else maps, or may map meanwhile, can be shared: whoever
 * gets that one is not judged.
 */
static bool may_share(const struct exec *exec, unsigned int actor,
		      unsigned int page)
{
	bool shared = exec->hm ? is_mapped(page) : line.ever >> page & 1;

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		if (a == actor || line.page[a] != page)
			continue;
		line.ahead[a] = 0;
		shared = true;
	}
	return shared;
}

void overtake_call(const struct exec *exec, const struct actor *actor,
		   enum op_kind kind, unsigned int page)
{
	bool shared;

	if (!line.on || (!is_map(kind) && kind != OP_GET))
		return;
	shared = may_share(exec, actor->index, page);
	line.page[actor->index] = (uint8_t)page;
	if (!shared && is_map(kind))
		line.ahead[actor->index] = queued(exec, page);
}

/*
 * From outside a sleeper looks the same when it has been served, and is about to
 * be woken. While nobody is in the middle of doing so, it has not been.
 */
static bool can_be_judged(const struct exec *exec, const struct actor *actor)
{
	return exec->hm || oracle_at_rest(exec, actor);
}

void overtake_return(struct exec *exec, const struct actor *actor, bool yes)
{
	unsigned int self = actor->index;
	unsigned int page = line.page[self];
	unsigned int passed = line.ahead[self];

	if (!line.on || page == NO_PAGE)
		return;
	line.page[self] = NO_PAGE;
	line.ahead[self] = 0;
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		line.ahead[a] &= (uint8_t)~(1U << self);
	line.ever |= (uint32_t)yes << page;
	if (passed == 0 || !yes || !can_be_judged(exec, actor))
		return;
	passed &= queued(exec, page);
	if (passed == 0)
		return;
	self = (unsigned int)__builtin_ctz(passed);
	exec_fail(exec,
		  "overtaken: %c came later and has a slot for %c%u, while %c "
		  "still queues for %c%u",
		  actor_letter(actor->index), PAGE_NAME(page),
		  actor_letter(self),
		  PAGE_NAME((unsigned int)exec->actors[self].waits_for));
}

uint64_t overtake_hash(void)
{
	uint64_t hash = 0;

	for (unsigned int a = 0; line.on && a < PROGRAM_MAX_ACTORS; a++)
		hash = hash << 8 | line.ahead[a];
	return (hash ^ (uint64_t)line.ever << 32) * 0x9e3779b97f4a7c15u;
}
