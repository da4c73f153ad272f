/* Signatures that the minisign command makes, and what is said of those that do not count. What must not count at all is in vectors.txt. */
#include <string.h>

#include "gapship/limits.h"
#include "key_tool.h"

#define MESSAGE "DSSEv1 28 application/vnd.in-toto+json 2 {}"

/* Makes "k", "k.pub", "message", by the commands "x"; the row's message is that of the error. */
static int verify(const char *commands, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf signature;
    gs_error other = {0};
    gs_buf_init(&signature, GS_MAX_KEY_FILE_BYTES);
    key_shell("rm -f k k.pub x; minisign -G -W -f -p k.pub -s k >/dev/null; printf %s '" MESSAGE "' > message");
    key_make(&(bad_file){.command = commands});
    assert_ok(&other, gs_fs_read_file(key_directory(), "x", &signature, &other));
    assert_ok(&other, gs_public_key_load(key_path("k.pub"), &key, &other));
    return gs_signature_verify(key, MESSAGE, strlen(MESSAGE), signature.data, signature.len, err);
}

static void test_what_minisign_signs_verifies(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "minisign -S -H -s k -m message -x x",
        "minisign -S -s k -m message -x x",
        "minisign -S -H -s k -m message -x x -t 'shop 1.0.0' -c 'by hand'",
    };
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        gs_error err = {0};
        assert_ok(&err, verify(commands[i], &err));
    }
}

static void test_reasons(void **state)
{
    (void)state;
    static const struct {
        const char *commands, *text;
    } rows[] = {
        {"minisign -S -l -s k -m message -x x", "of the legacy kind, which does not hash first"},
        {"minisign -S -l -s k -m message -x x", "sign with: minisign -S -H -m statement.pae"},
        {"minisign -G -W -f -p other.pub -s other; minisign -S -H -s other -m message -x x", "the minisign signature is by key "},
        {"echo >> message; minisign -S -H -s k -m message -x x", "it does not fit what is signed"},
        {"minisign -S -H -s k -m message -x y; sed 's/hashed/mashed/' y > x", "the trusted comment is not the one that was signed"},
        {"minisign -S -H -s k -m message -x y; sed 's/^trusted/Trusted/' y > x", "line 3 of the minisign signature"},
        {"minisign -S -H -s k -m message -x y; sed '1s/un//' y > x", "line 1 of the minisign signature"},
        {"minisign -S -H -s k -m message -x y; sed '2s/^R/ R/' y > x", "line 2 of the minisign signature is not 74 bytes"},
        {"minisign -S -H -s k -m message -x y; sed '4s/=//' y > x", "line 4 of the minisign signature is not 64 bytes"},
        {"minisign -S -H -s k -m message -x y; head -n 2 y > x", "four lines"},
        {"minisign -S -H -s k -m message -x y; { sed -n 1p y; { printf XX; sed -n 2p y | base64 -d | tail -c +3; } | base64 -w 0; "
         "echo; sed -n "
         "3,4p y; } > x",
         "an algorithm that minisign does not have"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        gs_error err = {0};
        assert_fails(&err, GS_ESIGNATURE, rows[i].text, verify(rows[i].commands, &err));
        assert_fails(&err, GS_ESIGNATURE, " does not count: ", verify(rows[i].commands, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_minisign_signs_verifies),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, key_tool_enter, key_tool_leave);
}
