"""A Kayenta configuration with settings that the import converts, guesses and leaves out."""

from __future__ import annotations

CONFIG = {
    "name": "sample",
    "judge": {"name": "NetflixACAJudge-v1.0"},
    "metrics": [
        {
            "name": "p99 latency",
            "query": {"type": "prometheus", "metricName": "http_latency"},
            "groups": ["Latency"],
            "analysisConfigurations": {
                "canary": {
                    "direction": "increase",
                    "critical": True,
                    "nanStrategy": "replace",
                    "effectSize": {"allowedIncrease": 1.15},
                }
            },
        },
        {
            "name": "5xx errors",
            "query": {"type": "atlas", "q": "name,errors,:eq"},
            "groups": ["Errors", "Other"],
            "analysisConfigurations": {"canary": {"direction": "increase", "mustHaveData": True}},
        },
        {
            "name": "cpu",
            "query": {"type": "atlas", "q": "name,cpu,:eq"},
            "groups": ["System"],
            "analysisConfigurations": {"canary": {"effectSize": {"measure": "cles"}}},
        },
    ],
    "classifier": {
        "groupWeights": {"Latency": 50, "Errors": 30},
        "scoreThresholds": {"pass": 95, "marginal": 75},
    },
}
