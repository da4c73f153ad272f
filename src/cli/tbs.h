/* What verbs say of bytes that are to be signed elsewhere. Private to src/cli. */
#ifndef GAPSHIP_CLI_TBS_H
#define GAPSHIP_CLI_TBS_H

#include "command.h"
#include "gapship/build.h"

/* Prints where --emit-tbs wrote them and what comes next; the same as a node, NULL when out of memory. */
gs_node *gs_tbs_node(gs_invocation *invocation, const char *bundle, const gs_tbs *tbs);

#endif
