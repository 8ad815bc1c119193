/* SPDX-License-Identifier: MIT */
#include "stress/subjects/subject.h"

#include <highmem/format.h>

/* ---- Does it contradict itself? --------------------------------------------------- */

struct rule {
	bool broken;
	const char *why;
};

static bool promises(const struct subject *s, uint32_t promise)
{
	return (s->promises & promise) != 0;
}

static bool maps(const struct subject_ops *ops)
{
	return ops->kmap || ops->kmap_try || ops->kmap_timeout ||
	       ops->kmap_killable || ops->get;
}

static bool waits(const struct subject_ops *ops)
{
	return ops->kmap || ops->kmap_timeout || ops->kmap_killable;
}

const char *subject_wrong(const struct subject *s)
{
	const struct subject_ops *ops = &s->ops;
	bool local = ops->local || ops->atomic;
	const struct rule rules[] = {
		{ !s->name || !s->what, "it has no name, or no line about it" },
		{ !s->guest || !s->guest->boot, "it has no guest->boot" },
		{ !maps(ops) && !local, "it has no operation that maps" },
		{ maps(ops) && !ops->kunmap,
		  "it maps pages, but has no kunmap" },
		{ ops->kunmap && !maps(ops),
		  "it has kunmap, but maps no pages" },
		{ ops->local && !ops->unlocal, "it has local, but no unlocal" },
		{ ops->atomic && !ops->unatomic,
		  "it has atomic, but no unatomic" },
		{ local && s->guest && !s->guest->sched_out,
		  "it has local maps, but no guest->sched_out" },
		{ !(s->limits.machines & (SUBJECT_PAE | SUBJECT_NO_PAE)),
		  "it runs neither with PAE nor without" },
		{ s->limits.slots == 1, "it has at most one slot, but a "
					"machine has two or more" },
		{ promises(s, SUBJECT_WAITERS_SHARE) &&
			  !promises(s, SUBJECT_ONE_ADDRESS),
		  "it promises WAITERS_SHARE without ONE_ADDRESS, but who "
		  "shares a map has its address" },
		{ promises(s, SUBJECT_FIFO | SUBJECT_WAITERS_SHARE) &&
			  !waits(ops),
		  "it promises FIFO or WAITERS_SHARE, but nothing of it waits" },
		{ promises(s, SUBJECT_KUNMAP_ANYWHERE) && !ops->kunmap,
		  "it promises KUNMAP_ANYWHERE, but has no kunmap" },
		{ promises(s, SUBJECT_LOCALS_NEST) && !local,
		  "it promises LOCALS_NEST, but has no local maps" },
		{ s->look && !(ops->page_address && ops->kmap_to_page),
		  "it has look, which needs page_address and kmap_to_page" },
		{ s->windows && !s->look, "it has windows, but no look" },
	};

	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].broken)
			return rules[i].why;
	return NULL;
}

/* ---- What it has, and what is not demanded ------------------------------------------ */

#define OP(member) { offsetof(struct subject_ops, member), #member }

static const struct {
	size_t at;
	const char *name;
} op_names[] = {
	OP(kmap),	  OP(kmap_try), OP(kmap_timeout), OP(kmap_killable),
	OP(get),	  OP(kunmap),	OP(flush_unused), OP(local),
	OP(unlocal),	  OP(atomic),	OP(unatomic),	  OP(page_address),
	OP(kmap_to_page),
};

#define NR_OPS (sizeof(op_names) / sizeof(op_names[0]))

_Static_assert(sizeof(struct subject_ops) == NR_OPS * sizeof(void (*)(void)),
	       "every operation has its name");

static bool has_op(const struct subject *s, unsigned int nr)
{
	void (*op)(void);

	__builtin_memcpy(&op, (const char *)&s->ops + op_names[nr].at,
			 sizeof(op));
	return op;
}

static const struct {
	uint32_t promise;
	const char *name;
	const char *check; /* what is not looked at without it */
} promise_names[] = {
	{ SUBJECT_KUNMAP_ANYWHERE, "KUNMAP_ANYWHERE",
	  "kunmap in interrupts and in atomic context" },
	{ SUBJECT_ONE_ADDRESS, "ONE_ADDRESS",
	  "one address for all maps of a page" },
	{ SUBJECT_WAITERS_SHARE, "WAITERS_SHARE",
	  "nobody sleeps while its page is mapped; the answers of the "
	  "sequential model" },
	{ SUBJECT_FIFO, "FIFO", "nobody is overtaken" },
	{ SUBJECT_NO_STALE_TLB, "NO_STALE_TLB",
	  "TLBs and page table agree at rest" },
	{ SUBJECT_LOCALS_NEST, "LOCALS_NEST",
	  "the n-th local map is in window n" },
	{ SUBJECT_MISS_KEEPS_COLOURS, "MISS_KEEPS_COLOURS",
	  "a map for one colour keeps the idle pages of the others" },
};

#define NR_PROMISES (sizeof(promise_names) / sizeof(promise_names[0]))

static const char *const misuse_names[SUBJECT_NR_MISUSES] = {
	[SUBJECT_SURPLUS_KUNMAP] = "one kunmap too many is reported",
	[SUBJECT_SLEEPS] = "kmap in atomic context is reported",
	[SUBJECT_FLUSH_SLEEPS] = "flush_unused in atomic context is reported",
	[SUBJECT_WINDOWS_FULL] = "one local map too many is reported",
	[SUBJECT_MISORDER] = "local maps undone in the wrong order are reported",
	[SUBJECT_STRAY] = "unlocal of a stray address is reported",
	[SUBJECT_STRAY_ATOMIC] = "unatomic of a stray address is reported",
};

const char *subject_op(const struct subject *s, bool had, unsigned int nr)
{
	for (unsigned int i = 0; i < NR_OPS; i++)
		if (has_op(s, i) == had && nr-- == 0)
			return op_names[i].name;
	return NULL;
}

const char *subject_promise(const struct subject *s, unsigned int nr)
{
	for (unsigned int i = 0; i < NR_PROMISES; i++)
		if (promises(s, promise_names[i].promise) && nr-- == 0)
			return promise_names[i].name;
	for (unsigned int i = 0; i < SUBJECT_NR_MISUSES; i++)
		if (s->reports[i] && nr-- == 0)
			return misuse_names[i];
	return NULL;
}

const char *subject_not_demanded(const struct subject *s, bool from_outside,
				 unsigned int nr)
{
	bool local = s->ops.local || s->ops.atomic;

	if ((from_outside || !s->look) && nr-- == 0)
		return "what its inside says: counts, free slots, queues";
	for (unsigned int i = 0; i < NR_PROMISES; i++) {
		if (promises(s, promise_names[i].promise) ||
		    (!local && promise_names[i].promise == SUBJECT_LOCALS_NEST))
			continue;
		if (nr-- == 0)
			return promise_names[i].check;
	}
	for (unsigned int i = 0; i < SUBJECT_NR_MISUSES; i++)
		if (!s->reports[i] && nr-- == 0)
			return misuse_names[i];
	return NULL;
}

/* ---- On a command line ------------------------------------------------------------------ */

static bool is_ours(void)
{
	const char *name = the_subject.name;
	const char *ours = "ours";

	while (*ours && *name == *ours) {
		name++;
		ours++;
	}
	return *name == *ours;
}

const char *subject_flags(bool from_outside)
{
	static char flags[80];

	hm_format(flags, sizeof(flags), "%s%s%s%s",
		  is_ours() ? "" : "--subject=",
		  is_ours() ? "" : the_subject.name, is_ours() ? "" : " ",
		  from_outside && the_subject.look ? "--black-box " : "");
	return flags;
}
