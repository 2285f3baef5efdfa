"""`mindgap schema`: the JSON Schema of a record, and the check that the files of the repository are those."""

import json
from pathlib import Path

import click

import schemas
from agents.cli import BadInput
from schemas.json_schema import RECORDS, Record, documents
from topics import asyncapi

FOLDER = Path(schemas.__path__[0]) / "json"
"""Where the files are kept."""


@click.command()
@click.argument("name", required=False, type=click.Choice([*RECORDS, "asyncapi"]))
@click.option("--write", is_flag=True, help="Write every schema into the folder.")
@click.option("--check", is_flag=True, help="Compare every schema with the folder; exit 1 where they differ.")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, help="The folder; schemas/json by default.")
def schema(name: str | None, folder: Path, *, write: bool, check: bool) -> None:
    """Print the JSON Schema of the record NAME, or the AsyncAPI document of the topics, or list the records."""
    if sum((name is not None, write, check)) > 1:
        msg = "NAME, --write and --check are three things to do: give one"
        raise click.UsageError(msg)
    if write:
        _write(folder)
    elif check:
        _check(folder)
    elif name is not None:
        click.echo(_files(Path())[Path(f"{name}.json")], nl=False)
    else:
        for known, record in RECORDS.items():
            click.echo(f"{known:<14} {'in ' if record.incoming else 'out'}  {_summary(record)}")


def _summary(record: Record) -> str:
    return (record.model.__doc__ or "").partition("\n")[0]


def _files(folder: Path) -> dict[Path, str]:
    made = documents() | {"asyncapi": asyncapi.document()}
    return {folder / f"{name}.json": _text(content) for name, content in made.items()}


def _text(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(folder)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    for path in set(folder.glob("*.json")) - set(files):
        path.unlink()


def _check(folder: Path) -> None:
    files = _files(folder)
    there = set(folder.glob("*.json"))
    wrong = [path for path, text in files.items() if path not in there or path.read_text(encoding="utf-8") != text]
    wrong += sorted(there - set(files))
    if wrong:
        names = ", ".join(path.name for path in wrong)
        msg = f"{names}: not what the models say; run `make schemas` and commit the result"
        raise BadInput(msg)
