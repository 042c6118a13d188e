/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of probes, from its list. Must not know: how a probe is attached. */
#include "attach/probes.h"

#include <string.h>

static const struct probe_spec probes[PROBE_COUNT] = {
#define X(symbol, number, program, function_, file_, is_return_, required_, use_, arguments_) \
	[PROBE_##symbol] = { .function = (function_),                                         \
			     .file = PROBE_IN_##file_,                                        \
			     .is_return = (is_return_),                                       \
			     .required = (required_),                                         \
			     .use = PROBE_FOR_##use_,                                         \
			     .arguments = (arguments_) },
	PROBES(X)
#undef X
};

const struct probe_spec *probe_spec(enum probe probe)
{
	return &probes[probe];
}

struct site_query probe_query(enum probe probe)
{
	const struct probe_spec *own = probe_spec(probe);
	struct site_query query = { 0 };

	for (enum probe other = 0; other < PROBE_COUNT; other++) {
		const struct probe_spec *spec = probe_spec(other);

		if (spec->use != own->use || strcmp(spec->function, own->function) != 0)
			continue;
		query.arguments |= spec->arguments;
		query.returns |= spec->is_return;
	}
	return query;
}
