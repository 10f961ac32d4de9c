"""Reports: JSON, HTML, Markdown, badge, terminal and HAR, all made from one document (see ``document``)."""
