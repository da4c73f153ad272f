/* job.c: the whole Job as JSON. */
#include "support.h"

#include "gapship/kube.h"
#include "gapship/limits.h"

static void assert_job(const gs_job_spec *spec, const char *expected)
{
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf json;
    gs_buf_init(&json, GS_MAX_DOC_BYTES);
    gs_node *job = gs_kube_job(arena, spec);
    assert_non_null(job);
    assert_ok(&err, gs_node_write_json(job, GS_JSON_COMPACT, &json, &err));
    assert_string_equal(gs_buf_text(&json), expected);
}

static void a_full_job(void **state)
{
    static const char *const command[] = {"alembic", "upgrade", "head"};
    gs_text_pair env[] = {{"Z", "1"}, {"A", "$(Z)"}};
    gs_text_pair labels[] = {{"gapship.io/environment", "prod"}};
    const char *secrets[] = {"infrahub-db", "infrahub-jwt"};
    const gs_text_map env_map = {env, 2}, label_map = {labels, 1};
    const gs_text_list from = {secrets, 2};
    const gs_job_spec spec = {.name = "mig-main-0123456789ab",
                              .namespace = "infrahub-system",
                              .image = "reg:5000/backend@sha256:00",
                              .command = command,
                              .command_count = 3,
                              .env = &env_map,
                              .env_from = &from,
                              .service_account = "migrator",
                              .deadline_seconds = 300,
                              .labels = &label_map};
    (void)state;
    assert_job(&spec, "{\"apiVersion\":\"batch/"
                      "v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"mig-main-0123456789ab\",\"namespace\":\"infrahub-system\","
                      "\"labels\":{\"app.kubernetes.io/managed-by\":\"gapship\",\"gapship.io/environment\":\"prod\"}},"
                      "\"spec\":{\"backoffLimit\":0,\"activeDeadlineSeconds\":300,\"parallelism\":1,\"completions\":1,\"template\":"
                      "{\"metadata\":{"
                      "\"labels\":{\"app.kubernetes.io/managed-by\":\"gapship\",\"gapship.io/environment\":\"prod\"}},\"spec\":{"
                      "\"restartPolicy\":\"Never\",\"serviceAccountName\":\"migrator\",\"containers\":[{\"name\":\"migrate\","
                      "\"image\":\"reg:5000/backend@sha256:00\",\"command\":[\"alembic\",\"upgrade\",\"head\"],"
                      "\"env\":[{\"name\":\"Z\",\"value\":\"1\"},{\"name\":\"A\",\"value\":\"$(Z)\"}],"
                      "\"envFrom\":[{\"secretRef\":{\"name\":\"infrahub-db\"}},{\"secretRef\":{\"name\":\"infrahub-jwt\"}}]}]}}}}");
}

static void the_least_job(void **state)
{
    static const char *const command[] = {"true"};
    const gs_job_spec spec = {.name = "m", .image = "i", .command = command, .command_count = 1, .deadline_seconds = 1};
    (void)state;
    assert_job(
        &spec,
        "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"m\",\"labels\":{\"app.kubernetes.io/managed-by\":"
        "\"gapship\"}},\"spec\":{\"backoffLimit\":0,\"activeDeadlineSeconds\":1,\"parallelism\":1,\"completions\":1,\"template\":{"
        "\"metadata\":{\"labels\":{\"app.kubernetes.io/managed-by\":\"gapship\"}},\"spec\":{\"restartPolicy\":\"Never\","
        "\"containers\":[{\"name\":\"migrate\",\"image\":\"i\",\"command\":[\"true\"]}]}}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_full_job), cmocka_unit_test(the_least_job)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
