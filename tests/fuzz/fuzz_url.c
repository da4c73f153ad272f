/* Two lines: a URL and a reference, as a server's Location or Link gives it. What is resolved is an http(s) URL without a user name,
 * says the same when it is resolved again, and has one origin. */
#include <string.h>

#include "fuzz.h"
#include "gapship/http.h"
#include "gapship/limits.h"
#include "gapship/text.h"

static void check_resolved(const char *url)
{
    char origin[GS_URL_ORIGIN];
    char again[GS_URL_ORIGIN];
    gs_buf twice;
    gs_buf_init(&twice, GS_MAX_HTTP_HEADER_BYTES);
    check(gs_text_starts(url, "http://") || gs_text_starts(url, "https://"));
    size_t authority = strcspn(strstr(url, "://") + 3, "/?#");
    check(!memchr(strstr(url, "://") + 3, '@', authority));
    check(!strpbrk(url, "\r\n"));
    if (gs_url_origin(url, origin, NULL) == 0) { /* else a host name that is too long */
        check(gs_url_origin(origin, again, NULL) == 0 && strcmp(origin, again) == 0);
        check(gs_url_same_origin(url, url) && gs_url_same_origin(url, origin));
        check(gs_url_is_local(url) == gs_url_is_local(origin));
    }
    if (gs_url_resolve(NULL, url, &twice, NULL) == 0) {
        check(strcmp(gs_buf_text(&twice), url) == 0);
    }
    gs_buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    char *line = text ? strchr(text, '\n') : NULL;
    gs_buf out;
    gs_buf_init(&out, GS_MAX_HTTP_HEADER_BYTES);
    if (line) {
        *line = '\0';
        if (gs_url_resolve(text, line + 1, &out, NULL) == 0) {
            check_resolved(gs_buf_text(&out));
        }
        (void)gs_url_same_origin(text, line + 1);
        gs_buf_clear(&out);
        gs_url_escape(line + 1, &out);
        check(out.failed || !strpbrk(gs_buf_text(&out), " /?#&=+\r\n\""));
    }
    gs_buf_done(&out);
    free(text);
    return 0;
}
