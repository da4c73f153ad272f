/* Questions about URLs, answered by libcurl's own parser, so that what is compared here is what is connected to. No I/O. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gapship/http.h"
#include "gapship/limits.h"
#include "gapship/text.h"

typedef struct url_parts {
    CURLU *handle;
    char *scheme;
    char *host;
    char *port; /* the default one where none is written */
} url_parts;

static void parts_done(url_parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_url_cleanup(parts->handle);
}

static int refuse_url(CURLUcode code, const char *url, gs_error *err)
{
    if (code == CURLUE_OUT_OF_MEMORY) {
        return gs_fail_nomem(err);
    }
    if (code == CURLUE_USER_NOT_ALLOWED) {
        /* Not shown: it may hold a password. */
        return gs_fail(err, GS_ENETWORK, "a URL with a user name in it is not accepted");
    }
    return gs_fail(err, GS_ENETWORK, "\"%.200s\" is not a URL of http or https: %s", url, curl_url_strerror(code));
}

/* libcurl unescapes a host: what it gives could be another host to whoever reads that once more. */
static CURLUcode check_host(const url_parts *parts)
{
    char *again = NULL;
    GS_AUTO_BUF gs_buf url;
    gs_buf_init(&url, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_printf(&url, "%s://%s/", parts->scheme, parts->host);
    CURLU *handle = curl_url();
    CURLUcode code = handle && gs_buf_check(&url, NULL) == 0 ? CURLUE_OK : CURLUE_OUT_OF_MEMORY;
    code = code == CURLUE_OK ? curl_url_set(handle, CURLUPART_URL, gs_buf_text(&url), CURLU_DISALLOW_USER) : code;
    code = code == CURLUE_OK ? curl_url_get(handle, CURLUPART_HOST, &again, 0) : code;
    if (code == CURLUE_OK && strcmp(parts->host, again) != 0) {
        code = CURLUE_BAD_HOSTNAME;
    }
    curl_free(again);
    curl_url_cleanup(handle);
    return code;
}

/* Takes url apart; base may be NULL. done the parts in every case. */
static int parts_parse(const char *base, const char *url, url_parts *parts, gs_error *err)
{
    *parts = (url_parts){.handle = curl_url()};
    if (!parts->handle) {
        return gs_fail_nomem(err);
    }
    CURLUcode code = base ? curl_url_set(parts->handle, CURLUPART_URL, base, CURLU_DISALLOW_USER) : CURLUE_OK;
    if (code == CURLUE_OK) {
        code = curl_url_set(parts->handle, CURLUPART_URL, url, CURLU_DISALLOW_USER);
    }
    code = code == CURLUE_OK ? curl_url_get(parts->handle, CURLUPART_SCHEME, &parts->scheme, 0) : code;
    code = code == CURLUE_OK ? curl_url_get(parts->handle, CURLUPART_HOST, &parts->host, 0) : code;
    code = code == CURLUE_OK ? curl_url_get(parts->handle, CURLUPART_PORT, &parts->port, CURLU_DEFAULT_PORT) : code;
    if (code == CURLUE_OK && strcmp(parts->scheme, "http") != 0 && strcmp(parts->scheme, "https") != 0) {
        code = CURLUE_UNSUPPORTED_SCHEME;
    }
    code = code == CURLUE_OK ? check_host(parts) : code;
    return code == CURLUE_OK ? 0 : refuse_url(code, url, err);
}

int gs_url_resolve(const char *base, const char *location, gs_buf *out, gs_error *err)
{
    url_parts parts;
    int code = parts_parse(base, location, &parts, err);
    if (code == 0) {
        char *whole = NULL;
        CURLUcode status = curl_url_get(parts.handle, CURLUPART_URL, &whole, 0);
        if (status == CURLUE_OK) {
            gs_buf_clear(out);
            gs_buf_add_text(out, whole);
            code = gs_buf_check(out, err);
        } else {
            code = refuse_url(status, location, err);
        }
        curl_free(whole);
    }
    parts_done(&parts);
    return code;
}

int gs_url_origin(const char *url, char out[GS_URL_ORIGIN], gs_error *err)
{
    url_parts parts;
    int code = parts_parse(NULL, url, &parts, err);
    if (code == 0) {
        int len = snprintf(out, GS_URL_ORIGIN, "%s://%s:%s", parts.scheme, parts.host, parts.port);
        if (len < 0 || len >= GS_URL_ORIGIN) {
            code = gs_fail(err, GS_ENETWORK, "the host name \"%.60s…\" is too long", parts.host);
        }
    }
    parts_done(&parts);
    return code;
}

bool gs_url_same_origin(const char *a, const char *b)
{
    char first[GS_URL_ORIGIN];
    char second[GS_URL_ORIGIN];
    return gs_url_origin(a, first, NULL) == 0 && gs_url_origin(b, second, NULL) == 0 && strcasecmp(first, second) == 0;
}

static bool is_local_v4(uint32_t address)
{
    return address >> 24 == 127 || address >> 16 == 0xa9fe || address == 0;
}

static bool is_local_host(const char *host)
{
    size_t len = strlen(host);
    if (strcasecmp(host, "localhost") == 0 || (len > 10 && strcasecmp(host + len - 10, ".localhost") == 0)) {
        return true;
    }
    struct in_addr v4;
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return is_local_v4(ntohl(v4.s_addr));
    }
    char literal[INET6_ADDRSTRLEN];
    size_t inner = host[0] == '[' ? strcspn(host + 1, "%]") : 0;
    if (inner == 0 || inner >= sizeof literal) {
        return false;
    }
    memcpy(literal, host + 1, inner);
    literal[inner] = '\0';
    struct in6_addr v6;
    if (inet_pton(AF_INET6, literal, &v6) != 1) {
        return false;
    }
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        uint32_t mapped;
        memcpy(&mapped, v6.s6_addr + 12, sizeof mapped);
        return is_local_v4(ntohl(mapped));
    }
    return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6);
}

bool gs_url_is_local(const char *url)
{
    url_parts parts;
    bool local = parts_parse(NULL, url, &parts, NULL) == 0 && is_local_host(parts.host);
    parts_done(&parts);
    return local;
}

void gs_url_escape(const char *text, gs_buf *out)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-._~", *p);
        if (plain) {
            gs_buf_add(out, p, 1);
        } else {
            gs_buf_printf(out, "%%%02X", *p);
        }
    }
}
