/* An http verification: a GET, a status, and keys of a JSON answer. Header values may hold secrets and are never printed. */
#include <stdio.h>
#include <string.h>

#include "gapship/http.h"
#include "gapship/limits.h"
#include "gapship/target.h"
#include "gapship/text.h"

typedef struct check_state {
    const gs_run *run;
    const gs_http_check *check;
    const gs_text_map *variables;
    gs_arena *arena;
    const char *url;
    gs_http_header *headers;
    gs_node *json; /* the expected keys, expanded; NULL: none */
} check_state;

static int expand(check_state *state, const char *text, const char **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf expanded;
    gs_buf_init(&expanded, GS_KIB(64));
    int code = gs_expand(text, state->variables, &expanded, err);
    if (code < 0) {
        return code;
    }
    *out = gs_arena_text(state->arena, gs_buf_text(&expanded));
    return *out ? 0 : gs_fail_nomem(err);
}

/* A copy of the expected tree with every text expanded. */
static int expand_tree(check_state *state, gs_node *node, gs_error *err)
{
    int code = 0;
    if (node->kind == GS_NODE_TEXT) {
        const char *text = NULL;
        code = expand(state, node->text, &text, err);
        if (code == 0) {
            node->text = text;
            node->text_len = strlen(text);
        }
    }
    for (size_t i = 0; code == 0 && node->kind == GS_NODE_LIST && i < node->count; i++) {
        code = expand_tree(state, node->items[i], err);
    }
    for (size_t i = 0; code == 0 && node->kind == GS_NODE_MAP && i < node->count; i++) {
        code = expand_tree(state, node->pairs[i].value, err);
    }
    return code;
}

static int prepare(check_state *state, gs_error *err)
{
    const gs_http_check *check = state->check;
    int code = expand(state, check->url, &state->url, err);
    state->headers = gs_arena_array(state->arena, check->headers.count + 1, sizeof *state->headers);
    if (code == 0 && !state->headers) {
        code = gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < check->headers.count; i++) {
        state->headers[i].name = check->headers.items[i].key;
        code = expand(state, check->headers.items[i].value, &state->headers[i].value, err);
    }
    if (code == 0 && check->json) {
        state->json = gs_node_copy(state->arena, check->json);
        code = state->json ? expand_tree(state, state->json, err) : gs_fail_nomem(err);
    }
    return code;
}

static int compare_json(const check_state *state, const gs_buf *body, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    if (gs_doc_parse(GS_JSON, "answer", body->data, body->len, &doc, err) < 0) {
        return gs_fail(err, GS_EVERIFY, "the answer is no JSON");
    }
    for (size_t i = 0; i < state->json->count; i++) {
        const gs_pair *pair = &state->json->pairs[i];
        const gs_node *there = gs_node_get(doc->root, pair->key);
        if (!there) {
            return gs_fail(err, GS_EVERIFY, "the answer has no \"%s\"", pair->key);
        }
        if (!gs_node_equal(there, pair->value)) {
            return gs_fail(err, GS_EVERIFY, "\"%s\" is %s, expected %s", pair->key, there->text ? there->text : "of another kind",
                           pair->value->text ? pair->value->text : "another kind");
        }
    }
    return 0;
}

static int ask_once(const check_state *state, gs_http *http, gs_error *err)
{
    const gs_http_check *check = state->check;
    gs_http_request request = {GS_HTTP_REQUEST};
    request.url = state->url;
    request.headers = state->headers;
    request.header_count = check->headers.count;
    request.connect_ms = check->timeout;
    request.deadline_ms = check->timeout;
    request.max_body = GS_MAX_HTTP_ERROR_BYTES;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    int code = gs_http_send(http, &request, &response, err);
    if (code < 0) {
        return code;
    }
    if (response.status != check->status) {
        return gs_fail(err, GS_EVERIFY, "the status is %d, expected %lld", response.status, (long long)check->status);
    }
    return state->json ? compare_json(state, &response.body, err) : 0;
}

int gs_http_check_run(const gs_run *run, const gs_http_check *check, const gs_text_map *variables, gs_error *err)
{
    static const gs_http_host host = {0};
    check_state state = {.run = run, .check = check, .variables = variables, .arena = gs_arena_new()};
    gs_http *http = NULL;
    int code = state.arena ? prepare(&state, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_http_new(run, &host, &http, err);
    }
    for (int64_t tries = 0; code == 0; tries++) {
        gs_error why = {0};
        int asked = ask_once(&state, http, &why);
        if (asked == 0) {
            break;
        }
        if (asked == GS_EINTERRUPTED || tries >= check->retries) {
            *err = why;
            code = asked == GS_EINTERRUPTED ? asked : gs_error_recode(err, GS_EVERIFY);
            gs_error_at(err, "GET %s", state.url);
            if (tries > 0) {
                gs_error_context(err, "after %lld tries", (long long)tries + 1);
            }
            break;
        }
        code = gs_sleep(run, check->every, err);
    }
    gs_http_free(http);
    gs_arena_free(state.arena);
    return code;
}
