/* inventory.c: the lines in the cluster, and what may be removed. */
#include "support.h"

#include "inventory.h"

static const char lines[] = "v1 ConfigMap shop old\n"
                            "v1 PersistentVolumeClaim shop data\n"
                            "v1 Namespace - shop\n"
                            "apps/v1 Deployment shop web\n"
                            "rbac.authorization.k8s.io/v1 ClusterRole - reader\n";

static gs_arena *new_arena(void)
{
    gs_arena *arena = gs_arena_new();
    assert_non_null(arena);
    return arena;
}

static void test_lines(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = new_arena();
    gs_error err = {0};
    gs_inventory read;
    assert_ok(&err, gs_inventory_parse(lines, arena, &read, &err));
    assert_int_equal(read.count, 5);
    assert_string_equal(read.items[0].namespace, "shop");
    assert_string_equal(read.items[2].namespace, "");
    assert_string_equal(read.items[4].api_version, "rbac.authorization.k8s.io/v1");
    assert_string_equal(read.items[4].name, "reader");
    assert_ok(&err, gs_inventory_parse("", arena, &read, &err));
    assert_int_equal(read.count, 0);
}

static void test_bad_lines(void **state)
{
    (void)state;
    static const char *const bad[] = {"\n",
                                      "v1\n",
                                      "v1 ConfigMap shop\n",
                                      "v1 ConfigMap shop a b\n",
                                      "v1 ConfigMap shop a\nv1",
                                      "v1 ConfigMap shop \n",
                                      "v1 ConfigMap  a\n",
                                      "v1  shop a\n",
                                      " ConfigMap shop a\n"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        GS_AUTO_ARENA gs_arena *arena = new_arena();
        gs_error err = {0};
        gs_inventory read;
        assert_fails(&err, GS_ESTATE, "no object", gs_inventory_parse(bad[i], arena, &read, &err));
    }
}

/* What is gone from the release is told; what holds data or others stays. */
static void test_surplus(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = new_arena();
    gs_error err = {0};
    gs_inventory before, wanted, removed;
    gs_changes changes = {0};
    assert_ok(&err, gs_inventory_parse(lines, arena, &before, &err));
    assert_ok(&err, gs_inventory_parse("apps/v1beta2 Deployment shop web\n", arena, &wanted, &err));
    assert_ok(&err, gs_inventory_surplus(&before, &wanted, arena, &changes, &removed, &err));
    assert_int_equal(changes.count, 4);
    assert_int_equal(removed.count, 2);
    assert_string_equal(removed.items[0].name, "old");
    assert_string_equal(removed.items[1].name, "reader");
    for (size_t i = 0; i < changes.count; i++) {
        assert_int_equal(changes.items[i].kind, GS_CHANGE_REMOVE);
        assert_int_equal(changes.items[i].protected_, i == 1 || i == 2);
    }
}

static void test_hooks_are_not_owned(void **state)
{
    (void)state;
    static const char text[] = "[{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: n}},"
                               " {apiVersion: batch/v1, kind: Job, metadata: {name: b, namespace: n, annotations: "
                               "{argocd.argoproj.io/hook: PreSync}}}]";
    GS_AUTO_ARENA gs_arena *arena = new_arena();
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_error err = {0};
    gs_inventory owned;
    assert_ok(&err, gs_doc_parse(GS_MANIFEST, "objects", text, sizeof text - 1, &doc, &err));
    assert_ok(&err, gs_inventory_of(doc->root, arena, &owned, &err));
    assert_int_equal(owned.count, 1);
    assert_string_equal(owned.items[0].name, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_bad_lines),
                                       cmocka_unit_test(test_surplus), cmocka_unit_test(test_hooks_are_not_owned)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
