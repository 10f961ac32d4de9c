"""Verdicts to JSON, HTML, Markdown, badge and terminal, each made from one document (see ``document``)."""
