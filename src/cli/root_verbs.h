/* What the verbs of trust roots share. Private to src/cli. */
#ifndef GAPSHIP_CLI_ROOT_VERBS_H
#define GAPSHIP_CLI_ROOT_VERBS_H

#include "command.h"
#include "gapship/trust.h"

/* Everything a person may want to know of a root, as lines and as the verb's result. file: where it is. */
int gs_root_describe(gs_invocation *invocation, const gs_trust *root, const char *file, gs_node **result,
                     gs_error *err) GS_MUST_USE;
/* "needs 2 of these root keys of root 1 …": prints what is lacking of a root as `by` sees it, and adds it to the list. */
int gs_root_missing(gs_invocation *invocation, const gs_trust *root, const gs_trust *by, gs_node **list, gs_error *err) GS_MUST_USE;

#endif
