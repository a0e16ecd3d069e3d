"""Problems in an AWS account, found before a release: each with a sentence and a command."""
