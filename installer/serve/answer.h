/* The answer to a request, before any HTTP library sees it. Private to installer/serve. */
#ifndef GAPSHIP_SERVE_ANSWER_H
#define GAPSHIP_SERVE_ANSWER_H

#include "catalogue.h"
#include "gapship/buf.h"

#define GS_ANSWER_HEADERS 10
#define GS_ANSWER_VALUE   1024 /* a Link has a path, a tag and a host */

/* What is asked, with everything of the request that matters. Strings are borrowed. */
typedef struct gs_ask {
    const char *method;
    const char *path;
    const char *ns, *n, *last, *artifact_type; /* of the query; NULL when absent */
    const char *range, *if_none_match;         /* headers */
} gs_ask;

/* A body in memory, or a span of a bundle's file. */
typedef struct gs_answer {
    int status;
    gs_buf body;
    int fd; /* -1: body */
    uint64_t offset, length;
    struct {
        const char *name;
        char value[GS_ANSWER_VALUE];
    } headers[GS_ANSWER_HEADERS];
    size_t header_count;
} gs_answer;

/* Never fails: what goes wrong is an answer too. done the answer. */
void gs_answer_make(const gs_catalogue *catalogue, const gs_ask *ask, gs_answer *out);
/* The error body of the distribution specification. */
void gs_answer_error(gs_answer *out, int status, const char *code, const char *message);
/* Replaces one of the same name. name lives as long as the answer. */
void gs_answer_header(gs_answer *out, const char *name, const char *value);
void gs_answer_done(gs_answer *answer);

#endif
