"""A drill's report files: JUnit XML, Markdown, a page with a picture."""
