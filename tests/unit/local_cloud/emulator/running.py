"""The emulator as a process, with helpers."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local_cloud.emulator import machine_image
from tests.support.paths import ROOT
from tests.unit.local_cloud.process import IMAGE_KEY

AMI = machine_image(IMAGE_KEY)


class Emulator:
    """A running emulator, that can be killed and started again from the same directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.local_cloud.process", str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.port = self.reply()["port"]

    def reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        fact: dict[str, Any] = json.loads(self.process.stdout.readline())
        return fact

    def settle(self, instance: str, expected: str, state: str) -> bool:
        """Settle an instance like the follower."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{instance} {expected} {state}\n")
        self.process.stdin.flush()
        return bool(self.reply()["settled"])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - any is accepted
            config=Config(retries={"max_attempts": 0}),
        )


def make_subnet(emulator: Emulator) -> str:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24")["Subnet"]["SubnetId"]
    return subnet


def launch(emulator: Emulator, **options: Any) -> dict[str, Any]:
    asked = {"ImageId": AMI, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro", **options}
    launched: dict[str, Any] = emulator.client("ec2").run_instances(**asked)["Instances"][0]
    return launched


def state(emulator: Emulator, instance: str) -> str:
    found = emulator.client("ec2").describe_instances(InstanceIds=[instance])
    name: str = found["Reservations"][0]["Instances"][0]["State"]["Name"]
    return name
