/* What the two files about credentials share, and the questions that src/registry asks of them. */
#ifndef GS_REGISTRY_CREDENTIALS_H
#define GS_REGISTRY_CREDENTIALS_H

#include "gapship/doc.h"
#include "gapship/registry.h"

bool gs_credentials_empty(const gs_credentials *credentials);
/* "user:password", split at the first ':'. out is done'd by the caller, on failure too. */
int gs_credentials_split(const char *line, gs_credentials *out, gs_error *err);
/* Runs docker-credential-NAME get. No credentials for this server is no error: out stays empty. */
int gs_credentials_ask_helper(const gs_run *run, const char *name, const char *server, gs_credentials *out, gs_error *err);

#endif
