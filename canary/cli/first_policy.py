"""The smallest policy of an environment without AWS and without metrics of its own."""

FIRST_POLICY = """\
version: 1
period: 10s
metrics:
  - {name: errors, kind: count, source: proxy.errors, margin: x1.5, negligible: 0.5%}
  - {name: retries, kind: count, source: proxy.retries, margin: x1.5, negligible: 0.5%}
environment:
  name: NAME
  source: proxy      # HAProxy's own counters; or cloudwatch, prometheus
  state: file        # .run/NAME/state, and the lock on the proxy; or aws
  traffic:
    kind: haproxy    # the role cart.canary.proxy
    host: 192.0.2.10
    key: .run/NAME/canary_ed25519
    known_hosts: .run/NAME/known_hosts
  hooks:
    deploy: {command: [./deploy.sh, "{release}", "{colour}"]}
"""


def how_to_begin(environment: str) -> str:
    """Return both ways to an environment's policy, with the commands to type."""
    return (
        "Create hosts and policy with this project's playbooks:\n"
        f"    ansible-playbook -i inventory/{environment} site.yml\n"
        "Or, for hosts of your own, write the policy, and correct the addresses:\n"
        f"mkdir -p .run/{environment} && cat > .run/{environment}/canary.yml <<'END'\n"
        f"{FIRST_POLICY.replace('NAME', environment)}END\n"
        f"canary check .run/{environment}/canary.yml"
    )
