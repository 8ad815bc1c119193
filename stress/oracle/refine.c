/* SPDX-License-Identifier: MIT */
#include "stress/oracle/refine.h"
#include "stress/oracle/overtake.h"

/*
 * The model: a page is mapped or not and has users; as many pages of a colour
 * are mapped as it has slots, at most. An operation under way has taken effect,
 * with one answer or the other, or not yet.
 *
 *	map	yes if its page is mapped, or a slot is left to map it
 *	try	no if neither is so
 *	get	yes if and only if its page is mapped
 *	address	the same, and no user more
 *	kunmap	one user less
 *	evict	a mapped page without users goes; not an operation, but what a
 *		flush, or a map on its search for a slot, does meanwhile, page
 *		by page
 *
 * What an observer knows of the order is calls and returns, so the state of the
 * model is a set: all states that some order gives which explains the answers
 * so far. An empty set is a bug.
 *
 * Where the core promises less than that, so does the model. A search looks at
 * one slot after the other, and others use and let go of pages meanwhile: a page
 * that is idle in the end may have had users when the search came by. So a try
 * may say no if each mapped page had users at some moment since its call. A
 * newcomer does not overtake tasks that wait, so try may say no while another
 * map is under way. A timeout or a signal may come at any moment while others
 * are under way.
 */

/* Of the set. A run that would need more is not judged further. */
#define MAX_STATES 512

/* An operation under way, in bits of a state. */
enum effect {
	NOT_YET,
	SAID_YES,
	SAID_NO,
};

/*
 * A state: pages mapped, by number in highmem; pages that a flush under way
 * must take away, because they were idle when it began; effects, two bits for
 * each actor.
 */
#define STUCK_SHIFT 16
#define EFFECT_SHIFT 32
#define PAGES UINT64_C(0xffff)

struct under_way {
	enum op_kind kind;
	unsigned int page; /* in highmem */
	uint64_t busy;	   /* of a try: pages that had users since its call */
};

static struct {
	bool on;
	bool flush_watched;
	unsigned int flusher; /* the actor of that flush */
	unsigned int nr_pages;
	unsigned int slots;		      /* of a colour */
	uint64_t colour[PROGRAM_MAX_HIGHMEM]; /* pages of this one's colour */
	uint8_t users[PROGRAM_MAX_HIGHMEM];   /* by operations that returned */
	struct under_way op[PROGRAM_MAX_ACTORS];
	uint64_t active; /* who has an operation under way: one bit each */
	uint64_t tries;	 /* and whose is one that does not wait */
	unsigned int nr;
	uint64_t set[MAX_STATES];
} model;

static bool is_map(enum op_kind kind)
{
	return kind == OP_KMAP || kind == OP_TRY || kind == OP_TIMEOUT ||
	       kind == OP_KILLABLE;
}

static bool is_lookup(enum op_kind kind)
{
	return is_map(kind) || kind == OP_GET;
}

static enum effect effect_of(uint64_t state, unsigned int actor)
{
	return (enum effect)(state >> (EFFECT_SHIFT + 2 * actor) & 3);
}

static uint64_t with_effect(uint64_t state, unsigned int actor,
			    enum effect effect)
{
	unsigned int shift = EFFECT_SHIFT + 2 * actor;

	return (state & ~(UINT64_C(3) << shift)) | (uint64_t)effect << shift;
}

static bool is_mapped(uint64_t state, unsigned int page)
{
	return state >> page & 1;
}

/*
 * Few operations are under way and few pages mapped, so each visit is of those:
 *	while (set) ... take(&set)
 * The lowest member leaves the set.
 */
static unsigned int take(uint64_t *set)
{
	unsigned int nr = (unsigned int)__builtin_ctzll(*set);

	*set &= *set - 1;
	return nr;
}

static bool is_active(unsigned int actor)
{
	return model.active >> actor & 1;
}

static unsigned int users_of(uint64_t state, unsigned int page)
{
	unsigned int users = model.users[page];

	for (uint64_t left = model.active; left != 0;) {
		unsigned int a = take(&left);
		const struct under_way *op = &model.op[a];

		if (op->page != page || effect_of(state, a) != SAID_YES)
			continue;
		users += is_lookup(op->kind);
		users -= op->kind == OP_KUNMAP;
	}
	return users;
}

/* Mapped pages without users, among @pages. */
static uint64_t idle_among(uint64_t state, uint64_t pages)
{
	uint64_t mapped = state & pages & PAGES;
	uint64_t idle = mapped;

	while (mapped != 0) {
		unsigned int p = take(&mapped);

		if (users_of(state, p) > 0)
			idle &= ~(UINT64_C(1) << p);
	}
	return idle;
}

/* Mapped pages with users, of which a try may have met each. */
static void note_busy(uint64_t state)
{
	uint64_t busy = (state & PAGES) & ~idle_among(state, PAGES);

	for (uint64_t left = model.tries; left != 0;)
		model.op[take(&left)].busy |= busy;
}

static unsigned int count(uint64_t pages)
{
	return (unsigned int)__builtin_popcountll(pages);
}

static bool no_slot_left(uint64_t state, unsigned int page)
{
	return count(state & model.colour[page]) >= model.slots;
}

/* ---- One step of the model ---------------------------------------------------- */

static void add(uint64_t state)
{
	for (unsigned int i = 0; i < model.nr; i++)
		if (model.set[i] == state)
			return;
	if (model.nr == MAX_STATES)
		model.on = false;
	else
		model.set[model.nr++] = state;
}

struct others {
	unsigned int waiters; /* that may be */
	unsigned int all;
};

static struct others others_of(unsigned int actor)
{
	struct others others = { 0 };
	unsigned int page = model.op[actor].page;

	for (uint64_t left = model.active & ~(UINT64_C(1) << actor);
	     left != 0;) {
		const struct under_way *op = &model.op[take(&left)];

		others.all++;
		others.waiters += is_map(op->kind) && op->kind != OP_TRY &&
				  model.colour[op->page] == model.colour[page];
	}
	return others;
}

static bool may_say_no(uint64_t state, unsigned int actor)
{
	const struct under_way *op = &model.op[actor];
	struct others others;

	if (op->kind == OP_GET || op->kind == OP_ADDRESS)
		return !is_mapped(state, op->page);
	if (op->kind == OP_KILLABLE)
		return true;
	if (op->kind != OP_TIMEOUT && op->kind != OP_TRY)
		return false;
	others = others_of(actor);
	if (op->kind == OP_TIMEOUT && others.all > 0)
		return true;
	if (is_mapped(state, op->page))
		return false;
	if (op->kind == OP_TRY && others.waiters > 0)
		return true;
	return no_slot_left(state, op->page) &&
	       (op->kind == OP_TRY
			? (state & model.colour[op->page] & ~op->busy) == 0
			: idle_among(state, model.colour[op->page]) == 0);
}

static void say_yes(uint64_t state, unsigned int actor)
{
	const struct under_way *op = &model.op[actor];
	uint64_t bit = UINT64_C(1) << op->page;

	if (op->kind == OP_ADDRESS && !(state & bit))
		return;
	if (is_lookup(op->kind) && !(state & bit)) {
		if (op->kind == OP_GET || no_slot_left(state, op->page))
			return;
		state |= bit;
	}
	if (is_lookup(op->kind))
		state &= ~(bit << STUCK_SHIFT);
	add(with_effect(state, actor, SAID_YES));
}

/* What those who are under way may take away, if it is idle. */
static uint64_t evictable(void)
{
	uint64_t pages = 0;

	for (uint64_t left = model.active; left != 0;) {
		const struct under_way *op = &model.op[take(&left)];

		if (op->kind == OP_FLUSH ||
		    (is_map(op->kind) &&
		     !subject_promises(SUBJECT_MISS_KEEPS_COLOURS)))
			pages |= PAGES;
		else if (is_map(op->kind))
			pages |= model.colour[op->page];
	}
	return pages;
}

static void evict(uint64_t state, uint64_t idle)
{
	while (idle != 0) {
		uint64_t bit = UINT64_C(1) << take(&idle);

		add(state & ~(bit | bit << STUCK_SHIFT));
	}
}

/* All states that those of the set can become before the next call. */
static void close_set(void)
{
	uint64_t pages = evictable();

	for (unsigned int i = 0; i < model.nr && model.on; i++) {
		uint64_t state = model.set[i];

		note_busy(state);
		evict(state, idle_among(state, pages));
		for (uint64_t left = model.active; left != 0;) {
			unsigned int a = take(&left);

			if (effect_of(state, a) != NOT_YET)
				continue;
			say_yes(state, a);
			if (may_say_no(state, a))
				add(with_effect(state, a, SAID_NO));
		}
	}
}

/* ---- Calls and returns ---------------------------------------------------------- */

void refine_begin(const struct exec *exec, bool on)
{
	const struct highmem_config *config = exec->config;

	overtake_begin(on && subject_promises(SUBJECT_FIFO));
	on = on &&
	     subject_promises(SUBJECT_ONE_ADDRESS | SUBJECT_WAITERS_SHARE);
	model.on = on;
	if (!on)
		return;
	model.flush_watched = false;
	model.nr_pages = config->nr_pages - MACHINE_LOWMEM_PAGES;
	model.slots = config->nr_slots / config->nr_colours;
	model.nr = 1;
	model.set[0] = 0;
	model.active = 0;
	model.tries = 0;
	for (unsigned int p = 0; p < model.nr_pages; p++) {
		model.users[p] = 0;
		model.colour[p] = 0;
		for (unsigned int q = 0; q < model.nr_pages; q++)
			if (exec_colour(exec, MACHINE_LOWMEM_PAGES + p) ==
			    exec_colour(exec, MACHINE_LOWMEM_PAGES + q))
				model.colour[p] |= UINT64_C(1) << q;
	}
}

void refine_end(void)
{
	overtake_begin(false);
	model.on = false;
}

/* A flush that no lookup disturbs has to take away what is idle now. */
static void watch_flush(const struct actor *actor, enum op_kind kind)
{
	bool disturbed = model.flush_watched || is_lookup(kind);

	for (uint64_t left = model.active; left != 0;)
		disturbed |= is_lookup(model.op[take(&left)].kind);
	if (kind == OP_FLUSH && !disturbed) {
		model.flush_watched = true;
		model.flusher = actor->index;
		for (unsigned int i = 0; i < model.nr; i++)
			model.set[i] |= idle_among(model.set[i], PAGES)
					<< STUCK_SHIFT;
	} else if (is_lookup(kind) && model.flush_watched) {
		model.flush_watched = false;
		for (unsigned int i = 0; i < model.nr; i++)
			model.set[i] &= ~(PAGES << STUCK_SHIFT);
	}
}

static void begin_try(unsigned int actor)
{
	model.tries |= UINT64_C(1) << actor;
	for (unsigned int i = 0; i < model.nr; i++)
		note_busy(model.set[i]);
}

void refine_call(const struct exec *exec, const struct actor *actor,
		 enum op_kind kind, unsigned int page)
{
	if (page >= MACHINE_LOWMEM_PAGES)
		overtake_call(exec, actor, kind, page);
	if (!model.on || (kind != OP_FLUSH && page < MACHINE_LOWMEM_PAGES))
		return;
	watch_flush(actor, kind);
	model.op[actor->index] = (struct under_way){
		.kind = kind,
		.page = kind == OP_FLUSH ? 0 : page - MACHINE_LOWMEM_PAGES,
	};
	model.active |= UINT64_C(1) << actor->index;
	if (kind == OP_TRY)
		begin_try(actor->index);
}

/* A flush always has an order; what it has left is seen when it is found. */
static void blame(struct exec *exec, const struct actor *actor, bool yes)
{
	const struct under_way *op = &model.op[actor->index];
	char who = actor_letter(actor->index);

	exec_fail(exec,
		  "no order of the operations explains that %c's %s p%u said %s",
		  who, op_name(op->kind), op->page, yes ? "yes" : "no");
}

/* Keep the states in which @actor's operation had this effect. */
static void filter(unsigned int actor, enum effect effect, bool flush)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < model.nr; i++) {
		uint64_t state = model.set[i];

		if (effect_of(state, actor) != effect ||
		    (flush && state >> STUCK_SHIFT & PAGES))
			continue;
		model.set[kept++] = with_effect(state, actor, NOT_YET);
	}
	model.nr = kept;
}

void refine_return(struct exec *exec, const struct actor *actor, bool yes)
{
	struct under_way *op = &model.op[actor->index];
	bool flush;

	overtake_return(exec, actor, yes);
	if (!model.on || !is_active(actor->index))
		return;
	close_set();
	flush = model.flush_watched && model.flusher == actor->index;
	filter(actor->index, yes ? SAID_YES : SAID_NO, flush);
	if (model.on && model.nr == 0) {
		blame(exec, actor, yes);
		model.on = false;
	}
	model.flush_watched &= !flush;
	model.active &= ~(UINT64_C(1) << actor->index);
	model.tries &= model.active;
	if (yes && op->kind == OP_KUNMAP)
		model.users[op->page]--;
	else if (yes && is_lookup(op->kind))
		model.users[op->page]++;
}

static uint64_t mix(uint64_t value)
{
	value = (value + 1) * 0x9e3779b97f4a7c15u;
	return value ^ value >> 29;
}

uint64_t refine_hash(void)
{
	uint64_t sum = overtake_hash();

	if (!model.on)
		return sum;
	for (unsigned int i = 0; i < model.nr; i++)
		sum += mix(model.set[i]);
	for (uint64_t left = model.tries; left != 0;) {
		unsigned int a = take(&left);

		sum += mix(model.op[a].busy << 8 | 0x80 | a);
	}
	return sum;
}
