/* health.c: live objects and the verdict on them. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "gapship/kube.h"

#define DEPLOYMENT "apiVersion: apps/v1, kind: Deployment, metadata: {name: x, generation: 2}, "
#define AVAILABLE  "{type: Available, status: 'True'}"
#define COMPLETE   "{type: Progressing, status: 'True', reason: NewReplicaSetAvailable}"
#define STATEFUL   "apiVersion: apps/v1, kind: StatefulSet, metadata: {name: x}, "
#define DAEMON     "apiVersion: apps/v1, kind: DaemonSet, metadata: {name: x}, "
#define JOB        "apiVersion: batch/v1, kind: Job, metadata: {name: x}, "
#define CLAIM                                                                                                                      \
    "apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x, annotations: {volume.kubernetes.io/storage-provisioner: "    \
    "p}}, "
#define CRD     "apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}, "
#define SEALED  "apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: x}, "
#define ROLLOUT "apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: x, generation: 4}, "
#define OTHER   "apiVersion: example.com/v1, kind: Thing, metadata: {name: x, generation: 1}, "

static const struct {
    const char *object;
    gs_health health;
    const char *reason;
} cases[] = {
    {DEPLOYMENT
     "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3,"
     " conditions: [" AVAILABLE ", " COMPLETE "]}",
     GS_HEALTHY, "3 replicas"},
    {DEPLOYMENT
     "spec: {}, status: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [" AVAILABLE "]}",
     GS_HEALTHY, "1 replica"},
    {DEPLOYMENT "spec: {replicas: 0}, status: {observedGeneration: 2, conditions: [" AVAILABLE ", " COMPLETE "]}", GS_HEALTHY,
     "0 replicas"},
    {DEPLOYMENT "spec: {replicas: 3}", GS_PROGRESSING, "0 of 3"},
    {DEPLOYMENT "status: {observedGeneration: 1}", GS_PROGRESSING, "has not seen the change"},
    {DEPLOYMENT "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 4, updatedReplicas: 2}", GS_PROGRESSING,
     "2 of 3 replicas are updated"},
    {DEPLOYMENT "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 4, updatedReplicas: 3}", GS_PROGRESSING,
     "1 old replicas"},
    {DEPLOYMENT "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, "
                "availableReplicas: 2}",
     GS_PROGRESSING, "2 of 3 replicas are available"},
    {DEPLOYMENT
     "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3,"
     " conditions: [" AVAILABLE ", {type: Progressing, status: 'True', reason: ReplicaSetUpdated, message: busy}]}",
     GS_PROGRESSING, "ReplicaSetUpdated: busy"},
    {DEPLOYMENT
     "spec: {replicas: 1}, status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1,"
     " conditions: [" COMPLETE "]}",
     GS_PROGRESSING, "not available yet"},
    {DEPLOYMENT "status: {observedGeneration: 2, conditions: [{type: Progressing, status: 'False', reason: "
                "ProgressDeadlineExceeded, message: 'timed out'}]}",
     GS_FAILED, "ProgressDeadlineExceeded: timed out"},
    {DEPLOYMENT "status: {conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: 'exceeded quota'}]}",
     GS_PROGRESSING, "FailedCreate: exceeded quota"},
    {DEPLOYMENT "spec: {paused: true}, status: {observedGeneration: 2}", GS_PROGRESSING, "paused"},
    {"apiVersion: apps/v1, kind: Deployment, metadata: {name: x, deletionTimestamp: '2026-11-21T00:00:00Z'}", GS_PROGRESSING,
     "being deleted"},

    {STATEFUL
     "spec: {replicas: 2}, status: {replicas: 2, readyReplicas: 2, updatedReplicas: 2, currentRevision: a, updateRevision: a}",
     GS_HEALTHY, "2 replicas"},
    {STATEFUL
     "spec: {replicas: 2}, status: {replicas: 2, readyReplicas: 2, updatedReplicas: 1, currentRevision: a, updateRevision: b}",
     GS_PROGRESSING, "1 of 2 replicas are updated"},
    {STATEFUL "spec: {replicas: 2}, status: {replicas: 2, readyReplicas: 1}", GS_PROGRESSING, "1 of 2 replicas are ready"},
    {STATEFUL "spec: {replicas: 1}, status: {replicas: 2, readyReplicas: 2}", GS_PROGRESSING, "1 replicas are still to end"},
    {STATEFUL "spec: {replicas: 1, updateStrategy: {type: OnDelete}}, status: {replicas: 0}", GS_HEALTHY, "deleted"},
    {STATEFUL "spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {replicas: 3, readyReplicas: 3, "
              "updatedReplicas: 2,"
              " currentRevision: a, updateRevision: b}",
     GS_HEALTHY, "3 replicas"},
    {STATEFUL "spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {replicas: 3, readyReplicas: 3, "
              "updatedReplicas: 1}",
     GS_PROGRESSING, "1 of 2 replicas are updated"},

    {DAEMON "spec: {}", GS_PROGRESSING, "has not seen it"},
    {DAEMON "status: {observedGeneration: 1, desiredNumberScheduled: 0}", GS_HEALTHY, "0 Pods"},
    {DAEMON "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, "
            "numberAvailable: 2,"
            " numberReady: 2}",
     GS_HEALTHY, "2 Pods"},
    {DAEMON "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 1}",
     GS_PROGRESSING, "1 of 2 Pods are updated"},
    {DAEMON "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, "
            "numberAvailable: 2,"
            " numberReady: 1}",
     GS_PROGRESSING, "1 of 2 Pods are ready"},

    {"apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: x}, spec: {replicas: 1}, status: {replicas: 1, readyReplicas: 1, "
     "availableReplicas: 1}",
     GS_HEALTHY, "1 replicas"},
    {"apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: x}, spec: {replicas: 1}, status: {replicas: 2, readyReplicas: 1, "
     "availableReplicas: 1}",
     GS_PROGRESSING, "still to end"},
    {"apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: x}, status: {conditions: [{type: ReplicaFailure, status: 'True', "
     "message: quota}]}",
     GS_PROGRESSING, "quota"},

    {JOB "status: {active: 1, startTime: x}", GS_PROGRESSING, "running"},
    {JOB "spec: {suspend: true}", GS_PROGRESSING, "suspended"},
    {JOB "status: {conditions: [{type: SuccessCriteriaMet, status: 'True'}]}", GS_PROGRESSING, "running"},
    {JOB "status: {conditions: [{type: Complete, status: 'True'}]}", GS_HEALTHY, "complete"},
    {JOB "status: {conditions: [{type: Complete, status: 'False'}]}", GS_PROGRESSING, "running"},
    {JOB "status: {conditions: [{type: FailureTarget, status: 'True'}]}", GS_PROGRESSING, "running"},
    {JOB "status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: 'too many'}]}", GS_FAILED,
     "BackoffLimitExceeded: too many"},

    {CLAIM "status: {phase: Bound}", GS_HEALTHY, "bound"},
    {CLAIM "status: {phase: Pending}", GS_PROGRESSING, "being made"},
    {CLAIM "status: {phase: Lost}", GS_FAILED, "lost"},
    {"apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x}, status: {phase: Pending}", GS_HEALTHY, "first Pod"},
    {"apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x}", GS_PROGRESSING, "being made"},

    {CRD "spec: {}", GS_PROGRESSING, "not established"},
    {CRD "status: {conditions: [{type: Established, status: 'True'}]}", GS_HEALTHY, "established"},
    {CRD "status: {conditions: [{type: NamesAccepted, status: 'False', reason: Conflict, message: taken}]}", GS_FAILED,
     "Conflict: taken"},

    {SEALED "spec: {}", GS_PROGRESSING, "not unsealed"},
    {SEALED "status: {conditions: [{type: Synced, status: 'True'}]}", GS_HEALTHY, "unsealed"},
    {SEALED "status: {conditions: [{type: Synced, status: 'False', message: 'no key could decrypt secret'}]}", GS_FAILED,
     "no key could decrypt"},

    {ROLLOUT "status: {observedGeneration: '4', phase: Healthy}", GS_HEALTHY, "Healthy"},
    {ROLLOUT "status: {observedGeneration: '3', phase: Healthy}", GS_PROGRESSING, "has not seen the change"},
    {ROLLOUT "status: {observedGeneration: '4', phase: Paused, message: CanaryPauseStep}", GS_PROGRESSING,
     "Paused: CanaryPauseStep"},
    {ROLLOUT "status: {observedGeneration: '4', phase: Degraded, message: aborted}", GS_FAILED, "Degraded: aborted"},
    {ROLLOUT "status: {observedGeneration: '4'}", GS_PROGRESSING, "no phase"},

    {"apiVersion: v1, kind: Namespace, metadata: {name: x}, status: {phase: Active}", GS_HEALTHY, "there"},
    {"apiVersion: v1, kind: Namespace, metadata: {name: x}, status: {phase: Terminating}", GS_PROGRESSING, "being deleted"},
    {"apiVersion: v1, kind: Service, metadata: {name: x}, spec: {type: LoadBalancer}, status: {loadBalancer: {}}", GS_HEALTHY,
     "there"},
    {"apiVersion: v1, kind: ConfigMap, metadata: {name: x}", GS_HEALTHY, "there"},
    {OTHER "spec: {}", GS_HEALTHY, "there"},
    {OTHER "status: {conditions: [{type: Ready, status: 'True'}]}", GS_HEALTHY, "there"},
    {OTHER "status: {conditions: [{type: Ready, status: Unknown}]}", GS_PROGRESSING, "Ready is Unknown"},
    {OTHER "status: {conditions: [{type: Available, status: 'False', reason: NoPods}]}", GS_PROGRESSING, "NoPods"},
    {OTHER "status: {observedGeneration: 0}", GS_PROGRESSING, "has not seen"},
    {OTHER "status: {conditions: [{type: Reconciling, status: 'True', message: 'working\nhard'}]}", GS_PROGRESSING, "working hard"},
    {OTHER "status: {conditions: [{type: Stalled, status: 'True', reason: Broken}]}", GS_FAILED, "Broken"},
    {OTHER "status: {conditions: 7}", GS_HEALTHY, "there"},
    {"apiVersion: batch/v1, kind: CronJob, metadata: {name: x}", GS_HEALTHY, "there"},
    {"apiVersion: example.com/v1, kind: Job, metadata: {name: x}", GS_HEALTHY, "there"},
    {"kind: Status", GS_PROGRESSING, "not there"},
};

static void judges_objects(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        GS_AUTO_DOC gs_doc *doc = NULL;
        char text[2048], reason[256] = "";
        int len = snprintf(text, sizeof text, "{%s}", cases[i].object);
        assert_ok(&err, gs_doc_parse(GS_MANIFEST, "case", text, (size_t)len, &doc, &err));
        print_message("  %s\n", cases[i].object);
        assert_int_equal(gs_kube_health(doc->root, reason, sizeof reason), cases[i].health);
        assert_contains(reason, cases[i].reason);
    }
}

static void a_reason_is_cut_and_harmless(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    char reason[12];
    static const char text[] = "{" OTHER "status: {conditions: [{type: Stalled, status: 'True', message: \"\\e[31mred alert\"}]}}";
    assert_ok(&err, gs_doc_parse(GS_MANIFEST, "case", text, strlen(text), &doc, &err));
    assert_int_equal(gs_kube_health(doc->root, reason, sizeof reason), GS_FAILED);
    assert_string_equal(reason, "?[31mred al");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(judges_objects), cmocka_unit_test(a_reason_is_cut_and_harmless)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
