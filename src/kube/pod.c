/* What keeps a Pod from getting ready. A controller reports only that replicas are missing; the Pod says why, and some reasons mean
 * that no waiting helps. Must not know the clock: what only time can tell stays GS_PROGRESSING with its reason. */
#include "internal.h"

#include <stddef.h>
#include <string.h>

#include "gapship/text.h"

/* Restarts after which a crash loop is not a start that needs a second try: about half a minute of back-off. */
#define CRASHES_TOO_MANY 3

static const char *text_of(const gs_node *map, const char *key)
{
    const char *text = gs_node_text(map, key);
    return text ? text : "";
}

/* Reasons of a waiting container that do not pass by themselves. */
static bool is_final_wait(const char *reason, int64_t restarts)
{
    static const char *const reasons[] = {"ErrImagePull",         "ImagePullBackOff",           "InvalidImageName",
                                          "ErrImageNeverPull",    "ImageInspectError",          "RegistryUnavailable",
                                          "CreateContainerError", "CreateContainerConfigError", "RunContainerError"};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reason, reasons[i]) == 0) {
            return true;
        }
    }
    return strcmp(reason, "CrashLoopBackOff") == 0 && restarts >= CRASHES_TOO_MANY;
}

static gs_health judge_wait(const gs_node *status, const gs_node *waiting, char *out, size_t size)
{
    const char *reason = text_of(waiting, "reason");
    const char *message = text_of(waiting, "message");
    const gs_node *last = gs_node_at(status, "lastState/terminated");
    int64_t restarts = gs_node_integer(status, "restartCount", 0);
    gs_health health = is_final_wait(reason, restarts) ? GS_FAILED : GS_PROGRESSING;
    if (strcmp(reason, "CrashLoopBackOff") == 0 && last) {
        return gs_health_say(health, out, size, "container %s: CrashLoopBackOff after %lld restarts, last exit status %lld (%s) %s",
                             text_of(status, "name"), (long long)restarts, (long long)gs_node_integer(last, "exitCode", 0),
                             text_of(last, "reason"), text_of(last, "message"));
    }
    return gs_health_say(health, out, size, "container %s: %s%s%s (image %s)", text_of(status, "name"), reason,
                         *message ? ": " : "", message, text_of(status, "image"));
}

/* The first container that waits for something worse than its turn. */
static bool judge_containers(const gs_node *pod, const char *key, gs_health *health, char *out, size_t size)
{
    const gs_node *statuses = gs_node_get(gs_node_get(pod, "status"), key);
    for (size_t i = 0; statuses && statuses->kind == GS_NODE_LIST && i < statuses->count; i++) {
        const gs_node *waiting = gs_node_at(statuses->items[i], "state/waiting");
        const char *reason = text_of(waiting, "reason");
        if (*reason && strcmp(reason, "ContainerCreating") != 0 && strcmp(reason, "PodInitializing") != 0) {
            *health = judge_wait(statuses->items[i], waiting, out, size);
            return true;
        }
    }
    return false;
}

/* The container that ended a Pod, for its exit status. */
static gs_health judge_failed(const gs_node *pod, char *out, size_t size)
{
    static const char *const keys[] = {"initContainerStatuses", "containerStatuses"};
    const gs_node *status = gs_node_get(pod, "status");
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        const gs_node *statuses = gs_node_get(status, keys[k]);
        for (size_t i = 0; statuses && statuses->kind == GS_NODE_LIST && i < statuses->count; i++) {
            const gs_node *ended = gs_node_at(statuses->items[i], "state/terminated");
            int64_t code = gs_node_integer(ended, "exitCode", 0);
            if (code != 0) {
                return gs_health_say(GS_FAILED, out, size, "container %s ended with status %lld (%s) %s",
                                     text_of(statuses->items[i], "name"), (long long)code, text_of(ended, "reason"),
                                     text_of(ended, "message"));
            }
        }
    }
    return gs_health_say(GS_FAILED, out, size, "the Pod failed: %s %s", text_of(status, "reason"), text_of(status, "message"));
}

gs_health gs_kube_pod_health(const gs_node *pod, char *reason, size_t size)
{
    const gs_node *status = gs_node_get(pod, "status");
    const char *phase = text_of(status, "phase");
    const gs_node *scheduled = gs_kube_condition(pod, "PodScheduled");
    gs_health health;
    if (strcmp(phase, "Failed") == 0) {
        return judge_failed(pod, reason, size);
    }
    if (strcmp(phase, "Succeeded") == 0) {
        return gs_health_say(GS_HEALTHY, reason, size, "the Pod has ended well");
    }
    if (judge_containers(pod, "initContainerStatuses", &health, reason, size) ||
        judge_containers(pod, "containerStatuses", &health, reason, size)) {
        return health;
    }
    if (gs_condition_is(scheduled, "False")) {
        return gs_health_say(GS_PROGRESSING, reason, size, "%s: %s", text_of(scheduled, "reason"), text_of(scheduled, "message"));
    }
    if (gs_condition_is(gs_kube_condition(pod, "Ready"), "True")) {
        return gs_health_say(GS_HEALTHY, reason, size, "the Pod is ready");
    }
    return gs_health_say(GS_PROGRESSING, reason, size, "the Pod is not ready yet");
}
