/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_STATS_H
#define HIGHMEM_STATS_H

/*
 * What the subsystem counts, per CPU, without locks and without a place in
 * any algorithm.
 */

#include <highmem/fixmap.h>

#include "core/port/port.h"

enum highmem_stat {
	HM_STAT_HIT,	    /* kmap found the page mapped */
	HM_STAT_MISS,	    /* kmap took a slot */
	HM_STAT_PROBE,	    /* words of the free map read in searches */
	HM_STAT_FLUSH,	    /* shootdowns sent */
	HM_STAT_RETIRED,    /* idle slots unmapped for reuse */
	HM_STAT_FULL_FLUSH, /* of the shootdowns: without a list */
	HM_STAT_WAIT,	    /* kmap queued for a slot */
	HM_STAT_HANDOVER,   /* kunmap gave its slot to a waiter */
	HM_STAT_SHARE,	    /* a waiter got its page mapped by another */
	HM_STAT_WAKEUP,	    /* tasks woken */
	HM_STAT_TIMEOUT,    /* kmap_timeout gave up */
	HM_STAT_KILLED,	    /* kmap_killable gave up */
	HM_STAT_LOCAL,	    /* windows filled */
	HM_STAT_MISUSE,	    /* sentences given to port_bug() */
	HM_NR_STATS
};

struct highmem_cpu_stats {
	port_stat_t stat[HM_NR_STATS];
};

struct highmem;

/*
 * The sum over all CPUs. Exact when nobody is in the subsystem; else each
 * number is one that was true a moment ago. Wraps at 2^32. Any context.
 */
uint32_t highmem_stat(const struct highmem *hm, enum highmem_stat which);

/* "hit", "miss", ... for reports; "?" for what is none. */
const char *highmem_stat_name(enum highmem_stat which);

#endif
