"""The schema of ``environment.state``: where the lock, the live colour and the history are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from canary.environment.fields import Section, Text, kind_of_word


class AwsStateSettings(Section):
    """Tables in DynamoDB, a parameter, a bucket, and optionally a topic."""

    kind: Literal["aws"]
    live_parameter: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./-]+$")]
    lock_table: Text
    history_table: Text
    alarm_table: Text | None = None
    bucket: Text
    topic: Annotated[str, Field(pattern=r"^arn:[^\s]+$")] | None = None


class FileStateSettings(Section):
    """A directory of this machine. The lock is on the proxy, where other machines see it."""

    kind: Literal["file"] = "file"
    path: Text | None = Field(default=None, description="Directory; default .run/ENV/state.")


StateSettings = Annotated[AwsStateSettings | FileStateSettings, Field(discriminator="kind")]
StateField = Annotated[
    StateSettings,
    BeforeValidator(kind_of_word, json_schema_input_type=Literal["file"] | StateSettings),
]
