"""What a page says, for tests; it must be whole to be read at all."""

from __future__ import annotations

import xml.etree.ElementTree as ET


def body(text: str) -> ET.Element:
    """The body of a page, which is well-formed as XML is; each id stands once, and each reference leads to one."""
    found = ET.fromstring(text[text.index("<body>") : text.index("</html>")])
    ids = [element.attrib["id"] for element in found.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    for element in found.iter():
        assert set(element.attrib.get("aria-labelledby", "").split()) <= set(ids)
        assert element.tag not in {"script", "iframe", "object", "img", "link"}
    return found


def words(element: ET.Element) -> str:
    """All text of it."""
    return " ".join(" ".join(element.itertext()).split())
