"""`cronaudit schema`: the JSON Schemas of documents."""

from __future__ import annotations

from typing import Annotated

import typer

from cronaudit.commands.documents import suggestion
from cronaudit.commands.running import emit
from cronaudit.model.options import ConfigurationError
from cronaudit.schema import SCHEMAS, schema_text


def schema(
    name: Annotated[str, typer.Argument(metavar="|".join(SCHEMAS), help="The document.", show_default=False)],
) -> None:
    """Print the JSON Schema of a document."""
    if name not in SCHEMAS:
        raise ConfigurationError(f"there is no schema {name!r}{suggestion(name, SCHEMAS)}")
    emit(schema_text(name))
