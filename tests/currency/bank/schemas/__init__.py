"""The official schemas of the XML that goes to and comes from a bank."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree


@cache
def _schema(name: str) -> Any:
    return etree.XMLSchema(etree.parse(Path(__file__).parent / f"{name}.xsd"))


def valid(data: bytes) -> Any:
    """The file's root, after its schema, named by its namespace, took it."""
    root = etree.fromstring(data)
    _schema(etree.QName(root).namespace.rpartition(":")[2]).assertValid(root)
    return root
