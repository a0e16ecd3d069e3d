"""SNS e-mail is written to a directory, one complete message per file."""

import email
from email.policy import default
from pathlib import Path

from local_cloud.mailbox import Mailbox


def test_a_message_can_be_read_back(tmp_path: Path) -> None:
    Mailbox(tmp_path / "mail").deliver("arn:t", "ops@example.org", "ALARM: zu heiß", "Grüße\n")
    (path,) = (tmp_path / "mail").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert path.suffix == ".eml"
    assert (message["To"], message["Subject"]) == ("ops@example.org", "ALARM: zu heiß")
    assert message["X-Topic-Arn"] == "arn:t"
    assert message.get_content() == "Grüße\n"


def test_a_subject_with_line_breaks_adds_no_header(tmp_path: Path) -> None:
    Mailbox(tmp_path).deliver("arn:t", "a@example.org", "one\r\nBcc: b@example.org", "text")
    (path,) = tmp_path.iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert message["Bcc"] is None
    assert message["Subject"] == "one Bcc: b@example.org"


def test_messages_at_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    for number in range(50):
        box.deliver("arn:t", "a@example.org", str(number), "text")
    assert len(list(tmp_path.glob("*.eml"))) == 50
