/* SPDX-License-Identifier: MIT */
#include "core/lib/internal.h"

/*
 * Preemption is off so that the CPU's counter is bumped by that CPU; an
 * interrupt in the middle is the port's promise (port_stat_inc()).
 */
void hm_count(struct highmem *hm, enum highmem_stat which)
{
	HM_ASSERT(which < HM_NR_STATS);
	port_preempt_disable();
	port_stat_inc(&hm->stats[port_cpu_id()].stat[which]);
	port_preempt_enable();
}

uint32_t highmem_stat(const struct highmem *hm, enum highmem_stat which)
{
	uint32_t sum = 0;

	if (which >= HM_NR_STATS)
		return 0;
	for (unsigned int cpu = 0; cpu < HIGHMEM_MAX_CPUS; cpu++)
		sum += port_stat_read(&hm->stats[cpu].stat[which]);
	return sum;
}

const char *highmem_stat_name(enum highmem_stat which)
{
	static const char *const names[HM_NR_STATS] = {
		[HM_STAT_HIT] = "hit",
		[HM_STAT_MISS] = "miss",
		[HM_STAT_PROBE] = "probe",
		[HM_STAT_FLUSH] = "flush",
		[HM_STAT_RETIRED] = "retired",
		[HM_STAT_FULL_FLUSH] = "full_flush",
		[HM_STAT_WAIT] = "wait",
		[HM_STAT_HANDOVER] = "handover",
		[HM_STAT_SHARE] = "share",
		[HM_STAT_WAKEUP] = "wakeup",
		[HM_STAT_TIMEOUT] = "timeout",
		[HM_STAT_KILLED] = "killed",
		[HM_STAT_LOCAL] = "local",
		[HM_STAT_MISUSE] = "misuse",
	};

	return which < HM_NR_STATS ? names[which] : "?";
}
