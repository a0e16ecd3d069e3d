"""A test of the Prometheus rules for ``promtool test rules``.

Each situation fires one alert, with the periods of the local cloud; a healthy shop fires none.
"""

from __future__ import annotations

from typing import Any

BUCKETS = 'shop_request_duration_seconds_bucket{route="/cart/checkout",method="POST",status="200"'
HEALTHY = {
    'shop_carts{instance="blue-1"}': "5x60",
    'shop_requests_total{route="/cart",status="200"}': "0+20x60",
    'shop_requests_total{route="/cart",status="503"}': "0+1x60",
    f'{BUCKETS},le="0.505853"}}': "0+20x60",
    f'{BUCKETS},le="+Inf"}}': "0+20x60",
    'probe_availability{url="shop"}': "1x60",
    'probe_latency_seconds{url="shop"}': "0.19x60",
    'probe_certificate_days{url="shop"}': "14x60",
    "backup_age_seconds": "93600x60",  # 26 hours
}
HARM: dict[str, dict[str, str]] = {
    "ManyCarts": {'shop_carts{instance="blue-1"}': "6x60"},
    # 2 of 22 requests.
    "ErrorRate": {'shop_requests_total{route="/cart",status="503"}': "0+2x60"},
    "CheckoutLatency": {f'{BUCKETS},le="0.505853"}}': "0+1x60"},
    "Unavailable": {'probe_availability{url="shop"}': "1 1 1 1 0x60"},
    "SlowResponses": {'probe_latency_seconds{url="shop"}': "0.21x60"},
    "CertificateExpires": {'probe_certificate_days{url="shop"}': "13.9x60"},
    "BackupOld": {"backup_age_seconds": "93601x60"},
    "ProberSilent": {'probe_availability{url="shop"}': "1 1 1 1 stale _x60"},
}
OF_A_URL = ("Unavailable", "SlowResponses", "CertificateExpires")
AT = "3m"


def situations(rules_file: str, annotations: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the test document; ``annotations`` are the expected texts."""
    fired = [
        {
            "interval": "5s",
            "input_series": _series({**HEALTHY, **changed}),
            "alert_rule_test": [
                {
                    "eval_time": AT,
                    "alertname": name,
                    "exp_alerts": [
                        {
                            "exp_labels": {"url": "shop"} if name in OF_A_URL else {},
                            "exp_annotations": annotations[name],
                        }
                    ],
                }
            ],
        }
        for name, changed in HARM.items()
    ]
    healthy = {
        "interval": "5s",
        "input_series": _series(HEALTHY),
        "alert_rule_test": [
            {"eval_time": AT, "alertname": name, "exp_alerts": []} for name in annotations
        ],
    }
    return {
        "rule_files": [rules_file],
        "evaluation_interval": "5s",
        "tests": [*fired, healthy],
    }


def _series(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": text} for name, text in values.items()]
