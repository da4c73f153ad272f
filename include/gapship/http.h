/* HTTP/1.1 for everything gapship asks over a network: registries, health checks, Kubernetes through `kubectl proxy`. The only
 * module that knows libcurl.
 *
 * A client is used by several threads at once; each keeps its own connections alive. Redirects are followed only where a request
 * says so, at most GS_MAX_REDIRECTS, never from https to http nor from elsewhere to this machine, and once scheme, host or port
 * change only Accept and Range go along of the request's headers. No proxy, no netrc, no cookies, no content decoding. TLS 1.2 or
 * newer, peer and host always verified.
 */
#ifndef GAPSHIP_HTTP_H
#define GAPSHIP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/buf.h"
#include "gapship/error.h"
#include "gapship/run.h"
#include "gapship/stream.h"

/* How one host is reached. All members may be NULL: then the system's CAs. Borrowed by the client for its life. */
typedef struct gs_http_host {
    const char *ca_file;
    const char *client_certificate;
    const char *client_key;
    const char *unix_socket; /* connect here instead (kubectl proxy) */
} gs_http_host;

typedef struct gs_http gs_http;

int gs_http_new(const gs_run *run, const gs_http_host *host, gs_http **out, gs_error *err) GS_MUST_USE;
/* No request may be under way. NULL is fine. */
void gs_http_free(gs_http *http);

typedef struct gs_http_header {
    const char *name;
    const char *value;
} gs_http_header;

typedef struct gs_http_response {
    int status;
    gs_buf headers; /* "Name: value\n" lines as received, of the last exchange */
    gs_buf body;    /* NUL-terminated */
    char *url;      /* of the last exchange, after redirects */
    uint64_t received;
} gs_http_response;

typedef struct gs_http_request {
    const char *method; /* NULL: GET */
    const char *url;    /* http or https, no userinfo */
    const gs_http_header *headers;
    size_t header_count;
    /* The body: memory, or body_len bytes of a file from body_offset (body NULL, body_fd >= 0). Replayed on a retry. */
    const void *body;
    uint64_t body_len;
    int body_fd; /* -1: none. Requests are made with GS_HTTP_REQUEST, which sets it */
    uint64_t body_offset;
    /* Where a 2xx body goes; NULL: into response->body. The sink is not closed. Other bodies go to response->body. */
    gs_sink *sink;
    uint64_t max_body;   /* bytes of a 2xx body; 0: GS_MAX_HTTP_ERROR_BYTES */
    bool redirects;      /* follow 301, 302, 303, 307, 308; GET and HEAD only */
    int64_t connect_ms;  /* 0: 10 s */
    int64_t idle_ms;     /* no byte for so long is GS_ETIMEOUT; 0: 60 s */
    int64_t deadline_ms; /* of the whole exchange; 0: none */
    /* Both may be NULL. moved gets the body bytes sent or received since its last call. began is called once the headers of a 2xx
     * answer to a request with a sink are there, before the first byte of its body; its error ends the exchange and is not retried.
     */
    void (*moved)(void *state, uint64_t bytes);
    int (*began)(void *state, const gs_http_response *response, gs_error *err);
    void *state;
} gs_http_request;
#define GS_HTTP_REQUEST .body_fd = -1

/* One exchange. 0 with any HTTP status. GS_ENETWORK: no connection, TLS failure (the reason in the message, a hint about CAs),
 * reset; GS_ETIMEOUT; GS_ELIMIT: body over max_body; GS_EINTERRUPTED. `where` is scheme://host:port. done the response in every
 * case. */
int gs_http_send(gs_http *http, const gs_http_request *request, gs_http_response *response, gs_error *err) GS_MUST_USE;
void gs_http_response_done(gs_http_response *response);
#define GS_AUTO_RESPONSE __attribute__((cleanup(gs_http_response_done)))
/* The value of a header (case-insensitive), the n-th with that name from 0; copied into out (cut to size). False when absent. */
bool gs_http_header_get(const gs_http_response *response, const char *name, size_t n, char *out, size_t size);

/* gs_http_send with retries: 408, 429, 500, 502, 503, 504 and network errors that may pass (not a wrong certificate), 6 tries, 250
 * ms doubling to 30 s with jitter; Retry-After (seconds or date, at most 60 s) wins. Never retries once bytes went into
 * request->sink unless restart is given: called before each further try, it must make the sink ready for a fresh start (or fail),
 * and may change the request for it. */
typedef struct gs_http_retry {
    unsigned tries;   /* 0: 6 */
    int64_t first_ms; /* 0: 250 */
    int (*restart)(void *state, gs_error *err);
    void *state;
} gs_http_retry;
int gs_http_send_retrying(gs_http *http, const gs_http_request *request, const gs_http_retry *retry, gs_http_response *response,
                          gs_error *err) GS_MUST_USE;

/* URL pieces. gs_url_resolve makes a Location absolute (RFC 3986 section 5), GS_ENETWORK when it is no http(s) URL.
 * gs_url_same_origin compares scheme, host, port. gs_url_escape percent-encodes all but unreserved characters. */
int gs_url_resolve(const char *base, const char *location, gs_buf *out, gs_error *err) GS_MUST_USE;
bool gs_url_same_origin(const char *a, const char *b);
/* "https://host:443" of an http(s) URL without userinfo, GS_ENETWORK for anything else. Needs GS_URL_ORIGIN bytes. */
#define GS_URL_ORIGIN 300
int gs_url_origin(const char *url, char out[GS_URL_ORIGIN], gs_error *err) GS_MUST_USE;
/* The host is localhost or the literal of a loopback, unspecified or link-local address. False for what is no URL. */
bool gs_url_is_local(const char *url);
void gs_url_escape(const char *text, gs_buf *out);
const char *gs_http_version(void);

#endif
