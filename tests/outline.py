"""What a page of HTML says, read without a browser."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "col", "img", "input", "hr"}


class Outline(HTMLParser):
    """Tags, attributes, headings and text of a page; a tag that is not closed in order fails."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.text, self.headings, self.commands = [], [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1][0] in ("style", "title"):
            return
        self.text.append(data)
        if any(re.fullmatch("h[1-6]", tag) for tag, _ in self.open):
            self.headings[-1][1] += data
        if self.open and self.open[-1][1].get("class") == "command":
            self.commands.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())
