/* What the files of src/net share. */
#ifndef GS_NET_INTERNAL_H
#define GS_NET_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>

#include "gapship/http.h"

/* Open connections of one thread at a time. Each exchange gets a fresh CURL of its own: libcurl before 8.2 remembers the last header of
 * the answer before, freed, in a CURL that is used again, and a folded line at the beginning of the next answer is appended to it
 * (https://github.com/curl/curl/pull/11103). */
typedef struct gs_http_handle {
    CURLM *connections;
    struct gs_http_handle *next;
} gs_http_handle;

struct gs_http {
    const gs_run *run;
    gs_http_host host;
    pthread_mutex_t lock;
    gs_http_handle *idle; /* under lock; the last one given back is the first to be taken: its connections are the freshest */
};

/* Where one exchange goes. foreign: a redirect led to another origin, so only harmless headers may go there. */
typedef struct gs_http_target {
    const char *url;
    bool foreign;
} gs_http_target;

/* One request to one URL, without redirects. *transient is set on failure: trying again may help. response is initialised by the
 * caller. */
int gs_http_exchange(gs_http *http, gs_http_handle *handle, const gs_http_request *request, gs_http_target target,
                     gs_http_response *response, bool *transient, gs_error *err);
/* gs_http_send that also tells whether trying again may help. */
int gs_http_send_once(gs_http *http, const gs_http_request *request, gs_http_response *response, bool *transient, gs_error *err);
/* Turns libcurl's verdict into an error with its hint; true in *transient when trying again may help. */
int gs_http_explain(gs_http *http, CURL *easy, CURLcode status, const char *detail, bool *transient, gs_error *err);

#endif
