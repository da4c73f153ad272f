/* Passphrases and PINs: from a file, or asked for on the terminal. Private to src/cli. */
#ifndef GAPSHIP_CLI_PASSPHRASE_H
#define GAPSHIP_CLI_PASSPHRASE_H

#include "command.h"
#include "gapship/crypto.h"

/* What --passphrase-file of this verb says, else the terminal; where there is none, asking is an error that says so. */
gs_passphrase gs_passphrase_source(gs_invocation *invocation);
/* A passphrase to be: from --passphrase-file, or asked for twice. out was made by gs_secret_init. */
int gs_passphrase_choose(gs_invocation *invocation, const char *what, gs_buf *out, gs_error *err) GS_MUST_USE;

#endif
