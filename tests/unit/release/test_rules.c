/* What a single text may be. */
#include "support.h"

#include "release/release_internal.h"

typedef struct rule_case {
    bool (*rule)(const char *);
    const char *text;
    bool valid;
} rule_case;

static const rule_case cases[] = {
    {gs_rule_version, "1.2.3", true},
    {gs_rule_version, "v1.2.3-rc.1_x", true},
    {gs_rule_version, "", false},
    {gs_rule_version, "1.2.3+build", false},
    {gs_rule_version, "../1", false},
    {gs_rule_constraint, ">=1.27", true},
    {gs_rule_constraint, ">=1.2, <2", true},
    {gs_rule_constraint, "newest", false},
    {gs_rule_constraint, "", false},
    {gs_rule_path, ".", true},
    {gs_rule_path, "a/b.yaml", true},
    {gs_rule_path, "..", false},
    {gs_rule_path, "./a", false},
    {gs_rule_path, "a/../b", false},
    {gs_rule_path, "/a", false},
    {gs_rule_path, "", false},
    {gs_rule_input_name, "LDAP_HOST", true},
    {gs_rule_input_name, "a-b.c", true},
    {gs_rule_input_name, "_a9", true},
    {gs_rule_input_name, "9a", false},
    {gs_rule_input_name, "-a", false},
    {gs_rule_input_name, "a b", false},
    {gs_rule_input_name, "a}", false},
    {gs_rule_input_name, "", false},
    {gs_rule_env_name, "A_9", true},
    {gs_rule_env_name, "A-B", false},
    {gs_rule_env_name, "A=B", false},
    {gs_rule_label, "infrahub-system", true},
    {gs_rule_label, "9a", true},
    {gs_rule_label, "a.b", false},
    {gs_rule_label, "-a", false},
    {gs_rule_label, "a-", false},
    {gs_rule_label, "A", false},
    {gs_rule_label, "", false},
    {gs_rule_label, "a23456789012345678901234567890123456789012345678901234567890123", true},
    {gs_rule_label, "a234567890123456789012345678901234567890123456789012345678901234", false},
    {gs_rule_dns_name, "a.b-c", true},
    {gs_rule_dns_name, "a_b", false},
    {gs_rule_dns_name, ".a", false},
    {gs_rule_positive, "1", true},
    {gs_rule_positive, "0", false},
    {gs_rule_positive, "-1", false},
    {gs_rule_not_negative, "0", true},
    {gs_rule_not_negative, "-1", false},
    {gs_rule_url, "http://x", true},
    {gs_rule_url, "https://x", true},
    {gs_rule_url, "${input.URL}/health", true},
    {gs_rule_url, "ftp://x", false},
    {gs_rule_url, "file:///etc/passwd", false},
    {gs_rule_digest, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true},
    {gs_rule_digest, "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", false},
    {gs_rule_digest, "sha256:e3b0", false},
    {gs_rule_digest, "", false},
};

static void texts_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (cases[i].rule(cases[i].text) != cases[i].valid) {
            print_error("case %zu: \"%s\"\n", i, cases[i].text);
        }
        assert_int_equal(cases[i].rule(cases[i].text), cases[i].valid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
