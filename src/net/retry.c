/* Tries again what may pass: which answers and failures, how often, how long to wait. */
#include <stdio.h>
#include <sys/random.h>

#include "gapship/num.h"
#include "internal.h"

#define TRIES            6u
#define FIRST_MS         250
#define LONGEST_MS       30000
#define LONGEST_ASKED_MS 60000

static bool passes(int status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* What the server asks for, in milliseconds, or -1. */
static int64_t asked_wait(const gs_run *run, const gs_http_response *response)
{
    char text[64];
    if (!gs_http_header_get(response, "Retry-After", 0, text, sizeof text)) {
        return -1;
    }
    uint64_t seconds;
    if (gs_parse_u64(text, UINT64_MAX, &seconds)) {
        return seconds < LONGEST_ASKED_MS / 1000 ? (int64_t)seconds * 1000 : LONGEST_ASKED_MS;
    }
    time_t date = curl_getdate(text, NULL);
    int64_t now = gs_now(run);
    if (date < 0 || date <= now) {
        return -1;
    }
    return date - now < LONGEST_ASKED_MS / 1000 ? (date - now) * 1000 : LONGEST_ASKED_MS;
}

/* Half to all of the doubled step, so that many clients do not come back at once. */
static int64_t own_wait(int64_t first_ms, unsigned failures)
{
    int64_t step = first_ms;
    for (unsigned i = 1; i < failures && step < LONGEST_MS; i++) {
        step *= 2;
    }
    step = step < LONGEST_MS ? step : LONGEST_MS;
    uint16_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random) {
        random = (uint16_t)gs_ticks();
    }
    return step / 2 + (step - step / 2) * random / UINT16_MAX;
}

static int wait_to_retry(gs_http *http, int64_t milliseconds, const char *reason, gs_error *err)
{
    const gs_fact facts[] = {GS_NUMBER_FACT("waitMilliseconds", milliseconds), GS_TEXT_FACT("reason", reason)};
    gs_emit(http->run, GS_INFO, "retry", facts, 2, "trying again in %.1f s: %s", (double)milliseconds / 1000, reason);
    return gs_sleep(http->run, milliseconds, err);
}

int gs_http_send_retrying(gs_http *http, const gs_http_request *request, const gs_http_retry *retry, gs_http_response *response,
                          gs_error *err)
{
    const gs_http_retry defaults = {0};
    retry = retry ? retry : &defaults;
    unsigned tries = retry->tries ? retry->tries : TRIES;
    gs_error failure = {0};
    for (unsigned failures = 1;; failures++) {
        bool transient;
        int code = gs_http_send_once(http, request, response, &transient, &failure);
        bool again = code ? transient : passes(response->status);
        bool replayable = !request->sink || response->received == 0 || retry->restart;
        if (!again || !replayable || failures >= tries) {
            if (code && err) {
                *err = failure;
            }
            return code;
        }
        char reason[64];
        snprintf(reason, sizeof reason, "the server answered %d", response->status);
        int64_t wait = asked_wait(http->run, response);
        wait = wait >= 0 ? wait : own_wait(retry->first_ms ? retry->first_ms : FIRST_MS, failures);
        code = wait_to_retry(http, wait, code ? failure.message : reason, err);
        if (code == 0 && retry->restart) {
            code = retry->restart(retry->state, err);
        }
        if (code) {
            return code;
        }
        gs_http_response_done(response);
    }
}
