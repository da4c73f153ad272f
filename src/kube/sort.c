/* The order in which objects are applied. Must not know about waves: they come before this order. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Namespaces and definitions before their users, then Argo CD's order; kinds not named here come last. */
static const char *const kinds[] = {
    "Namespace",
    "CustomResourceDefinition",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static size_t rank_of(const char *kind)
{
    size_t rank = 0;
    while (rank < KIND_COUNT && strcmp(kind, kinds[rank]) != 0) {
        rank++;
    }
    return rank;
}

static const char *text_or_empty(const gs_node *map, const char *key)
{
    const char *text = gs_node_text(map, key);
    return text ? text : "";
}

static int compare(const void *a, const void *b)
{
    const gs_node *left = *(const gs_node *const *)a;
    const gs_node *right = *(const gs_node *const *)b;
    const char *left_kind = text_or_empty(left, "kind");
    const char *right_kind = text_or_empty(right, "kind");
    size_t left_rank = rank_of(left_kind);
    size_t right_rank = rank_of(right_kind);
    if (left_rank != right_rank) {
        return left_rank < right_rank ? -1 : 1;
    }
    int order = strcmp(left_kind, right_kind);
    const gs_node *left_metadata = gs_node_get(left, "metadata");
    const gs_node *right_metadata = gs_node_get(right, "metadata");
    if (order == 0) {
        order = strcmp(text_or_empty(left_metadata, "namespace"), text_or_empty(right_metadata, "namespace"));
    }
    if (order == 0) {
        order = strcmp(text_or_empty(left_metadata, "name"), text_or_empty(right_metadata, "name"));
    }
    return order != 0 ? order : left->line - right->line; /* the order written, as far as it is known */
}

void gs_kube_sort(gs_node *objects)
{
    if (objects->count > 1) {
        qsort((void *)objects->items, objects->count, sizeof *objects->items, compare);
    }
}
