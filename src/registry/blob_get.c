/* Fetches one blob into a sink, each byte once and in order: an interrupted transfer goes on where it stopped, and what was
 * received is hashed on its way, unless the sink does it. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "internal.h"

/* As long as a round of tries brings this much, the line is bad but alive, and another round is worth it. */
#define PROGRESS_BYTES GS_MIB(1)

typedef struct download {
    const gs_descriptor *blob;
    gs_sink *target;
    gs_hash *hash; /* NULL: the sink proves the content */
    gs_moved moved;
    void *state;
    gs_call *call;
    uint64_t done; /* bytes that target has */
    uint64_t skip; /* bytes of this answer that target has already: the server began anew */
    gs_http_header range;
    char range_text[40];
} download;

static int too_long(const download *self, gs_error *err)
{
    return gs_fail(err, GS_EDIGEST, "the registry sends more than the %llu bytes that the manifest promises",
                   (unsigned long long)self->blob->size);
}

static int take(void *state, const void *data, size_t len, gs_error *err)
{
    download *self = state;
    const char *bytes = data;
    if (self->skip >= len) {
        self->skip -= len;
        return 0;
    }
    bytes += self->skip;
    len -= (size_t)self->skip;
    self->skip = 0;
    if (len > self->blob->size - self->done) {
        return too_long(self, err);
    }
    int code = self->hash ? gs_hash_add(self->hash, bytes, len, err) : 0;
    code = code ? code : gs_sink_write(self->target, bytes, len, err);
    if (code == 0) {
        self->done += len;
        if (self->moved) {
            self->moved(self->state, len);
        }
    }
    return code;
}

static int take_end(void *state, bool cancelled, gs_error *err)
{
    (void)state;
    (void)cancelled;
    (void)err;
    return 0;
}

/* "bytes 100-199/200": the first number. */
static bool range_start(const gs_http_response *response, uint64_t *out)
{
    char text[80];
    if (!gs_http_header_get(response, "Content-Range", 0, text, sizeof text) || !gs_text_starts(text, "bytes ")) {
        return false;
    }
    char *number = text + strlen("bytes ");
    number[strcspn(number, "-")] = '\0';
    return gs_parse_u64(number, UINT64_MAX, out);
}

static int check_length(const download *self, const gs_http_response *response, gs_error *err)
{
    char text[32];
    uint64_t length;
    if (gs_http_header_get(response, "Content-Length", 0, text, sizeof text) && gs_parse_u64(text, UINT64_MAX, &length) &&
        length != self->blob->size) {
        return gs_fail(err, GS_EDIGEST, "the registry's blob has %llu bytes, the manifest promises %llu",
                       (unsigned long long)length, (unsigned long long)self->blob->size);
    }
    return 0;
}

static int began(void *state, const gs_http_response *response, gs_error *err)
{
    download *self = state;
    if (response->status == 206) {
        uint64_t start;
        if (!range_start(response, &start) || start != self->done) {
            return gs_fail(err, GS_EREGISTRY, "the registry sends another range than the one asked for, from byte %llu",
                           (unsigned long long)self->done);
        }
        self->skip = 0;
        return 0;
    }
    self->skip = self->done;
    return check_length(self, response, err);
}

/* Before a further try, or a further round. */
static int ask_for_rest(void *state, gs_error *err)
{
    (void)err;
    download *self = state;
    if (self->done > 0 && self->done < self->blob->size) {
        (void)snprintf(self->range_text, sizeof self->range_text, "bytes=%llu-", (unsigned long long)self->done);
        self->range = (gs_http_header){"Range", self->range_text};
        self->call->http.headers = &self->range;
        self->call->http.header_count = 1;
    }
    return 0;
}

static int fetch(gs_registry *registry, download *self, gs_sink *sink, const char *name, gs_error *err)
{
    gs_call *call = self->call;
    call->http.redirects = true;
    call->http.sink = sink;
    call->http.began = began;
    call->http.state = self;
    call->http.max_body = UINT64_MAX; /* take() knows better */
    call->restart = ask_for_rest;
    call->restart_state = self;
    for (;;) {
        uint64_t before = self->done;
        GS_AUTO_RESPONSE gs_http_response response = {0};
        int code = ask_for_rest(self, err);
        code = code ? code : gs_call_send(registry, call, &response, err);
        bool passing = code == GS_ENETWORK || code == GS_ETIMEOUT;
        if (passing && self->done == self->blob->size) {
            return 0;
        }
        if (passing && self->done - before >= PROGRESS_BYTES) {
            continue;
        }
        if (code) {
            return code;
        }
        if (response.status != 200 && response.status != 206) {
            return gs_call_refused(registry, call, &response, err, "the blob %s cannot be pulled", name);
        }
        return 0;
    }
}

static int finish(const download *self, const char *name, gs_error *err)
{
    if (self->done != self->blob->size) {
        return gs_fail(err, GS_EDIGEST, "the registry sent %llu bytes of the blob %s, the manifest promises %llu",
                       (unsigned long long)self->done, name, (unsigned long long)self->blob->size);
    }
    if (!self->hash) {
        return 0;
    }
    gs_digest actual;
    int code = gs_hash_finish(self->hash, &actual, err);
    if (code == 0 && !gs_digest_equal(&actual, &self->blob->digest)) {
        char text[GS_DIGEST_TEXT];
        gs_digest_text(&actual, text);
        return gs_fail(err, GS_EDIGEST, "the registry sent content with the digest %s for the blob %s", text, name);
    }
    return code;
}

int gs_registry_get_blob(gs_registry *registry, const char *repository, const gs_descriptor *blob, gs_sink *sink, gs_moved moved,
                         void *state, gs_error *err)
{
    static const gs_sink_ops ops = {.write = take, .close = take_end};
    char name[GS_DIGEST_TEXT];
    gs_digest_text(&blob->digest, name);
    GS_AUTO_CALL gs_call call;
    download self = {.blob = blob, .target = sink, .moved = moved, .state = state, .call = &call};
    GS_AUTO_HASH gs_hash *hash = NULL;
    GS_AUTO_SINK gs_sink *checked = NULL;
    int code = gs_call_init(&call, registry, repository, GS_ACCESS_PULL, "blobs", name, err);
    code = code || gs_sink_proves(sink) ? code : gs_hash_new(&hash, err);
    code = code ? code : gs_sink_new(&ops, &self, &checked, err);
    self.hash = hash;
    code = code ? code : fetch(registry, &self, checked, name, err);
    code = code ? code : finish(&self, name, err);
    if ((code == GS_EDIGEST || code == GS_EREGISTRY) && err && err->where[0] == '\0') {
        gs_registry_at(registry, repository, err);
    }
    return code;
}
