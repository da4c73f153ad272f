/* An object's identity, lists of objects, and which kinds live in a namespace. Must not know what is inside the objects. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "gapship/text.h"

size_t gs_kube_group_length(const char *api_version)
{
    const char *slash = strchr(api_version, '/');
    return slash ? (size_t)(slash - api_version) : 0;
}

bool gs_kube_is(const gs_object_id *id, const char *group, const char *kind)
{
    size_t len = gs_kube_group_length(id->api_version);
    return strcmp(id->kind, kind) == 0 && strlen(group) == len && memcmp(id->api_version, group, len) == 0;
}

static int fail_object(const gs_node *object, gs_error *err, const char *missing)
{
    gs_fail(err, GS_ESPEC, "this is not a Kubernetes object: %s", missing);
    return object && object->line > 0 ? gs_error_at(err, "line %d", object->line) : GS_ESPEC;
}

static bool is_empty(const char *text)
{
    return !text || *text == '\0';
}

/* The identity of what may still get its name from the API server: then name is "". */
static int identify_nameless(const gs_node *object, gs_object_id *out, gs_error *err)
{
    if (!object || object->kind != GS_NODE_MAP) {
        return fail_object(object, err, "it is not a map");
    }
    const gs_node *metadata = gs_node_get(object, "metadata");
    const char *namespace = gs_node_text(metadata, "namespace");
    const char *name = gs_node_text(metadata, "name");
    gs_object_id id = {.api_version = gs_node_text(object, "apiVersion"),
                       .kind = gs_node_text(object, "kind"),
                       .namespace = namespace ? namespace : "",
                       .name = name ? name : ""};
    if (is_empty(id.api_version)) {
        return fail_object(object, err, "apiVersion is missing");
    }
    if (is_empty(id.kind)) {
        return fail_object(object, err, "kind is missing");
    }
    if (is_empty(id.name) && is_empty(gs_node_text(metadata, "generateName"))) {
        return fail_object(object, err, "metadata.name is missing");
    }
    *out = id;
    return 0;
}

int gs_object_identify(const gs_node *object, gs_object_id *out, gs_error *err)
{
    gs_object_id id;
    int code = identify_nameless(object, &id, err);
    if (code < 0) {
        return code;
    }
    if (*id.name == '\0') {
        (void)fail_object(object, err, "it has generateName and no metadata.name, so nobody could find it again");
        return gs_error_hint(err, "give this %s a fixed metadata.name", id.kind);
    }
    *out = id;
    return 0;
}

bool gs_object_id_equal(const gs_object_id *a, const gs_object_id *b)
{
    size_t group = gs_kube_group_length(a->api_version);
    return group == gs_kube_group_length(b->api_version) && memcmp(a->api_version, b->api_version, group) == 0 &&
           strcmp(a->kind, b->kind) == 0 && strcmp(a->namespace, b->namespace) == 0 && strcmp(a->name, b->name) == 0;
}

void gs_object_id_text(const gs_object_id *id, char *out, size_t size)
{
    (void)snprintf(out, size, "%s %s%s%s", id->kind, id->namespace, *id->namespace ? "/" : "", id->name);
}

/* A List of any type: what kubectl takes apart too. */
static const gs_node *items_of_list(const gs_node *node)
{
    const char *kind = gs_node_text(node, "kind");
    const gs_node *items = gs_node_get(node, "items");
    return kind && gs_text_ends(kind, "List") && items && items->kind == GS_NODE_LIST ? items : NULL;
}

static int flatten_into(gs_arena *arena, const gs_node *list, gs_node *out, gs_error *err)
{
    gs_object_id id;
    for (size_t i = 0; i < list->count; i++) {
        gs_node *item = list->items[i];
        const gs_node *inner = items_of_list(item);
        int code = 0;
        if (item->kind == GS_NODE_NULL) {
            continue;
        }
        if (inner) {
            code = flatten_into(arena, inner, out, err);
        } else if ((code = identify_nameless(item, &id, err)) == 0 && !gs_node_append(arena, out, item)) {
            code = gs_fail_nomem(err);
        }
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

int gs_kube_flatten(gs_arena *arena, const gs_node *list, gs_node **out, gs_error *err)
{
    gs_node *flat = gs_node_new_list(arena);
    if (!flat) {
        return gs_fail_nomem(err);
    }
    int code = list && list->kind == GS_NODE_LIST ? flatten_into(arena, list, flat, err) : 0;
    if (code == 0) {
        *out = flat;
    }
    return code;
}

/* The kinds of Kubernetes itself that live outside namespaces. */
static const struct {
    const char *group, *kind;
} cluster_wide[] = {
    {"", "ComponentStatus"},
    {"", "Namespace"},
    {"", "Node"},
    {"", "PersistentVolume"},
    {"admissionregistration.k8s.io", "MutatingAdmissionPolicy"},
    {"admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration"},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicy"},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration"},
    {"apiextensions.k8s.io", "CustomResourceDefinition"},
    {"apiregistration.k8s.io", "APIService"},
    {"certificates.k8s.io", "CertificateSigningRequest"},
    {"certificates.k8s.io", "ClusterTrustBundle"},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema"},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"},
    {"gateway.networking.k8s.io", "GatewayClass"},
    {"internal.apiserver.k8s.io", "StorageVersion"},
    {"networking.k8s.io", "IPAddress"},
    {"networking.k8s.io", "IngressClass"},
    {"networking.k8s.io", "ServiceCIDR"},
    {"node.k8s.io", "RuntimeClass"},
    {"policy", "PodSecurityPolicy"},
    {"rbac.authorization.k8s.io", "ClusterRole"},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding"},
    {"resource.k8s.io", "DeviceClass"},
    {"resource.k8s.io", "ResourceSlice"},
    {"scheduling.k8s.io", "PriorityClass"},
    {"storage.k8s.io", "CSIDriver"},
    {"storage.k8s.io", "CSINode"},
    {"storage.k8s.io", "StorageClass"},
    {"storage.k8s.io", "VolumeAttachment"},
    {"storage.k8s.io", "VolumeAttributesClass"},
    {"storagemigration.k8s.io", "StorageVersionMigration"},
};

bool gs_kube_namespaced(const gs_object_id *id)
{
    for (size_t i = 0; i < sizeof cluster_wide / sizeof cluster_wide[0]; i++) {
        if (gs_kube_is(id, cluster_wide[i].group, cluster_wide[i].kind)) {
            return false;
        }
    }
    return true;
}

/* Whether a CustomResourceDefinition in the same list says that this kind is cluster-wide. */
static bool defined_cluster_wide(const gs_node *list, const gs_object_id *id)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *kind = gs_node_text(list->items[i], "kind");
        const gs_node *spec = gs_node_get(list->items[i], "spec");
        const char *group = gs_node_text(spec, "group");
        const char *defined = gs_node_text(gs_node_get(spec, "names"), "kind");
        if (kind && strcmp(kind, "CustomResourceDefinition") == 0 && group && defined && gs_kube_is(id, group, defined)) {
            return gs_text_equal(gs_node_text(spec, "scope"), "Cluster");
        }
    }
    return false;
}

int gs_kube_set_namespace(gs_arena *arena, gs_node *list, const char *namespace, gs_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        gs_object_id id;
        int code = identify_nameless(list->items[i], &id, err);
        if (code < 0) {
            return code;
        }
        if (*id.namespace || !gs_kube_namespaced(&id) || defined_cluster_wide(list, &id)) {
            continue;
        }
        if (!gs_node_set_text(arena, gs_node_get(list->items[i], "metadata"), "namespace", namespace)) {
            return gs_fail_nomem(err);
        }
    }
    return 0;
}
