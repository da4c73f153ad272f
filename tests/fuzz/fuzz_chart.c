/* Chart.yaml as the build reads it out of a chart: what becomes the chart's config is a JSON object that says the same. */
#include <string.h>

/* The reader is a static function of the build. */
#include "builder/gather.c"
#include "fuzz.h"
#include "scratch.h"

static const uint8_t *chart;
static size_t chart_len;

/* Instead of the process that reads archives: one chart with one file. */
int __wrap_gs_tar_read_apart(const gs_run *run, int fd, const gs_tar_limits *limits, gs_tar_visitor visit, void *state,
                             gs_error *err);

int __wrap_gs_tar_read_apart(const gs_run *run, int fd, const gs_tar_limits *limits, gs_tar_visitor visit, void *state,
                             gs_error *err)
{
    (void)run;
    (void)fd;
    (void)limits;
    const gs_tar_entry entry = {.name = "app/Chart.yaml", .kind = GS_TAR_FILE, .size = chart_len};
    gs_source *content = NULL;
    int code = gs_source_memory(chart, chart_len, &content, err);
    code = code == 0 ? visit(state, &entry, content, err) : code;
    gs_source_cancel(&content);
    return code;
}

static void check_config(const gs_packed *packed)
{
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_BUF gs_buf again;
    gs_buf_init(&again, GS_MAX_CONFIG_BYTES);
    check(gs_doc_parse(GS_JSON, "config", packed->config, strlen(packed->config), &doc, &err) == 0);
    const gs_node *version = gs_node_get(doc->root, "version");
    check(doc->root->kind == GS_NODE_MAP && version && packed->version[0] != '\0');
    check(version->kind != GS_NODE_TEXT || strcmp(version->text, packed->version) == 0); /* "1." is a number, written as one */
    check(gs_node_write_json(doc->root, GS_JSON_COMPACT | GS_JSON_SORTED, &again, &err) == 0);
    check(strcmp(gs_buf_text(&again), packed->config) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    char path[SCRATCH_PATH];
    chart = data;
    chart_len = size;
    scratch_write("chart.tgz", "", 0, path);
    check(arena && gs_doc_parse(GS_JSON, "release.yaml", "{}", 2, &doc, &err) == 0);
    gs_release release = {.doc = doc};
    gs_builder builder = {.arena = arena, .release = &release};
    const gs_chart_spec spec = {.name = "app", .from = "chart"};
    gs_packed packed = {.path = path};
    if (read_chart(&builder, &spec, &packed, &err) == 0) {
        check_config(&packed);
    } else {
        check(err.code == GS_ESPEC || err.code == GS_ELIMIT);
    }
    return 0;
}
