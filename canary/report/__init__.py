"""Reports of a verdict: HTML, JSON, Markdown, terminal. Pure.

Each function takes the policy, the recording and all judgements in order of time, and returns the
same bytes for the same data.
"""

from canary.report.html import render_html
from canary.report.json import render_json
from canary.report.markdown import render_markdown
from canary.report.terminal import render_terminal

__all__ = ["render_html", "render_json", "render_markdown", "render_terminal"]
