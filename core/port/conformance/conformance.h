/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORT_CONFORMANCE_CONFORMANCE_H
#define CORE_PORT_CONFORMANCE_CONFORMANCE_H

/*
 * One suite for every port: what a kernel may rely on, case by case. Each
 * case boots its own machine through machine.h and shuts it down. Drivers
 * (a plain main on sim and host, KTAP in the kernel) only print.
 */

struct conformance_case {
	const char *name;
	/*
	 * Runs the case. NULL: passed. A text that begins with "skip: " names
	 * what this port lacks; any other text is the failure, one sentence.
	 * Valid until the next case runs.
	 */
	const char *(*run)(void);
};

extern const struct conformance_case conformance_cases[];
extern const unsigned int conformance_nr_cases;

#endif
