"""Launch an instance as the role ``instances`` does."""

from typing import Any

from tests.support.local_cloud_machine import Cloud


def launch(cloud: Cloud, subnet: str, name: str, **options: Any) -> str:
    """Launch an instance as the role `instances` does, and return its id."""
    ec2 = cloud.client("ec2")
    images = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])
    launched = ec2.run_instances(
        ImageId=images["Images"][0]["ImageId"],
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        InstanceType="t3.micro",
        KeyName="deployer",
        IamInstanceProfile={"Name": "app"},
        MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]},
        ],
        **options,
    )
    (made,) = launched["Instances"]
    assert made["State"]["Name"] == "pending"  # AWS answers before the instance runs
    instance: str = made["InstanceId"]
    return instance
