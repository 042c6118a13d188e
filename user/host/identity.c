/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's names for itself. Contract: identity.h. */
#include "host/identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

void host_identity_read(struct host_identity *out)
{
	autofclose FILE *stream = fopen(BOOT_ID, "re");
	struct utsname names;

	*out = (struct host_identity){ 0 };
	if (uname(&names) == 0)
		snprintf(out->kernel, sizeof(out->kernel), "%s", names.release);
	if (stream && fgets(out->boot_id, sizeof(out->boot_id), stream))
		out->boot_id[strcspn(out->boot_id, "\n")] = '\0';
}
