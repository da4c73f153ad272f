/* object.c */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "gapship/kube.h"

static gs_doc *parse(const char *text)
{
    gs_error err = {0};
    gs_doc *doc = NULL;
    assert_ok(&err, gs_doc_parse_manifests("case", text, strlen(text), &doc, &err));
    return doc;
}

static void identifies_objects(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_object_id id;
    char text[GS_OBJECT_TEXT];
    GS_AUTO_DOC gs_doc *doc = parse("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dex, namespace: dex-stage}\n---\n"
                                    "apiVersion: v1\nkind: Namespace\nmetadata: {name: 12}\n");
    assert_ok(&err, gs_object_identify(doc->root->items[0], &id, &err));
    gs_object_id_text(&id, text, sizeof text);
    assert_string_equal(text, "Deployment dex-stage/dex");
    assert_string_equal(id.api_version, "apps/v1");
    assert_ok(&err, gs_object_identify(doc->root->items[1], &id, &err));
    gs_object_id_text(&id, text, sizeof text);
    assert_string_equal(text, "Namespace 12");
    assert_string_equal(id.namespace, "");
}

static void refuses_what_is_no_object(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"a", "not a map"},
        {"[a]", "not a map"},
        {"{kind: A, metadata: {name: a}}", "apiVersion is missing"},
        {"{apiVersion: '', kind: A, metadata: {name: a}}", "apiVersion is missing"},
        {"{apiVersion: v1, metadata: {name: a}}", "kind is missing"},
        {"{apiVersion: v1, kind: {a: b}, metadata: {name: a}}", "kind is missing"},
        {"{apiVersion: v1, kind: A}", "metadata.name is missing"},
        {"{apiVersion: v1, kind: A, metadata: a}", "metadata.name is missing"},
        {"{apiVersion: v1, kind: A, metadata: {name: ''}}", "metadata.name is missing"},
        {"\n\n{apiVersion: v1, kind: A}", "line 3"},
        {"{apiVersion: v1, kind: Job, metadata: {generateName: a-}}", "fixed metadata.name"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_object_id id;
        GS_AUTO_DOC gs_doc *doc = parse(cases[i].text);
        assert_fails(&err, GS_ESPEC, cases[i].part, gs_object_identify(doc->root->items[0], &id, &err));
    }
}

static void compares_identities(void **state)
{
    const gs_object_id a = {"apps/v1", "Deployment", "n", "a"};
    const gs_object_id others[] = {
        {"apps/v1", "Deployment", "n", "b"}, {"apps/v1", "Deployment", "m", "a"}, {"apps/v1", "StatefulSet", "n", "a"},
        {"v1", "Deployment", "n", "a"},      {"appz/v1", "Deployment", "n", "a"},
    };
    const gs_object_id same = {"apps/v1beta1", "Deployment", "n", "a"};
    (void)state;
    assert_true(gs_object_id_equal(&a, &same));
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_false(gs_object_id_equal(&a, &others[i]));
    }
}

static void opens_lists(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_node *flat = NULL;
    GS_AUTO_DOC gs_doc *doc = parse(
        "{apiVersion: v1, kind: A, metadata: {name: a}}\n---\n"
        "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: B, metadata: {name: b}}, null,"
        " {apiVersion: v1, kind: SecretList, items: [{apiVersion: v1, kind: C, metadata: {generateName: c}}]}]}\n---\n"
        "{apiVersion: example.com/v1, kind: AllowList, metadata: {name: d}, spec: {items: []}}\n---\n"
        "{apiVersion: v1, kind: ConfigMapList, items: []}\n");
    static const char *const kinds[] = {"A", "B", "C", "AllowList"};
    assert_ok(&err, gs_kube_flatten(doc->arena, doc->root, &flat, &err));
    assert_int_equal(flat->count, COUNT_OF(kinds));
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        assert_string_equal(gs_node_text(flat->items[i], "kind"), kinds[i]);
    }

    GS_AUTO_DOC gs_doc *bad = parse("{apiVersion: v1, kind: List, items: [{kind: B}]}\n");
    gs_node *untouched = flat;
    assert_fails(&err, GS_ESPEC, "apiVersion", gs_kube_flatten(bad->arena, bad->root, &flat, &err));
    assert_ptr_equal(flat, untouched);
}

static void sets_namespaces_where_they_belong(void **state)
{
    static const struct {
        const char *object, *namespace;
    } cases[] = {
        {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}", "shop"},
        {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: own}}", "own"},
        {"{apiVersion: batch/v1, kind: Job, metadata: {generateName: a}}", "shop"},
        {"{apiVersion: v1, kind: Namespace, metadata: {name: a}}", NULL},
        {"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a}}", NULL},
        {"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}}", "shop"},
        {"{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a}}", NULL},
        {"{apiVersion: storage.k8s.io/v1, kind: CSIStorageCapacity, metadata: {name: a}}", "shop"},
        {"{apiVersion: example.com/v1, kind: Namespace, metadata: {name: a}}", "shop"},
        {"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: t},"
         " spec: {group: example.com, scope: Cluster, names: {kind: Thing}}}",
         NULL},
        {"{apiVersion: example.com/v1, kind: Thing, metadata: {name: a}}", NULL},
        {"{apiVersion: other.com/v1, kind: Thing, metadata: {name: a}}", "shop"},
    };
    char text[4096] = "";
    size_t used = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "---\n%s\n", cases[i].object);
    }
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = parse(text);
    assert_ok(&err, gs_kube_set_namespace(doc->arena, doc->root, "shop", &err));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *got = gs_node_text(gs_node_get(doc->root->items[i], "metadata"), "namespace");
        print_message("  %s\n", cases[i].object);
        if (cases[i].namespace) {
            assert_string_equal(got, cases[i].namespace);
        } else {
            assert_null(got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifies_objects),
        cmocka_unit_test(refuses_what_is_no_object),
        cmocka_unit_test(compares_identities),
        cmocka_unit_test(opens_lists),
        cmocka_unit_test(sets_namespaces_where_they_belong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
