/* Starting and stopping the server; what it says when it cannot. Requests are made end to end, by real clients. */
#include "gapship/serve.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cargo.h"

static int start(const gs_serve_options *options, gs_server **out, gs_error *err)
{
    return gs_serve_start(NULL, options, NULL, 0, out, err);
}

static void a_free_port_is_chosen_and_told(void **state)
{
    (void)state;
    static const struct {
        const char *listen, *told;
    } cases[] = {{"127.0.0.1:0", "127.0.0.1:"}, {"0.0.0.0:0", "0.0.0.0:"}, {"[::1]:0", "[::1]:"}, {"[::]:0", "[::]:"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_server *server = NULL;
        int code = start(&(gs_serve_options){.listen = cases[i].listen}, &server, &err);
        if (code == GS_ENETWORK && cases[i].listen[0] == '[') {
            continue; /* a machine without IPv6 */
        }
        assert_ok(&err, code);
        assert_int_equal(strncmp(gs_serve_address(server), cases[i].told, strlen(cases[i].told)), 0);
        assert_string_not_equal(gs_serve_address(server) + strlen(cases[i].told), "0");
        gs_serve_stop(server);
    }
    gs_serve_stop(NULL);
}

static void a_stopped_server_leaves_its_port(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_server *first = NULL;
    gs_server *second = NULL;
    char address[64];
    assert_ok(&err, start(&(gs_serve_options){.listen = "127.0.0.1:0"}, &first, &err));
    (void)snprintf(address, sizeof address, "%s", gs_serve_address(first));
    assert_fails(&err, GS_ENETWORK, "Address already in use", start(&(gs_serve_options){.listen = address}, &second, &err));
    assert_fails(&err, GS_ENETWORK, address, start(&(gs_serve_options){.listen = address}, &second, &err));
    gs_serve_stop(first);
    assert_ok(&err, start(&(gs_serve_options){.listen = address}, &second, &err));
    assert_string_equal(gs_serve_address(second), address);
    gs_serve_stop(second);
}

static void bad_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      ":",
                                      ":5000",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:http",
                                      "[::1]",
                                      "[::1:5000",
                                      "[::1]5000",
                                      "[]:5000",
                                      "localhost:5000",
                                      "127.0.0.1:5000/",
                                      "1.2.3:x:5",
                                      "http://x:1",
                                      "127.0.0.1:99x",
                                      "registry.internal:5000",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        gs_error err = {0};
        gs_server *server = NULL;
        assert_fails(&err, GS_EUSAGE, "is no address to listen on", start(&(gs_serve_options){.listen = bad[i]}, &server, &err));
        assert_null(server);
    }
    gs_error err = {0};
    gs_server *server = NULL;
    assert_fails(&err, GS_ENETWORK, "Cannot assign requested address",
                 start(&(gs_serve_options){.listen = "203.0.113.7:0"}, &server, &err));
}

static void certificates_and_users_are_checked(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_server *server = NULL;
    char certificate[512], key[512], missing[512];
    (void)snprintf(certificate, sizeof certificate, "%s/server.crt", dir->path);
    (void)snprintf(key, sizeof key, "%s/server.key", dir->path);
    (void)snprintf(missing, sizeof missing, "%s/missing", dir->path);
    support_write(dir->fd, "server.crt", "no certificate\n");
    assert_ok(&err, gs_fs_write_file(AT_FDCWD, key, "no key\n", 7, 0600, &err));
    const struct {
        gs_serve_options options;
        int code;
        const char *says;
    } cases[] = {
        {{.certificate = certificate, .key = key}, GS_ESPEC, "certificate and key cannot be used"},
        {{.certificate = missing, .key = key}, GS_ENOTFOUND, "missing"},
        {{.certificate = certificate, .key = missing}, GS_ENOTFOUND, "missing"},
        {{.certificate = certificate}, GS_EUSAGE, "both a certificate and its key"},
        {{.key = key}, GS_EUSAGE, "both a certificate and its key"},
        {{.certificate = certificate, .key = certificate}, GS_ESPEC, "others can read this secret"},
        {{.users = missing}, GS_ENOTFOUND, "missing"},
        {{.users = certificate}, GS_ESPEC, "others can read this secret"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_serve_options options = cases[i].options;
        options.listen = "127.0.0.1:0";
        assert_fails(&err, cases[i].code, cases[i].says, start(&options, &server, &err));
        assert_null(server);
    }
}

static void bundles_may_go_once_they_are_replaced(void **state)
{
    gs_error err = {0};
    gs_server *server = NULL;
    const gs_verified *bundles[2];
    for (unsigned i = 0; i < 2; i++) {
        cargo c;
        cargo_init(&c, *state, i + 1);
        gs_descriptor layer = cargo_text(&c, GS_MEDIA_LAYER_GZIP, "layer %u", i);
        gs_descriptor image = cargo_image(&c, &layer, GS_MEDIA_CONFIG, "");
        cargo_name(&c, &image, i == 0 ? "app:1" : "app", NULL); /* the second one has no tag */
        bundles[i] = cargo_finish(&c);
    }
    assert_ok(&err, gs_serve_start(NULL, &(gs_serve_options){.listen = "127.0.0.1:0"}, &bundles[0], 1, &server, &err));
    assert_fails(&err, GS_EFORMAT, "has no tag", gs_serve_replace(server, bundles, 2, &err));
    assert_ok(&err, gs_serve_replace(server, NULL, 0, &err));
    gs_verified_free((gs_verified *)(uintptr_t)bundles[0]);
    gs_verified_free((gs_verified *)(uintptr_t)bundles[1]);
    gs_serve_stop(server);
}

static void its_library_is_named_with_its_version(void **state)
{
    (void)state;
    const char *version = gs_serve_version();
    assert_int_equal(strncmp(version, "libmicrohttpd ", 14), 0);
    assert_in_range(version[14], '0', '9');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_port_is_chosen_and_told),
        cmocka_unit_test(a_stopped_server_leaves_its_port),
        cmocka_unit_test(bad_addresses_are_refused),
        test_in_tempdir(certificates_and_users_are_checked),
        test_in_tempdir(bundles_may_go_once_they_are_replaced),
        cmocka_unit_test(its_library_is_named_with_its_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
