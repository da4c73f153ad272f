/* What a failed exchange means for a person: libcurl's codes become one sentence and one thing to do. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static const char *best_text(CURLcode status, const char *detail)
{
    return detail[0] ? detail : curl_easy_strerror(status);
}

static int explain_certificate(const gs_http_host *host, const char *text, gs_error *err)
{
    int code = gs_fail(err, GS_ENETWORK, "the server's certificate is refused: %s", text);
    if (strstr(text, "subject name")) {
        gs_error_hint(err, "use a host name that the certificate was made for");
    } else if (strstr(text, "expired") || strstr(text, "not yet valid")) {
        gs_error_hint(err, "look at the clock of this machine, then renew the certificate");
    } else if (host->ca_file) {
        gs_error_hint(err, "the CA file %s must hold the certificate of the CA that signed the server's", host->ca_file);
    } else {
        gs_error_hint(err, "when the server has a private CA, name the file with its certificate as the host's CA file (\"ca\")");
    }
    return code;
}

static int explain_handshake(CURL *easy, const char *text, bool *transient, gs_error *err)
{
    long os_error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    *transient = os_error == ECONNRESET;
    int code = gs_fail(err, GS_ENETWORK, "no TLS connection: %s", text);
    if (strstr(text, "wrong version number") || strstr(text, "packet length too long")) {
        gs_error_hint(err, "the server seems to speak plain http; if that is meant, write http:// in its URL");
    }
    return code;
}

static int explain_connection(CURL *easy, bool *transient, gs_error *err)
{
    long os_error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    *transient = true;
    int code = os_error ? gs_fail(err, GS_ENETWORK, "no connection: %s", strerrordesc_np((int)os_error))
                        : gs_fail(err, GS_ENETWORK, "no connection");
    gs_error_hint(err, "is the server running, and are its host and port right?");
    return code;
}

static int explain_timeout(bool *transient, gs_error *err)
{
    *transient = true;
    int code = gs_fail(err, GS_ETIMEOUT, "no connection in time");
    gs_error_hint(err, "is the host up, and does a firewall stand between?");
    return code;
}

int gs_http_explain(gs_http *http, CURL *easy, CURLcode status, const char *detail, bool *transient, gs_error *err)
{
    const char *text = best_text(status, detail);
    switch ((int)status) {
    case CURLE_OUT_OF_MEMORY:
        return gs_fail_nomem(err);
    case CURLE_COULDNT_RESOLVE_HOST:
        *transient = true;
        gs_fail(err, GS_ENETWORK, "the host name cannot be resolved");
        return gs_error_hint(err, "look for a typing error, then at the name service of this machine");
    case CURLE_COULDNT_CONNECT:
        return explain_connection(easy, transient, err);
    case CURLE_OPERATION_TIMEDOUT:
        return explain_timeout(transient, err);
    case CURLE_PEER_FAILED_VERIFICATION:
        return explain_certificate(&http->host, text, err);
    case CURLE_SSL_CACERT_BADFILE:
        return gs_fail(err, GS_ENETWORK, "the CA file %s cannot be used: %s",
                       http->host.ca_file ? http->host.ca_file : "of the system", text);
    case CURLE_SSL_CERTPROBLEM:
        return gs_fail(err, GS_ENETWORK, "the client certificate %s cannot be used: %s",
                       http->host.client_certificate ? http->host.client_certificate : "", text);
    case CURLE_SSL_CONNECT_ERROR:
        return explain_handshake(easy, text, transient, err);
    case CURLE_GOT_NOTHING:
        *transient = true;
        return gs_fail(err, GS_ENETWORK, "the server closed the connection without an answer");
    case CURLE_PARTIAL_FILE:
        *transient = true;
        return gs_fail(err, GS_ENETWORK, "the connection was closed before the whole answer had come");
    case CURLE_SEND_FAIL_REWIND:
        *transient = true;
        return gs_fail(err, GS_ENETWORK, "the connection was lost while the request was sent");
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        *transient = true;
        return gs_fail(err, GS_ENETWORK, "the connection was lost: %s", text);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return gs_fail(err, GS_ENETWORK, "the answer is not HTTP: %s", text);
    default:
        return gs_fail(err, GS_ENETWORK, "%s", text);
    }
}
