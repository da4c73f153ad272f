/* Requests to the embedded registry, a line for each part of one: whatever is asked, the answer stays inside what is served, is
 * well-formed, and no line break of the request gets into its headers. */
#include <stdlib.h>
#include <string.h>

#include "gapship/doc.h"
#include "serve/answer.h"
#include "serve/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { METHOD, PATH, NS, N, LAST, ARTIFACT_TYPE, RANGE, IF_NONE_MATCH, PARTS };

#define FILE_BYTES 10000u
#define FILE_FD    99 /* never used, only passed on */

static gs_served_tag tags[] = {{.name = "1", .digest = {{1}}}, {.name = "2", .digest = {{3}}}};
static gs_repository own[] = {{.name = "app", .tags = tags, .tag_count = 2}, {.name = "blobs/uploads"}};
static gs_repository sources[] = {{.name = "docker.io/library/app", .tags = tags, .tag_count = 1},
                                  {.name = "ghcr.io/org/app", .tags = tags, .tag_count = 2}};
static gs_served_blob blobs[] = {
    {.digest = {{1}}, .fd = FILE_FD, .offset = 512, .size = 700, .media_type = GS_MEDIA_MANIFEST},
    {.digest = {{2}}, .fd = FILE_FD, .offset = 1536, .size = 2048},
    {.digest = {{3}},
     .fd = FILE_FD,
     .offset = 4096,
     .size = 300,
     .media_type = GS_MEDIA_MANIFEST,
     .has_subject = true,
     .subject = {{1}},
     .descriptor = {.media_type = GS_MEDIA_MANIFEST, .digest = {{3}}, .size = 300, .artifact_type = "a/b"}},
    {.digest = {{4}}, .fd = FILE_FD, .offset = 4608},
};
static const gs_catalogue catalogue = {
    .own = {.items = own, .count = 2}, .sources = {.items = sources, .count = 2}, .blobs = blobs, .blob_count = 4};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_body(const gs_answer *answer)
{
    gs_doc *doc = NULL;
    gs_error err = {0};
    check(gs_doc_parse(GS_JSON, "answer", answer->body.data, answer->body.len, &doc, &err) == 0);
    gs_doc_free(doc);
}

static void check_answer(const gs_ask *ask, gs_answer *answer)
{
    bool has_range = false;
    const bool reads = strcmp(ask->method, "GET") == 0 || strcmp(ask->method, "HEAD") == 0;
    for (size_t i = 0; i < answer->header_count; i++) {
        check(strpbrk(answer->headers[i].value, "\r\n") == NULL);
        has_range |= strcmp(answer->headers[i].name, "Content-Range") == 0;
    }
    check(reads ? answer->status != 405 && answer->status != 500 : answer->status == 405);
    check(has_range == (answer->status == 206 || answer->status == 416));
    if (answer->status == 200 || answer->status == 206) {
        check(answer->fd == FILE_FD || answer->fd == -1);
    } else {
        check(answer->fd == -1);
    }
    if (answer->fd == FILE_FD) {
        check(answer->offset <= FILE_BYTES && answer->length <= FILE_BYTES - answer->offset);
        check(answer->body.len == 0);
    } else if (answer->status != 304) {
        check_body(answer);
    }
}

static void check_range(const char *header)
{
    static const uint64_t sizes[] = {0, 1, 2048, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t first = 0, last = 0;
        bool unsatisfiable = false;
        if (gs_range_parse(header, sizes[i], &first, &last, &unsatisfiable)) {
            check(first <= last && last < sizes[i] && !unsatisfiable);
        }
    }
}

static void check_route(const char *path)
{
    gs_route route;
    gs_route_parse(path, &route);
    check(route.name[0] == '\0' || gs_repository_valid(route.name));
    check(strchr(route.reference, '/') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *parts[PARTS] = {NULL};
    char *text = strndup((const char *)data, size);
    char *rest = text;
    for (size_t i = 0; i < PARTS && rest; i++) {
        char *line = strchr(rest, '\n');
        if (line) {
            *line = '\0';
        }
        parts[i] = rest[0] == '-' && rest[1] == '\0' ? NULL : rest; /* "-": not there */
        rest = line ? line + 1 : NULL;
    }
    if (parts[METHOD] && parts[PATH]) {
        const gs_ask ask = {.method = parts[METHOD],
                            .path = parts[PATH],
                            .ns = parts[NS],
                            .n = parts[N],
                            .last = parts[LAST],
                            .artifact_type = parts[ARTIFACT_TYPE],
                            .range = parts[RANGE],
                            .if_none_match = parts[IF_NONE_MATCH]};
        gs_answer answer;
        gs_answer_make(&catalogue, &ask, &answer);
        check_answer(&ask, &answer);
        gs_answer_done(&answer);
        check_route(parts[PATH]);
        check_range(parts[RANGE]);
    }
    free(text);
    return 0;
}
