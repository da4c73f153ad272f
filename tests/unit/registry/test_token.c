/* Whom a token may be asked from. What servers answer is in test_registry.py and test_registry_faults.py. */
#include "../../../src/registry/token.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

static void realms_that_are_refused_before_anything_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *registry, *realm, *says;
    } cases[] = {
        {"https://registry.example", "http://registry.example/token", "over plain http"},
        {"https://registry.example", "http://other.example/token", "over plain http"},
        {"https://registry.example", "https://127.0.0.1/token", "it is this machine"},
        {"https://registry.example", "https://localhost:6443/token", "it is this machine"},
        {"http://registry.example", "http://169.254.169.254/latest/token", "it is this machine"},
        {"http://registry.example", "http://[::1]/token", "it is this machine"},
        {"https://registry.example", "ftp://registry.example/token", "not a URL of http or https"},
        {"https://registry.example", "https://user:secret@registry.example/token", "user name"},
    };
    char user[] = "rita";
    char password[] = "secret";
    const gs_credentials credentials = {.user = user, .password = password};
    gs_http *http = NULL;
    gs_error err = {0};
    assert_ok(&err, gs_http_new(NULL, NULL, &http, &err));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_token_request request = {
            .http = http, .realm = cases[i].realm, .scope = "", .registry_url = cases[i].registry, .credentials = &credentials};
        char *token = NULL;
        int64_t seconds = 0;
        assert_int_equal(gs_token_fetch(&request, &token, &seconds, &err), GS_EAUTH);
        assert_contains(err.message, cases[i].says);
        assert_null(strstr(err.message, "secret"));
        assert_null(token);
    }
    gs_http_free(http);
}

static void basic_is_base64(void **state)
{
    (void)state;
    char user[] = "Aladdin";
    char password[] = "open sesame"; /* RFC 7617 section 2 */
    gs_error err = {0};
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, 1000);
    assert_ok(&err, gs_basic_header(&(gs_credentials){.user = user, .password = password}, &out, &err));
    assert_string_equal(gs_buf_text(&out), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(realms_that_are_refused_before_anything_is_sent),
        cmocka_unit_test(basic_is_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
