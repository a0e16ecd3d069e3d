"""The schema of a policy's ``environment`` section.

An ``Environment`` that exists is valid: every name is set, every placeholder is known, every
number is in range. Nothing here opens a file or a connection.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from canary.environment.artifact import ArtifactField, NoArtifact, refuse_unstored
from canary.environment.fields import HookWord, Name, Seconds, Section, Text
from canary.environment.freezes import Freeze
from canary.environment.sources import CloudWatchSource, SourceField
from canary.environment.state import FileStateSettings, StateField


class HaproxyTraffic(Section):
    """SSH to the proxy host, as a user whose key can run ``shop-traffic`` and nothing else."""

    kind: Literal["haproxy"]
    host: Text
    user: Text = "canary"
    key: Text
    port: Annotated[int, Field(ge=1, le=65_535)] = 22
    known_hosts: Text
    timeout: Seconds = 10.0
    matched: bool = Field(
        default=True,
        description="With two or more instances per colour, one live instance gets the same "
        "load as each candidate instance, so that CPU and memory are comparable.",
    )


class Hook(Section):
    """A command (an argument list, not a shell line) and its time limit."""

    command: list[HookWord] = Field(min_length=1)
    timeout: Seconds = 600.0
    on_failure: Literal["abort", "continue"] = "abort"


class Hooks(Section):
    """The commands that a canary runs. Only ``deploy`` is required."""

    deploy: Hook
    smoke: Hook | None = None
    load: Hook | None = None
    promoted: Hook | None = None
    rolled_back: Hook | None = None


class Dashboard(Section):
    """The CloudWatch dashboard of releases, and the metric for weights."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
    namespace: Text
    metric: Text


class Bake(Section):
    """After PASS: how long alarms are watched while the candidate carries all traffic."""

    duration: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    alarms: list[Text] = Field(default=[])

    @model_validator(mode="after")
    def _watched(self) -> Bake:
        if self.duration > 0 and not self.alarms:
            raise ValueError(
                f"duration is {self.duration:g} s but alarms is empty: nothing would be checked; "
                "name at least one alarm, or set duration: 0"
            )
        return self


class Environment(Section):
    """Everything that differs between environments of the same policy."""

    name: Name
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = Field(
        default=None,
        description="The AWS account: state is used in no other, and files are in .run/ACCOUNT.",
    )
    region: Text | None = None
    endpoint_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    source: SourceField
    traffic: HaproxyTraffic | None = None
    artifact: ArtifactField = NoArtifact()
    hooks: Hooks | None = None
    state: StateField | None = None
    dashboard: Dashboard | None = None
    colours: tuple[Name, Name] = ("blue", "green")
    approve: Literal["none", "promote", "steps"] = "none"
    on_fail: Literal["rollback", "freeze"] = "rollback"
    bake: Bake = Bake()
    freezes: tuple[Freeze, ...] = ()
    notify: tuple[Text, ...] = ()
    metrics_file: Text | None = None

    @model_validator(mode="after")
    def _two_colours(self) -> Environment:
        if self.colours[0] == self.colours[1]:
            raise ValueError(f"colours are both {self.colours[0]!r}; a canary needs two")
        return self

    @model_validator(mode="after")
    def _both_colours_have_instances(self) -> Environment:
        named = self.source.instances if isinstance(self.source, CloudWatchSource) else None
        if named is not None and (set(named) != set(self.colours) or not all(named.values())):
            raise ValueError(
                f"source: instances must name those of {' and '.join(self.colours)}, such as "
                f"{{{self.colours[0]}: [web-1], {self.colours[1]}: [web-2]}}"
            )
        return self

    @model_validator(mode="after")
    def _hooks_name_what_exists(self) -> Environment:
        if isinstance(self.artifact, NoArtifact) and self.hooks is not None:
            for name in type(self.hooks).model_fields:
                hook: Hook | None = getattr(self.hooks, name)
                refuse_unstored(hook.command if hook else ())
        return self

    @model_validator(mode="after")
    def _alarms_are_readable(self) -> Environment:
        if isinstance(self.state, FileStateSettings) and self.bake.alarms:
            raise ValueError(
                "bake: alarms are CloudWatch's, and state: file reads none; remove them, or keep "
                "the state on AWS with state: {kind: aws, ...}"
            )
        return self
