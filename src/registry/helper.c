/* Asks a docker credential helper (https://github.com/docker/docker-credential-helpers): the server's name on stdin, JSON on
 * stdout. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "credentials.h"
#include "gapship/crypto.h"
#include "gapship/limits.h"
#include "gapship/proc.h"
#include "gapship/text.h"

#define DEADLINE_MS 30000

static int take_answer(const gs_buf *output, gs_credentials *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_error detail = {0}; /* not shown: it could quote the secret */
    int code = gs_doc_parse(GS_JSON, "answer", output->data, output->len, &doc, &detail);
    const char *user = code ? NULL : gs_node_text(doc->root, "Username");
    const char *secret = code ? NULL : gs_node_text(doc->root, "Secret");
    if (code == GS_ENOMEM) {
        return gs_fail_nomem(err);
    }
    if (!user || !secret) {
        return gs_fail(err, GS_EAUTH, "its answer is not JSON with Username and Secret");
    }
    bool token = strcmp(user, "<token>") == 0;
    gs_credentials found = {.user = token ? NULL : strdup(user)};
    *(token ? &found.identity_token : &found.password) = strdup(secret);
    if ((!token && !found.user) || (!found.password && !found.identity_token)) {
        gs_credentials_done(&found);
        return gs_fail_nomem(err);
    }
    *out = found;
    return 0;
}

static int judge(gs_proc_result *result, gs_credentials *out, gs_error *err)
{
    if (result->status == 0) {
        return take_answer(&result->output, out, err);
    }
    /* The helpers' protocol says this on stdout with status 1. */
    const char *said = gs_buf_text(result->output.len > 0 ? &result->output : &result->errors);
    if (strstr(said, "credentials not found")) {
        return 0;
    }
    char text[200];
    gs_text_printable(said, text, sizeof text);
    return gs_fail(err, GS_EAUTH, "it ended with status %d: %s", result->status, text);
}

int gs_credentials_ask_helper(const gs_run *run, const char *name, const char *server, gs_credentials *out, gs_error *err)
{
    if (!gs_name_valid(name)) {
        char text[64];
        gs_text_printable(name, text, sizeof text);
        return gs_fail(err, GS_ESPEC, "\"%s\" is not the name of a credential helper", text);
    }
    GS_AUTO_BUF gs_buf program;
    gs_buf_init(&program, GS_KIB(1));
    gs_buf_printf(&program, "docker-credential-%s", name);
    int code = gs_buf_check(&program, err);
    if (code) {
        return code;
    }
    const char *const argv[] = {gs_buf_text(&program), "get", NULL};
    /* The user's own program finds the user's session only through the user's environment. */
    const gs_proc proc = {.argv = argv,
                          .environment = (const char *const *)environ,
                          .cwd = -1,
                          .input = server,
                          .input_len = strlen(server),
                          .deadline = DEADLINE_MS,
                          .max_output = GS_MAX_TOKEN_BYTES};
    GS_AUTO_PROC gs_proc_result result = {0};
    code = gs_proc_run(run, &proc, &result, err);
    code = code ? code : judge(&result, out, err);
    if (code && code != GS_ENOMEM && code != GS_EINTERRUPTED) {
        gs_error_context(err, "the credential helper %s", gs_buf_text(&program));
        gs_error_hint(err, "try: echo %s | %s get", server, gs_buf_text(&program));
    }
    if (result.output.data) {
        gs_wipe(result.output.data, result.output.cap);
    }
    return code;
}
