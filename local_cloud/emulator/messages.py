"""SNS: e-mail goes to a mailbox directory; other modules can publish."""

from collections.abc import Callable
from typing import Any

from moto.sns.models import Subscription, sns_backends

from local_cloud.emulator import ACCOUNT
from local_cloud.emulator.patch import patch

EMAIL = ("email", "email-json")
Deliver = Callable[[str, str, str, str], None]


def install(deliver: Deliver, changed: Callable[[], None]) -> None:
    """Call ``deliver(topic, address, subject, text)`` for every e-mail that SNS would send.

    ``changed`` is called after every delivery, because an alarm publishes without a request.
    """
    plain_publish = Subscription.publish

    def publish(self: Any, message: str, message_id: str, **options: Any) -> None:
        if self.protocol in EMAIL and wanted(self, message, options):
            subject = options.get("subject") or "AWS Notification Message"
            deliver(self.topic_arn, self.endpoint, subject, text(self, message, options))
        plain_publish(self, message, message_id, **options)
        changed()

    patch(Subscription, publish=publish)


def wanted(subscription: Any, message: str, options: dict[str, Any]) -> bool:
    """Return whether the filter policy of the subscription accepts the message."""
    matcher = subscription._filter_policy_matcher
    return matcher is None or bool(matcher.matches(options.get("message_attributes"), message))


def text(subscription: Any, message: str, options: dict[str, Any]) -> str:
    if options.get("message_structure") != "json":
        return message
    return str(subscription._parse_message_structure(message, subscription.protocol))


def publish(topic_arn: str, message: str, subject: str | None = None) -> str:
    """Publish ``message`` to a topic and return the message id."""
    region = topic_arn.split(":")[3]
    backend = sns_backends[ACCOUNT][region]
    return str(backend.publish(message=message, subject=subject, arn=topic_arn))
