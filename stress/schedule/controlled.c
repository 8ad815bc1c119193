/* SPDX-License-Identifier: MIT */
#include "stress/schedule/controlled.h"

#include <string.h>

struct run {
	const struct program *program;
	const struct controlled_options *options;
	struct controlled_result *result;
	unsigned int next; /* choice of the program to be played */
};

/* Not reentrant: one at most. */
static const struct run *under_way;

static enum choice_kind kind_of_hotplug(uint8_t option)
{
	return option & SIM_ONLINE ? CHOICE_ONLINE : CHOICE_OFFLINE;
}

static enum choice_kind kind_of_wake(uint8_t option)
{
	if (option & SIM_TIMEOUT)
		return CHOICE_TIMEOUT;
	return option & SIM_SPURIOUS ? CHOICE_SPURIOUS : CHOICE_RUN;
}

/* What @option of @question is called; it is not the default. */
static struct choice choice_of(uint32_t step, enum sim_question question,
			       uint8_t option)
{
	static const uint8_t kinds[SIM_NR_QUESTIONS] = {
		[SIM_IRQ] = CHOICE_IRQ,		[SIM_CANCEL] = CHOICE_CANCEL,
		[SIM_HOLD] = CHOICE_HOLD,	[SIM_DRAIN] = CHOICE_DRAIN,
		[SIM_DELAY] = CHOICE_DELAY,	[SIM_ACK] = CHOICE_ACK,
		[SIM_MIGRATE] = CHOICE_MIGRATE, [SIM_DROP] = CHOICE_DROP,
	};
	struct choice choice = { .step = step, .kind = kinds[question] };

	if (question == SIM_ALLOC) {
		choice.kind = option & SIM_ALLOC_ON ? CHOICE_ALLOC_ON
						    : CHOICE_ALLOC;
		option &= (uint8_t)~SIM_ALLOC_ON;
	}
	if (question == SIM_WHO || question == SIM_NEXT) {
		choice.kind = (uint8_t)kind_of_wake(option);
		option &= (uint8_t)~(SIM_TIMEOUT | SIM_SPURIOUS);
	}
	if (question == SIM_HOTPLUG) {
		choice.kind = (uint8_t)kind_of_hotplug(option);
		option &= (uint8_t)~SIM_ONLINE;
	}
	choice.arg = (uint8_t)(option - 1);
	return choice;
}

static bool choice_matches(const struct choice *choice,
			   enum sim_question question, uint8_t option)
{
	struct choice other = choice_of(choice->step, question, option);

	return other.kind == choice->kind && other.arg == choice->arg;
}

/* Plays the program's choices: those whose step has passed are unmatched. */
static unsigned int play(struct run *run, uint32_t step,
			 enum sim_question question, const uint8_t *options,
			 unsigned int nr)
{
	const struct program *program = run->program;

	while (run->next < program->nr_choices &&
	       program->choices[run->next].step < step) {
		run->next++;
		run->result->nr_unmatched++;
	}
	for (unsigned int c = run->next;
	     c < program->nr_choices && program->choices[c].step == step; c++) {
		for (unsigned int i = 1; i < nr; i++) {
			if (!choice_matches(&program->choices[c], question,
					    options[i]))
				continue;
			run->result->nr_unmatched += c - run->next;
			run->next = c + 1;
			return i;
		}
	}
	return 0;
}

static void mix(uint64_t *hash, uint64_t value)
{
	*hash = (*hash ^ value) * 0x100000001b3u; /* FNV-1a, word by word */
}

static unsigned int choose(void *arg, enum sim_question question,
			   const uint8_t *options, unsigned int nr)
{
	struct run *run = arg;
	struct controlled_result *result = run->result;
	uint32_t step = sim_steps();
	unsigned int answer;

	/* What does not fit into the record could not be played again. */
	if (result->nr_choices == PROGRAM_MAX_CHOICES)
		return 0;
	if (run->options->choose)
		answer = run->options->choose(run->options->arg, step, question,
					      options, nr);
	else
		answer = play(run, step, question, options, nr);
	if (answer == 0 || answer >= nr)
		return answer;
	result->choices[result->nr_choices++] = choice_of(step, question,
							  options[answer]);
	if (question == SIM_ALLOC) /* no access will tell of it */
		mix(&result->trace_hash, options[answer]);
	return answer;
}

/*
 * Addresses of the core's words are the same in every run of one build, but
 * not in the next one, so only what was done and the values go in.
 */
static void event(void *arg, const struct sim_event *e)
{
	struct run *run = arg;
	uint64_t *hash = &run->result->trace_hash;

	mix(hash, (uint64_t)e->step << 16 | e->task << 8 |
			  (uint64_t)e->access << 1 | (e->irq_depth > 0));
	mix(hash, e->before);
	mix(hash, e->after);
	if (run->options->event)
		run->options->event(run->options->arg, e);
}

static void interrupt(void *arg, unsigned int irq)
{
	(void)arg;
	exec_interrupt(irq);
}

static uint32_t calm(void *arg)
{
	(void)arg;
	return exec_calm_steps();
}

static const char *const fault_names[CONTROLLED_NR_FAULTS] = {
	"irq",	   "tso", "spurious", "timeout", "cancel",
	"migrate", "ipi", "tlb",      "oom",	 "hotplug",
};

const char *controlled_fault_name(unsigned int nr)
{
	return fault_names[nr];
}

/* The class that the first @len bytes of @text name; 0: none. */
static uint32_t fault_named(const char *text, size_t len)
{
	for (unsigned int i = 0; i < CONTROLLED_NR_FAULTS; i++)
		if (strlen(fault_names[i]) == len &&
		    memcmp(fault_names[i], text, len) == 0)
			return 1U << i;
	return 0;
}

bool controlled_faults_parse(const char *text, uint32_t *faults)
{
	*faults = strcmp(text, "all") == 0 ? CONTROLLED_ALL_FAULTS : 0;
	if (*faults != 0 || strcmp(text, "none") == 0)
		return true;
	for (;;) {
		size_t len = strcspn(text, ",");
		uint32_t fault = fault_named(text, len);

		*faults |= fault;
		if (fault == 0 || text[len] == '\0')
			return fault != 0;
		text += len + 1;
	}
}

uint32_t controlled_faults_of(const struct program *program)
{
	static const uint32_t fault_of[CHOICE_NR_KINDS] = {
		[CHOICE_IRQ] = FAULT_IRQ,
		[CHOICE_HOLD] = FAULT_TSO,
		[CHOICE_SPURIOUS] = FAULT_SPURIOUS,
		[CHOICE_TIMEOUT] = FAULT_TIMEOUT,
		[CHOICE_CANCEL] = FAULT_CANCEL,
		[CHOICE_MIGRATE] = FAULT_MIGRATE,
		[CHOICE_DELAY] = FAULT_IPI,
		[CHOICE_DROP] = FAULT_TLB,
		[CHOICE_ALLOC] = FAULT_OOM,
		[CHOICE_ALLOC_ON] = FAULT_OOM,
		[CHOICE_OFFLINE] = FAULT_HOTPLUG,
		[CHOICE_ONLINE] = FAULT_HOTPLUG,
	};
	uint32_t faults = 0;

	for (unsigned int i = 0; i < program->nr_choices; i++)
		faults |= fault_of[program->choices[i].kind];
	return faults;
}

/* A signal is for those who have something to give up. */
static uint32_t killable_tasks(const struct program *program)
{
	uint32_t ids = 0;

	for (unsigned int i = 0; i < program->nr_ops; i++)
		if (program->ops[i].kind == OP_KILLABLE)
			ids |= 2U << program->ops[i].actor;
	return ids;
}

void controlled_record(struct program *program,
		       const struct controlled_result *result)
{
	program->nr_choices = result->nr_choices;
	for (unsigned int i = 0; i < result->nr_choices; i++)
		program->choices[i] = result->choices[i];
	program->calm_after = result->calm_since ? result->calm_since - 1 : 0;
}

bool controlled_under_way(struct program *program)
{
	if (!under_way)
		return false;
	under_way->result->calm_since = sim_calm_since();
	*program = *under_way->program;
	controlled_record(program, under_way->result);
	return true;
}

static uint32_t safety_steps(const struct program *program,
			     const struct controlled_options *options)
{
	if (options->max_steps != 0)
		return options->max_steps;
	return program->calm_after ? program->calm_after : CONTROLLED_MAX_STEPS;
}

void controlled_run(const struct program *program,
		    const struct controlled_options *options,
		    struct controlled_result *result)
{
	struct run run = { program, options, result, 0 };
	struct sim_control control = {
		.arg = &run,
		.choose = choose,
		.event = event,
		.interrupt = interrupt,
		.store_buffers = options->faults & FAULT_TSO,
		.migrate = options->faults & FAULT_MIGRATE,
		.drops = options->faults & FAULT_TLB,
		.allocs = options->faults & FAULT_OOM,
		.delays = options->faults & FAULT_IPI,
		.hotplug = options->faults & FAULT_HOTPLUG,
		.spurious = options->faults & FAULT_SPURIOUS,
		.timeouts = options->faults & FAULT_TIMEOUT,
		.max_steps = safety_steps(program, options),
		.calm = calm,
	};
	struct exec_options exec_options = {
		.freeze = sim_freeze,
		.look = options->look,
		.refused = sim_boot_refused,
		.gave_up_on = sim_gave_up_on,
		/*
		 * A store that waits makes an operation take effect after its
		 * return, for others: the order of calls and returns says
		 * nothing then.
		 */
		.refine = !(options->faults & FAULT_TSO),
		.trace = options->trace,
		.trace_arg = options->arg,
	};

	if (options->faults & FAULT_IRQ)
		for (unsigned int i = 0; i < program->nr_irqs; i++)
			control.irqs[program->irq_cpu[i]] |= 1U << i;
	if (options->faults & FAULT_CANCEL)
		control.killable = killable_tasks(program);
	result->nr_choices = 0;
	result->nr_unmatched = 0;
	result->trace_hash = 0xcbf29ce484222325u;
	sim_set_control(&control);
	under_way = &run;
	exec_program(program, &exec_options, &result->exec);
	under_way = NULL;
	sim_set_control(NULL);
	result->steps = sim_steps();
	result->calm_since = sim_calm_since();
	result->nr_unmatched += options->choose
					? 0
					: program->nr_choices - run.next;
}
