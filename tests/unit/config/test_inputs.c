/* Input values: every scalar as written, and never a value in a message. */
#include "config_support.h"

static int load(const gs_tempdir *dir, const char *text, gs_arena *arena, gs_text_map *out, gs_error *err)
{
    gs_buf path;
    gs_buf_init(&path, 4096);
    gs_buf_printf(&path, "/proc/self/fd/%d/in.yaml", dir->fd);
    support_write(dir->fd, "in.yaml", text);
    int rc = gs_site_inputs_load(gs_buf_text(&path), arena, out, err);
    gs_buf_done(&path);
    return rc;
}

static void scalars_keep_their_text(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_arena *arena = gs_arena_new();
    gs_text_map inputs;
    assert_ok(&err, load(dir, "HOST: ldap.internal\nPORT: 0636\nRATIO: 2.0\nTLS: yes\nEMPTY: \"\"\nTAG: '1234567'\n", arena,
                         &inputs, &err));
    static const char *const expected[][2] = {
        {"HOST", "ldap.internal"}, {"PORT", "0636"}, {"RATIO", "2.0"}, {"TLS", "yes"}, {"EMPTY", ""}, {"TAG", "1234567"}};
    assert_int_equal(inputs.count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_string_equal(inputs.items[i].key, expected[i][0]);
        assert_string_equal(inputs.items[i].value, expected[i][1]);
    }
    gs_arena_free(arena);
}

static void assert_secret_kept(const gs_error *err)
{
    assert_null(strstr(err->message, "hunter2"));
    assert_null(strstr(err->where, "hunter2"));
    assert_null(strstr(err->hint, "hunter2"));
}

static void mistakes_are_told_without_values(void **state)
{
    gs_tempdir *dir = *state;
    static const char *const bad[][3] = {
        {"A: [hunter2]\n", "the input \"A\" is a list here, not a text, number or boolean", "in.yaml:1:4"},
        {"A: x\nB: {hunter2: hunter2}\n", "the input \"B\" is a map here, not a text, number or boolean", "in.yaml:2:4"},
        {"A:\nB: hunter2\n", "the input \"A\" is empty here, not a text, number or boolean", "in.yaml:1:3"},
        {"- hunter2\n", "the inputs are not a map of names and values", "in.yaml:1:1"},
        {"hunter2\n", "the inputs are not a map of names and values", "in.yaml:1:1"},
        {"A: hunter2\nA: hunter2\n", "the key \"A\" stands here a second time; the first is at line 1, column 1", "in.yaml:2:1"},
        {"A: \"hunter2\n", "found unexpected end of stream while scanning a quoted scalar that begins at line 1", "in.yaml:2:1"},
        {"A: *hunter2\n", "an alias (*) is not allowed in this file", "in.yaml:1:4"},
        {"A: &hunter2 x\n", "an anchor (&) is not allowed in this file", "in.yaml:1:4"},
        {"A: !hunter2\n", "a tag (!) is not allowed in this file", "in.yaml:1:4"},
        {"", "the file is empty", "in.yaml"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        gs_error err = {0};
        gs_arena *arena = gs_arena_new();
        gs_text_map inputs;
        assert_int_equal(load(dir, bad[i][0], arena, &inputs, &err), GS_ESPEC);
        assert_string_equal(err.message, bad[i][1]);
        assert_contains(err.where, bad[i][2]);
        assert_secret_kept(&err);
        gs_arena_free(arena);
    }
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_arena *arena = gs_arena_new();
    gs_text_map inputs;
    assert_fails(&err, GS_ENOTFOUND, "/nowhere/in.yaml", gs_site_inputs_load("/nowhere/in.yaml", arena, &inputs, &err));
    gs_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(scalars_keep_their_text),
        test_in_tempdir(mistakes_are_told_without_values),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
