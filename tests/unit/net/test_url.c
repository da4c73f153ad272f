/* URLs: what is resolved, what is one origin, what is this machine. */
#include <string.h>

#include "gapship/http.h"
#include "gapship/limits.h"
#include "support.h"

static void locations_become_absolute(void **state)
{
    (void)state;
    static const struct {
        const char *base, *location, *wanted;
    } cases[] = {
        {"https://h:5000/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/1?s=x%3D", "https://h:5000/v2/a/blobs/uploads/1?s=x%3D"},
        {"https://h:5000/v2/a/b", "c?d", "https://h:5000/v2/a/c?d"},
        {"https://h/v2/a/b", "../c", "https://h/v2/c"},
        {"https://h/v2/a/b", "//other/x", "https://other/x"},
        {"https://h/v2/a/b", "http://other:80/x", "http://other:80/x"},
        {"http://h/a/b?q=1", "?q=2", "http://h/a/b?q=2"},
        {"http://[::1]:5000/a", "/b", "http://[::1]:5000/b"},
    };
    gs_error err = {0};
    GS_AUTO_BUF gs_buf url;
    gs_buf_init(&url, GS_MAX_HTTP_HEADER_BYTES);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_ok(&err, gs_url_resolve(cases[i].base, cases[i].location, &url, &err));
        assert_string_equal(gs_buf_text(&url), cases[i].wanted);
    }
}

static void what_is_no_url_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *location, *says;
    } cases[] = {
        {"ftp://h/x", "not a URL of http or https"},
        {"file:///etc/passwd", "not a URL"},
        {"https://user:secret@h/", "a user name in it"},
        {"http://h:99999/", "not a URL"},
        {"https://a b/", "not a URL"},
        {"https://a%2541.b/", "not a URL"},
        {"//%35/x", "not a URL"},
    };
    gs_error err = {0};
    GS_AUTO_BUF gs_buf url;
    gs_buf_init(&url, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_add_text(&url, "untouched");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(gs_url_resolve("https://h/", cases[i].location, &url, &err), GS_ENETWORK);
        assert_contains(err.message, cases[i].says);
        assert_null(strstr(err.message, "secret"));
        assert_string_equal(gs_buf_text(&url), "untouched");
    }
}

static void one_origin_is_scheme_host_and_port(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"https://h/a", "https://h:443/b", true},   {"https://H/a", "https://h/b", true},
        {"http://h/", "http://h:80", true},         {"https://h/a", "http://h/a", false},
        {"https://h/", "https://h:444/", false},    {"https://h/", "https://h.x/", false},
        {"https://h/", "https://h.x@evil/", false}, {"https://[::1]/", "https://[::1]:443/", true},
        {"https://h/", "nonsense", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (gs_url_same_origin(cases[i].a, cases[i].b) != cases[i].same) {
            fail_msg("%s and %s", cases[i].a, cases[i].b);
        }
    }
}

static void this_machine_has_many_names(void **state)
{
    (void)state;
    static const char *const local[] = {
        "http://localhost/",
        "http://LOCALHOST:1/",
        "http://a.localhost/",
        "http://127.0.0.1/",
        "http://127.9.9.9/",
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[fe80::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:169.254.1.1]/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.1/",
    };
    static const char *const remote[] = {
        "http://10.0.0.1/",      "http://h/", "http://localhost.example.com/", "http://192.168.1.1/",
        "http://[2001:db8::1]/", "nonsense",
    };
    for (size_t i = 0; i < COUNT_OF(local); i++) {
        if (!gs_url_is_local(local[i])) {
            fail_msg("%s is this machine", local[i]);
        }
    }
    for (size_t i = 0; i < COUNT_OF(remote); i++) {
        if (gs_url_is_local(remote[i])) {
            fail_msg("%s is not this machine", remote[i]);
        }
    }
}

static void escapes(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, 100);
    gs_url_escape("aZ9-._~ /:&=%\xc3\xa9", &out);
    assert_string_equal(gs_buf_text(&out), "aZ9-._~%20%2F%3A%26%3D%25%C3%A9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locations_become_absolute),
        cmocka_unit_test(what_is_no_url_is_refused),
        cmocka_unit_test(one_origin_is_scheme_host_and_port),
        cmocka_unit_test(this_machine_has_many_names),
        cmocka_unit_test(escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
