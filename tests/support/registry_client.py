"""The registry client of gapship, run as a program (tests/unit/registry/driver.c)."""
import os

import harness


class Client:
    def __init__(self, w, url, *, ca=None, credentials=None, anonymous=False, idle=None, env=None):
        self.w, self.url = w, url
        self.env = {'HOME': str(w.home), 'XDG_RUNTIME_DIR': '', 'XDG_CONFIG_HOME': '', 'DOCKER_CONFIG': '', 'REGISTRY_AUTH_FILE': '',
                    **(env or {})}
        self.options = [word for name, value in (('--ca', ca), ('--credentials', credentials), ('--idle', idle)) if value
                        for word in (name, value)] + (['--anonymous'] if anonymous else [])

    def __call__(self, *words, fails=None, says=(), silent=()):
        """Runs a verb; fails is the name of the error's code. Facts are in .facts, as lists of values by key."""
        done = harness.run([os.environ['REGISTRY_DRIVER'], *self.options, self.url, *words], cwd=self.w.path, env=self.env, timeout=120)
        done.expect(1 if fails else 0, says, silent)
        harness.check(not done.err, f'wrote to stderr\n{done}')
        lines = [line for line in done.out.splitlines() if not line.startswith('event ')]
        if fails:
            lines = [line for line in lines if not line.startswith('moved ')]
            harness.equal(lines[0], fails, f'code\n{done}')
            done.message, done.where, done.hint = lines[1:4]
        done.facts = {}
        for line in [] if fails else lines:
            key, _, value = line.partition(' ')
            done.facts.setdefault(key, []).append(value)
        return done

    def fact(self, key, *words):
        return self(*words).facts[key][0]
