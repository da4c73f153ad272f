/* Keys of a site that belong together, or do not. */
#include "config_support.h"

#define GIT(rest) HEAD REGISTRY "git: {site: {" rest "}}\n"

static const bad_input bad[] = {
    {HEAD "registry: {}\n", "site.yaml:6:11", "\"url\" is missing in the site's registry"},
    {HEAD "registry: {url: \"https://r\", embedded: {listen: \"a:1\"}}\n", "site.yaml:6:11",
     "the registry has both a url and `embedded`; one is due"},
    {HEAD "registry: {url: registry.internal}\n", "site.yaml:6:17", "the registry's url begins with neither https:// nor http://"},
    {HEAD "registry: {url: \"https://\"}\n", "site.yaml:6:17", "the registry's url is more than a host and a port",
     "what stands before every repository is `prefix`"},
    {HEAD "registry: {url: \"https://r/platform\"}\n", "site.yaml:6:17", "the registry's url is more than a host and a port",
     "what stands before every repository is `prefix`"},
    {HEAD "registry: {url: \"https://u:p@r\"}\n", "site.yaml:6:17", "the registry's url holds a user or password",
     "put them into a file and name it under credentials: {file: …}"},
    {HEAD "registry: {embedded: {listen: \"a:1\"}, credentials: {file: f}}\n", "site.yaml:6:52",
     "\"credentials\" is only for a registry with a url"},
    {HEAD "registry: {embedded: {listen: localhost}}\n", "site.yaml:6:31",
     "\"listen\" is not an address and a port, like 10.0.0.5:5000"},
    {HEAD "registry: {embedded: {listen: \":5000\"}}\n", "site.yaml:6:31",
     "\"listen\" is not an address and a port, like 10.0.0.5:5000"},
    {HEAD "registry: {embedded: {listen: \"a:0\"}}\n", "site.yaml:6:31",
     "\"listen\" is not an address and a port, like 10.0.0.5:5000"},
    {HEAD "registry: {embedded: {listen: \"a:65536\"}}\n", "site.yaml:6:31",
     "\"listen\" is not an address and a port, like 10.0.0.5:5000"},
    {HEAD "registry: {embedded: {listen: \"a:5k\"}}\n", "site.yaml:6:31",
     "\"listen\" is not an address and a port, like 10.0.0.5:5000"},
    {GIT("url: \"ftp://h/r\""), "site.yaml:7:19", "the repository's url is none of https, http, ssh, file and a path"},
    {GIT("url: \"https://u:secret@h/r\""), "site.yaml:7:19", "the repository's url holds a password",
     "put it into a file and name it under password: {file: …}"},
    {GIT("url: \"ssh://git@h/r\", user: u, password: {file: f}"), "site.yaml:7:55", "\"password\" is only for an https repository"},
    {GIT("url: \"https://h/r\", password: {file: f}"), "site.yaml:7:44", "a password without a user"},
    {GIT("url: \"https://h/r\", key: {file: f}"), "site.yaml:7:39", "\"key\" is only for an ssh repository"},
    {GIT("url: /srv/r.git, knownHosts: f"), "site.yaml:7:43", "\"knownHosts\" is only for an ssh repository"},
    {GIT("url: \"git@h:r\", ca: f"), "site.yaml:7:34", "\"ca\" is only for an https repository"},
    {GIT("url: \"https://h/r\", author: me"), "site.yaml:7:42", "\"author\" is not like: gapship <gapship@plant-7>"},
    {"apiVersion: gapship/v1\nkind: Site\nname: a\nstore: b\n" REGISTRY, "site.yaml:1:1",
     "\"trust\" with its \"root\" is missing in a site that accepts signed bundles only", "write trust: {root: trust/root.json}"},
};

static void what_does_not_belong_together_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_bad_site(&bad[i]);
    }
}

static const char *const good[] = {
    HEAD "registry: {url: \"http://127.0.0.1:5000\", prefix: \"\"}\n",
    HEAD "registry: {embedded: {listen: \"[::1]:5000\"}}\n",
    HEAD REGISTRY
    "git: {a: {url: \"git@h:r.git\", key: {file: k}, knownHosts: h}, b: {url: ../r.git}, c: {url: \"file:///srv/r.git\"},\n"
    "  d: {url: \"https://user@h/r\", user: u, password: {file: p}, ca: c, author: \"A B <a@b>\"}}\n",
    ("apiVersion: gapship/v1\nkind: Site\nname: a\nstore: b\npolicy: {allowUnsigned: true}\n" REGISTRY),
};

static void what_belongs_together_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        gs_site_free(good_site("site.yaml", good[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_belong_together_is_refused),
        cmocka_unit_test(what_belongs_together_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
