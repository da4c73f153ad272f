/* The Kubernetes API, spoken as HTTP through `kubectl proxy` on a private socket: answers come as JSON with real status codes, and
 * no kubeconfig or credential plug-in is read by gapship itself. Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_KUBEAPI_H
#define GAPSHIP_TARGETS_KUBEAPI_H

#include "gapship/http.h"
#include "gapship/kube.h"
#include "targets.h"

#define GS_FIELD_MANAGER "gapship"

typedef struct gs_api gs_api;
/* Starts the proxy for the environment's kubeconfig and context. GS_ECHECK when the environment has no kubeconfig, GS_ENETWORK when
 * the cluster does not answer. */
int gs_api_open(const gs_target_job *job, gs_api **out, gs_error *err) GS_MUST_USE;
void gs_api_close(gs_api *api);
void gs_api_close_p(gs_api **api);
#define GS_AUTO_API __attribute__((cleanup(gs_api_close_p)))

/* One call, tried again while the server is busy or away. path begins with "/api" or "/apis". status gets the HTTP status; body
 * the answer. 0 for every status. */
typedef struct gs_api_call {
    const char *method;
    const char *path;
    const char *content_type; /* of body; NULL: application/json */
    const gs_buf *body;       /* or NULL */
} gs_api_call;
int gs_api_send(gs_api *api, const gs_api_call *call, int *status, gs_buf *body, gs_error *err) GS_MUST_USE;

/* Path of an object: its kind's plural name is asked from the API once. GS_ENOTFOUND when the cluster has no such kind. In arena.
 */
int gs_api_path(gs_api *api, const gs_object_id *id, gs_arena *arena, const char **out, gs_error *err) GS_MUST_USE;
/* The live object; *out NULL when it is not there (nor its kind). doc is the caller's. */
int gs_api_get(gs_api *api, const gs_object_id *id, gs_doc **out, gs_error *err) GS_MUST_USE;
/* Server-side apply by field manager gapship; dry_run changes nothing. *out, if not NULL, gets the answered object. 409 is
 * GS_ECONFLICT with the field and its manager, 403 GS_EAUTH, anything else GS_EAPPLY with the API's message. */
int gs_api_apply(gs_api *api, const gs_node *object, bool dry_run, gs_doc **out, gs_error *err) GS_MUST_USE;
/* Removes an object; absent is no error. foreground: it stays until its dependents are gone, else they go in the background. */
int gs_api_delete(gs_api *api, const gs_object_id *id, bool foreground, gs_error *err) GS_MUST_USE;
/* Makes a namespace where it is known to be absent: it is part of getting there, as with `helm --create-namespace`. */
int gs_api_need_namespace(gs_api *api, const char *name, gs_error *err) GS_MUST_USE;
/* The Pods that a label selector names in a namespace: a PodList. */
int gs_api_pods(gs_api *api, const char *namespace, const char *selector, gs_doc **out, gs_error *err) GS_MUST_USE;
/* The error of an API answer: its message, and the code for its status. Returns the code. */
int gs_api_fail(int status, const gs_buf *body, gs_error *err);

#endif
