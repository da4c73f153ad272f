/* One function a verb. Private to src/cli. */
#ifndef GAPSHIP_CLI_VERBS_H
#define GAPSHIP_CLI_VERBS_H

#include "command.h"

int gs_verb_init(gs_invocation *invocation, gs_error *err);
int gs_verb_images(gs_invocation *invocation, gs_error *err);
int gs_verb_lock(gs_invocation *invocation, gs_error *err);
int gs_verb_build(gs_invocation *invocation, gs_error *err);
int gs_verb_sign(gs_invocation *invocation, gs_error *err);
int gs_verb_attach_signature(gs_invocation *invocation, gs_error *err);

int gs_verb_key_new(gs_invocation *invocation, gs_error *err);
int gs_verb_key_show(gs_invocation *invocation, gs_error *err);
int gs_verb_root_init(gs_invocation *invocation, gs_error *err);
int gs_verb_root_show(gs_invocation *invocation, gs_error *err);
int gs_verb_root_next(gs_invocation *invocation, gs_error *err);
int gs_verb_root_sign(gs_invocation *invocation, gs_error *err);
int gs_verb_root_bundle(gs_invocation *invocation, gs_error *err);
int gs_verb_verify(gs_invocation *invocation, gs_error *err);
int gs_verb_inspect(gs_invocation *invocation, gs_error *err);
int gs_verb_extract(gs_invocation *invocation, gs_error *err);

int gs_verb_permit(gs_invocation *invocation, gs_error *err);
int gs_verb_permit_sign(gs_invocation *invocation, gs_error *err);

int gs_verb_site_init(gs_invocation *invocation, gs_error *err);
int gs_verb_import(gs_invocation *invocation, gs_error *err);
int gs_verb_plan(gs_invocation *invocation, gs_error *err);
int gs_verb_install(gs_invocation *invocation, gs_error *err);
int gs_verb_load(gs_invocation *invocation, gs_error *err);
int gs_verb_status(gs_invocation *invocation, gs_error *err);
int gs_verb_history(gs_invocation *invocation, gs_error *err);
int gs_verb_rollback(gs_invocation *invocation, gs_error *err);
int gs_verb_serve(gs_invocation *invocation, gs_error *err);

#endif
