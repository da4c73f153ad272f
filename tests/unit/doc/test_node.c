/* Looking up, comparing, building and copying. */
#include "doc_support.h"

static void look_ups_find_what_is_there(void **state)
{
    (void)state;
    gs_doc *doc = parsed(GS_CONFIGURATION, "a: {b: [x, {c: 7}]}\nt: true\nn:\nd: 1.5\n");
    const gs_node *root = doc->root;
    assert_string_equal(gs_node_at(root, "a/b/0")->text, "x");
    assert_int_equal(gs_node_at(root, "a/b/1/c")->integer, 7);
    static const char *const absent[] = {"",          "x",  "a/x",  "a/b/2", "a/b/-1", "a/b/x",          "a/b/0/y",
                                         "a/b/1/c/d", "a/", "a/b/", "/a",    "a//b",   "a/b/99999999999"};
    for (size_t i = 0; i < COUNT_OF(absent); i++) {
        assert_null(gs_node_at(root, absent[i]));
    }
    assert_null(gs_node_at(NULL, "a"));
    assert_null(gs_node_get(NULL, "a"));
    assert_null(gs_node_get(gs_node_get(root, "t"), "a"));
    assert_ptr_equal(gs_node_list(gs_node_get(root, "a"), "b"), gs_node_at(root, "a/b"));
    assert_null(gs_node_list(root, "a"));
    assert_null(gs_node_list(root, "t"));
    assert_null(gs_node_list(root, "x"));
    assert_string_equal(gs_node_text(root, "t"), "true");
    assert_string_equal(gs_node_text(root, "d"), "1.5");
    assert_null(gs_node_text(root, "n"));
    assert_null(gs_node_text(root, "a"));
    assert_null(gs_node_text(root, "x"));
    assert_int_equal(gs_node_integer(gs_node_at(root, "a/b/1"), "c", 1), 7);
    assert_int_equal(gs_node_integer(root, "d", -3), -3);
    assert_int_equal(gs_node_integer(root, "x", -4), -4);
    assert_true(gs_node_bool(root, "t"));
    assert_false(gs_node_bool(root, "d"));
    assert_false(gs_node_bool(root, "x"));
    gs_doc_free(doc);
}

static void equality_ignores_the_order_of_maps_alone(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"{a: 1, b: [x]}", "{b: ['x'], a: 0x1}", true},
        {"[1, 2]", "[2, 1]", false},
        {"{a: 1}", "{a: 1, b: 2}", false},
        {"{a: 1, b: 2}", "{a: 1, c: 2}", false},
        {"'1'", "1", false},
        {"~", "null", true},
        {"yes", "true", true},
        {"1.0", "1.00", false},
        {"[1]", "[1, 2]", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_doc *a = parsed(GS_MANIFEST, cases[i].a);
        gs_doc *b = parsed(GS_MANIFEST, cases[i].b);
        assert_int_equal(gs_node_equal(a->root, b->root), cases[i].equal);
        assert_int_equal(gs_node_equal(b->root, a->root), cases[i].equal);
        gs_doc_free(a);
        gs_doc_free(b);
    }
    assert_true(gs_node_equal(NULL, NULL));
}

static void trees_are_built_in_a_chain(void **state)
{
    (void)state;
    gs_arena *arena = gs_arena_new();
    gs_node *list = gs_node_new_list(arena);
    for (int i = 0; i < 9; i++) {
        assert_ptr_equal(gs_node_append(arena, list, gs_node_new_integer(arena, i)), list);
    }
    gs_node *map = gs_node_set_text(arena, gs_node_new_map(arena), "name", "1234567");
    map = gs_node_set_text(arena, map, "left", NULL);
    map = gs_node_set_integer(arena, map, "min", INT64_MIN);
    map = gs_node_set(arena, map, "list", list);
    map = gs_node_set(arena, map, "none", gs_node_new_null(arena));
    map = gs_node_set(arena, map, "yes", gs_node_new_bool(arena, true));
    map = gs_node_set_text(arena, map, "name", "again");
    assert_json(map, "{\"name\":\"again\",\"min\":-9223372036854775808,\"list\":[0,1,2,3,4,5,6,7,8],\"none\":null,\"yes\":true}");
    assert_null(gs_node_set(arena, NULL, "a", map));
    assert_null(gs_node_set(arena, map, "a", NULL));
    assert_null(gs_node_append(arena, list, NULL));
    assert_null(gs_node_set_text(arena, NULL, "a", "b"));
    gs_arena_free(arena);
}

static void removing_keeps_the_rest_and_its_room(void **state)
{
    (void)state;
    gs_arena *arena = gs_arena_new();
    gs_node *map = gs_node_new_map(arena);
    static const char *const keys[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        map = gs_node_set_text(arena, map, keys[i], keys[i]);
    }
    assert_true(gs_node_remove(map, "a"));
    assert_true(gs_node_remove(map, "e"));
    assert_true(gs_node_remove(map, "c"));
    assert_false(gs_node_remove(map, "c"));
    assert_false(gs_node_remove(NULL, "c"));
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        map = gs_node_set_text(arena, map, keys[i], "x");
    }
    assert_json(map, "{\"b\":\"x\",\"d\":\"x\",\"a\":\"x\",\"c\":\"x\",\"e\":\"x\"}");
    gs_arena_free(arena);
}

static void a_copy_is_deep_and_can_grow(void **state)
{
    (void)state;
    gs_doc *doc = parsed(GS_MANIFEST, "a: [1, 2, 3]\nb: {c: \"x\"}\nd: 4\n");
    gs_arena *arena = gs_arena_new();
    gs_node *copy = gs_node_copy(arena, doc->root);
    gs_doc_free(doc);
    assert_json(copy, "{\"a\":[1,2,3],\"b\":{\"c\":\"x\"},\"d\":4}");
    assert_int_equal(gs_node_get(copy, "b")->line, 2);
    assert_non_null(gs_node_append(arena, gs_node_get(copy, "a"), gs_node_new_null(arena)));
    assert_non_null(gs_node_append(arena, gs_node_get(copy, "a"), gs_node_new_null(arena)));
    assert_non_null(gs_node_set_integer(arena, copy, "e", 5));
    assert_json(copy, "{\"a\":[1,2,3,null,null],\"b\":{\"c\":\"x\"},\"d\":4,\"e\":5}");
    assert_null(gs_node_copy(arena, NULL));
    gs_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look_ups_find_what_is_there), cmocka_unit_test(equality_ignores_the_order_of_maps_alone),
        cmocka_unit_test(trees_are_built_in_a_chain),  cmocka_unit_test(removing_keeps_the_rest_and_its_room),
        cmocka_unit_test(a_copy_is_deep_and_can_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
