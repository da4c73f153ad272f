/* How a live object stands, by the rules of kstatus (sigs.k8s.io/cli-utils), with two of gapship's own: a Job is done only when
 * Complete, and a failed Pod is failed. Must not know how the object was read or how long anybody has waited. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "gapship/text.h"

/* The reason that health is asked for goes through every rule. */
typedef struct said {
    char *reason;
    size_t size;
} said;

gs_health gs_health_say(gs_health health, char *reason, size_t size, const char *format, ...)
{
    char text[GS_ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gs_text_printable(text, reason, size);
    return health;
}

#define SAY(health, out, ...) gs_health_say((health), (out)->reason, (out)->size, __VA_ARGS__)

const gs_node *gs_kube_condition(const gs_node *object, const char *type)
{
    const gs_node *conditions = gs_node_get(gs_node_get(object, "status"), "conditions");
    for (size_t i = 0; conditions && conditions->kind == GS_NODE_LIST && i < conditions->count; i++) {
        if (gs_text_equal(gs_node_text(conditions->items[i], "type"), type)) {
            return conditions->items[i];
        }
    }
    return NULL;
}

bool gs_condition_is(const gs_node *condition, const char *status)
{
    return condition && gs_text_equal(gs_node_text(condition, "status"), status);
}

static const char *text_of(const gs_node *map, const char *key)
{
    const char *text = gs_node_text(map, key);
    return text ? text : "";
}

/* "REASON: MESSAGE" of a condition. */
static gs_health say_condition(gs_health health, const said *out, const gs_node *condition)
{
    const char *reason = text_of(condition, "reason");
    const char *message = text_of(condition, "message");
    if (!*reason && !*message) {
        return SAY(health, out, "%s is %s", text_of(condition, "type"), text_of(condition, "status"));
    }
    return SAY(health, out, "%s%s%s", reason, *reason && *message ? ": " : "", message);
}

/* What holds for every kind. HEALTHY: nothing against it. */
static gs_health judge_any(const gs_node *live, const said *out)
{
    const gs_node *metadata = gs_node_get(live, "metadata");
    const char *generation = gs_node_text(metadata, "generation");
    const char *observed = gs_node_text(gs_node_get(live, "status"), "observedGeneration"); /* a text in a Rollout */
    const gs_node *reconciling = gs_kube_condition(live, "Reconciling");
    const gs_node *stalled = gs_kube_condition(live, "Stalled");
    if (gs_node_text(metadata, "deletionTimestamp")) {
        return SAY(GS_PROGRESSING, out, "it is being deleted");
    }
    if (generation && observed && strcmp(generation, observed) != 0) {
        return SAY(GS_PROGRESSING, out, "its controller has not seen the change yet");
    }
    if (gs_condition_is(reconciling, "True")) {
        return say_condition(GS_PROGRESSING, out, reconciling);
    }
    if (gs_condition_is(stalled, "True")) {
        return say_condition(GS_FAILED, out, stalled);
    }
    return GS_HEALTHY;
}

static gs_health judge_deployment(const gs_node *live, const said *out)
{
    const gs_node *status = gs_node_get(live, "status");
    const gs_node *progressing = gs_kube_condition(live, "Progressing");
    const gs_node *available = gs_kube_condition(live, "Available");
    int64_t wanted = gs_node_integer(gs_node_get(live, "spec"), "replicas", 1);
    int64_t replicas = gs_node_integer(status, "replicas", 0);
    int64_t updated = gs_node_integer(status, "updatedReplicas", 0);
    int64_t ready = gs_node_integer(status, "readyReplicas", 0);
    int64_t usable = gs_node_integer(status, "availableReplicas", 0);
    if (progressing && gs_text_equal(gs_node_text(progressing, "reason"), "ProgressDeadlineExceeded")) {
        return say_condition(GS_FAILED, out, progressing);
    }
    if (gs_text_equal(gs_node_text(gs_node_get(live, "spec"), "paused"), "true")) {
        return SAY(GS_PROGRESSING, out, "its rollout is paused");
    }
    if (gs_condition_is(gs_kube_condition(live, "ReplicaFailure"), "True")) {
        return say_condition(GS_PROGRESSING, out, gs_kube_condition(live, "ReplicaFailure"));
    }
    if (updated < wanted) {
        return SAY(GS_PROGRESSING, out, "%lld of %lld replicas are updated", (long long)updated, (long long)wanted);
    }
    if (replicas > updated) {
        return SAY(GS_PROGRESSING, out, "%lld old replicas are still to end", (long long)(replicas - updated));
    }
    if (usable < updated || ready < wanted) {
        return SAY(GS_PROGRESSING, out, "%lld of %lld replicas are available", (long long)(usable < ready ? usable : ready),
                   (long long)wanted);
    }
    /* No Progressing condition: its deadline is switched off. */
    if (progressing && !gs_text_equal(gs_node_text(progressing, "reason"), "NewReplicaSetAvailable")) {
        return say_condition(GS_PROGRESSING, out, progressing);
    }
    if (!gs_condition_is(available, "True")) {
        return SAY(GS_PROGRESSING, out, "it is not available yet");
    }
    return SAY(GS_HEALTHY, out, "%lld replicas are available", (long long)usable);
}

static gs_health judge_stateful_set(const gs_node *live, const said *out)
{
    const gs_node *status = gs_node_get(live, "status");
    const gs_node *strategy = gs_node_at(live, "spec/updateStrategy");
    int64_t wanted = gs_node_integer(gs_node_get(live, "spec"), "replicas", 1);
    int64_t partition = gs_node_integer(gs_node_get(strategy, "rollingUpdate"), "partition", 0);
    int64_t replicas = gs_node_integer(status, "replicas", 0);
    int64_t ready = gs_node_integer(status, "readyReplicas", 0);
    int64_t updated = gs_node_integer(status, "updatedReplicas", 0);
    if (gs_text_equal(gs_node_text(strategy, "type"), "OnDelete")) {
        return SAY(GS_HEALTHY, out, "it is updated when its Pods are deleted");
    }
    if (replicas < wanted || ready < wanted) {
        return SAY(GS_PROGRESSING, out, "%lld of %lld replicas are ready", (long long)ready, (long long)wanted);
    }
    if (replicas > wanted) {
        return SAY(GS_PROGRESSING, out, "%lld replicas are still to end", (long long)(replicas - wanted));
    }
    if (partition > 0 && updated < wanted - partition) {
        return SAY(GS_PROGRESSING, out, "%lld of %lld replicas are updated", (long long)updated, (long long)(wanted - partition));
    }
    if (partition == 0 && strcmp(text_of(status, "currentRevision"), text_of(status, "updateRevision")) != 0) {
        return SAY(GS_PROGRESSING, out, "%lld of %lld replicas are updated", (long long)updated, (long long)wanted);
    }
    return SAY(GS_HEALTHY, out, "%lld replicas are ready", (long long)ready);
}

static gs_health judge_daemon_set(const gs_node *live, const said *out)
{
    static const struct {
        const char *key, *word;
    } counts[] = {{"currentNumberScheduled", "scheduled"},
                  {"updatedNumberScheduled", "updated"},
                  {"numberAvailable", "available"},
                  {"numberReady", "ready"}};
    const gs_node *status = gs_node_get(live, "status");
    int64_t wanted = gs_node_integer(status, "desiredNumberScheduled", -1);
    if (wanted < 0 || !gs_node_get(status, "observedGeneration")) {
        return SAY(GS_PROGRESSING, out, "its controller has not seen it yet");
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        int64_t count = gs_node_integer(status, counts[i].key, 0);
        if (count < wanted) {
            return SAY(GS_PROGRESSING, out, "%lld of %lld Pods are %s", (long long)count, (long long)wanted, counts[i].word);
        }
    }
    return SAY(GS_HEALTHY, out, "%lld Pods are ready", (long long)wanted);
}

static gs_health judge_replica_set(const gs_node *live, const said *out)
{
    const gs_node *status = gs_node_get(live, "status");
    const gs_node *failure = gs_kube_condition(live, "ReplicaFailure");
    int64_t wanted = gs_node_integer(gs_node_get(live, "spec"), "replicas", 1);
    int64_t available = gs_node_integer(status, "availableReplicas", 0);
    int64_t ready = gs_node_integer(status, "readyReplicas", 0);
    int64_t replicas = gs_node_integer(status, "replicas", 0);
    if (gs_condition_is(failure, "True")) {
        return say_condition(GS_PROGRESSING, out, failure);
    }
    if (available < wanted || ready < wanted) {
        return SAY(GS_PROGRESSING, out, "%lld of %lld replicas are available", (long long)available, (long long)wanted);
    }
    if (replicas > wanted) {
        return SAY(GS_PROGRESSING, out, "%lld replicas are still to end", (long long)(replicas - wanted));
    }
    return SAY(GS_HEALTHY, out, "%lld replicas are available", (long long)available);
}

static gs_health judge_job(const gs_node *live, const said *out)
{
    const gs_node *failed = gs_kube_condition(live, "Failed");
    if (gs_condition_is(gs_kube_condition(live, "Complete"), "True")) {
        return SAY(GS_HEALTHY, out, "it is complete");
    }
    if (gs_condition_is(failed, "True")) {
        return say_condition(GS_FAILED, out, failed);
    }
    if (gs_text_equal(gs_node_text(gs_node_get(live, "spec"), "suspend"), "true")) {
        return SAY(GS_PROGRESSING, out, "it is suspended");
    }
    return SAY(GS_PROGRESSING, out, "it is running");
}

static gs_health judge_pod(const gs_node *live, const said *out)
{
    return gs_kube_pod_health(live, out->reason, out->size);
}

/* A claim that is to wait for its first Pod stays Pending without a provisioner; the Pod tells whether that ends well. */
static gs_health judge_claim(const gs_node *live, const said *out)
{
    const gs_node *annotations = gs_node_at(live, "metadata/annotations");
    const char *phase = text_of(gs_node_get(live, "status"), "phase");
    bool provisioning = gs_node_text(annotations, "volume.kubernetes.io/storage-provisioner") ||
                        gs_node_text(annotations, "volume.beta.kubernetes.io/storage-provisioner");
    if (strcmp(phase, "Lost") == 0) {
        return SAY(GS_FAILED, out, "its volume is lost");
    }
    if (strcmp(phase, "Bound") == 0) {
        return SAY(GS_HEALTHY, out, "it is bound");
    }
    if (strcmp(phase, "Pending") == 0 && !provisioning) {
        return SAY(GS_HEALTHY, out, "it waits for its first Pod");
    }
    return SAY(GS_PROGRESSING, out, "its volume is being made");
}

static gs_health judge_definition(const gs_node *live, const said *out)
{
    const gs_node *names = gs_kube_condition(live, "NamesAccepted");
    if (gs_condition_is(gs_kube_condition(live, "Established"), "True")) {
        return SAY(GS_HEALTHY, out, "it is established");
    }
    if (gs_condition_is(names, "False")) {
        return say_condition(GS_FAILED, out, names);
    }
    return SAY(GS_PROGRESSING, out, "it is not established yet");
}

static gs_health judge_sealed_secret(const gs_node *live, const said *out)
{
    const gs_node *synced = gs_kube_condition(live, "Synced");
    if (gs_condition_is(synced, "True")) {
        return SAY(GS_HEALTHY, out, "it is unsealed");
    }
    if (gs_condition_is(synced, "False")) {
        return say_condition(GS_FAILED, out, synced);
    }
    return SAY(GS_PROGRESSING, out, "it is not unsealed yet");
}

static gs_health judge_rollout(const gs_node *live, const said *out)
{
    const gs_node *status = gs_node_get(live, "status");
    const char *phase = text_of(status, "phase");
    const char *message = text_of(status, "message");
    gs_health health = strcmp(phase, "Healthy") == 0 ? GS_HEALTHY : strcmp(phase, "Degraded") == 0 ? GS_FAILED : GS_PROGRESSING;
    return SAY(health, out, "%s%s%s", *phase ? phase : "it has no phase yet", *message ? ": " : "", message);
}

static gs_health judge_namespace(const gs_node *live, const said *out)
{
    if (strcmp(text_of(gs_node_get(live, "status"), "phase"), "Terminating") == 0) {
        return SAY(GS_PROGRESSING, out, "it is being deleted");
    }
    return SAY(GS_HEALTHY, out, "it is there");
}

/* A kind without a rule of its own: its conditions, if it has any, else being there is all. */
static gs_health judge_other(const gs_node *live, const said *out)
{
    static const char *const types[] = {"Ready", "Available"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const gs_node *condition = gs_kube_condition(live, types[i]);
        if (condition && !gs_condition_is(condition, "True")) {
            return say_condition(GS_PROGRESSING, out, condition);
        }
    }
    return SAY(GS_HEALTHY, out, "it is there");
}

static const struct {
    const char *group, *kind;
    gs_health (*judge)(const gs_node *live, const said *out);
} rules[] = {
    {"", "Namespace", judge_namespace},
    {"", "PersistentVolumeClaim", judge_claim},
    {"", "Pod", judge_pod},
    {"apiextensions.k8s.io", "CustomResourceDefinition", judge_definition},
    {"apps", "DaemonSet", judge_daemon_set},
    {"apps", "Deployment", judge_deployment},
    {"apps", "ReplicaSet", judge_replica_set},
    {"apps", "StatefulSet", judge_stateful_set},
    {"argoproj.io", "Rollout", judge_rollout},
    {"batch", "Job", judge_job},
    {"bitnami.com", "SealedSecret", judge_sealed_secret},
};

gs_health gs_kube_health(const gs_node *live, char *reason, size_t size)
{
    const said out = {.reason = reason, .size = size};
    gs_object_id id;
    if (gs_object_identify(live, &id, NULL) < 0) {
        return SAY(GS_PROGRESSING, &out, "it is not there");
    }
    gs_health health = judge_any(live, &out);
    if (health != GS_HEALTHY) {
        return health;
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (gs_kube_is(&id, rules[i].group, rules[i].kind)) {
            return rules[i].judge(live, &out);
        }
    }
    return judge_other(live, &out);
}
