/* The bundle module as a command, for the tests that hold it against tests/support/bundle.py: the same arguments, the same output.
 *
 *     bundle_tool write PLAN.json OUTPUT KEY...
 *     bundle_tool read FILE ROOT|PUB [--head] [--allow-unsigned]       --head: without the content
 *     bundle_tool sign FILE PUB SIGNATURE
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/bundle.h"
#include "gapship/doc.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"

#define MAX_BLOBS 16

typedef struct tool_plan {
    gs_doc *doc;
    gs_buf index, manifest, roots;
    gs_buf blobs[MAX_BLOBS];
    gs_descriptor descriptors[MAX_BLOBS];
    gs_writer_plan plan;
} tool_plan;

static int read_file(const char *path, gs_buf *out, gs_error *err)
{
    gs_buf_init(out, GS_GIB(1));
    int code = gs_fs_read_file(AT_FDCWD, path, out, err);
    (void)gs_buf_text(out);
    return code;
}

static int read_statement(const gs_node *node, gs_statement *out, gs_error *err)
{
    *out = (gs_statement){
        .product = gs_node_text(node, "product"),
        .version = gs_node_text(node, "version"),
        .epoch = (uint64_t)gs_node_integer(node, "epoch", 0),
        .sequence = (uint64_t)gs_node_integer(node, "sequence", 0),
        .security_floor = (uint64_t)gs_node_integer(node, "securityFloor", 0),
        .upgrades_from = gs_node_text(node, "upgradesFrom"),
    };
    const char *fresh_until = gs_node_text(node, "freshUntil");
    if (fresh_until && !gs_parse_time(fresh_until, &out->fresh_until)) {
        return gs_fail(err, GS_ESPEC, "no time");
    }
    return gs_parse_time(gs_node_text(node, "issuedAt"), &out->issued_at) ? 0 : gs_fail(err, GS_ESPEC, "no time");
}

static int read_plan(const char *path, tool_plan *p, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    int code = read_file(path, &text, err);
    code = code == 0 ? gs_doc_parse(GS_JSON, path, text.data, text.len, &p->doc, err) : code;
    code = code == 0 ? read_statement(gs_node_get(p->doc->root, "statement"), &p->plan.statement, err) : code;
    code = code == 0 ? read_file(gs_node_text(p->doc->root, "index"), &p->index, err) : code;
    code = code == 0 ? read_file(gs_node_text(p->doc->root, "manifest"), &p->manifest, err) : code;
    const char *roots = code == 0 ? gs_node_text(p->doc->root, "roots") : NULL;
    code = roots ? read_file(roots, &p->roots, err) : code;
    const gs_node *blobs = code == 0 ? gs_node_get(p->doc->root, "blobs") : NULL;
    for (size_t i = 0; code == 0 && i < blobs->count && i < MAX_BLOBS; i++) {
        code = read_file(blobs->items[i]->text, &p->blobs[i], err);
        p->descriptors[i].size = p->blobs[i].len;
        code = code == 0 ? gs_digest_of(p->blobs[i].data, p->blobs[i].len, &p->descriptors[i].digest, err) : code;
        p->plan.blob_count++;
    }
    p->plan.volume_size = code == 0 ? (uint64_t)gs_node_integer(p->doc->root, "volumeSize", 0) : 0;
    p->plan.index_json = p->index.data;
    p->plan.index_json_len = p->index.len;
    p->plan.manifest_json = p->manifest.data;
    p->plan.manifest_json_len = p->manifest.len;
    p->plan.blobs = p->descriptors;
    p->plan.roots = p->roots.data;
    p->plan.roots_len = p->roots.len;
    return code;
}

static int put_blob(gs_writer *writer, const tool_plan *p, size_t i, gs_error *err)
{
    GS_AUTO_SINK gs_sink *sink = NULL;
    if (gs_writer_has(writer, &p->descriptors[i].digest)) {
        return 0;
    }
    int code = gs_writer_blob(writer, &p->descriptors[i].digest, &sink, err);
    code = code == 0 ? gs_sink_write(sink, p->blobs[i].data, p->blobs[i].len, err) : code;
    return code == 0 ? gs_sink_close(&sink, err) : code;
}

static int write_bundle(const tool_plan *p, const char *output, char **key_paths, size_t key_count, gs_error *err)
{
    GS_AUTO_WRITER gs_writer *writer = NULL;
    gs_private_key *keys[GS_MAX_SIGNATURES] = {NULL};
    int code = gs_writer_begin(NULL, output, &p->plan, &writer, err);
    /* The last blob first: the order of arrival must not matter. */
    for (size_t i = p->plan.blob_count; code == 0 && i-- > 0;) {
        code = put_blob(writer, p, i, err);
    }
    for (size_t i = 0; code == 0 && i < key_count; i++) {
        code = gs_private_key_load(key_paths[i], NULL, &keys[i], err);
    }
    code = code == 0 ? gs_writer_seal(writer, (const gs_private_key *const *)keys, key_count, true, NULL, err) : code;
    for (size_t i = 0; i < key_count; i++) {
        gs_private_key_free(keys[i]);
    }
    return code;
}

static int run_write(int argc, char **argv, gs_error *err)
{
    tool_plan p = {0};
    int code = read_plan(argv[2], &p, err);
    code = code == 0 ? write_bundle(&p, argv[3], argv + 4, (size_t)argc - 4, err) : code;
    gs_doc_free(p.doc);
    gs_buf_done(&p.index);
    gs_buf_done(&p.manifest);
    gs_buf_done(&p.roots);
    for (size_t i = 0; i < p.plan.blob_count; i++) {
        gs_buf_done(&p.blobs[i]);
    }
    return code;
}

static void print_members(const gs_verified *verified)
{
    size_t count;
    const gs_member *members = gs_verified_members(verified, &count);
    for (size_t i = 0; i < count; i++) {
        char name[GS_MEMBER_NAME];
        gs_member_name(&members[i], name);
        printf("%s{\"name\": \"%s\", \"size\": %" PRIu64 ", \"offset\": %" PRIu64 "}", i > 0 ? ", " : "", name, members[i].size,
               members[i].offset);
    }
}

static int print_bundle(const gs_verified *verified, gs_error *err)
{
    GS_AUTO_BUF gs_buf statement;
    GS_AUTO_BUF gs_buf encoding;
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_BUF gs_buf predicate;
    gs_buf_init(&statement, GS_MIB(1));
    gs_buf_init(&encoding, GS_MIB(2));
    gs_buf_init(&predicate, GS_MIB(2));
    int code = gs_verified_statement_bytes(verified, &statement, &encoding, err);
    code = code == 0 ? gs_doc_parse(GS_JSON, "statement", statement.data, statement.len, &doc, err) : code;
    code = code == 0 ? gs_node_write_json(gs_node_get(doc->root, "predicate"), GS_JSON_COMPACT, &predicate, err) : code;
    if (code != 0) {
        return code;
    }
    char digest[GS_DIGEST_HEX];
    gs_digest_hex(gs_verified_digest(verified), digest);
    printf("{\"digest\": \"%s\", \"authentic\": %s, \"statement\": %s, \"signatures\": [", digest,
           gs_verified_authentic(verified) ? "true" : "false", gs_buf_text(&predicate));
    size_t count;
    const gs_signature_report *reports = gs_verified_signatures(verified, &count);
    for (size_t i = 0; i < count; i++) {
        gs_digest_hex(&reports[i].key_id, digest);
        printf("%s{\"keyId\": \"%s\", \"good\": %s}", i > 0 ? ", " : "", digest, reports[i].good ? "true" : "false");
    }
    printf("], \"members\": [");
    print_members(verified);
    printf("]}\n");
    return 0;
}

static bool has_option(int argc, char **argv, const char *option)
{
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], option) == 0) {
            return true;
        }
    }
    return false;
}

static int run_read(int argc, char **argv, gs_error *err)
{
    GS_AUTO_TRUST gs_trust *trust = NULL;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    const bool head_only = has_option(argc, argv, "--head");
    const bool allow_unsigned = has_option(argc, argv, "--allow-unsigned");
    int code = gs_trust_load(argv[3], &trust, err);
    code = code == 0 ? gs_bundle_open(argv[2], &bundle, err) : code;
    code = code == 0 ? gs_bundle_walk(bundle, &trust, NULL, NULL, err) : code;
    code = code == 0 ? gs_bundle_verify(&bundle, &(gs_terms){.trust = trust, .allow_unsigned = allow_unsigned}, &verified, err)
                     : code;
    code = code == 0 && !head_only ? gs_verified_check(NULL, verified, err) : code;
    return code == 0 ? print_bundle(verified, err) : code;
}

static int run_sign(char **argv, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf signature;
    int code = read_file(argv[4], &signature, err);
    code = code == 0 ? gs_public_key_load(argv[3], &key, err) : code;
    return code == 0 ? gs_bundle_add_signature(argv[2], key, signature.data, signature.len, err) : code;
}

int main(int argc, char **argv)
{
    gs_error err = {0};
    int code = GS_EUSAGE;
    if (argc >= 4 && strcmp(argv[1], "write") == 0) {
        code = run_write(argc, argv, &err);
    } else if (argc >= 4 && strcmp(argv[1], "read") == 0) {
        code = run_read(argc, argv, &err);
    } else if (argc == 5 && strcmp(argv[1], "sign") == 0) {
        code = run_sign(argv, &err);
    }
    if (code != 0) {
        (void)fprintf(stderr, "%s: %s\n", gs_code_name(code), err.message);
    }
    return code == 0 ? 0 : gs_code_exit(code);
}
