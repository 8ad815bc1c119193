/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>

/*
 * The loader gave this program its core because of LD_PRELOAD. A program that
 * it starts, as sanitizers start a symbolizer, has no use for a core and would
 * not even load with it.
 */
__attribute__((constructor)) static void forget_preload(void)
{
	unsetenv("LD_PRELOAD");
}
