/* pod.c: Pods as kubelets report them. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "gapship/kube.h"

#define WAIT(reason, message)                                                                                                      \
    "containerStatuses: [{name: app, image: r/a:1, restartCount: 0, state: {waiting: {reason: " reason ", message: '" message      \
    "'}}}]"
#define LOOP(restarts)                                                                                                             \
    "containerStatuses: [{name: app, restartCount: " restarts ", state: {waiting: {reason: CrashLoopBackOff, message: back-off}}," \
    " lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]"

static const struct {
    const char *status;
    gs_health health;
    const char *reason;
} cases[] = {
    {"", GS_PROGRESSING, "not ready yet"},
    {"phase: Pending", GS_PROGRESSING, "not ready yet"},
    {"phase: Pending, " WAIT("ContainerCreating", ""), GS_PROGRESSING, "not ready yet"},
    {"phase: Pending, " WAIT("PodInitializing", ""), GS_PROGRESSING, "not ready yet"},
    {"phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/3 nodes are "
     "available'}]",
     GS_PROGRESSING, "Unschedulable: 0/3 nodes are available"},
    {"phase: Running, conditions: [{type: Ready, status: 'False'}]", GS_PROGRESSING, "not ready yet"},
    {"phase: Running, conditions: [{type: PodScheduled, status: 'True'}, {type: Ready, status: 'True'}]", GS_HEALTHY, "ready"},
    {"phase: Succeeded", GS_HEALTHY, "ended well"},
    {"phase: Failed, reason: Evicted, message: 'low on memory'", GS_FAILED, "Evicted low on memory"},
    {"phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 0}}}, {name: b, state: {terminated: {exitCode: "
     "3, reason: Error}}}]",
     GS_FAILED, "container b ended with status 3 (Error)"},
    {"phase: Failed, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 1, reason: Error, message: boom}}}]",
     GS_FAILED, "container i ended with status 1 (Error) boom"},
    {"phase: Pending, " WAIT("ErrImagePull", "manifest unknown"), GS_FAILED,
     "container app: ErrImagePull: manifest unknown (image r/a:1)"},
    {"phase: Pending, " WAIT("ImagePullBackOff", "Back-off pulling"), GS_FAILED, "ImagePullBackOff"},
    {"phase: Pending, " WAIT("InvalidImageName", ""), GS_FAILED, "InvalidImageName (image"},
    {"phase: Pending, " WAIT("CreateContainerConfigError", "secret \"auth-secrets\" not found"), GS_FAILED,
     "secret \"auth-secrets\" not found"},
    {"phase: Pending, " WAIT("CreateContainerError", ""), GS_FAILED, "CreateContainerError"},
    {"phase: Pending, init"
     "ContainerStatuses: [{name: m, state: {waiting: {reason: ImagePullBackOff}}}], " WAIT("PodInitializing", ""),
     GS_FAILED, "container m: ImagePullBackOff"},
    {"phase: Running, conditions: [{type: Ready, status: 'False'}], " LOOP("1"), GS_PROGRESSING, "after 1 restarts"},
    {"phase: Running, conditions: [{type: Ready, status: 'False'}], " LOOP("3"), GS_FAILED,
     "after 3 restarts, last exit status 137 (OOMKilled)"},
};

static void judges_pods(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        GS_AUTO_DOC gs_doc *doc = NULL;
        char text[2048], reason[256];
        int len = snprintf(text, sizeof text, "{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {%s}}", cases[i].status);
        assert_ok(&err, gs_doc_parse(GS_MANIFEST, "case", text, (size_t)len, &doc, &err));
        print_message("  %s\n", cases[i].status);
        assert_int_equal(gs_kube_pod_health(doc->root, reason, sizeof reason), cases[i].health);
        assert_contains(reason, cases[i].reason);
        assert_int_equal(gs_kube_health(doc->root, reason, sizeof reason), cases[i].health);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(judges_pods)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
