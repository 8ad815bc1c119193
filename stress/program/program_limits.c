/* SPDX-License-Identifier: MIT */
#include "stress/program/program.h"
#include "stress/subjects/subject.h"

#include <highmem/format.h>

/* What the machine and the subject that we are linked with can run. */

static const struct subject_ops *const ops = &the_subject.ops;

static bool has_local(void)
{
	return ops->local || ops->atomic;
}

static bool has(enum op_kind kind)
{
	switch (kind) {
	case OP_KMAP:
		return ops->kmap;
	case OP_TRY:
		return ops->kmap_try;
	case OP_TIMEOUT:
		return ops->kmap_timeout;
	case OP_KILLABLE:
	case OP_CANCEL:
		return ops->kmap_killable;
	case OP_GET:
		return ops->get;
	case OP_KUNMAP:
	case OP_RELEASE:
	case OP_STALE:
		return ops->kunmap;
	case OP_FLUSH:
		return ops->flush_unused;
	case OP_LOCAL:
		return ops->local;
	case OP_ATOMIC:
		return ops->atomic;
	case OP_UNLOCAL:
		return has_local();
	case OP_MISORDER:
		return has_local() && the_subject.reports[SUBJECT_MISORDER];
	case OP_STRAY:
		return ops->unlocal && the_subject.reports[SUBJECT_STRAY];
	case OP_ADDRESS:
		return ops->page_address;
	default:
		return true;
	}
}

uint32_t program_kinds(void)
{
	uint32_t kinds = 0;

	for (unsigned int k = 0; k < OP_NR_KINDS; k++)
		kinds |= (uint32_t)has((enum op_kind)k) << k;
	return kinds;
}

/* ---- Machines ------------------------------------------------------------------- */

static bool can(enum subject_machine machine)
{
	return the_subject.limits.machines & machine;
}

static bool exceeds(unsigned int nr, unsigned int limit)
{
	return limit != 0 && nr > limit;
}

static const char *too_many(const char *what, unsigned int nr,
			    unsigned int limit)
{
	static char why[120];

	hm_format(why, sizeof(why),
		  "subject %s has at most %u %s, and the machine %u",
		  the_subject.name, limit, what, nr);
	return why;
}

static const char *cannot(const char *what)
{
	static char why[120];

	hm_format(why, sizeof(why), "subject %s does not run on a machine %s",
		  the_subject.name, what);
	return why;
}

const char *program_machine_can(const struct machine_config *m)
{
	const struct subject_limits *limits = &the_subject.limits;
	const char *why = machine_can(m);

	if (why)
		return why;
	if (exceeds(m->nr_cpus, limits->cpus))
		return too_many("CPUs", m->nr_cpus, limits->cpus);
	if (exceeds(m->nr_slots, limits->slots))
		return too_many("slots", m->nr_slots, limits->slots);
	if (exceeds(m->nr_colours, limits->colours))
		return too_many("colours", m->nr_colours, limits->colours);
	if (exceeds(m->local_depth, limits->local_depth))
		return too_many("local maps", m->local_depth,
				limits->local_depth);
	if (!can(m->pae ? SUBJECT_PAE : SUBJECT_NO_PAE))
		return cannot(m->pae ? "with PAE" : "without PAE");
	if (m->holes && !can(SUBJECT_HOLES))
		return cannot("whose RAM has holes");
	if (m->sparse_cpus && !can(SUBJECT_SPARSE_CPUS))
		return cannot("with holes between the CPUs");
	if (m->force_map && !can(SUBJECT_FORCE_MAP))
		return cannot("with force=yes");
	return NULL;
}

static void lower(unsigned int *nr, unsigned int limit)
{
	if (exceeds(*nr, limit))
		*nr = limit;
}

void program_fit_machine(struct machine_config *m)
{
	const struct subject_limits *limits = &the_subject.limits;

	lower(&m->nr_cpus, limits->cpus);
	lower(&m->nr_colours, limits->colours);
	lower(&m->nr_slots, limits->slots);
	lower(&m->local_depth, limits->local_depth);
	m->nr_slots -= m->nr_slots % m->nr_colours;
	m->pae = can(SUBJECT_PAE) && (m->pae || !can(SUBJECT_NO_PAE));
	m->holes = m->holes && can(SUBJECT_HOLES);
	m->sparse_cpus = m->sparse_cpus && can(SUBJECT_SPARSE_CPUS);
	m->force_map = m->force_map && can(SUBJECT_FORCE_MAP);
}

/* ---- Programs -------------------------------------------------------------------- */

const char *program_can(const struct program *program)
{
	static char why[120];
	const char *machine = program_machine_can(&program->machine);
	uint32_t kinds = program_kinds();

	if (machine)
		return machine;
	for (unsigned int i = 0; i < program->nr_ops; i++) {
		if (kinds >> program->ops[i].kind & 1)
			continue;
		hm_format(why, sizeof(why),
			  "subject %s has nothing for the operation %s, which "
			  "the program needs",
			  the_subject.name,
			  op_name((enum op_kind)program->ops[i].kind));
		return why;
	}
	return NULL;
}

static void fit_cpus(struct program *program)
{
	unsigned int nr = program->machine.nr_cpus;

	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		program->task_cpu[t] = (uint8_t)(program->task_cpu[t] % nr);
	for (unsigned int i = 0; i < PROGRAM_MAX_IRQS; i++)
		program->irq_cpu[i] = (uint8_t)(program->irq_cpu[i] % nr);
}

void program_fit(struct program *program)
{
	uint32_t kinds = program_kinds();
	unsigned int nr = 0;

	program_fit_machine(&program->machine);
	fit_cpus(program);
	for (unsigned int i = 0; i < program->nr_ops; i++)
		if (kinds >> program->ops[i].kind & 1)
			program->ops[nr++] = program->ops[i];
	program->nr_ops = nr;
	nr = 0;
	for (unsigned int i = 0; i < program->nr_choices; i++)
		if (choice_fits(program, &program->choices[i]))
			program->choices[nr++] = program->choices[i];
	program->nr_choices = nr;
}
