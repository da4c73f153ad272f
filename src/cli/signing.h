/* What the verbs that sign say. Private to src/cli. */
#ifndef GAPSHIP_CLI_SIGNING_H
#define GAPSHIP_CLI_SIGNING_H

#include "command.h"
#include "gapship/signature.h"

/* Prints who signed; the same as a result, NULL when out of memory. */
gs_node *gs_signer_node(gs_invocation *invocation, const gs_digest *key_id);
/* Prints what --emit-tbs wrote of a file, and how the verb brings in what is made of it; the same as a node, NULL when out of memory. */
gs_node *gs_tbs_node(gs_invocation *invocation, const char *verb, const char *file, const gs_tbs *tbs);

#endif
