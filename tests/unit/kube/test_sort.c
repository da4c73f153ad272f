/* sort.c */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "gapship/kube.h"

static void sorts_as_objects_are_applied(void **state)
{
    static const char *const mixed[] = {"Zebra - z",         "Ingress a i",
                                        "Job a j",           "Deployment b d",
                                        "Deployment a d",    "Deployment a c",
                                        "Widget - w",        "Service a s",
                                        "Role a r",          "ConfigMap a c",
                                        "Secret a s",        "ServiceAccount a s",
                                        "NetworkPolicy a n", "APIService - a",
                                        "StatefulSet a s",   "CustomResourceDefinition - c",
                                        "Namespace - n",     "PersistentVolumeClaim a p"};
    static const char *const sorted[] = {"Namespace - n",
                                         "CustomResourceDefinition - c",
                                         "NetworkPolicy a n",
                                         "ServiceAccount a s",
                                         "Secret a s",
                                         "ConfigMap a c",
                                         "PersistentVolumeClaim a p",
                                         "Role a r",
                                         "Service a s",
                                         "Deployment a c",
                                         "Deployment a d",
                                         "Deployment b d",
                                         "StatefulSet a s",
                                         "Job a j",
                                         "Ingress a i",
                                         "APIService - a",
                                         "Widget - w",
                                         "Zebra - z"};
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < COUNT_OF(mixed); i++) {
        char kind[64], namespace[8], name[8];
        const char *space = strchr(mixed[i], ' ');
        (void)snprintf(kind, sizeof kind, "%.*s", (int)(space - mixed[i]), mixed[i]);
        (void)snprintf(namespace, sizeof namespace, "%.1s", space + 1);
        (void)snprintf(name, sizeof name, "%s", space + 3);
        gs_node *metadata = gs_node_set_text(arena, gs_node_new_map(arena), "name", name);
        metadata = gs_node_set_text(arena, metadata, "namespace", *namespace == '-' ? NULL : namespace);
        gs_node *object = gs_node_set_text(arena, gs_node_new_map(arena), "kind", kind);
        list = gs_node_append(arena, list, gs_node_set(arena, object, "metadata", metadata));
    }
    assert_non_null(list);
    gs_kube_sort(list);
    for (size_t i = 0; i < COUNT_OF(sorted); i++) {
        char text[128];
        const gs_node *metadata = gs_node_get(list->items[i], "metadata");
        const char *namespace = gs_node_text(metadata, "namespace");
        (void)snprintf(text, sizeof text, "%s %s %s", gs_node_text(list->items[i], "kind"), namespace ? namespace : "-",
                       gs_node_text(metadata, "name"));
        assert_string_equal(text, sorted[i]);
    }
}

static void equals_stay_as_written(void **state)
{
    static const char text[] =
        "[{kind: Job, place: 0},\n {kind: Job, place: 1},\n {kind: Job, place: 2},\n {kind: Job, place: 3}]\n";
    (void)state;
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    assert_ok(&err, gs_doc_parse(GS_MANIFEST, "case", text, strlen(text), &doc, &err));
    gs_kube_sort(doc->root);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(gs_node_integer(doc->root->items[i], "place", -1), i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sorts_as_objects_are_applied), cmocka_unit_test(equals_stay_as_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
