"""Problems of an account, before they meet a release: each with a sentence and a command."""
