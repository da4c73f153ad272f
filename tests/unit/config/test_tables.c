/* site.yaml's keys: one bad input per kind of mistake and place. */
#include "config_support.h"

static const bad_input keys[] = {
    {HEAD REGISTRY "environmets: {}\n", "site.yaml:7:1", "unknown key \"environmets\" in a site", "did you mean \"environments\"?"},
    {HEAD, "site.yaml:1:1", "\"registry\" is missing in a site"},
    {"kind: Site\nname: a\nstore: b\n" REGISTRY, "site.yaml:1:1", "\"apiVersion\" is missing in a site"},
    {"apiVersion: gapship/v1\nkind: Release\nname: a\nstore: b\n" REGISTRY, "site.yaml:2:7",
     "\"kind\" is \"Release\" here, not Site"},
    {"apiVersion: gapship/v1\nkind: Site\nname: 7\nstore: b\n" REGISTRY, "site.yaml:3:7", "\"name\" is the number 7 here, not text",
     "write name: \"7\""},
    {"apiVersion: gapship/v1\nkind: Site\nname: Plant 7\nstore: b\n" REGISTRY, "site.yaml:3:7",
     "\"name\" is \"Plant 7\" here, not a name of up to 63 lower-case letters and digits, inside also '-', '.' and '_'"},
    {"apiVersion: gapship/v1\nkind: Site\nname: a\nstore: \"\"\n" REGISTRY, "site.yaml:4:8",
     "\"store\" is \"\" here, not a text with something in it"},
    {HEAD "registry: https://registry\n", "site.yaml:6:11",
     "\"registry\" is \"https://registry\" here, not a map (the site's registry)"},
    {HEAD "registry: {url: \"https://r\", credentials: user}\n", "site.yaml:6:43",
     "\"credentials\" is \"user\" here, not a map (a secret's place)"},
    {HEAD "registry: {url: \"https://r\", credentials: {password: x}}\n", "site.yaml:6:44",
     "unknown key \"password\" in a secret's place", "its keys are file"},
    {HEAD "registry: {url: \"https://r\", prefix: /x}\n", "site.yaml:6:38",
     "\"prefix\" is \"/x\" here, not a repository prefix: lower-case components separated by '/', like platform"},
    {HEAD "registry: {embedded: {listen: 5000}}\n", "site.yaml:6:31", "\"listen\" is the number 5000 here, not text",
     "write listen: \"5000\""},
    {HEAD "registry: {embedded: {listen: \"a:1\", tls: {certificate: c.pem}}}\n", "site.yaml:6:43",
     "\"key\" is missing in the embedded registry's tls"},
    {HEAD REGISTRY "git: {site: {user: u}}\n", "site.yaml:7:13", "\"url\" is missing in a git repository"},
    {HEAD REGISTRY "git: {Site: {url: u}}\n", "site.yaml:7:7",
     "the key \"Site\" of a git repository is not a name of up to 63 lower-case letters and digits, inside also '-', '.' and '_'"},
    {HEAD REGISTRY "git: [{url: u}]\n", "site.yaml:7:6", "\"git\" is a list here, not a map"},
    {HEAD REGISTRY "environments: {staging: {kubconfig: x}}\n", "site.yaml:7:26",
     "unknown key \"kubconfig\" in an environment of the site", "did you mean \"kubeconfig\"?"},
    {HEAD REGISTRY "environments: {staging: {argocd: {}}}\n", "site.yaml:7:26",
     "\"argocd\" in an environment of the site is not supported yet"},
    {HEAD REGISTRY "environments: {staging: }\n", "site.yaml:7:25",
     "\"staging\" is empty here, not a map (an environment of the site)"},
    {HEAD REGISTRY "approvers: {}\n", "site.yaml:7:1", "\"approvers\" in a site is not supported yet"},
    {HEAD REGISTRY "policy: {exec: []}\n", "site.yaml:7:10", "\"exec\" in the site's policy is not supported yet"},
    {HEAD REGISTRY "policy: {allowUnsigned: \"true\"}\n", "site.yaml:7:25", "\"allowUnsigned\" is \"true\" here, not true or false",
     "write it without quotes"},
    {HEAD REGISTRY "policy: {maxAge: 180}\n", "site.yaml:7:18", "\"maxAge\" is the number 180 here, not text",
     "write maxAge: \"180\""},
    {HEAD REGISTRY "policy: {maxAge: 0d}\n", "site.yaml:7:18",
     "\"maxAge\" is \"0d\" here, not a number of days or hours above 0, like 180d, up to 36500d", NULL},
    {HEAD REGISTRY "policy: {onStale: ignore}\n", "site.yaml:7:19", "\"onStale\" is \"ignore\" here, not one of warn, refuse",
     NULL},
    {HEAD REGISTRY "retention: {keep: 0}\n", "site.yaml:7:19", "\"keep\" is the number 0 here, not a number above 0"},
    {HEAD REGISTRY "retention: {}\n", "site.yaml:7:12", "\"keep\" is missing in the site's retention"},
    {HEAD REGISTRY "name: again\n", "site.yaml:7:1",
     "the key \"name\" stands here a second time; the first is at line 3, column 1"},
    {HEAD REGISTRY "environments: &e {}\n", "site.yaml:7:15", "an anchor (&) is not allowed in this file",
     "write the value out where it is needed"},
    {HEAD REGISTRY "environments: *e\n", "site.yaml:7:15", "an alias (*) is not allowed in this file",
     "write the value out; if a text begins with *, quote it"},
    {HEAD REGISTRY "---\nkind: Site\n", "site.yaml:7:1", "a second document begins here; this file may have one",
     "remove this --- and what follows, or keep it in a file of its own"},
    {HEAD "registry: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "site.yaml:6:74",
     "lists and maps are nested more than 64 deep", .code = GS_ELIMIT},
    {HEAD "\x01\x02", "site.yaml:6:1", "the text has the control character 0x01"},
    {"# nothing\n", "site.yaml", "the file is empty"},
};

static void every_mistake_in_a_key_is_told_in_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        assert_bad_site(&keys[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_in_a_key_is_told_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
