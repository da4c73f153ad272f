/* Writes out what is signed and by whom, for those who check it with other tools (docs/audit.md). Names of files come from key ids and
 * fixed words. */
#include <inttypes.h>
#include <stdio.h>

#include "bundle_internal.h"
#include "check_script.h"
#include "gapship/contents.h"
#include "gapship/fs.h"
#include "gapship/limits.h"

#define SIGNATURE_NAME_BYTES 128

static int write_text(int dirfd, const char *name, const gs_buf *text, gs_error *err)
{
    int code = gs_buf_check(text, err);
    return code == 0 ? gs_fs_write_file(dirfd, name, text->data, text->len, 0644, err) : code;
}

static int write_signed(const gs_verified *verified, int dirfd, gs_error *err)
{
    GS_AUTO_BUF gs_buf statement;
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&statement, GS_MAX_STATEMENT_BYTES);
    gs_buf_init(&encoding, GS_MAX_STATEMENT_BYTES + GS_KIB(1));
    int code = gs_verified_statement_bytes(verified, &statement, &encoding, err);
    code = code == 0 ? write_text(dirfd, "statement.json", &statement, err) : code;
    return code == 0 ? write_text(dirfd, "statement.pae", &encoding, err) : code;
}

/* As the tool wants it that verifies it; a scheme that is not known is told apart by its number. */
static void signature_name(const gs_signature_entry *entry, char out[SIGNATURE_NAME_BYTES])
{
    char id[GS_DIGEST_HEX];
    gs_digest_hex(&entry->key_id, id);
    if (entry->scheme == GS_SCHEME_KEY) {
        (void)snprintf(out, SIGNATURE_NAME_BYTES, "sig-%s.sig", id);
    } else if (entry->scheme == GS_SCHEME_MINISIGN) {
        (void)snprintf(out, SIGNATURE_NAME_BYTES, "sig-%s.minisig", id);
    } else {
        (void)snprintf(out, SIGNATURE_NAME_BYTES, "sig-%s.scheme%u", id, entry->scheme);
    }
}

static const char *verdict(const gs_verified *verified, const gs_signature_report *report)
{
    if (!verified->authentic) {
        return "not-checked";
    }
    return report->known ? "good" : "unknown-key";
}

static int write_signatures(const gs_verified *verified, int dirfd, gs_error *err)
{
    const gs_envelope *envelope = &verified->file->envelope;
    GS_AUTO_BUF gs_buf signers;
    gs_buf_init(&signers, GS_KIB(16));
    gs_buf_add_text(
        &signers,
        "# One line a signature: the id of the key that it says it is by, the scheme, what gapship found, the file.\n"
        "# The type of a key is not in a bundle, and nothing of a bundle says how it is verified: your public key does.\n");
    int code = 0;
    for (size_t i = 0; code == 0 && i < envelope->count; i++) {
        const gs_signature_entry *entry = &envelope->signatures[i];
        char id[GS_DIGEST_HEX], name[SIGNATURE_NAME_BYTES];
        size_t len = 0;
        const void *signature = gs_verified_signature(verified, i, &len);
        signature_name(entry, name);
        gs_digest_hex(&entry->key_id, id);
        gs_buf_printf(&signers, "%s  %u  %s  %s\n", id, entry->scheme, verdict(verified, &verified->reports[i]), name);
        code = gs_fs_write_file(dirfd, name, signature, len, 0644, err);
    }
    return code == 0 ? write_text(dirfd, "signers.txt", &signers, err) : code;
}

/* In the form of sha256sum --check, for where the bundle was unpacked. */
static int write_digests(const gs_verified *verified, int dirfd, gs_error *err)
{
    char index[GS_DIGEST_HEX], layout[GS_DIGEST_HEX];
    GS_AUTO_BUF gs_buf digests;
    gs_buf_init(&digests, GS_KIB(1));
    gs_digest_hex(&verified->statement.index, index);
    gs_digest_hex(&verified->statement.layout, layout);
    gs_buf_printf(&digests, "%s  gapship/index\n%s  index.json\n", index, layout);
    return write_text(dirfd, "digests.sha256", &digests, err);
}

int gs_extract_signatures(const gs_verified *verified, int dirfd, gs_error *err)
{
    int code = write_signed(verified, dirfd, err);
    code = code == 0 ? write_signatures(verified, dirfd, err) : code;
    code = code == 0 ? write_digests(verified, dirfd, err) : code;
    return code == 0 ? gs_fs_write_file(dirfd, "check.sh", gs_check_script, gs_check_script_size, 0755, err) : code;
}
